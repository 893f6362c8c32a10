"""A smaller train: nested, every class in proportion, dev and test as they were."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dlspec.data.iris import Iris
from dlspec.data.splits import Split
from dlspec.data.thinning import subset
from dlspec.types import DataError, Examples


def made(n, labels=None, **columns):
    return Examples([f"id{i}" for i in range(n)], list(range(n)), labels or [0.5] * n, **columns)


@settings(deadline=None)
@given(st.integers(2, 90), st.integers(1, 6), st.integers(0, 9), st.booleans())
def test_a_smaller_one_is_a_part_of_a_larger_one(n, classes, seed, by_class):
    train = made(n, [f"c{i * i % classes}" for i in range(n)] if by_class else None)
    larger: set[str] = set()
    for count in range(1, n + 1):
        ids = subset(train, count, Split(), seed).ids
        assert len(ids) == count and larger <= set(ids)
        larger = set(ids)


def test_every_class_in_proportion_and_as_early_as_can_be():
    labels = ["common"] * 90 + ["seldom"] * 9 + ["once"]
    counts = Counter(subset(made(100, labels), 20, Split(), 0).column("y"))
    assert counts == {"common": 17, "seldom": 2, "once": 1}
    assert set(subset(made(100, labels), 3, Split(), 5).column("y")) == {"common", "seldom", "once"}


def test_groups_stay_whole_and_nested():
    groups = [f"g{i // 5}" for i in range(100)]
    labels = ["rare" if i >= 95 else "other" for i in range(100)]
    train = made(100, labels, groups=groups)
    before: set[str] = set()
    for count in (1, 10, 12, 50, 100):
        part = subset(train, count, Split(group="g"), 0)
        assert all(many == 5 for many in Counter(part.column("groups")).values())
        assert before <= set(part.ids) and abs(len(part) - count) < 5
        before = set(part.ids)
    assert set(subset(train, 10, Split(group="g"), 0).column("y")) == {"rare", "other"}


def test_the_setting_leaves_dev_and_test_and_opens_again_by_its_manifest():
    whole, part = Iris().read(), Iris(split=Split(train=0.25)).read()
    assert len(part["train"]) == round(0.25 * len(whole["train"])) and set(part["train"].ids) < set(whole["train"].ids)
    assert part["dev"].ids == whole["dev"].ids and part["test"].ids == whole["test"].ids
    assert "cut train down from" in part.notes[-1]
    other = Iris(split=Split(train=0.25, train_seed=1)).read()["train"].ids
    assert set(other) != set(part["train"].ids) and len(other) == len(part["train"])
    again = Iris(split=Split(train=0.25)).read({one: name for name, own in part.parts.items() for one in own.ids})
    assert again["train"].ids == part["train"].ids and "other examples are left out" in again.notes[-1]


def test_what_cannot_be_is_a_sentence():
    with pytest.raises(ValidationError, match="nothing to learn"):
        Split(train=0)
    with pytest.raises(DataError, match="cannot be cut down to 500"):
        Iris(split=Split(train=500)).read()
