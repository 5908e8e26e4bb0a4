"""Turn what the core knows into what the page shows. Pure functions; no components.

Whatever a corpus or a model says is escaped before it becomes HTML.
"""

from html import escape

import pandas as pd

from assistant.ui.theme import TUNED
from trainer.events import Answering, Progress, Started
from trainer.report import CONTENDERS, Contender, Kind, Report
from trainer.runs import Run
from trainer.words import duration, ending, verdict
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
    work = next(iter(active.evaluations()), None) if isinstance(active, Run) else active
    last = work.events.read()[-1:] if work else []
    if last and isinstance(last[0], Answering):
        done, total, left = last[0].done, last[0].total, last[0].seconds_left
        return f"Scoring: {done} of {total} answers, {duration(left)} left", done / max(1, total)
    return "Scoring: loading the models", None


def side_head(who: Contender, run: Run | None) -> str:
    """The head of a chat column: who answers, and which weights prove it."""
    if run is None:
        return ""
    mark = {"base": "○", "tuned": "◆"}[who]
    title = f'<b class="{who}">{mark} {who.capitalize()}</b> <span>{escape(run.config.base)}</span>'
    if who == "tuned" and run.has_adapter:
        title += f" + adapter <code>{run.adapter_hash[:12]}</code>"
    if who == "base":
        title += ' <span class="quiet">no adapter</span>'
    return f'<div class="head">{title}</div>'


def scores_view(run: Run | None, report: Report | None) -> str:
    """The verdict in sentences, or what to do to get one; and why the last try gave none."""
    newest = next(iter(run.evaluations()), None) if run else None
    trouble = ""
    if newest and newest.state() in (State.FAILED, State.LOST):
        trouble = f'<div class="failed"><p class="lead">{escape(ending(newest))}</p></div>'
    if report is None:
        what = "They come by themselves when tuning is done."
        if run and run.has_adapter:
            what = "Scoring goes on." if newest and newest.alive else "Press <b>Score again</b>."
        return f'{trouble}<div class="empty">No scores yet. {what}</div>'
    reworded, unseen = verdict(report)
    return (
        f'{trouble}<p class="lead"><b>{escape(reworded)}</b></p>'
        f'<p class="lead">{escape(unseen)}</p>'
        '<p class="quiet">Similarity is the cosine of two texts in an embedding space '
        f"({escape(report.embedder)}): 1 is the same meaning by its judgement, near 0 is unrelated."
        " Higher is better; it does not check facts.</p>"
    )


def scores_table(report: Report | None, kind: Kind) -> pd.DataFrame:
    """The rows behind the numbers, the most improved first."""
    rows = sorted(
        report.of(kind) if report else (),
        key=lambda row: row.similarity["base"] - row.similarity["tuned"],
    )
    return pd.DataFrame(
        [
            (
                row.question,
                row.approved,
                row.answers["base"],
                row.answers["tuned"],
                *(round(row.similarity[who], 2) for who in CONTENDERS),
                round(row.similarity["tuned"] - row.similarity["base"], 2),
                row.answers["lookup"],
            )
            for row in rows
        ],
        columns=[*TABLE_COLUMNS],
    )


TABLE_COLUMNS = (
    "question",
    "approved answer",
    "base said",
    "tuned said",
    "base",
    "tuned",
    "lookup",
    "change",
    "lookup said",
)


def _progress(run: Run) -> tuple[float | None, float]:
    events = run.events.read()
    total = next((e.steps for e in events if isinstance(e, Started)), None)
    last = next((e for e in reversed(events) if isinstance(e, Progress)), None)
    if total is None or last is None:
        return None, 0.0
    return last.step / total, last.seconds_left


def bar(share: float) -> str:
    """How much of something is done."""
    return f'<div class="bar"><i style="width:{share:.1%};background:{TUNED}"></i></div>'
