"""Which annotator's level is taken for the human level, and what is to be said of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dlspec.report.terminal import number
from dlspec.strategy.agreement import RELIABLE, TENTATIVE
from dlspec.types import Metric

FEW = 30
"""answers, below which an annotator is not taken for the best; nor with less than half of what others answered"""


def chosen(table: Sequence[Mapping[str, Any]], metric: Metric) -> Mapping[str, Any] | None:
    """The best of those that have answered enough; where none has, of all.  None where no level is known."""
    known = [one for one in table if math.isfinite(one["value"])]
    enough = [one for one in known if not few(one, table)] or known
    sign = 1 if metric.best == "max" else -1
    return max(enough, key=lambda one: (sign * one["value"], one["n"]), default=None)


def few(one: Mapping[str, Any], table: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an annotator has answered too few to be taken for the best."""
    return bool(one["n"] < FEW or one["n"] < max(other["n"] for other in table) / 2)


def by_chance(alpha: Mapping[str, float]) -> bool:
    """Whether annotators may agree no better than by chance; where agreement has no interval, its value decides."""
    return alpha["low"] <= 0 or (alpha["value"] <= 0 and not math.isfinite(alpha["low"]))


def sentences(
    table: Sequence[Mapping[str, Any]],
    best: Mapping[str, Any] | None,
    agreement: Mapping[str, Any],
    metric: Metric,
    split: str,
    examples: int,
    of_tables: bool = False,
) -> list[str]:
    """What a person should know of the human level, gravest first.

    table: the level of each; examples: of the split.  of_tables: without a recipe.
    """
    alpha = agreement["alpha"]
    value, low, high = alpha["value"], alpha["low"], alpha["high"]
    known = f"alpha {number(value)}" + (f", {number(low)} to {number(high)}" if math.isfinite(low) else "")
    if by_chance(alpha):
        return [
            f"annotators do not surely agree better than by chance ({known}, over {agreement['examples']:,} examples): "
            "the labels or the task are not well defined, or these answers are too few, and no human level can be "
            "concluded; settle with them what is to be answered, on the examples where they differ"
        ]
    if best is None:
        return [
            f"annotators give answers, not probabilities, so their {metric.name} is not known; choose another metric "
            f"({'--metric' if of_tables else 'goal.optimize'}), or state the human level as a number"
        ]
    said = [
        f"the human level is that of {best['name']}, the best of {len(table)}: {metric.name} {number(best['value'])} "
        f"({number(best['low'])} to {number(best['high'])}), on {best['n']:,} of {examples:,} examples of {split}"
    ]
    rivals = [one["name"] for one in table if one is not best and not few(one, table) and _overlap(one, best)]
    if rivals:
        said.append(
            f"the best was chosen by these same answers, and may owe it to chance ({', '.join(rivals[:3])} may be as "
            "good): its level is a little too good; more answers would tell"
        )
    rare = [f"{one['name']} {one['n']:,}" for one in table if few(one, table)]
    if rare:
        said.append(f"of few answers a level says little: {', '.join(rare)}")
    if not math.isfinite(value):
        said.append("annotators gave too few answers to the same examples, or one answer to all, to tell agreement")
    elif value < TENTATIVE:
        said.append(
            f"annotators agree little ({known}; {TENTATIVE} is the least that allows tentative conclusions): what is "
            "right is often not clear to people, so look at the examples where they differ before you trust the level"
        )
    else:
        word = "well" if value >= RELIABLE else "fairly"
        said.append(f"annotators agree {word} ({known})")
    return said


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one["low"] <= other["high"] and other["low"] <= one["high"])
