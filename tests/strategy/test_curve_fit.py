"""Learning curves: power laws by hand are found again, flat ones are flat, and bounds hold what they say they do."""

import math

import numpy as np
import pytest

from dlspec.strategy.learning_curve import fit, still_falling

SIZES = np.array([100, 200, 400, 800, 1600])


def law(n, a, b, c):
    return a * np.asarray(n, float) ** -b + c


def noisy(rng, truth, deviation, seeds=3):
    return law(SIZES, *truth)[:, None] * np.exp(rng.normal(0, deviation, (len(SIZES), seeds)))


@pytest.mark.parametrize("truth", [(3.0, 0.35, 0.0), (3.0, 0.5, 0.05), (40.0, 1.2, 0.01), (1.0, 0.1, 0.2)])
def test_a_power_law_is_found_again(truth):
    curve = fit(SIZES, [[error] * 3 for error in law(SIZES, *truth)])
    assert curve[:3] == pytest.approx(truth, rel=1e-3, abs=1e-4)
    for factor in (2, 10):
        assert curve.at(1600 * factor).value == pytest.approx(float(law(1600 * factor, *truth)), rel=1e-4)
    assert curve.left_out == 0 and curve.misfit > 0.05 and list(curve.sizes) == list(SIZES)


def test_sizes_may_come_in_any_order_and_seeds_may_be_missing():
    errors = [[error, error * 1.01] for error in law(SIZES, 3.0, 0.5, 0.05)]
    shuffled = [4, 1, 0, 3, 2]
    assert fit(SIZES[shuffled], [errors[i] for i in shuffled])[:3] == fit(SIZES, errors)[:3]
    errors[2] = [errors[2][0], math.nan]
    assert fit(SIZES, errors).at(3200).value == pytest.approx(float(law(3200, 3.0, 0.5, 0.05)), rel=0.02)


def test_how_many_examples_are_needed_is_worked_out_by_hand():
    curve = fit(SIZES, [[error] * 3 for error in law(SIZES, 4.0, 0.5, 0.02)])
    # 4/√n = 0.04 where n = 10,000; the floor of 0.02 is never passed.
    assert curve.needed(0.06).value == pytest.approx(10_000, rel=1e-2)
    assert curve.needed(0.019).value == math.inf
    # From 0.12 at 1,600 to 4/√3200 + 0.02.
    assert curve.gained(2).value == pytest.approx(1 - (4 / math.sqrt(3200) + 0.02) / 0.12, rel=1e-3)


def test_bounds_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    draws = 120
    for truth, deviation, seeds in (
        ((3.0, 0.35, 0.03), 0.08, 3),
        ((3.0, 0.35, 0.0), 0.08, 3),
        ((0.0, 0.5, 0.1), 0.1, 3),
        ((1.0, 0.2, 0.05), 0.05, 2),
        ((3.0, 0.5, 0.1), 0.05, 1),
    ):
        held = dict.fromkeys((2, 10), 0)
        for _ in range(draws):
            curve = fit(SIZES, noisy(rng, truth, deviation, seeds))
            for factor in held:
                found = curve.at(1600 * factor)
                held[factor] += found.low <= law(1600 * factor, *truth) <= found.high
        assert min(held.values()) / draws >= 0.89, (truth, held)


def test_bounds_are_of_use():
    """They are narrow where seeds agree, and wider the further they look."""
    rng = np.random.default_rng(1)
    curve = fit(SIZES, noisy(rng, (3.0, 0.35, 0.03), 0.01))
    near, far = curve.at(3200), curve.at(16_000)
    assert near.high - near.low < 0.1 * near.value and far.high - far.low > 2 * (near.high - near.low)
    wide = fit(SIZES, noisy(rng, (3.0, 0.35, 0.03), 0.1)).at(3200)
    assert wide.high - wide.low > 3 * (near.high - near.low)


def test_verdicts():
    rng = np.random.default_rng(2)
    said = {
        name: [fit(SIZES, noisy(rng, truth, deviation)).says for _ in range(60)]
        for name, truth, deviation in (
            ("steep", (3.0, 0.4, 0.0), 0.03),
            ("flat", (0.0, 0.4, 0.2), 0.03),
            ("noisy", (3.0, 0.3, 0.1), 0.4),
        )
    }
    assert said["steep"].count("helps") >= 55 and "flat" not in said["steep"]
    assert said["flat"].count("flat") >= 50 and said["flat"].count("helps") <= 1
    assert said["noisy"].count("unknown") >= 50


def test_small_sizes_that_have_learned_nothing_yet_are_left_out():
    errors = [[0.9, 0.91, 0.89], *([e, e * 1.01, e * 0.99] for e in law(SIZES, 3.0, 0.5, 0.0))]
    curve = fit([50, *SIZES], errors)
    assert curve.left_out == 1 and curve.sizes[0] == 100 and curve.b == pytest.approx(0.5, abs=0.02)


def test_points_that_are_no_curve_have_wide_bounds():
    curve = fit(SIZES, [[e * 0.99, e, e * 1.01] for e in (0.3, 0.1, 0.4, 0.1, 0.3)])
    assert curve.misfit < 0.01 and curve.says == "unknown"


def test_a_fall_beyond_chance_takes_no_law():
    steep = [[0.5, 0.52], [0.49, 0.5], [0.45, 0.44], [0.3, 0.32], [0.16, 0.155]]
    assert still_falling(SIZES, steep) and still_falling(SIZES[::-1], steep[::-1])
    assert not still_falling(SIZES, [[e, e * 1.02] for e in (0.5, 0.4, 0.3, 0.2, 0.2)])
    assert not still_falling(SIZES, [[0.5], [0.4], [0.3], [0.2], [0.1]]), "one seed says nothing of chance"
    # Of flat curves one in forty seems to fall; with a little to spare, fewer.
    rng = np.random.default_rng(3)
    assert sum(still_falling(SIZES, noisy(rng, (0.0, 0.5, 0.2), 0.1)) for _ in range(400)) <= 16


def test_errors_of_zero_and_a_single_seed():
    curve = fit(SIZES, [[0.2, 0.22], [0.1, 0.11], [0.02, 0.04], [0.0, 0.0], [0.0, 0.0]], resolution=0.01)
    assert 0 <= curve.at(3200).low <= curve.at(3200).high < 0.1
    nothing = fit(SIZES, [[0.0] * 3] * 5, resolution=0.01)
    assert nothing.at(3200).value == pytest.approx(0.0, abs=1e-9) and nothing.at(3200).high < 0.05
    alone = fit(SIZES, [[error] for error in law(SIZES, 3.0, 0.5, 0.05) * (1.02, 0.98, 1.0, 1.01, 0.99)])
    assert math.isnan(alone.misfit) and alone.at(3200).low < law(3200, 3.0, 0.5, 0.05) < alone.at(3200).high


def test_too_few_sizes_are_refused():
    with pytest.raises(ValueError, match="3 sizes; a curve takes 4"):
        fit([100, 200, 400, 800], [[0.3], [0.2], [0.1], [math.nan]])
