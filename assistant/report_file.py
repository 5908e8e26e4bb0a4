"""A report to take away: one HTML file that needs no network, CSV, JSON.

The HTML file carries its style, its drawings and the few lines that filter its rows; nothing in
it is fetched from anywhere. A policy inside it says so to the browser, too.
"""

import csv
import io
from collections.abc import Sequence
from html import escape
from typing import Literal

from assistant.report_view.checks import sections
from assistant.report_view.naming import KINDS, flag_told
from assistant.report_view.rows import WHICH, card, select, topics
from assistant.report_view.style import DARK, LIGHT, STYLE
from assistant.report_view.verdict import lead_view, panels_view
from trainer.corpus.exporting import safe_cell
from trainer.report import CONTENDERS, Report, Row
from trainer.runs import Evaluation

Format = Literal["html", "csv", "json"]
FORMATS: tuple[Format, ...] = ("html", "csv", "json")
MOST_ROWS_BYTES = 4_500_000  # of an HTML file that has to stay under 6 MB


def write_report(evaluation: Evaluation, format_: Format) -> str:
    """The report of a finished evaluation as text of that format."""
    report = evaluation.report()
    assert report is not None
    if format_ == "json":
        return report.model_dump_json(indent=1)
    if format_ == "csv":
        return write_csv(report)
    return write_html(report, title=f"Scores of {evaluation.run.id}", facts=facts_of(evaluation))


def facts_of(evaluation: Evaluation) -> list[tuple[str, str]]:
    """What decided the scores, to be able to repeat them; what is unknown is left out."""
    run, report = evaluation.run, evaluation.report()
    libraries = report.libraries if report else {}
    found = [
        ("run", run.id),
        ("evaluation", evaluation.id),
        ("corpus", (report.corpus if report else "") or run.corpus.label),
        ("test file", report.file if report else ""),
        ("base", (report.base if report else "") or run.config.base),
        ("adapter sha256", report.adapter if report else ""),
        *((name, str(value)) for name, value in evaluation.config if name != "file"),
        ("libraries", ", ".join(f"{name} {version}" for name, version in libraries.items())),
        ("repeat it with", f"tandem evaluate {run.id}"),
    ]
    return [(name, value) for name, value in found if value]


def write_csv(report: Report) -> str:
    """A line a row and contender, for a spreadsheet, in which no cell runs as a formula.

    Write it as UTF-8; it begins with the mark by which spreadsheets see that it is.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    beside = ("flags", "invented", "tokens", "ended", "repeats")
    head = ("row", "kind", "group", "topic", "question", "approved", "contender", "answer")
    writer.writerow((*head, *report.measures, "floor", *beside))
    for row in report.rows:
        about = (row.id, row.kind, row.group, row.topic, row.question, row.approved)
        for who in CONTENDERS:
            if (answer := row.answers.get(who)) is None:
                continue
            scores = (_number(answer.scores.get(measure)) for measure in report.measures)
            flags = "; ".join(flag_told(flag) for flag in answer.flags)
            texts = (*about, who, answer.text)
            writer.writerow(
                (
                    *(safe_cell(text) for text in texts),
                    *scores,
                    _number(row.floor),
                    safe_cell(flags),
                    safe_cell("; ".join(answer.invented)),
                    answer.tokens,
                    "yes" if answer.ended else "no",
                    _number(answer.repeats),
                )
            )
    return "\ufeff" + out.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def write_html(
    report: Report,
    *,
    title: str,
    facts: Sequence[tuple[str, str]],
    most_bytes: int = MOST_ROWS_BYTES,
) -> str:
    """One HTML file with all there is to see; it works without a network, in print and in dark."""
    told = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in facts
    )
    checks = "".join(
        f"<section><h2>{escape(name)}</h2>{view}</section>" for name, view in sections(report)
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>{_FILE_STYLE}{STYLE}</style>
</head>
<body class="report">
<header><h1>{escape(title)}</h1><p class="quiet">{_about(report)}</p></header>
<main>
<section><h2>Did tuning help?</h2>{lead_view(report)}</section>
<section>{panels_view(report)}</section>
{checks}
{_rows(report, most_bytes)}
<section><h2>How to repeat it</h2><div class="sheet"><table>{told}</table></div></section>
</main>
<script>{_SCRIPT}</script>
</body>
</html>
"""


def _about(report: Report) -> str:
    base = escape(report.base or "the base model")
    asked = escape(report.file or report.corpus or "its corpus")
    return (
        f"{base} tuned (adapter {escape(report.adapter[:12])}), asked the questions of {asked}. "
        "Written by Tandem."
    )


def _rows(report: Report, most_bytes: int) -> str:
    """The rows with what filters them; of very many, as many as a file should carry."""
    cards, size = [], 0
    rows = select(report)
    order = sorted(range(len(rows)), key=lambda i: min(i, len(rows) - 1 - i))  # both ends first
    kept = set()
    for place in order:
        size += len(card(rows[place], report).encode())
        if size > most_bytes:
            break
        kept.add(place)
    cards = [card(row, report) for place, row in enumerate(rows) if place in kept]
    left = ""
    if len(cards) < len(rows):
        left = (
            f'<p class="quiet">{len(cards):,} of {len(rows):,} rows are in this file, the most '
            "improved and the most harmed; the CSV and the JSON file have all.</p>"
        )
    return (
        f'<section id="rows"><h2>Every answer</h2>{left}{_filters(report, rows)}'
        f'<p id="count" class="quiet" aria-live="polite">{len(cards):,} rows</p>'
        f"{''.join(cards)}</section>"
    )


def _filters(report: Report, rows: Sequence[Row]) -> str:
    which = "".join(
        f'<option value="{name.replace(" ", "-")}">{said}</option>' for name, said in WHICH.items()
    )
    kinds = "".join(f'<option value="{k}">{KINDS[k][0]}</option>' for k in report.kinds)
    about = "".join(
        f'<option value="{escape(topic)}">{escape(topic)}</option>' for topic in topics(report)
    )
    return (
        '<form class="filters"><label>Show <select name="among">'
        f'{which}</select></label><label>Kind <select name="kind"><option value="">all</option>'
        f'{kinds}</select></label><label>Topic <select name="topic"><option value="">all</option>'
        f'{about}</select></label><label>Words <input name="text" type="search"></label></form>'
    )


_FILE_STYLE = f"""
:root {{ color-scheme: light dark; {LIGHT} }}
@media (prefers-color-scheme: dark) {{ :root {{ {DARK} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; padding: 16px; max-width: 1240px; background: var(--paper);
    font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }}
h1 {{ font-size: 1.4rem; margin: 8px 0 0; }}
h2 {{ font-size: 1.25rem; margin: 40px 0 8px; }}
.filters {{ display: flex; flex-wrap: wrap; gap: 8px 16px; margin: 8px 0; }}
.filters label {{ color: var(--soft); font-size: 0.9rem; }}
.filters select, .filters input {{ font: inherit; color: var(--ink); background: var(--tint);
    border: 1px solid var(--edge); border-radius: 6px; padding: 4px 8px; max-width: 220px; }}
.asked[hidden] {{ display: none; }}
@media print {{
    :root {{ {LIGHT} }}
    .filters {{ display: none; }}
    .panels {{ display: block !important; }}
    .plot {{ break-inside: avoid; }}
    .approved, .words {{ max-height: none !important; }}
}}
"""

_SCRIPT = """
const form = document.querySelector("form.filters");
const rows = [...document.querySelectorAll("article.asked")];
function show() {
  const {among, kind, topic, text} = Object.fromEntries(new FormData(form));
  const words = text.toLowerCase().split(/\\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    const said = words.length ? row.textContent.toLowerCase() : "";
    const wanted = row.dataset.among.split(" ").includes(among)
      && (!kind || row.dataset.kind === kind) && (!topic || row.dataset.topic === topic)
      && words.every(word => said.includes(word));
    row.hidden = !wanted;
    count += wanted;
  }
  const way = among === "harmed" ? 1 : -1;
  const place = document.getElementById("rows");
  rows.slice().sort((a, b) => way * (a.dataset.change - b.dataset.change))
    .forEach(row => place.append(row));
  document.getElementById("count").textContent = `${count} of ${rows.length} rows`;
}
form.addEventListener("input", show);
form.addEventListener("submit", event => event.preventDefault());
"""
