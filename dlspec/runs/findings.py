"""What a person should take away from an error analysis, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dlspec.numeric.rounding import legible
from dlspec.report.terminal import number
from dlspec.strategy.intervals import wilson
from dlspec.types import Metric

SLICE_LEAST = 10
"""a slice of fewer examples is listed, but nothing is concluded from it"""


def findings(result: dict[str, Any], metric: Metric) -> list[str]:
    """What a person should take away, in sentences; nothing is said that the intervals do not allow."""
    kinds, wrong = result["kinds"], result["errors"]
    if not wrong:
        count = result["examples"]
        return [
            f"no errors in {count:,} examples; by the rule of three up to {min(1.0, 3 / count):.1%} may still be wrong"
        ]
    sentences = []
    if kinds:
        first = kinds[0]
        raised = f"{metric.name} from {number(result['value'])} to {number(first['ceiling'])}"
        if _stands_out(kinds):
            many = f"{first['count']:,} example{'s' * (first['count'] > 1)}, {first['share']:.0%} of the errors"
            sentences.append(f"mending '{first['kind']}' ({many}) would take {raised}; no other kind buys more")
        else:
            sentences.append(
                f"{len(kinds)} kinds of error, and none stands out beyond chance; mending the first would take {raised}"
            )
    if wrong < 30:
        sentences.append(
            f"{wrong} error{'s are' if wrong > 1 else ' is'} few: the shares above are known to ± {_half(kinds):.0%} "
            "at best; a larger dev set would tell more"
        )
    if result.get("blame"):
        sentences.append(result["blame"]["says"])
    sentences += _of_slices(result)
    if result.get("tags") and result["tags"]["categories"]:
        first = result["tags"]["categories"][0]
        sentences.append(
            f"of your tags, '{first['tag']}' is worth most: {first['share']:.0%} of the tagged errors "
            f"({first['low']:.0%} to {first['high']:.0%}); mending all like it would take {metric.name} to about "
            f"{number(first['ceiling'])}"
        )
    if result.get("eyeball") and result["eyeball"]["overfitted"]:
        sentences.append(result["eyeball"]["says"])
    return [legible(sentence) for sentence in sentences]


def _of_slices(result: dict[str, Any]) -> list[str]:
    """Where error is surely high: the slices that were found, else a tag that stands out."""
    overall = result["errors"] / result["examples"]
    discovered = [one for one in result["slices"] if one["found"]]
    if discovered:
        return [
            f"error is surely high where {one['condition']}: {one['rate']:.1%} of {one['n']:,} examples, against "
            f"{overall:.1%} overall; {one['share']:.0%} of all errors"
            for one in discovered[:3]
        ]
    # The bound is for one slice; of many looked at, one passes it by luck, so it is sharpened by their number.
    slices = [s for s in result["slices"] if s["n"] >= SLICE_LEAST]
    sure = 1 - 0.05 / max(1, len(slices))
    worse = [s for s in slices if wilson(s["errors"], s["n"], sure)[0] > overall]
    return [
        f"{one['condition']} has an error rate of {one['rate']:.1%} (at least {one['low']:.1%}), against "
        f"{overall:.1%} overall"
        for one in worse[:1]
    ]


def _stands_out(kinds: Sequence[dict[str, Any]]) -> bool:
    """Whether the first kind is more frequent than the second beyond chance (sign test, one-sided, 5 %)."""
    if len(kinds) == 1:
        return True
    from scipy.special import bdtrc

    counts = sorted((kind["count"] for kind in kinds), reverse=True)
    return bool(kinds[0]["count"] == counts[0] and bdtrc(counts[0] - 1, counts[0] + counts[1], 0.5) <= 0.05)


def _half(kinds: Sequence[dict[str, Any]]) -> float:
    """Half the width of the first kind's interval."""
    return (kinds[0]["high"] - kinds[0]["low"]) / 2 if kinds else math.nan
