"""The page of a search: its best trials, what mattered, which values were tried, how the best learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlspec.report.html import template
from dlspec.report.parallel import parallel, share
from dlspec.report.terminal import between, number
from dlspec.report.tuned import brief, briefs, repeated, shown, simpler
from dlspec.types import Figure

ROWS = 50
"""trials of the leaderboard"""
OUT = 5
"""trials that stand out"""


def page(result: Mapping[str, Any], name: str, facts: Mapping[str, Any]) -> str:
    """One HTML page, offline.

    result: as `tune --json` prints it.  facts: axes (name, kind, low and high or options), importance (name → share),
    curves (number → dev metric by epoch) of the best.
    """
    trials = {one["number"]: one for one in result["trials"]}
    scored = [trials[number] for number in result["leaderboard"]]
    names = [axis["name"] for axis in facts["axes"]]
    failed = [one for one in result["trials"] if one["state"] == "failed"]
    cut = [one for one in result["trials"] if one["state"] == "pruned" and one["values"]]
    cut.sort(key=lambda one: -(one["epochs"] or 0))
    states = [one["state"] for one in result["trials"]]
    view = {
        "name": name,
        "metric": result["metric"],
        "best": result["best"],
        "counts": {state: states.count(state) for state in dict.fromkeys(states)},
        "names": briefs(names),
        "ranges": any(one["low"] is not None for one in scored),
        "sizes": any(one["parameters"] is not None for one in scored),
        "says": [one for one in (repeated(result), result["best"]["says"], simpler(result)) if one] if scored else [],
        "limited": any(one["feasible"] is not None for one in scored),
        "rows": [_row(one, names) for one in scored[:ROWS]],
        "more": max(0, len(scored) - ROWS),
        "cut": [_row(one, names) for one in cut[:ROWS]],
        "failed": [{"number": one["number"], "cause": one["cause"]} for one in failed],
        "figures": _figures(result["metric"], scored, facts),
        "parallel": _parallel(result["metric"], scored, cut, facts["axes"]) if len(names) > 1 and scored else None,
        "tried": [_tried(axis, result["trials"]) for axis in facts["axes"]],
        "importance": bool(facts["importance"]),
    }
    return str(template("searched.jinja").render(view))


def _row(one: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    limits = {True: "kept", False: "missed", None: ""}[one["feasible"]]
    if one["feasible"] is False and one["miss"] is not None:
        limits = f"missed by {one['miss']:.1%}"
    cells = [shown(one["params"][name]) if name in one["params"] else "" for name in names]
    return {
        "number": one["number"],
        "value": one["values"][0],
        "limits": limits,
        "between": between(one),
        "cells": cells,
        **_costs(one),
    }


def _costs(one: Mapping[str, Any]) -> dict[str, str]:
    parameters = "" if one["parameters"] is None else f"{one['parameters']:,}"
    return {
        "parameters": parameters,
        "epochs": str(one["epochs"] or ""),
        "seconds": "" if one["seconds"] is None else f"{one['seconds']:.1f}",
    }


def _tried(axis: Mapping[str, Any], trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many different values were tried of an axis: of a grid few, at random one a trial."""
    drawn = [one["params"][axis["name"]] for one in trials if axis["name"] in one["params"]]
    return {"name": axis["name"], "distinct": len(set(drawn)), "trials": len(drawn)}


def _figures(metric: str, scored: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[Figure]:
    made = []
    weights = facts["importance"]
    if weights:
        data = {
            "names": [brief(one) for one in weights],
            "values": list(weights.values()),
            "x_title": "share of the variance",
            "y_title": "",
        }
        caption = "how much of the ups and downs of the metric each axis explains (fANOVA, Hutter et al. 2014)"
        made.append(Figure("bars", "What mattered", data, caption))
    if facts["curves"]:
        series = [
            {"name": f"trial {index}", "x": list(range(1, len(values) + 1)), "y": values}
            for index, values in facts["curves"].items()
        ]
        data = {"series": series, "x_title": "epoch", "y_title": f"dev {metric}"}
        made.append(Figure("lines", "How the best learned", data))
    for axis in facts["axes"]:
        found = [
            (share(value, axis), value, one["values"][0])
            for one in scored
            if (value := one["params"].get(axis["name"])) is not None
        ]
        if not found:
            continue
        if axis["kind"] == "choice":
            best = {label: [y for _, x, y in found if x == label] for label in axis["options"]}
            best = {label: ys for label, ys in best.items() if ys}
            data = {
                "names": [shown(one) for one in best],
                "values": [sum(ys) / len(ys) for ys in best.values()],
                "low": [min(ys) for ys in best.values()],
                "high": [max(ys) for ys in best.values()],
                "dots": True,
                "x_title": f"dev {metric}: mean, least and greatest",
                "y_title": "",
            }
            made.append(Figure("bars", brief(axis["name"]), data))
            continue
        found.sort()
        data = {
            "series": [{"name": "", "x": [x for _, x, _ in found], "y": [y for *_, y in found],
                        "counts": [1] * len(found)}],
            "x_title": brief(axis["name"]) + (" (logarithmic)" if axis["kind"] == "log_uniform" else ""),
            "y_title": f"dev {metric}",
            "x_logarithmic": axis["kind"] == "log_uniform",
            "x_range": [axis["low"], axis["high"]],
        }  # fmt: skip
        made.append(Figure("lines", brief(axis["name"]), data))
    return made


def _parallel(
    metric: str,
    scored: Sequence[Mapping[str, Any]],
    cut: Sequence[Mapping[str, Any]],
    axes: Sequence[Mapping[str, Any]],
) -> Any:
    """cut: trials that were given up early, with what they had reached by then."""
    values = [one["values"][0] for one in (*scored, *cut)]
    last = {"name": "", "title": f"dev {metric}", "kind": "uniform", "low": min(values), "high": max(values)}
    named = [{**axis, "title": brief(axis["name"])} for axis in axes]
    rows = [
        {
            "label": f"trial {one['number']}: {number(one['values'][0])}",
            "best": place < min(OUT, len(scored)),
            "values": {**one["params"], last["name"]: one["values"][0]},
        }
        for place, one in enumerate((*scored, *cut))
    ]
    return parallel("every trial over every axis", [*named, last], rows)
