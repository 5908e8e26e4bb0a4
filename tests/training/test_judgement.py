"""Rating answers blind, and which measure ranks them as the person did."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from trainer.errors import NotFound, UserError
from trainer.judgement import agreement, best_measure, pick, rate, read_ratings
from trainer.report import Answer, Contender, Kind, Measure, Report, Row

WHOS: tuple[Contender, ...] = ("base", "tuned", "retrieval", "lookup")


def make_report(
    rows: int = 40, whos: tuple[Contender, ...] = WHOS, kind: Kind = "reworded"
) -> Report:
    """A report in which similarity is good to go by, token F1 is noise, and nothing is exact."""
    draws = np.random.default_rng(3)

    def answer(text: str) -> Answer:
        scores: dict[Measure, float] = {
            "similarity": draws.random(),
            "token_f1": draws.random(),
            "exact": 0.0,
        }
        return Answer(text=text, scores=scores)

    asked = [
        Row(
            id=f"{each}{n}",
            kind=each,
            group=str(n),
            question=f"{each} question {n}?",
            approved="Yes.",
            answers={who: answer(f"{n}: {draws.random()}") for who in whos},
        )
        for each, n in [(kind, n) for n in range(rows)] + [("taught", n) for n in range(rows)]
    ]
    return Report(embedder="", adapter="", rows=tuple(asked))


def given_by(report: Report, text: str) -> tuple[Row, Contender]:
    return next((r, who) for r in report.rows for who, a in r.answers.items() if a.text == text)


def rate_all(folder: Path, report: Report, count: int, measure: Measure = "similarity") -> None:
    """Rate as a person does who goes by one measure, with a slip now and then."""
    for n, blind in enumerate(pick(report, count=count)):
        row, who = given_by(report, blind.answer)
        stars = 1 + min(4, int(5 * row.answers[who].scores[measure]))
        rate(folder, report, blind.id, stars if n % 5 else min(5, stars + 1))


def test_twenty_answers_are_drawn_evenly_and_no_question_twice() -> None:
    report = make_report()
    drawn = [given_by(report, blind.answer) for blind in pick(report)]
    assert Counter(who for _, who in drawn) == dict.fromkeys(WHOS, 5)
    assert len({row.id for row, _ in drawn}) == 20
    assert {row.kind for row, _ in drawn} == {"reworded"}
    just = make_report(20)
    assert len({given_by(just, blind.answer)[0].id for blind in pick(just)}) == 20


def test_answers_are_drawn_over_the_whole_range_of_scores() -> None:
    report = make_report(200)
    for who in WHOS:
        scores = sorted(row.answers[who].scores["similarity"] for row in report.of("reworded"))
        drawn = [given_by(report, blind.answer) for blind in pick(report)]
        ranks = sorted(
            scores.index(row.answers[who].scores["similarity"]) for row, w in drawn if w == who
        )
        assert [rank // 40 for rank in ranks] == [0, 1, 2, 3, 4]  # one from each fifth of 200


def test_a_question_comes_twice_only_where_there_are_too_few() -> None:
    report = make_report(7)
    drawn = [given_by(report, blind.answer) for blind in pick(report)]
    assert len({(row.id, who) for row, who in drawn}) == 20
    assert max(Counter(row.id for row, _ in drawn).values()) <= 4
    assert len(pick(make_report(2, ("base", "tuned")))) == 4
    assert pick(Report(embedder="", adapter="", rows=())) == []


def test_what_is_shown_does_not_tell_who_answered() -> None:
    report = make_report()
    for blind in pick(report):
        assert not any(who in blind.model_dump_json() for who in WHOS)
    order = [given_by(report, blind.answer)[1] for blind in pick(report)]
    assert order != sorted(order, key=order.index)  # nor does the order


def test_the_same_answers_are_drawn_again_after_a_pause_and_others_with_another_seed() -> None:
    report = make_report()
    assert pick(report, seed=1) == pick(report, seed=1)
    assert pick(report, seed=1) != pick(report, seed=2)


def test_a_rating_is_kept_and_can_be_changed(tmp_path: Path) -> None:
    report = make_report()
    first, second = pick(report)[:2]
    assert read_ratings(tmp_path).of(first) is None
    rate(tmp_path, report, first.id, 2)
    rate(tmp_path, report, second.id, 5)
    rate(tmp_path, report, first.id, 4)
    kept = read_ratings(tmp_path)
    assert (kept.of(first), kept.of(second)) == (4, 5)
    row, who = given_by(report, second.answer)
    assert (kept.ratings[0].row, kept.ratings[0].contender) == (row.id, who)
    assert [path.name for path in tmp_path.iterdir()] == ["ratings.json"]


def test_no_rating_of_another_answer_or_with_other_stars_is_kept(tmp_path: Path) -> None:
    report = make_report()
    with pytest.raises(NotFound, match="not in the report"):
        rate(tmp_path, report, "0123456789abcdef", 3)
    with pytest.raises(UserError, match="from 1 to 5"):
        rate(tmp_path, report, pick(report)[0].id, 6)
    assert not list(tmp_path.iterdir())


def test_damaged_ratings_are_told_and_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "ratings.json").write_text('{"ratings": [{"row"')
    report = make_report()
    with pytest.raises(UserError, match="damaged"):
        rate(tmp_path, report, pick(report)[0].id, 3)
    assert (tmp_path / "ratings.json").read_text() == '{"ratings": [{"row"'


def test_agreement_is_spearmans_and_kendalls_best_first(tmp_path: Path) -> None:
    report = make_report()
    rate_all(tmp_path, report, 20)
    ratings = read_ratings(tmp_path)
    found = agreement(report, ratings)
    assert [each.measure for each in found] == ["similarity", "token_f1", "exact"]
    rows = {row.id: row for row in report.rows}
    for each in found[:2]:
        scores = [rows[r.row].answers[r.contender].scores[each.measure] for r in ratings.ratings]
        stars = [r.stars for r in ratings.ratings]
        assert each.rho == pytest.approx(spearmanr(scores, stars).statistic)
        assert each.tau == pytest.approx(kendalltau(scores, stars).statistic)
        assert each.low is not None
        assert each.high is not None
        assert each.low < each.rho < each.high
        assert each.n == 20


def test_a_measure_that_never_changes_agrees_with_nobody(tmp_path: Path) -> None:
    report = make_report()
    rate_all(tmp_path, report, 20)
    last = agreement(report, read_ratings(tmp_path))[-1]
    assert (last.measure, last.rho, last.low, last.tau, last.n) == ("exact", None, None, None, 20)


def test_who_rates_all_the_same_has_not_said_which_measure_is_best(tmp_path: Path) -> None:
    report = make_report()
    for blind in pick(report):
        rate(tmp_path, report, blind.id, 3)
    found = agreement(report, read_ratings(tmp_path))
    assert {each.rho for each in found} == {None}
    assert best_measure(found) is None
    assert best_measure([]) is None


def test_the_best_measure_is_offered_once_ten_answers_are_rated(tmp_path: Path) -> None:
    report = make_report()
    rate_all(tmp_path, report, 9, "token_f1")
    assert best_measure(agreement(report, read_ratings(tmp_path))) is None
    rate_all(tmp_path, report, 20, "token_f1")
    assert best_measure(agreement(report, read_ratings(tmp_path))) == "token_f1"


def test_agreement_by_chance_is_no_offer(tmp_path: Path) -> None:
    report = make_report()
    draws = np.random.default_rng(5)
    for blind in pick(report, count=12):
        rate(tmp_path, report, blind.id, int(draws.integers(1, 6)))
    found = agreement(report, read_ratings(tmp_path))
    assert found[0].n == 12
    assert best_measure(found) is None


def test_a_taught_row_of_the_same_id_is_not_taken_for_the_one_that_was_rated(
    tmp_path: Path,
) -> None:
    report = make_report()
    rate_all(tmp_path, report, 20)
    found = agreement(report, read_ratings(tmp_path))
    namesake = [
        row.model_copy(update={"id": row.id.replace("taught", "reworded")}) for row in report.rows
    ]
    doubled = report.model_copy(update={"rows": tuple(namesake)})
    assert agreement(doubled, read_ratings(tmp_path)) == found


def test_ratings_of_answers_that_are_gone_do_not_count(tmp_path: Path) -> None:
    report = make_report()
    rate_all(tmp_path, report, 20)
    fewer = report.model_copy(update={"rows": report.rows[:20]})
    kept = {row.id for row in fewer.rows}
    rated = sum(rating.row in kept for rating in read_ratings(tmp_path).ratings)
    assert agreement(fewer, read_ratings(tmp_path))[0].n == rated < 20
