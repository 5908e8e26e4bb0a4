"""The tables of the store, and how its database is opened."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    insert,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnection

from trainer.errors import StoreError, disk_full_told

VERSION = 2  # of the tables
PATIENCE = 30  # seconds to wait while others write

_tables = MetaData()

# `kept` is the whole of what is kept, as JSON; a column beside it is there to be searched by.
schema = Table("tandem_schema", _tables, Column("version", Integer, primary_key=True))
conversations = Table(
    "conversations",
    _tables,
    Column("id", Text, primary_key=True),
    Column("updated", Text, nullable=False, index=True),
    Column("words", Text, nullable=False),  # of its name, as a search compares them
    Column("kept", Text, nullable=False),
)
exchanges = Table(
    "exchanges",
    _tables,
    Column("place", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column(
        "conversation",
        ForeignKey(conversations.c.id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("words", Text, nullable=False),
    Column("kept", Text, nullable=False),
    sqlite_autoincrement=True,  # a place is never given again, so that the last stays last
)
votes = Table(
    "votes",
    _tables,
    Column("exchange", ForeignKey(exchanges.c.id, ondelete="CASCADE"), primary_key=True),
    Column("cast", Text, nullable=False),
    Column("kept", Text, nullable=False),
)
questions = Table(
    "open_questions",
    _tables,
    Column("id", Text, primary_key=True),
    Column("corpus", Text, nullable=False),
    Column("same", Text, nullable=False),  # a hash that questions which say the same have
    Column("kept", Text, nullable=False),
    UniqueConstraint("corpus", "same"),
)
links = Table(
    "links", _tables, Column("id", Text, primary_key=True), Column("kept", Text, nullable=False)
)
uses = Table(
    "uses",
    _tables,
    Column("link", ForeignKey(links.c.id, ondelete="CASCADE"), primary_key=True),
    Column("day", Text, primary_key=True),
    *(
        Column(what, Integer, nullable=False, server_default="0")
        for what in ("asked", "unsure", "up", "down", "refused")
    ),
)
secrets = Table(
    "secrets", _tables, Column("name", Text, primary_key=True), Column("kept", Text, nullable=False)
)


def open_database(url: str | URL) -> Engine:
    """Open the database, with its tables; raises `StoreError`."""
    try:
        where = make_url(url)
        engine = create_engine(
            where, pool_size=20, hide_parameters=True, connect_args=_patient(where.drivername)
        )
    except (ArgumentError, ImportError) as error:
        raise StoreError(
            f"'{str(url).partition(':')[0]}' cannot be used as a database here ({error}). "
            "Leave it out to keep everything in the workspace."
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    with told(engine):
        with engine.execution_options(reads=True).connect() as connection:
            there = engine.dialect.has_table(connection, schema.name)
            version = connection.scalar(select(schema.c.version)) if there else None
        if version is None or version < VERSION:
            with engine.begin() as connection:
                _tables.create_all(connection)  # those that are not there yet
                version = connection.scalar(select(schema.c.version).with_for_update())
                if version is None:
                    connection.execute(insert(schema).values(version=VERSION))
                elif version < VERSION:
                    connection.execute(update(schema).values(version=VERSION))
                version = max(version or 0, VERSION)
    if version > VERSION:
        raise StoreError(
            f"{name_database(engine)} was made by a newer Tandem (version {version} of its tables, "
            f"this one knows {VERSION}). Update Tandem, or choose another workspace."
        )
    return engine


@contextmanager
def told(engine: Engine) -> Iterator[None]:
    """Turn what goes wrong with the database into words; a mistake of ours keeps its traceback."""
    try:
        with disk_full_told():
            yield
    except (IntegrityError, ProgrammingError, DataError):
        raise
    except (DatabaseError, NoConnection) as error:
        why = str(error.orig if isinstance(error, DatabaseError) else error)
        why = " ".join(why.split()).rstrip(".")
        raise StoreError(f"{name_database(engine)} {_mend(why)}") from error


def name_database(engine: Engine) -> str:
    """The file, or the address without its password."""
    url = engine.url
    return url.database or "" if url.drivername.startswith("sqlite") else str(url)


def _mend(why: str) -> str:
    if "not a database" in why or "malformed" in why:
        return (
            f"is damaged ({why}). Put a backup in its place, or move it away to begin a new one; "
            "corpora and runs are not in it."
        )
    if "readonly" in why or "unable to open" in why:
        return f"cannot be written ({why}). Choose a workspace in a folder where you may write."
    if "locked" in why:
        return f"is held by another program for {PATIENCE} seconds ({why}). End that one, or wait."
    return f"cannot be used: {why}. Look whether it is there and may be read and written."


def _patient(driver: str) -> dict[str, int]:
    return {"timeout": PATIENCE} if driver.startswith("sqlite") else {}


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Let readers go on while one writes, and let a damaged text not take down a whole list."""
    connection.isolation_level = None  # transactions begin below
    connection.text_factory = lambda text: text.decode(errors="replace")
    connection.execute("PRAGMA foreign_keys = ON")
    with suppress(sqlite3.OperationalError):  # another that opens it in this instant is at it
        connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    """Take the right to write at once: one that reads first and writes then could not wait."""
    reads = connection.get_execution_options().get("reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
