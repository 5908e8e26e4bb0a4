"""What produced an answer and what was approved, in words: the same on page and terminal."""

from assistant.conversation import Beside, Proof, Why
from trainer.facts.flag import Flag

DATED = len("2026-11-20-141530-")  # what a run's id begins with


def proof_title(proof: Proof) -> str:
    """Who answered, with which weights, and whether that was checked."""
    who = f"◆ Tuned {proof.run[DATED:]}" if proof.run else "○ Base"
    weights = f"{proof.base}, no adapter"
    if proof.run:
        weights = f"adapter {proof.adapter[:12]}" if proof.adapter else f"{proof.base}, elsewhere"
    return f"{who} · {weights} · {'✓ proof held' if proof.proven else '✕ not proven'}"


def proof_log(proof: Proof, text: str) -> str:
    """How an answer was drawn and how fast it came."""
    drawn = "greedy" if proof.settings.greedy else f"seed {proof.settings.seed}"
    speed = proof.words_per_second(text)
    told = [drawn, f"first word {seconds(proof.first_word)}"]
    return " · ".join([*told, f"{speed:,.0f} words/s"] if speed else told)


def proof_text(proof: Proof, text: str) -> str:
    """All that is known of what produced an answer, line by line, to be copied."""
    settings = proof.settings
    drawn = "greedy, the seed plays no part" if settings.greedy else f"seed {settings.seed}"
    elsewhere = proof.held == "elsewhere"
    memory = "elsewhere" if elsewhere else f"{proof.quantization}, in memory as {proof.held}"
    lines = {
        "base": f"{proof.base} ({memory})",
        "run": proof.run or "none, the bare base",
        "adapter sha256": proof.adapter or ("not known" if proof.run else "none"),
        "weights checked": _checked(proof),
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
        "computed": "in one batch with others" if proof.together else "alone",
    }
    return "\n".join(f"{name}: {value}" for name, value in lines.items())


def _checked(proof: Proof) -> str:
    if proof.held == "elsewhere":
        return "no, another server answered"
    return "yes, before the first word" if proof.proven else "no"


def beside_title(beside: Beside) -> str:
    """How near the approved answer is, and where the two part."""
    title = f"Nearest approved answer · similarity {beside.similarity:.2f}"
    if beside.far:
        title += " · ⚑ nothing approved is near this question"
    elif beside.asked:
        title += " · ⚑ another answer is approved for this question"
    return "".join([title, *(f" · ⚑ {parting(flag)}" for flag in beside.flags[:3])])


def open_because(why: Why) -> str:
    """Why somebody has to answer a question."""
    return {
        "far": "far from every approved answer",
        "rated down": "a visitor did not like the answer",
        "flagged": "answered wrongly",
    }[why]


def parting(flag: Flag) -> str:
    """Where an answer parts from the approved one, in words."""
    said, approved = _short(flag.said), _short(flag.approved)
    if said and approved:
        return f"says {said}, approved: {approved}"
    return f"says {said}, approved does not" if said else f"leaves out {approved}"


def seconds(value: float) -> str:
    """A short time with its unit."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _short(text: str, most: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
