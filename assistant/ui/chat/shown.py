"""Turn a conversation into what its columns show. Pure functions; no components.

Whatever was said is escaped before it becomes Markdown.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.conversation import Answer, Beside, Conversation, Exchange, Proof, Reply, Side
from assistant.ui.chat.plain import fenced, in_words, plainly
from trainer.facts.flag import Flag

Line = dict[str, Any]  # a message of Gradio's Chatbot
DATED = len("2026-11-20-141530-")  # what a run's id begins with
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


def proof_title(side: Side, reply: Reply) -> str:
    """One line: who answered, with which weights, and whether that was checked."""
    who = f"◆ Tuned {side.run[DATED:]}" if side.run else "○ Base"
    adapter = reply.proof.adapter
    weights = f"adapter {adapter[:12]}" if adapter else f"{side.base}, no adapter"
    held = "✓ proof held" if reply.proof.proven else "✕ not proven"
    return in_words(f"{who} · {weights} · {held}")


def proof_log(reply: Reply) -> str:
    """How fast it was and how it was drawn, beside the title."""
    proof = reply.proof
    drawn = "greedy" if proof.settings.greedy else f"seed {proof.settings.seed}"
    speed = f"{proof.words_per_second(reply.text):,.0f} words/s"
    return f"{drawn} · first word {seconds(proof.first_word)} · {speed}"


def proof_text(proof: Proof, text: str) -> str:
    """All that is known of what produced an answer, line by line, to be copied."""
    settings = proof.settings
    drawn = "greedy, the seed plays no part" if settings.greedy else f"seed {settings.seed}"
    lines = {
        "base": f"{proof.base} ({proof.quantization}, in memory as {proof.held})",
        "run": proof.run or "none, the bare base",
        "adapter sha256": proof.adapter or "none",
        "weights checked": "yes, before the first word" if proof.proven else "no",
        "drawn": drawn,
        "temperature": f"{settings.temperature:g}",
        "top-p": f"{settings.top_p:g}",
        "repetition penalty": f"{settings.repetition_penalty:g}",
        "most new tokens": f"{settings.most_new_tokens}",
        "system prompt": settings.system.strip() or "none",
        "remembers": "what was said before" if settings.remember else "nothing",
        "ended": proof.ended,
        "length": f"{len(text.split())} words, {proof.tokens} tokens",
        "waited": seconds(proof.waited),
        "first word after": seconds(proof.first_word),
        "last word after": seconds(proof.seconds),
        "speed": f"{proof.words_per_second(text):.1f} words/s",
        "computed": "in one batch with the other side" if proof.together else "alone",
    }
    return "\n".join(f"{name}: {value}" for name, value in lines.items())


def beside_title(beside: Beside) -> str:
    """How near the approved answer is, and where the two part."""
    title = f"Nearest approved answer · similarity {beside.similarity:.2f}"
    if beside.far:
        title += " · ⚑ nothing approved is near this question"
    elif beside.asked:
        title += " · ⚑ another answer is approved for this question"
    return "".join([title, *(f" · ⚑ {parting(flag)}" for flag in beside.flags[:3])])


def parting(flag: Flag) -> str:
    """Where an answer parts from the approved one, in words."""
    said, approved = in_words(flag.said, 60), in_words(flag.approved, 60)
    if said and approved:
        return f"says {said}, approved: {approved}"
    return f"says {said}, approved does not" if said else f"leaves out {approved}"


def seconds(value: float) -> str:
    """A short time with its unit."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _side(place: int, swapped: bool) -> int:
    return 1 - place if swapped else place


def _lines(
    conversation: Conversation, place: int, voted: Collection[str]
) -> list[tuple[Exchange, Line]]:
    lines = []
    for exchange in conversation.exchanges:
        side, reply = shown_reply(conversation, exchange, place)
        told = [_asked(exchange.question), _said(reply.text + CUT[reply.proof.ended])]
        if open_to_see(conversation, exchange, voted):
            told += _notes(side, reply)
        lines += [(exchange, line) for line in told]
    return lines


def _notes(side: Side, reply: Reply) -> list[Line]:
    notes = [_note(beside_title(reply.beside), _approved(reply.beside))] if reply.beside else []
    proof = fenced(proof_text(reply.proof, reply.text))
    return [*notes, _note(proof_title(side, reply), proof, log=proof_log(reply))]


def _approved(beside: Beside) -> str:
    told = [f"Approved, for “{in_words(beside.question)}”:", _quoted(beside.answer)]
    if beside.asked:
        told += ["Looking the question up finds another one:", _quoted(beside.asked)]
    if len(beside.flags) > 3:
        told.append("\n".join(f"- ⚑ {parting(flag)}" for flag in beside.flags))
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
