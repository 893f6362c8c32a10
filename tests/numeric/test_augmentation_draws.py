"""SplitMix64 against its published sequence, and what is made of it."""

import numpy as np

from dlspec.numeric.draws import beta, bits, ratio, uniform

SEEDS = np.random.default_rng(0).integers(0, 2**64, 20_000, dtype=np.uint64)


def test_the_published_sequence():
    seed = np.array([1234567], np.uint64)
    assert [int(bits(seed, i)[0]) for i in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_uniform_is_flat_and_its_streams_are_independent():
    one, two = uniform(SEEDS, 0, -1, 3), uniform(SEEDS, 1)
    assert one.min() >= -1 and one.max() < 3 and two.min() >= 0 and two.max() < 1
    counts, _ = np.histogram(one, 20, (-1, 3))
    assert np.abs(counts - 1000).max() < 150
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.03
    near = uniform(np.arange(20_000, dtype=np.uint64), 0)
    assert abs(np.corrcoef(near[1:], near[:-1])[0, 1]) < 0.03


def test_ratios_are_as_often_above_one_as_below():
    ratios = ratio(SEEDS, 3, 0.2)
    assert 0.8 <= ratios.min() < 0.801 and 1.249 < ratios.max() <= 1.25
    assert abs((ratios > 1).mean() - 0.5) < 0.02 and abs(np.log(ratios).mean()) < 0.005
    assert (ratio(SEEDS, 3, 0.0) == 1).all()


def test_beta_has_its_moments():
    for alpha in (0.2, 1.0, 4.0):
        draws = beta(SEEDS, 4, alpha)
        assert abs(draws.mean() - 0.5) < 0.01
        assert abs(draws.var() - 1 / (4 * (2 * alpha + 1))) < 0.01
        assert draws.min() >= 0 and draws.max() <= 1
