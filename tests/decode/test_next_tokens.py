"""Drawing tokens: shares by hand, how often each is drawn, and what becomes of a text longer than a network goes."""

import numpy as np
import pytest
from keras import ops

from dlspec.decode.sampling import Sampling, draw, drawn, shares
from dlspec.models.base import Course

SHARES = np.array([0.15, 0.5, 0.05, 0.3])
LOGITS = np.log(SHARES) + 7


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Sampling(), SHARES),
        (Sampling(temperature=0.5), SHARES**2 / (SHARES**2).sum()),
        (Sampling(temperature=2), SHARES**0.5 / (SHARES**0.5).sum()),
        (Sampling(temperature=0), [0, 1, 0, 0]),
        (Sampling(top_k=2), [0, 0.625, 0, 0.375]),
        (Sampling(top_k=9), SHARES),
        (Sampling(top_p=0.5), [0, 1, 0, 0]),
        (Sampling(top_p=0.8), [0, 0.625, 0, 0.375]),
        (Sampling(top_p=0.81), np.array([0.15, 0.5, 0, 0.3]) / 0.95),
        (Sampling(top_p=1.0), SHARES),
        (Sampling(top_k=3, top_p=0.6), [0, 0.625, 0, 0.375]),
    ],
)
def test_shares_by_hand(how, expected):
    np.testing.assert_allclose(shares(LOGITS, how), expected, atol=1e-12)


def test_what_may_never_be_drawn_has_no_share_and_equals_are_taken_in_order():
    np.testing.assert_allclose(shares(LOGITS, Sampling(), never=[1]), [0.3, 0, 0.1, 0.6])
    assert shares(np.zeros(4), Sampling(temperature=0), never=[0]).tolist() == [0, 1, 0, 0]
    assert shares(np.zeros(4), Sampling(top_k=2)).tolist() == [0.5, 0.5, 0, 0]
    with np.errstate(over="raise", invalid="raise"):
        assert shares(np.array([0.0, 800.0, -800.0]), Sampling(temperature=0.01)).tolist() == [0, 1, 0]


def test_each_is_drawn_by_its_share():
    random, many = np.random.default_rng(0), 20_000
    found = np.bincount([draw(SHARES, random) for _ in range(many)], minlength=4) / many
    assert (np.abs(found - SHARES) < 4 * np.sqrt(SHARES * (1 - SHARES) / many)).all()
    nucleus = shares(LOGITS, Sampling(top_p=0.8))
    assert {draw(nucleus, random) for _ in range(500)} == {1, 3}


def telling_the_time(longest):
    """A course that says at time t the token t + 4, and counts its steps in what it keeps."""

    def step(tokens, time, cache, ancestors):
        said = ops.one_hot(ops.reshape(time + 4, (1, 1)), 4 + longest)
        return 9 * said, cache + 1, None

    return Course(step, ops.zeros((), "int32"), None)


def test_a_text_that_is_longer_than_the_course_goes_on_from_its_last_half():
    tokens = list(drawn(lambda: telling_the_time(4), [2], 4, 8, Sampling(temperature=0), [0, 1], 0))
    # Places 0 to 3; then the begin and the last two again, so that the next is said at place 2.
    assert tokens == [4, 5, 6, 7, 6, 7, 6, 7]
    begun = list(drawn(lambda: telling_the_time(9), [2, 5, 5, 5], 9, 3, Sampling(temperature=0), [], 0))
    assert begun == [7, 8, 9]
    long = list(drawn(lambda: telling_the_time(4), [2, *[5] * 20], 4, 2, Sampling(temperature=0), [], 0))
    assert long == [6, 7]


def test_the_seed_decides():
    def flat():
        return Course(lambda tokens, time, cache, ancestors: (ops.zeros((1, 1, 50)), cache, None), ops.zeros(()), None)

    first, same, other = (list(drawn(flat, [2], 9, 9, Sampling(), [0], seed)) for seed in ([1, 0], [1, 0], [1, 1]))
    assert first == same and first != other and 0 not in first
