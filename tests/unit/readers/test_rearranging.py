"""Tables in which a question and its answer do not stand side by side."""

import json

import pytest

from trainer.corpus.readers.formats import read_bytes

PAIRS = [
    ("How do I pay?", "By card or by invoice, as you like."),
    ("Do you ship to Oslo?", "Yes, and to all other towns of Norway."),
    ("Lost parcels", "Tell us within ten days and we look for yours."),
]


def read(text: str, name: str = "faq.csv") -> list[tuple[object, ...]]:
    (table,) = read_bytes(text.encode(), name)
    assert table.header
    at = [table.header.index(role) for role in ("question", "answer")]
    return [tuple(cells[n] for n in at) for _, cells in table.rows]


def lines(*rows: tuple[str, ...]) -> str:
    return "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in rows)


@pytest.mark.parametrize(
    "rows",
    [
        [(text,) for pair in PAIRS for text in pair],
        [
            ("FAQ",),
            *((f"P: {q}" if n else f"R: {q}",) for p in PAIRS for n, q in ((1, p[0]), (0, p[1]))),
        ],
        [(mark, text) for pair in PAIRS for mark, text in zip("QA", pair, strict=True)],
        [("Type", "Text")]
        + [(f"{m}{n}", t) for n, p in enumerate(PAIRS, 1) for m, t in zip("QA", p, strict=True)],
        [(m, t) for p in PAIRS for m, t in zip(("질문", "답변"), p, strict=True)],
    ],
)
def test_questions_and_answers_below_each_other_are_put_side_by_side(rows):
    assert read(lines(*rows)) == PAIRS


def test_texts_below_each_other_are_no_pairs_unless_they_take_turns():
    texts = ["Great shop.", "Would buy again, would you?", "Too slow.", "Never again.", "Fine."]
    (table,) = read_bytes(lines(*((text,) for text in texts)).encode(), "reviews.csv")
    assert len(table.rows) == len(texts)


@pytest.mark.parametrize(
    "names",
    [("Q{n}", "A{n}"), ("Pregunta {n}", "Respuesta {n}"), ("faq.{n}.question", "faq.{n}.answer")],
)
def test_numbered_columns_are_several_pairs_of_one_row(names: tuple[str, str]):
    header = [name.format(n=n) for n in (1, 2, 3) for name in names]
    assert read(lines(("Topic", *header), ("Shop", *(t for p in PAIRS for t in p)))) == PAIRS
    values = dict(zip(header, (text for pair in PAIRS for text in pair), strict=True))
    assert read(json.dumps({"faq": {"title": "FAQ", "items": values}}), "en.json") == PAIRS


def test_wordings_of_one_question_are_not_taken_for_several():
    header = ("Question 1", "Question 2", "Answer 1")
    (table,) = read_bytes(lines(header, ("How?", "How come?", "So.")).encode(), "faq.csv")
    assert table.rows[0][1] == header


def test_a_table_on_its_side_is_stood_up():
    rows = [
        (name, *texts)
        for name, texts in zip(("Soru", "Cevap"), zip(*PAIRS, strict=True), strict=True)
    ]
    (table,) = read_bytes(lines(*rows).encode(), "faq.csv")
    assert table.header == ("Soru", "Cevap")
    assert [cells for _, cells in table.rows] == PAIRS
