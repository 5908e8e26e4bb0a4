"""Turn what is known of a run into what step 2 shows. Pure functions; no components.

Whatever a corpus or a model says is escaped before it becomes HTML.
"""

from collections.abc import Mapping, Sequence
from html import escape

from assistant.ui.present import bar, run_label, sentence
from trainer.ablation import cheapest, measured, notes, table
from trainer.corpus.examples import normalise
from trainer.events import Event, Progress, Resumed, Sampled, Started
from trainer.grid import Ablation
from trainer.runs import Evaluation, Run, Runs
from trainer.words import duration, ending, resumable_step, turn
from trainer.work import State, Work

MOST_EVENTS = 200


def run_view(run: Run | None) -> str:
    """Where a run stands, in words and numbers; with the end of its log when it went wrong."""
    if run is None:
        return (
            '<div class="empty">Nothing has been tuned yet. Choose an FAQ and a base above '
            "and press <b>Start tuning</b>.</div>"
        )
    state, events = run.state(), run.events.read()
    about = f"{escape(run.config.base)} on {escape(run.corpus.label)}"
    if state is State.QUEUED:
        said = sentence(turn(run, Runs(run.path.parent)))
        return (
            f'<p class="lead">{said}</p><p class="quiet">{about}. No page has to stay open for '
            "it.</p>"
        )
    if state in (State.CREATED, State.RUNNING):
        return _at_work(run, events, about)
    said = sentence(ending(run))
    if state in (State.FAILED, State.LOST):
        log = escape(run.last_output())
        tail = f'<p class="quiet">The end of its log:</p><pre class="log">{log}</pre>'
        return f'<div class="failed"><p class="lead">{said}</p>{tail if log else ""}</div>'
    cut = next((e.cut for e in events if isinstance(e, Started)), 0)
    shortened = f" {cut} examples were longer than max_length and were cut." if cut else ""
    return f'<p class="lead">{said}{shortened}</p><p class="quiet">{about}</p>'


def _at_work(run: Run, events: Sequence[Event], about: str) -> str:
    last = next((e for e in reversed(events) if isinstance(e, Progress)), None)
    total = next((e.steps for e in events if isinstance(e, Started)), 0)
    if events and isinstance(events[-1], Resumed):
        return f'<p class="lead"><b>Loading</b>, to go on from step {events[-1].step}.</p>{bar(0)}'
    if last is None or not total:
        return f'<p class="lead"><b>Loading</b> {about}.</p>{bar(0)}'
    asked = " Stopping after this step." if run.stop_asked else ""
    numbers = {
        "step": f"{last.step:,} of {total:,}",
        "examples a second": f"{last.examples_per_second:.1f}",
        "tokens a second": f"{last.tokens_per_second:,.0f}" if last.tokens_per_second else "",
        "memory at most": memory(last.memory) if last.memory else "",
        "learning rate": f"{last.learning_rate:.2g}",
    }
    return (
        f'<p class="lead"><b>{duration(last.seconds_left)} left.</b> Tuning {about}.{asked}</p>'
        f"{bar(last.step / total)}{numbers_view(numbers)}"
    )


def numbers_view(numbers: Mapping[str, str]) -> str:
    """Numbers with what they are; one that is not known is left out."""
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in numbers.items()
        if value
    )
    return f'<dl class="numbers">{cells}</dl>'


def samples_view(run: Run | None) -> str:
    """What the model answers so far to a few validation questions; earlier answers folded."""
    if run is None or run.state() in (State.CREATED, State.QUEUED):
        return ""
    told = [e for e in run.events.read() if isinstance(e, Sampled)]
    if not told:
        if run.state().over or run.config.epochs < 1:
            return ""
        return (
            '<p class="quiet">After each pass over the examples, its answers to three questions '
            "appear here.</p>"
        )
    known = "their answers are taught, in other words"
    if run.split.validation_is != "reworded":
        known = "nobody teaches it their answers: watch the tone, not the facts"
    cards = "".join(_sample(told, place) for place in range(len(told[-1].answers)))
    title = "What it answered as it learnt" if run.state().over else "What it answers so far"
    return (
        f"<h3>{title}</h3><p class='quiet'>Questions it is not taught; {known}."
        f'</p><div class="pairs">{cards}</div>'
    )


def _sample(told: Sequence[Sampled], place: int) -> str:
    question, approved, _ = told[-1].answers[place]
    answers = [(t.step, t.answers[place][2]) for t in told if place < len(t.answers)]
    step, newest = answers[-1]
    same = " ✓ word for word" if normalise(newest) == normalise(approved) else ""
    earlier = "".join(
        f'<p><span class="quiet">step {before}</span> {escape(answer) or "(nothing)"}</p>'
        for before, answer in reversed(answers[:-1])
    )
    folded = f"<details><summary>{len(answers) - 1} earlier</summary>{earlier}</details>"
    return (
        f'<div class="pair"><b>{escape(question)}</b>'
        f'<p class="head"><b class="tuned">◆ Tuned, after step {step}{same}</b></p>'
        f"<p>{escape(newest) or '(nothing)'}</p>"
        f'<p class="quiet">Approved: {escape(approved)}</p>{folded if earlier else ""}</div>'
    )


def remarks_view(remarks: Sequence[str]) -> str:
    """What stands out about a run, in plain words."""
    lines = "".join(f"<li>{sentence(remark)}</li>" for remark in remarks)
    return f'<ul class="findings">{lines}</ul>' if lines else ""


def key(work: Work) -> str:
    """What names a run or an evaluation in the queue."""
    return f"{work.run.id}/{work.id}" if isinstance(work, Evaluation) else work.id


def queue_choices(waiting: Sequence[Work]) -> list[tuple[str, str]]:
    """What waits, in its order, as (shown, key)."""
    return [(f"{place}.  {_waits(work)}", key(work)) for place, work in enumerate(waiting, 1)]


def _waits(work: Work) -> str:
    if isinstance(work, Evaluation):
        return f"scores of {_when(work.run)}"
    assert isinstance(work, Run)
    again = ", goes on" if work.events.read() else ""
    return f"{_when(work)}, {passes(work.config.epochs)}{again}"


def _when(run: Run) -> str:
    return run_label(run).rpartition(",")[0].partition(" ")[2]


def passes(epochs: float) -> str:
    """A number of passes, as people say it."""
    return f"{epochs:g} pass" if epochs == 1 else f"{epochs:g} passes"


def memory(amount: float) -> str:
    """An amount of memory or disk as people say it."""
    if amount < 1e9:
        return f"{amount / 1e6:.0f} MB" if amount >= 1e6 else f"{amount / 1e3:.0f} kB"
    return f"{amount / 1e9:.1f} GB"


def delete_question(run: Run) -> str:
    """What deleting a run frees and takes with it."""
    heirs = [r for r in Runs(run.path.parent).list() if r.config.continues == run.id]
    also = ""
    if heirs:
        also = f" {len(heirs)} that began with its adapter stay, without their parent's scores."
    return (
        f'<div class="check"><p>Delete <b>{escape(run_label(run))}</b>? That frees '
        f"{memory(run.size)}: its adapter, its checkpoints, its scores and its log.{also} Nothing "
        "brings them back.</p></div>"
    )


def table_view(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table that scrolls sideways by itself where it is too wide."""
    cells = "".join(f"<th scope='col'>{escape(name)}</th>" for name in head)
    lines = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<div class="sheet"><table><tr>{cells}</tr>{lines}</table></div>'


def events_view(run: Run) -> str:
    """What a run has said, newest first."""
    events = run.events.read()
    rows = []
    for event in reversed(events[-MOST_EVENTS:]):
        said = event.model_dump(mode="json", exclude={"at", "event"})
        told = ", ".join(f"{name} {_short(value)}" for name, value in said.items())
        rows.append((event.at.astimezone().strftime("%H:%M:%S"), event.event, told))
    more = len(events) - len(rows)
    older = f'<p class="quiet">{more:,} earlier ones are in events.jsonl.</p>' if more > 0 else ""
    if not rows:
        return '<p class="quiet">It has not said anything yet.</p>'
    told = table_view(("at", "event", "what it said"), rows)
    return f'<h3>What it said, newest first</h3><div class="long">{told}</div>{older}'


def _short(value: object) -> str:
    text = f"{value:.5g}" if isinstance(value, float) else str(value)
    return text if len(text) < 120 else text[:119] + "…"


def resume_label(run: Run) -> str:
    """What the button says that lets a run go on; empty where there is nothing to go on with."""
    if run.state() not in (State.STOPPED, State.FAILED, State.LOST) or run.alive:
        return ""
    step = resumable_step(run)
    return "Begin it again" if step is None else f"Resume from step {step}"


def facts_view(facts: Sequence[tuple[str, str]]) -> str:
    """What decided a run and what came of it."""
    return table_view(("what", "value"), facts)


def lineage_view(line: Sequence[Run]) -> str:
    """Where an adapter comes from: each run on the way with its scores; empty without a parent."""
    if len(line) < 2:
        return ""
    rows = []
    for place, run in enumerate(line, start=1):
        evaluation = run.evaluation()
        report = evaluation.report() if evaluation else None
        scores = [(kind, report.score(kind, "tuned")) for kind in report.kinds] if report else []
        told = [f"{kind} {score:.2f}" for kind, score in scores if score is not None]
        rows.append((place, run_label(run), passes(run.config.epochs), ", ".join(told) or "none"))
    return "<h3>How it came to be</h3>" + table_view(
        ("step", "run", "learnt for", "score of its answers"), rows
    )


def differences_view(one: Run, other: Run, differing: Sequence[tuple[str, str, str]]) -> str:
    """What two runs differ in; and what came of each."""
    if not differing:
        return '<p class="quiet">They differ in nothing: the same settings on the same corpus.</p>'
    return table_view(("what", run_label(one), run_label(other)), differing)


def ablation_view(ablation: Ablation) -> str:
    """What an ablation found so far: the cheapest good configuration, what to know, the table."""
    found = cheapest(ablation)
    lead = found.sentence if found else "None of its runs is scored yet."
    told = "".join(f"<li>{escape(note)}</li>" for note in notes(ablation))
    names = list(ablation.plan.varied)
    rows = [
        (
            *(row.settings.get(name, "") for name in names),
            f"{row.done} of {row.planned}",
            "" if row.score is None else f"{row.score:.2f}",
            "" if row.spread is None else f"± {row.spread:.2f}",
            "" if row.unseen is None else f"{row.unseen:.2f}",
            "" if row.seconds is None else duration(row.seconds),
            "✓ cheapest good one" if found and row == found.row else "",
        )
        for row in table(ablation)
    ]
    head = (*names, "runs scored", "score", "over seeds", "unseen", "tuning", "")
    return (
        f'<p class="lead">{escape(lead)}</p><p class="quiet">{escape(measured(ablation))}</p>'
        f'<ul class="findings notes">{told}</ul>{table_view(head, rows)}'
    )
