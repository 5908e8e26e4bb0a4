"""JSON, JSONL, YAML and XML as people have them: real, sloppy, broken and hostile."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.corpus.readers.formats import read_bytes
from trainer.corpus.readers.grading import Group
from trainer.corpus.readers.limits import MOST_CELL
from trainer.corpus.readers.records import (
    read_json,
    read_jsonl,
    read_xml,
    read_yaml,
    tables_from_records,
)
from trainer.corpus.readers.search import Search
from trainer.corpus.table import Cell, Table
from trainer.errors import CorpusError

Reader = Callable[[bytes, str], list[Table]]


def read(file: Path) -> Table:
    reader = read_jsonl if file.suffix == ".jsonl" else read_json
    (table,) = reader(file.read_bytes(), file.name)
    return table


def pairs(table: Table) -> list[tuple[Cell, Cell]]:
    header = table.header or ()
    question = next(i for i, n in enumerate(header) if n in ("question", "q", "query", "title"))
    answer = next(i for i, n in enumerate(header) if n in ("answer", "a", "body"))
    return [(cells[question], cells[answer]) for _, cells in table.rows]


@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("banking_mrjay10/bank_faqs.json", 1764),
        ("ecommerce_faq_json/Ecommerce_FAQ_Chatbot_dataset.json", 79),
        ("dolly_openqa_guanaco_jsonl/chinkara-open_qa.jsonl", 3742),
        ("hospitality_dstc9_nested_json/data_eval_knowledge.json", 12039),
        ("hospitality_dstc9_nested_json/data_knowledge.json", 2900),
        ("sum_qmsum_jsonl/test.jsonl", 281),
        ("sum_qmsum_jsonl/val.jsonl", 272),
    ],
)
def test_every_pair_of_a_real_file_is_found(shared: Path, file: str, count: int) -> None:
    found = pairs(read(shared / "corpora" / file))
    assert len(found) == count
    assert all(question and answer for question, answer in found)


@pytest.mark.parametrize("language", ["", "-en"])
def test_the_same_pairs_come_out_of_four_formats(shared: Path, language: str) -> None:
    folder = shared / "corpora/construction_sv_en_all_formats"
    names = (".json", ".jsonl", "-alpaca.jsonl", "-sharegpt.jsonl")
    first, *others = [pairs(read(folder / f"faq{language}{name}")) for name in names]
    assert len(first) == 503
    assert all(other == first for other in others)


def test_hotels_stand_in_their_own_column(shared: Path) -> None:
    table = read(shared / "corpora/hospitality_dstc9_nested_json/data_knowledge.json")
    assert table.header == ("title", "body", "entity", "topic")
    assert table.rows[0][1][2:] == ("A AND B GUEST HOUSE", "hotel")
    assert {cells[3] for _, cells in table.rows} == {"hotel", "restaurant", "taxi", "train"}


def test_a_field_that_held_nothing_in_many_records_is_not_searched_in_the_others() -> None:
    class Counting(Search):
        visits = 0

        def visit(self, value: object, *, topical: bool = False) -> list[Group]:
            self.visits += 1
            return super().visit(value, topical=topical)

    record = {"question": {"text": "How?"}, "answer": {"text": "So."}, "author": {"name": "Ann"}}
    late = {"more": [{"question": "Why?", "answer": "Thus."}] * 2}
    search = Counting()
    groups = search.visit([record] * 5_000 + [record | late])
    assert search.visits < 1_000
    assert max(len(group.rows) for group in groups) == 5_001
    assert any("Why?" in row.cells.values() for group in groups for row in group.rows)


def test_a_list_of_labels_is_refused(shared: Path) -> None:
    with pytest.raises(CorpusError, match=r"categories.json holds no questions with answers"):
        read(shared / "corpora/cls_banking77_csv/categories.json")


@pytest.mark.parametrize(
    "text",
    [
        '\ufeff[{"q": "Wie?", "a": "So, \\"gut\\"."}]',
        '[{"q": "Wie?", "a": "So, \\"gut\\".",},]',
        "// FAQ\n[{q: 'Wie?', /* now */ a: 'So, \"gut\".'}] # end",
        "[{'q': 'Wie?', 'a': 'So, \"gut\".', 'more': None, 'b': True}]",
        '{"q": "Wie?", "a": "So, \\"gut\\".", "score": NaN}\n',
        '{"q": "Wie?",\n "a": "So, \\"gut\\"."}\n\n{"q": "B?", "a": "C"}',
    ],
)
@pytest.mark.parametrize("reader", [read_json, read_jsonl])
def test_slips_of_the_pen_in_json_are_forgiven(text: str, reader: Reader) -> None:
    (table,) = reader(text.encode(), "faq.json")
    assert pairs(table)[0] == ("Wie?", 'So, "gut".')


def test_an_apostrophe_in_a_text_survives_forgiveness() -> None:
    (table,) = read_json(b"""[{"q": "It's // what?", "a": "#1, don't [1,] /* */"},]""", "faq.json")
    assert pairs(table) == [("It's // what?", "#1, don't [1,] /* */")]
    assert "overlooked" in table.notes[0]


@pytest.mark.parametrize(
    ("reader", "text", "message"),
    [
        (
            read_json,
            '{"a": 1,\n "b" 2}',
            r"faq, line 2, column 6: this is not JSON \(expecting ':'",
        ),
        (read_json, '[{"q": "a", "a": "b"}', r"line 1, column 22.*ends too early"),
        (read_jsonl, '{"q":1}\n{"q":2}\n{"q":3\n{"q":4}', r"faq, line 3: this is not JSON"),
        (read_yaml, "a: [", r"faq, line 2, column 1: this is not YAML"),
        (read_yaml, "a: &x [*x]", r"faq, line 1, column 8: .*nothing is called \*x"),
        (read_xml, "<a><b></a>", r"faq, line 1, column 9: this is not XML \(mismatched tag\)"),
        (read_xml, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', r"defines entities of its own"),
        (read_xml, '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a>x</a>', r"holds no questions"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(reader: Reader, text: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message) as refused:
        reader(text.encode(), "faq")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (read_json, "[" * 10_000),
        (read_json, "[" * 10_000 + "]" * 10_000),
        (read_json, '{"a":' * 10_000 + "1" + "}" * 10_000),
        (read_json, "[" * 200 + "]" * 200),
        (read_jsonl, '{"q":"a"}\n{"q":"b"}\n' + "[" * 10_000 + "]" * 10_000),
        (read_yaml, "[" * 10_000 + "]" * 10_000),
        (read_yaml, "\n".join(" " * n + "a:" for n in range(150))),
        (read_xml, "<a>" * 10_000 + "</a>" * 10_000),
    ],
)
def test_what_is_nested_too_deep_is_refused_in_a_sentence(reader: Reader, text: str) -> None:
    with pytest.raises(CorpusError, match="nested more than 100 levels deep"):
        reader(text.encode(), "faq")


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi")]  # noqa: B905
    with pytest.raises(CorpusError, match="refers to its own parts"):
        read_yaml("\n".join(lines).encode(), "faq.yaml")


def test_an_entity_bomb_is_refused() -> None:
    laughs = '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    with pytest.raises(CorpusError, match="entities of its own"):
        read_xml(f"<!DOCTYPE faq [{laughs}]><faq>&b;</faq>".encode(), "faq.xml")


def test_yaml_makes_no_objects_and_keeps_answers_as_they_are_written() -> None:
    text = (
        "defaults: &d {lang: de}\n---\n- q: Offen?\n  a: yes\n  <<: *d\n- {q: Seit?, a: 1.10}\n"
        "- q: !!python/object/apply:os.system [echo]\n  a: null\n"
    )
    with pytest.raises(CorpusError, match=r"nothing is called \*d"):  # anchors end with a document
        read_yaml(text.encode(), "faq.yaml")
    (table,) = read_yaml(text.replace("---\n", "faqs:\n").encode(), "faq.yaml")
    assert table.header == ("lang", "q", "a")
    assert [cells for _, cells in table.rows] == [
        ("de", "Offen?", "yes"),
        ("", "Seit?", "1.10"),
        ("", "echo", ""),
    ]


def test_toml_is_read_or_refused_with_the_line() -> None:
    text = '[[faq]]\nquestion = "How?"\nanswer = "So."\n' * 2
    (table,) = read_bytes(text.encode(), "faq.toml")
    assert pairs(table) == [("How?", "So.")] * 2
    with pytest.raises(CorpusError, match=r"faq\.toml is not TOML: .*line 1"):
        read_bytes(b"question: How?\n", "faq.toml")


def test_the_documents_of_a_yaml_file_are_read_as_one() -> None:
    (table,) = read_yaml(b"- q: A?\n  a: B\n---\n- q: C?\n  a: D\n", "faq.yaml")
    assert pairs(table) == [("A?", "B"), ("C?", "D")]


def test_an_ampersand_in_xml_is_forgiven() -> None:
    (table,) = read_xml(
        b"<f><i><q>A & B&nbsp;? &lt;</q><a>c</a></i><i><q>d</q><a>e</a></i></f>", "faq.xml"
    )
    assert pairs(table) == [("A & B\xa0? <", "c"), ("d", "e")]
    assert "'&' where '&amp;' belongs" in table.notes[0]


def test_an_encoding_named_by_xml_is_heeded() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><f><i><q>Où?</q><a>Là</a></i></f>'
    (table,) = read_xml(text.encode("latin-1"), "faq.xml")
    assert pairs(table) == [("Où?", "Là")]


def test_lines_are_numbered_as_an_editor_numbers_them() -> None:
    text = '\r\n{"q": "A?", "a": "B\u2028C"}\r\n\r\n{"q": "D?", "a": "E"},\r\n'
    (table,) = read_jsonl(text.encode(), "faq.jsonl")
    assert table.rows == ((2, ("A?", "B\u2028C")), (4, ("D?", "E")))
    assert table.unit == "line"


def test_names_that_are_repeated_lose_nothing() -> None:
    (table,) = read_json(b'{"What is it?": "This.", "What is it?": "That."}', "faq.json")
    assert pairs(table) == [("What is it?", ("This.", "That."))]
    assert "Names that occur more than once in their object: 1" in table.notes[0]


def test_scalars_are_written_as_a_person_would() -> None:
    record = {"q": "A?", "a": 5.0, "b": True, "c": None, "d": 1e400, "e": 12345678901234567890}
    record |= {"f": [], "g": ["x"], "h": ["x", 2], "i": {"j": {"k": "l"}}, "m": "\ud800"}
    (table,) = tables_from_records([record], format="Parquet", name="faq.parquet")
    assert dict(zip(table.header or (), table.rows[0][1], strict=True)) == {
        "q": "A?", "a": "5", "b": "true", "d": "inf", "e": "12345678901234567890",
        "g": "x", "h": ("x", "2"), "i.j.k": "l", "m": "\ufffd",
    }  # fmt: skip


def test_vectors_are_left_out() -> None:
    (table,) = read_json(json.dumps([{"q": "A?", "a": "B", "v": [0.5] * 500}]).encode(), "f")
    assert table.header == ("q", "a")


def test_ten_thousand_different_fields_do_not_make_a_giant_table() -> None:
    records = [{"q": "A?", "a": "B", f"k{n}": "x"} for n in range(10_000)]
    (table,) = tables_from_records(records, format="JSON", name="faq.json")
    assert table.header == ("q", "a")
    assert len(table.rows) == 10_000
    assert table.notes == ("10,002 different fields were found; the 2 filled most often are kept.",)


def test_a_giant_cell_is_cut_and_told() -> None:
    (table,) = read_json(json.dumps([{"q": "A?", "a": "x " * MOST_CELL}]).encode(), "faq.json")
    assert len(table.rows[0][1][1]) == MOST_CELL
    assert table.notes == ("Cells cut to 1,000,000 characters: 1.",)


@pytest.mark.parametrize("text", ["[" + "/*" * 500_000, "[" + "'" * 500_001, '["' + "\\" * 500_001])
def test_hostile_slips_are_refused_quickly(text: str) -> None:
    with pytest.raises(CorpusError, match="this is not JSON"):
        read_json(text.encode(), "faq.json")


def seeds(shared: Path) -> list[tuple[Reader, bytes]]:
    folder = shared / "corpora"
    bank = (folder / "banking_mrjay10/bank_faqs.json").read_bytes()[:2000]
    lines = (folder / "construction_sv_en_all_formats/faq-sharegpt.jsonl").read_bytes()[:4000]
    hotels = (folder / "hospitality_dstc9_nested_json/data_knowledge.json").read_bytes()[:3000]
    records = json.loads(
        (folder / "ecommerce_faq_json/Ecommerce_FAQ_Chatbot_dataset.json").read_bytes()
    )
    some = records["questions"][:8]
    yaml_ = "".join(
        f"- question: {json.dumps(r['question'])}\n  answer: |\n    {r['answer']}\n" for r in some
    )
    xml_ = "".join(f"<item n='1'><q>{r['question']}</q><a>{r['answer']}</a></item>" for r in some)
    return [
        (read_json, bank),
        (read_json, hotels),
        (read_json, json.dumps(some, indent=1).encode()),
        (read_jsonl, lines),
        (read_yaml, yaml_.encode()),
        (read_xml, f"<faq>{xml_}</faq>".encode()),
    ]  # fmt: skip


def mutate(data: bytes, dice: random.Random) -> bytes:
    found = bytearray(data[: dice.randrange(len(data))] if dice.random() < 0.3 else data)
    for _ in range(dice.randrange(1, 6)):
        at = dice.randrange(len(found) + 1)
        odd = dice.choice(
            [b"\x00", b"\xff", b'"', b"{", b"]", b"&", b"*a", b"<", b"- ", b"\n", b"'"]
        )
        found[at : at + dice.choice([0, 1, 40])] = odd * dice.choice([1, 1, 3, 300])
        if dice.random() < 0.2:
            found[at:at] = found[dice.randrange(len(found)) :][:500]
    return bytes(found)


def test_a_mangled_file_ends_in_a_table_or_one_sentence(shared: Path) -> None:
    dice = random.Random(4)
    ends = {"read": 0, "refused": 0}
    for _ in range(40):
        for reader, data in seeds(shared):
            refused = try_reading(reader, mutate(data, dice), "mangled")
            ends["refused" if refused else "read"] += 1
    assert min(ends.values()) > 20


def try_reading(reader: Reader, data: bytes, name: str) -> str:
    """Why the file is refused, or nothing where its tables are sound."""
    try:
        tables = reader(data, name)
    except CorpusError as error:
        refused = str(error)
    else:
        refused = ""
        check(tables)
    assert not refused or (name in refused and "\n" not in refused)
    return refused


def check(tables: list[Table]) -> None:
    for table in tables:
        assert table.header is not None
        for number, cells in table.rows:
            assert number >= 1
            assert len(cells) == len(table.header)
            for cell in cells:
                for text in [cell] if isinstance(cell, str) else cell:
                    text.encode()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["What is it?", "It is a thing of beauty.", "user", "assistant"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["question", "answer", "q", "a", "text", "messages", "role", "content", "name", "qas"]
        )
        | st.text(max_size=5),
        inner,
        max_size=4,
    ),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(VALUES)
def test_any_value_ends_in_a_table_or_one_sentence(value: object) -> None:
    try_reading(read_json, json.dumps(value).encode(), "any.json")
