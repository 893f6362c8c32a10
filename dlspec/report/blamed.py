"""Who is to blame for wrong sentences, as a person reads it in a terminal and in report.html."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.types import Figure


def view(found: Mapping[str, Any] | None, metric: str) -> dict[str, Any] | None:
    """The same for report.html: who is to blame, and each fact of the source as a table with a plot."""
    if not found:
        return None
    facts: dict[str, list[Mapping[str, Any]]] = {}
    for one in found["by"]:
        facts.setdefault(one["fact"], []).append(one)
    shown = []
    for name, groups in facts.items():
        rows = [{**one, "group": group(one), "frequent": frequent(one)} for one in groups]
        data = {
            "names": [one["group"] for one in rows],
            "values": [one["value"] for one in rows],
            "x_title": f"{name} of the source",
            "y_title": metric,
        }
        shown.append({"name": name, "rows": rows, "figure": Figure("bars", f"{metric} by {name}", data)})
    who = [{"name": f"the {name}", **found[name]} for name in ("search", "model")]
    return {**found, "who": who, "facts": shown}


def group(one: Mapping[str, Any]) -> str:
    """From where to where a group goes."""
    low, high = f"{one['from']:.3g}", f"{one['to']:.3g}"
    return low if low == high else f"{low} to {high}"


def frequent(one: Mapping[str, Any]) -> str:
    """The most frequent kind of error of a group, and of how many of its sentences it is."""
    return f"{one['kind']} ({one['kind_share']:.0%})" if one.get("kind") else "–"


def print_blame(result: Mapping[str, Any]) -> None:
    """Search and model with their shares, what to do, and scores by facts of the source."""
    from dlspec.report.terminal import number, share, table

    found = result.get("blame")
    if not found:
        return
    table(
        ["to blame", "wrong sentences", "share", "95 % interval"],
        [
            [name, f"{of['count']:,}", share(of["share"]), f"{share(of['low'])} to {share(of['high'])}"]
            for name, of in (("the search", found["search"]), ("the model", found["model"]))
        ],
        title=f"search or model, by the scores of truth and guess ({found['compared']:,} compared)",
    )
    print("to do: " + "\n       ".join(found["do"]) + "\n")
    if found["by"]:
        table(
            ["of the source", "from", "to", "examples", result["metric"], "the search's share", "most frequent error"],
            [
                [
                    one["fact"],
                    f"{one['from']:.3g}",
                    f"{one['to']:.3g}",
                    f"{one['examples']:,}",
                    number(one["value"]),
                    share(one["search"]),
                    frequent(one),
                ]
                for one in found["by"]
            ],
            title=f"by what the source is ({result['metric']} is of each group as a whole, and no mean of others)",
        )
