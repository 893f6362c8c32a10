"""What `dlspec improve` tried, what it bought, and why it stopped: for a person."""

from __future__ import annotations

import math
import shlex
from typing import Any

from dlspec.report.ledger import changes as said
from dlspec.report.ledger import shown, spoken
from dlspec.report.terminal import between, number, signed, table


def print_improved(result: dict[str, Any]) -> None:
    metric = result["metric"] or "dev"
    rows = []
    for one in result["tries"]:
        mark = " *" if one["number"] == result["best"] else ""
        value = "" if one["value"] is None else number(one["value"])
        changed = said(one["changes"]) or one["reason"]
        rows.append(
            [
                f"{one['number']}{mark}",
                changed,
                spoken(one["cause"]) or "–",
                _came(one) + time_of(one, result["tries"]),
                value,
            ]
        )
    table(
        ["try", "change", "for", "what came of it", f"dev {metric}"],
        rows,
        left=4,
        title=f"what was tried, judged by {metric} on dev; * is the best",
    )
    minutes = result["seconds"] / 60
    print(f"stopped after {minutes:.1f} min: {result['why'] or 'the budget is spent'}")
    if result["test"] and result["metric"] in result["test"]:
        score = result["test"][result["metric"]]
        looks = result["test_looks"]
        often = "once" if looks < 2 else f"{looks} times, as the best has changed since"
        apart = between(score)
        unknown = "95 % interval " if apart == "not known" else ""
        print(f"test, looked at {often}: {metric} {number(score['value'])} ({unknown}{apart}, n={score['n']:,})")
    cut = [one for one in result["tries"] if one["cut"]]
    if cut and result["best"] in (None, cut[-1]["number"]):
        print(
            f"its training was cut short by the budget: dlspec improve --resume {shlex.quote(shown(result['folder']))} "
            f"--budget {2 * math.ceil(result['budget'])}s goes on with it"
        )
    if result["recipe"]:
        print(f"the best: {result['run']}\nits recipe: {result['recipe']}")


def time_of(one: dict[str, Any], tries: list[dict[str, Any]]) -> str:
    """What is to be known of how long it was trained, where the budget ended it, or what it is compared with."""
    if one["cut"]:
        return " (cut short by the budget)"
    return " (against one cut short)" if one["against"] is not None and tries[one["against"]]["cut"] else ""


def _came(one: dict[str, Any]) -> str:
    if one["state"] == "failed":
        return f"failed: {one['says']}"
    if one["difference"] is None:
        return one["says"] or one["state"]
    spread = f" ({signed(one['low'])} to {signed(one['high'])})" if one["low"] is not None else ""
    return f"{one['state']}: {signed(one['difference'])}{spread}"
