import numpy as np
import pytest

from dlspec.strategy.eyeball import bound, contrast, places

NAMES = [f"row {i}" for i in range(20_000)]


def test_places_are_even_and_hang_on_name_and_seed_alone():
    where = places(NAMES)
    assert (where >= 0).all() and (where < 1).all()
    counts = np.histogram(where, 20, (0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # chi², 19 degrees of freedom, p = 0.001
    np.testing.assert_array_equal(places(NAMES[::-1])[::-1], where)
    assert np.abs(np.corrcoef(where, places(NAMES, seed=1))[0, 1]) < 0.03
    assert places(["a", "b", "a", "caf\udce9"])[[0, 2]].std() == 0


def test_the_part_holds_about_a_hundred_errors_in_steps_of_two():
    where = places(NAMES)
    assert [bound(where, errors) for errors in (0, 50, 150, 199, 200, 399, 400, 2_000)] == [
        1, 1, 1, 1, 0.5, 0.5, 0.25, 1 / 16,
    ]  # fmt: skip


def test_a_part_of_so_many_holds_every_smaller_one():
    where = places(NAMES[:1000])
    small, large = where < bound(where, 100, 50), where < bound(where, 900, 300)
    assert small.sum() == 50 and large.sum() == 300 and (large | ~small).all()
    assert (where < bound(where, 0, 0)).all() and (where < bound(where, 0, 5000)).all()


def test_groups_come_whole():
    where = places([f"patient {i // 10}" for i in range(1000)])
    rows = where < bound(where, 0, 95)
    assert rows.sum() == 100 and set(rows.reshape(100, 10).sum(axis=1)) == {0, 10}


def test_a_difference_of_two_shares_worked_by_hand():
    """20 of 100 against 40 of 100: pooled 0.3, z = -0.2 / sqrt(0.3² … residuals about the pooled mean)."""
    values = np.r_[np.ones(20), np.zeros(80), np.ones(40), np.zeros(60)]
    eye = np.arange(200) < 100
    found = contrast(values, eye, np.arange(200))
    spread = np.sqrt((20 * 0.7**2 + 80 * 0.3**2) / 100**2 + (40 * 0.7**2 + 60 * 0.3**2) / 100**2)
    from scipy.stats import norm

    assert (found.eyeball, found.rest) == (0.2, 0.4)
    assert found.p == pytest.approx(norm.cdf(-0.2 / spread)) and found.sure
    assert contrast(1 - values, eye, np.arange(200)).p == pytest.approx(1 - found.p)


def test_nothing_is_said_of_too_little():
    eye = np.arange(200) < 100
    assert np.isnan(contrast(np.r_[np.zeros(191), np.ones(9)], eye, np.arange(200)).p)
    assert np.isnan(contrast(np.ones(200), np.ones(200, bool), np.arange(200)).p)
    assert not contrast(np.ones(200), np.ones(200, bool), np.arange(200)).sure


@pytest.mark.parametrize("grouped", [False, True])
def test_an_honest_part_is_seldom_called_overfitted(grouped):
    random = np.random.default_rng(0)
    sure = 0
    for seed in range(400):
        units = np.arange(1200) // 10 if grouped else np.arange(1200)
        rate = random.beta(1, 9, 1200)[units]  # of groups some are hard
        values = (random.random(1200) < rate).astype(float)
        eye = places([str(one) for one in units], seed) < 0.3
        sure += contrast(values, eye, units).sure
    assert sure <= 20  # 10 are expected; more than 20 have a chance of 0.1 %
