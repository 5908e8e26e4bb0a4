"""Which format a file is in, by what it holds before what it is called, and who reads it."""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePath

from trainer.corpus.readers.archive import check_zip, read_archive
from trainer.corpus.readers.delimited import looks_delimited, read_delimited
from trainer.corpus.readers.documents.docx import read_docx
from trainer.corpus.readers.documents.html import read_html
from trainer.corpus.readers.documents.mail import is_mail, read_mail
from trainer.corpus.readers.documents.markdown import read_markdown
from trainer.corpus.readers.documents.odt import read_odt
from trainer.corpus.readers.documents.pdf import read_pdf
from trainer.corpus.readers.documents.plain import read_plain
from trainer.corpus.readers.documents.rtf import read_rtf
from trainer.corpus.readers.limits import MOST_BYTES
from trainer.corpus.readers.parquet import read_parquet
from trainer.corpus.readers.rearranging import rearrange
from trainer.corpus.readers.records import read_json, read_jsonl, read_toml, read_xml, read_yaml
from trainer.corpus.readers.spreadsheet import read_spreadsheet
from trainer.corpus.readers.text import decode
from trainer.corpus.table import Table
from trainer.errors import CorpusError

READERS: dict[str, Callable[[bytes, str], list[Table]]] = {
    "csv": read_delimited,
    "spreadsheet": read_spreadsheet,
    "json": read_json,
    "jsonl": read_jsonl,
    "yaml": read_yaml,
    "toml": read_toml,
    "xml": read_xml,
    "parquet": read_parquet,
    "docx": read_docx,
    "odt": read_odt,
    "rtf": read_rtf,
    "mail": read_mail,
    "pdf": read_pdf,
    "markdown": read_markdown,
    "html": read_html,
    "plain": read_plain,
}
WHAT_IS_READ = (
    "Tandem reads CSV and TSV, XLSX, XLS and ODS, JSON and JSONL, YAML, TOML, XML, Parquet, DOCX, "
    "ODT, RTF, PDF, EPUB, HTML and MHTML, Markdown, plain text, and ZIP of any of them"
)
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "parquet"),
    (b"\xd0\xcf\x11\xe0", "spreadsheet"),
    (b"{\\rtf", "rtf"),
)
_NOT_TEXT = (
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"SQLite format 3", "a database"),
)
_BY_NAME = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".xml": "xml",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdx": "markdown",
}


def read_bytes(data: bytes, name: str) -> list[Table]:
    """Read a file of any known format; raises `CorpusError` with what is wrong and where."""
    if not data.strip(b"\x00 \t\r\n"):
        raise CorpusError(f"{name} is empty. Upload a file of questions and answers.")
    if data.startswith(b"\x1f\x8b"):
        return read_bytes(_unpack(data, name), PurePath(name).stem)
    format_ = find_format(data, name)
    if format_ == "zip":
        return read_archive(data, name, read_bytes)
    return [rearrange(table) for table in READERS[format_](data, name)]


def find_format(data: bytes, name: str) -> str:
    """Name the reader for a file, or raise `CorpusError` where nobody reads such a file."""
    for magic, format_ in _MAGIC:
        if data.startswith(magic):
            return format_
    if data.startswith(b"PK\x03\x04") or data.startswith(b"PK\x05\x06"):
        return _kind_of_zip(data, name)
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if is_mail(data):
        return "mail"
    if data[257:262] == b"ustar":
        raise CorpusError(f"{name} is a TAR archive. Pack its files as ZIP.")
    for magic, what in _NOT_TEXT:
        if data.startswith(magic):
            raise CorpusError(f"{name} is {what}, not a file of questions. {WHAT_IS_READ}.")
    return _kind_of_text(decode(data[:200_000] if _ascii(data) else data, name).text, name)


def _kind_of_zip(data: bytes, name: str) -> str:
    archive: zipfile.ZipFile = check_zip(data, name)
    names = archive.namelist()
    if any(n.startswith("word/") for n in names):
        return "docx"
    if any(n.startswith("xl/") for n in names):
        return "spreadsheet"
    if "mimetype" in names:
        kind = archive.read("mimetype")[:100].decode("ascii", "replace")
        if kind.endswith("opendocument.spreadsheet"):
            return "spreadsheet"
        if kind.endswith("opendocument.text"):
            return "odt"
        if kind.endswith("epub+zip"):
            return "zip"
        raise CorpusError(f"{name} is of the type {kind}, which is not read. Save it as DOCX.")
    if any(n.startswith("ppt/") for n in names):
        raise CorpusError(f"{name} is a presentation. Save its text as DOCX or PDF.")
    return "zip"


def _kind_of_text(text: str, name: str) -> str:
    named = _BY_NAME.get(PurePath(name).suffix.lower())
    start = text.lstrip("\ufeff \t\r\n")[:2000]
    if re.match(r"(?i)<!doctype html|<html", start):
        return "html"
    if start.startswith("<?xml"):
        return "html" if re.search(r"(?i)<html", start) else "xml"
    if named in (None, "csv", "xml") and re.match(r'\{\s*"|\[\s*[{\["]', start):
        return "json"
    if named:
        return named
    if re.search(r"(?i)</?(body|div|p|table|h[1-6]|dl|details)\b", start):
        return "html"
    if looks_delimited(text):
        return "csv"
    return "markdown" if re.search(r"(?m)^#{1,6} \S", text[:20_000]) else "plain"


def _unpack(data: bytes, name: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as packed:
            unpacked = packed.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise CorpusError(f"{name} is damaged: it cannot be unpacked. Pack it again.") from None
    if len(unpacked) > MOST_BYTES:
        raise CorpusError(f"{name} unpacks to more than {MOST_BYTES // 1_000_000} MB. Split it.")
    return unpacked


def _ascii(data: bytes) -> bool:
    return data.isascii() and b"\x00" not in data[:4]
