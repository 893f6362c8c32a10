"""What was made of two arrays is made once, also where several are asked for in turn; what is gone is forgotten."""

import gc
import weakref

import numpy as np

from dlspec.numeric.latest import KEPT, Latest


class Made:
    def __init__(self, one, other):
        self.sum = float(one.sum() + other.sum())


def test_the_same_arrays_give_the_same_thing():
    made = Latest(Made)
    pairs = [(np.full(2, i), np.ones(2)) for i in range(KEPT)]
    first = [made(*pair) for pair in pairs]
    assert [one.sum for one in first] == [2.0 * i + 2 for i in range(KEPT)]
    assert all(made(*pair) is one for _ in range(2) for pair, one in zip(pairs, first, strict=True))
    assert made(pairs[0][0], np.ones(2)) is not first[0] and made(pairs[0][0].view(), pairs[0][1]) is not first[0]


def test_the_one_that_was_asked_for_longest_ago_goes_first():
    made = Latest(Made)
    pairs = [(np.full(2, i), np.ones(2)) for i in range(KEPT + 1)]
    first = [made(*pair) for pair in pairs[:KEPT]]
    assert made(*pairs[0]) is first[0]
    made(*pairs[KEPT])
    assert made(*pairs[0]) is first[0] and made(*pairs[1]) is not first[1]


def test_what_is_gone_is_forgotten():
    made = Latest(Made)
    array = np.ones(3)
    held = weakref.ref(made(array, array))
    del array
    made(np.ones(2), np.zeros(2))
    gc.collect()
    assert held() is None
