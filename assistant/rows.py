"""How what the store keeps becomes rows, and rows become it again."""

import json
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, Table, insert, select, update

from assistant import database as db
from assistant.conversation import Conversation, Exchange, Kept
from trainer.errors import NotFound, warn_once

GONE = "This is not there any more; somebody may have deleted it. Begin a new conversation."
_K = TypeVar("_K", bound=Kept)


def moment(at: datetime) -> str:
    """A time as text that sorts as times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def fold(text: str) -> str:
    """A text as a search compares it: without case, and with one way to write each letter.

    SQLite's own comparison knows the case of A to Z only.
    """
    whole = unicodedata.normalize("NFKC", text).casefold().replace("\0", "")
    return whole.encode(errors="replace").decode()


def conversation_row(conversation: Conversation) -> dict[str, str]:
    """The columns of a conversation that change with it, less its time."""
    kept = conversation.model_dump_json(exclude={"exchanges", "updated"})
    return {"words": fold(conversation.name), "kept": kept}


def add_exchange(connection: Connection, conversation: str, exchange: Exchange) -> None:
    """Put an exchange behind those of its conversation."""
    texts = (exchange.question, *(reply.text for reply in exchange.replies))
    connection.execute(
        insert(db.exchanges).values(
            id=exchange.id,
            conversation=conversation,
            words=fold("\n".join(texts)),
            kept=exchange.model_dump_json(),
        )
    )


def touch(connection: Connection, conversation: str) -> None:
    """Say that a conversation changes now, which keeps others from changing it meanwhile.

    Raises `NotFound`.
    """
    done = connection.execute(
        update(db.conversations)
        .where(db.conversations.c.id == conversation)
        .values(updated=moment(datetime.now(UTC)))
    )
    if not done.rowcount:
        raise NotFound(GONE)


def rewrite(connection: Connection, table: Table, id_: str, kept: _K) -> _K:
    """Keep what a row says now."""
    mine = update(table).where(table.c.id == id_)
    connection.execute(mine.values(kept=kept.model_dump_json()))
    return kept


def read_conversations(connection: Connection, wanted: Select[Any]) -> dict[str, Conversation]:
    """Those that a select finds, by id, with their exchanges."""
    found = connection.execute(wanted).all()
    said = db.exchanges.c
    parts = connection.execute(
        select(db.exchanges)
        .where(said.conversation.in_([row.id for row in found]))
        .order_by(said.place)
    )
    exchanges: dict[str, list[Exchange]] = {}
    for part in parts:
        exchanges.setdefault(part.conversation, []).extend(read(Exchange, [part]))
    return {
        kept.id: kept.model_copy(update={"exchanges": tuple(exchanges.get(kept.id, ()))})
        for kept in read(Conversation, found, "updated")
    }


def read(model: type[_K], rows: Iterable[Row[Any]], *columns: str) -> Iterator[_K]:
    """What rows keep, with what stands in columns beside it; what is damaged is left out."""
    for row in rows:
        try:
            if columns:
                beside = {column: getattr(row, column) for column in columns}
                yield model.model_validate(json.loads(row.kept) | beside)
            else:
                yield model.model_validate_json(row.kept)
        except (ValueError, TypeError):  # as json and pydantic say it
            what = model.__name__
            warn_once(f"{what} '{row[0]}' in tandem.db cannot be read; it is left out.")
