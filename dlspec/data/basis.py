"""What decides who goes where: ids, and labels, groups or times, as the settings of `split` say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dlspec.data import division
from dlspec.types import DataError, Examples, Place

if TYPE_CHECKING:
    from dlspec.data.splits import Split

FEW_CLASSES = 100


class Pool(NamedTuple):
    """What decides who goes where."""

    ids: list[str]
    labels: Sequence[Any]
    groups: list[str] | None
    times: list[Any] | None
    seed: int
    words: str

    @classmethod
    def of(cls, whole: Examples, split: Split, wanted: int) -> Pool:
        for key in ("group", "time"):
            if getattr(split, key) is not None and whole.columns[f"{key}s"] is None:
                raise DataError(f"this data has no columns to divide by; leave out '{key}'", where=at(key))
        labels, why_not = (None, "") if split.time else classes_of(whole, split, wanted)
        by = [split.by_time] if split.time else []
        by += [f"by group '{split.group}'"] if split.group else []
        by += ["by label"] if labels is not None else []
        return cls(
            whole.ids,
            labels if labels is not None else [""] * len(whole),
            whole.column("groups") if split.group else None,
            whole.column("times") if split.time else None,
            split.seed,
            (" and ".join(by) or "by chance") + why_not,
        )

    def cut(self, places: list[int], counts: list[int]) -> list[list[int]]:
        """The places that go to each of the counts, then those that are left."""
        labels = [self.labels[i] for i in places]
        if self.groups is not None:
            groups = [self.groups[i] for i in places]
            parts = division.grouped(groups, labels, [*counts, len(places) - sum(counts)], self.seed)
        else:
            order = division.shuffled([self.ids[i] for i in places], self.seed)
            if self.times is not None:
                times = [self.times[i] for i in places]
                order.sort(key=times.__getitem__, reverse=True)
            parts = division.cut(order, labels, counts)
        return _gathered(places, parts, len(counts) + 1)

    def fold(self, places: list[int], folds: int, fold: int) -> tuple[list[int], list[int]]:
        """The places of one fold, and the others."""
        labels = [self.labels[i] for i in places]
        units = len(places) if self.groups is None else len({self.groups[i] for i in places})
        if units < folds:
            what = "examples" if self.groups is None else "groups"
            raise DataError(f"{units:,} {what} cannot make {folds} folds; ask for fewer", where=at("folds"))
        if self.groups is not None:
            share = [len(places) / folds] * folds
            parts = division.grouped([self.groups[i] for i in places], labels, share, self.seed)
        else:
            parts = division.dealt(division.shuffled([self.ids[i] for i in places], self.seed), labels, folds)
        [others, mine] = _gathered(places, [int(part == fold) for part in parts], 2)
        return mine, others


def classes_of(whole: Examples, split: Split, wanted: int) -> tuple[list[Any] | None, str]:
    """The labels to stratify by; or None, and why not in words where that is worth telling."""
    if split.stratify is False:
        return None, ""
    values = whole.columns["y"]
    values = values.tolist() if hasattr(values, "tolist") else values
    labels = [None if values is None else values[row] for row in whole.rows]
    least = split.folds or wanted if split.stratify else wanted
    problem, rare = "", []
    if not {type(label) for label in labels} <= {str, int, bool}:
        problem = "the labels are not classes"
    else:
        counts = Counter(labels)
        rare = sorted((many, str(label)) for label, many in counts.items() if many < least)
        if len(counts) > FEW_CLASSES and not split.stratify:
            return None, ""
        if len(rare) > 1:
            problem = f"{len(rare)} classes have fewer than {least} examples, as '{rare[0][1]}' ({rare[0][0]})"
        elif rare:
            problem = f"class '{rare[0][1]}' has {rare[0][0]} examples, fewer than {least}"
        elif len(counts) == 1 and not split.stratify:
            return None, ""
    if problem and split.stratify:
        raise DataError(f"cannot stratify: {problem}", where=at("stratify"))
    if problem:
        return None, f" (not by label: {problem})" if rare else ""
    return labels, ""


def _gathered(places: list[int], parts: Sequence[int], many: int) -> list[list[int]]:
    result: list[list[int]] = [[] for _ in range(many)]
    for place, part in zip(places, parts, strict=True):
        result[part].append(place)
    return result


def at(key: str = "", section: str = "data.split") -> Place:
    """Where in the recipe a complaint points to."""
    return Place(key=f"{section}.{key}" if key else section)
