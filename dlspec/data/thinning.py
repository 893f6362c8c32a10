"""A smaller train, as `split.train` says: what a learning curve is made of."""

from __future__ import annotations

from dlspec.data import division
from dlspec.data.basis import at, classes_of
from dlspec.data.splits import Split, counted, sizes
from dlspec.types import DataError, Examples, Splits
from dlspec.wording import plural


def thinned(splits: Splits, split: Split) -> Splits:
    """Splits whose train holds what `split.train` says.  Raises DataError where there are not so many examples."""
    if split.train is None:
        return splits
    train = splits["train"]
    count = counted(split.train, len(train))
    if count > len(train):
        raise DataError(
            f"train has {plural(len(train), 'example')}; it cannot be cut down to {count:,}", where=at("train")
        )
    parts = {**splits.parts, "train": subset(train, count, split, split.train_seed)}
    note = f"cut train down from {len(train):,} examples: {sizes(parts)} (train_seed {split.train_seed})"
    return Splits(parts, splits.fingerprint, (*splits.notes, note))


def subset(train: Examples, count: int, split: Split, seed: int) -> Examples:
    """So many examples of train, in its order; with the same seed, fewer are a part of more.

    Every class in proportion, where `split` divides by class, and at least one of each that the number allows.  Where
    examples have groups, whole groups: as many as come nearest to the number, one at least.
    """
    labels, _ = classes_of(train, split.model_copy(update={"time": None}), 1)
    labels = [""] * len(train) if labels is None else labels
    salt = f"train:{seed}:"  # the seed of the split has decided who is in train; this order owes it nothing
    if train.columns["groups"] is None:
        order = division.shuffled([salt + one for one in train.ids], 0)
        return train.take(sorted(division.nested(order, labels)[:count]))
    members: dict[str, list[int]] = {}
    for place, group in enumerate(train.column("groups")):
        members.setdefault(f"g:{group}" if group else f"i:{train.columns['ids'][train.rows[place]]}", []).append(place)
    names = list(members)
    groups = [members[names[i]] for i in division.shuffled([salt + one for one in names], 0)]
    seen: set[object] = set()
    early, late = [], []
    for group in groups:  # those that bring a new class come first
        new = {labels[place] for place in group} - seen
        seen |= new
        (early if new else late).append(group)
    taken: list[int] = []
    for group in early + late:
        if taken and len(taken) + len(group) - count >= count - len(taken):
            break
        taken += group
    return train.take(sorted(taken))
