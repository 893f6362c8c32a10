"""What goes over from one split to another: train_dev out of train, some of dev into train."""

from __future__ import annotations

from dlspec.data.basis import Pool, at
from dlspec.data.joined import joined
from dlspec.data.splits import Split, counted, sizes
from dlspec.types import SPLITS, DataError, Examples, Splits
from dlspec.wording import plural


def carved(splits: Splits, split: Split, *, train_dev: float, dev_to_train: float) -> Splits:
    """Splits with so many (or such a share) of train set aside as train_dev, and of dev moved to train.

    Drawn as `split` divides: by seed, whole groups, every class in proportion.  train_dev is drawn before anything is
    added to train, so that it is like what train was.  Raises DataError where there is nothing to draw from, or
    nothing would be left.
    """
    if not train_dev and not dev_to_train:
        return splits
    parts, notes = dict(splits.parts), []
    if train_dev:
        if "train_dev" in parts:
            raise DataError("the data has a part train_dev of its own; leave this out", where=at("train_dev", "data"))
        aside, parts["train"] = _drawn(parts["train"], "train", split, train_dev, "train_dev")
        parts["train_dev"] = aside
        notes.append(f"set {len(aside):,} of train aside as train_dev")
    if dev_to_train:
        if "dev" not in parts:
            raise DataError("there is no dev to take examples from", where=at("dev_to_train", "data"))
        moved, parts["dev"] = _drawn(parts["dev"], "dev", split, dev_to_train, "dev_to_train")
        parts["train"] = joined([parts["train"], moved])
        notes.append(f"moved {len(moved):,} of dev to train")
    ordered = {name: parts[name] for name in (*SPLITS, *parts) if name in parts}
    note = f"{' and '.join(notes)}: {sizes(ordered)}"
    return Splits(ordered, splits.fingerprint, (*splits.notes, note), splits.apart)


def _drawn(part: Examples, name: str, split: Split, size: float, key: str) -> tuple[Examples, Examples]:
    """So many of a part, and the others."""
    count = counted(size, len(part))
    if count >= len(part):
        raise DataError(
            f"{name} has {plural(len(part), 'example')}; taking {count:,} leaves none", where=at(key, "data")
        )
    # Of what is latest, train_dev would say what time does, not what the network has learned by heart.
    pool = Pool.of(part, split.model_copy(update={"time": None}), 2)
    mine, others = pool.cut(list(range(len(part))), [count])
    if not mine or not others:
        whose = f" of '{split.group}'" if split.group else ""
        raise DataError(f"the groups{whose} in {name} are too few to be divided", where=at(key, "data"))
    return part.take(sorted(mine)), part.take(sorted(others))
