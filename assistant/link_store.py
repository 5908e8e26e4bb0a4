"""The links of a workspace: made, changed, taken back, and how much each was used."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from assistant import database as db
from assistant import rows
from assistant.links import Link, Use
from assistant.store import Store
from trainer.errors import NotFound

Counted = Literal["asked", "unsure", "up", "down", "refused"]
_NO_LINK = "There is no such link. `tandem links` lists those there are."


class Links:
    """The links in a store. Raises `StoreError` in words where its database cannot be used."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, link: Link) -> Link:
        """Keep a new link."""
        with self._store.writes() as connection:
            row = {"id": link.id, "kept": link.model_dump_json()}
            connection.execute(insert(db.links).values(row))
        return link

    def get(self, id_: str) -> Link:
        """A link by its id; raises `NotFound`."""
        with self._store.reads() as connection:
            found = connection.execute(select(db.links).where(db.links.c.id == id_)).all()
        for link in rows.read(Link, found):
            return link
        raise NotFound(_NO_LINK)

    def list(self) -> Sequence[Link]:
        """All links, the newest first."""
        with self._store.reads() as connection:
            found = connection.execute(select(db.links)).all()
        return sorted(rows.read(Link, found), key=lambda link: link.created, reverse=True)

    def open(self) -> Sequence[Link]:
        """The links that open something, the newest first."""
        return [link for link in self.list() if not link.over]

    def revoke(self, id_: str) -> Link:
        """Take a link back: from now on it opens nothing. Raises `NotFound`."""
        wanted = select(db.links).where(db.links.c.id == id_).with_for_update()
        with self._store.writes() as connection:
            for link in rows.read(Link, connection.execute(wanted).all()):
                if link.revoked:
                    return link
                gone = link.model_copy(update={"revoked": datetime.now(UTC)})
                return rows.rewrite(connection, db.links, id_, gone)
        raise NotFound(_NO_LINK)

    def count(self, id_: str, what: Counted, *, by: int = 1, most: int | None = None) -> bool:
        """Count one more of what was done with a link today; not, and False, beyond `most`."""
        with self._store.writes() as connection:
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            now = db.uses.c[what]
            counted = (
                dialect.insert(db.uses)
                .values({"link": id_, "day": today(), what: by})
                .on_conflict_do_update(
                    index_elements=["link", "day"],
                    set_={what: now + by},
                    where=None if most is None else now < most,
                )
                .returning(now)
            )
            return connection.execute(counted).first() is not None

    def use(self, id_: str, day: str = "") -> Use:
        """How much a link was used, on a day of UTC or on all days together."""
        sums = [func.coalesce(func.sum(db.uses.c[name]), 0).label(name) for name in _COUNTED]
        wanted = select(*sums).where(db.uses.c.link == id_)
        if day:
            wanted = wanted.where(db.uses.c.day == day)
        with self._store.reads() as connection:
            return Use(day=day, **connection.execute(wanted).one()._mapping)

    def secret(self) -> str:
        """What the links of this store are signed with: made once, and the same for all pages."""
        mine = select(db.secrets.c.kept).where(db.secrets.c.name == _SECRET)
        with self._store.reads() as connection:
            found = connection.scalar(mine)
        if found is None:
            with self._store.writes() as connection:
                connection.execute(select(db.schema).with_for_update())  # one at a time
                found = connection.scalar(mine)
                if found is None:
                    found = secrets.token_urlsafe(32)
                    row = {"name": _SECRET, "kept": found}
                    connection.execute(insert(db.secrets).values(row))
        return str(found)


_SECRET = "links"
_COUNTED: tuple[Counted, ...] = ("asked", "unsure", "up", "down", "refused")


def today() -> str:
    """The day of UTC, as uses are counted by."""
    return datetime.now(UTC).date().isoformat()
