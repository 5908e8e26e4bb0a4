"""The lines of a PDF's page: letters put together, columns in turn, right to left too."""

# ruff: noqa: RUF001 - letters of other alphabets are the point

import ctypes
import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from trainer.corpus.readers.documents.blocks import first_word
from trainer.corpus.readers.documents.grids import Grid, find_columns
from trainer.corpus.readers.documents.words import is_question

_MOST_LETTERS = 100_000  # on one page
_FORMS = re.compile("[\ufb00-\ufb4f\ufb50-\ufdff\ufe70-\ufefc]+")


@dataclass(frozen=True)
class Line:
    """One line of a page: its text, its place in points from the left and the top, and its look.

    `lead` counts the bold letters it begins with; `space` is what its first word and a space would
    have needed at the end of the line before; `margin` is how far lines of its column reach.
    """

    text: str
    page: int
    left: float
    right: float
    top: float
    bottom: float
    size: float
    lead: int
    space: float
    font: str = ""
    margin: float = 0.0


class Letter(NamedTuple):
    """One letter as a page draws it, in points from the left and the top."""

    text: str
    left: float
    right: float
    top: float
    bottom: float
    size: float
    font: str


def find_tables(page: Any) -> list[tuple[Any, Grid]]:
    """Find the ruled tables of a page that hold questions and answers."""
    drawn = [item for item in page.layout if not hasattr(item, "fontname")]
    if len(drawn) > 2_000 or sum(abs(item.y1 - item.y0) > 8 for item in drawn) < 2:
        return []
    found = []
    for table in page.find_tables():
        grid = [[" ".join((cell or "").split()) for cell in row] for row in table.extract()]
        if grid and find_columns(grid):
            found.append((table, grid))
    return found


def read_lines(
    found: Iterable[Letter], width: float, number: int, boxes: Sequence[Sequence[float]] = ()
) -> list[Line]:
    """Put letters together in the order a person reads them, but for what stands in boxes."""
    letters = [
        letter
        for letter in found
        if not any(
            x0 <= (letter.left + letter.right) / 2 <= x1
            and y0 <= (letter.top + letter.bottom) / 2 <= y1
            for x0, y0, x1, y1 in boxes
        )
    ]
    letters.sort(key=lambda letter: (letter.bottom, letter.left))
    rows: list[list[Letter]] = []
    baseline = -1e9
    for letter in letters:
        if letter.bottom - baseline > max(2.0, 0.35 * letter.size):
            rows.append([])
            baseline = letter.bottom
        rows[-1].append(letter)
    rows = [_drop_doubles(sorted(row, key=lambda letter: letter.left)) for row in rows]
    backward = is_backward(" ".join("".join(letter.text for letter in row) for row in rows))
    lines = [
        line
        for row in rows
        for part in _part_columns(row)
        if (line := _make_line(part, number, backward=backward)) is not None
    ]
    return _order_columns(lines, width)


def read_letters(page: Any) -> Iterator[Letter]:
    """Yield the letters of a page; pdfplumber's own list takes twice the time."""
    left, top, height = float(page.bbox[0]), float(page.bbox[1]), float(page.height)
    waiting = [iter(page.layout)]
    count = 0
    while waiting:
        item = next(waiting[-1], None)
        if item is None:
            waiting.pop()
        elif hasattr(item, "get_text") and hasattr(item, "fontname"):
            count += 1
            if count > _MOST_LETTERS:
                raise ValueError(f"more than {_MOST_LETTERS} letters on a page")
            if item.upright:
                font = item.fontname
                yield Letter(
                    item.get_text(),
                    item.x0 + left,
                    item.x1 + left,
                    height - item.y1 + top,
                    height - item.y0 + top,
                    max(float(item.size), 0.1),
                    font if isinstance(font, str) else font.decode("latin-1"),
                )
        elif hasattr(item, "__iter__"):
            waiting.append(iter(item))


def read_letters_by_pdfium(page: Any) -> Iterator[Letter]:
    """Yield the letters of a page of pypdfium2, which knows encodings that pdfminer does not."""
    from pypdfium2 import raw  # type: ignore[import-untyped]  # noqa: PLC0415 - rarely needed

    text = page.get_textpage()
    height = float(page.get_size()[1])
    name, flags = ctypes.create_string_buffer(200), ctypes.c_int()
    for index in range(min(text.count_chars(), _MOST_LETTERS)):
        sign = raw.FPDFText_GetUnicode(text, index)
        if sign < 32 or 0xD800 <= sign < 0xE000 or raw.FPDFText_IsGenerated(text, index) == 1:
            continue
        left, bottom, right, top = text.get_charbox(index, loose=True)
        length = raw.FPDFText_GetFontInfo(text, index, name, 200, ctypes.byref(flags))
        font = name.raw[: max(0, min(length, 200) - 1)].decode("utf-8", "replace")
        size = max(float(raw.FPDFText_GetFontSize(text, index)), 0.1)
        yield Letter(chr(sign), left, right, height - top, height - bottom, size, font)


def _drop_doubles(letters: list[Letter]) -> list[Letter]:
    """Leave out letters drawn twice at one place, as some programs do for bold."""
    kept: list[Letter] = []
    for letter in letters:
        if not any(
            other.text == letter.text and abs(other.left - letter.left) < 0.15 * letter.size
            for other in kept[-2:]
        ):
            kept.append(letter)
    return kept


def _part_columns(chars: list[Letter]) -> Iterator[list[Letter]]:
    """Part what stands on one height where a gap is as wide as between columns."""
    start = 0
    for number in range(1, len(chars)):
        gap = chars[number].left - max(chars[number - 1].right, chars[number - 1].left)
        if gap > max(18.0, 2.2 * chars[number].size):
            yield chars[start:number]
            start = number
    yield chars[start:]


def _make_line(chars: list[Letter], page: int, *, backward: bool) -> Line | None:
    text, lead, length = "", -1, 0
    last: Letter | None = None
    for char in chars:
        sign = char.text
        apart = last is not None and char.left - last.right > 0.18 * char.size
        if apart and not text.endswith(" ") and not sign.isspace():
            text += " "
        if sign.strip() and lead < 0 and not _is_bold(char.font):
            lead = len(text)
        text += " " if sign.isspace() else sign
        last = char
    stripped = text.strip()
    if not stripped:
        return None
    skipped = len(text) - len(text.lstrip())
    inked = [char for char in chars if char.text.strip()]
    ordered = order_letters(stripped) if backward else stripped
    length = len(stripped) if lead < 0 else max(0, min(lead - skipped, len(stripped)))
    if ordered != stripped:
        length = len(ordered) if length == len(stripped) else 0
    left, right = inked[0].left, max(char.right for char in inked)
    return Line(
        text=ordered,
        page=page,
        left=left,
        right=right,
        top=min(char.top for char in inked),
        bottom=statistics.median(char.bottom for char in inked),
        size=round(statistics.median(char.size for char in inked), 1),
        lead=length,
        space=_measure_first_word(inked, ordered),
        font=Counter(char.font.partition("+")[2] or char.font for char in inked).most_common(1)[0][
            0
        ],
    )


def _is_bold(font: str) -> bool:
    name = font.lower()
    return any(word in name for word in ("bold", "black", "heavy", "fett", "-bd", "demi"))


def is_backward(text: str) -> bool:
    """Tell whether right-to-left words stand in it as they are seen, their last letter first.

    Nearly every PDF does so; a few programs draw such letters from left to right. Arabic words
    often begin with alef and lam, and five Hebrew letters have a form for the ends of words.
    """
    text = _FORMS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    seen = len(re.findall(r"لا\b|\b[ךםןףץ]\w", text))
    read = len(re.findall(r"\bال|\w[ךםןףץ]\b", text))
    return read <= seen


def order_letters(text: str) -> str:
    """Bring right-to-left text, which a page holds as it is seen, into reading order."""
    text = _FORMS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    kinds = [unicodedata.bidirectional(sign) for sign in text]
    backward = sum(kind in ("R", "AL") for kind in kinds)
    if backward <= sum(kind == "L" for kind in kinds):
        return text
    # runs of Latin words and of numbers keep their order, all else is turned around
    parts = _FORWARD.split(text)
    turned = [
        part if number % 2 else "".join(_MIRRORED.get(sign, sign) for sign in reversed(part))
        for number, part in enumerate(parts)
    ]
    return "".join(reversed(turned))


_FORWARD = re.compile(
    r"([A-Za-z0-9\u00c0-\u024f\u0660-\u0669](?:[^\u0590-\u08ff()\[\]]{0,200}"
    r"[A-Za-z0-9\u00c0-\u024f\u0660-\u0669])?)"
)
_MIRRORED = dict(zip("()[]{}<>«»", ")(][}{><»«", strict=True))


def _order_columns(lines: list[Line], width: float) -> list[Line]:
    """Read two columns one after the other where a gutter runs down the page."""
    middle = [line for line in lines if line.left < 0.5 * width < line.right]
    left = [line for line in lines if line.right <= 0.52 * width]
    right = [line for line in lines if line.left >= 0.48 * width]
    beside = sum(
        any(abs(line.bottom - other.bottom) < line.size for other in left) for line in right
    )
    ask = [any(is_question(line.text) for line in part) for part in (left, right)]
    least = 3 if all(ask) else 8  # of a table without lines, one column asks
    if (
        min(len(left), len(right)) < least
        or beside < 0.5 * len(right)
        or len(middle) > 0.3 * len(lines)
    ):
        return _set_margin(_join_rows(lines))
    left, right, middle = _set_margin(left), _set_margin(right), _set_margin(middle)
    breaks = sorted(line.top for line in middle)
    ordered: list[Line] = []
    for start, end in zip([-1e9, *breaks], [*breaks, 1e9], strict=True):
        for column in (middle, left, right):
            ordered += [line for line in column if start <= line.top < end]
    return ordered


def _set_margin(lines: list[Line]) -> list[Line]:
    margin = max((line.right for line in lines), default=0.0)
    return [replace(line, margin=margin) for line in lines]


def _join_rows(lines: list[Line]) -> list[Line]:
    """Join what stands on one height: a number or a mark and its text."""
    joined: list[Line] = []
    for line in lines:
        last = joined[-1] if joined else None
        if last and abs(last.bottom - line.bottom) < 0.3 * line.size and last.right < line.left:
            text = f"{last.text} {line.text}"
            lead = (
                len(text) - len(line.text) + line.lead if last.lead == len(last.text) else last.lead
            )
            joined[-1] = replace(last, text=text, right=line.right, lead=lead)
        else:
            joined.append(line)
    return joined


def _measure_first_word(letters: Sequence[Letter], text: str) -> float:
    word = first_word(text)
    first = letters[: len(word)] if text[:1] == letters[0].text[:1] else letters[-len(word) :]
    return (
        max(sign.right for sign in first) - min(sign.left for sign in first) + 0.3 * letters[0].size
    )
