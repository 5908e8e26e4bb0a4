"""The elements of a page, walked in reading order: menus and banners left out, accordions known."""

# ruff: noqa: RUF001 - signs of other alphabets are the point

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

from trainer.corpus.readers.documents.blocks import Block, join_answer, join_spaced
from trainer.corpus.readers.documents.grids import count_worded, find_columns, table_blocks
from trainer.corpus.readers.documents.page_roles import Roles, find_roles


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NEVER = _set(
    """script style noscript template svg math head iframe object embed audio video canvas map
    select option datalist textarea input progress meter dialog"""
)
_AROUND = _set("""nav footer aside form header""")
_AROUND_ROLES = _set(
    """navigation banner contentinfo complementary search dialog alertdialog menu menubar
    toolbar alert status"""
)
_AROUND_CLASS = re.compile(
    r"(?i)(?:^|[\s_-])(?:cookies?|consent|gdpr|breadcrumbs?|nav(?:bar|igation)?|(?:main|mega|top|side|mobile)?-?menu"
    r"|sidebar|(?:site|page|global|main)?-?footer|pied(?:depage)?|pagination|pager|share|sharing|social(?:s|-\w+)?"
    r"|related(?:-\w+)?|comments?|newsletter|subscribe|feedback|rating|votes?|helpful|toc|table-of-contents"
    r"|skip-(?:link|nav|to-content)|sr-only|visually-hidden|screen-reader-text|print-only|advert\w*|ads?|banner"
    r"|language-(?:switcher|selector)|search(?:-form|-box|bar)?|modal|popup|login)(?:$|[\s])"
)
_MARGINAL = re.compile(  # an encyclopedia's [edit] and [1], the sign that links to a heading
    r"(?:^|\s)(?:mw-editsection|headerlink)(?:$|\s)"
)
_BLOCKS = _set(
    """address article aside blockquote body button caption center dd details dialog dir div dl
    dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html label
    legend li main menu nav ol p pre section summary table tbody td tfoot th thead tr ul"""
)
_BOLD = frozenset(("b", "strong"))
_BOLD_STYLE = re.compile(r"(?i)font-weight\s{0,5}:\s{0,5}(?:bold|[6-9]00)")
_FLEETING = re.compile(
    r"(?i)^(?:active|open|opened|show|shown|first|last|odd|even|collapsed?|in|is-\S*|has-\S*|current|closed|hidden)$"
)
_COMPONENTS = re.compile(
    r"(?i)^(?:x-)?(?:accordion\w*|faq\w*|question|toggle|collaps\w*|expand\w*|details)$"
)
_MOST_PATH = 60


@dataclass(frozen=True)
class _Frame:
    """What holds inside an element."""

    tag: str = ""
    path: tuple[int, ...] = ()
    role: str = ""
    scope: int = 0
    level: int = 0
    bold: bool = False
    pre: bool = False
    lists: int = 0
    ordered: bool = False
    line: int = 0
    signature: str = ""
    looks: tuple[str, ...] = ()


def read_elements(tree: LexborHTMLParser, source: str) -> Iterator[Block]:
    """Read the body of a page; `source` is its text, where the lines are looked up."""
    if tree.body is not None:
        yield from _Walk(tree.body, source, find_roles(tree)).read()


def _blank_scripts(source: str) -> str:
    """Blank what a page does not show, line by line, so that its words are not found there."""
    kept, at = [], 0
    while found := _UNSEEN.search(source, at):
        end = source.find("-->" if found[0] == "<!--" else "</", found.end())
        while (
            end >= 0
            and found[1]
            and not source[end + 2 : end + 10].lower().startswith(found[1].lower())
        ):
            end = source.find("</", end + 2)
        end = len(source) if end < 0 else end
        kept += [source[at : found.end()], "\n" * source.count("\n", found.end(), end)]
        at = end
    return "".join(kept) + source[at:]


_UNSEEN = re.compile(r"(?i)<(script|style|title)\b|<!--")


def _count_marks(text: str) -> int:
    return sum(map(text.count, "?？؟"))


def _is_block(tag: str) -> bool:
    return tag in _BLOCKS or "-" in tag or bool(_COMPONENTS.match(tag))


class _Walk:
    """One pass over the elements, without recursion: a page may be nested as deep as it likes."""

    def __init__(self, root: LexborNode, source: str, roles: Roles, numbers: int = 0) -> None:
        self.root, self.source, self.roles = root, _blank_scripts(source), roles
        self.numbers = numbers
        self.questions = _count_marks(root.text())
        self.budget = 10 * len(source) + 100_000
        self.found, self.line = 0, 1
        self.text = ""
        self.lead: int | None = None
        self.start = 0
        self.marker = ""
        self.gap = True
        self.counts: list[int] = []

    def read(self) -> Iterator[Block]:
        frames = [_Frame()]
        node: LexborNode | None = self.root
        while node is not None:
            frame = frames[-1]
            entered = False
            if node.is_text_node:
                yield from self.add(node.text_content or "", frame)
            elif node.is_element_node and not self.leaves_out(node):
                yield from self.enter(node, frames)
                if node.tag == "table" and (table := self.read_table(node, frames[-1])) is not None:
                    yield from table
                elif node.child is not None:
                    node, entered = node.child, True
                if not entered:
                    yield from self.leave(frames)
            if entered:
                continue
            while node is not None and node.mem_id != self.root.mem_id and node.next is None:
                node = node.parent
                if node is not None and node.mem_id != self.root.mem_id:
                    yield from self.leave(frames)
            node = None if node is None or node.mem_id == self.root.mem_id else node.next
        while frames:
            yield from self.leave(frames)

    def enter(self, node: LexborNode, frames: list[_Frame]) -> Iterator[Block]:
        frame, tag, given = frames[-1], node.tag or "", node.attributes
        if tag == "br":
            if self.text.rstrip(" ").endswith("\n"):
                yield from self.flush(frame)
            elif self.text:
                self.text = self.text.rstrip(" ") + "\n"
        self.numbers += 1
        changes: dict[str, object] = {"tag": tag}
        if _is_block(tag):
            yield from self.flush(frame)
            classes = [
                re.sub(r"\d+", "#", token)
                for token in (given.get("class") or "").split()[:12]
                if not _FLEETING.match(token)
            ]
            own = ".".join([tag, *sorted(classes)[:4]])
            looks = (own, f"{frame.signature}>{own}")
            changes |= {
                "signature": own if classes else f"{frame.signature}>{tag}"[-200:],
                "looks": looks,
            }
            if len(frame.path) < _MOST_PATH:
                changes["path"] = (*frame.path, self.numbers)
        if tag[:1] == "h" and tag[1:].isdigit():
            changes["level"] = int(tag[1:])
        elif given.get("role") == "heading":
            level = given.get("aria-level") or "2"
            changes["level"] = int(level) if level in set("123456789") else 2
        if tag in _BOLD or _BOLD_STYLE.search(given.get("style") or ""):
            changes["bold"] = True
        if tag == "wbr" and (placed := given.get("data-line")) and placed.isdigit():
            self.start = int(placed[:8]) - 1  # what Markdown holds as HTML
        if tag == "pre":
            changes["pre"] = True
        if tag in ("ul", "ol"):
            changes |= {"lists": frame.lists + 1, "ordered": tag == "ol"}
            first = given.get("start") or "1"
            self.counts.append(
                int(first) - 1 if first.isascii() and first.isdigit() and len(first) < 5 else 0
            )
        if tag == "li":
            if self.counts:
                self.counts[-1] += 1
            self.marker = f"{self.counts[-1]}." if frame.ordered and self.counts else "-"
        if line := given.get("data-line"):
            changes["line"] = (
                int(line) if line.isascii() and line.isdigit() and len(line) < 9 else 0
            )
        changes |= self.role_of(node, tag, frame)
        title = (given.get("title") or given.get("question")) if _COMPONENTS.match(tag) else None
        frames.append(replace(frame, **changes))  # type: ignore[arg-type]
        if title:
            yield Block(
                title,
                frame.line or self.line,
                role="question",
                scope=self.numbers,
                path=frames[-1].path,
            )

    def role_of(self, node: LexborNode, tag: str, frame: _Frame) -> dict[str, object]:
        """Say whether an element is a question or an answer by its own word."""
        if tag in ("summary", "dt") or node.mem_id in self.roles.asks:
            return {"role": "question", "scope": self.numbers}
        known = tag in ("details", "dd") or (
            _COMPONENTS.match(tag) and node.attributes.get("title")
        )
        if known or node.mem_id in self.roles.replies:
            return {"role": "answer", "scope": self.numbers}
        return {}

    def leave(self, frames: list[_Frame]) -> Iterator[Block]:
        frame = frames.pop()
        if _is_block(frame.tag):
            yield from self.flush(frame)
        elif frame.tag == "td" or frame.tag == "th":
            self.text += " "
        if frame.tag in ("ul", "ol") and self.counts:
            self.counts.pop()
        if frame.tag == "li":
            self.marker = ""

    def add(self, text: str, frame: _Frame) -> Iterator[Block]:
        if not frame.pre:
            text = join_spaced(self.text[-1:], text)
        if not text or (not self.text and not text.strip()):
            return
        if not self.text:
            self.line = frame.line or self.look_up(text)
        if not frame.bold and self.lead is None and text.strip():
            self.lead = len(self.text)
        self.text += text
        if len(self.text) > 1_000_000:
            yield from self.flush(frame)

    def look_up(self, text: str) -> int:
        """Find the line of a text in the source; text comes in the source's order."""
        snippet = re.split(r"[&<>\xa0\n]", text.strip(), maxsplit=1)[0].strip()[:60]
        at = self.found
        for _ in range(20 if snippet else 0):
            at = self.source.find(snippet, at, self.found + 200_000)
            if at < 0:
                break
            before = self.source[max(0, at - 5_000) : at]
            if before.rfind(">") >= before.rfind("<"):  # not inside a tag
                self.start += self.source.count("\n", self.found, at)
                self.found = at
                break
            at += 1
        return self.start + 1

    def flush(self, frame: _Frame) -> Iterator[Block]:
        raw, lead = self.text, self.lead
        self.text, self.lead = "", None
        text = raw.strip("\n") if frame.pre else raw.strip()
        if not text.strip():
            return
        skipped = len(raw) - len(raw.lstrip())
        marker, self.marker = ("" if frame.level else self.marker), ""
        yield Block(
            text,
            self.line,
            level=frame.level,
            marker=marker,
            depth=max(0, frame.lists - 1),
            lead=len(text) if lead is None else max(0, min(lead - skipped, len(text))),
            code=frame.pre,
            role=frame.role,
            scope=frame.scope,
            looks=(*frame.looks, *(("button",) if frame.tag == "button" else ())),
            path=frame.path,
        )

    def leaves_out(self, node: LexborNode) -> bool:
        """Whether an element surrounds the text: a menu, a banner, a footer, a form."""
        tag, given = node.tag or "", node.attributes
        classes = given.get("class") or ""
        if tag in _NEVER or _MARGINAL.search(classes):
            return True
        if tag == "sup" and {"reference", "mw-ref"}.intersection(classes.split()):
            return True
        role = given.get("role") or ""
        named = f"{classes} {given.get('id') or ''}"
        if tag == "nav" or role == "navigation":
            return True
        if (
            tag in ("body", "main", "html", "details", "summary")
            or node.mem_id in self.roles.replies
        ):
            return False
        if not (tag in _AROUND or role in _AROUND_ROLES or _AROUND_CLASS.search(named)):
            return False
        if node.mem_id in self.roles.asks or tag in (
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "dt",
            "dd",
        ):
            return False
        inside = node.text() if self.budget > 0 else None
        if inside is None:
            return False
        self.budget -= len(inside)
        marks = _count_marks(inside)
        if tag == "header" and marks:
            return False
        return self.questions < 2 or marks <= 0.6 * self.questions

    def read_table(self, node: LexborNode, frame: _Frame) -> Iterator[Block] | None:
        """Read a table that is one; None where it only lays out the page."""
        if node.css_first("table table") is not None:
            return None
        rows = [[cell for cell in row.iter() if cell.tag in ("td", "th")] for row in node.css("tr")]
        rows = [row for row in rows if row]
        if max(map(len, rows), default=0) < 2 or len(rows) > 100_000:
            return None
        first = self.line
        grid, places = [], []
        for row in rows:
            cells = []
            for number, cell in enumerate(row):
                inner = _Walk(cell, "", self.roles, self.numbers)
                cells.append(join_answer(inner.read()))
                self.numbers = inner.numbers
                if not number:
                    line = row[0].parent.attributes.get("data-line") if row[0].parent else None
                    places.append(
                        int(line) if line and line.isdigit() else self.look_up(cell.text())
                    )
            grid.append(cells)
        self.line = first
        if find_columns(grid) is None and (
            node.css_first("h1,h2,h3,h4,h5,h6,details,dl") is not None
            or count_worded(grid) < 2
            or max(len(cell) for cells in grid for cell in cells) > 600
        ):
            return None
        self.numbers += 2 * len(grid) + 2
        blocks = table_blocks(grid, places, self.numbers - 2 * len(grid) - 1, frame.path)
        if frame.role == "answer":
            return (
                replace(b, role=b.role or "answer", scope=b.scope or frame.scope) for b in blocks
            )
        return blocks
