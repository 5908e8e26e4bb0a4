"""Errors a person can act on.

Anything raised on purpose derives from `UserError`. Its message is written for whoever is
looking at the screen: what is wrong, where, and what to do next. Everything else is a bug
and keeps its traceback.

    UserError
    ├── CorpusError      the file cannot be used as questions and answers
    ├── ConfigError      a setting is out of range, misspelt or missing
    ├── ModelError       the base, the adapter or the embedding model cannot be loaded
    ├── NotFound         no corpus, run or answer of that name in this workspace
    ├── DeviceBusy       another run or evaluation holds the device
    ├── AccessError      an address that cannot be served, or a login that cannot be used
    ├── StoreError       the database of conversations and votes cannot be used
    └── DiskFull         there is no room left to write
"""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


class UserError(Exception):
    """Something the user can put right; the message says how."""


class CorpusError(UserError):
    """The file cannot be used as questions and answers."""


class ConfigError(UserError):
    """A setting is out of range, misspelt or missing."""


class ModelError(UserError):
    """The base, the adapter or the embedding model cannot be loaded."""


class NotFound(UserError):
    """No corpus, run or answer of that name in this workspace."""


class DeviceBusy(UserError):
    """Another run or evaluation holds the device."""


class AccessError(UserError):
    """An address that cannot be served, or a login that cannot be used."""


class StoreError(UserError):
    """The database of conversations and votes cannot be used."""


class DiskFull(UserError):
    """There is no room left to write."""


_FULL = ("No space left on device", "database or disk is full")  # as safetensors and SQLite say it


@contextmanager
def disk_full_told() -> Iterator[None]:
    """Turn the system's error about a full disk into one a person can act on."""
    try:
        yield
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if not full and not any(said in str(error) for said in _FULL):
            raise
        raise DiskFull(
            "The disk is full. Free some space and try again; what was saved before is not harmed."
        ) from error


@cache
def warn_once(text: str) -> None:
    """Tell whoever reads the server's log about something damaged, once and not at every look."""
    logging.getLogger("tandem").warning(text)
