"""Rich text (RTF): made into the page it stands for, which is then read as one."""

import codecs
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from trainer.corpus.readers.documents.elements import read_elements
from trainer.corpus.readers.documents.html import parse_page
from trainer.corpus.readers.documents.pairs import find_pairs, make_table
from trainer.corpus.table import Table

_TOKEN = re.compile(
    r"\\([a-zA-Z]{1,32})(-?\d{1,10})?\ ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])"
    r"|([^\\{}\r\n]+)|[\r\n]+",
    re.S,
)
_LEFT_OUT = frozenset(
    """fonttbl colortbl stylesheet info pict header footer headerl headerr footerl footerr headerf
    footerf footnote object themedata listtable listoverridetable rsidtbl generator xmlnstbl
    datastore latentstyles fldinst annotation filetbl revtbl""".split()  # noqa: SIM905
)
_SIGNS = {"tab": " ", "line": "<br>", "emdash": "—", "endash": "-", "bullet": "•"} | {
    **{"lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”"},  # noqa: RUF001
}
_ESCAPED = {"~": "\xa0", "_": "-", "\\": "\\", "{": "{", "}": "}"}


@dataclass(frozen=True)
class _State:
    """What holds inside a pair of braces."""

    shown: bool = True
    bold: bool = False
    unicode_skip: int = 1


def read_rtf(data: bytes, name: str) -> list[Table]:
    """Read the questions and answers of a rich text document."""
    page = "".join(_write(data.decode("latin-1"))).replace("</table>\n<table>", "\n")
    pairs, notes = find_pairs(read_elements(parse_page(page, name), page), name)
    return [make_table(pairs, "RTF", "line", notes=notes)]


def _write(source: str) -> Iterator[str]:
    """Write rich text as HTML, a paragraph a line."""
    codec = _find_codec(source)
    state, outer = _State(), list[_State]()
    line, level, cells, skip, raw = "", 0, list[str](), 0, b""
    for word, number, hexed, sign, brace, text in (m.groups("") for m in _TOKEN.finditer(source)):
        if hexed:
            if skip:
                skip -= 1
            else:
                raw += bytes.fromhex(hexed)
            continue
        said = html.escape(raw.decode(codec, "replace"), quote=False)
        raw = b""
        if brace == "{":
            outer.append(state)
        elif brace and outer:
            following, state = state, outer.pop()
            line += _show(said, following)
            said = ""
        elif word == "u" and number:
            said += html.escape(chr(int(number) % 0x10000), quote=False)
            skip = state.unicode_skip
        elif word in _SIGNS:
            said += _SIGNS[word]
        elif sign in _ESCAPED:
            said += html.escape(_ESCAPED[sign], quote=False)
        elif text:
            said += html.escape(text[skip:], quote=False)
            skip = max(0, skip - len(text))
        line += _show(said, state)
        if sign == "*" or word in _LEFT_OUT:
            state = replace(state, shown=False)
        elif word == "b" or word == "plain":
            state = replace(state, bold=word == "b" and number != "0")
        elif word == "uc":
            state = replace(state, unicode_skip=min(9, int(number or 1)))
        elif word == "outlinelevel" and number.isdigit():
            level = min(6, int(number) + 1)
        elif word == "pard":
            level = 0
        elif word == "cell":
            cells.append(f"<td>{line}</td>")
            line = ""
        elif word == "row":
            yield f"<table><tr>{''.join(cells)}</tr></table>\n"
            cells.clear()
        elif (word == "par" and not cells) or word == "sect":
            tag = f"h{level}" if level else "p"
            yield f"<{tag}>{line}</{tag}>\n"
            line = ""
    yield f"<p>{line}</p>\n"


def _show(said: str, state: _State) -> str:
    if not said or not state.shown:
        return ""
    return f"<b>{said}</b>" if state.bold else said


def _find_codec(source: str) -> str:
    page = re.search(r"\\ansicpg(\d{1,5})", source[:2000])
    try:
        return codecs.lookup(f"cp{page[1]}" if page else "cp1252").name
    except LookupError:
        return "cp1252"
