"""What an ablation's scores come to, and which grids are refused."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import returns_csv
from tests.reports import scored_row
from trainer.ablation import cheapest, measured, notes, points, summary, table
from trainer.config import RunConfig
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import ConfigError, CorpusError, NotFound
from trainer.events import Failed, Finished
from trainer.grid import Ablation, Plan, Planned, create_ablation, find_ablation, uncleaned
from trainer.report import Report
from trainer.runs import Run, Runs

Make = Callable[..., Ablation]
Asked = Mapping[str, float]  # the tuned model's score by question


def finish(run: Run, seconds: float, asked: Asked, kind: str = "reworded") -> None:
    run.events.append(Finished(seconds=seconds, step=9, kept_step=9))
    rows = [
        scored_row(kind, "Yes.", {"tuned": "yes" if s > 0.5 else "no"}, {"tuned": s}, id_=id_)
        for id_, s in asked.items()
    ]
    if kind == "reworded":
        rows.append(scored_row("unseen", "Yes.", {"tuned": "no"}, {"tuned": 0.25}))
    primary = "exact" if kind == "test" else "similarity"
    report = Report(embedder="m", adapter="", primary=primary, rows=tuple(rows))
    run.create_evaluation().report_path.write_text(report.model_dump_json())


def asked(*scores: float) -> Asked:
    return {f"q{n}": score for n, score in enumerate(scores)}


@pytest.fixture
def make(workspace: Path, runs: Runs, config: RunConfig, corpus: Corpus) -> Make:
    """An ablation of ranks, without a process: (rank, seed) -> seconds and scores, or None."""

    def _make(done: Mapping[tuple[int, int], tuple[float, Asked] | None], kind: str = "reworded"):
        planned = []
        for (rank, seed), outcome in done.items():
            run = runs.create(
                config.model_copy(update={"lora_rank": rank, "seed": seed}), corpus.split
            )
            (run.path / "queued").write_text("1")
            if outcome:
                (run.path / "queued").unlink()
                finish(run, *outcome, kind)
            planned.append(Planned(settings={"lora_rank": rank}, seed=seed, run=run.id))
        plan = Plan(
            name="rank",
            corpus=corpus.label,
            base=config.base,
            varied={"lora_rank": tuple(dict.fromkeys(rank for rank, _ in done))},
            seeds=tuple(dict.fromkeys(seed for _, seed in done)),
            fixed={},
            runs=tuple(planned),
            created=datetime.now(UTC),
        )
        folder = workspace / "ablations" / "rank"
        folder.mkdir(parents=True)
        (folder / "ablation.json").write_text(plan.model_dump_json())
        return find_ablation(workspace, "rank")

    return _make


def test_a_configuration_has_its_mean_and_its_spread_over_seeds_and_over_questions(
    make: Make,
) -> None:
    ablation = make(
        {
            (8, 1): (60, asked(0.2, 0.4)),
            (8, 2): (80, asked(0.4, 0.6)),
            (16, 1): (100, asked(0.5, 0.7)),
            (16, 2): None,
        }
    )
    small, wide = table(ablation)
    assert (small.name, small.done, small.planned) == ("lora_rank=8", 2, 2)
    assert small.score == pytest.approx(0.4)  # of 0.3 and 0.5
    assert small.spread == pytest.approx(0.1414, abs=1e-4)
    assert (small.low, small.high) == (pytest.approx(0.3), pytest.approx(0.5))
    assert small.error == pytest.approx(0.1)  # questions are 0.3 and 0.5 over the seeds
    assert (small.seconds, small.rank) == (70, 8)
    assert small.unseen == pytest.approx(0.25)
    assert (wide.done, wide.planned, wide.spread) == (1, 2, None)
    assert measured(ablation).endswith("reworded questions (2 of them).")


def test_a_value_has_the_mean_and_the_range_of_all_runs_that_share_it(make: Make) -> None:
    ablation = make(
        {(8, 1): (60, asked(0.2, 0.4)), (8, 2): (60, asked(0.5)), (16, 1): (60, asked(0.9))}
    )
    first, second = summary(ablation)  # over the one question all were asked
    assert (first.setting, first.value, first.runs) == ("lora_rank", 8, 2)
    assert (first.score, first.low, first.high) == (pytest.approx(0.35), 0.2, 0.5)
    assert (second.value, second.runs, second.spread) == (16, 1, None)
    assert points(ablation, "lora_rank") == [
        (8, pytest.approx(0.35), 0.2, 0.5),
        (16, 0.9, 0.9, 0.9),
    ]
    assert points(ablation, "epochs") == []


@pytest.mark.parametrize(("others", "chosen"), [((), 16), ((32, 64, 128, 256), 4)])
def test_of_many_configurations_one_must_be_further_behind_to_count_as_worse(
    make: Make, others: tuple[int, ...], chosen: int
) -> None:
    best = [0.5 + 0.004 * n for n in range(40)]
    behind = [s - 0.05 + (0.144 if n % 2 else -0.144) for n, s in enumerate(best)]  # z = 2.2
    runs = {(4, 1): (20.0, asked(*behind)), (16, 1): (60.0, asked(*best))}
    found = cheapest(make(runs | {(o, 1): (90.0, asked(*[s - 0.3 for s in best])) for o in others}))
    assert found is not None
    assert found.row.settings == {"lora_rank": chosen}


def test_the_cheapest_is_the_quickest_that_is_not_significantly_worse(make: Make) -> None:
    many = [0.5 + 0.004 * n for n in range(40)]
    noise = [0.05 if n % 2 else -0.06 for n in range(40)]
    ablation = make(
        {
            (4, 1): (20, asked(*[score - 0.1 for score in many])),
            (8, 1): (40, asked(*[s + n for s, n in zip(many, noise, strict=True)])),
            (16, 1): (60, asked(*many)),
        }
    )
    found = cheapest(ablation)
    assert found is not None
    assert found.row.settings == {"lora_rank": 8}, "4 is quicker, and worse on every question"
    assert found.best.settings == {"lora_rank": 16}
    assert found.difference == pytest.approx(-0.005)
    assert found.low < found.difference < 0 < found.high
    assert found.sentence.startswith(
        "The cheapest that is not significantly worse than the best is lora_rank=8 (0.57 in 40 s "
        "of tuning); the best, lora_rank=16, has 0.58 in 1 min 00 s: a difference of -0.005, 95% "
        "interval -0.0"
    )
    assert found.sentence.endswith("over 40 questions.")
    assert cheapest(ablation) == found, "the same draw every time"


def test_the_same_difference_counts_for_more_where_it_is_the_same_on_every_question(
    make: Make, workspace: Path
) -> None:
    """Paired: questions differ far more from each other than the configurations do."""
    many = [0.02 * n for n in range(40)]
    paired = make({(4, 1): (20, asked(*[s + 0.01 for s in many])), (8, 1): (40, asked(*many))})
    found = cheapest(paired)
    assert found is not None
    assert found.sentence == (
        "The best is also the cheapest that is as good: lora_rank=4 (0.40 in 20 s of tuning)."
    )
    shutil.rmtree(workspace / "ablations" / "rank")
    worse = make({(4, 1): (20, asked(*[s - 0.01 for s in many])), (8, 1): (40, asked(*many))})
    found = cheapest(worse)
    assert found is not None
    assert found.row.settings == {"lora_rank": 8}


def test_equal_times_are_told_apart_by_rank(make: Make) -> None:
    found = cheapest(make({(16, 1): (60, asked(0.5, 0.6)), (8, 1): (60, asked(0.5, 0.6))}))
    assert found is not None
    assert found.row.rank == 8


def test_labels_are_scored_by_what_is_exactly_right(make: Make) -> None:
    ablation = make({(8, 1): (60, asked(0.9, 0.1)), (16, 1): (60, asked(0.9, 0.8))}, kind="test")
    assert [row.score for row in table(ablation)] == [0.5, 1.0]
    assert [row.unseen for row in table(ablation)] == [None, None]
    assert measured(ablation) == "Score: share of held-out texts answered exactly (2 of them)."


def test_what_is_missing_or_failed_is_said(make: Make) -> None:
    ablation = make(
        {
            (8, 1): (60, asked(0.5, 0.6)),
            (16, 1): None,
            (32, 1): None,
            (64, 1): None,
            (128, 1): (60, asked(0.5)),
        }
    )
    runs = [ablation.run(one) for one in ablation.plan.runs]
    failed, gone = runs[2], runs[3]
    assert failed
    assert gone
    (failed.path / "queued").unlink()
    failed.events.append(Failed(reason="The disk is full."))
    shutil.rmtree(gone.path)
    said = notes(ablation)
    assert "1 of 5 runs waits for its turn." in said
    assert f"1 of 5 runs failed: {failed.id}." in said
    assert f"1 of 5 runs was deleted: {gone.id}." in said
    assert "scores are over what they share, 1 question." in " ".join(said)
    assert any("With one seed" in note for note in said)
    found = cheapest(ablation)
    assert found is not None
    assert found.sentence.startswith("Of 2 runs out of 5, the best is also")


def test_before_anything_is_scored_the_table_is_there_and_empty(make: Make) -> None:
    ablation = make({(8, 1): None, (16, 1): None})
    assert [(row.done, row.score, row.seconds) for row in table(ablation)] == [(0, None, None)] * 2
    assert (summary(ablation), cheapest(ablation)) == ([], None)
    assert notes(ablation)[0] == "2 of 2 runs wait for their turn."


def test_runs_that_share_no_question_are_compared_all_the_same_with_a_warning(make: Make) -> None:
    other = {"p0": 0.9, "p1": 0.8, "p2": 0.9}
    ablation = make({(8, 1): (60, asked(0.1, 0.2, 0.1)), (16, 1): (90, other)})
    assert any("share no question" in note for note in notes(ablation))
    found = cheapest(ablation)
    assert found is not None
    assert found.row.rank == 16
    assert [round(row.score or 0, 2) for row in table(ablation)] == [0.13, 0.87]


@pytest.mark.parametrize(
    ("varied", "more", "said"),
    [
        ({"lora_rank": range(1, 66)}, {}, "That makes 65 runs; an ablation has at most 64"),
        ({"lora_rank": [8, 16]}, {"seeds": 33}, "That makes 66 runs"),
        ({}, {}, "Nothing is varied"),
        ({"lora_rank": ["8"]}, {}, "Nothing is varied"),
        ({"lora_rank": ["8", "8"]}, {}, "lora_rank=8 is given twice"),
        ({"lora_rank": ["8", "x"]}, {}, "lora_rank: should be a valid integer"),
        ({"lora_rnk": ["8", "16"]}, {}, "lora_rnk: no such setting"),
        ({"corpus": ["a", "b"]}, {}, "corpus cannot be varied"),
        ({"cleaning": ["on", "maybe"]}, {}, "cleaning is on or off, not 'maybe'"),
        ({"lora_rank": ["8", "9"]}, {"fixed": {"lora_rank": 4}}, "varied or fixed, not both"),
        ({"lora_rank": ["8", "9"]}, {"fixed": {"evaluate": "no"}}, "needs the scores"),
        ({"seed": ["8", "9"]}, {"seeds": 2}, "not both"),
    ],
)
def test_a_grid_that_cannot_work_is_refused_before_anything_starts(
    corpora: Corpora,
    corpus: Corpus,
    runs: Runs,
    workspace: Path,
    varied: Mapping[str, Sequence[object]],
    more: dict[str, object],
    said: str,
) -> None:
    with pytest.raises(ConfigError, match=said):
        create_ablation(corpora, corpus, "x", base="bundled:pocket", varied=varied, **more)  # type: ignore[arg-type]
    assert not runs.list()
    assert not (workspace / "ablations").exists()


def test_a_thousand_runs_of_one_second_all_have_ids_of_their_own(
    runs: Runs, config: RunConfig, corpus: Corpus
) -> None:
    now = datetime(2026, 1, 1)
    assert len({runs.create(config, corpus.split, now=now).id for _ in range(1000)}) == 1000


def test_a_name_is_used_once_and_an_unknown_one_names_the_known(
    corpora: Corpora, corpus: Corpus, make: Make, workspace: Path
) -> None:
    make({(8, 1): None})
    for name, said in (("rank", "'rank' already"), ("../x", "cannot be a name")):
        with pytest.raises(ConfigError, match=said):
            create_ablation(
                corpora, corpus, name, base="bundled:pocket", varied={"epochs": ["1", "2"]}
            )
    with pytest.raises(NotFound, match=r"no ablation called 'rnk'. In this workspace: rank."):
        find_ablation(workspace, "rnk")


def test_an_uncleaned_corpus_asks_what_the_cleaning_did_not_change_on_the_same_side(
    corpora: Corpora, tmp_path: Path
) -> None:
    file = tmp_path / "shop.csv"
    text = returns_csv(answers=30)
    file.write_text(text.replace("within 1 days.", "within <b>1</b> days. Was this helpful?"))
    clean = corpora.add(file)
    raw = uncleaned(corpora, clean)
    assert raw.name == "shop-uncleaned"
    assert any("<b>" in e.answer for e in raw.examples)
    assert not any("<b>" in e.answer for e in clean.examples)
    assert len(raw.examples) == len(clean.examples)
    before, now = clean.split.side_of(), raw.split.side_of()
    same = before.keys() & now.keys()
    assert len(same) == len(clean.examples) - 3, "three wordings of one answer are not the same"
    assert {id_ for id_ in same if before[id_] != now[id_]} == set()
    assert corpora.versions(raw.name) == [raw], "the copy that handed on its split is gone"
    assert uncleaned(corpora, clean) == raw, "a second ablation takes the same"


def test_what_was_edited_by_hand_or_never_cleaned_has_no_uncleaned_twin(
    corpora: Corpora, corpus: Corpus
) -> None:
    edited = corpora.revise(corpus, corpus.examples[:30])
    with pytest.raises(CorpusError, match=r"was edited .* Vary it on returns@1\."):
        uncleaned(corpora, edited)
    raw = uncleaned(corpora, corpus)
    with pytest.raises(CorpusError, match="was read without any cleaning"):
        uncleaned(corpora, raw)
    assert json.loads((raw.path / "corpus.json").read_text())["choices"]["off"]
