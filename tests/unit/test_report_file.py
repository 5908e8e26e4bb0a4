"""The files a report is taken away in."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest

from assistant.report_file import FORMATS, write_csv, write_html, write_report
from tests.reports import a_file_report, a_labels_report, a_report
from tests.unit.test_report_view import HOSTILE, hostile_report
from trainer.report import Report
from trainer.runs import Evaluation, Run

REPORTS = {"answers": a_report(), "labels": a_labels_report(), "file": a_file_report()}


class Tags(HTMLParser):
    """Every tag with its attributes; whether what is opened is closed in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "hr", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(report: Report) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(write_html(report, title="Scores", facts=[("run", "2026-11-20")]))
    assert parser.open == []
    return parser.found


def lines(report: Report) -> list[dict[str, str]]:
    written = write_csv(report)
    assert written.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(written.removeprefix("\ufeff"), newline="")))


@pytest.fixture
def evaluation(run: Run) -> Evaluation:
    made = run.create_evaluation()
    made.report_path.write_text(a_report().model_dump_json())
    return made


@pytest.mark.parametrize("name", REPORTS)
def test_the_page_loads_nothing_from_anywhere_and_forbids_it(name: str) -> None:
    found = tags(REPORTS[name])
    assert not {tag for tag, _ in found} & {"link", "img", "iframe", "object", "embed", "base"}
    for tag, attributes in found:
        assert not {"src", "href", "action", "srcset", "data"} & set(attributes), tag
    policy = [a["content"] for tag, a in found if tag == "meta" and "http-equiv" in a]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"]
    text = write_html(REPORTS[name], title="Scores", facts=[])
    assert not re.search(r"https?://|//[a-z]+\.|@import|url\(", text)


def test_the_page_has_every_row_the_verdict_and_how_to_repeat_it(evaluation: Evaluation) -> None:
    text = write_report(evaluation, "html")
    report = a_report()
    asked = [row for row in report.rows if row.kind != "taught"]
    assert text.count('<article class="asked"') == len(asked)
    assert "On 18 reworded questions" in text
    for fact in (report.adapter, "tandem evaluate", "torch 2.13.0", evaluation.id, "<td>17</td>"):
        assert fact in text


def test_nothing_a_corpus_says_can_run_in_the_page() -> None:
    found = tags(hostile_report())
    assert sum(tag == "script" for tag, _ in found) == 1, "our own"
    assert "img" not in {tag for tag, _ in found}
    assert not [a for _, a in found if any(name.startswith("on") for name in a)]
    assert [a for tag, a in found if tag == "article" and HOSTILE in (a["data-topic"] or "")]


def test_a_page_of_very_many_rows_stays_small_and_says_what_it_leaves_out() -> None:
    text = write_html(a_report(copies=4), title="Scores", facts=[], most_bytes=30_000)
    kept = text.count('<article class="asked"')
    assert 5 < kept < 30
    assert f"{kept} of 120 rows are in this file" in text
    changes = [float(value) for value in re.findall(r'data-change="([-.\d]+)"', text)]
    assert changes == sorted(changes, reverse=True)
    assert changes[0] > 0.7, "the most improved are kept"
    assert changes[-1] < -0.1, "and the most harmed"


def test_a_page_of_two_hundred_rows_is_far_below_what_a_mail_carries() -> None:
    assert len(write_html(a_report(copies=7), title="Scores", facts=[]).encode()) < 1_000_000


def test_the_csv_has_a_line_for_each_answer_with_all_that_is_known_of_it() -> None:
    report = a_report()
    found = lines(report)
    assert len(found) == sum(len(row.answers) for row in report.rows)
    row = next(row for row in report.rows if row.answers["tuned"].flags)
    line = next(x for x in found if x["row"] == row.id and x["contender"] == "tuned")
    tuned = row.answers["tuned"]
    assert line["answer"] == tuned.text
    assert float(line["similarity"]) == pytest.approx(tuned.scores["similarity"], abs=1e-4)
    assert line["flags"].startswith("says “")
    assert line["ended"] == "yes"
    unseen = next(x for x in found if x["row"] == "u0-0" and x["contender"] == "tuned")
    assert (unseen["invented"], unseen["ended"]) == ("2,500 euros; Mr. Brown", "no")


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_of_the_csv_runs_as_a_formula(start: str) -> None:
    report = a_report()
    row = report.rows[0]
    told = row.answers["tuned"].model_copy(update={"text": start, "invented": (start,)})
    changed = {"id": start, "topic": start, "question": start, "approved": start, "group": start}
    bad = row.model_copy(update=changed | {"answers": {"tuned": told}})
    (line,) = lines(report.model_copy(update={"rows": (bad,)}))
    cells = [line[name] for name in ("row", "topic", "question", "approved", "group", "answer")]
    assert cells == [f"'{start}"] * 6
    assert line["invented"] == f"'{start}"


def test_the_json_is_the_report_itself(evaluation: Evaluation) -> None:
    assert Report.model_validate_json(write_report(evaluation, "json")) == a_report()
    assert set(FORMATS) == {"html", "csv", "json"}
    assert write_report(evaluation, "csv") == write_csv(a_report())
