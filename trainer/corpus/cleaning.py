"""Pairs as they were found become pairs a bot may learn, step by step; each step is counted."""

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from html import unescape
from html.entities import html5
from pathlib import Path

import ftfy
from ftfy.badness import is_bad
from selectolax.lexbor import LexborHTMLParser, LexborNode

from trainer.corpus.table import Pair

SAMPLES = 3
SHOWN = 240  # characters of a sample
FREQUENT = 10, 0.3, 0.5  # answers, share that end so, share that begin so, to be furniture
DEEPEST = 2_000  # unclosed tags that are parsed; the time for more grows with their square
NUMBERED = 0.8  # of the questions begin with a number


@dataclass(frozen=True)
class CleaningStep:
    """One step by its name, with what a person reads beside its switch."""

    name: str
    title: str
    meaning: str


@dataclass(frozen=True)
class Step:
    """What one step did; samples are (row, before, after), cut to where they differ."""

    name: str
    changed: int = 0
    dropped: int = 0
    samples: tuple[tuple[int, str, str], ...] = ()


@dataclass(frozen=True)
class Cleaned:
    """Pairs after the cleaning; the rows of `unrepaired` still show damage nothing can undo."""

    pairs: tuple[Pair, ...]
    steps: tuple[Step, ...]
    unrepaired: tuple[int, ...]


STEPS: tuple[CleaningStep, ...] = (
    CleaningStep(
        "mojibake",
        "Repair broken characters",
        "Text that was read in the wrong encoding once (personâ€™s) gets its characters back "
        "(person\u2019s). Quotes, widths and ligatures stay as they were written.",
    ),
    CleaningStep(
        "html",
        "HTML to text",
        "Paragraphs, line breaks and lists become lines, other tags go, &amp; becomes &. What only "
        "looks like a tag, as <your name> or a < b, stays, and so does code in backticks.",
    ),
    CleaningStep(
        "unicode",
        "Tidy Unicode",
        "Letters in their composed form (NFC); control, zero-width and other invisible characters "
        "go, except the joiners that scripts and emoji need.",
    ),
    CleaningStep(
        "white space",
        "Tidy white space",
        "Runs of spaces, spaces at line ends and more than one blank line go. Questions stand on "
        "one line; answers keep their lines and the indentation of lists and code.",
    ),
    CleaningStep(
        "boilerplate",
        "Take off page furniture",
        "'Was this helpful?', 'Read more', 'Back to top' and the like at the ends of answers go, "
        "in some 25 languages; also 'Q:', 'Answer:' and the numbers of numbered questions, and a "
        "short line without a full stop that ends 3 of 10 answers. Whole sentences that many "
        "answers share stay: they may be wanted, as a disclaimer is.",
    ),
    CleaningStep(
        "empty",
        "Leave out empty rows",
        "Rows whose question or answer is empty, a placeholder (TBD, N/A, coming soon) or a header "
        "copied into the rows. Rows without any text are left out even when this is off.",
    ),
)


def clean(pairs: Sequence[Pair], *, off: Collection[str] = ()) -> Cleaned:
    """Take the steps that are not `off`, in the order of `STEPS`."""
    now: list[Pair] = [_change(pair, _without_surrogates) for pair in pairs]
    steps = []
    for step in STEPS:
        if step.name == "empty":
            after = _drop_empty(now, placeholders=step.name not in off)
        elif step.name in off:
            continue
        else:
            after = _TAKEN[step.name](now)
        steps.append(_count(step.name, now, after))
        now = [pair for pair in after if pair]
    rows = [p.row for p in now if _damaged(p.question) or _damaged(p.answer)]
    return Cleaned(tuple(now), tuple(steps), tuple(dict.fromkeys(rows)))


def _count(name: str, before: Sequence[Pair], after: Sequence[Pair | None]) -> Step:
    changed = dropped = 0
    samples: dict[tuple[str, str], int] = {}
    for old, new in zip(before, after, strict=True):
        if old is new or old == new:
            continue
        changed, dropped = changed + (new is not None), dropped + (new is None)
        if len(samples) < SAMPLES:
            if new:
                at = next(i for i in (0, 1, 2) if old[i] != new[i])
                samples.setdefault(_excerpt(str(old[at]), str(new[at])), old.row)
            else:
                samples.setdefault((f"{old.question} | {old.answer}"[:SHOWN], ""), old.row)
    return Step(name, changed, dropped, tuple((row, *texts) for texts, row in samples.items()))


def _excerpt(before: str, after: str) -> tuple[str, str]:
    """Cut both texts to the surroundings of their first difference."""
    same = zip(before, after, strict=False)
    first = next((i for i, (a, b) in enumerate(same) if a != b), min(len(before), len(after)))
    start = 0 if first < 100 else first - 60
    lead = "…" if start else ""

    def cut(text: str) -> str:
        return lead + text[start : start + SHOWN] + ("…" if len(text) > start + SHOWN else "")

    return cut(before), cut(after)


def _change(
    pair: Pair,
    question: Callable[[str], str],
    answer: Callable[[str], str] | None = None,
    topic: Callable[[str], str] | None = None,
) -> Pair:
    """The pair with its texts changed, or the very same where nothing is to change."""
    texts = (
        question(pair.question),
        (answer or question)(pair.answer),
        (topic or question)(pair.topic) if pair.topic else pair.topic,
    )
    return pair if texts == pair[:3] else Pair(*texts, pair.row, pair.part)


# broken characters -------------------------------------------------------------------------------

_SUSPECT = re.compile("[^\x00-\x7f]{2}|[\x80-\x9f]|[\u00c2\u00c3\u00d0] ")  # what is looked at
_SURROGATE = re.compile("[\ud800-\udfff]")
_ONLY_ENCODING = ftfy.TextFixerConfig(
    unescape_html=False,
    remove_terminal_escapes=False,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    remove_control_chars=False,
    normalization=None,
    explain=False,
)


def _without_surrogates(text: str) -> str:
    """Join halves of characters (JSON writes them) and mark what is half a character only."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _repair(text: str) -> str:
    if text.isascii() or not _SUSPECT.search(text) or not is_bad(text):
        return text
    return ftfy.fix_encoding(text, _ONLY_ENCODING)


def _damaged(text: str) -> bool:
    if text.isascii() or not _SUSPECT.search(text):
        return "\ufffd" in text
    return "\ufffd" in text or is_bad(text)


# HTML --------------------------------------------------------------------------------------------

_INLINE = (
    "a|abbr|acronym|b|bdi|bdo|big|cite|code|del|em|font|i|ins|kbd|label|mark|nobr|q|s|samp|small|"
    "span|strike|strong|sub|sup|time|tt|u|var|wbr"
)
_BLOCK = (
    "address|article|aside|blockquote|body|caption|center|dd|details|div|dl|dt|fieldset|figcaption|"
    "figure|footer|form|h[1-6]|head|header|hr|html|li|main|nav|ol|p|pre|section|summary|table|"
    "tbody|td|tfoot|th|thead|tr|ul"
)
_GONE = "script,style,noscript,template,iframe,object,svg,select,button,title,textarea"
_VOID = "br|img|col|colgroup|embed|input|link|meta|source|video|audio|picture"
_KNOWN = f"{_INLINE}|{_BLOCK}|{_GONE.replace(',', '|')}|{_VOID}"
_FLAGS = (
    "open|hidden|checked|disabled|selected|controls|nowrap|async|defer|required|allowfullscreen"
)
_VALUE = r"\"[^\"<]*+\"|'[^'<]*+'|[^\s\"'<>]++"  # no "<", so that no text is read twice
_ATTRIBUTES = rf"(?:\s++(?:[\w:.@-]++\s*+=\s*+(?:{_VALUE})|(?:{_FLAGS})(?=[\s/>])))*+\s*+/?"
_TAG = re.compile(rf"</(?:{_KNOWN})\s*+>|<(?:{_KNOWN}){_ATTRIBUTES}>|<!--", re.I)
_SURE = re.compile(
    rf"</(?:{_KNOWN})\s*+>|<(?:br|hr|img){_ATTRIBUTES}>|^\s*+<(?:p|div|ul|ol|li){_ATTRIBUTES}>"
    rf"|<(?:p|li|td){_ATTRIBUTES}>[^<]*+<(?:p|li|td){_ATTRIBUTES}>|<!--",
    re.I,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.I)
_BLOCK_TAG = re.compile(rf"</?(?:{_BLOCK}|br)(?=[\s/>])", re.I)
_PARAGRAPHS = (
    "p,div,ul,ol,dl,table,blockquote,pre,section,article,hr,h1,h2,h3,h4,h5,h6,details,summary"
)
_KEPT = re.compile("\ue000([0-9]+)\ue001")
_CODE = re.compile(r"```.*?```|`[^`\n]++`", re.S)
_SPOKEN_OF = re.compile(  # a tag that is a word of the sentence: the <br> tag, "<b>"
    rf"(?:[\"'“\u2018«(])<[a-z1-6]++{_ATTRIBUTES}>(?=[\"'”\u2019»)])"
    rf"|<[a-z1-6]++{_ATTRIBUTES}>(?=[\s-]*+(?:tags?|elements?|elemente?|balises?|etiquetas?)\b)"
    rf"|\b(?:tags?|elements?|balises?|etiquetas?)\s++<[a-z1-6]++{_ATTRIBUTES}>",
    re.I,
)


def _html_to_text(text: str) -> str:
    """Read a text as HTML where it is; leave alone code, and what only looks like it."""
    if "<" not in text and "&" not in text:
        return text
    code: list[str] = []
    if "`" in text and "\ue000" not in text:

        def put_aside(found: re.Match[str]) -> str:
            code.append(found[0])
            return f"\ue000{len(code) - 1}\ue001"

        text = _CODE.sub(put_aside, text)
    plain = text
    if not _looks_marked_up(text):
        plain = _unescape(text)
    if _looks_marked_up(plain):  # also where the tags themselves were escaped
        plain = _unescape(_render(plain))
    return _KEPT.sub(lambda found: code[int(found[1])], plain) if code else plain


def _looks_marked_up(text: str) -> bool:
    return "<" in text and bool(_SURE.search(text))


def _unescape(text: str) -> str:
    """Resolve entities, also escaped twice or thrice; without a semicolon they are none."""
    for _ in range(3):
        if "&" not in text or not _ENTITY.search(text):
            break
        text = _ENTITY.sub(lambda found: unescape(found[0]) if _named(found[0]) else found[0], text)
    return text


def _named(entity: str) -> bool:
    return entity[1] == "#" or entity[1:] in html5


def _render(text: str) -> str:
    text = _SPOKEN_OF.sub(lambda found: found[0].replace("<", "&lt;"), text)
    blocks = bool(_BLOCK_TAG.search(text))
    markup, at, open_tags = [], 0, 0
    for tag in _TAG.finditer(text):
        markup.append(_escape(text[at : tag.start()]))
        at = tag.end()
        open_tags += -1 if tag[0][1] == "/" else 1
        if open_tags < DEEPEST:
            markup.append(tag[0])
    markup.append(_escape(text[at:]))
    html = "".join(markup)
    if blocks and "<pre" not in html.lower():
        html = re.sub(r"[ \t\r\n\f]+", " ", html)  # line breaks of the source mean nothing
    tree = LexborHTMLParser(html)
    for node in tree.css(_GONE):
        node.decompose()
    for node in tree.css("br"):
        node.replace_with("\n")
    for node in tree.css("td + td, th + td, td + th, th + th"):
        node.insert_before(" | ")
    for node in tree.css("tr,dt,dd,caption"):
        node.insert_before("\n")
    items: Counter[int] = Counter()
    for node in tree.css("li"):
        parent = node.parent
        items[parent.mem_id if parent else 0] += 1
        ordered = parent is not None and parent.tag == "ol"
        mark = f"{items[parent.mem_id]}." if parent and ordered else "-"
        node.insert_before(f"\n{'  ' * _depth(node)}{mark} ")
    for node in tree.css(_PARAGRAPHS):
        if not _depth(node):
            node.insert_before("\n\n")
            node.insert_after("\n\n")
        else:
            node.insert_after(" ")
    lines = (tree.root.text() if tree.root else "").split("\n")
    indented = "<pre" in html.lower()
    tidy = (x.rstrip() if indented or _LIST_MARK.match(x.lstrip()) else x.strip() for x in lines)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(tidy)).strip()


def _depth(node: LexborNode) -> int:
    """In how many lists and cells, beyond the first list for an item, a node stands."""
    depth, above = 0, node.parent
    for _ in range(12):
        if above is None:
            break
        depth += above.tag in ("ul", "ol", "td", "th")
        above = above.parent
    return depth - (node.tag == "li")


def _escape(text: str) -> str:
    """Keep what is no tag and no entity from being read as one."""
    if "&" in text:
        text = re.sub(
            r"&(?!(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)", "&amp;", text
        )
    return text.replace("<", "&lt;")


# Unicode -----------------------------------------------------------------------------------------

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0e\ufeff\ufff9-\uffff\uf000-\uf0ff\ufdd0-\ufdef\U000e0000-\U000e007f]"
)
_BREAKS = dict.fromkeys(map(ord, "\x0b\x0c\x85\u2028\u2029"), "\n")
_WORD_BULLETS = {0xF0B7: "•", 0xF0A7: "▪", 0xF0D8: "➢", 0xF0FC: "✓", 0xF0E0: "→", 0xF0A8: "•"}
_SHAPED = "[\u0590-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ufb1d-\ufdff\ufe70-\ufeff]"
_JOINED = re.compile(  # joiners that shape a script or an emoji
    f"(?<={_SHAPED})[\u200c\u200d]+|[\u200c\u200d]+(?={_SHAPED})"
    "|(?<=[\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d(?=[\u2190-\u2bff\U0001f000-\U0001faff])"
)
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007f]{1,8}")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


def _tidy_unicode(text: str) -> str:
    if text.isascii():
        return text if text.isprintable() else _without_invisible(text)
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return _without_invisible(text)


def _without_invisible(text: str) -> str:
    if not _INVISIBLE.search(text):
        return text
    text = (
        text.replace("\r\n", "\n").replace("\r", "\n").translate(_BREAKS).translate(_WORD_BULLETS)
    )
    keep = {m for found in _JOINED.finditer(text) for m in range(found.start(), found.end())}
    keep.update(m for found in _FLAG.finditer(text) for m in range(found.start(), found.end()))
    marks = "\u200e\u200f\u061c\u2066\u2067\u2068\u2069" if _RIGHT_TO_LEFT.search(text) else ""

    def replace(found: re.Match[str]) -> str:
        return found[0] if found.start() in keep or found[0] in marks + "\ufffd" else ""

    return _INVISIBLE.sub(replace, text)


# white space -------------------------------------------------------------------------------------

_ODD_SPACE = re.compile(r"[^\S \n]")
_RUN = re.compile(r"[^\S\n]+")
_LIST_MARK = re.compile(r"(?:[-*•‣◦▪\u2013—+]|\(?\w{1,3}[.)])(?=\s)")
_WRITTEN_BREAK = re.compile(r"(?:\\r)?\\n(?=\Z|\s|\\n|[-*•<]|[^\W\d_a-z])")  # backslash and n


def _untidy(text: str) -> bool:
    if "  " in text or " \n" in text or "\n " in text or "\n\n\n" in text or text != text.strip():
        return True
    odd = "\t" in text if text.isascii() else _ODD_SPACE.search(text)
    return bool(odd) or "\\n" in text or "_x000" in text


def _on_one_line(text: str) -> str:
    return " ".join(_breaks(text).split()) if "\n" in text or _untidy(text) else text


def _tidy_lines(text: str) -> str:
    """Tidy each line, but leave what stands between code fences and how lists are indented."""
    if not _untidy(text):
        return text
    lines: list[str] = []
    in_code = False
    for line in _breaks(text).split("\n"):
        fence = line.lstrip().startswith("```")
        if in_code or fence:
            in_code = in_code != fence
            lines.append(line.rstrip())
            continue
        tidy = _RUN.sub(" ", line).strip()
        if tidy and _LIST_MARK.match(tidy):
            indent = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())
            tidy = " " * min(indent, 8) + tidy
        if tidy or (lines and lines[-1]):
            lines.append(tidy)
    return "\n".join(lines).strip()


def _breaks(text: str) -> str:
    if "_x000" in text:  # as spreadsheets write a line break of another system
        text = text.replace("_x000D_\n", "\n").replace("_x000D_", "\n").replace("_x000A_", "\n")
    return _WRITTEN_BREAK.sub("\n", text) if "\\n" in text and "\n" not in text else text


# page furniture ----------------------------------------------------------------------------------

_ENDS = re.compile(r"(?:[.!?…][»”)\"']*|\))\s+|[。\uff01\uff1f]\s*")
_VOTES = re.compile(
    r"\d+ (?:out of|of) \d+ (?:people |users )?found this (?:answer |article )?helpful"
)
_NUMBER = re.compile(
    r"\s*(?:#|\(|Q|F|P|Nr\. ?|No\. ?)?(\d{1,4}(?:\.\d{1,3}){0,3})(?:[.):\]]|\s[-\u2013])+\s+"
)
_EDGES = (
    " \t\n.!?:;,…·|>»\u203a→<«\u2039←^▲△↑#*_-\u2013—[](){}¿¡。\uff01\uff1f\uff1a\uff0c、؟\"'“”👍👎✓"
)


def _take_off_furniture(pairs: Sequence[Pair]) -> list[Pair | None]:
    questions, answers = [p.question for p in pairs], [p.answer for p in pairs]
    words = _words("boilerplate")
    if _numbered(questions):
        questions = [_NUMBER.sub("", q, count=1) or q for q in questions]
    both = (_marks("question"), questions), (_marks("answer"), answers)
    (questions, answers) = (_without_marks(texts, *marks) for marks, texts in both)
    answers = [_trim(text, words["lines"], words["dated"]) or text for text in answers]
    first, last = _frequent(answers)
    answers = [_trim_frequent(text, first, last) for text in answers] if first or last else answers
    return [
        pair if pair[:2] == texts else pair._replace(question=texts[0], answer=texts[1])
        for pair, texts in zip(pairs, zip(questions, answers, strict=True), strict=True)
    ]


@cache
def _words(name: str) -> dict[str, frozenset[str]]:
    text = (Path(__file__).parent / "words" / f"{name}.toml").read_text("utf-8")
    edged = {"texts", "lines", "dated", "question_headers", "answer_headers"}
    return {
        key: frozenset(map(_bare, words)) if key in edged else frozenset(words)
        for key, words in tomllib.loads(text).items()
    }


def _bare(text: str) -> str:
    """A text as it is compared: no case, one space, nothing but words at its edges."""
    return re.sub(r"[\s/|?,.!]+", " ", text.replace("\u2019", "'").casefold()).strip(_EDGES)


@cache
def _marks(kind: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns for the words and for the single letters before a question or an answer."""
    words = _words("boilerplate")
    longest = sorted(words[f"{kind}_marks"], key=len, reverse=True)
    letters = "".join(words[f"{kind}_letters"])
    number = r"\s*+(?:#?\d{1,4})?\s*+"
    return (
        re.compile(rf"\s*+(?:{'|'.join(longest)}){number}[:\uff1a]\s*+", re.I),
        re.compile(rf"\s*+[{letters}]{number}[:\uff1a.)\]]\s++", re.I),
    )


def _without_marks(
    texts: Sequence[str], word: re.Pattern[str], letter: re.Pattern[str]
) -> list[str]:
    """Take off 'Answer:', and 'A:' where at least half of the texts begin so."""
    often = sum(bool(letter.match(text)) for text in texts) * 2 >= max(len(texts), 4)
    bare = [word.sub("", text, count=1) if word.match(text) else text for text in texts]
    if often:
        bare = [letter.sub("", text, count=1) if letter.match(text) else text for text in bare]
    return [new or old for new, old in zip(bare, texts, strict=True)]


def _numbered(questions: Sequence[str]) -> bool:
    numbers = [found[1] for q in questions if (found := _NUMBER.match(q))]
    enough = len(numbers) >= max(3, NUMBERED * len(questions))
    return enough and len(set(numbers)) * 2 > len(numbers)


def _trim(text: str, known: Collection[str], dated: Collection[str]) -> str:
    """Take known furniture off both ends, a line or a sentence at a time."""
    for _ in range(8):
        tail = text[-300:].rpartition("\n")[2]
        if not (cut := _known_at_end(tail, known, dated)):
            break
        text = text[: len(text) - cut].rstrip()
    for _ in range(4):
        head, line_break, rest = text.partition("\n")
        if not line_break or len(head) > 100 or _bare(head) not in known:
            break
        text = rest.lstrip("\n")
    return text


def _known_at_end(line: str, known: Collection[str], dated: Collection[str]) -> int:
    """How many characters at the end of a line are furniture."""
    if len(line) <= 120:
        bare = _bare(line)
        if bare in known or _VOTES.fullmatch(bare):
            return len(line)
        digits = sum(character.isdigit() for character in bare)
        if digits >= 4 and len(bare) < 70 and any(bare.startswith(start) for start in dated):
            return len(line)
    ends = [found.end() for found in _ENDS.finditer(line) if found.end() < len(line)]
    for end in ends[-1:-4:-1]:  # "Was this helpful? Yes No" is more than one sentence
        if line[:end].rstrip().endswith(")") and not line[end].isupper():
            continue  # a bracket may stand within a sentence
        sentence = _bare(line[end:])
        if (" " in sentence or line.endswith(("?", "\uff1f"))) and sentence in known:
            return len(line) - end
    return 0


def _frequent(answers: Sequence[str]) -> tuple[set[str], set[str]]:
    """Short lines without a full stop that begin or end many otherwise different answers."""
    least, ending, beginning = FREQUENT
    firsts: dict[str, set[str]] = {}
    lasts: dict[str, set[str]] = {}
    for answer in answers:
        if "\n" in answer:
            head, _, rest = answer.partition("\n")
            if _is_furniture(head) and " " in head.strip():
                firsts.setdefault(head, set()).add(rest)
            rest, _, tail = answer.rpartition("\n")
            if _is_furniture(tail):
                lasts.setdefault(tail, set()).add(rest)
    most = len(answers)

    def often(found: dict[str, set[str]], share: float) -> set[str]:
        return {line for line, rests in found.items() if len(rests) >= max(least, share * most)}

    return often(firsts, beginning), often(lasts, ending)


def _is_furniture(line: str) -> bool:
    line = line.strip()
    return (
        0 < len(line) <= 60
        and len(line.split()) <= 7
        and line[-1] not in ".!。\uff01:\uff1a;,\uff0c、)`"
        and not _LIST_MARK.match(line)
    )


def _trim_frequent(text: str, first: Collection[str], last: Collection[str]) -> str:
    head, _, rest = text.partition("\n")
    if rest.strip() and head in first:
        text = rest.lstrip("\n")
    rest, _, tail = text.rpartition("\n")
    return rest.rstrip() if rest.strip() and tail in last else text


# empty rows --------------------------------------------------------------------------------------


def _drop_empty(pairs: Sequence[Pair], *, placeholders: bool) -> list[Pair | None]:
    if not placeholders:
        return [p if p.question.strip() and p.answer.strip() else None for p in pairs]
    words = _words("placeholders")
    labels = _are_labels([p.answer for p in pairs])

    def kept(pair: Pair) -> bool:
        if labels:
            return bool(pair.answer.strip()) and not _says_nothing(pair.question, words)
        if _says_nothing(pair.question, words) or _says_nothing(pair.answer, words):
            return False
        return not (
            _bare(pair.question) in words["question_headers"]
            and _bare(pair.answer) in words["answer_headers"]
        )

    return [pair if kept(pair) else None for pair in pairs]


def _are_labels(answers: Sequence[str]) -> bool:
    """Whether the answers are a few labels, among which 'none' or 'n/a' may be one."""
    different = set(answers)
    return len(different) * 5 <= len(answers) and max(map(len, different), default=0) <= 60


def _says_nothing(text: str, words: dict[str, frozenset[str]]) -> bool:
    if len(text) > 80:
        return any(text[:80].casefold().startswith(start) for start in words["starts"])
    text = text.strip()
    if not text or text in words["exact"] or _bare(text) in words["texts"]:
        return True
    if any(character.isalnum() for character in text):
        return any(text.casefold().startswith(start) for start in words["starts"])
    return all(unicodedata.category(character)[0] in "PZC" for character in text)


def _each(
    question: Callable[[str], str],
    answer: Callable[[str], str] | None = None,
    topic: Callable[[str], str] | None = None,
) -> Callable[[Sequence[Pair]], list[Pair | None]]:
    return lambda pairs: [_change(pair, question, answer, topic) for pair in pairs]


_TAKEN: dict[str, Callable[[Sequence[Pair]], list[Pair | None]]] = {
    "mojibake": _each(_repair),
    "html": _each(_html_to_text, topic=str),
    "unicode": _each(_tidy_unicode),
    "white space": _each(_on_one_line, _tidy_lines),
    "boilerplate": _take_off_furniture,
}
