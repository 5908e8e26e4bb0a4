"""Turn a conversation into what its columns show. Pure functions; no components.

Whatever was said is escaped before it becomes Markdown.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.conversation import Answer, Beside, Conversation, Exchange, Reply, Side
from assistant.told import beside_title, parting, proof_log, proof_text, proof_title
from assistant.ui.chat.plain import fenced, in_words, plainly

Line = dict[str, Any]  # a message of Gradio's Chatbot
CUT = {
    "stopped": "\n\n*(stopped here)*",
    "at the limit": "\n\n*(cut here: that is the most an answer may have, see Settings)*",
    "by itself": "",
}


@dataclass(frozen=True)
class Coming:
    """A question that is being answered."""

    question: str
    answers: Sequence[Answer]  # one a side
    swapped: bool = False


def column(conversation: Conversation, place: int, voted: Collection[str] = ()) -> list[Line]:
    """The messages of a column: 0 is the left one.

    Of a blind vote, who answered is only told of the exchanges that were `voted` on.
    """
    return [line for _, line in _lines(conversation, place, voted)]


def growing(coming: Coming, place: int) -> list[Line]:
    """The messages at the end of a column while its answer comes; none where nobody answers."""
    if place >= len(coming.answers):
        return []
    answer = coming.answers[_side(place, coming.swapped)]
    if answer.text:
        return [_asked(coming.question), _said(answer.text)]
    title = in_words(answer.doing or "reading the question")
    waiting = {"title": title[0].upper() + title[1:], "status": "pending"}
    return [
        _asked(coming.question),
        {"role": "assistant", "content": "", "metadata": waiting},
    ]


def exchange_at(
    conversation: Conversation, place: int, voted: Collection[str], index: int
) -> str | None:
    """Which exchange a message of a column belongs to."""
    owners = [exchange.id for exchange, _ in _lines(conversation, place, voted)]
    return owners[index] if 0 <= index < len(owners) else None


def open_to_see(conversation: Conversation, exchange: Exchange, voted: Collection[str]) -> bool:
    """Whether it may be told who answered."""
    return not conversation.blind or exchange.id in voted


def shown_reply(conversation: Conversation, exchange: Exchange, place: int) -> tuple[Side, Reply]:
    """Who answered in a column, and what."""
    side = _side(place, exchange.swapped)
    return conversation.sides[side], exchange.replies[side]


def _side(place: int, swapped: bool) -> int:
    return 1 - place if swapped else place


def _lines(
    conversation: Conversation, place: int, voted: Collection[str]
) -> list[tuple[Exchange, Line]]:
    lines = []
    for exchange in conversation.exchanges:
        _, reply = shown_reply(conversation, exchange, place)
        told = [_asked(exchange.question), _said(reply.text + CUT[reply.proof.ended])]
        if open_to_see(conversation, exchange, voted):
            told += _notes(reply)
        lines += [(exchange, line) for line in told]
    return lines


def _notes(reply: Reply) -> list[Line]:
    proof, beside = reply.proof, reply.beside
    notes = [_note(in_words(beside_title(beside)), _approved(beside))] if beside else []
    log = proof_log(proof, reply.text)
    whole = fenced(proof_text(proof, reply.text))
    return [*notes, _note(in_words(proof_title(proof)), whole, log=log)]


def _approved(beside: Beside) -> str:
    told = [f"Approved, for “{in_words(beside.question)}”:", _quoted(beside.answer)]
    if beside.asked:
        told += ["Looking the question up finds another one:", _quoted(beside.asked)]
    if len(beside.flags) > 3:
        told.append("\n".join(f"- ⚑ {in_words(parting(flag))}" for flag in beside.flags))
    return "\n\n".join(told)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in plainly(text).split("\n"))


def _asked(question: str) -> Line:
    return {"role": "user", "content": plainly(question)}


def _said(text: str) -> Line:
    return {"role": "assistant", "content": plainly(text) if text.strip() else "*(no words)*"}


def _note(title: str, content: str, **more: str) -> Line:
    metadata = {"title": title, "status": "done", **more}
    return {"role": "assistant", "content": content, "metadata": metadata}
