"""Which questions, and which answers, say nearly the same: by their words, and by their meaning.

By words, two texts are near when they hold the same content words, in any order and with any
function words between them, up to inflection and single typing mistakes. Numbers, negation, what is
asked for (when, where, who) and direction (from here to there) must agree, by meaning as well: an
embedding finds "is covered" and "is not covered" alike. Words are those of the language whose
function words a text uses; where no list fits, all words count. Scripts without spaces are
compared by their characters.

Measured on 420 pairs of our own (`tests/data/near_pairs.jsonl`: 318 in English, the others German,
French, Spanish and Chinese), a third each near-duplicates, the same question in quite other words,
and hard negatives one number, name, negation or direction apart. The thresholds were chosen on
these pairs, so expect a little less elsewhere; `test_near` and `test_meaning` hold the figures:

    found to be near                      near-duplicates  other words  different
    English, by words (0.95)                   61 of 106     0 of 106    0 of 106
    the other four, by words (0.95)            32 of 34      0 of 34     0 of 34
    English, words and meaning (0.93)          92 of 106     0 of 106    0 of 106
    the same, one answer (0.88)                99 of 106     1 of 106    3 of 106
    English, cosine alone (0.93)               88 of 106     0 of 106   14 of 106

By words, what is found is right and a synonym is missed; both is what a check that everybody has,
without a model, should do.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from math import ceil
from typing import Literal, NamedTuple, Protocol

import pydantic
from rapidfuzz.distance import OSA

from trainer.corpus.examples import Example, connect, normalise

QUESTION_WORDS = 0.95  # of their content words in common: all, unless there are 20 or more
ANSWER_WORDS = 0.85  # "almost the same words": one of 7 more, or one of 13 another
QUESTION_MEANING = 0.93  # cosine
SAME_ANSWER_MEANING = 0.88  # cosine that is enough where the answers are nearly equal, too,
FEW_WORDINGS = 20  # unless the answer belongs to more questions than this, as a label does

MOST_CANDIDATES = 64  # texts that one text is compared with, those with its rarest words
MOST_MATCHES = 8  # of them that are reported
MOST_COMPARED = 20_000  # texts of which all pairs are compared by meaning
WORTH_JUDGING = 0.5  # of their words in common; above MOST_COMPARED only such pairs are compared

Pairs = list[tuple[int, int, float]]
Progress = Callable[[int, int], None]  # done, total


class Judge(Protocol):
    """What can tell how close the meanings of two texts are; see `trainer.meaning`."""

    def can_judge(self, text: str, /) -> bool:
        """Whether it reads the language of this text."""

    def close_pairs(
        self,
        texts: Sequence[str],
        *,
        candidates: Sequence[tuple[int, int]] | None,
        threshold: float,
        progress: Progress | None = None,
    ) -> Pairs:
        """Pairs of texts (i < j) at least this similar; of `candidates`, or of all."""


class Neighbours(pydantic.BaseModel, frozen=True):
    """Which questions and which answers of a corpus say nearly the same.

    `questions` and `answers` give the cluster of each example id; what is in one cluster is never
    on two sides of a split. `pairs` are near-duplicate questions with their similarity, by the ids
    of the first examples that ask them, closest first; equal questions are no pair.
    """

    method: Literal["by words", "by words and meaning"]
    thresholds: dict[str, float]
    questions: dict[str, int]
    answers: dict[str, int]
    pairs: tuple[tuple[str, str, float], ...] = ()

    @property
    def told(self) -> str:
        """How they were compared, in a few words for a person."""
        words = f"{self.thresholds['question words']:.0%} of the words in common"
        if self.method == "by words":
            return f"by words: {words}"
        return f"by words and meaning: {words}, or similarity {self.thresholds['meaning']:.2f}"


def find_duplicates(
    examples: Sequence[Example],
    judge: Judge | None = None,
    *,
    tell: Callable[[float], None] | None = None,
) -> Neighbours:
    """Find the clusters of nearly equal questions and answers; `tell` hears the share done."""
    tell = tell or (lambda share: None)
    tell(0.0)
    asked, question_of = _distinct(e.question for e in examples)
    said, answer_of = _distinct(e.answer for e in examples)
    answers = connect(len(said), ((i, j) for i, j, _ in find_near(said, threshold=ANSWER_WORDS)))
    tell(0.3)
    close = find_near(asked, threshold=QUESTION_WORDS)
    tell(0.4)
    if judge:
        said_to = defaultdict(set)
        for question, answer in zip(question_of, answer_of, strict=True):
            said_to[question].add(answers[answer])
        close += _find_by_meaning(
            asked, said_to, connect(len(asked), ((i, j) for i, j, _ in close)), judge,
            lambda done, total: tell(0.4 + 0.6 * done / max(total, 1)),
        )  # fmt: skip
    questions = connect(len(asked), ((i, j) for i, j, _ in close))
    tell(1.0)
    first: dict[int, str] = {}
    for example, question in zip(examples, question_of, strict=True):
        first.setdefault(question, example.id)
    return Neighbours(
        method="by words and meaning" if judge else "by words",
        thresholds={
            "question words": QUESTION_WORDS,
            "answer words": ANSWER_WORDS,
            "meaning": QUESTION_MEANING,
            "meaning, same answer": SAME_ANSWER_MEANING,
        },
        questions={e.id: questions[q] for e, q in zip(examples, question_of, strict=True)},
        answers={e.id: answers[a] for e, a in zip(examples, answer_of, strict=True)},
        pairs=tuple(
            (first[i], first[j], round(similarity, 3))
            for i, j, similarity in sorted(close, key=lambda pair: (-pair[2], pair))
        ),
    )


def find_near(texts: Sequence[str], *, threshold: float = QUESTION_WORDS) -> Pairs:
    """Find pairs (i < j) of texts that share at least this much of their content words.

    Texts with the very same content words are each paired with the first of them only, so that
    the work stays linear. Others are joined by prefix filtering (Bayardo et al. 2007): a text is
    compared with at most `MOST_CANDIDATES` of those that share one of its rarest words, and paired
    with at most `MOST_MATCHES`; where a template is repeated more often, some pairs are not found.
    """
    wordings = _canonical([read_wording(text) for text in texts])
    pairs: Pairs = []
    firsts: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for i, wording in enumerate(wordings):
        same = firsts[wording.numbers, wording.negations, wording.asks, wording.words]
        for j in same:
            if agree(wordings[j], wording):
                pairs.append((j, i, 1.0))
                break
        else:
            if len(same) < MOST_CANDIDATES:
                same.append(i)
    fewest = 1 / (1 - threshold) if threshold < 1 else float("inf")
    several = [
        i for same in firsts.values() for i in same[:1] if len(wordings[i].words) >= fewest - 1e-9
    ]
    pairs += _join(several, wordings, threshold)
    return pairs


def _join(several: Sequence[int], wordings: Sequence["Wording"], threshold: float) -> Pairs:
    """The pairs among these wordings, no two of them equal, that reach the threshold."""
    often = Counter(word for i in several for word in wordings[i].words)
    seen: dict[tuple[object, ...], list[int]] = defaultdict(list)
    pairs: Pairs = []
    for i in sorted(several, key=lambda i: len(wordings[i].words)):
        one = wordings[i]
        size = len(one.words)
        rarest = sorted(one.words, key=lambda word: (often[word], word))
        prefix = rarest[: size - ceil(threshold * size - 1e-9) + 1]
        places = [seen[one.numbers, one.negations, word] for word in prefix]
        met = dict.fromkeys(islice((j for at in places for j in reversed(at)), MOST_CANDIDATES * 4))
        close = []
        for j in islice(met, MOST_CANDIDATES):
            common = len(one.words & wordings[j].words)
            similarity = common / (size + len(wordings[j].words) - common)
            if similarity >= threshold - 1e-9:
                close.append((similarity, j))
        close.sort(reverse=True)
        agreeing = (
            (min(i, j), max(i, j), similarity)
            for similarity, j in close
            if one.asks == wordings[j].asks and agree(one, wordings[j])
        )
        pairs += islice(agreeing, MOST_MATCHES)
        for at in places:
            at.append(i)
    return pairs


def _find_by_meaning(
    texts: Sequence[str],
    said_to: Mapping[int, set[int]],
    clusters: Sequence[int],
    judge: Judge,
    progress: Progress,
) -> Pairs:
    """Pairs of different clusters that the judge finds close and whose details agree."""
    firsts = sorted(set(clusters))
    wordings = {i: read_wording(texts[i]) for i in firsts if judge.can_judge(texts[i])}
    details = Counter((w.numbers, w.negations) for w in wordings.values())
    those = [i for i, w in wordings.items() if details[w.numbers, w.negations] > 1]
    chosen = [texts[i] for i in those]
    candidates = None
    if len(chosen) > MOST_COMPARED:
        candidates = [(i, j) for i, j, _ in find_near(chosen, threshold=WORTH_JUDGING)]
    close = judge.close_pairs(
        chosen, candidates=candidates, threshold=SAME_ANSWER_MEANING, progress=progress
    )
    answers: dict[int, set[int]] = defaultdict(set)
    for question, cluster in enumerate(clusters):
        answers[cluster] |= said_to[question]
    told = Counter(answer for all_of_one in answers.values() for answer in all_of_one)
    pairs = []

    def names(i: int, j: int) -> set[str]:
        return _name_words(texts[i]) | _name_words(texts[j])

    for a, b, similarity in close:
        i, j = those[a], those[b]
        shared = answers[i] & answers[j]
        alike = any(told[answer] <= FEW_WORDINGS for answer in shared)
        enough = SAME_ANSWER_MEANING if alike else QUESTION_MEANING
        one, other = wordings[i], wordings[j]
        asks = not (one.asks and other.asks) or one.asks == other.asks
        if not shared and (one.words ^ other.words) & names(i, j):
            continue  # a Gold card and a Platinum card, told apart by their answers
        if similarity >= enough and asks and agree(one, other):
            pairs.append((i, j, similarity))
    return pairs


def _distinct(texts: Iterable[str]) -> tuple[list[str], list[int]]:
    """The texts that are not equal once normalised, and which of them each text is."""
    index: dict[str, int] = {}
    kept: list[str] = []
    which: list[int] = []
    for text in texts:
        key = normalise(text)
        if key not in index:
            index[key] = len(kept)
            kept.append(text)
        which.append(index[key])
    return kept, which


class Wording(NamedTuple):
    """What two texts are compared by: details that must agree, and content words.

    `towards` are the content words that follow each word of direction.
    """

    numbers: tuple[str, ...]
    negations: int
    asks: frozenset[str]
    words: frozenset[str]
    towards: dict[str, frozenset[str]]


def agree(one: Wording, other: Wording) -> bool:
    """Whether numbers, negation and direction of two texts agree, and no word is an opposite."""
    if (one.numbers, one.negations) != (other.numbers, other.negations):
        return False
    for mark, there in one.towards.items():
        for mark2, there2 in other.towards.items():
            if mark == mark2 and not (there <= there2 or there2 <= there):
                return False
            if mark != mark2 and there == there2 and mark2 not in one.towards:
                return False
    left, right = one.words - other.words, other.words - one.words
    return not any(_opposite(a, b) for a in left for b in right) if len(left) < 10 else True


def read_wording(text: str) -> Wording:
    """Take a text apart into the details and the content words that it is compared by."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    tokens = _tokens(folded)
    language = _language(tokens)
    empty, asking, marks = _FUNCTION[language], _ASKING[language], _TOWARDS[language]
    follow = 2 if language in ("fr", "es", "it", "pt", "zh") else 1  # where a name comes last
    numbers = [_number(found) for found in _NUMBER.findall(folded)]
    asks: set[str] = set()  # the first question word; how is none
    words: list[str] = []
    led: dict[str, list[str]] = {}
    negations, mark, before = 0, "", ""
    for token in tokens:
        if token in _NEGATION:
            negations += 1
        elif language == "en" and token in _COUNTED:
            numbers.append(_COUNTED[token])
        elif token in asking:
            if not asks:
                asks = {asking[token]}
        else:
            if token not in empty:
                words.append(_stem(token, language))
                if mark and len(led[mark]) < follow:
                    led[mark].append(words[-1])
            if token in marks and (token != "to" or before not in _WANTING | empty | {*asking}):
                mark = token
                led[mark] = []
        before = token
    towards = {mark: frozenset(there) for mark, there in led.items() if there}
    every = frozenset(words or tokens)
    return Wording(tuple(sorted(numbers)), negations, frozenset(asks - {""}), every, towards)


def _name_words(text: str) -> set[str]:
    """The stems of words that are capitalised within an English text, where not most are."""
    words = text.split()[1:]
    capital = [word for word in words if word[:1].isupper()]
    if 2 * len(capital) > len(words) + 2:
        return set()
    return {_stem(token, "en") for token in _tokens(" ".join(capital).casefold())}


def speaks_english(text: str) -> bool:
    """Whether a text seems to be English: ASCII letters, and no other language's small words."""
    letters = [char for char in text if char.isalpha()]
    ascii_letters = sum(char.isascii() for char in letters)
    return (
        bool(letters)
        and ascii_letters >= 0.95 * len(letters)
        and _language(_tokens(text.casefold())) == "en"
    )


def _tokens(folded: str) -> list[str]:
    if not folded.isascii():
        folded = _A_NOT_A.sub(r"\1", _SILENT.sub("", folded.replace("\u2019", "'")))
    folded = _NOT.sub(" not", folded.replace("cannot", "can not"))
    tokens: list[str] = []
    for token in normalise(folded).split():
        if token.isascii() and token.isalpha():
            tokens.append(token)
        elif not token.isascii() and _UNSPACED.search(token):
            tokens += [part for part in _PARTS.findall(token) if not part.isdecimal()]
        elif word := "".join(char for char in token if not char.isdecimal()):
            tokens.append(word)
    return tokens


def _language(tokens: Sequence[str]) -> str:
    """The language whose function words are most among these, English in doubt."""
    if 2 * sum(_UNSPACED.match(token) is not None for token in tokens[:60]) > len(tokens[:60]):
        return "zh"
    hits = Counter(language for token in tokens[:60] for language in _LANGUAGES.get(token, ()))
    return max(_FUNCTION, key=lambda language: hits[language])


@lru_cache(maxsize=200_000)
def _stem(word: str, language: str) -> str:
    """Cut off what inflects a word; careful rather than complete, and no change for most scripts.

    A participle in -ed stays apart, for "is my card blocked" does not ask to block it.
    """
    if language != "en":
        if language not in _INFLECTED:
            return word
        ending = _ENDING.search(word)
        return word[: ending.start()] if ending else word
    if not word.isascii() or len(word) < 4:
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]
    if word.endswith("ing") and any(vowel in word[:-3] for vowel in "aeiouy"):
        word = word[:-3]
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word


def _number(found: str) -> str:
    """One spelling for a number: 1,000 and 1.000 are 1000; 5.00 and 5 are 5."""
    first, *rest = re.split(r"[.,]", found[:4000])  # Python refuses to read longer numbers
    if rest and first != "0" and all(len(part) == 3 for part in rest):
        return str(int(first + "".join(rest)))
    if len(rest) == 1:
        rest[0] = rest[0].rstrip("0")
    return ".".join([str(int(first)), *filter(None, rest)])


def _canonical(wordings: Sequence[Wording]) -> list[Wording]:
    """The wordings with each seldom word that looks like a mistyped other one put right.

    Mistyped is a word of five letters or more, seen in at most two texts, one letter (or two
    swapped ones) away from a word as frequent: not its first letter, for "million" is not
    "billion", nor another last one, for a payer is no payee. A word with many such neighbours is
    one of a family of names and stays.
    """
    often = Counter(word for wording in wordings for word in wording.words)
    shorter: dict[str, list[str]] = defaultdict(list)
    for word in often:
        if 5 <= len(word) <= 24 and word.isalpha() and not _UNSPACED.search(word):
            for variant in {word[:at] + word[at + 1 :] for at in range(1, len(word))} | {word}:
                shorter[variant].append(word)
    near: dict[str, set[str]] = defaultdict(set)
    for family in shorter.values():
        if 2 <= len(family) <= 4:
            for one in family:
                near[one].update(other for other in family if _mistyped(one, other))
        elif len(family) > 4:
            for one in family:
                near[one].update(family[:5])  # too many: a family of names
    right: dict[str, str] = {}
    for word in sorted(near, key=lambda word: (often[word], word)):
        others = near[word] - {word}
        if often[word] <= 2 and 1 <= len(others) <= 3:
            best = max(others, key=lambda other: (often[other], other))
            if (often[best], best) > (often[word], word) and best not in right:
                right[word] = best
    if not right:
        return list(wordings)
    return [_correct(w, right) if not right.keys().isdisjoint(w.words) else w for w in wordings]


def _correct(wording: Wording, right: Mapping[str, str]) -> Wording:
    towards = {
        mark: frozenset(right.get(word, word) for word in there)
        for mark, there in wording.towards.items()
    }
    words = frozenset(right.get(word, word) for word in wording.words)
    return wording._replace(words=words, towards=towards)


def _mistyped(one: str, other: str) -> bool:
    last = len(one) == len(other) and one[:-1] == other[:-1]
    return one != other and not last and OSA.distance(one, other, score_cutoff=1) == 1


def _opposite(one: str, other: str) -> bool:
    """Whether two words mean the reverse by a prefix, or are a pair people ask about in turns."""
    short, long = sorted((one, other), key=len)
    if long.endswith(short) and len(short) > 2 and long[: -len(short)] in _REVERSING:
        return True
    return frozenset((one, other)) in _OPPOSITES


_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NOT = re.compile(r"n't\b")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff]")
_PARTS = re.compile(f"{_UNSPACED.pattern}|[^{_UNSPACED.pattern[1:]}+")
_ENDING = re.compile(r"(?<=.{4})(?:en|em|er|es|e|s|n|x)$")
_SILENT = re.compile(
    "怎么样|怎么|怎麼|怎样|如何|请问|請問|でしょうか|ですか|ますか|です|ます|ください"
)
_A_NOT_A = re.compile(r"([能可会會是有要])不\1")
_INFLECTED = frozenset({"de", "fr", "es", "it", "pt", "nl", "sv"})
_REVERSING = frozenset({"un", "de", "dis", "in", "im", "ir", "il", "non", "re", "mis"})


def _read_words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEGATION = _read_words(
    "not no non never none nobody nothing neither nor except unless without nicht kein keine "
    "keinen keinem keiner keines nie niemals ohne pas jamais aucun aucune sans nunca jamás sin "
    "ningún ninguna ninguno niet geen nooit zonder mai senza não nem sem inte aldrig utan не нет "
    "без 不 没 沒 无 無 未 非 别"
)
_NAMES = _read_words(
    "first second third monday tuesday wednesday thursday friday saturday sunday january february "
    "march april june july august september october november december"
)
_NUMERALS = "2 two 3 three 4 four 5 five 6 six 7 seven 8 eight 9 nine 10 ten 11 eleven 12 twelve"
_COUNTED = {name: name for name in _NAMES} | {f"{n}s": n for n in _NAMES if n.endswith("day")}
_COUNTED |= {word: _NUMERALS.split()[at - 1] for at, word in enumerate(_NUMERALS.split()) if at % 2}
# "to" after these, or after a function word, is no direction
_WANTING = _read_words("want need have like able possible wish try going allowed required order")
_TOWARDS = {
    "en": _read_words("from to into onto on before after than until"),
    "de": _read_words("von vom nach auf aus vor"),
    "fr": _read_words("vers depuis avant après"),
    "es": _read_words("desde hasta hacia a antes después"),
    "it": _read_words("da dal dalla verso prima dopo"),
    "pt": _read_words("desde até antes depois"),
    "nl": _read_words("van naar voor na"),
    "sv": _read_words("från till före efter"),
    "ru": _read_words("из от до после"),
    "zh": _read_words("从 從 到 至 往 向 转 轉 换 換 成"),
}
_OPPOSITES = {
    frozenset(_stem(word, "en") for word in pair.split("/"))
    for pair in _read_words(
        "minimum/maximum debit/credit debited/credited open/close opening/closing buy/sell "
        "deposit/withdraw deposit/withdrawal domestic/international inland/foreign lend/borrow "
        "savings/current local/national hypertension/hypotension increase/decrease "
        "include/exclude included/excluded import/export incoming/outgoing inbound/outbound "
        "fixed/variable fixed/floating male/female minor/senior child/adult children/adults "
        "new/used new/old start/stop begin/end before/after upper/lower high/low raise/lower "
        "early/late send/receive sender/recipient prepaid/postpaid employer/employee buyer/seller "
        "tenant/landlord day/night morning/evening weekly/monthly monthly/yearly weekly/daily "
        "daily/monthly physical/virtual primary/secondary"
    )
}
_FUNCTION = {
    "en": _read_words(
        "a an the is are am was were be been being do does did done can could may might will would "
        "shall should has had have i me my mine we us our ours you your yours he she it its they "
        "them their this that these those there here of in on at for by with from to into onto and "
        "or so if as s t ll ve re m d please kindly any some one ones just also too then upon "
        "about per such during while possible"
    ),
    "de": _read_words(
        "der die das den dem des ein eine einen einem einer eines ist sind war waren bin sein wird "
        "werden kann können könnte darf dürfen soll sollte muss müssen habe hat haben ich mich mir "
        "mein meine meinen meinem meiner meines wir uns unser unsere sie ihr ihre ihren ihnen "
        "ihrem es er man in im ins am an für bei mit zu zum zur und oder von vom auf aus als denn "
        "bitte so auch noch nun dann dieser diese dieses diesen etwas einfach"
    ),
    "fr": _read_words(
        "le la les l un une des du de d au aux à en dans sur pour par avec et ou est sont suis "
        "être ai a ont avoir peut peux puis pouvez pouvons dois doit je j me m mon ma mes nous "
        "notre nos vous votre vos il elle ils elles on se s son sa ses leur leurs ce cet cette ces "
        "c qu que y ne n t si svp vers"
    ),
    "es": _read_words(
        "el la los las lo un una unos unas de del al a en por para con y o es son soy ser estar "
        "está están puedo puede pueden podemos debo debe yo me mi mis nosotros nuestro nuestra su "
        "sus tu tus usted ustedes se le les que este esta estos estas ese esa favor posible si"
    ),
    "it": _read_words(
        "il lo la i gli le l un uno una di del della dei delle d a al alla in nel nella su per con "
        "e o è sono posso può possono devo io mi mio mia miei mie noi nostro vostro si che questo "
        "questa se ci da dal dalla"
    ),
    "pt": _read_words(
        "o a os as um uma de do da dos das em no na nos nas por para com e ou é são posso pode "
        "podem devo eu me meu minha meus minhas nós nosso seu sua seus suas se que este esta isso"
    ),
    "nl": _read_words(
        "de het een is zijn ben was kan kun kunnen mag moet ik mij me mijn wij we ons onze u uw je "
        "jouw jullie ze er in op aan voor met te en of om van bij dit dat deze die"
    ),
    "sv": _read_words(
        "en ett den det de är var vara kan får ska skall måste har jag mig min mitt mina vi oss "
        "vår vårt våra du ni er din ditt dina sig i på av för med att och eller om till som"
    ),
    "ru": _read_words(
        "я мне мой моя моё мои моего мою мы нам наш вы вам ваш ли и или в во на с со у"  # noqa: RUF001
    ),
    "zh": frozenset("的了吗嗎呢啊呀吧么麼我你您们們请請一个個是有可以能会會要想需"),
}
# In the order of _QUESTIONS; the words of one kind are joined by "/".
_QUESTIONS = ("", "what", "when", "where", "who", "why")
_ASKED = {
    "en": "how what/which/whats when where who/whom/whose why",
    "de": "wie was/welche/welcher/welches/welchen wann wo/wohin wer/wem/wen warum/wieso/weshalb",
    "fr": "comment quel/quelle/quels/quelles/quoi quand où qui pourquoi",
    "es": "cómo/como qué/cuál/cuáles/cual cuándo/cuando dónde/donde quién/quien porqué",
    "it": "come cosa/quale/quali quando dove chi perché",
    "pt": "como qual/quais quando onde quem porquê",
    "nl": "hoe wat/welke wanneer waar wie waarom",
    "sv": "hur vad/vilken/vilka/vilket när var vem varför",
    "ru": "как что/какой/какая/какие когда где кто почему",
    "zh": "",
}
_ASKING = {
    language: {
        word: kind
        for kind, words in zip(_QUESTIONS, asked.split(), strict=False)
        for word in words.split("/")
    }
    for language, asked in _ASKED.items()
}
_LANGUAGES = {
    word: tuple(name for name in _FUNCTION if word in _FUNCTION[name] or word in _ASKING[name])
    for language in _FUNCTION
    for word in (*_FUNCTION[language], *_ASKING[language])
}
