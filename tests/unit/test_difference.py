"""What a difference is called, and how many questions would settle it."""

import pytest

from trainer.difference import FEWEST, MATTERS, SURE, Difference, Verdict


def apart(
    mean: float, half: float, *, p: float = 0.001, n: int = 40, groups: int = 20
) -> Difference:
    return Difference(
        mean=mean,
        low=mean - half,
        high=mean + half,
        p=p,
        wins=n,
        losses=0,
        ties=0,
        n=n,
        groups=groups,
    )


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [
        (apart(0.2, 0.1), "better"),
        (apart(-0.2, 0.1), "worse"),
        (apart(0.2, 0.1, p=0.2), "too few"),  # the test does not agree with the interval
        (apart(0.2, 0.3), "too few"),  # nor here the interval with the test
        (apart(0.01, 0.02, p=0.4), "no difference"),
        (apart(0.04, 0.02, p=0.2), "too few"),  # it may well matter
        (apart(0.0, 0.0, p=1.0), "no difference"),
        (apart(0.2, 0.1, groups=FEWEST - 1), "too few"),
        (apart(0.0, 0.0, p=1.0, groups=FEWEST - 1), "too few"),
    ],
)
def test_a_difference_is_called_what_interval_and_test_agree_on(
    difference: Difference, verdict: Verdict
) -> None:
    assert difference.verdict == verdict


def test_of_so_few_groups_no_test_could_be_sure() -> None:
    assert 2 / 2 ** (FEWEST - 1) >= SURE > 2 / 2**FEWEST


def test_more_questions_are_asked_for_only_where_they_are_too_few() -> None:
    assert apart(0.2, 0.1).enough is None
    assert apart(0.01, 0.02, p=0.4).enough is None
    assert apart(0.0, 0.1, p=0.4, n=100).enough is not None


def test_four_times_the_questions_halve_the_interval() -> None:
    wide, narrow = (apart(0.0, half, p=0.4, n=100).enough for half in (0.4, 0.2))
    assert wide
    assert narrow
    assert wide == pytest.approx(4 * narrow, rel=0.05)


def test_a_large_difference_needs_fewer_questions_than_one_that_may_or_may_not_matter() -> None:
    needed = {mean: apart(mean, 0.4, p=0.1, n=100).enough or 0 for mean in (0.0, 0.025, 0.3)}
    assert needed[0.025] > needed[0.0] > needed[0.3] > 100
    assert needed[0.025] == pytest.approx(4 * needed[MATTERS - 0.05], rel=0.05)


def test_how_many_would_do_is_not_told_more_closely_than_it_is_known() -> None:
    needed = [apart(0.04, half, p=0.4, n=40).enough for half in (0.2, 0.1, 0.041)]
    assert needed == [2500, 620, 110]  # 2465, 617 and 104


def test_of_a_single_group_nothing_is_foretold() -> None:
    assert apart(0.0, 1.0, p=1.0, n=3, groups=1).enough == 20
    assert apart(0.0, 1.0, p=1.0, n=0, groups=0).enough == 20
    assert apart(0.0, 1.0, p=1.0, n=90, groups=1).enough == 91
