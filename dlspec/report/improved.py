"""What `dlspec improve` tried, what it bought, and why it stopped: for a person."""

from __future__ import annotations

from typing import Any

from dlspec.report.ledger import changes as said
from dlspec.report.ledger import spoken
from dlspec.report.terminal import table


def print_improved(result: dict[str, Any]) -> None:
    metric = result["metric"] or "dev"
    rows = []
    for one in result["tries"]:
        mark = " *" if one["number"] == result["best"] else ""
        value = "" if one["value"] is None else f"{one['value']:.4f}"
        changed = said(one["changes"]) or one["reason"]
        cut = " (cut short by the budget)" if one["cut"] else ""
        rows.append([f"{one['number']}{mark}", changed, spoken(one["cause"]) or "–", _came(one) + cut, value])
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
        spread = f"{score['low']:.4f} to {score['high']:.4f}" if score["low"] is not None else "no interval"
        print(f"test, looked at once: {metric} {score['value']:.4f} ({spread}, n={score['n']:,})")
    if result["recipe"]:
        print(f"the best: {result['run']}\nits recipe: {result['recipe']}")


def _came(one: dict[str, Any]) -> str:
    if one["state"] == "failed":
        return f"failed: {one['says']}"
    if one["difference"] is None:
        return one["says"] or one["state"]
    spread = f" ({one['low']:+.4f} to {one['high']:+.4f})" if one["low"] is not None else ""
    return f"{one['state']}: {one['difference']:+.4f}{spread}"
