"""Which languages a corpus is in, and whether a text says anything or stops in the middle."""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from trainer.corpus.examples import Example

SAMPLE = 1_500  # examples whose languages are counted
MOST_DOUBTS = 20_000  # texts that are looked at closely for another language
SURE = 0.6  # probability from which a language is told
SURE_FOREIGN = 0.9  # and from which it is held against an example
LEAST_LETTERS = 10  # below it a Latin, Cyrillic or Arabic text can be in any language
LEAST_WORDS = 4  # fewer may be names or terms, in any language
OWN_SHARE = 0.2  # of the texts make a language one of the corpus

# What py3langid tells apart well in short texts. Rarer languages come out as None or a relative.
_LANGUAGES = """
    af am ar as az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is
    it ka kk lt lv mk mn mr ms mt ne nl no pl ps pt ro ru sk sl sq sr sv sw tl tr uk ur uz vi
"""
_SCRIPTS = {  # scripts that are as good as a language
    "ja": "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    "zh": "\u2e80-\u2fdf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    "ko": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "th": "\u0e00-\u0e7f",
    "lo": "\u0e80-\u0eff",
    "km": "\u1780-\u17ff",
    "my": "\u1000-\u109f",
    "he": "\u0590-\u05ff",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "hy": "\u0530-\u058f",
    "ka": "\u10a0-\u10ff",
    "am": "\u1200-\u137f",
    "pa": "\u0a00-\u0a7f",
    "gu": "\u0a80-\u0aff",
    "or": "\u0b00-\u0b7f",
    "ta": "\u0b80-\u0bff",
    "te": "\u0c00-\u0c7f",
    "kn": "\u0c80-\u0cff",
    "ml": "\u0d00-\u0d7f",
    "si": "\u0d80-\u0dff",
    "bo": "\u0f00-\u0fff",
}
_RELATED = (
    {"da", "no", "nb", "nn", "sv"},
    {"ms", "id"},
    {"hr", "bs", "sr", "sl", "mk", "bg"},
    {"cs", "sk"},
    {"es", "gl", "ca", "pt", "it"},
    {"nl", "af"},
    {"hi", "mr", "ne"},
    {"bn", "as"},
    {"zh", "ja"},
    {"fa", "ps", "ur", "ar"},
    {"ru", "be", "uk", "bg"},
    {"az", "tr"},
)
_NO_WORDS = re.compile(r"(?:https?://|www\.)\S*|\S*@\S*|[\d_]+")


@dataclass(frozen=True)
class Languages:
    """The languages of a corpus: how many texts of a sample each has, the most first.

    `strays` are the examples in another language than the corpus, or with question and answer in
    two languages. Where questions are in one language throughout and answers in another, as in a
    corpus of translations, each side is held against its own.
    """

    counts: dict[str, int]
    main: str | None
    strays: tuple[Example, ...]


def detect(text: str) -> str | None:
    """Tell the language of a text (ISO 639-1), or None where it is too short to be sure."""
    language, probability = _guess(text)
    return language if probability >= SURE else None


def mixed_languages(examples: Sequence[Example]) -> Languages:
    """Count the languages of a corpus and find the examples that stray from them."""
    sample = examples[:: -(-len(examples) // SAMPLE) or 1]
    questions = Counter(filter(None, (detect(e.question) for e in sample)))
    answers = Counter(filter(None, (detect(text) for text in {e.answer for e in sample})))
    both = questions + answers
    if not both:
        return Languages({}, None, ())
    counts = dict(both.most_common())
    main = next(iter(counts))
    if _translates(questions, answers):
        sides = _own(questions), _own(answers)
    else:
        sides = _own(both), _own(both)
    usual = _usual_words(sample)
    look = _look_closely(usual)
    strays = []
    for example in examples:
        told = [look(text, own) for text, own in zip(_texts(example), sides, strict=True)]
        foreign = any(
            language and not _related(language, own)
            for language, own in zip(told, sides, strict=True)
        )
        question, answer = told
        apart = sides[0] == sides[1] and question and answer and not _related(question, {answer})
        if foreign or apart:
            strays.append(example)
    return Languages(counts, main, tuple(strays))


def _texts(example: Example) -> tuple[str, str]:
    return example.question, example.answer


def _translates(questions: Counter[str], answers: Counter[str]) -> bool:
    """Whether nearly all questions are in one language and nearly all answers in another."""
    if not questions or not answers:
        return False
    (first, n), (second, m) = questions.most_common(1)[0], answers.most_common(1)[0]
    return first != second and n >= 0.8 * questions.total() and m >= 0.8 * answers.total()


def _own(counts: Counter[str]) -> frozenset[str]:
    most = counts.most_common(1)[0][0]
    large = {language for language, n in counts.items() if n >= OWN_SHARE * counts.total()}
    return frozenset(large | {most})


def _related(language: str, own: Iterable[str]) -> bool:
    own = set(own)
    return language in own or any(language in group and own & group for group in _RELATED)


def _usual_words(sample: Sequence[Example]) -> dict[str, frozenset[str]]:
    """The most frequent words of the sample by language: whoever uses them speaks it."""
    words: dict[str, Counter[str]] = {}
    for example in sample:
        for text in _texts(example):
            if language := detect(text):
                words.setdefault(language, Counter()).update(_WORD.findall(text[:500].casefold()))
    return {
        language: frozenset(word for word, _ in counter.most_common(150))
        for language, counter in words.items()
    }


_WORD = re.compile(r"[^\W\d_]+")


def _look_closely(
    usual: dict[str, frozenset[str]],
) -> Callable[[str, frozenset[str]], str | None]:
    """A function that tells in which language a text is for sure, or None where there is no doubt.

    Most texts are cleared by their usual words; only the others cost a look at every letter.
    """
    known: dict[str, str | None] = {}

    def look(text: str, own: frozenset[str]) -> str | None:
        words = _WORD.findall(text[:300].casefold())
        if len(words) < LEAST_WORDS and text.isascii():
            return None
        if len(own) == 1:
            (language,) = own
            mine = usual.get(language, frozenset())
            if sum(word in mine for word in words) >= 0.3 * len(words):
                return language
        if text not in known:
            if len(known) >= MOST_DOUBTS:
                return None
            guessed, probability = _guess(text)
            enough = len(words) >= LEAST_WORDS or guessed in _SCRIPTS
            known[text] = guessed if probability >= SURE_FOREIGN and enough else None
        return known[text]

    return look


def _guess(text: str) -> tuple[str | None, float]:
    """The likeliest language of a text and its probability."""
    text = _NO_WORDS.sub(" ", text[:2_000])[:400].strip()
    letters = sum(map(str.isalpha, text))
    if not text.isascii():
        found = {code: len(pattern.findall(text)) for code, pattern in _script_patterns().items()}
        code = max(found, key=lambda each: found[each])
        if code in ("zh", "ja") and found["ja"]:
            code = "ja"
        enough = found[code] + (found["zh"] if code == "ja" else 0)
        weight = 3 if code in ("zh", "ja", "ko") else 1  # one of these letters is half a word
        if enough * weight > letters * 0.5:
            return code, 1.0
        if enough * 4 > letters:
            return None, 0.0  # two scripts at once
    if letters < LEAST_LETTERS:
        return None, 0.0
    language, probability = _identifier()(text)
    return language, probability


@cache
def _script_patterns() -> dict[str, re.Pattern[str]]:
    return {code: re.compile(f"[{letters}]") for code, letters in _SCRIPTS.items()}


@cache
def _identifier() -> Callable[[str], tuple[str, float]]:
    from py3langid import langid  # type: ignore[import-untyped]  # noqa: PLC0415 - numpy, a model

    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    identifier.set_languages([code for code in _LANGUAGES.split() if code in identifier.labels])

    def identify(text: str) -> tuple[str, float]:
        language, probability = identifier.classify(text)
        return str(language), float(probability)

    return identify


# substance ---------------------------------------------------------------------------------------

_EDGES = " \t\n.!?:;,…·-\u2013—_*#\"'()[]{}<>«»“”„\u2018\u2019¿¡。\uff01\uff1f\uff1a\uff0c、؟।"
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "йцукенгшщз", "фывапролд")
_MASHED = re.compile(r"[bcdfghjklmnpqrstvwxz]{6,}")
_COLUMN_LIMITS = {255, 256, 1023, 1024, 2047, 2048, 4000, 4095, 4096, 8000, 8191, 8192}
_CELL_LIMITS = {32_767, 65_535}  # of a spreadsheet's cell and of a text column
_DOTS = re.compile(r"(?:…|\.{3,}|。{3,}|・{3,})$")
_CLOSED = re.compile(r"[.!?…:;。\uff01\uff1f؟।»”\"')\]}]$")


@cache
def _words(key: str) -> frozenset[str]:
    path = Path(__file__).parent / "words" / "substance.toml"
    return frozenset(tomllib.loads(path.read_text("utf-8"))[key])


def lacks_substance(question: str) -> bool:
    """Whether nothing is asked: marks, a number, a link, a key mash, a greeting, 'test'.

    One word may ask something, and one letter does in scripts where it is a word.
    """
    text = _NO_WORDS.sub(" ", question[:500]).strip(_EDGES).casefold()
    letters = [character for character in text if character.isalpha()]
    if not letters:
        return True
    if len(letters) == 1 and letters[0] < "\u0e00":  # B12 may be asked for, and a CJK letter
        return text in _words("numbered") or not any(map(str.isdigit, question))
    if text in _words("fillers"):
        return True
    if " ".join(text.split()) in _words("numbered") and any(c.isdigit() for c in question):
        return True
    if len(set(letters)) == 1:
        return letters[0] < "\u0e00" and len(letters) > 2
    if " " in text or len(letters) < 4:
        return False
    pieces = len(text) >= 4 and any(text in row or text in row[::-1] for row in _KEYS)
    return pieces or bool(question.strip(_EDGES).islower() and _MASHED.fullmatch(text))


def looks_cut_off(answer: str) -> bool:
    """Whether an answer stops in the middle.

    A missing full stop is no sign: lists, labels and short answers have none.
    """
    text = answer.rstrip()
    words = text[-200:].split()
    if len(answer) in _CELL_LIMITS:
        return True
    if len(answer) in _COLUMN_LIMITS and not _CLOSED.search(text):
        return True
    if len(words) < 2 and (text.isascii() or len(text) < 6):
        return False
    if dots := _DOTS.search(text[-200:]):
        before = text[-200:][: dots.start()].rstrip().casefold()
        short = len(words) < 4 and len(text) < (40 if text.isascii() else 12)
        return (
            bool(before)
            and not short
            and not before.endswith(tuple(_words("so_on")))
            and before[-1] != "."
        )
    last = words[-1]
    if last[-1] in ",\uff0c、([{" or (
        last[-1] in "-\u2013" and (last in "-\u2013" or last[-2].isalpha())
    ):
        return True
    return len(words) > 3 and last in _words("unfinished")
