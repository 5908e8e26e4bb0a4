"""The shapes in which people keep questions and answers as records, each told by what it holds.

`flatten` makes one row of any record; `convert` knows the records that are more than one row, or
whose question and answer stand deeper: chats, SQuAD, intents, FAQ pages, filled-in templates.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from trainer.corpus.column_names import LETTERS, read_name
from trainer.corpus.readers.limits import MOST_CELL, MOST_DEPTH
from trainer.corpus.table import Cell

Cells = dict[str, Cell]
_MOST_NUMBERS = 20  # longer lists of numbers are vectors
_SHORT = 200  # characters of what is neither text nor a list of texts


def make_text(value: object) -> str:
    """Write a scalar as a person would."""
    if isinstance(value, str):
        text = value[: MOST_CELL + 1]
        return text if text.isascii() else _LONE.sub("\ufffd", text)
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, bytes):
        return value[:MOST_CELL].decode("utf-8", "replace")
    return str(value)


_LONE = re.compile("[\ud800-\udfff]")


def flatten(record: Mapping[str, object], skip: frozenset[str] = frozenset()) -> Cells:
    """Make one row of a record: nested fields get dotted names, lists of texts one cell."""
    cells: Cells = {}
    for key, value in record.items():
        if key not in skip:
            _flatten(make_text(key), value, cells, 0)
    return cells


def _flatten(name: str, value: object, cells: Cells, depth: int) -> None:
    if isinstance(value, Mapping) and value and depth < MOST_DEPTH:
        for key, inner in value.items():
            _flatten(f"{name[:500]}.{make_text(key)[:500]}", inner, cells, depth + 1)
    elif not isinstance(value, list | tuple):
        cells[name] = make_text(value)
    elif any(isinstance(item, list | tuple) for item in value):
        text = json.dumps(value, ensure_ascii=False, default=str)[:_SHORT] if depth < 20 else ""
        cells[name] = make_text(text)
    elif any(isinstance(item, Mapping) for item in value):
        columns: dict[str, list[str]] = {}
        for item in value:
            if isinstance(item, Mapping) and depth < MOST_DEPTH:
                inner_cells: Cells = {}
                for key, inner in item.items():
                    _flatten(make_text(key)[:500], inner, inner_cells, depth + 1)
                for key, cell in inner_cells.items():
                    columns.setdefault(key, []).extend([cell] if isinstance(cell, str) else cell)
        for key, texts in columns.items():
            cells[f"{name[:500]}.{key}"] = _make_cell(texts)
    elif not _is_vector(value):
        cells[name] = _make_cell([make_text(item) for item in value])


def _is_vector(values: Sequence[object]) -> bool:
    return len(values) > _MOST_NUMBERS and isinstance(values[0], float | int)


def _make_cell(texts: Sequence[str]) -> Cell:
    texts = [text for text in texts if text.strip()]
    return tuple(texts) if len(texts) > 1 else "".join(texts)


def says(name: str, role: str) -> int:
    """How strongly the name of a field, the last part of a dotted one too, names this role."""
    return _says(name[-200:], role)


@lru_cache(maxsize=20_000)
def _says(name: str, role: str) -> int:
    last = name.rpartition(".")[2].strip().casefold()
    place = {"question": 0, "answer": -1}.get(role)
    if place is not None and any(last == letters[place] for letters in LETTERS):
        return 80
    return read_name(name).says(role)


def convert(record: Mapping[str, object], notes: Counter[str]) -> list[Cells] | None:
    """Read the pairs out of a record of a known shape; None where it is of none."""
    fields = {key.casefold(): value for key, value in record.items() if isinstance(key, str)}
    for shape in (
        _convert_page,
        _convert_squad,
        _convert_preference,
        _convert_instruction,
        _convert_chat,
        _convert_rasa,
        _convert_intent,
        _convert_template,
    ):
        pairs = shape(fields, notes)
        if pairs is not None:
            used = _USED.get(shape.__name__, frozenset())
            if len(pairs) == 1:
                rest = {key: v for key, v in record.items() if not _spent(key, v, used)}
                return [pairs[0] | {k: v for k, v in flatten(rest).items() if k not in pairs[0]}]
            return pairs
    return None


_USED = {
    "_convert_preference": frozenset({"prompt", "chosen", "rejected"}),
    "_convert_squad": frozenset({"title"}),
    "_convert_intent": frozenset({"patterns", "responses", "tag", "intent"}),
    "_convert_instruction": frozenset({"instruction", "input", "output", "prompt", "completion"}),
}


def _spent(key: object, value: object, used: frozenset[str]) -> bool:
    """Whether a field went into the pair, or is no use beside it."""
    name = str(key).casefold()
    return (
        name in used
        or name.startswith("@")
        or name in ("question", "answer", "topic", "system")
        or not isinstance(value, str | int | float | list | tuple)
        or (isinstance(value, list | tuple) and any(not isinstance(v, str) for v in value))
        or (isinstance(value, str) and _find_exchange(value) is not None)
    )


# Schema.org pages of questions


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
                left += [(inner, depth + 1) for inner in reversed(node.values())]
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


# Reading comprehension


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


# Chats

_LATER = (
    "Of each chat the first question and answer are read; later ones depend on what came before "
    "and are left out: {n}."
)
_SAYS = {
    **dict.fromkeys(("user", "human", "customer", "client", "prompter", "question"), "user"),
    **dict.fromkeys(("visitor", "caller", "inquirer", "asker", "student", "patient"), "user"),
    **dict.fromkeys(("assistant", "gpt", "bot", "chatgpt", "model", "agent", "ai"), "assistant"),
    **dict.fromkeys(("chatbot", "answer", "bing", "bard", "claude", "support"), "assistant"),
    **dict.fromkeys(("doctor", "operator", "advisor", "expert"), "assistant"),
    **dict.fromkeys(("system", "developer", "tool", "function", "observation"), "system"),
    **dict.fromkeys(("function_call", "tool_call", "function_response", "ipython"), "system"),
}
_ROLES = ("role", "from", "speaker", "author", "sender", "user", "type")
_WORDS = ("content", "value", "text", "message", "body", "utterance", "parts")


def is_chat(value: object) -> bool:
    """Whether a value is a list of messages with roles in them."""
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(isinstance(item, Mapping) and _speaker(item) for item in value[:50])


def _speaker(message: Mapping[str, object]) -> str:
    for key in _ROLES:
        said = message.get(key)
        if isinstance(said, Mapping):  # ChatGPT's own export
            said = said.get("role")
        if isinstance(said, str) and said.strip().casefold() in _SAYS:
            return _SAYS[said.strip().casefold()]
    return ""


def _utterance(message: Mapping[str, object]) -> str:
    said = next((message[key] for key in _WORDS if message.get(key)), "")
    parts = said if isinstance(said, list | tuple) else [said]
    texts = (part.get("text") if isinstance(part, Mapping) else part for part in parts)
    return "\n".join(text for text in texts if isinstance(text, str))


def read_exchange(messages: Sequence[object], notes: Counter[str]) -> Cells | None:
    """Read the first question of a chat and its answer; what follows depends on them."""
    asked: list[str] = []
    answered: list[str] = []
    later = 0
    for message in messages:
        if not isinstance(message, Mapping):
            continue
        speaker, text = _speaker(message), make_text(_utterance(message))
        if speaker == "system":
            notes["System messages of chats are not used: {n}."] += bool(text.strip())
        elif speaker == "user" and text.strip():
            later += bool(answered)
            if not answered:
                asked.append(text)
        elif speaker == "assistant" and asked and not later and text.strip():
            answered.append(text)
    if not answered:
        notes["Chats without a question and its answer are left out: {n}."] += 1
        return None
    notes[_LATER] += later
    return {"question": "\n".join(asked), "answer": "\n".join(answered)}


def _convert_chat(fields: Mapping[str, object], notes: Counter[str]) -> list[Cells] | None:
    chat = next((value for value in fields.values() if is_chat(value)), None)
    if chat is None:
        return None
    texts = [key for key, value in fields.items() if isinstance(value, str)]
    if all(any(says(key, role) > 60 for key in texts) for role in ("question", "answer")):
        return None  # the chat is the history of a record that has a pair
    exchange = read_exchange(chat, notes)  # type: ignore[arg-type]
    return [exchange] if exchange else []


def _convert_preference(fields: Mapping[str, object], notes: Counter[str]) -> list[Cells] | None:
    if not {"chosen", "rejected"} <= fields.keys():
        return None
    prompt, chosen = fields.get("prompt", fields.get("question")), fields["chosen"]
    notes["Rejected answers are not used: {n}."] += 1
    if is_chat(chosen):
        messages = [*(prompt if is_chat(prompt) else ()), *chosen]  # type: ignore[misc]
        if isinstance(prompt, str) and not any(_speaker(m) == "user" for m in messages):
            messages = [{"role": "user", "content": prompt}, *messages]
        exchange = read_exchange(messages, notes)
        return [exchange] if exchange else []
    if not isinstance(chosen, str):
        return None
    if isinstance(prompt, str):
        return [{"question": _unwrap(prompt), "answer": make_text(chosen)}]
    return _pairs_of_template(chosen, notes)


# Chat bots


def _convert_intent(fields: Mapping[str, object], _: Counter[str]) -> list[Cells] | None:
    asked = next((fields[key] for key in _ASKED if isinstance(fields.get(key), list)), None)
    answers = next((fields[key] for key in _ANSWERED if fields.get(key)), None)
    if not isinstance(asked, list) or not isinstance(answers, list | str):
        return None
    if not all(isinstance(item, str) for item in (*asked, *answers)):
        return None
    topic = next((fields[key] for key in ("tag", "intent", "name") if fields.get(key)), "")
    question = _make_cell([make_text(text) for text in asked])
    answer = (
        _make_cell([make_text(text) for text in answers])
        if not isinstance(answers, str)
        else answers
    )
    return [{"question": question, "answer": answer, "topic": make_text(topic)}]


_ASKED = ("patterns", "utterances", "examples", "training_phrases", "trainingphrases", "phrases")
_ANSWERED = ("responses", "response", "answers", "answer", "replies", "reply")


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
        if responses and _make_cell(texts):
            answer = _make_cell(texts)
            rows.append({"question": _make_cell(examples), "answer": answer, "topic": intent})
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


# Instructions and filled-in templates


def _convert_instruction(fields: Mapping[str, object], notes: Counter[str]) -> list[Cells] | None:
    instruction, input_, output = (fields.get(key) for key in ("instruction", "input", "output"))
    if isinstance(instruction, str) and isinstance(output, str):
        asked = [text for text in (instruction, input_) if isinstance(text, str) and text.strip()]
        return [{"question": make_text("\n".join(asked)), "answer": make_text(output)}]
    prompt, completion = fields.get("prompt"), fields.get("completion")
    if is_chat(prompt) and is_chat(completion):
        exchange = read_exchange([*prompt, *completion], notes)  # type: ignore[misc]
        return [exchange] if exchange else []
    if isinstance(prompt, str) and isinstance(completion, str):
        return [{"question": _unwrap(prompt), "answer": _strip(make_text(completion))}]
    return None


_TEMPLATES = tuple(
    re.compile(f"(?P<user>{user})|(?P<bot>{bot})|(?P<other>{other})", flags)
    for user, bot, other, flags in (
        (
            r"###[ ]?(?:Human|User|Question|Instruction|Input|Prompt)\b:?",
            r"###[ ]?(?:Assistant|Response|Answer|Output|Bot|GPT)\b:?",
            r"###[ ]?System\b:?",
            re.I,
        ),
        (r"<\|im_start\|>user", r"<\|im_start\|>assistant", r"<\|im_start\|>\w+", 0),
        (
            r"<\|start_header_id\|>user<\|end_header_id\|>",
            r"<\|start_header_id\|>assistant<\|end_header_id\|>",
            r"<\|start_header_id\|>\w+<\|end_header_id\|>",
            0,
        ),
        (r"<start_of_turn>user", r"<start_of_turn>model", r"<start_of_turn>\w+", 0),
        (r"<\|(?:user|prompter)\|>", r"<\|(?:assistant|bot)\|>", r"<\|system\|>", 0),
        (r"\[INST\]", r"\[/INST\]", r"\[SYS\]", 0),
        (r"<(?:human|user)>:?", r"<(?:bot|assistant)>:?", r"<system>:?", re.I),
        (r"^(?:Human|User|Customer):", r"^(?:Assistant|Bot|AI|Agent):", r"^System:", re.M),
        (r"^(?:Question|Q):", r"^(?:Answer|A):", r"^Context:", re.M),
    )
)
_END = re.compile(
    r"(?:</s>|<\|im_end\|>|<\|endoftext\|>|<\|eot_id\|>|<end_of_turn>|<\|end\|>|###|->|\bEND)?\s*\Z"
)


def _find_exchange(text: str) -> tuple[str, str, int] | None:
    """Find the first question and answer between the marks of a template, and count the others."""
    if not any(mark in text for mark in (":", "|>", "[INST]", "<start_of_turn>", "###")):
        return None
    for template in _TEMPLATES:
        marks = list(template.finditer(text))
        kinds = [mark.lastgroup for mark in marks]
        if "user" not in kinds or "bot" not in kinds[kinds.index("user") :]:
            continue
        starts = [mark.end() for mark in marks]
        ends = [mark.start() for mark in marks[1:]] + [len(text)]
        said = [_strip(text[start:end]) for start, end in zip(starts, ends, strict=True)]
        bot = kinds.index("bot", kinds.index("user"))
        first = (said[at] for at in range(bot) if kinds[at] != "bot")
        asked = [
            part.rpartition("<</SYS>>")[2].strip()
            for part, kind in zip(first, kinds, strict=False)
            if kind == "user"
        ]
        later = kinds[bot + 1 :].count("bot")
        return "\n".join(part for part in asked if part), said[bot], later
    return None


def _strip(text: str) -> str:
    before = ""
    text = text.strip()
    while before != text:
        before, text = text, _END.sub("", text[-200:]).strip()
        text = before[:-200] + text if len(before) > 200 else text
    return text.removesuffix("<s>").strip()


def _unwrap(prompt: str) -> str:
    """Take a prompt out of the template it was filled into."""
    exchange = _find_exchange(prompt)
    return make_text(exchange[0] if exchange and not exchange[1] else _strip(prompt))


def _pairs_of_template(text: str, notes: Counter[str]) -> list[Cells] | None:
    exchange = _find_exchange(text)
    if exchange is None:
        return None
    question, answer, later = exchange
    notes[_LATER] += later
    return [{"question": make_text(question), "answer": make_text(answer)}]


def _convert_template(fields: Mapping[str, object], notes: Counter[str]) -> list[Cells] | None:
    texts = [text for text in fields.values() if isinstance(text, str) and len(text) > 8]
    if len(texts) > 3:
        return None
    for text in texts:
        if pairs := convert_text(text, notes):
            return pairs
    return None


def convert_text(text: str, notes: Counter[str]) -> list[Cells] | None:
    """Read the pair out of a text in which a template is filled in."""
    return _pairs_of_template(text, notes)
