"""JSON and JSONL as programs and people write them: slips of the pen are forgiven and noted."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from trainer.corpus.readers.parsed import Parsed, collect_fields, finish, too_deep
from trainer.errors import CorpusError

_MOST_FORGIVEN = 20_000_000  # characters of JSON that is searched for slips of the pen


def parse_json(text: str, name: str) -> Parsed:
    """Parse a JSON text, or several one after the other; small slips are forgiven and noted."""
    repeated: Counter[str] = Counter()
    decoder = _make_decoder(repeated)
    with _depth_told(name):
        try:
            parsed = Parsed([decoder.decode(text)], [1])
        except json.JSONDecodeError as error:
            parsed = _parse_again(text, name, error, decoder)
    return finish(parsed, name, repeated)


def parse_lines(text: str, name: str) -> Parsed:
    """Parse a JSON text on every line; a file that is not written so is read as JSON."""
    repeated: Counter[str] = Counter()
    decoder = _make_decoder(repeated)
    parsed, forgiven = Parsed(), 0
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip("\r \t\x1e\ufeff").removesuffix(",")
        if not line:
            continue
        try:
            with _depth_told(f"{name}, line {number}"):
                try:
                    value = decoder.decode(line)
                except json.JSONDecodeError:
                    value = decoder.decode(_forgive(line))
                    forgiven += 1
        except json.JSONDecodeError as error:
            if not parsed.values or parsed.lines == [number - 1]:
                return parse_json(text, name)
            raise CorpusError(
                f"{name}, line {number}: this is not JSON ({_explain(error)}, column "
                f"{error.colno}). Correct or remove that line; every line must be one record."
            ) from None
        parsed.values.append(value)
        parsed.lines.append(number)
    if forgiven:
        parsed.notes.append(
            f"Lines that are not quite JSON: {forgiven:,}; {_SLIPS} were overlooked."
        )
    return finish(parsed, name, repeated)


_SLIPS = "comments, single quotes, bare names or spare commas"


def _make_decoder(repeated: Counter[str]) -> json.JSONDecoder:
    def collect(pairs: list[tuple[str, object]]) -> dict[str, object]:
        return collect_fields(pairs, repeated)

    return json.JSONDecoder(
        object_pairs_hook=collect,
        parse_int=lambda digits: int(digits) if len(digits) < 400 else digits[:400],
        parse_constant=lambda _: None,
        strict=False,
    )


def _parse_again(
    text: str, name: str, error: json.JSONDecodeError, decoder: json.JSONDecoder
) -> Parsed:
    try:
        return _parse_stream(text, decoder)
    except json.JSONDecodeError as in_stream:
        if error.msg == "Extra data":
            error = in_stream
    if len(text) <= _MOST_FORGIVEN:
        try:
            parsed = _parse_stream(_forgive(text), decoder)
            parsed.notes.append(f"{name} is not quite JSON; {_SLIPS} were overlooked.")
            return parsed
        except json.JSONDecodeError:
            pass  # the first error is about the text as the person sees it
    raise CorpusError(
        f"{name}, line {error.lineno}, column {error.colno}: this is not JSON "
        f"({_explain(error)}). Correct it there, or export the file again."
    ) from None


def _parse_stream(text: str, decoder: json.JSONDecoder) -> Parsed:
    parsed = Parsed()
    at = line = 0
    while True:
        start = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
        line += text.count("\n", at, start)
        if start == len(text) and parsed.values:
            return parsed
        value, at = decoder.raw_decode(text, start)
        if not isinstance(value, dict | list):
            raise json.JSONDecodeError("Expecting an object", text, start)
        parsed.values.append(value)
        parsed.lines.append(line + 1)
        line += text.count("\n", start, at)


_BETWEEN = re.compile(r"[\s,;\x1e\ufeff]*")
_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*+(?:"|\Z))
    | (?P<single>'(?:[^'\\]|\\.)*+(?:'|\Z))
    | (?P<comment>//[^\n]*|\#[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<name>[^\W\d][\w$-]*+(?P<colon>\s*:)?)
    | (?P<close>[\]}])
    | (?P<space>\s+)
    | (?P<other>[^\s"'/#\w\]}]+|.)""",
    re.X | re.S,
)
_WORDS = {"True": "true", "False": "false", "None": "null", "undefined": "null", "nan": "null"}


def _forgive(text: str) -> str:
    """Rewrite what JavaScript, Python and people write as JSON."""
    kept: list[str] = []
    for token in _TOKEN.finditer(text):
        kind, found = token.lastgroup, token.group()
        if kind == "colon" or kind == "name":
            word = found.rstrip(": \t\r\n")
            found = f'"{word}":' if token["colon"] else _WORDS.get(word, word)
        elif kind == "single":
            inner = re.sub(r"\\'|\"", lambda m: "'" if m[0] != '"' else r"\"", found[1:-1])
            found = f'"{inner}"'
        elif kind == "comment" or kind == "space":
            found = "\n" * found.count("\n") or " "
        elif kind == "close":
            at = len(kept) - 1
            while at >= 0 and kept[at].isspace():
                at -= 1
            if at >= 0 and kept[at].endswith(","):
                kept[at] = kept[at][:-1]
        kept.append(found)
    return "".join(kept)


def _explain(error: json.JSONDecodeError) -> str:
    if error.pos >= len(error.doc.rstrip()):
        return "it ends too early"
    near = error.doc[error.pos : error.pos + 20].split("\n")[0]
    return f"{error.msg[:1].lower()}{error.msg[1:]} near {near!r}"


@contextmanager
def _depth_told(name: str) -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise too_deep(name) from None
