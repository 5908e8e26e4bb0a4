"""Who may come in: links, cookies and receipts are signed, so that nobody can make one up."""

import hmac
import secrets
import time
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from assistant.access import is_password, login_of
from assistant.link_store import Links
from assistant.links import Link
from trainer.errors import NotFound, UserError

_STAYS = 12 * 3600  # seconds that a visitor who gave the password is let in
_RATED = 24 * 3600  # seconds that an answer can be rated


class Refused(UserError):
    """Something that a visitor may not do; `status` is HTTP's, `wait` in seconds."""

    def __init__(self, status: int, why: str, *, wait: float = 0) -> None:
        super().__init__(why)
        self.status, self.wait = status, wait


@dataclass(frozen=True)
class Receipt:
    """What was asked and answered, as the visitor holds it until it is rated."""

    question: str
    texts: tuple[str, ...]
    id: str = field(default_factory=lambda: secrets.token_urlsafe(8))


class Door:
    """Sign what is handed out, and read what comes back."""

    def __init__(self, links: Links) -> None:
        self._links, self._secret = links, links.secret()

    # links

    def token(self, link: Link) -> str:
        """The part of an address that opens a link until it runs out."""
        return self._sign("link", [link.id, int(link.expires.timestamp())])

    def open(self, token: str) -> Link:
        """The link of a token; raises `Refused` for one that is forged, run out or taken back."""
        match self._read("link", token):
            case [str(id_), int(until)]:
                return self._find(id_, until)
        raise Refused(404, "There is no such link. Look whether the whole address was copied.")

    def key(self, link: Link) -> str:
        """A key to the API for a link; it goes with the link."""
        return "td-" + self._sign("key", [link.id, int(link.expires.timestamp())])

    def key_holder(self, authorization: str) -> Link:
        """The link whose key a request carries; raises `Refused`."""
        kind, _, key = authorization.partition(" ")
        if kind.lower() == "bearer" and key.startswith("td-"):
            match self._read("key", key.removeprefix("td-").strip()):
                case [str(id_), int(until)]:
                    return self._find(id_, until)
        raise Refused(401, "No valid key. Send the one `tandem share --api` printed.")

    # visitors

    def visitor(self, cookie: str) -> str | None:
        """Who a cookie says this is; None for a new one, and for one that was made up."""
        known = self._read("visitor", cookie)
        return known if isinstance(known, str) else None

    def new_visitor(self) -> str:
        """A cookie for somebody who comes for the first time."""
        return self._sign("visitor", secrets.token_urlsafe(12))

    def let_in(self, link: Link, user: str, password: str) -> str:
        """A cookie for whoever knows the password of a link, or a login; raises `Refused`."""
        if link.people:
            right = login_of(link.people)(user, password)
        else:
            right = is_password(password, link.password)
        if not right:
            raise Refused(403, "That is not right. Try again, or ask whoever gave you the link.")
        return self._sign("in", [link.id, user, _known(link, user), int(time.time()) + _STAYS])

    def is_in(self, link: Link, cookie: str) -> bool:
        """Whether a visitor may talk to the bot of a link."""
        if link.needs == "nothing":
            return True
        match self._read("in", cookie):
            case [id_, str(user), str(known), int(until)] if id_ == link.id:
                return until > time.time() and hmac.compare_digest(known, _known(link, user))
        return False

    # ratings

    def receipt(self, link: Link, receipt: Receipt) -> str:
        """What a visitor needs to rate an answer."""
        until = int(time.time()) + _RATED
        return self._sign("receipt", [link.id, until, receipt.id, receipt.question, *receipt.texts])

    def read_receipt(self, link: Link, given: str) -> Receipt:
        """What a visitor rates; raises `Refused` for what this link never said, or long ago."""
        match self._read("receipt", given):
            case [link_id, int(until), str(id_), str(question), *texts] if (
                link_id == link.id and until > time.time()
            ):
                return Receipt(question, tuple(texts), id_)
        raise Refused(400, "This answer cannot be rated any more. Ask again.")

    def _find(self, id_: str, until: int) -> Link:
        if until <= time.time():
            raise Refused(410, "This link has run out. Ask whoever gave it to you for another one.")
        try:
            link = self._links.get(id_)
        except NotFound:
            raise Refused(410, "This link was taken back. Ask for another one.") from None
        if link.over:
            raise Refused(410, link.over)
        return link

    def _sign(self, what: str, content: object) -> str:
        signed = URLSafeSerializer(self._secret, salt=what).dumps(content)
        return signed if isinstance(signed, str) else signed.decode()

    def _read(self, what: str, given: str) -> Any:
        """What was signed for this purpose; None for anything else."""
        try:
            content = URLSafeSerializer(self._secret, salt=what).loads(given)
        except (BadSignature, ValueError):
            return None
        # Base64 has several spellings of the same bytes, and one is enough.
        return content if self._sign(what, content) == given else None


def _known(link: Link, user: str) -> str:
    """What a cookie knows of a password: once that is another one, it lets nobody in any more."""
    mine = next((line for line in link.people if line.startswith(f"{user}:")), link.password)
    return sha256(mine.encode()).hexdigest()[:16]
