"""What a range test's curve says: hand-made curves whose answer is known."""

import numpy as np
import pytest

from dlspec.strategy.range_test import Smoother, read

RATES = np.geomspace(1e-6, 10, 7001)  # a thousand a decade: the smoothed curve lags by a hundredth of one
X = np.log10(RATES)


def curve(blows_up_at):
    """1 up to 1e-3, 0 from 1e-1 on, straight in between on the logarithmic axis; 10 from where it blows up."""
    return np.where(blows_up_at <= X, 10.0, np.clip((-1 - X) / 2, 0, 1))


def test_smoothing_is_corrected_for_its_start():
    smoother = Smoother(0.9)
    assert smoother(1.0) == pytest.approx(1.0)
    assert smoother(3.0) == pytest.approx((0.9 * 0.1 * 1 + 0.1 * 3) / (1 - 0.9**2))


def test_ninety_hundredths_of_the_fall():
    found = read(RATES, curve(0.5))
    assert np.log10(found.suggestion) == pytest.approx(-3 + 0.9 * 2, abs=0.02)
    assert np.log10(found.low) == pytest.approx(-3 + 0.1 * 2, abs=0.02)
    assert np.log10(found.high) == pytest.approx(0.5, abs=0.02)


def test_at_most_half_of_where_it_turns():
    found = read(RATES, curve(-1.1))
    assert np.log10(found.high) == pytest.approx(-1.1, abs=0.02)
    assert found.suggestion == pytest.approx(found.high / 2)


def test_a_loss_that_ends_as_no_number_has_turned_there():
    losses = np.where(X >= -1.0, np.nan, curve(5))
    found = read(RATES[: 5001 + 1], losses[: 5001 + 1])
    assert found.high == pytest.approx(0.1, rel=0.01) and found.suggestion == found.high / 2


def test_a_loss_that_never_turns_gives_the_end_of_the_sweep():
    assert read(RATES, curve(5)).high == RATES[-1]


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_no_fall(seed):
    rates = np.geomspace(1e-6, 10, 300)
    assert read(rates, 2.3 + 0.3 * np.random.default_rng(seed).normal(size=300)) is None


@pytest.mark.parametrize("seed", range(20))
def test_noise_moves_it_little(seed):
    rates = np.geomspace(1e-6, 10, 300)
    clean = np.interp(np.log10(rates), X, curve(0.5))
    found = read(rates, clean + 0.05 * np.random.default_rng(seed).normal(size=300))
    assert 10**-1.7 < found.suggestion < 10**-0.7


def test_nothing_comes_of_nothing():
    assert read([1e-6, 1e-5], [1.0, 1.0]) is None
    assert read(RATES, np.ones(len(RATES))) is None
    assert read(RATES, np.full(len(RATES), np.nan)) is None
    assert read(RATES, np.linspace(1, 2, len(RATES))) is None
