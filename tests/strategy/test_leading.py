"""Leading beyond chance: hand-worked means and p, error rates by simulation, and the one-standard-error rule."""

import math

import numpy as np
import pytest
from scipy import stats

from dlspec.strategy.leading import (
    Candidate,
    adjusted,
    chance_over_examples,
    chance_over_folds,
    fold_mean,
    seed_mean,
    simplest,
)
from dlspec.strategy.paired import Side
from dlspec.types import Share


def test_the_mean_over_folds_by_hand():
    """0.90, 0.92, 0.94: s = 0.02; error s / √3; interval 0.92 ± 4.3027 · 0.02 · √(1/3 + 1/2)."""
    mean = fold_mean([0.90, 0.92, 0.94])
    assert mean.value == pytest.approx(0.92) and mean.error == pytest.approx(0.011547, abs=1e-6)
    assert mean.low == pytest.approx(0.92 - 0.078555, abs=1e-5) and mean.high == pytest.approx(
        0.92 + 0.078555, abs=1e-5
    )


def test_the_corrected_t_by_hand():
    """Differences 0.01, 0.02, 0.03: t = 0.02 / (0.01 · √(1/3 + 1/2)) = 2.19089, two degrees of freedom: p = 0.15980."""
    p = chance_over_folds([0.91, 0.92, 0.93], [0.90, 0.90, 0.90])
    assert p == pytest.approx(2 * stats.t.sf(2.19089, 2), abs=1e-5) == pytest.approx(0.1598, abs=1e-4)
    assert chance_over_folds([0.9, 0.8], [0.9, 0.8]) == 1 and chance_over_folds([0.9, 0.8], [0.8, 0.7]) == 0


def test_a_plain_t_over_folds_is_too_sure_and_the_corrected_is_not():
    """Two rules equally good, trained on overlapping folds: the corrected test finds a difference in few of them."""
    random = np.random.default_rng(0)
    wrong, plain = 0, 0
    for _ in range(300):
        x = random.normal(size=(60, 2))
        y = x.sum(axis=1) + random.normal(size=60)
        parts = np.arange(60) % 5
        found = []
        for column in (0, 1):  # each knows half of what there is to know
            errors = []
            for fold in range(5):
                train, test = parts != fold, parts == fold
                slope, level = np.polyfit(x[train, column], y[train], 1)
                errors.append(float(np.mean((y[test] - slope * x[test, column] - level) ** 2)))
            found.append(errors)
        wrong += chance_over_folds(*found) < 0.05
        plain += stats.ttest_rel(*found).pvalue < 0.05
    assert wrong <= 0.06 * 300 < 1.5 * plain + 18


def test_one_training_has_the_interval_over_examples_and_several_seeds_add_theirs():
    assert seed_mean([0.9], 0.85, 0.94)[:3] == (0.9, 0.85, 0.94)
    mean = seed_mean([0.88, 0.90, 0.92], 0.9 - 1.96 * 0.03, 0.9 + 1.96 * 0.03)
    seeds = 0.02**2 / 3
    assert mean.value == pytest.approx(0.9) and mean.error == pytest.approx(math.sqrt(0.03**2 + seeds), rel=1e-4)
    freedom = (0.03**2 + seeds) ** 2 / (seeds**2 / 2)
    assert mean.high - mean.value == pytest.approx(stats.t.ppf(0.975, freedom) * mean.error, rel=1e-4)


def side(hits):
    rows = np.asarray(hits, float)

    def combine(statistics, weights=None):
        weights = np.ones(len(rows)) if weights is None else weights
        return {"accuracy": float(weights @ statistics["rows"] / weights.sum())}

    return Side(combine, {"rows": rows}, {"accuracy": Share(rows == 1, None, None)})


def test_over_examples_it_is_mcnemar_and_with_seeds_the_spread_of_both():
    """8 examples that one alone has right, 1 that the other has: 2 · (1 + 9) / 2⁹ = 0.0390625."""
    one, other = [1] * 8 + [0] + [1] * 21, [0] * 8 + [1] + [1] * 21
    assert chance_over_examples(side(one), side(other), "accuracy", 30) == pytest.approx(0.0390625)
    twice = side(one * 2), side(other * 2)
    ids = [str(i) for i in range(30)] * 2
    calm = chance_over_examples(*twice, "accuracy", 60, groups=ids, seeds=([29 / 30] * 2, [22 / 30] * 2))
    wild = chance_over_examples(*twice, "accuracy", 60, groups=ids, seeds=([1.0, 28 / 30], [0.9, 17 / 30]))
    spread = math.sqrt((9 / 30 - (7 / 30) ** 2) / 30)
    assert stats.norm.isf(calm / 2) == pytest.approx(7 / 30 / spread, rel=0.1) and wild > 0.15
    assert chance_over_examples(*[side(one)] * 2, "accuracy", 30, groups=ids[:30]) == 1


def test_as_many_tries_as_there_are_rivals():
    assert adjusted([0.01, 0.02, float("nan"), 0.5]) == pytest.approx([0.04, 0.08, 1, 1])


def test_of_equals_the_best_seldom_leads():
    """Ten trials equally good over 200 examples: the best is said to lead in at most one of twenty searches."""
    random = np.random.default_rng(1)
    leads = 0
    for _ in range(200):
        skill = random.random(200)
        trials = sorted((random.random((10, 200)) < skill).tolist(), key=sum, reverse=True)
        p = adjusted([chance_over_examples(side(trials[0]), side(one), "accuracy", 200) for one in trials[1:]])
        leads += max(p) < 0.05
    assert leads <= 10


def test_the_simplest_within_one_standard_error():
    best = Candidate(4, 0.95, 5000, 900)
    others = [Candidate(1, 0.94, 800, 900), Candidate(2, 0.935, 100, 900), Candidate(3, 0.945, 800, 300)]
    assert simplest(best, 0.01, others, highest=True).number == 3
    assert simplest(best, 0.02, others, highest=True).number == 2
    assert simplest(best, float("nan"), others, highest=True) is best
    assert simplest(Candidate(4, 0.05, None, 9), 0.01, [Candidate(1, 0.06, 8, 9)], highest=False).number == 1
