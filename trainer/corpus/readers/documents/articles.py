"""Files that hold one article each, as help desks and site generators keep them: title and text."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from trainer.corpus.column_names import asks
from trainer.corpus.readers.documents.blocks import join_answer
from trainer.corpus.readers.documents.elements import read_elements
from trainer.corpus.readers.documents.html import parse_page
from trainer.corpus.readers.documents.markdown import make_page
from trainer.corpus.readers.documents.pairs import make_table, prepare
from trainer.corpus.readers.text import decode
from trainer.corpus.table import Pair, Table
from trainer.errors import CorpusError

_KINDS = (".md", ".mdx", ".markdown", ".html", ".htm", ".xhtml")
_TITLE = re.compile(r"\A\s*(?:-{3}|\+{3})\n(?:.*\n){0,50}?title[ \t]*[:=][ \t]*(.{1,300})\n")
_LEAST_ASKING = 1 / 3  # of the titles, or the articles are no answers


def read_articles(files: Mapping[str, bytes]) -> Table | None:
    """Take the title of every article for its question, if enough of the titles ask."""
    pairs = [
        Pair(*article, topic=PurePosixPath(shown).parent.name, row=number)
        for number, (shown, data) in enumerate(files.items(), 1)
        if PurePosixPath(shown).suffix.lower() in _KINDS and (article := _read(data, shown))
    ]
    if len(pairs) < 2 or sum(asks(pair.question) for pair in pairs) < _LEAST_ASKING * len(pairs):
        return None
    if len({pair.topic for pair in pairs}) == 1:
        pairs = [pair._replace(topic="") for pair in pairs]
    note = "Each file holds one article; its title was taken for the question. Check that it asks."
    return make_table(pairs, "articles", "file", notes=[note])


def _read(data: bytes, shown: str) -> tuple[str, str] | None:
    """The title and the text of one article."""
    try:
        text = decode(data, shown).text.replace("\r\n", "\n")
        titled = _TITLE.match(text)
        markdown = titled or PurePosixPath(shown).suffix.lower().startswith(".m")
        page = parse_page(make_page(text) if markdown else text, shown)
        blocks = prepare(read_elements(page, ""), shown)
    except CorpusError:
        return None
    title = titled[1].strip().strip("\"'") if titled else ""
    if blocks and blocks[0].level and (not title or blocks[0].text == title):
        title = blocks.pop(0).text
    answer = join_answer(blocks)
    return (title, answer) if title and answer else None
