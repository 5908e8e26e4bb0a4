"""ZIP archives: whether one is safe to open, and the files in one read as one corpus."""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from pathlib import PurePosixPath

from trainer.corpus.readers.documents.articles import read_articles
from trainer.corpus.readers.limits import MOST_BYTES, MOST_ROWS
from trainer.corpus.readers.text import decode
from trainer.corpus.table import Table
from trainer.errors import CorpusError

MOST_MEMBERS = 1_000
MOST_OFFICE_BYTES = 4 * MOST_BYTES  # XML takes several times the room of the texts in it
_OFFICE = ("[Content_Types].xml", "content.xml")
_CHUNK = 1 << 20
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError)


def check_zip(data: bytes, name: str) -> zipfile.ZipFile:
    """Open a ZIP archive that unpacks to no harm, or raise `CorpusError`.

    XLSX, DOCX and ODS are ZIP archives too, and the libraries that read them unpack what they
    find. The sizes an archive states can be lies, so every member is unpacked once and counted.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except (*_DAMAGE, IndexError, KeyError, UnicodeError):
        raise CorpusError(
            f"{name} is damaged: it cannot be opened. Save or download it again and upload it anew."
        ) from None
    if len(members) > MOST_MEMBERS:
        raise CorpusError(
            f"{name} holds {len(members):,} files; at most {MOST_MEMBERS:,} are read. Split it."
        )
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", str(path)):
            raise CorpusError(
                f"{name} holds a file whose name leads out of the archive "
                f"({member.filename[:80]!a}). Pack it again from a folder of files."
            )
        if member.flag_bits & 0x1:
            raise CorpusError(
                f"{name} is protected with a password. Save it without one and upload it again."
            )
    office = any(member.filename in _OFFICE for member in members)
    most_bytes = MOST_OFFICE_BYTES if office else MOST_BYTES
    if sum(member.file_size for member in members) > most_bytes:
        raise _too_large(name, most_bytes)
    left = most_bytes
    for member in members:
        whole = copy(member)
        whole.file_size = 2 * most_bytes  # or zipfile stops where the stated size ends
        for chunk in _unpack(archive, whole, name):
            left -= len(chunk)
            if left < 0:
                raise _too_large(name, most_bytes)
    return archive


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    try:
        with archive.open(member) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except _DAMAGE:
        raise CorpusError(
            f"{name} is damaged: {member.filename[:80]!a} in it cannot be unpacked. "
            "Save or download it again and upload it anew."
        ) from None


def _too_large(name: str, most_bytes: int) -> CorpusError:
    return CorpusError(
        f"{name} unpacks to more than {most_bytes // 1_000_000} MB. Split it into parts."
    )


# --- An archive of FAQs -----------------------------------------------------------------------

_PACKED = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")
_BESIDE = re.compile(
    r"\.(png|jpe?g|gif|webp|bmp|ico|svg|tiff?|css|js|map|woff2?|ttf|eot|otf|mp[34]|mov|avi|wav|db"
    r"|ini|lnk|opf|ncx)$",
    re.IGNORECASE,
)


def read_archive(
    data: bytes, name: str, read_member: Callable[[bytes, str], list[Table]]
) -> list[Table]:
    """Read every FAQ in a ZIP archive, or raise `CorpusError` with the reasons if none is."""
    archive = check_zip(data, name)
    tables: list[Table] = []
    skipped: list[str] = []
    refused: list[str] = []
    files: dict[str, bytes] = {}
    for member in sorted(archive.infolist(), key=lambda member: member.filename):
        shown = _name_member(member)
        if member.is_dir():
            continue
        if _is_beside(shown):
            skipped.append(shown)
            continue
        if shown in files:
            refused.append(f"{shown} is in it twice, and the first of them is read.")
            continue
        try:
            files[shown] = b"".join(_unpack(archive, member, name))
        except CorpusError as error:
            refused.append(str(error))
    for shown, content in _join_intents(files).items():
        try:
            found = _read_one(content, shown, read_member)
        except CorpusError as error:
            refused.append(str(error))
            continue
        tables += [table.named(shown) for table in found]
    if not tables and (articles := read_articles(files)):
        return [articles]
    if not tables:
        why = " ".join(refused[:3]) or "It holds no files but pictures and the like."
        raise CorpusError(f"{name} holds no file of questions and answers. {why}")
    if sum(len(table.rows) for table in tables) > MOST_ROWS:
        raise CorpusError(f"{name} holds more than {MOST_ROWS:,} rows. Split it into parts.")
    notes = [f"Another file of {name} is left out: {why}" for why in refused[:_MOST_REASONS]]
    if len(refused) > _MOST_REASONS:
        more = len(refused) - _MOST_REASONS
        notes.append(f"Of {name}, {more:,} more files that hold no FAQ are left out.")
    if skipped:
        others = f" and {len(skipped) - 5} more" if len(skipped) > 5 else ""
        notes.append(f"Other files of {name} were not looked at: {', '.join(skipped[:5])}{others}.")
    return [replace(tables[0], notes=(*tables[0].notes, *notes)), *tables[1:]]


_MOST_REASONS = 10


def _join_intents(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Make one file of the intents of Dialogflow, which keeps what users say in files beside."""
    said = {shown: found for shown in files if (found := _SAID.fullmatch(shown))}
    if not said:
        return dict(files)
    folders = {PurePosixPath(shown).parent for shown in said}
    intents: dict[PurePosixPath, list[object]] = {folder: [] for folder in folders}
    joined: set[str] = set()
    for shown in files:
        folder = PurePosixPath(shown).parent
        if shown in said or folder not in folders or not shown.endswith(".json"):
            continue
        intent = _parse(files[shown])
        if not isinstance(intent, dict) or "responses" not in intent:
            continue
        joined.add(shown)
        sentences = [other for other, found in said.items() if f"{found[1]}.json" == shown]
        for other in sentences:
            items = _parse(files[other])
            if isinstance(items, list) and all(isinstance(item, dict) for item in items):
                joined.add(other)
                language = {"lang": said[other][2]}
                intents[folder].append(intent | {"userSays": [item | language for item in items]})
        if not sentences:
            intents[folder].append(intent)
    made = {
        str(folder / "*.json"): json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
        for folder, found in intents.items()
        if found
    }
    return made | {shown: content for shown, content in files.items() if shown not in joined}


_SAID = re.compile(r"(.+)_usersays_([A-Za-z-]{2,10})\.json")


def _parse(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):  # whoever reads the file by itself says what is wrong
        return None


def _name_member(member: zipfile.ZipInfo) -> str:
    """The name of a member; before Unicode, archives wrote it in the code page of their maker."""
    if member.flag_bits & 0x800 or member.filename.isascii():
        return member.filename
    try:
        return decode(member.filename.encode("cp437"), "the name of a file").text
    except (UnicodeEncodeError, CorpusError):
        return member.filename


def _is_beside(shown: str) -> bool:
    """What lies in an archive beside its texts: pictures, and what systems leave behind."""
    path = PurePosixPath(shown)
    hidden = any(
        part.startswith(".") or part in ("__MACOSX", "META-INF", "mimetype") for part in path.parts
    )
    return hidden or _BESIDE.search(path.name) is not None


def _read_one(
    data: bytes, shown: str, read_member: Callable[[bytes, str], list[Table]]
) -> list[Table]:
    if data.startswith(_PACKED) and not _is_office(data, shown):
        raise CorpusError(f"{shown} is an archive inside the archive. Unpack it first.")
    return read_member(data, shown)


def _is_office(data: bytes, shown: str) -> bool:
    if not data.startswith(b"PK"):
        return False
    return any(member in _OFFICE for member in check_zip(data, shown).namelist())
