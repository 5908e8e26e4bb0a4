"""Messages: e-mail, and the pages a browser saves as one file (MHTML)."""

import email
import email.policy
import re

from trainer.corpus.readers.documents.html import read_html
from trainer.corpus.readers.documents.plain import read_plain
from trainer.corpus.table import Table
from trainer.errors import CorpusError

_HEADERS = re.compile(rb"(?i)(?:[\w-]{2,40}:[^\n]*\n(?:[ \t][^\n]*\n)*)*?mime-version:[ \t]*1")


def is_mail(data: bytes) -> bool:
    """Whether a file begins with the headers of a message."""
    return bool(_HEADERS.match(data[:20_000].replace(b"\r\n", b"\n")))


def read_mail(data: bytes, name: str) -> list[Table]:
    """Read the page in a message, or its text where it has none."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    for kind, read in (("text/html", read_html), ("text/plain", read_plain)):
        for part in message.walk():
            if part.get_content_type() == kind and (text := _read_part(part)).strip():
                return read(text.encode("utf-8", "replace"), name)
    raise CorpusError(f"{name} is a message without text. Save its text as a file of its own.")


def _read_part(part: email.message.Message) -> str:
    content = part.get_payload(decode=True)
    data = content if isinstance(content, bytes) else b""
    try:
        return data.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return data.decode("utf-8", "replace")
