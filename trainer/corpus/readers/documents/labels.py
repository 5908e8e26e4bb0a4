"""Questions and answers marked as such: Q: and A:, Frage and Antwort, 问 and 答."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from trainer.corpus.readers.documents.blocks import Block, join_answer, join_wrapped
from trainer.corpus.readers.documents.looks import Reading
from trainer.corpus.readers.documents.words import Labels, guess_labels, is_question, strip_number
from trainer.corpus.table import Pair


def read_by_labels(blocks: Sequence[Block]) -> Reading:
    """Read marks such as Q: and A:, in the language whose marks explain most."""
    lines = [line for block in blocks for line in _lines(block)]
    texts = [_labelled(line)[:200] for line in lines]
    best = Reading()
    for labels in guess_labels(texts):
        reading = _follow_labels(lines, texts, labels)
        if len(reading.pairs) > len(best.pairs):
            best = reading
    return best


def _labelled(block: Block) -> str:
    return f"{block.marker} {block.text}" if block.marker[:1].isalpha() else block.text


def _lines(block: Block) -> Iterator[Block]:
    if block.code or "\n" not in block.text:
        yield block
        return
    start = 0
    for number, line in enumerate(block.text.split("\n")):
        part = block.cut(start, start + len(line))
        start += len(line) + 1
        if part.text:
            yield part if not number else replace(part, gap=False, marker="", place=block.place)


def _follow_labels(lines: Sequence[Block], texts: Sequence[str], labels: Labels) -> Reading:
    reading = Reading(fit=1.0)
    topic, place, level = "", 0, 0
    question: list[Block] | None = None
    answer: list[Block] = []
    answering = False
    unanswering = not any(labels.answer.match(text) for text in texts)

    def close() -> None:
        nonlocal question, answer
        if question and not answering and len(question) > 1 and is_question(question[0].text):
            question, answer = question[:1], question[1:]
        elif question and unanswering and len(question) > 1:
            end = next((n for n, b in enumerate(question, 1) if is_question(b.text)), 1)
            question, answer = question[:end], question[end:]
        asked = ""
        for block in question or []:
            asked = join_wrapped(asked, block.text)
        text = join_answer(answer)
        if asked and text:
            reading.pairs.append(Pair(asked, text, topic, place))
        elif asked:
            reading.unanswered.append((place, asked))
        question, answer = None, []

    for line, text in zip(lines, texts, strict=True):
        asks, answers = labels.question.match(text), labels.answer.match(text)
        if asks and not (answers and question is not None and not answering):
            close()
            place, level, answering = line.place, line.level, False
            rest = replace(line, text=_labelled(line)[asks.end() :].strip(), marker="", lead=0)
            question = [rest] if rest.text else []
            if inside := labels.answer_inside.search(rest.text):
                question = [rest.cut(0, inside.start())]
                answer, answering = [rest.cut(inside.end())], True
        elif answers and question is not None and not answering:
            answering = True
            rest = replace(line, text=_labelled(line)[answers.end() :].strip(), marker="", level=0)
            answer = [rest] if rest.text else []
        elif line.level and question is not None and not 0 < level < line.level:
            if not question:
                question = [line]
                continue
            close()
            topic = strip_number(line.text)
        elif question is None:
            topic = strip_number(line.text) if line.level else topic
        else:
            (answer if answering else question).append(line)
    close()
    return reading
