"""Turn what is known of a corpus into what step 1 shows. Pure functions; no components.

Whatever a corpus says (texts, topics, names of files, sheets and columns) is escaped before it
becomes HTML.
"""

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from assistant.ui.theme import PILES
from trainer.corpus.cleaning import STEPS
from trainer.corpus.examples import Example
from trainer.corpus.findings import Audit, Ready
from trainer.corpus.library import Corpus
from trainer.corpus.mapping import Task
from trainer.corpus.origin import CleaningStep, ReadPart
from trainer.corpus.table import Cell

if TYPE_CHECKING:  # transformers takes seconds
    from trainer.rendering import Rendered

_BADGES: dict[Ready, tuple[str, str]] = {
    "ready": ("✓", "Ready to tune on"),
    "ready with warnings": ("!", "Ready, with warnings"),
    "not ready": ("✕", "Not ready"),
}
_ASKED = {
    "train": "taught",
    "validation": "watched while tuning",
    "reworded": "asked at the end: their answers were taught in other words",
    "unseen": "asked at the end: nobody taught their answers",
    "test": "asked at the end: not taught",
}


def corpus_lead(corpus: Corpus) -> str:
    """Whether it is ready, what was read from where, and three of its examples."""
    origin, audit = corpus.origin, corpus.audit
    files = _list([f"<i>{escape(upload.file)}</i>" for upload in origin.uploads], most=4)
    kind = "texts with labels" if origin.task == "labels" else "questions"
    if origin.change.startswith("read from"):
        lead = f"I read <b>{origin.examples:,} {kind}</b> from {files}"
    else:
        lead = f"Version {corpus.version} holds <b>{origin.examples:,} {kind}</b>: "
        lead += f"{escape(origin.change)}. Read from {files}"
    if len(origin.parts) == 1:
        part = origin.parts[0]
        sheet = part.name.rpartition(" / ")[2]
        lead += f", {escape(sheet)}" if sheet and sheet != part.file else ""
        if columns := _columns(part, origin.task):
            lead += f": {columns}"
    else:
        lead += f", in {len(origin.parts)} parts"
    check = ""
    if not all(part.sure for part in origin.parts):
        check = (
            '<p class="check">I am not sure of these columns. Please check the examples below, '
            "and choose others under <b>Read it differently</b> if they are wrong.</p>"
        )
    return (
        f'<div class="reading">{_badge(audit)}<p class="lead">{lead}.</p>{check}'
        f"{_parts(origin.parts, origin.task)}{_notes(origin.notes, origin.cleaning)}"
        f"{_three(corpus.examples)}</div>"
    )


def trouble_view(said: str, *, columns: bool, still: str = "") -> str:
    """Why an upload could not be read, where the eye is, and what to do."""
    how = " Say below which column holds the question and which the answer." if columns else ""
    same = f'<p class="quiet">Nothing was changed; {escape(still)} is still shown.</p>'
    return (
        f'<div class="failed"><p class="lead">{escape(said)}{how}</p>{same if still else ""}</div>'
    )


def split_view(corpus: Corpus) -> str:
    """Who is taught and who is asked, as a picture, and how questions were told apart."""
    sizes = corpus.split.sizes()
    total = max(1, sum(sizes.values()))
    bar = "".join(
        f'<i style="width:{100 * n / total:.2f}%;background:{PILES[pile]}"></i>'
        for pile, n in sizes.items()
    )
    piles = "".join(
        f'<div class="pile"><em style="background:{PILES[pile]}"></em> <b>{n:,} {pile}</b>'
        f'<br><span class="quiet">{_ASKED[pile]}</span></div>'
        for pile, n in sizes.items()
    )
    why = (
        "<p>Two kinds of test: <b>reworded</b> questions show whether the bot understands other "
        "words for what it was taught, <b>unseen</b> ones whether it says more than it knows.</p>"
    )
    if corpus.origin.task == "labels":
        why = "<p>Every label is dealt out in the same shares.</p>"
    elif not sizes.get("reworded"):
        why = (
            '<p>No answer here has two wordings, so "does it know the answer in other words?" '
            "cannot be measured. Add some under <b>Other wordings</b>.</p>"
        )
    told = escape(corpus.neighbours.told)
    if corpus.origin.choices.leak_check:
        leak = f"Questions were compared {told}; those that say the same stay on one side."
    else:
        leak = "Dealt at random, without a leak check: the scores will flatter."
    return (
        f'<h3>Who is taught, who is asked</h3><div class="bar tall">{bar}</div>'
        f'<div class="piles">{piles}</div>{why}<p class="quiet">{leak}</p>'
    )


def preview_view(
    title: str, columns: Sequence[str], rows: Sequence[tuple[int, Sequence[Cell]]]
) -> str:
    """The first rows of a table as the file has them."""
    head = "".join(f"<th>{escape(shorten(name, 40))}</th>" for name in columns)
    body = "".join(
        f"<tr><th>{number}</th>"
        + "".join(f"<td>{escape(shorten(_cell(cell), 90))}</td>" for cell in cells)
        + "</tr>"
        for number, cells in rows
    )
    return (
        f'<p class="quiet">The first rows of <i>{escape(title)}</i> as they stand there</p>'
        f'<div class="sheet"><table><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def cleaning_view(steps: Iterable[CleaningStep]) -> str:
    """What each step of the cleaning did, with what stood there before and after."""
    did = [step for step in steps if step.changed or step.dropped]
    if not did:
        return '<p class="quiet">Nothing had to be cleaned.</p>'
    titles = {step.name: step.title for step in STEPS}
    told = ""
    for step in did:
        counts = [f"{step.changed:,} changed"] * bool(step.changed)
        counts += [f"{step.dropped:,} left out"] * bool(step.dropped)
        samples = "".join(
            f"<tr><th>{row}</th><td><del>{escape(shorten(before, 160))}</del></td>"
            f"<td>{escape(shorten(after, 160)) or '<i>left out</i>'}</td></tr>"
            for row, before, after in step.samples[:3]
        )
        told += f"<p><b>{escape(titles.get(step.name, step.name))}</b>: {', '.join(counts)}</p>"
        told += f'<div class="sheet"><table>{samples}</table></div>' if samples else ""
    return told


def rendered_view(rendered: "Rendered") -> str:
    """One example in the template: what is read, what is taught, what is cut."""
    taught = f'<mark class="taught">{escape(rendered.taught)}</mark>' if rendered.taught else ""
    cut = f"<del>{escape(rendered.cut)}</del>" if rendered.cut else ""
    if not rendered.tokens_taught:
        told = "Nothing of the answer fits, so nothing would be taught. Allow more tokens."
    else:
        told = f"{rendered.tokens:,} tokens; {rendered.tokens_taught:,} of them are taught"
        told += ", the struck ones are cut off." if rendered.cut else "."
    return (
        f'<pre class="rendered"><span>{escape(rendered.read)}</span>{taught}{cut}</pre>'
        f'<p class="quiet">Read: plain. <mark class="taught">Taught</mark>: marked. {told}</p>'
    )


def versions_view(versions: Sequence[Corpus]) -> str:
    """Every version, the newest first, with what changed."""
    rows = "".join(
        f"<tr><th>{c.version}</th><td>{c.origin.created.astimezone():%Y-%m-%d %H:%M}</td>"
        f"<td>{c.origin.examples:,}</td><td>{escape(c.origin.change)}</td></tr>"
        for c in reversed(versions)
    )
    return (
        '<div class="sheet"><table><thead><tr><th>Version</th><th>When</th><th>Examples</th>'
        f"<th>What changed</th></tr></thead><tbody>{rows}</tbody></table></div>"
        f'<p class="quiet">Checksum of the shown one: '
        f"<code>{escape(versions[-1].origin.examples_sha256[:16])}</code></p>"
    )


def version_choices(versions: Sequence[Corpus]) -> list[tuple[str, int]]:
    """The former versions, the newest first, as (shown, number)."""
    return [
        (f"{c.version}: {c.origin.examples:,} examples, {shorten(c.origin.change, 60)}", c.version)
        for c in reversed(versions[:-1])
    ]


def corpus_commands(corpus: Corpus) -> str:
    """The commands that do what this step does."""
    name = corpus.name
    files = " ".join(shlex.quote(upload.file) for upload in corpus.origin.uploads) or "FILE"
    given = corpus.origin.choices
    options = f" --map task={given.task}" if given.task else ""
    one = next(iter(given.mapping.values()), None) if len(given.mapping) == 1 else None
    for role in ("question", "answer", "topic", "context") if one else ():
        if column := getattr(one, role):
            options += f" --map {shlex.quote(f'{role}={column}')}"
    options += "".join(f" --keep {shlex.quote(step)}" for step in given.off)
    return (
        f"tandem corpus inspect {files}{options}\n"
        f"tandem corpus import {files} --name {name}{options}\n"
        "tandem corpus list\n"
        f"tandem corpus export {corpus.label} {name}.csv\n"
        f"tandem corpus rename {name} NEW\n"
        f"tandem corpus merge {name} OTHER\n"
        f"tandem corpus delete {name}"
    )


def topics_of(examples: Sequence[Example], task: Task) -> Counter[str]:
    """How often each topic stands there; for labels, each label."""
    topics = Counter(e.answer if task == "labels" else e.topic for e in examples)
    topics.pop("", None)
    return topics


def _badge(audit: Audit) -> str:
    mark, words = _BADGES[audit.ready]
    kind = audit.ready.replace(" ", "-")
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in audit.reasons[:3])
    more = len(audit.reasons) - 3
    reasons += f"<li>and {more} more, below</li>" if more > 0 else ""
    listed = f'<ul class="findings">{reasons}</ul>' if reasons else ""
    return (
        f'<div class="badge {kind}"><b><span aria-hidden="true">{mark}</span> {words}</b>'
        f"{listed}</div>"
    )


def _columns(part: ReadPart, task: Task) -> str:
    mapping = part.mapping
    if part.unit != "row" and (mapping.question, mapping.answer) == ("question", "answer"):
        return ""  # a document has no columns; the reader called them so
    answer = "label" if task == "labels" else "answer"
    question = "text" if task == "labels" else "question"
    told = f"{question} in <i>{escape(mapping.question)}</i>, "
    told += f"{answer} in <i>{escape(mapping.answer)}</i>"
    if mapping.topic:
        told += f", topic in <i>{escape(mapping.topic)}</i>"
    if mapping.wordings:
        told += f", other wordings in <i>{escape(', '.join(mapping.wordings))}</i>"
    if mapping.context:
        told += f", with <i>{escape(mapping.context)}</i> put in front"
    return told


def _parts(parts: Sequence[ReadPart], task: Task) -> str:
    if len(parts) < 2:
        return ""
    lines = "".join(
        f"<li><b>{escape(part.name or part.file)}</b>: "
        f"{', '.join(filter(None, (f'{part.pairs:,}', _columns(part, task))))}</li>"
        for part in parts[:20]
    )
    more = f"<li>and {len(parts) - 20} more</li>" if len(parts) > 20 else ""
    return f'<ul class="findings">{lines}{more}</ul>'


def _notes(notes: Sequence[str], cleaning: Iterable[CleaningStep]) -> str:
    left_out = sum(step.dropped for step in cleaning)
    told = [escape(note) for note in notes[:8]]
    if len(notes) > 8:
        told.append(f"and {len(notes) - 8} more notes of this kind")
    if left_out:
        told.append(f"{left_out:,} left out by the cleaning; see <b>Read it differently</b>.")
    lines = "".join(f"<li>{note}</li>" for note in told)
    return f'<ul class="findings notes">{lines}</ul>' if lines else ""


def _three(examples: Sequence[Example]) -> str:
    """A few examples from all over the file, not only its first rows."""
    chosen = examples[:: max(1, len(examples) // 3)][:3]
    pairs = "".join(
        f'<div class="pair"><b>{escape(shorten(e.question, 240))}</b>'
        f"{escape(shorten(e.answer, 240))}"
        + (f'<br><span class="quiet">{escape(shorten(e.topic, 60))}</span>' if e.topic else "")
        + "</div>"
        for e in chosen
    )
    return f'<div class="pairs">{pairs}</div>'


def _list(told: Sequence[str], *, most: int) -> str:
    shown = list(told[:most])
    if len(told) > most:
        shown.append(f"{len(told) - most} more files")
    *first, last = shown or ["no file"]
    return f"{', '.join(first)} and {last}" if first else last


def _cell(cell: Cell) -> str:
    return cell if isinstance(cell, str) else " | ".join(cell)


def shorten(text: str, most: int) -> str:
    """A text of at most so many characters, with a mark where it was cut."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
