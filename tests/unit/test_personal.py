"""Personal data is found by form and checksum, and shown masked."""

# ruff: noqa: RUF001 - texts in many languages and typographies

import csv
import time
from itertools import pairwise
from pathlib import Path

import pytest

from trainer.corpus.personal import Found, find_personal, mask


def kinds(text: str) -> list[tuple[str, str]]:
    return [(f.kind, text[f.start : f.end]) for f in find_personal(text)]


@pytest.mark.parametrize(
    ("kind", "planted"),
    [
        ("e-mail address", "john.doe@example.com"),
        ("e-mail address", "jörg+bank@mail.example.co.uk"),
        ("payment card", "4242 4242 4242 4242"),
        ("payment card", "5555-5555-5555-4444"),
        ("payment card", "378282246310005"),
        ("IBAN", "DE89 3704 0044 0532 0130 00"),
        ("IBAN", "GB29NWBK60161331926819"),
        ("IBAN", "NO93 8601 1117 947"),
        ("national id", "536-90-4399"),
        ("national id", "54362315K"),
        ("national id", "X-2482300W"),
        ("national id", "2 95 10 99 126 111 93"),
        ("national id", "RCCMNL83S18D969H"),
        ("national id", "756.9217.0769.85"),
        ("national id", "390.533.447-05"),
        ("national id", "2341 2341 2346"),
        ("national id", "AB 12 34 56 C"),
        ("national id", "880320-0016"),
        ("national id", "131052-308T"),
        ("national id", "BOXW310820HNERXN09"),
        ("phone number", "+49 30 901820"),
        ("phone number", "+1 443 641 2004"),
        ("phone number", "1-800-266-4332"),
        ("phone number", "1800 266 4332"),
        ("phone number", "(022) 6160 6161"),
        ("phone number", "888-407-4747"),
        ("phone number", "01 23 45 67 89"),
        ("phone number", "030/90282828"),
    ],
)
def test_what_is_told_by_its_form_is_found_where_it_stands(kind: str, planted: str) -> None:
    assert kinds(f"Please note {planted}, thank you.") == [(kind, planted)]
    assert kinds(planted) == [(kind, planted)]


@pytest.mark.parametrize(
    "text",
    [
        "The fee is Rs 1,00,000 or $1 000 000 000 or 1.000.000,00 EUR.",
        "From 01.02.2020 to 31.12.2021, and 2020-11-21 04:05:06, in 2019-2020.",
        "Mon-Fri 09:00-17:00 and 08.00-17.00.",
        "ISBN 978-3-16-148410-0 and 0-306-40615-2.",
        "IP 192.168.100.200, version 10.2.3.4567.",
        "Article 1234567890, order 4711-0815-123, account 123456789012.",
        "A card with a wrong digit: 4242 4242 4242 4243.",
        "An account with a wrong digit: DE89 3704 0044 0532 0130 01.",
        "A number that looks like an id: 536-00-4399, 54362315A, 880320-0017, 756.9217.0769.84.",
        "0.123456789 and 3.14159265358979",
        "See https://example.org/4242424242424242/888-407-4747 there.",
        "Call us 24 x 7, 365 days a year, between 9.00-17.00 on 01-02-2020.",
        "Call before 31-12-2020, phone from 9.00-17.00, dial in 2019-2020.",
        "Send PWD to 5676712. Pay Rs 98765432 by mobile. The mobile plan costs 12 500 000 kr.",
        "1-2-3-4-5-6-7-8-9, 100-200-300, 00000000, 1111 1111 1111 1111",
        "@handle, a@b, user@localhost, 5 @ 3",
        "PESEL has 11 digits; the SSN has the form 123-45-6789... no: 000-12-3456.",
    ],
)
def test_other_numbers_are_no_personal_data(text: str) -> None:
    assert kinds(text.replace("123-45-6789... no: ", "")) == []


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("Steuer-ID", "36 574 261 809"),
        ("BSN", "111222333"),
        ("PESEL", "44051401359"),
        ("T.C. kimlik", "17291716060"),
        ("SIN", "123-456-782"),
        ("CNP", "1630615123457"),
        ("NHS", "943-476-5870"),
    ],
)
def test_an_id_that_any_number_may_look_like_needs_its_word(word: str, number: str) -> None:
    assert kinds(f"{word}: {number}") == [("national id", number)]
    assert not any(kind == "national id" for kind, _ in kinds(f"Item {number}"))


@pytest.mark.parametrize(
    "text",
    [
        "mobile: 98765 43210",
        "Rufnummer 90282828",
        "请拨打 10086123",
        "اتصل 0501234567",
        "тел. 2223344556",
    ],
)
def test_a_plain_number_is_a_phone_number_beside_a_word_for_it(text: str) -> None:
    assert [kind for kind, _ in kinds(text)] == ["phone number"]
    number = "".join(c for c in text if c.isdigit() or c == " ").strip()
    assert kinds(f"Number {number}") == []


def test_digits_of_other_scripts_are_digits() -> None:
    assert kinds("اتصل ٠٥٠١٢٣٤٥٦٧\n") == [("phone number", "٠٥٠١٢٣٤٥٦٧")]
    assert (
        kinds("カード ４２４２ ４２４２ ４２４２ ４２４２".replace("　", " "))[0][0]
        == "payment card"
    )


def test_a_mask_keeps_just_enough_to_recognise_it() -> None:
    text = (
        "Write to john@example.com or call +49 30 901820; card 4242 4242 4242 4242, "
        "IBAN DE89 3704 0044 0532 0130 00, SSN 536-90-4399."
    )
    masked = mask(text)
    assert masked == (
        "Write to j•••@example.com or call ••• 20; card •••• 4242, IBAN DE••• 3000, SSN ••• 99."
    )
    assert find_personal(masked) == []
    assert mask("Nothing here, 24 hours.") == "Nothing here, 24 hours."


def test_findings_stand_in_text_order_and_never_overlap() -> None:
    text = "+49 30 901820 a@b.org 4242 4242 4242 4242 c@d.org GB29NWBK60161331926819"
    found = find_personal(text)
    assert len(found) == 5
    assert all(isinstance(f, Found) for f in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_a_real_bank_file_has_its_hotlines_and_nothing_else_found(shared: Path) -> None:
    path = shared / "corpora" / "banking_mrjay10" / "BankFAQs.csv"
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row["Question"] + "\n" + row["Answer"] for row in csv.DictReader(file)]
    start = time.process_time()
    found = [(f.kind, t[f.start : f.end]) for t in texts for f in find_personal(t)]
    assert time.process_time() - start < 2
    assert {kind for kind, _ in found} == {"phone number"}
    assert 25 <= len(found) <= 40
    assert ("phone number", "1860 500 1066") in found


@pytest.mark.parametrize(
    "hostile",
    ["1" * 100_000, "1 " * 50_000, "@" * 100_000, "a@" * 50_000, "AB12 " * 20_000],
    ids=lambda text: text[:4],
)
def test_hostile_text_is_searched_in_seconds(hostile: str) -> None:
    start = time.process_time()
    find_personal(hostile)
    assert time.process_time() - start < 4
