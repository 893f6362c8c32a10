"""Slices, a person's tags and the eyeball part as a person reads them in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlspec.numeric.rounding import legible

MOST_TAGGED = 30


def print_slices(result: Mapping[str, Any]) -> None:
    """Slices that were found, then errors by tag."""
    from dlspec.report.terminal import number, share, table

    metric = result["metric"]
    found = [one for one in result["slices"] if one["found"]]
    costly = any(one["cost_share"] is not None for one in found)
    if found:
        table(
            [
                "slice", "examples", "error rate", "95 % interval", "share of errors",
                *(["share of costs"] if costly else []), f"{metric} if mended", "p",
            ],
            [
                [
                    legible(one["condition"]),
                    *_rates(one),
                    *([share(one["cost_share"])] if costly else []),
                    number(one["ceiling"]),
                    f"{one['p']:.2g}",
                ]
                for one in found
            ],
            title="where error is surely high",
        )  # fmt: skip
    by_tag = [one for one in result["slices"] if not one["found"]]
    if by_tag:
        table(
            [
                "tag",
                "value",
                "examples",
                "error rate",
                "95 % interval",
                "share of errors",
                metric,
                f"{metric} if mended",
            ],
            [
                [
                    one["name"],
                    legible(one["value"]),
                    *_rates(one),
                    number(one["metric"]),
                    number(one["ceiling"]),
                ]
                for one in by_tag[:20]
            ],
            left=2,
            title=f"errors by tag, the worst {metric} first" if _all_wrong(result) else "errors by tag",
        )


def _all_wrong(result: Mapping[str, Any]) -> bool:
    return bool(result["errors"] == result["examples"])


def _rates(one: Mapping[str, Any]) -> list[str]:
    """Examples of a slice, its error rate with interval, and its share of all errors."""
    from dlspec.report.terminal import share

    return [
        f"{one['n']:,}", share(one["rate"]), f"{share(one['low'])} to {share(one['high'])}", share(one["share"])
    ]  # fmt: skip


def print_tags(result: Mapping[str, Any]) -> None:
    """What a person tagged, what is worth most first."""
    from dlspec.report.terminal import number, share, table

    held = result.get("tags")
    if not held:
        return
    if held["categories"]:
        costly = held["categories"][0]["cost"] is not None
        table(
            [
                "category", "errors", "share", "95 % interval", *(["cost", "share of costs"] if costly else []),
                f"{result['metric']} if mended",
            ],
            [
                [
                    one["tag"],
                    f"{one['count']:,}",
                    share(one["share"]),
                    f"{share(one['low'])} to {share(one['high'])}",
                    *([f"{one['cost']:.3g}", share(one["cost_share"])] if costly else []),
                    number(one["ceiling"]),
                ]
                for one in held["categories"][:MOST_TAGGED]
            ],
            title=f"what you tagged: {held['tagged']:,} errors; what is worth most first (several tags may overlap)",
        )  # fmt: skip
        print_more(held["categories"], MOST_TAGGED)
    for sentence in held["says"]:
        print(sentence)
    print()


def print_more(items: Sequence[Any], most: int) -> None:
    """How many of a list were not shown."""
    if len(items) > most:
        print(f"… and {len(items) - most:,} more\n")
