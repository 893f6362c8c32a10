"""The arithmetic of dividing: exact totals, classes in proportion, groups whole, order by hash alone."""

import hashlib
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from dlspec.data import division

LABELS = st.lists(st.sampled_from("abcde"), min_size=6, max_size=80)
SEEDS = st.integers(0, 1000)


def test_order_is_that_of_the_hash():
    names = [f"n{i}" for i in range(50)]
    by_hand = sorted(range(50), key=lambda i: hashlib.blake2b(f"3:n{i}".encode(), digest_size=8).hexdigest())
    assert division.shuffled(names, 3) == by_hand
    assert division.shuffled(names, 4) != by_hand
    assert division.shuffled(["a", "b", "c", "d"], 0) == [2, 1, 0, 3], "must be the same in ten years"


def test_counts_worked_by_hand():
    # 5 and 3 of 8; test takes 2: shares 1.25 and 0.75, so 1 and 1.  dev takes 2: together 2.5 and 1.5 of 4.
    assert division.allotted([5, 3], [2, 2]) == [[1, 1], [2, 0]]
    # Thirds that cannot be met: 3 examples of 9, each class has 3.
    assert division.allotted([3, 3, 3], [3]) == [[1, 1, 1]]
    # The larger remainder goes first: 10 % of 16, 14 and 70 is 1.6, 1.4 and 7.
    assert division.allotted([16, 14, 70], [10]) == [[2, 1, 7]]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.floats(0, 0.5), st.floats(0, 0.45))
def test_totals_are_exact_and_classes_within_one(sizes, test, dev):
    everything = sum(sizes)
    totals = [int(test * everything), int(dev * everything)]
    table = division.allotted(sizes, totals)
    assert [sum(row) for row in table] == totals
    for row, total in zip(table, totals, strict=True):
        for many, size in zip(row, sizes, strict=True):
            assert many >= 0 and abs(many - size * total / everything) < 1
    left = [size - sum(column) for size, column in zip(sizes, zip(*table, strict=True), strict=True)]
    assert min(left) >= 0
    for many, size in zip(left, sizes, strict=True):
        assert abs(many - size * (everything - sum(totals)) / everything) < 2


def test_a_class_keeps_an_example_for_train():
    sizes = [3] * 20  # a share of 0.45 each for dev and for test: never both of a class's spare ones and the last
    test, dev = division.allotted(sizes, [27, 27])
    assert sum(test) == sum(dev) == 27
    few = division.allotted(sizes, [9, 9])
    assert all(3 - t - d >= 1 for t, d in zip(*few, strict=True))


@given(LABELS, st.integers(2, 6), SEEDS)
def test_folds_differ_by_one_at_most_in_every_class(labels, folds, seed):
    order = division.shuffled([str(i) for i in range(len(labels))], seed)
    parts = division.dealt(order, labels, folds)
    for chosen in ({*labels}, *({label} for label in labels)):
        counts = Counter(dict.fromkeys(range(folds), 0))
        counts.update(part for part, label in zip(parts, labels, strict=True) if label in chosen)
        assert max(counts.values()) - min(counts.values()) <= 1


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("ab")), min_size=8, max_size=200), SEEDS)
def test_groups_stay_whole_and_no_part_is_empty(pairs, seed):
    groups, labels = [str(g) for g, _ in pairs], [label for _, label in pairs]
    wanted = [len(pairs) * 0.2, len(pairs) * 0.2, len(pairs) * 0.6]
    parts = division.grouped(groups, labels, wanted, seed)
    assert len(set(zip(groups, parts, strict=True))) == len(set(groups))
    assert len(set(parts)) == min(3, len(set(groups)))
    sizes = Counter(parts)
    largest = max(Counter(groups).values())
    plain = Counter(division.grouped(groups, [""] * len(groups), wanted, seed))
    assert all(abs(plain[part] - wish) <= largest + 1 for part, wish in enumerate(wanted)), (plain, sizes)


def test_groups_do_not_depend_on_the_order_of_the_rows():
    groups = [f"g{i % 37}" for i in range(500)]
    labels = ["xyz"[i * i % 3] for i in range(500)]
    one = dict(zip(groups, division.grouped(groups, labels, [100, 100, 300], 5), strict=True))
    other = dict(zip(groups[::-1], division.grouped(groups[::-1], labels[::-1], [100, 100, 300], 5), strict=True))
    assert one == other
    assert one != dict(zip(groups, division.grouped(groups, labels, [100, 100, 300], 6), strict=True))


def test_groups_keep_classes_in_proportion():
    # 60 groups of ten, a third of them all "sick": each part should hold about a third.
    groups = [f"g{i // 10}" for i in range(600)]
    labels = ["sick" if i // 10 % 3 == 0 else "well" for i in range(600)]
    parts = division.grouped(groups, labels, [120, 120, 360], 0)
    table = Counter(zip(parts, labels, strict=True))
    assert table == {
        (0, "sick"): 40,
        (0, "well"): 80,
        (1, "sick"): 40,
        (1, "well"): 80,
        (2, "sick"): 120,
        (2, "well"): 240,
    }
