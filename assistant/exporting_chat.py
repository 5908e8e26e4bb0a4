"""A conversation as a file to take away: to read, or to learn from."""

import json
import re
from collections.abc import Callable, Iterator

from assistant.conversation import Beside, Conversation, Proof, Reply


def as_markdown(conversation: Conversation) -> str:
    """Write what was asked and answered, and what produced each answer, for people.

    Questions and answers are quoted, so that no heading or rule in them passes for ours, and tags
    in them stay text: whoever wrote them was not asked.
    """
    between = " beside ".join(side.name for side in conversation.sides)
    parts = [
        f"# {_line(conversation.name)}",
        f"{_line(between)}, {conversation.created:%Y-%m-%d %H:%M} UTC",
    ]
    for number, exchange in enumerate(conversation.exchanges, start=1):
        parts += [f"## Question {number}", _quote(exchange.question)]
        for side, reply in zip(conversation.sides, exchange.replies, strict=False):
            parts += [f"### {_line(side.name)}", _quote(reply.text or "(nothing)"), _proof(reply)]
            if reply.beside:
                parts += list(_beside(reply.beside))
    return "\n\n".join(parts) + "\n"


def as_jsonl(conversation: Conversation) -> str:
    """Write a line an answer: the messages as the model saw them with its answer behind, and who.

    `messages` is the form that chat templates and tuning tools read.
    """
    lines = []
    for exchange in conversation.exchanges:
        asked = conversation.before(exchange).asks(exchange.question)
        for one, reply in zip(asked, exchange.replies, strict=False):
            said = {"role": "assistant", "content": reply.text}
            line = {"messages": [*one.messages, said], "proof": reply.proof.model_dump()}
            lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines)


WRITERS: dict[str, Callable[[Conversation], str]] = {".md": as_markdown, ".jsonl": as_jsonl}


def _proof(reply: Reply) -> str:
    told = [*_told(reply.proof), f"{reply.proof.words_per_second(reply.text):.1f} words a second"]
    return f"*{_line('; '.join(told))}*"


def _told(proof: Proof) -> Iterator[str]:
    settings = proof.settings
    yield f"base {proof.base} ({proof.held})"
    yield f"adapter {proof.adapter}" if proof.adapter else "no adapter"
    yield "checked before it answered" if proof.proven else "not checked"
    if settings.greedy:
        yield "always the likeliest word"
    else:
        yield f"temperature {settings.temperature:g}, top-p {settings.top_p:g}"
        yield f"seed {settings.seed}"
    if settings.repetition_penalty != 1:
        yield f"repetition penalty {settings.repetition_penalty:g}"
    yield f"at most {settings.most_new_tokens} tokens"
    if settings.system.strip():
        yield f"told before: {settings.system.strip()}"
    yield "with its own answers before" if settings.remember else "each question alone"
    yield f"ended {proof.ended}" if proof.ended != "stopped" else "stopped"
    yield f"first word after {proof.first_word:.2f} s"


def _beside(beside: Beside) -> Iterator[str]:
    yield f"Nearest approved answer (similarity {beside.similarity:.2f}):"
    yield _quote(beside.answer)
    parts = "; ".join(
        f"{flag.kind}: said '{flag.said}', approved '{flag.approved}'" for flag in beside.flags
    )
    if parts:
        yield f"They part in {_line(parts)}."


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in _plain(text).splitlines()) or ">"


def _line(text: str) -> str:
    """A text in one line, with what Markdown would read in it escaped."""
    return re.sub(r"([\\`*_\[\]#])", r"\\\1", _plain(" ".join(text.split())))


def _plain(text: str) -> str:
    """A text without tags; a lone "<" is one, as in "a < b"."""
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)
