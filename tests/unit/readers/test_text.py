# ruff: noqa: RUF001 - letters of many scripts
"""Bytes become text, with the encoding said, guessed well, or refused."""

import random
from pathlib import Path

import pytest

from trainer.corpus.readers.text import decode
from trainer.errors import CorpusError

SHORT = [
    ("question,answer\nHow much?,£5\n", "cp1252", "Windows-1252"),
    ("The price is £5; you’ll pay in €.", "cp1252", "Windows-1252"),
    ("Frage;Antwort\nÖffnungszeiten?;Täglich – außer sonntags.\n", "cp1252", "Windows-1252"),
    ("¿Cómo abro una cuenta?,Venga mañana.\n", "cp1252", "Windows-1252"),
    ("Pytanie;Odpowiedź\nJak założyć konto?;Proszę przyjść.\n", "cp1250", "Windows-1250"),
    ("Pytanie;Odpowiedź\nJak założyć konto?;Proszę przyjść.\n", "iso8859-2", "ISO-8859-2"),
    ("Вопрос;Ответ\nКак открыть счёт?;Приходите в банк.\n", "cp1251", "Windows-1251"),
    ("Вопрос;Ответ\nКак открыть счёт?;Приходите в банк.\n", "koi8-r", "KOI8-R"),
    ("Ερώτηση\nΠώς ανοίγω λογαριασμό;\n", "cp1253", "Windows-1253"),
    ("Soru;Yanıt\nHesap nasıl açılır?;Şubeye gelin.\n", "cp1254", "Windows-1254"),
    ("שאלה,תשובה\nאיך פותחים חשבון?,באים לסניף.\n", "cp1255", "Windows-1255"),
    ("سؤال,جواب\nكيف أفتح حسابا؟,تعال إلى الفرع.\n", "cp1256", "Windows-1256"),
    ("Klausimas;Atsakymas\nKaip atidaryti sąskaitą?;Ateikite į skyrių.", "cp1257", "Windows-1257"),
    ("คำถาม,คำตอบ\nเปิดบัญชีอย่างไร,มาที่สาขา\n", "cp874", "Windows-874"),
    ("質問,回答\n口座を開くには?,支店へお越しください。\n", "cp932", "Shift_JIS"),
    ("質問,回答\n口座を開くには?,支店へお越しください。\n", "euc_jp", "EUC-JP"),
    ("質問,回答\n口座を開くには?,支店へお越しください。\n", "iso2022_jp", "ISO-2022-JP"),
    ("질문,답변\n계좌를 어떻게 개설하나요?,지점을 방문하세요.\n", "cp949", "EUC-KR (CP949)"),
    ("問題,答案\n如何開戶?,請到分行辦理。\n", "big5", "Big5"),
    ("问题,答案\n如何开户?,请到分行办理。\n", "gb18030", "GB18030"),
    ("質問;回答\n口座を開くには?;支店へ\n", "utf-16-le", "UTF-16"),
    ("質問;回答\n口座を開くには?;支店へ\n", "utf-16-be", "UTF-16"),
    ("question;answer\nHow?;So.\n", "utf-32-be", "UTF-32"),
]


@pytest.mark.parametrize(("text", "codec", "usual"), SHORT)
def test_a_short_text_is_read_in_the_code_page_it_was_written_in(
    text: str, codec: str, usual: str
) -> None:
    found = decode(text.encode(codec), "faq.csv")
    assert (found.text, found.encoding) == (text, usual)
    if codec != "iso2022_jp":
        assert f"does not say its encoding; read as {usual}" in found.notes[0]


@pytest.mark.parametrize(
    ("codec", "usual"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 with BOM"),
        ("utf-16", "UTF-16"),
        ("utf-32", "UTF-32"),
    ],
)
def test_unicode_is_named_without_a_word(codec: str, usual: str) -> None:
    found = decode("Wie? Für £5.\n".encode(codec), "faq.csv")
    assert (found.text, found.encoding, found.notes) == ("Wie? Für £5.\n", usual, ())


def test_a_page_is_believed_about_its_encoding() -> None:
    page = "<meta charset='iso-8859-2'><p>Časté otázky".encode("iso8859-2")
    assert decode(page, "faq.html").text.endswith("Časté otázky")


def test_the_languages_of_real_faqs_survive_their_old_code_pages(shared: Path) -> None:
    codecs = {
        "de": "cp1252", "fr": "cp1252", "es": "cp1252", "sv": "cp1252", "hu": "cp1250",
        "cs": "cp1250", "ru": "cp1251", "uk": "cp1251", "he": "cp1255", "ja": "cp932",
        "ko": "cp949", "zh-cn": "gb18030", "zh-tw": "big5hkscs",
    }  # fmt: skip
    wrong, tried = [], 0
    for language, codec in codecs.items():
        file = shared / f"corpora/letsencrypt_faq_md_multilang/{language}_faq.md"
        lines = [line for line in file.read_text(encoding="utf-8").split("\n") if len(line) > 80]
        for start in range(0, len(lines), 3):
            data = "\n".join(lines[start : start + 3]).encode(codec, errors="ignore")
            if not data.isascii():
                tried += 1
                if decode(data, "faq.md").text != data.decode(codec):
                    wrong.append((language, start))
    assert tried > 100
    assert len(wrong) <= tried // 100, wrong


def test_a_few_lost_characters_are_named_with_their_lines() -> None:
    data = "schöne Grüße\n".encode() * 500 + b"\xff\n" + "schöne Grüße\n".encode() * 500
    found = decode(data, "faq.csv")
    assert found.encoding == "UTF-8"
    assert found.text.count("\ufffd") == 1
    assert found.notes == (
        "1 character that is not UTF-8 cannot be read and became '\ufffd': line 501.",
    )


def test_many_lost_characters_are_refused_with_the_first_line() -> None:
    data = "über uns\n".encode("utf-8-sig") + b"\xfc\xfc\xfc\xfc\n" * 30
    with pytest.raises(CorpusError, match=r"faq.csv, line 2: the text is not UTF-8.* 120 char"):
        decode(data, "faq.csv")


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04\x00\x00", b"\x00" * 50, bytes(range(256)) * 8, random.Random(1).randbytes(999)],
)
def test_what_is_not_text_is_refused(data: bytes) -> None:
    with pytest.raises(CorpusError, match="is not a text file"):
        decode(data, "faq.csv")


def test_a_stray_nul_is_left_out_and_counted() -> None:
    found = decode(b"How? " * 100 + b"\x00So.", "faq.txt")
    assert found.text.endswith("How? So.")
    assert found.notes == ("1 NUL character was left out.",)
