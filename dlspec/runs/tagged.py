"""A person's tags of errors as a table: how often each, what mending it would buy, what it costs, and what to do first.

After Ng (Machine Learning Yearning, chapters 14 to 19): an error may have several tags, so that shares may pass 100 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dlspec.data.tag_table import read_tags
from dlspec.runs.judged import Judged
from dlspec.runs.slicing import cost_share, costs
from dlspec.strategy.intervals import wilson
from dlspec.strategy.mending import Mending
from dlspec.types import DataError, Place

FEW = 30
"""tagged errors; with fewer, shares are known to little better than ± 15 %"""


def tagged(judged: Judged, split: str, file: str, mending: Mending, seen: np.ndarray) -> dict[str, Any]:
    """The categories that a table of tags names among the errors of a split, what is worth most first.

    seen: (N,) bool, the eyeball part.  Shares are of the errors that have a tag, and ceilings take these for all: what
    is so of a fifth of them would be so of a fifth of all errors.
    Raises DataError where no id of the table is one of the split.
    """
    given = read_tags(file)
    place = {name: row for row, name in enumerate(judged.parts[split].examples.ids)}
    unknown = [name for name in given if name not in place]
    if unknown and len(unknown) == len(given):
        some = ", ".join(unknown[:3]) + (", …" if len(unknown) > 3 else "")
        raise DataError(
            f"none of its {len(given):,} ids is in {split} ({some}), where ids look like '{next(iter(place))}': these "
            "are tags of another split or of other data, and nothing can be concluded from them here",
            where=Place(file),
        )
    rows = {place[name]: tags for name, tags in given.items() if name in place and tags}
    right = [row for row in rows if not mending.wrong[row]]
    looked = np.zeros(mending.n, bool)
    looked[[row for row in rows if mending.wrong[row]]] = True
    categories = _categories(
        judged, split, mending, {row: rows[row] for row in np.flatnonzero(looked).tolist()}, looked
    )
    untagged = sum(not tags for tags in given.values())
    says = _says(split, given, unknown, untagged, len(right), looked, mending.wrong, seen, categories)
    return {
        "file": file,
        "tagged": int(looked.sum()),
        "of": int((mending.wrong & seen).sum()),
        "unknown": unknown[:100],
        "not_errors": len(right),
        "categories": categories,
        "says": says,
    }


def _categories(
    judged: Judged, split: str, mending: Mending, rows: Mapping[int, tuple[str, ...]], looked: np.ndarray
) -> list[dict[str, Any]]:
    wrong, many = mending.wrong, int(looked.sum())
    if not many:
        return []
    # The errors that were looked at stand for all: each counts as many times as makes up for the others.
    weights = np.where(wrong, 0.0, 1.0)
    weights[looked] = wrong.sum() / many
    cost = _costs(judged, split, rows)
    base, sign = mending.score(), 1 if mending.metric.best == "max" else -1
    members: dict[str, list[int]] = {}
    for row, tags in rows.items():
        for tag in tags:
            members.setdefault(tag, []).append(row)
    result = []
    for tag, some in members.items():
        which = np.zeros(len(wrong), bool)
        which[some] = True
        low, high = wilson(len(some), many)
        gain = mending.gain(which, weights)
        mean = 1.0 if cost is None else float(cost[which].mean())
        result.append(
            {
                "tag": tag,
                "count": len(some),
                "share": len(some) / many,
                "low": low,
                "high": high,
                "ceiling": base + sign * gain,
                "gain": gain,
                "cost": None if cost is None else mean,
                "cost_share": cost_share(which, None if cost is None else np.where(looked, cost, 0.0)),
                "worth": gain if cost is None or mending.metric.name == "weighted_error" else gain * mean,
            }
        )
    return sorted(result, key=lambda one: (-np.nan_to_num(one["worth"], nan=-np.inf), -one["count"], one["tag"]))


def _costs(judged: Judged, split: str, rows: Mapping[int, tuple[str, ...]]) -> np.ndarray | None:
    """(N,) what each example's errors cost, a person's tags that the goal names counted in."""
    held = costs(judged, split)
    if held is None:
        return None
    named, held = judged.evaluator.costs, held.copy()  # type: ignore[attr-defined]
    for row, tags in rows.items():
        own = [named[tag] for tag in tags if tag in named]
        if own:
            held[row] = max(own) if held[row] == 1 else max(held[row], *own)
    return held


def _says(
    split: str, given: Mapping[str, Any], unknown: list[str], untagged: int, right: int, looked: np.ndarray,
    wrong: np.ndarray, seen: np.ndarray, categories: list[dict[str, Any]],
) -> list[str]:  # fmt: skip
    """What can and cannot be concluded from these tags."""
    many, of, says = int(looked.sum()), int((wrong & seen).sum()), []
    if unknown:
        some = ", ".join(unknown[:3]) + (", …" if len(unknown) > 3 else "")
        says.append(
            f"{len(unknown):,} of {len(given):,} ids are not in {split} ({some}): their tags are left out; they may be "
            "of another split, or of another version of the data"
        )
    if right:
        says.append(
            f"{right:,} tagged example{'s are' if right > 1 else ' is'} no error here and left out: shares and "
            "ceilings are of errors alone"
        )
    if untagged:
        says.append(f"{untagged:,} listed without a tag: not counted as looked at (tag what fits nothing 'other')")
    if not many:
        return [*says, "no error is tagged, so that nothing can be said of what they have in common"]
    outside = int((looked & ~seen).sum())
    if outside:
        says.append(
            f"{outside:,} tagged errors lie outside of the eyeball part: who has looked at them cannot take the "
            "black-box part for honest any more"
        )
    if many - outside < of:
        says.append(
            f"{many:,} errors are tagged, {of - many + outside:,} of the {of:,} in the eyeball part are not: if the "
            "worst came first, the shares are those of the worst"
        )
    if many < FEW:
        first = categories[0]
        says.append(
            f"{many} tagged errors are few: the first share could as well be {first['low']:.0%} or {first['high']:.0%}"
        )
    return says
