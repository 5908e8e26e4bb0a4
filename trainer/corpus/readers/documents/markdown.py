"""Markdown: made into the page it stands for, which is then read as one."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from trainer.corpus.readers.documents.blocks import MOST_TEXT
from trainer.corpus.readers.documents.elements import read_elements
from trainer.corpus.readers.documents.html import parse_page
from trainer.corpus.readers.documents.pairs import find_pairs, make_table
from trainer.corpus.readers.documents.words import is_question, starts_with_label
from trainer.corpus.readers.limits import MOST_CELL
from trainer.corpus.readers.text import decode
from trainer.corpus.table import Table
from trainer.errors import CorpusError

_MOST_LINES = 200_000
_MOST_SIGNS = 400  # in one paragraph: reading its inline marks can cost their square
_SIGN = re.compile(r"[*_\[\]`<~!&\\]")
_FOLDED = r"(?:details|accordion\w{0,20}|faq\w{0,20}|expand\w{0,20}|collapse|toggle\w{0,20})"
_OPENS = re.compile(
    rf"""(?mx)
    ^[ ]{{0,3}}\{{\{{[<%]\s*{_FOLDED}\s[^\n"]{{0,100}}
        "([^"\n]{{1,500}})"[^\n]{{0,200}}[>%]\}}\}}\s*$
    | ^[ ]{{0,3}}:{{3,6}}\s*{_FOLDED}[ ]+([^\n]{{1,500}})$"""
)
_CLOSES = re.compile(rf"(?m)^ {{0,3}}(?:\{{\{{[<%]\s*/\s*{_FOLDED}\s*[>%]\}}\}}|:{{3,6}})\s*$")
_ADMONITION = re.compile(r'^(?:\?{3}\+?|!{3}) [\w -]{1,40} "([^"\n]{1,500})"\s*$')
_UNTITLED = re.compile(r'^( *)(?:\?{3}\+?|!{3}) [\w -]{1,40}(?: "([^"\n]{0,500})")?\s*$')
_CALLOUT = re.compile(r"(?m)^([ >]{0,10}> ?)\[![\w-]{1,30}\][+-]? ?([^\n]{1,500})$")
_SHORTCODE = re.compile(r"\{\{[^{}\n]{0,500}\}\}|\{%[^{}\n]{0,500}%\}")
_ATTRIBUTES = re.compile(r"[ \t]*\{:?[ ]?[#.][^{}\n]{0,200}\}[ \t]*$", re.M)
_WIDE_SPACE = re.compile(r"[ \t]{50,}")
_FRONT = re.compile(r"\s*(-{3}|\+{3})[ \t]*\n")


def read_markdown(data: bytes, name: str) -> list[Table]:
    """Read the questions and answers of a Markdown document."""
    decoded = decode(data, name)
    text = decoded.text.replace("\r\n", "\n").replace("\r", "\n")
    refuse_long(text, name)
    pairs, notes = find_pairs(read_elements(parse_page(make_page(text), name), ""), name)
    return [make_table(pairs, "Markdown", "line", decoded.encoding, (*decoded.notes, *notes))]


def refuse_long(text: str, name: str) -> None:
    """Raise `CorpusError` for what is no document a person wrote."""
    if len(text) > MOST_TEXT:
        raise CorpusError(f"{name} holds more than {MOST_TEXT:,} characters. Split it into parts.")
    if (lines := text.count("\n")) > _MOST_LINES:
        raise CorpusError(f"{name} holds {lines:,} lines; {_MOST_LINES:,} are read. Split it.")
    number = next((n for n, line in enumerate(text.split("\n"), 1) if len(line) > MOST_CELL), None)
    if number is not None:
        raise CorpusError(
            f"{name}, line {number}: the line is longer than {MOST_CELL:,} characters. Put every "
            "paragraph on a line of its own."
        )


def _blank_front_matter(text: str) -> str:
    """Leave out the settings above a page, keeping the numbers of the lines below them."""
    opened = _FRONT.match(text)
    if not opened:
        return text
    closed = re.compile(rf"^{re.escape(opened[1])}[ \t]*$", re.M).search(text, opened.end())
    if not closed or text.count("\n", 0, closed.start()) > 500:
        return text
    return "\n" * text.count("\n", 0, closed.end()) + text[closed.end() :]


def _unfold(text: str) -> str:
    """Write the folded parts that site generators know as HTML does, each on as many lines."""
    text = _CALLOUT.sub(r"\1**\2**\\", text)
    text = _OPENS.sub(lambda found: _summary(found[1] or found[2]), text)
    text = _CLOSES.sub("</details>", text)
    lines: list[str] = []
    folded = False
    for line in _open_notes(text.split("\n")):
        if found := _ADMONITION.match(line):
            lines.append(("</details>" if folded else "") + _summary(found[1]))
            folded = True
        elif folded and line.strip() and not line.startswith(("    ", "\t")):
            _close_fold(lines)
            lines.append(line)
            folded = False
        else:
            lines.append(line.removeprefix("    ") if folded else line)
    return _ATTRIBUTES.sub("", _SHORTCODE.sub("", "\n".join(lines)))


def _open_notes(lines: Iterable[str]) -> Iterator[str]:
    """Take away the signs and the indent of notes inside an answer: "!!! note"."""
    inner: list[int] = []  # the columns at which notes begin, the outermost first
    for line in lines:
        column = len(line) - len(line.lstrip(" "))
        while inner and line.strip() and column < inner[-1] + 4:
            inner.pop()
        if (found := _UNTITLED.match(line)) and (found[1] or not found[2]):
            shown = column - 4 * len(inner)
            if len(inner) < 20:
                inner.append(column)
            yield f"{' ' * shown}**{found[2]}**" if found[2] else ""
        else:
            yield line[4 * len(inner) :] if line.strip() else line


def _close_fold(lines: list[str]) -> None:
    """End a folded part where an empty line still follows, as Markdown needs after HTML."""
    last = next((n for n in range(len(lines) - 1, -1, -1) if lines[n].strip()), 0)
    own = len(lines) - last - 1  # empty lines below
    plain = not lines[last].lstrip().startswith(("```", "~~~", "|", "<", "#"))
    lines[last if own == 1 and plain else min(last + 1, len(lines) - 1)] += "</details>"


def _summary(title: str) -> str:
    return f"<details><summary>{html.escape(title.strip())}</summary>"


def make_page(text: str) -> str:
    """Render Markdown as HTML whose elements say on which line they stand."""
    text = _unfold(_blank_front_matter(_WIDE_SPACE.sub(" " * 50, text)))
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens: list[Token] = []
    environment: dict[str, object] = {}
    parser.block.parse(text, parser, environment, tokens)
    _make_definitions(tokens)
    for token in tokens:
        if token.map and token.nesting >= 0 and token.type != "inline":
            token.attrSet("data-line", str(token.map[0] + 1))
        if token.type == "html_block" and token.map:
            token.content = f'<wbr data-line="{token.map[0] + 1}">{token.content}'
        elif token.type == "inline":
            token.children = []
            if len(_SIGN.findall(token.content)) <= _MOST_SIGNS:
                parser.inline.parse(
                    _keep_breaks(token.content), parser, environment, token.children
                )
            else:
                plain = re.sub(r"[*_`]{1,3}", "", token.content)
                token.children = [Token("text", "", 0, content=plain)]
    return parser.renderer.render(tokens, parser.options, environment)


def _keep_breaks(content: str) -> str:
    """Keep the line breaks that people mean: after a question and before Q: or A:."""
    lines = content.split("\n")
    first = lines[0].strip()
    for number, line in enumerate(lines[1:]):
        after_question = not number and (is_question(first) or first.endswith(("**", "__")))
        if after_question or starts_with_label(line):
            lines[number] = lines[number].rstrip(" \\") + "  "
    return "\n".join(lines)


def _make_definitions(tokens: Sequence[Token]) -> None:
    """Make definition lists of a term and lines that begin with a colon."""
    term: Token | None = None
    for number, token in enumerate(tokens):
        if token.type != "paragraph_open" or number + 2 >= len(tokens):
            continue
        inline = tokens[number + 1]
        if inline.content.startswith(": ") and term is not None:
            _rename(tokens, number, "dd")
            inline.content = inline.content[2:]
            continue
        name, colon, rest = inline.content.partition("\n: ")
        if colon and "\n" not in name:
            # one paragraph of both: the term in bold, a line above its definition
            inline.content = f"**{name.strip()}**  \n" + re.sub(r"(?m)^: ", "", rest)
            term = None
        else:
            following = tokens[number + 3 : number + 5]
            defined = len(following) == 2 and following[1].content.startswith(": ")
            term = token if defined else None
            if defined:
                _rename(tokens, number, "dt")


def _rename(tokens: Sequence[Token], number: int, tag: str) -> None:
    for token in (tokens[number], tokens[number + 2]):
        token.tag, token.hidden = tag, False
