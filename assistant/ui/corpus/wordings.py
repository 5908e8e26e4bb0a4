"""Other wordings of questions, drafted by the base model and accepted one by one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any

import gradio as gr

from assistant.ui.bar import base_from_page
from assistant.ui.corpus.desk import PROGRESS, Desk, Draft, tell_with
from assistant.ui.errors import shown_to_user
from assistant.ui.wiring import PRIVATE
from trainer.corpus.examples import Example, identify, normalise
from trainer.corpus.library import Corpus
from trainer.errors import CorpusError, ModelError
from trainer.words import duration

MOST_DRAFTED = 100
AT_ONCE = 5  # questions between two looks at how far it is
_WHY = (
    "With one wording an answer, nobody can tell whether the bot understands other words or only "
    "recites. Best are the words real people used: a further column, or a second file merged in. A "
    "model can draft some; **a small one drafts badly**: it drifts from the meaning, so none goes "
    "in unread."
)


def wordings_section(desk: Desk, draft: Draft | None) -> None:
    """Lay out the section and wire it; it hides for a corpus of labels."""
    models = desk.runs.root.parent / "models"
    proposed = gr.State([])  # (id of the example, the other wording)
    with gr.Accordion("Other wordings", open=False) as section:
        gr.Markdown(_WHY, elem_classes="quiet")
        single = gr.HTML()
        with gr.Row(equal_height=False, elem_classes="act"):
            many = gr.Number(10, precision=0, minimum=1, maximum=MOST_DRAFTED, label="Questions")
            start = gr.Button("Draft wordings", min_width=160)
            stop = gr.Button("Stop", visible=False, scale=0, min_width=100)
        told = gr.HTML()
        ticked = gr.CheckboxGroup(
            [], label="Tick those that ask the same", visible=False, elem_classes="items"
        )
        add = gr.Button("Add the ticked ones", variant="primary", visible=False)

    def look(label: str, base: str) -> tuple[Any, ...]:
        """Say how many answers have one wording only; drafts of another corpus are gone."""
        corpus = desk.shown(label)
        if corpus is None or corpus.origin.task == "labels":
            return gr.Accordion(visible=False), "", gr.skip(), [], *_hidden()
        alone = single_wordings(corpus)
        line = f"<p><b>{len(alone):,}</b> answers have one wording only.</p>"
        name = str(base or "the base").rpartition(":")[2].rpartition("/")[2][:40]
        button = gr.Button(f"Draft wordings with {name}", interactive=bool(alone))
        return gr.Accordion(visible=True), line, button, [], *_hidden()

    def draft_wordings(
        label: str, base: str, many: float, progress: gr.Progress = PROGRESS
    ) -> Iterator[tuple[Any, ...]]:
        """Draft wordings of the first questions that have none; the proposals grow as they come."""
        with shown_to_user():
            if draft is None:
                raise ModelError("This page was opened without models, so nothing can be drafted.")
            named, corpus = base_from_page(base, models), desk.to_change(label)
            alone = single_wordings(corpus)[: min(max(1, int(many or 1)), MOST_DRAFTED)]
            if not alone:
                raise CorpusError("Every answer has several wordings already.")
            progress(0, desc="Loading the model and drafting")
            proposals: list[tuple[str, str]] = []
            began = monotonic()
            for done in range(0, len(alone), AT_ONCE):
                some = alone[done : done + AT_ONCE]
                for example, wordings in zip(
                    some, draft(named, [e.question for e in some]), strict=True
                ):
                    proposals += [(example.id, wording) for wording in wordings]
                have = done + len(some)
                left = (monotonic() - began) / have * (len(alone) - have)
                progress(have / len(alone), desc=f"Drafting, {duration(left)} left")
                yield _offer(corpus, proposals, have, len(alone))

    def add_wordings(
        label: str,
        proposals: Sequence[tuple[str, str]],
        ticked: Sequence[int],
        progress: gr.Progress = PROGRESS,
    ) -> tuple[Any, ...]:
        """Add the ticked proposals as examples that are marked as drafted."""
        with shown_to_user():
            corpus = desk.to_change(label)
            if not ticked:
                raise CorpusError("No wording is ticked. Tick those that ask the same.")
            if not all(isinstance(at, int) and 0 <= at < len(proposals) for at in ticked):
                raise CorpusError("That wording is not among the drafts. Draft again.")
            by_id = {e.id: e for e in corpus.examples}
            chosen = [proposals[at] for at in sorted(set(ticked))]
            added = [
                replace(by_id[id_], id="", question=wording, drafted=True)
                for id_, wording in chosen
                if id_ in by_id
            ]
            examples = with_wordings(corpus.examples, added)
            change = f"{len(added):,} drafted wordings added"
            revised = desk.corpora.revise(corpus, examples, change, tell=tell_with(progress))
        gr.Info(f"{change}: version {revised.version}.", title="Added")
        return desk.select(revised)

    drafting = start.click(lambda: gr.Button(visible=True), outputs=stop, **PRIVATE).then(
        draft_wordings,
        [desk.bar.label, desk.bar.base, many],
        [proposed, told, ticked, add],
        api_name="draft_wordings",
        show_progress_on=[told],
    )
    drafting.then(lambda: gr.Button(visible=False), outputs=stop, **PRIVATE)
    stop.click(lambda: gr.Button(visible=False), outputs=stop, cancels=[drafting], **PRIVATE)
    add.click(
        add_wordings,
        [desk.bar.label, proposed, ticked],
        [desk.bar.corpus, desk.bar.label],
        api_name="add_wordings",
        preprocess=False,
        show_progress_on=[told],
    )
    gr.on(
        [*desk.changes, desk.bar.base.change],
        look,
        [desk.bar.label, desk.bar.base],
        [section, single, start, proposed, told, ticked, add],
        **PRIVATE,
    )


def single_wordings(corpus: Corpus) -> list[Example]:
    """The examples whose answer is asked for in one way only."""
    of_answer: dict[int, dict[str, Example]] = defaultdict(dict)
    for example in corpus.examples:
        answer = corpus.neighbours.answers[example.id]
        of_answer[answer].setdefault(normalise(example.question), example)
    return [next(iter(asked.values())) for asked in of_answer.values() if len(asked) == 1]


def with_wordings(examples: Sequence[Example], added: Sequence[Example]) -> tuple[Example, ...]:
    """The examples with further ones, each behind the last that has its answer."""
    behind: dict[str, list[Example]] = defaultdict(list)
    for example in added:
        behind[example.answer].append(example)
    last = {e.answer: at for at, e in enumerate(examples)}
    merged: list[Example] = []
    for at, example in enumerate(examples):
        merged.append(example)
        if last[example.answer] == at:
            merged += behind.pop(example.answer, [])
    return identify(merged)


def _offer(corpus: Corpus, proposals: list[tuple[str, str]], done: int, of: int) -> tuple[Any, ...]:
    asked = {e.id: e.question for e in corpus.examples}
    choices = [
        (f"{wording}  (for: {asked[id_][:120]})", at) for at, (id_, wording) in enumerate(proposals)
    ]
    none = "" if proposals else " None of them is usable; try a larger base."
    line = f'<p class="quiet">{len(choices)} drafts for {done} of {of} questions.{none}</p>'
    some = bool(proposals)
    return (
        proposals,
        line,
        gr.CheckboxGroup(choices=choices, value=[], visible=some),
        gr.Button(visible=some),
    )


def _hidden() -> tuple[Any, ...]:
    return "", gr.CheckboxGroup(choices=[], value=[], visible=False), gr.Button(visible=False)
