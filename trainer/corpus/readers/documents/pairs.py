"""Find the questions and answers of a document, in whatever way its writer set them apart."""

# ruff: noqa: RUF001 - signs of other alphabets are the point

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from trainer.corpus.readers.documents.blocks import (
    MOST_BLOCKS,
    NUMBER,
    Block,
    join_wrapped,
    unmark,
)
from trainer.corpus.readers.documents.labels import read_by_labels
from trainer.corpus.readers.documents.looks import Reading, asks, read_by_look, read_by_marks
from trainer.corpus.readers.documents.stated import read_by_roles
from trainer.corpus.readers.documents.words import (
    FAQ_WORDS,
    is_boilerplate,
    is_question,
    strip_number,
)
from trainer.corpus.table import Pair, Table
from trainer.errors import CorpusError

LOOKED_FOR = (
    "question headings, bold or numbered questions, marks such as Q: and A:, definition lists, "
    "accordions, two-column tables and lines that end in a question mark"
)


def make_table(
    pairs: Sequence[Pair], format: str, unit: str, encoding: str = "", notes: Sequence[str] = ()
) -> Table:
    """Make a table of the pairs of a document."""
    rows = tuple((pair.row, (pair.question, pair.answer, pair.topic)) for pair in pairs)
    header = ("question", "answer", "topic")
    return Table(format, rows, header, encoding=encoding, unit=unit, notes=tuple(notes))


def find_pairs(blocks: Iterable[Block], name: str, title: str = "") -> tuple[list[Pair], list[str]]:
    """Find the pairs of a document and what a person should know of them."""
    prepared: Sequence[Block] = prepare(blocks, name)
    called = (re.sub(r"[_\W]+", " ", name), title)
    called_faq = any(map(FAQ_WORDS.search, called)) or any(
        FAQ_WORDS.search(block.text)
        for block in prepared[:12]
        if block.level or len(block.text) < 80
    )
    reading = _choose(prepared, called_faq=called_faq)
    notes = []
    for section in _faq_sections(prepared):
        inside = _choose(section, called_faq=True)
        outside = len(reading.pairs) - len(inside.pairs)
        if len(inside.pairs) >= 2 and (not _convinces(reading, prepared) or outside <= 0):
            reading, prepared = inside, section
    if not _convinces(reading, prepared):
        raise CorpusError(
            f"No question-answer pairs were found in {name}. Looked for {LOOKED_FOR}. Mark each "
            "question with Q: and each answer with A:, or make the questions headings, and try "
            "again."
        )
    if _only_asks(reading):
        raise CorpusError(
            f"{name} is a list of questions, and no answers were found below them. Write each "
            "answer below its question and try again."
        )
    if reading.unanswered:
        count, (_, text) = len(reading.unanswered), reading.unanswered[0]
        notes.append(
            f"{count} question{'s have' if count > 1 else ' has'} no answer below "
            f"and {'were' if count > 1 else 'was'} left out: '{_shorten(text)}'"
            + (f" and {count - 1} more." if count > 1 else ".")
        )
    if not reading.sure:
        notes.append(
            "Questions and answers are not marked in this document; questions were told by how "
            "they end or where they stand. Check that the answers belong to them."
        )
    return _finish(reading.pairs), notes


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:79] + "…"


def _choose(blocks: Sequence[Block], *, called_faq: bool) -> Reading:
    """Take what is marked as question and answer before what only looks so."""
    marked = [
        reading for reading in (read_by_labels(blocks), read_by_roles(blocks)) if reading.pairs
    ]
    asked = sum(map(asks, blocks))
    for reading in marked:
        if len(reading.pairs) >= 2 and 2 * len(reading.pairs) >= asked:
            return reading
    by_look = read_by_look(blocks, called_faq=called_faq)
    if not by_look.pairs:
        by_look = read_by_marks(blocks, called_faq=called_faq)
    for reading in marked:
        if len(reading.pairs) >= 2 and 2 * len(reading.pairs) >= by_look.asked:
            return reading
    return by_look


def _convinces(reading: Reading, blocks: Sequence[Block]) -> bool:
    """Whether the pairs are what the document is about."""
    if len(reading.pairs) < 2:
        return False
    whole = sum(len(block.text) for block in blocks)
    held = sum(len(pair.question) + len(pair.answer) for pair in reading.pairs)
    return held >= (0.1 if len(reading.pairs) >= 5 else 0.25) * whole


def _only_asks(reading: Reading) -> bool:
    """Whether what seems to answer are questions without their mark, in a list of questions."""
    if reading.sure or len(reading.unanswered) < 2:
        return False
    alike = sum(
        "\n" not in pair.answer
        and not pair.answer.endswith(_ENDS)
        and len(pair.answer) <= 1.5 * len(pair.question)
        for pair in reading.pairs
    )
    return 3 * len(reading.unanswered) >= len(reading.pairs) and alike >= 0.8 * len(reading.pairs)


_ENDS = (".", "!", "。", "！", "…", ")", "।")


def _faq_sections(blocks: Sequence[Block]) -> Iterator[Sequence[Block]]:
    """Yield what stands below each heading that announces questions."""
    for number, block in enumerate(blocks):
        if block.level and FAQ_WORDS.search(block.text):
            end = next(
                (
                    n
                    for n in range(number + 1, len(blocks))
                    if 0 < blocks[n].level <= block.level and not is_question(blocks[n].text)
                ),
                len(blocks),
            )
            yield blocks[number + 1 : end]


def _finish(pairs: Sequence[Pair]) -> list[Pair]:
    """Take the icons off the questions and a title that is everyone's topic."""
    topics = {pair.topic for pair in pairs}
    return [
        pair._replace(
            question=_ICONS.sub("", pair.question) or pair.question,
            topic=pair.topic if len(topics) > 1 else "",
        )
        for pair in pairs
    ]


_ICONS = re.compile(
    r"^[\s+▼▲▶►▸▾△▽❯›»❓❔⊕⊖✚➕➖|]+|^[-–—−*•·]+\s+|(?<=[\s?？؟])[\s+▼▲▶►▸▾❯›»⌄⊕⊖✚➕➖✕×|]+$"
)


# --- What is read before anything is looked for ------------------------------------------------


def prepare(blocks: Iterable[Block], name: str) -> list[Block]:
    """Split, unmark and clear the blocks of what belongs to the page and of lists of contents."""
    split: list[Block] = []
    whole = list(islice(_merge_numbers(_merge_questions(blocks)), 2 * MOST_BLOCKS))
    led = [block.text[: block.lead] for block in whole if 0 < block.lead < len(block.text)]
    always = len(led) > 2 and 2 * sum(map(is_question, led)) > len(led)
    for block in whole:
        split += [unmark(part) for part in _split(block, always=always) if _worth(part)]
        if len(split) > MOST_BLOCKS:
            raise CorpusError(
                f"{name} holds more than {MOST_BLOCKS:,} paragraphs. Split it into parts."
            )
    return _drop_contents(split)


def _worth(block: Block) -> bool:
    if block.code:
        return bool(block.text.strip())
    if any(map(str.isalnum, block.text)):
        return not is_boilerplate(block.text)
    return not block.gap and not _RULE.match(block.text)  # a line of code may be a brace


_RULE = re.compile(r"[\s\-=_*~.·•]+$")


def _merge_questions(blocks: Iterable[Block]) -> Iterator[Block]:
    """Join what one element announces as its question: a number, an icon and the words."""
    last: Block | None = None
    for block in blocks:
        if last and last.role == block.role == "question" and last.scope == block.scope:
            last = replace(last, text=join_wrapped(last.text, block.text))
            continue
        if last:
            yield last
        last = block
    if last:
        yield last


def _merge_numbers(blocks: Iterable[Block]) -> Iterator[Block]:
    """Give a number that stands alone to what it numbers."""
    number = ""
    for block in blocks:
        if number and not block.marker:
            block = replace(block, marker=number, gap=True)
        number = ""
        if not block.role and NUMBER.fullmatch(f"{block.text} ") and len(block.text) < 8:
            number = block.text
        else:
            yield block


def _split(block: Block, *, always: bool) -> Iterator[Block]:
    """Part a bold question from the answer that follows it in the same paragraph.

    What is bold there need not ask where it `always` is a question, as most others are.
    """
    text, lead = block.text, block.lead
    if block.code or block.role == "question" or not text.strip():
        yield block
        return
    if 0 < lead < len(text):
        head = text[:lead].rstrip()
        breaks = text[lead:].lstrip(" ")[:1] == "\n" or text[:lead].endswith("\n")
        if head and (always or breaks or is_question(head)) and any(map(str.isalnum, text[lead:])):
            yield block.cut(0, lead)
            yield replace(block.cut(lead), gap=False, marker="", level=0)
            return
    first, newline, rest = text.partition("\n")
    if newline and not block.level and is_question(first) and rest.strip():
        yield block.cut(0, len(first))
        yield replace(block.cut(len(first) + 1), gap=False, marker="")
        return
    yield replace(block, text=re.sub(r"\s*\n\s*", " ", text).strip()) if block.level else block


def _drop_contents(blocks: Sequence[Block]) -> list[Block]:
    """Leave out runs of lines that all come again further down: lists of contents."""
    keys = [_key(block) for block in blocks]
    last = {
        key: number
        for number, (key, block) in enumerate(zip(keys, blocks, strict=True))
        if key
        and (block.level or block.bold or block.role == "question" or is_question(block.text))
    }
    again = [last.get(key, -1) > number for number, key in enumerate(keys)]
    kept = []
    for number, block in enumerate(blocks):
        near = again[max(0, number - 1) : number] + again[number + 1 : number + 2]
        alone = not block.level or again[number + 1 : number + 2] == [True]
        if (
            again[number]
            and any(near)
            and alone
            and len(keys[number]) > 3
            and block.role != "answer"
        ):
            continue
        kept.append(block)
    return kept


def _key(block: Block) -> str:
    if len(block.text) > 300 or block.code:
        return ""
    text = re.sub(r"[\s.…·_]{3,}\d{1,4}$", "", block.text)
    return "".join(sign for sign in strip_number(text).casefold() if sign.isalnum())
