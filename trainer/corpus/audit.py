"""What is wrong with a corpus, or worth knowing, as a list a person can act on, worst first."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from trainer.corpus.examples import Example, distinct, normalise
from trainer.corpus.findings import MOST_ITEMS, Audit, Choice, Item, Level, Problem
from trainer.corpus.language import lacks_substance, looks_cut_off, mixed_languages
from trainer.corpus.mapping import Task
from trainer.corpus.near import Neighbours
from trainer.corpus.personal import Kind, find_personal, hide
from trainer.corpus.slant import count_mentions, find_toxic

FEWEST_EXAMPLES = 20
FEWEST_OF_TOPIC = 5
FEWEST_OF_LABEL = 10
PUBLIC = 3  # answers in which an address stands that is most likely nobody's own
LONG_ANSWER = 2_000  # characters, some 500 tokens of English: most of a small model's attention


def audit_examples(
    examples: Sequence[Example], neighbours: Neighbours, *, task: Task = "answers"
) -> Audit:
    """Look for everything that harms a bot or its scores; shows personal data masked only."""
    languages = mixed_languages(examples)
    mentions = count_mentions(examples)
    found = [
        *_too_little(examples, neighbours, task),
        *(_contradictions(examples, neighbours) if task == "answers" else _two_labels(examples)),
        *_personal_data(examples),
        *_each(examples, "toxic wording", _toxic, _MEANINGS["toxic wording"]),
        *_each(examples, "unreadable characters", _damaged, _MEANINGS["unreadable characters"]),
        *_each(examples, "question without substance", _empty, _MEANINGS["without substance"]),
    ]
    if task == "answers":
        found += _each(examples, "answer cut off", _cut_off, _MEANINGS["answer cut off"])
    foreign = {e.id: e for e in languages.strays}
    found += _each(
        list(foreign.values()), "other language", lambda e: e.question, _MEANINGS["other language"]
    )
    found += [
        *_duplicates(examples, neighbours),
        *_each(examples, "long answer", _long, _MEANINGS["long answer"], level="note"),
        *_small_topics(examples, task),
    ]
    rank = {"stop": 0, "warning": 1, "note": 2}
    return Audit(
        problems=tuple(sorted(found, key=lambda problem: rank[problem.level])),
        languages=languages.counts,
        mentions=mentions,
    )


_MEANINGS = {
    "toxic wording": "An insult or slur stands there; the bot would learn to say it.",
    "unreadable characters": "Characters were lost before the file came here; the bot would learn "
    "the damage.",
    "without substance": "Nothing is asked there, so nothing can be learnt from the answer.",
    "answer cut off": "The answer seems to end in the middle; the bot would stop there, too.",
    "other language": "Question or answer is in another language than the rest; a small model "
    "learns to mix them.",
    "long answer": f"The answer has more than {LONG_ANSWER:,} characters; a small model learns "
    "such answers badly and may have to cut them.",
}


def _too_little(
    examples: Sequence[Example], neighbours: Neighbours, task: Task
) -> Iterable[Problem]:
    several = distinct(examples)
    answers = {neighbours.answers.get(e.id, e.id) for e in several}
    if len(several) < FEWEST_EXAMPLES:
        meaning = (
            f"Fewer than {FEWEST_EXAMPLES} distinct examples: too few to learn from or to measure. "
            "Add more questions, or more wordings of these."
        )
        yield Problem(kind="too few examples", level="stop", count=len(several), meaning=meaning)
    if task == "labels" and len(answers) < 2:
        meaning = "Every text has the same label; there is nothing to tell apart."
        yield Problem(kind="one label only", level="stop", count=len(several), meaning=meaning)
    elif task == "answers" and len(answers) == len(several) > 1:
        meaning = (
            "No answer has two wordings of its question, so it cannot be measured whether the bot "
            "understands other words. Add wordings: in a further column or file, or drafted by a "
            "model and checked by you."
        )
        yield Problem(kind="one wording each", level="warning", count=len(several), meaning=meaning)


def _contradictions(examples: Sequence[Example], neighbours: Neighbours) -> Iterable[Problem]:
    by_wording: dict[int, list[Example]] = defaultdict(list)
    for example in examples:
        by_wording[neighbours.questions[example.id]].append(example)
    items = []
    for group in by_wording.values():
        if len({neighbours.answers[e.id] for e in group}) > 1:
            first = {neighbours.answers[e.id]: e for e in reversed(group)}
            shown = " / ".join(_short(e.answer, 80) for e in list(reversed(first.values()))[:3])
            items.append(_item(group, f"{_short(group[0].question, 100)}: {shown}"))
    meaning = "The same question has different answers; the bot will learn to mix them."
    yield from _problem("contradiction", "warning", meaning, items, "keep", "merge", "drop")


def _personal_data(examples: Sequence[Example]) -> Iterable[Problem]:
    """Addresses, numbers and accounts, each with all its rows and never in full."""
    found: dict[tuple[Kind, str], dict[str, Example]] = defaultdict(dict)
    for example in examples:
        for text in (example.question, example.answer):
            for kind, start, end in find_personal(text):
                found[kind, text[start:end]][example.id] = example
    private: list[Item] = []
    public: list[Item] = []
    for (kind, text), by_id in found.items():
        group = list(by_id.values())
        answers = {normalise(e.answer) for e in group}
        in_question = any(text in e.question for e in group)
        item = _item(group, f"{kind} {hide(kind, text)}: {_short(group[0].question, 100)}")
        (public if len(answers) >= PUBLIC and not in_question else private).append(item)
    choices: tuple[Choice, ...] = ("keep", "mask", "drop")
    meaning = (
        "An address, number or account stands there; the bot would repeat it to anybody. A public "
        "contact point may stay, a person's own must not."
    )
    yield from _problem("personal data", "warning", meaning, private, *choices)
    meaning = (
        f"An address or number that stands in {PUBLIC} answers or more, so most likely a public "
        "contact point. A small model may get it wrong; look how the tuned bot says it."
    )
    yield from _problem("contact point", "note", meaning, public, *choices)


def _two_labels(examples: Sequence[Example]) -> Iterable[Problem]:
    labels: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        labels[normalise(example.question)].append(example)
    items = [
        _item(group, f"{_short(group[0].question, 100)}: {', '.join({e.answer for e in group})}")
        for group in labels.values()
        if len({normalise(e.answer) for e in group}) > 1
    ]
    meaning = "The same text has different labels; no model can get both right."
    yield from _problem("contradiction", "warning", meaning, items, "keep", "merge", "drop")


def _duplicates(examples: Sequence[Example], neighbours: Neighbours) -> Iterable[Problem]:
    same: dict[tuple[str, str], list[Example]] = defaultdict(list)
    near: dict[tuple[int, int], dict[str, Example]] = defaultdict(dict)
    for e in examples:
        question = normalise(e.question)
        same[question, normalise(e.answer)].append(e)
        near[neighbours.questions[e.id], neighbours.answers[e.id]].setdefault(question, e)
    items = [_item(group, group[0].question) for group in same.values() if len(group) > 1]
    count = sum(len(item.ids) - 1 for item in items)
    meaning = "The same question and answer stand there more than once; they count once."
    yield from _problem("duplicate", "note", meaning, items, "keep", "drop", count=count)
    items = [
        _item(list(group.values()), " / ".join(_short(e.question, 80) for e in group.values()))
        for group in near.values()
        if len(group) > 1
    ]
    meaning = (
        f"Questions that say the same in almost the same words ({neighbours.told}); they stay on "
        "one side of the split, so that nothing asked at the end was taught."
    )
    yield from _problem("near-duplicate", "note", meaning, items, "keep", "drop")


def _small_topics(examples: Sequence[Example], task: Task) -> Iterable[Problem]:
    of_label = task == "labels"
    topics = Counter(e.answer if of_label else e.topic for e in examples)
    topics.pop("", None)
    fewest = FEWEST_OF_LABEL if of_label else FEWEST_OF_TOPIC
    if len(topics) < 2:
        return
    items = [
        Item(shown=f"{topic}: {n}")
        for topic, n in sorted(topics.items(), key=lambda pair: pair[1])
        if n < fewest
    ]
    if of_label:
        meaning = f"Labels with fewer than {fewest} texts; they will hardly be learnt or measured."
        yield from _problem("small label", "warning", meaning, items)
        (most, often), (least, seldom) = topics.most_common(1)[0], topics.most_common()[-1]
        if often > 10 * seldom:
            meaning = (
                f"'{most}' stands there {often:,} times, '{least}' {seldom:,} times: a model that "
                "always says the first looks good. Look at macro F1, not at accuracy."
            )
            yield Problem(kind="unbalanced labels", level="warning", count=1, meaning=meaning)
    else:
        meaning = f"Topics with fewer than {fewest} examples; little can be said of them."
        yield from _problem("small topic", "note", meaning, items)


def _each(
    examples: Sequence[Example],
    kind: str,
    shown: Callable[[Example], str],
    meaning: str,
    *more: Choice,
    level: Level = "warning",
) -> Iterable[Problem]:
    """A problem of single examples: those for which `shown` has something to show."""
    items = [_item([e], _short(text, 160)) for e in examples if (text := shown(e))]
    yield from _problem(kind, level, meaning, items, "keep", "drop", *more)


def _problem(
    kind: str,
    level: Level,
    meaning: str,
    items: Sequence[Item],
    *choices: Choice,
    count: int | None = None,
) -> Iterable[Problem]:
    if items:
        yield Problem(
            kind=kind,
            level=level,
            meaning=meaning,
            count=len(items) if count is None else count,
            items=tuple(items[:MOST_ITEMS]),
            choices=choices,
        )


def _toxic(example: Example) -> str:
    words = find_toxic(f"{example.question}\n{example.answer}")
    return f"'{words[0]}' in: {example.question}" if words else ""


def _damaged(example: Example) -> str:
    for text in (example.question, example.answer):
        at = text.find("\ufffd")
        if at >= 0:
            return text[max(0, at - 40) : at + 40]
    return ""


def _empty(example: Example) -> str:
    return example.question if lacks_substance(example.question) else ""


def _cut_off(example: Example) -> str:
    return "… " + example.answer[-100:] if looks_cut_off(example.answer) else ""


def _long(example: Example) -> str:
    characters = len(example.answer)
    return f"{characters:,} characters: {example.question}" if characters > LONG_ANSWER else ""


def _item(group: Sequence[Example], shown: str) -> Item:
    return Item(ids=tuple(e.id for e in group), where=name_rows(group), shown=shown)


def name_rows(group: Sequence[Example], most: int = 20) -> str:
    """The rows of some examples as a person would look them up."""
    parts: dict[str, list[int]] = defaultdict(list)
    for example in group[:most]:
        parts[example.part].append(example.row)
    told = []
    for part, rows in parts.items():
        word = "row " if len(rows) == 1 else "rows "
        told.append((f"{part}: " if part else "") + word + ", ".join(map(str, sorted(rows))))
    more = f" and {len(group) - most} more" if len(group) > most else ""
    return "; ".join(told) + more


def _short(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
