"""A ZIP archive is opened only where it unpacks to no harm, and read as one corpus."""

import io
import json
import random
import zipfile

import pytest

from trainer.corpus.readers.archive import check_zip, read_archive
from trainer.corpus.readers.delimited import read_delimited
from trainer.corpus.readers.formats import read_bytes
from trainer.corpus.readers.records import read_json
from trainer.errors import CorpusError

FAQ = "question,answer\nHow?,So.\n"


def pack(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def encrypt(data: bytes) -> bytes:
    """Set the mark of a password, beside the member and in the directory."""
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature) + place
        data = data[:at] + b"\x01" + data[at + 1 :]
    return data


BOMB = pack({"faq.csv": bytes(60_000_000)})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (BOMB, "unpacks to more than 50 MB"),
        (pack({f"{n}.csv": bytes(9_000_000) for n in range(6)}), "unpacks to more than 50 MB"),
        (pack({f"{n}.csv": "" for n in range(1_001)}), "holds 1,001 files"),
        (pack({"../faq.csv": FAQ}), "leads out of the archive"),
        (pack({"/etc/faq.csv": FAQ}), "leads out of the archive"),
        (pack({"a\\..\\..\\faq.csv": FAQ}), "leads out of the archive"),
        (pack({"C:\\faq.csv": FAQ}), "leads out of the archive"),
        (encrypt(pack({"faq.csv": FAQ})), "protected with a password"),
        (pack({"faq.csv": FAQ})[:-30], "is damaged"),
        (pack({"faq.csv": FAQ * 99}).replace(b"\x00\x00\x00\x00", b"\x00\x00\x00\x01"), "damaged"),
        (b"PK\x03\x04", "is damaged"),
        (b"", "is damaged"),
    ],
)
def test_a_harmful_or_broken_archive_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(CorpusError, match=message) as caught:
        check_zip(data, "faq.zip")
    assert "\n" not in str(caught.value)


def test_an_archive_that_lies_about_its_size_is_refused() -> None:
    size, lie = (60_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little")
    with pytest.raises(CorpusError, match="unpacks to more than 50 MB"):
        check_zip(BOMB.replace(size, lie), "faq.zip")


def test_a_document_may_unpack_to_more_than_a_bare_archive() -> None:
    document = pack({"[Content_Types].xml": "", "xl/sheet.xml": bytes(60_000_000)})
    assert "xl/sheet.xml" in check_zip(document, "faq.xlsx").namelist()


def test_the_members_are_tables_in_the_order_of_their_names() -> None:
    data = pack({"b/häufig.csv": FAQ, "a.csv": FAQ, "b/": "", "c.csv": FAQ})
    tables = read_archive(data, "faq.zip", read_delimited)
    assert [table.part for table in tables] == ["a.csv", "b/häufig.csv", "c.csv"]
    assert tables[0].notes == ()


def test_what_is_left_out_is_noted_with_the_reason() -> None:
    data = pack(
        {
            "faq.csv": FAQ,
            "bad.csv": b"\x00" * 99,
            "inner.zip": pack({"x.csv": FAQ}),
            "__MACOSX/._faq.csv": "x",
            ".DS_Store": "x",
            "logo.PNG": b"x",
        }
    )
    (table,) = read_archive(data, "faq.zip", read_delimited)
    left_out = "Another file of faq.zip is left out: "
    assert table.notes[0].startswith(left_out + "bad.csv is not a text file")
    assert table.notes[1].startswith(left_out + "inner.zip is an archive inside the archive")
    assert table.notes[2] == (
        "Other files of faq.zip were not looked at: .DS_Store, __MACOSX/._faq.csv, logo.PNG."
    )


def test_the_intents_of_dialogflow_are_joined_with_what_users_say() -> None:
    speech = [{"lang": "en", "speech": "Snow."}, {"lang": "de", "speech": "Schnee."}]
    late, bye = ({"name": name, "responses": [{"messages": speech}]} for name in ("late", "bye"))
    members: dict[str, object] = {"agent.json": {"language": "en"}}
    members |= {"intents/late.json": late, "intents/bye.json": bye}
    for language, text in (("en", "Why is it late?"), ("de", "Warum ist er zu spät?")):
        pieces = [{"text": text[:4], "userDefined": False}, {"text": text[4:], "userDefined": True}]
        members[f"intents/late_usersays_{language}.json"] = [{"data": pieces}]
    data = pack({name: json.dumps(value) for name, value in members.items()})
    (table,) = read_archive(data, "agent.zip", read_json)
    assert table.part == "intents/*.json"
    assert sorted(cells[:2] for _, cells in table.rows) == [
        ("Warum ist er zu spät?", "Schnee."),
        ("Why is it late?", "Snow."),
    ]
    assert table.notes[0] == "Intents without sentences of users or an answer are left out: 1."


def test_an_archive_without_a_faq_is_refused_with_the_first_reasons() -> None:
    with pytest.raises(CorpusError, match=r"holds no file of questions.* a.csv is empty"):
        read_archive(pack({"a.csv": "", "b.png": b"x"}), "faq.zip", read_delimited)
    with pytest.raises(CorpusError, match="no files but pictures"):
        read_archive(pack({"b.png": b"x"}), "faq.zip", read_delimited)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("{n}.md", "---\ntitle: '{q}'\ndate: 2024-01-02\n---\n{a}\n"),
        ("{n}.md", "# {q}\n\n{a}\n"),
        (
            "{n}.html",
            "<html><head><title>x</title></head><body><h1>{q}</h1><p>{a}</p></body></html>",
        ),
    ],
)
def test_articles_of_one_question_each_are_pairs(name: str, text: str) -> None:
    pairs = [("How do I pay?", "By card."), ("Lost parcels", "Tell us soon.")]
    files = {name.format(n=n): text.format(q=q, a=a) for n, (q, a) in enumerate(pairs)}
    (table,) = read_archive(pack(files), "help.zip", read_bytes)
    assert [cells[:2] for _, cells in table.rows] == pairs
    posts = {name.format(n=n): text.format(q=f"News {n}", a="We moved.") for n in (1, 2)}
    with pytest.raises(CorpusError, match="holds no file of questions"):
        read_archive(pack(posts), "blog.zip", read_bytes)


def test_a_member_named_before_unicode_keeps_its_name() -> None:
    data = pack({"faq_XXXXXX.csv": FAQ}).replace(b"XXXXXX", "Вопрос".encode("cp866"))
    (table,) = read_archive(data, "faq.zip", read_delimited)
    assert table.part == "faq_Вопрос.csv"


def test_a_damaged_archive_is_read_or_refused_and_nothing_else() -> None:
    rng = random.Random(4)
    whole = pack({f"{n}.csv": FAQ * 50 for n in range(4)})
    refused = []
    for _ in range(200):
        data = bytearray(whole[: rng.randrange(1, len(whole))] if rng.random() < 0.3 else whole)
        for _ in range(rng.choice((0, 1, 3))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            read_archive(bytes(data), "faq.zip", read_delimited)
        except CorpusError as error:
            refused.append(str(error))
    assert 0 < len(refused) < 200
    assert not [message for message in refused if "\n" in message]
