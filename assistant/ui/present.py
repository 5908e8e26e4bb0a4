"""Turn what the core knows into what the page shows. Pure functions; no components.

Whatever a corpus or a model says is escaped before it becomes HTML.
"""

import re
from html import escape

from assistant.colours import TUNED
from assistant.conversation import Proof, Side
from trainer.events import Answering, Comparing, Progress, Started
from trainer.runs import Run, Runs
from trainer.words import duration, ending, turn
from trainer.work import State, Work

_MARKS = {
    State.CREATED: "○",
    State.QUEUED: "○",
    State.RUNNING: "●",
    State.FINISHED: "✓",
    State.STOPPED: "✓",
    State.FAILED: "✕",
    State.LOST: "✕",
}


def run_label(run: Run) -> str:
    """One line for the list of runs."""
    state, day, time = run.state(), run.id[5:10], f"{run.id[11:13]}:{run.id[13:15]}"
    return f"{_MARKS[state]} {run.corpus.label}, {day} {time}, {state}"


def strip(active: Work | None, waiting: int = 0) -> str:
    """The run in progress and how many wait, visible from every step; empty when all is quiet."""
    queue = f"{waiting} {'waits' if waiting == 1 else 'wait'} for the device" if waiting else ""
    if active is None:
        return f'<div class="strip">○ {queue}</div>' if queue else ""
    said, share = _going_on(active)
    wait = f' <span class="quiet">· {queue}</span>' if queue else ""
    return f'<div class="strip">● {said}{wait}{"" if share is None else bar(share)}</div>'


def _going_on(active: Work) -> tuple[str, float | None]:
    if isinstance(active, Run) and not active.state().over:
        what = f"Tuning <b>{escape(active.config.corpus)}</b>"
        share, left = _progress(active)
        if share is None:
            return f"{what}: loading the base model", None
        return f"{what}: {share:.0%}, {duration(left)} left", share
    return _scoring(next(iter(active.evaluations()), None) if isinstance(active, Run) else active)


def _scoring(work: Work | None) -> tuple[str, float | None]:
    last = work.events.read()[-1:] if work else []
    match last:
        case [Answering() as said]:
            left = duration(said.seconds_left)
            return f"Scoring: {said.done} of {said.total} answers, {left} left", said.done / max(
                1, said.total
            )
        case [Comparing() as said]:
            told = f"Scoring: comparing meanings, {said.done} of {said.total} texts"
            return told, said.done / max(1, said.total)
    return "Scoring: loading the models", None


def side_head(side: Side, run: Run | None, proof: Proof | None = None) -> str:
    """The head of a chat column: who answers, with which weights, and whether that was proven."""
    who, mark = ("tuned", "◆") if side.run else ("base", "○")
    title = f'<b class="{who}">{mark} {who.capitalize()}</b> <span>{escape(side.base)}</span>'
    adapter = proof.adapter if proof else run.adapter_hash if run and run.has_adapter else None
    if side.run and adapter:
        title += f" + adapter <code>{adapter[:12]}</code>"
    if not side.run:
        title += ' <span class="quiet">no adapter</span>'
    if proof:
        held = "✓ proof held" if proof.proven else "✕ not proven"
        title += f' <span class="quiet">{held}</span>'
    return f'<div class="head">{title}</div>'


def scores_state(run: Run | None) -> str:
    """How far the newest scoring is, why it gave nothing, or what to do to get scores."""
    newest = next(iter(run.evaluations()), None) if run else None
    if run and newest:
        match newest.state():
            case State.FAILED | State.LOST:
                return f'<div class="failed"><p class="lead">{sentence(ending(newest))}</p></div>'
            case State.STOPPED:
                return f'<p class="quiet">{sentence(ending(newest))}</p>'
            case State.QUEUED:
                said = turn(newest, Runs(run.path.parent))
                return f'<p class="lead">{sentence(said)}</p>'
            case State.CREATED | State.RUNNING:
                said, share = _scoring(newest)
                return f'<p class="lead">{said}</p>{bar(share or 0)}'
    if run and run.evaluation():
        return ""
    what = "They come by themselves when tuning is done."
    if run and run.has_adapter:
        what = "Press <b>Score again</b>."
    return f'<div class="empty">No scores yet. {what}</div>'


def _progress(run: Run) -> tuple[float | None, float]:
    events = run.events.read()
    total = next((e.steps for e in events if isinstance(e, Started)), None)
    last = next((e for e in reversed(events) if isinstance(e, Progress)), None)
    if total is None or last is None:
        return None, 0.0
    return last.step / total, last.seconds_left


def sentence(text: str) -> str:
    """A sentence of the core as HTML; commands in it stand out."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def bar(share: float) -> str:
    """How much of something is done."""
    return f'<div class="bar"><i style="width:{share:.1%};background:{TUNED}"></i></div>'
