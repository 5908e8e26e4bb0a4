"""Whether one contender beats another, and how sure that is: by known cases and by simulation."""

from itertools import product

import numpy as np
import pytest

from tests.benchmarks.null import MOST, count_false_verdicts, make_scores
from trainer.comparing import compare, gap, holm
from trainer.difference import Difference

QUICK = 1_000  # resamples, where many comparisons are made


def made(groups: int, mean: float = 0.0, seed: int = 0, spread: float = 0.15) -> Difference:
    """A comparison of skewed, heavy-tailed scores in groups of 1 to 9 questions."""
    draws = np.random.default_rng(seed)
    names = [str(group) for group in range(groups) for _ in range(draws.integers(1, 10))]
    at = np.array([int(name) for name in names])
    level = draws.beta(1, 3, len(names))  # how easy a question is, for both

    def scores() -> np.ndarray:
        return level + spread * (
            draws.lognormal(0, 0.8, groups)[at] + draws.standard_t(3, len(names))
        )

    return compare((scores() + mean).tolist(), scores().tolist(), names, resamples=QUICK)


def test_a_difference_turned_round_is_its_opposite() -> None:
    draws = np.random.default_rng(4)
    one, other = draws.random(60).tolist(), draws.beta(2, 5, 60).tolist()
    groups = [str(n) for n in draws.integers(0, 25, 60)]
    there, back = compare(one, other, groups), compare(other, one, groups)
    assert there.mean == pytest.approx(-back.mean)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert (there.p, there.wins, there.ties) == (back.p, back.losses, back.ties)


def test_the_order_of_the_questions_does_not_matter() -> None:
    draws = np.random.default_rng(5)
    one, other, groups = draws.random(30), draws.random(30), draws.integers(0, 12, 30).astype(str)
    mixed = draws.permutation(30)
    first = compare(one.tolist(), other.tolist(), groups.tolist())
    again = compare(one[mixed].tolist(), other[mixed].tolist(), groups[mixed].tolist())
    assert again.model_dump() == pytest.approx(first.model_dump())


def test_what_is_added_to_every_score_is_added_to_the_mean_and_its_interval() -> None:
    draws = np.random.default_rng(6)
    one, other = draws.random(50), draws.random(50)
    groups = [str(n % 15) for n in range(50)]
    plain = compare(one.tolist(), other.tolist(), groups)
    more = compare((one + 0.25).tolist(), other.tolist(), groups)
    assert (more.mean, more.low, more.high) == pytest.approx(
        (plain.mean + 0.25, plain.low + 0.25, plain.high + 0.25)
    )


def test_every_question_counts_the_same_whatever_the_size_of_its_group() -> None:
    found = compare([1.0, 1.0, 1.0, 0.0], [0.0] * 4, ["large", "large", "large", "small"])
    assert found.mean == 0.75
    assert (found.wins, found.ties, found.losses, found.n, found.groups) == (3, 1, 0, 4, 2)
    sizes = [9] * 10 + [1] * 10  # and also when groups are drawn: small ones are better here
    names = [str(group) for group, size in enumerate(sizes) for _ in range(size)]
    found = compare([0.0] * 90 + [1.0] * 10, [0.0] * 100, names)
    assert found.mean == 0.1
    assert 0.02 < found.low < 0.1 < found.high < 0.3


def test_scores_that_differ_by_rounding_are_a_tie() -> None:
    assert compare([0.3, 0.3], [0.1 + 0.2, 0.2], ["a", "b"]).ties == 1
    assert compare([0.1 + 0.2, 0.2], [0.3, 0.2], ["a", "b"]).wins == 0
    assert compare([0.30, 0.31], [0.3, 0.2], ["a", "b"], tie=0.05).ties == 1


def test_of_few_groups_every_way_to_flip_their_signs_is_counted() -> None:
    apart = [0.1, 0.3, -0.2, 0.4, 0.05]
    flips = product((1, -1), repeat=5)
    reached = [
        abs(sum(s * d for s, d in zip(f, apart, strict=True))) >= sum(apart) - 1e-9 for f in flips
    ]
    found = compare(apart, [0.0] * 5, list("abcde"))
    assert found.p == sum(reached) / 32


def test_p_is_never_nought() -> None:
    found = compare([0.9] * 40, [0.1] * 40, [str(n) for n in range(40)])
    assert found.p == 1 / 10_001
    assert found.verdict == "better"


def test_questions_of_one_answer_are_no_proof_of_forty() -> None:
    draws = np.random.default_rng(7)
    level = draws.normal(0.1, 0.2, 8).repeat(5)
    alone = compare(level.tolist(), [0.0] * 40, [str(n) for n in range(40)])
    grouped = compare(level.tolist(), [0.0] * 40, [str(n // 5) for n in range(40)])
    assert grouped.mean == alone.mean
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)
    assert grouped.p > alone.p


def test_of_no_question_and_of_one_group_nothing_is_known() -> None:
    for found in (compare([], [], []), compare([0.9, 0.8], [0.1, 0.2], ["a", "a"])):
        assert (found.low, found.high, found.p, found.verdict) == (-1.0, 1.0, 1.0, "too few")
    assert compare([], [], []).mean == 0.0


def test_what_says_the_same_does_not_differ() -> None:
    scores = np.random.default_rng(8).random(30).tolist()
    found = compare(scores, scores, [str(n) for n in range(30)])
    assert (found.mean, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    assert (found.ties, found.verdict) == (30, "no difference")


def test_a_score_that_is_no_number_is_not_averaged_away() -> None:
    with pytest.raises(ValueError, match="not a number"):
        compare([0.1, float("nan")], [0.1, 0.2], ["a", "b"])
    with pytest.raises(ValueError, match="2 scores, but 1 groups"):
        compare([0.1, 0.2], [0.1, 0.2], ["a"])


def test_a_clear_effect_is_found_either_way() -> None:
    assert [made(30, mean, seed=9).verdict for mean in (0.5, -0.5)] == ["better", "worse"]


@pytest.mark.parametrize("groups", [5, 10, 20])
def test_under_the_null_p_is_uniform_and_a_verdict_is_rare(groups: int) -> None:
    found = [made(groups, seed=seed) for seed in range(400)]
    for level in (0.1, 0.3, 0.5):  # within three standard errors, never too often
        share = sum(each.p <= level for each in found) / 400
        assert share < level + 3 * (level * (1 - level) / 400) ** 0.5
        assert share > level - 3 * (level * (1 - level) / 400) ** 0.5 - 2 / 2**groups
    assert sum(each.verdict in ("better", "worse") for each in found) <= 0.075 * 400


@pytest.mark.parametrize("groups", [4, 8, 20])
def test_the_interval_holds_the_true_mean_nineteen_times_in_twenty(groups: int) -> None:
    found = [made(groups, 0.1, seed=seed) for seed in range(400)]
    assert sum(each.low <= 0.1 <= each.high for each in found) >= 0.91 * 400


def test_nothing_is_better_than_itself() -> None:
    scores, groups = make_scores(seeds=4, groups=25)
    assert 0 < count_false_verdicts(scores, groups, resamples=QUICK) <= MOST
    better = np.concatenate([scores[:1], scores[1:] + 0.3])  # the count can rise
    assert count_false_verdicts(better, groups, resamples=QUICK, whole=True) > 2 * MOST


def test_as_many_questions_as_would_do_settle_it_most_of_the_time() -> None:
    settled, early = [], []
    for seed in range(40):
        draws = np.random.default_rng(seed)
        pilot = draws.normal(0.06, 0.2, 25)
        enough = compare(pilot.tolist(), [0.0] * 25, [str(n) for n in range(25)]).enough
        if enough:
            more = draws.normal(pilot.mean(), 0.2, enough)
            names = [str(n) for n in range(enough)]
            found = compare(more.tolist(), [0.0] * enough, names, resamples=QUICK)
            settled.append(found.verdict != "too few")
            few = [each.tolist() for each in (more[: enough // 4], more[: enough // 4] * 0)]
            early.append(compare(*few, names[: enough // 4], resamples=QUICK).verdict != "too few")
    assert len(settled) > 15
    assert sum(settled) >= 0.75 * len(settled)
    assert sum(early) <= 0.5 * len(settled)


def test_a_gap_is_the_difference_of_two_means() -> None:
    mean, low, high = gap(
        [0.9, 0.8, 0.7, 0.95], list("abcd"), [0.5, 0.4, 0.6, 0.45, 0.55], list("abcde")
    )
    assert mean == pytest.approx(0.8375 - 0.5)
    assert 0.05 < low < mean < high < 0.6


def test_answers_that_are_asked_on_both_sides_make_a_gap_surer() -> None:
    draws = np.random.default_rng(10)
    easy = draws.random(30)
    taught, reworded = (easy + 0.2).tolist(), (easy + draws.normal(0, 0.02, 30)).tolist()
    names = [str(n) for n in range(30)]
    mean, low, high = gap(taught, names, reworded, names)
    _, apart_low, apart_high = gap(taught, names, reworded, [f"other {n}" for n in names])
    assert mean == pytest.approx(0.2, abs=0.02)
    assert high - low < 0.3 * (apart_high - apart_low)


def test_a_gap_holds_the_true_one_most_of_the_time() -> None:
    held = 0
    for seed in range(200):
        draws = np.random.default_rng(seed)
        at, other = draws.integers(0, 12, 40), draws.integers(0, 12, 25)
        level = draws.normal(0, 0.2, 12)
        one, two = level[at] + draws.normal(0.1, 0.1, 40), level[other] + draws.normal(0, 0.1, 25)
        _, low, high = gap(
            one.tolist(),
            at.astype(str).tolist(),
            two.tolist(),
            other.astype(str).tolist(),
            resamples=QUICK,
        )
        held += low <= 0.1 <= high
    assert held >= 0.9 * 200


def test_a_gap_of_one_answer_is_not_known_and_one_of_nothing_is_refused() -> None:
    assert gap([0.9], ["a"], [0.5, 0.4], ["a", "b"])[1:] == (-1.0, 1.0)
    with pytest.raises(ValueError, match="both sides"):
        gap([0.9], ["a"], [], [])


def test_p_values_are_adjusted_as_holm_does() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_keeps_the_order_of_p_values_and_never_lowers_one() -> None:
    ps = np.random.default_rng(11).random(50).tolist()
    adjusted = holm(ps)
    assert all(after >= before for before, after in zip(ps, adjusted, strict=True))
    assert [adjusted[i] for i in np.argsort(ps)] == sorted(adjusted)
    assert min(adjusted) == min(1.0, 50 * min(ps))
