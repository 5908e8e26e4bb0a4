"""HTML pages: what they say, without what surrounds it, as blocks."""

import json
import re
from collections import Counter

from selectolax.lexbor import LexborHTMLParser

from trainer.corpus.columns import names_a_pair
from trainer.corpus.readers.documents.blocks import MOST_TEXT, join_answer
from trainer.corpus.readers.documents.elements import read_elements
from trainer.corpus.readers.documents.pairs import find_pairs, make_table
from trainer.corpus.readers.records import read_json
from trainer.corpus.readers.shapes import pairs_from_jsonld
from trainer.corpus.readers.text import decode
from trainer.corpus.table import Pair, Table
from trainer.errors import CorpusError

_MOST_NESTED = 1_000  # elements; the time to parse them grows with its square
_MOST_ATTRIBUTES = 2_000
_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{4000,}")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,30})(?=[\s/>])")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_CLOSES_ITSELF = _set(
    """area base br col embed hr img input link meta param source track wbr p li dt dd option
    optgroup tr td th tbody thead tfoot colgroup rt rp body html head"""
)
_FORMATTING = _set("""a b big code em font i nobr s small strike strong tt u""")


def read_html(data: bytes, name: str) -> list[Table]:
    """Read the questions and answers of a web page."""
    decoded = decode(data, name)
    tree = parse_page(decoded.text, name)
    notes = list(decoded.notes)
    stated = _read_stated(tree, notes)
    found: list[Pair] = []
    try:
        found, found_notes = find_pairs(read_elements(tree, decoded.text), name, _title(tree))
    except CorpusError:
        if len(stated) < 2:
            if written := _read_data(tree, name):
                return [written]
            raise
    if len(stated) >= 2 and 2 * len(stated) >= len(found):
        found, found_notes = _locate(stated, found), []
    pairs = list(dict.fromkeys(pair._replace(row=0) for pair in found))
    if len(pairs) < len(found):
        count = len(found) - len(pairs)
        notes.append(f"{count} pair{'s' * (count > 1)} that the page repeats were left out.")
    rows = {pair._replace(row=0): pair.row for pair in reversed(found)}
    kept = [pair._replace(row=rows[pair]) for pair in pairs]
    return [make_table(kept, "HTML", "line", decoded.encoding, (*notes, *found_notes))]


def _title(tree: LexborHTMLParser) -> str:
    title = tree.css_first("head title")
    return title.text()[:200] if title is not None else ""


def parse_page(text: str, name: str) -> LexborHTMLParser:
    """Parse a page, or raise `CorpusError` where it is longer or nested deeper than pages are."""
    if len(text) > MOST_TEXT:
        raise CorpusError(f"{name} holds more than {MOST_TEXT:,} characters. Split it into parts.")
    depth = 0
    left_open: Counter[str] = Counter()
    for closing, tag in _TAG.findall(text):
        if (tag := tag.lower()) in _CLOSES_ITSELF:
            continue
        left_open[tag] += -1 if closing else 1
        depth = max(0, depth - 1) if closing else depth + 1
        if depth > _MOST_NESTED or (tag in _FORMATTING and left_open[tag] > _MOST_NESTED // 10):
            raise CorpusError(
                f"{name} nests more than {_MOST_NESTED:,} elements in each other, or leaves that "
                "many open. Save the page from a browser, or copy its text into a document."
            )
    if any(len(_QUOTED.sub("", tag).split()) > _MOST_ATTRIBUTES for tag in _LONG_TAG.findall(text)):
        raise CorpusError(
            f"{name} holds an element of more than {_MOST_ATTRIBUTES:,} attributes. Save the page "
            "from a browser, or copy its text into a document."
        )
    return LexborHTMLParser(text)


def _read_stated(tree: LexborHTMLParser, notes: list[str]) -> list[Pair]:
    """Read the questions that a page states for search engines (schema.org's FAQPage)."""
    pairs = []
    for script in tree.css('script[type="application/ld+json"]'):
        try:
            stated = pairs_from_jsonld(json.loads(script.text(), strict=False))
        except (ValueError, RecursionError):
            notes.append("The page states its content in JSON-LD that is damaged; it was not used.")
            continue
        pairs += [Pair(write_text(question), write_text(answer)) for question, answer in stated]
    return [pair for pair in pairs if pair.question and pair.answer]


def _read_data(tree: LexborHTMLParser, name: str) -> Table | None:
    """Read the data from which a script would make the page, where it names questions."""
    for script in tree.css('script[type="application/json"]'):
        try:
            (table,) = read_json(script.text().encode("utf-8", "replace"), name)
        except CorpusError:
            continue
        if names_a_pair(table.header or ()) and len(table.rows) > 1:
            return table
    return None


def write_text(html: str) -> str:
    """Write a piece of HTML as text."""
    if "<" not in html and "&" not in html:
        return html.strip()
    return join_answer(read_elements(parse_page(html, "The page's JSON-LD"), ""))


def _locate(stated: list[Pair], found: list[Pair]) -> list[Pair]:
    """Give the pairs of the JSON-LD the lines and topics of the same questions on the page."""
    known = {_key(pair.question): pair for pair in found}
    placed = []
    for number, pair in enumerate(stated, 1):
        seen = known.get(_key(pair.question))
        placed.append(
            pair._replace(topic=seen.topic, row=seen.row) if seen else pair._replace(row=number)
        )
    return placed


def _key(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
