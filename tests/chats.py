"""Conversations made up for tests: who answered, and what."""

from assistant.conversation import ChatSettings, Conversation, Exchange, Proof, Reply, Side

BASE = Side(base="bundled:pocket")
TUNED = Side(base="bundled:pocket", run="2026-01-01-tuned")
OTHER = Side(base="bundled:pocket", run="2026-01-02-other")


def reply(text: str, side: Side = BASE, settings: ChatSettings | None = None, **known) -> Reply:
    proof = Proof(
        **{
            "base": side.base,
            "quantization": side.quantization,
            "held": "4-bit",
            "run": side.run,
            "adapter": "ab" * 32 if side.run else None,
            "settings": settings or ChatSettings(),
            "proven": True,
            "together": True,
            "ended": "by itself",
            "tokens": 9,
            "waited": 0.0,
            "first_word": 0.5,
            "seconds": 1.5,
        }
        | known
    )
    return Reply(text=text, proof=proof)


def exchange(question: str, *answers: str, settings: ChatSettings | None = None) -> Exchange:
    answers = answers or ("I do not know.", "Within 14 days.")
    replies = [reply(a, s, settings) for a, s in zip(answers, (BASE, TUNED), strict=True)]
    return Exchange(question=question, replies=tuple(replies))


def conversation(*exchanges: Exchange, name: str = "Returns", **known) -> Conversation:
    return Conversation(**{"name": name, "sides": (BASE, TUNED), "exchanges": exchanges} | known)
