"""The shapes in which people keep questions and answers as records, each told by what it holds.

`convert` knows the records that are more than one row, or whose question and answer stand deeper:
chats, SQuAD, intents, FAQ pages, filled-in templates. Any other is one row, as `flatten` makes it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from trainer.corpus.readers.chats import (
    convert_chat,
    convert_instruction,
    convert_preference,
    convert_template,
    find_exchange,
)
from trainer.corpus.readers.fields import Cells, flatten, make_cell, make_text
from trainer.corpus.readers.limits import MOST_DEPTH


def convert(record: Mapping[str, object], notes: Counter[str]) -> list[Cells] | None:
    """Read the pairs out of a record of a known shape; None where it is of none."""
    fields = {key.casefold(): value for key, value in record.items() if isinstance(key, str)}
    for shape, used in _SHAPES:
        pairs = shape(fields, notes)
        if pairs is not None:
            if len(pairs) == 1:
                rest = {key: v for key, v in record.items() if not _spent(key, v, used)}
                return [pairs[0] | {k: v for k, v in flatten(rest).items() if k not in pairs[0]}]
            return pairs
    return None


def _spent(key: object, value: object, used: frozenset[str]) -> bool:
    """Whether a field went into the pair, or is no use beside it."""
    name = str(key).casefold()
    return (
        name in used
        or name.startswith("@")
        or name in ("question", "answer", "topic", "system")
        or not isinstance(value, str | int | float | list | tuple)
        or (isinstance(value, list | tuple) and any(not isinstance(v, str) for v in value))
        or (isinstance(value, str) and find_exchange(value) is not None)
    )


# schema.org pages of questions -------------------------------------------------------------------


def pairs_from_jsonld(value: object) -> list[tuple[str, str]]:
    """Read questions and their accepted answers out of schema.org data, wherever they stand."""
    pairs: list[tuple[str, str]] = []
    left = [(value, 0)]
    while left:
        node, depth = left.pop()
        if depth > MOST_DEPTH:
            continue
        if isinstance(node, Mapping):
            if _is_type(node, "Question") and (pair := _read_question(node)):
                pairs.append(pair)
            else:
                left += [(inner, depth + 1) for inner in reversed(list(node.values()))]
        elif isinstance(node, list | tuple):
            left += [(inner, depth + 1) for inner in reversed(node)]
    return pairs


def _is_type(node: Mapping[str, object], *names: str) -> bool:
    said = node.get("@type")
    types = said if isinstance(said, list) else [said]
    return any(isinstance(type_, str) and re.split("[/:#]", type_)[-1] in names for type_ in types)


def _read_question(node: Mapping[str, object]) -> tuple[str, str] | None:
    question = next((node[key] for key in ("name", "text", "headline") if node.get(key)), None)
    answer = node.get("acceptedAnswer") or node.get("suggestedAnswer")
    answers = answer if isinstance(answer, list) else [answer]
    texts = [
        make_text(found.get("text") or found.get("name") or "")
        if isinstance(found, Mapping)
        else make_text(found)
        for found in answers
    ]
    text = next((text for text in texts if text.strip()), "")
    if not isinstance(question, str) or not text:
        return None
    return make_text(question), text


def _convert_page(fields: Mapping[str, object], _: Counter[str]) -> list[Cells] | None:
    if "@type" not in fields and "@graph" not in fields:
        return None
    pairs = pairs_from_jsonld(fields)
    return [{"question": question, "answer": answer} for question, answer in pairs] or None


# reading comprehension ---------------------------------------------------------------------------


def _convert_squad(fields: Mapping[str, object], notes: Counter[str]) -> list[Cells] | None:
    paragraphs = fields.get("paragraphs", [fields] if "qas" in fields else None)
    if isinstance(paragraphs, list):
        asked = [
            question
            for paragraph in paragraphs
            if isinstance(paragraph, Mapping) and isinstance(paragraph.get("qas"), list)
            for question in paragraph["qas"]
            if isinstance(question, Mapping) and "question" in question
        ]
        if not asked:
            return None
    elif isinstance(fields.get("question"), str) and _has_spans(fields.get("answers")):
        asked = [fields]
    else:
        return None
    topic = make_text(fields.get("title"))
    pairs: list[Cells] = []
    for question in asked:
        answer = _first_text(question.get("answers") or question.get("answer"))
        if question.get("is_impossible") is True or not answer:
            notes["Questions that their text does not answer are left out: {n}."] += 1
        else:
            pairs.append({"question": make_text(question["question"]), "answer": answer})
            if topic:
                pairs[-1]["topic"] = topic
    notes["The paragraphs that questions are about are not used (questions: {n})."] += len(pairs)
    return pairs


def _has_spans(answers: object) -> bool:
    """Whether answers are given with their places in a text."""
    if isinstance(answers, list) and answers:
        answers = answers[0]
    return isinstance(answers, Mapping) and {"text", "answer_start"} <= answers.keys()


def _first_text(answers: object) -> str:
    while isinstance(answers, Mapping | list | tuple):
        if isinstance(answers, Mapping):
            answers = answers.get("text")
        else:
            answers = answers[0] if answers else None
    return make_text(answers)


# intents of chat bots ----------------------------------------------------------------------------


def _convert_intent(fields: Mapping[str, object], _: Counter[str]) -> list[Cells] | None:
    asked = next((fields[key] for key in _ASKED if isinstance(fields.get(key), list)), None)
    answers = next((fields[key] for key in _ANSWERED if fields.get(key)), None)
    if not isinstance(asked, list) or not isinstance(answers, list | str):
        return None
    if not all(isinstance(item, str) for item in (*asked, *answers)):
        return None
    topic = next((fields[key] for key in ("tag", "intent", "name") if fields.get(key)), "")
    question = make_cell([make_text(text) for text in asked])
    answer = (
        make_cell([make_text(text) for text in answers])
        if not isinstance(answers, str)
        else answers
    )
    return [{"question": question, "answer": answer, "topic": make_text(topic)}]


_ASKED = ("patterns", "utterances", "examples", "training_phrases", "trainingphrases", "phrases")
_ANSWERED = ("responses", "response", "answers", "answer", "replies", "reply")


def _convert_dialogflow(fields: Mapping[str, object], notes: Counter[str]) -> list[Cells] | None:
    """Join the sentences of users for an intent, kept in pieces, with what is spoken then."""
    if _is_sentence(fields):
        return [{"text": _join_pieces(fields)}]
    said = [
        item
        for item in _list(fields.get("usersays"))
        if isinstance(item, Mapping) and _is_sentence(item)
    ]
    messages = [
        message
        for response in _list(fields.get("responses"))
        for message in _list(response.get("messages") if isinstance(response, Mapping) else None)
        if isinstance(message, Mapping)
    ]
    if not any("speech" in message for message in messages):
        return None
    languages = [item["lang"] for item in said if "lang" in item]
    texts = [
        make_text(text)
        for message in messages
        if not languages or message.get("lang", languages[0]) in languages
        for text in _list(message.get("speech")) or [message.get("speech")]
        if isinstance(text, str)
    ]
    if not said or not make_cell(texts):
        notes["Intents without sentences of users or an answer are left out: {n}."] += 1
        return []
    asked = make_cell([_join_pieces(item) for item in said])
    return [{"question": asked, "answer": make_cell(texts), "topic": make_text(fields.get("name"))}]


def _is_sentence(item: Mapping[str, object]) -> bool:
    pieces = _list(item.get("data"))
    return bool(pieces) and all(
        isinstance(piece, Mapping) and {"text", "userDefined"} <= piece.keys() for piece in pieces
    )


def _join_pieces(item: Mapping[str, object]) -> str:
    pieces = _list(item.get("data"))
    return "".join(make_text(p.get("text")) for p in pieces if isinstance(p, Mapping)).strip()


def _convert_rasa(fields: Mapping[str, object], notes: Counter[str]) -> list[Cells] | None:
    """Join the examples of every intent with the answer it leads to, or label them with it."""
    nlu = fields.get("nlu")
    if not isinstance(nlu, list):
        return None
    intents = [item for item in nlu if isinstance(item, Mapping) and "intent" in item]
    if not intents:
        return None
    said = fields.get("responses") or fields.get("templates")
    responses = said if isinstance(said, Mapping) else {}
    actions = dict(_read_steps([*_list(fields.get("rules")), *_list(fields.get("stories"))]))
    rows: list[Cells] = []
    for item in intents:
        intent = make_text(item["intent"])
        examples = _read_examples(item.get("examples"))
        texts = [
            make_text(option.get("text") if isinstance(option, Mapping) else option)
            for option in _list(responses.get(actions.get(intent) or f"utter_{intent}"))
        ]
        if responses and make_cell(texts):
            answer = make_cell(texts)
            rows.append({"question": make_cell(examples), "answer": answer, "topic": intent})
        elif responses:
            notes["Intents without an answer in this file are left out: {n}."] += 1
        else:
            rows += [{"text": example, "intent": intent} for example in examples]
    return rows


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _read_steps(stories: Sequence[object]) -> Iterator[tuple[str, str]]:
    for story in reversed(stories):
        intent = ""
        for step in _list(story.get("steps")) if isinstance(story, Mapping) else []:
            if not isinstance(step, Mapping):
                continue
            if "intent" in step:
                intent = make_text(step["intent"])
            elif intent and make_text(step.get("action")).startswith("utter_"):
                yield intent, make_text(step["action"])
                intent = ""


def _read_examples(examples: object) -> list[str]:
    lines = examples.split("\n") if isinstance(examples, str) else _list(examples)
    texts = (make_text(line.get("text") if isinstance(line, Mapping) else line) for line in lines)
    marked = (_ENTITY.sub(r"\1", text.strip().removeprefix("- ").strip()) for text in texts)
    return [text for text in marked if text]


_ENTITY = re.compile(r"\[([^\[\]]{1,200})\](?:\([^()]{1,200}\)|\{[^{}]{1,200}\})")  # [Oslo](city)

_DIALOGFLOW = frozenset({"name", "usersays", "responses", "data", "id", "auto", "contexts"}) | {
    *("events", "priority", "count", "lang", "istemplate", "updated", "lastupdate"),
    *("webhookused", "webhookforslotfilling", "fallbackintent", "templates"),
}
_SHAPES: tuple[
    tuple[Callable[[Mapping[str, object], Counter[str]], list[Cells] | None], frozenset[str]], ...
] = (  # in the order they are tried, with the fields that are spent on the pair
    (_convert_page, frozenset()),
    (_convert_squad, frozenset({"title"})),
    (convert_preference, frozenset({"prompt", "chosen", "rejected"})),
    (convert_instruction, frozenset({"instruction", "input", "output", "prompt", "completion"})),
    (convert_chat, frozenset()),
    (_convert_rasa, frozenset()),
    (_convert_dialogflow, _DIALOGFLOW),
    (_convert_intent, frozenset({"patterns", "responses", "tag", "intent"})),
    (convert_template, frozenset()),
)
