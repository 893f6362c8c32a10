"""What a comparison of runs comes to, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dlspec.strategy.intervals import drawn_units
from dlspec.strategy.paired import Difference

CERTAIN = 0.05
"""differences that chance alone makes less often than this are told from none"""
FEWEST = 20
"""groups below which drawing them again tells little"""


def sentence(one: str, other: str, metric: str, best: str, difference: Difference, n: int) -> str:
    """`B is better than A: its accuracy is higher by 0.03 (95 % interval 0.01 to 0.05, p = 0.004) on these 180 …`."""
    value, low, high, p = difference
    examples = f"on these {n:,} examples"
    if math.isnan(p):
        return f"{one} and {other} cannot be told apart by {metric} {examples}: nothing is known of its spread"
    if p >= CERTAIN:
        spread = "" if math.isnan(low) else f"95 % interval {low:+.4g} to {high:+.4g}, "
        return (
            f"{one} and {other} are not distinguishable by {metric} {examples} "
            f"(difference {value:+.4g}, {spread}p = {_chance(p)})"
        )
    better = (value > 0) == (best == "max")
    low, high = (low, high) if value > 0 else (-high, -low)
    return (
        f"{one} is {'better' if better else 'worse'} than {other} {examples}: its {metric} is "
        f"{'higher' if value > 0 else 'lower'} by {abs(value):.4g} "
        f"(95 % interval {low:.4g} to {high:.4g}, p {'' if p < 0.001 else '= '}{_chance(p)})"
    )


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def cautions(pairs: int, groups: Sequence[str] | None) -> list[str]:
    """What to keep in mind: many comparisons, few groups."""
    sentences = []
    if pairs > 1:
        sentences.append(
            f"these are {pairs} comparisons: were all runs equally good, one of them would still be found to differ "
            f"with a probability of up to {1 - (1 - CERTAIN) ** pairs:.0%}"
        )
    many = drawn_units(len(groups), groups)[0] if groups is not None else FEWEST
    if many < FEWEST:
        sentences.append(f"the examples come from {many} groups alone, from which intervals and p are rough")
    return sentences
