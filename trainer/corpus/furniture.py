"""What stands around a question and its answer on a page, and is neither."""

import re
from collections.abc import Collection, Sequence
from functools import cache

from trainer.corpus.phrases import fold, read_phrases
from trainer.corpus.spacing import LIST_MARK
from trainer.corpus.table import Pair

FREQUENT = 10, 0.3, 0.5  # answers, share that end so, share that begin so, to be furniture
NUMBERED = 0.8  # of the questions begin with a number

_ENDS = re.compile(r"(?:[.!?…][»”)\"']*|\))\s+|[。\uff01\uff1f]\s*")
_VOTES = re.compile(
    r"\d+ (?:out of|of) \d+ (?:people |users )?found this (?:answer |article )?helpful"
)
_NUMBER = re.compile(
    r"\s*(?:#|\(|Q|F|P|Nr\. ?|No\. ?)?(\d{1,4}(?:\.\d{1,3}){0,3})(?:[.):\]]|\s[-\u2013])+\s+"
)


def take_off_furniture(pairs: Sequence[Pair]) -> list[Pair | None]:
    """Take marks, numbers and the furniture of pages off both ends of pairs."""
    questions, answers = [p.question for p in pairs], [p.answer for p in pairs]
    words = read_phrases("boilerplate")
    if _numbered(questions):
        questions = [_NUMBER.sub("", q, count=1) or q for q in questions]
    both = (_marks("question"), questions), (_marks("answer"), answers)
    (questions, answers) = (_without_marks(texts, *marks) for marks, texts in both)
    answers = [_trim(text, words["lines"], words["dated"]) or text for text in answers]
    first, last = _frequent(answers)
    answers = [_trim_frequent(text, first, last) for text in answers] if first or last else answers
    return [
        pair if pair[:2] == texts else pair._replace(question=texts[0], answer=texts[1])
        for pair, texts in zip(pairs, zip(questions, answers, strict=True), strict=True)
    ]


@cache
def _marks(kind: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns for the words and for the single letters before a question or an answer."""
    words = read_phrases("boilerplate")
    longest = sorted(words[f"{kind}_marks"], key=len, reverse=True)
    letters = "".join(words[f"{kind}_letters"])
    number = r"\s*+(?:#?\d{1,4})?\s*+"
    return (
        re.compile(rf"\s*+(?:{'|'.join(longest)}){number}[:\uff1a]\s*+", re.I),
        re.compile(rf"\s*+[{letters}]{number}[:\uff1a.)\]]\s++", re.I),
    )


def _without_marks(
    texts: Sequence[str], word: re.Pattern[str], letter: re.Pattern[str]
) -> list[str]:
    """Take off 'Answer:', and 'A:' where at least half of the texts begin so."""
    often = sum(bool(letter.match(text)) for text in texts) * 2 >= max(len(texts), 4)
    bare = [word.sub("", text, count=1) if word.match(text) else text for text in texts]
    if often:
        bare = [letter.sub("", text, count=1) if letter.match(text) else text for text in bare]
    return [new or old for new, old in zip(bare, texts, strict=True)]


def _numbered(questions: Sequence[str]) -> bool:
    numbers = [found[1] for q in questions if (found := _NUMBER.match(q))]
    enough = len(numbers) >= max(3, NUMBERED * len(questions))
    return enough and len(set(numbers)) * 2 > len(numbers)


def _trim(text: str, known: Collection[str], dated: Collection[str]) -> str:
    """Take known furniture off both ends, a line or a sentence at a time."""
    for _ in range(8):
        tail = text[-300:].rpartition("\n")[2]
        if not (cut := _known_at_end(tail, known, dated)):
            break
        text = text[: len(text) - cut].rstrip()
    for _ in range(4):
        head, line_break, rest = text.partition("\n")
        if not line_break or len(head) > 100 or fold(head) not in known:
            break
        text = rest.lstrip("\n")
    return text


def _known_at_end(line: str, known: Collection[str], dated: Collection[str]) -> int:
    """How many characters at the end of a line are furniture."""
    if len(line) <= 120:
        bare = fold(line)
        if bare in known or _VOTES.fullmatch(bare):
            return len(line)
        digits = sum(character.isdigit() for character in bare)
        if digits >= 4 and len(bare) < 70 and any(bare.startswith(start) for start in dated):
            return len(line)
    ends = [found.end() for found in _ENDS.finditer(line) if found.end() < len(line)]
    for end in ends[-1:-4:-1]:  # "Was this helpful? Yes No" is more than one sentence
        if line[:end].rstrip().endswith(")") and not line[end].isupper():
            continue  # a bracket may stand within a sentence
        sentence = fold(line[end:])
        if (" " in sentence or line.endswith(("?", "\uff1f"))) and sentence in known:
            return len(line) - end
    return 0


def _frequent(answers: Sequence[str]) -> tuple[set[str], set[str]]:
    """Short lines without a full stop that begin or end many otherwise different answers."""
    least, ending, beginning = FREQUENT
    firsts: dict[str, set[str]] = {}
    lasts: dict[str, set[str]] = {}
    for answer in answers:
        if "\n" in answer:
            head, _, rest = answer.partition("\n")
            if _is_furniture(head) and " " in head.strip():
                firsts.setdefault(head, set()).add(rest)
            rest, _, tail = answer.rpartition("\n")
            if _is_furniture(tail):
                lasts.setdefault(tail, set()).add(rest)
    most = len(answers)

    def often(found: dict[str, set[str]], share: float) -> set[str]:
        return {line for line, rests in found.items() if len(rests) >= max(least, share * most)}

    return often(firsts, beginning), often(lasts, ending)


def _is_furniture(line: str) -> bool:
    line = line.strip()
    return (
        0 < len(line) <= 60
        and len(line.split()) <= 7
        and line[-1] not in ".!。\uff01:\uff1a;,\uff0c、)`"
        and not LIST_MARK.match(line)
    )


def _trim_frequent(text: str, first: Collection[str], last: Collection[str]) -> str:
    head, _, rest = text.partition("\n")
    if rest.strip() and head in first:
        text = rest.lstrip("\n")
    rest, _, tail = text.rpartition("\n")
    return rest.rstrip() if rest.strip() and tail in last else text
