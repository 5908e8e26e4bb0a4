"""The model card: what an export is, what it was taught, how good it is, and what it is not.

A README.md as the Hub reads it. Of the corpus it says how large it is, and nothing of what it says.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import yaml
from huggingface_hub import EvalResult, ModelCardData, SpaceCardData

from trainer.bases import find_base
from trainer.bundled import PREFIX, sample_corpora
from trainer.corpus.language import OWN_SHARE, mixed_languages
from trainer.export.checked import Checked
from trainer.export.kinds import MEANINGS, Kind
from trainer.export.usage import usage
from trainer.models import load_format
from trainer.report import Report
from trainer.runs import Run
from trainer.suggested import SUGGESTED
from trainer.verdict import NAMES, verdict

NOT_STATED = "not stated"
_LIBRARIES = {"adapter": "peft", "merged": "transformers", "gguf": "gguf", "4bit": "peft"}
_LEFT_OUT = {"base", "corpus", "version", "continues", "frozen_weights", "report_to", "evaluate"}


def write_card(run: Run, kind: Kind, folder: Path, checked: Checked) -> None:
    """Write the README.md of an export."""
    (folder / "README.md").write_text(card(run, kind, checked), encoding="utf-8")


def card(run: Run, kind: Kind, checked: Checked) -> str:
    """The model card as text: what the Hub reads on top, what a person reads below."""
    evaluation = run.evaluation()
    report = evaluation.report() if evaluation else None
    parts = [
        f"---\n{_metadata(run, kind, report)}\n---",
        f"# {run.config.corpus}, answered by {run.config.base}",
        f"A chat model that was tuned with Tandem on a list of questions and approved answers. "
        f"This is {MEANINGS[kind]}.",
        *_section("How to use it", usage(run, kind)),
        *_section("Does it answer like the preview?", _bullets(checked.sentences)),
        *_section("Does it help?", _scores(report)),
        *_section("What it was taught", _taught(run)),
        *_section("What it is not", _bullets(_limits(run))),
        *_section("Licences", _bullets(_licences(run))),
        *_section("Settings", _settings(run)),
    ]
    return "\n\n".join(parts) + "\n"


def licence_of_base(base: str) -> str:
    """The licence of a base as its own card states it, or the list of suggested bases."""
    known = next((s.licence for s in SUGGESTED if s.hub_id == base), NOT_STATED)
    return _stated_licence(base) or known


def _metadata(run: Run, kind: Kind, report: Report | None) -> str:
    """What the Hub shows beside a model and searches by."""
    base = run.config.base
    tags = ["tandem", "question-answering"]
    if kind == "space":
        space = SpaceCardData(
            title=run.config.corpus,
            sdk="gradio",
            sdk_version=version("gradio"),
            python_version="3.11",
            app_file="app.py",
            license=_stated_licence(base),
            models=None if _is_local(base) else [base],
            tags=tags,
        )
        return space.to_yaml().strip()
    results = [
        EvalResult(
            task_type="text-generation",
            dataset_type="private",
            dataset_name=run.corpus.label,
            dataset_split=asked,
            metric_type=report.primary,
            metric_name=NAMES[report.primary],
            metric_value=round(score, 4),
        )
        for asked in (report.kinds if report else ())
        if report and (score := report.score(asked, "tuned")) is not None
    ]
    counts = mixed_languages(run.corpus.examples).counts
    spoken = sorted(name for name, n in counts.items() if n >= OWN_SHARE * sum(counts.values()))
    data = ModelCardData(
        base_model=None if _is_local(base) else base,
        language=spoken or None,
        library_name=_LIBRARIES[kind],
        license=_stated_licence(base),
        model_name=run.id,
        pipeline_tag="text-generation",
        tags=[*tags, "lora" if kind in ("adapter", "4bit") else kind],
        eval_results=results or None,
    )
    return data.to_yaml().strip()


def _scores(report: Report | None) -> str:
    if report is None:
        return "Nobody has scored it."
    rows = [
        f"| {asked}, {len(report.of(asked))} | {who} | {score:.3f} |"
        for asked in report.kinds
        for who in report.contenders
        if (score := report.score(asked, who)) is not None
    ]
    head = f"| questions | who answers | {NAMES[report.primary]} |\n|---|---|---|"
    judged = f"Judged by {report.embedder} on questions that were not taught."
    return "\n\n".join([_bullets(verdict(report)), "\n".join([head, *rows]), judged])


def _taught(run: Run) -> str:
    corpus, split = run.corpus, run.split
    answers = len({e.answer for e in corpus.examples})
    piles = ", ".join(f"{size:,} {pile}" for pile, size in split.sizes().items())
    return (
        f"The corpus `{corpus.label}`: {len(corpus.examples):,} questions with {answers:,} "
        f"different answers ({piles}). What it says is not part of this card."
    )


def _limits(run: Run) -> Iterator[str]:
    yield "It states what it was taught and makes up the rest: it does not know what it lacks."
    yield (
        "It was taught single questions. With a conversation before them, or a system message, "
        "nobody has measured it."
    )
    yield "A person should read its answers wherever a wrong one does harm."
    yield (
        "Marks of its template that somebody types into a question are letters to Tandem; other "
        "tools take them for the end of the question. Take them out of what strangers ask."
    )
    yield from load_format(run.config.base).notes


def _licences(run: Run) -> Iterator[str]:
    yield f"The base, {run.config.base}: {licence_of_base(run.config.base)}."
    samples = {sha256(file.read_bytes()).hexdigest() for file in sample_corpora().values()}
    ours = {upload.sha256 for upload in run.corpus.origin.uploads} <= samples
    of_corpus = "CC0 1.0, a sample of Tandem's" if ours else NOT_STATED
    yield f"The corpus, {run.corpus.label}: {of_corpus}."
    yield "Whoever passes this model on answers for both."


def _settings(run: Run) -> str:
    settings = run.config.model_dump(exclude=_LEFT_OUT)
    rows = [f"| {name} | {value} |" for name, value in settings.items()]
    return "\n".join(
        ["| setting | value |\n|---|---|", *rows, f"| adapter | `{run.adapter_hash}` |"]
    )


def _section(title: str, text: str) -> tuple[str, str]:
    return f"## {title}", text


def _bullets(sentences: Sequence[str] | Iterator[str]) -> str:
    return "\n".join(f"- {' '.join(_plain(sentence).split())}" for sentence in sentences)


def _plain(text: str) -> str:
    """What a corpus or a model says must not become markup of the card."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "'")


def _is_local(base: str) -> bool:
    return base.startswith(PREFIX) or Path(base).expanduser().is_dir()


def _stated_licence(base: str) -> str | None:
    """The licence by its name on the Hub, where the base's own card has one."""
    readme = find_base(base) / "README.md"
    stated = _front_matter(readme).get("license") if readme.is_file() else None
    return str(stated) if stated else None


def _front_matter(readme: Path) -> dict[str, object]:
    text = readme.read_text(encoding="utf-8", errors="replace")
    if not text.startswith("---"):
        return {}
    try:
        found = yaml.safe_load(text.split("---", 2)[1])
    except (yaml.YAMLError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}
