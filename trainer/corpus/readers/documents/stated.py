"""Questions and answers that the format itself sets apart: accordions, definitions, tables."""

# ruff: noqa: RUF001 - signs of other alphabets are the point

import re
from collections.abc import Sequence

from trainer.corpus.readers.documents.blocks import Block, join_answer
from trainer.corpus.readers.documents.looks import Reading
from trainer.corpus.readers.documents.words import is_question, strip_number
from trainer.corpus.table import Pair


def read_by_roles(blocks: Sequence[Block]) -> Reading:
    """Read definition lists, accordions and tables, whose elements say what is an answer."""
    reading = Reading(fit=1.0)
    topic = section = ""
    asked: Block | None = None
    answer: list[Block] = []
    sharing: list[Block] = []
    for block in [*blocks, Block("", role="question")]:
        if block.role == "answer":
            answer.append(block)
            continue
        text = join_answer(answer)
        if asked and text:
            for one in (*sharing, asked):
                reading.pairs.append(Pair(one.text, text, section or topic, one.place))
        elif asked and _share_answer(asked, block):
            sharing.append(asked)
        elif (
            asked and block.role == "question" and len(block.path) > len(asked.path) and block.text
        ):
            section = strip_number(asked.text)
        elif asked and asked.level and not is_question(asked.text, short=True):
            topic, section = strip_number(asked.text), ""
        elif asked:
            unanswered = [one for one in (*sharing, asked) if is_question(one.text)]
            reading.unanswered += [(one.place, one.text) for one in unanswered]
        if not (asked and not text and _share_answer(asked, block)):
            sharing = []
        asked, answer = (block if block.role == "question" and block.text else None), []
        if block.role == "topic" or (block.level and block.role != "question"):
            topic, section = strip_number(block.text), ""
    if 5 * reading.asked >= 4 * len(reading.pairs):  # the others may be boxes of links
        reading.pairs = [pair for pair in reading.pairs if not _is_pointer(pair)]
    return reading


def _share_answer(block: Block, following: Block) -> bool:
    """Whether two terms of a definition list stand over one definition."""
    return bool(following.text) and all(
        part.role == "question" and part.looks[:1] and part.looks[0].startswith("dt")
        for part in (block, following)
    )


def _is_pointer(pair: Pair) -> bool:
    """Tell a box of links set like the questions: "For more information:", "See all" and a URL."""
    if is_question(pair.question, short=True):
        return False
    only_links = all(_LINK.match(line) for line in pair.answer.split("\n") if line.strip())
    return pair.question.endswith((":", "：")) or only_links


_LINK = re.compile(r"\W*(?:https?://|www\.)\S+\s*$")
