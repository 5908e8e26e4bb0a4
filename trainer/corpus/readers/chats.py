"""Chats, kept as messages or as text in a template: the first question of each and its answer."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from trainer.corpus.readers.fields import Cells, make_text, says

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


def read_utterance(message: Mapping[str, object]) -> str:
    """What a message says, whichever field holds it."""
    said = next((message[key] for key in _WORDS if message.get(key)), "")
    parts = said if isinstance(said, list | tuple) else [said]
    texts = (
        part.get("text") or part.get("content") if isinstance(part, Mapping) else part
        for part in parts
    )
    return "\n".join(text for text in texts if isinstance(text, str))


def read_exchange(messages: Sequence[object], notes: Counter[str]) -> Cells | None:
    """Read the first question of a chat and its answer; what follows depends on them."""
    asked: list[str] = []
    answered: list[str] = []
    later = 0
    for message in messages:
        if not isinstance(message, Mapping):
            continue
        speaker, text = _speaker(message), make_text(read_utterance(message))
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


def convert_chat(fields: Mapping[str, object], notes: Counter[str]) -> list[Cells] | None:
    """Read the first exchange of a record that holds a chat."""
    chat = next((value for value in fields.values() if is_chat(value)), None)
    if chat is None:
        return None
    texts = [key for key, value in fields.items() if isinstance(value, str)]
    if all(any(says(key, role) > 60 for key in texts) for role in ("question", "answer")):
        return None  # the chat is the history of a record that has a pair
    exchange = read_exchange(chat, notes)  # type: ignore[arg-type]
    return [exchange] if exchange else []


def convert_preference(fields: Mapping[str, object], notes: Counter[str]) -> list[Cells] | None:
    """Read the chosen answer of a record that also holds a rejected one."""
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
    return convert_text(chosen, notes)


def convert_instruction(fields: Mapping[str, object], notes: Counter[str]) -> list[Cells] | None:
    """Read an instruction with its output, or a prompt with its completion."""
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


# filled-in templates -----------------------------------------------------------------------------

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


def find_exchange(text: str) -> tuple[str, str, int] | None:
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
    exchange = find_exchange(prompt)
    return make_text(exchange[0] if exchange and not exchange[1] else _strip(prompt))


def convert_template(fields: Mapping[str, object], notes: Counter[str]) -> list[Cells] | None:
    """Read the pair out of a record one of whose texts is a filled-in template."""
    texts = [text for text in fields.values() if isinstance(text, str) and len(text) > 8]
    if len(texts) > 3:
        return None
    for text in texts:
        if pairs := convert_text(text, notes):
            return pairs
    return None


def convert_text(text: str, notes: Counter[str]) -> list[Cells] | None:
    """Read the pair out of a text in which a template is filled in."""
    exchange = find_exchange(text)
    if exchange is None:
        return None
    question, answer, later = exchange
    notes[_LATER] += later
    return [{"question": make_text(question), "answer": make_text(answer)}]
