"""Turn the findings about a corpus into what step 1 shows. Pure functions; no components.

Whatever a corpus says is escaped before it becomes HTML.
"""

from collections.abc import Mapping
from html import escape

from assistant.ui.corpus_view import shorten
from trainer.corpus.findings import Audit, Choice, Item, Problem
from trainer.corpus.slant import Group, Mentions

MOST_GROUPS = 12
CHOICES: Mapping[Choice, tuple[str, str]] = {
    "merge": ("Give them one answer", "all get the answer that stands first"),
    "mask": ("Mask", "the personal data becomes a placeholder, the rest stays"),
    "drop": ("Drop", "these examples are left out of the next version"),
    "keep": ("Keep as it is", "it is right so; it will not be listed again"),
}
_LANGUAGES = {
    "ar": "Arabic", "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian",
    "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch", "no": "Norwegian", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian",
    "sr": "Serbian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_DROPS_REPEATS = ("duplicate", "near-duplicate")
_LEVELS = {"stop": "in the way", "warning": "warning", "note": "for information"}


def problem_title(problem: Problem) -> str:
    """One line for the list of findings."""
    return f"{problem.kind.capitalize()}: {problem.count:,} ({_LEVELS[problem.level]})"


def problem_view(problem: Problem, listed: int) -> str:
    """What a finding means, and which of its items can be seen."""
    more = ""
    if problem.items and problem.count > listed:
        more = (
            f'<p class="quiet">The first {listed} of {problem.count:,} are listed. What you decide '
            "is done to those ticked, or to the listed ones when none is ticked; then the next "
            "ones are listed.</p>"
        )
    elif problem.choices:
        more = '<p class="quiet">What you decide is done to those ticked, or to all.</p>'
    plain = ""
    if problem.items and not problem.choices:
        lines = "".join(f"<li>{escape(item_label(item))}</li>" for item in problem.items[:listed])
        plain = f'<ul class="findings">{lines}</ul>'
    return f"<p>{escape(problem.meaning)}</p>{plain}{more}"


def item_label(item: Item) -> str:
    """Where one thing was found, and what shows it; plain text."""
    return ": ".join(text for text in (shorten(item.where, 80), item.shown) if text)


def choice_label(choice: Choice, problem: Problem) -> str:
    """What a button says; plain text."""
    if choice == "drop" and problem.kind in _DROPS_REPEATS:
        return "Drop all but the first"
    return CHOICES[choice][0]


def choices_view(problem: Problem) -> str:
    """What each button of a finding does, in a line."""
    lines = []
    for choice in (choice for choice in CHOICES if choice in problem.choices):
        does = CHOICES[choice][1]
        if choice == "drop" and problem.kind in _DROPS_REPEATS:
            does = "one of each stays, its repeats are left out of the next version"
        lines.append(f"<b>{escape(choice_label(choice, problem))}</b>: {escape(does)}")
    return f'<p class="quiet">{"; ".join(lines)}.</p>' if lines else ""


def no_findings() -> str:
    """What stands where findings would."""
    return '<div class="empty">Nothing was found that would harm a bot or its scores.</div>'


def languages_view(audit: Audit) -> str:
    """The languages found, the most frequent first."""
    if not audit.languages:
        return ""
    total = max(1, sum(audit.languages.values()))
    told = ", ".join(
        f"{escape(_LANGUAGES.get(language, language))} {n / total:.0%}"
        for language, n in sorted(audit.languages.items(), key=lambda pair: -pair[1])[:8]
    )
    return f'<p class="quiet">Languages, as far as texts are long enough to tell: {told}.</p>'


def mentions_title(mentions: Mentions) -> str:
    """One line for the list of findings; plain text."""
    slanted = sum(bool(group.slanted) for group in mentions.groups)
    some = "1 stands out" if slanted == 1 else f"{slanted} stand out"
    what = some if slanted else "nothing stands out"
    return f"How groups of people are spoken of: {len(mentions.groups)} mentioned, {what}"


def mentions_view(mentions: Mentions | None) -> str:
    """Which groups of people are mentioned how often, beside which words, and how sure that is."""
    if mentions is None or not mentions.groups:
        return ""
    rows = "".join(
        f"<tr><th>{escape(group.name)}</th><td>{group.in_questions:,}</td>"
        f"<td>{group.in_answers:,}</td><td>{escape(str(group.examples))}</td>"
        f"<td>{_beside(group)}</td></tr>"
        for group in mentions.groups[:MOST_GROUPS]
    )
    more = len(mentions.groups) - MOST_GROUPS
    rows += f'<tr><td colspan="5">and {more} more</td></tr>' if more > 0 else ""
    told = "".join(f"<li>{escape(sentence)}</li>" for sentence in mentions.told)
    told = told or "<li>No group has slanted words beside it more often than any word has.</li>"
    return (
        f'<ul class="findings">{told}</ul>'
        '<div class="sheet"><table><thead><tr><th>Group</th><th>Questions</th><th>Answers</th>'
        "<th>Share of examples</th><th>Slanted words beside it</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
        f'<p class="quiet">{escape(mentions.limits)} Languages seen: '
        f"{escape(', '.join(_LANGUAGES.get(c, c) for c in mentions.languages) or 'none')}.</p>"
    )


def _beside(group: Group) -> str:
    told = []
    for slant, share in group.beside.items():
        if share.count:
            words = ", ".join(f"{word} {n}" for word, n in group.words.get(slant, ())[:3])
            told.append(f"{slant} {share.count:,} of {share.of:,} ({words})")
    return escape("; ".join(told)) or "none"
