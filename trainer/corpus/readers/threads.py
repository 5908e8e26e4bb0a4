"""Messages of channels and forums that say which message they reply to: Slack, Teams, Telegram."""

from collections import Counter
from collections.abc import Mapping, Sequence

from trainer.corpus.readers.chats import read_utterance
from trainer.corpus.readers.fields import Cells

_POINTERS = (  # the field that numbers a message, the field that holds the number of another
    ("ts", "thread_ts"),
    ("id", "reply_to_message_id"),
    ("id", "replyToId"),
    ("id", "reply_to_id"),
    ("id", "in_reply_to"),
    ("id", "parent_id"),
    ("message_id", "parent_id"),
    ("message_id", "reply_to"),
)


def read_threads(messages: Sequence[object], notes: Counter[str]) -> list[Cells] | None:
    """Pair the first message of every thread with the first reply; None where there are none."""
    for own, pointer in _POINTERS:
        if not any(isinstance(item, Mapping) and item.get(pointer) for item in messages[:1000]):
            continue
        known = {
            str(item[own]): item
            for item in messages
            if isinstance(item, Mapping) and item.get(own) and read_utterance(item).strip()
        }
        first = [number for number, item in known.items() if _parent(item, pointer, number) == ""]
        replies: dict[str, str] = {}
        for number, item in known.items():
            replies.setdefault(_parent(item, pointer, number), read_utterance(item))
        pairs: list[Cells] = [
            {"question": read_utterance(known[number]), "answer": replies[number]}
            for number in first
            if number in replies
        ]
        if len(pairs) > 1:
            left = len(known) - 2 * len(pairs)
            notes["Messages that are neither asked nor the first reply are left out: {n}."] += left
            return pairs
    return None


def _parent(item: Mapping[str, object], pointer: str, number: str) -> str:
    """The number of the message this one replies to; empty for one that opens a thread."""
    parent = str(item.get(pointer) or "")
    return "" if parent == number else parent
