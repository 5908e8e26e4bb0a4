"""What a report looks like: marks, plots, tables, rows, checks; and nothing in it runs."""

import re
from typing import Any

import pytest

from assistant.report_view import judging, naming, plots, rows, tables
from assistant.report_view.checks import confusion_view, sections
from assistant.report_view.verdict import lead_view, panels_view
from tests.reports import a_file_report, a_labels_report, a_report, an_answer, difference
from trainer.difference import Difference
from trainer.facts.flag import Flag
from trainer.judgement import Agreement, Blind
from trainer.report import Report, Row
from trainer.verdict import verdict

REPORT = a_report()
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def apart(low: float, high: float, p: float) -> Difference:
    middle = (low + high) / 2
    return Difference(
        mean=middle, low=low, high=high, p=p, wins=1, losses=1, ties=1, n=30, groups=30
    )


@pytest.mark.parametrize(
    ("found", "shape", "said"),
    [
        (apart(0.2, 0.4, 0.001), "▲", "better"),
        (apart(-0.4, -0.2, 0.001), "▼", "worse"),
        (apart(-0.01, 0.01, 0.9), "=", "no difference"),
        (apart(-0.3, 0.3, 0.9), "?", "too few to tell"),
        (None, "?", "too few to tell"),
    ],
)
def test_a_verdict_has_a_shape_and_words_and_not_only_a_colour(
    found: Difference | None, shape: str, said: str
) -> None:
    assert text_of(naming.mark(found)) == f"{shape} {said}"


def test_every_sentence_of_the_verdict_is_shown_beside_its_own_mark() -> None:
    shown = lead_view(REPORT)
    for sentence in verdict(REPORT):
        assert sentence in text_of(shown)
    reworded, unseen = shown.split('<section class="finding">')[1:]
    assert 'class="mark better"' in reworded
    assert 'class="mark too-few"' in unseen
    assert REPORT.notes[0] in shown


def test_each_contender_is_in_the_table_by_each_measure_and_the_one_that_decides_is_marked() -> (
    None
):
    told = tables.scores_table(REPORT, "reworded")
    first, nearest = re.findall("<tr><th scope=.row.>.*?</tr>", told)[:2]
    assert "Similarity" in first
    assert "decides" in first
    assert "decides" not in nearest
    means = [REPORT.score("reworded", who) or 0 for who in REPORT.contenders]
    assert [float(cell) for cell in cells(first)] == [round(mean, 2) for mean in means]
    macro = next(line for line in told.split("<tr>") if "Macro F1" in line)
    assert cells(macro)[3] == f"{REPORT.answers['reworded']['lookup'].macro_f1:.0%}"
    flagged = next(line for line in told.split("<tr>") if "Flagged" in line)
    share = sum(bool(r.answers["tuned"].flags) for r in REPORT.of("reworded")) / 18
    assert cells(flagged)[1] == f"{share:.0%}"
    assert "Flagged" not in tables.scores_table(a_labels_report(), "test"), "labels state no facts"


def test_tuned_is_set_against_each_other_with_how_sure_that_is() -> None:
    told = tables.differences_table(REPORT, "reworded")
    found = REPORT.difference("reworded")
    assert found is not None
    line = next(part for part in told.split("<tr>") if "Base" in part)
    assert cells(line) == [
        "▲ better",
        f"+{found.mean:.2f}",
        f"+{found.low:.2f} to +{found.high:.2f}",
        "&lt; 0.001",
        f"{found.wins} · {found.ties} · {found.losses}",
    ]
    assert "18 questions about 9 different answers" in told
    assert "By every other measure" in told


def test_a_question_is_a_line_where_they_are_few_and_a_dot_where_they_are_many() -> None:
    few = plots.paired_plot(REPORT, "reworded")
    moved = [plots.change(row, "similarity") for row in REPORT.of("reworded")]
    better, worse = sum(m > 0.005 for m in moved), sum(m < -0.005 for m in moved)
    assert f"{better} of 18 questions improved, {worse} got worse" in few
    assert few.count('class="move rose"') == sum(m >= 0 for m in moved)
    assert few.count('class="move fell"') == worse
    assert few.count('class="dot base"') == few.count('class="dot tuned"') == 18
    many = plots.paired_plot(a_report(copies=8), "reworded")
    assert many.count('class="dot tuned"') == 8 * 18
    assert many.count('class="diagonal"') == 1
    labels = plots.paired_plot(a_labels_report(), "test")
    assert "Tuning made 36 of 40 right that were wrong, and 0 wrong" in labels
    assert plots.paired_plot(REPORT, "test") == ""


def test_scores_are_spread_out_with_means_intervals_and_the_floor() -> None:
    spread = plots.spread_plot(REPORT, "unseen")
    floor = REPORT.floor("unseen")
    assert f"below the floor of {floor:.2f}" in spread
    assert spread.count('class="floor"') == 1
    for who in REPORT.contenders:
        middle, low, high = plots.mean_interval(REPORT.of("unseen"), who, "similarity")
        assert low < middle < high
        assert f"mean {middle:.3f}, {low:.3f} to {high:.3f}" in spread
    assert "floor" not in plots.spread_plot(a_labels_report(), "test"), "only similarity has one"


def test_questions_of_one_answer_make_a_mean_no_surer_than_one_question() -> None:
    alone = [row.model_copy(update={"group": row.id}) for row in REPORT.of("unseen")]
    thrice = [row for row in alone for _ in range(3)]
    as_groups = plots.mean_interval(thrice, "tuned", "similarity")
    assert as_groups == pytest.approx(plots.mean_interval(alone, "tuned", "similarity"))
    apart = [row.model_copy(update={"group": str(i)}) for i, row in enumerate(thrice)]
    _, low, _ = plots.mean_interval(apart, "tuned", "similarity")
    assert low > as_groups[1]


def test_rows_are_filtered_and_sorted() -> None:
    moved = {row.id: plots.change(row, "similarity") for row in REPORT.rows}
    every = [moved[row.id] for row in rows.select(REPORT)]
    assert every == sorted(every, reverse=True)
    assert len(every) == 30, "taught questions are asked for contrast only"
    harmed = [moved[row.id] for row in rows.select(REPORT, which="harmed")]
    assert harmed == sorted(harmed)
    assert harmed
    assert max(harmed) < 0
    for which, holds in (
        ("flagged", lambda answer: answer.flags),
        ("invented", lambda answer: answer.invented),
        ("ran on", lambda answer: not answer.ended),
    ):
        found = {row.id for row in rows.select(REPORT, which=which)}
        asked = [row for row in REPORT.rows if row.kind != "taught"]
        assert found == {row.id for row in asked if holds(row.answers["tuned"])}
        assert found
    assert {row.kind for row in rows.select(REPORT, kind="unseen")} == {"unseen"}
    assert {row.topic for row in rows.select(REPORT, topic="loans")} == {"loans"}
    assert [row.id for row in rows.select(REPORT, text="CHRISTMAS eve")] == ["u0-4"]
    assert rows.select(REPORT, text="christmas easter") == []


@pytest.mark.parametrize(
    ("answer", "approved", "shown"),
    [
        ("Within 30 days.", "Within 14 days.", "Within <del>14</del> <ins>30</ins> days."),
        ("It is covered.", "It is not covered.", "It is <del>not</del> covered."),
        ("it IS covered", "It is covered.", "it IS covered"),
        ("Yes,\nwithin 14 days.", "Within 14 days.", "<ins>Yes,</ins>\nwithin 14 days."),
        ("退货需要三天", "退货需要两天", "退货需要<del>两</del> <ins>三</ins>天"),
        ("a < b and c", "a > b and c", "a <del>&gt;</del> <ins>&lt;</ins> b and c"),
    ],
)
def test_words_that_differ_are_marked(answer: str, approved: str, shown: str) -> None:
    assert rows.marked(answer, approved) == shown


def test_nothing_is_marked_where_next_to_nothing_is_shared_and_silence_is_said() -> None:
    assert "<del>" not in rows.marked("Who knows?", "Within 14 days, at our cost.")
    assert "in other words altogether" in rows.marked("Who knows?", "Within 14 days, at our cost.")
    assert "(said nothing)" in rows.marked(" ", "Within 14 days.")
    assert "<ins>" not in rows.marked("word " * 5000, "word " * 5000), "it takes too long"


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        (
            Flag(kind="number", said="30 days", approved="14 days"),
            "says “30 days”, approved: “14 days”",
        ),
        (Flag(kind="name", said="Mr. Brown", approved=""), "adds “Mr. Brown”"),
        (Flag(kind="date", said="", approved="1 May"), "leaves out “1 May”"),
    ],
)
def test_a_flag_is_told_in_words(flag: Flag, said: str) -> None:
    assert naming.flag_told(flag) == said


def test_what_is_wrong_with_an_answer_stands_below_it() -> None:
    row = next(row for row in REPORT.rows if row.id == "u0-0")
    shown = rows.card(row, REPORT)
    for trouble in ("invented: “2,500 euros”", "ran on until it was cut", "repeats itself (80%)"):
        assert f"<li>{trouble}</li>" in shown
    unjudged = next(row for row in REPORT.rows if row.id in REPORT.unjudged)
    assert "cannot read this text" in rows.card(unjudged, REPORT)
    assert "cannot read this text" not in shown


def test_whatever_a_corpus_or_a_model_says_is_escaped() -> None:
    report = hostile_report()
    shown = lead_view(report) + panels_view(report)
    shown += "".join(rows.card(row, report) for row in report.rows)
    shown += "".join(title + html for title, html in sections(report))
    blind = Blind(id="1", question=HOSTILE, approved=HOSTILE, answer=HOSTILE)
    shown += judging.blind_view(blind, 0, 20)
    assert "<script" not in shown
    assert "<img" not in shown
    assert "&lt;img src=x" in shown
    attributes = re.findall(r'="([^"]*)"', shown)
    assert not [value for value in attributes if "<" in value], "nor by way of an attribute"


def test_each_check_has_a_sentence_and_a_drawing_or_is_left_out() -> None:
    found = dict(sections(REPORT))
    assert [title.partition(":")[0] for title in found] == ["Overfitting", "Forgetting", "Bias"]
    for html in found.values():
        assert html.startswith("<p>")
        assert "<svg" in html
    assert "answers from the corpus instead" in found["Forgetting: what it knew before"]
    bias = found["Bias: does it matter who asks?"]
    assert "Tone of the tuned model&#x27;s answers differs by origin" in bias
    assert "Similarity of the tuned model&#x27;s answers does not differ beyond chance" in bias
    assert sections(a_file_report()) == []


def test_labels_have_a_table_each_and_a_matrix_of_what_is_taken_for_what() -> None:
    report = a_labels_report()
    ((title, html),) = sections(report)
    assert title == "Label by label"
    assert "card_arrival is taken for lost_card (4 times)" in html
    matrix = html.split('class="heat"')[1]
    line = next(part for part in matrix.split("<tr>") if "card_arrival</th><td" in part)
    assert cells(line)[:2] == ["6", "4"]
    assert matrix.count('class="right"') == 4
    tuned = report.labels["tuned"]
    many = {f"label {i}": {f"label {i}": 9, f"label {i - 1}": i} for i in range(1, 40)}
    listed = confusion_view(tuned.model_copy(update={"confusion": many}))
    assert 'class="heat"' not in listed, "nobody reads a matrix of 40"
    assert "label 39 is taken for label 38 (39 times)" in listed


def test_a_person_rates_without_a_hint_of_who_answered() -> None:
    blind = Blind(id="ab12", question="How long?", approved="14 days.", answer="30 days.")
    shown = judging.blind_view(blind, 3, 20)
    assert "4 of 20" in shown
    for who in ("base", "tuned", "retrieval", "lookup"):
        assert who not in shown.lower()
    assert "<ins>" not in shown, "marks would be a hint of how near it is"
    assert "All 20 answers are rated" in judging.blind_view(None, 20, 20)


def test_the_measure_that_agrees_best_is_named_once_enough_is_rated() -> None:
    def agreed(n: int) -> list[Agreement]:
        return [
            Agreement(measure="token_f1", rho=0.8, low=0.5, high=0.9, tau=0.7, n=n),
            Agreement(measure="exact", rho=None, low=None, high=None, tau=None, n=n),
        ]

    assert judging.agreement_view([], None, "similarity") == ""
    assert "3 rated so far" in judging.agreement_view(agreed(3), None, "similarity")
    assert "no measure agrees" in judging.agreement_view(agreed(20), None, "similarity")
    shown = judging.agreement_view(agreed(20), "token_f1", "similarity")
    assert "“Shared words” agrees best with you on 20 answers" in shown
    assert "+0.80" in shown


def hostile_report() -> Report:
    base = a_report()
    said: dict[str, Any] = {
        who: an_answer(
            HOSTILE,
            0.5,
            flags=(Flag(kind="name", said=HOSTILE, approved=HOSTILE),),
            invented=(HOSTILE,),
        )
        for who in base.contenders
    }
    found = Row(
        id=HOSTILE,
        kind="reworded",
        group="x",
        question=f'{HOSTILE}" onload="x',
        topic=f'{HOSTILE}" onload="x',
        approved=HOSTILE,
        answers=said,
    )
    probes = tuple(
        probe.model_copy(update={"question": HOSTILE, "answers": {"base": HOSTILE}})
        for probe in base.forgetting.probes  # type: ignore[union-attr]
    )
    labels = a_labels_report().labels["tuned"]
    label = labels.labels[0].model_copy(update={"label": HOSTILE})
    confused = {HOSTILE: {HOSTILE: 1, f"{HOSTILE}2": 2}}
    bad = labels.model_copy(update={"labels": (label,), "confusion": confused})
    return base.model_copy(
        update={
            "rows": (found, *base.rows),
            "embedder": HOSTILE,
            "notes": (HOSTILE,),
            "differences": {"reworded": {"base": {"similarity": difference([0.1, 0.2])}}},
            "forgetting": base.forgetting.model_copy(update={"probes": probes}),  # type: ignore[union-attr]
            "labels": {"tuned": bad},
        }
    )


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", "", html)).replace("&#x27;", "'").strip()


def cells(line: str) -> list[str]:
    return [text_of(cell) for cell in re.findall("<td.*?</td>", line)]
