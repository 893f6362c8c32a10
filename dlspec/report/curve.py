"""Error against the number of training examples as a person sees it: a table in a terminal, a figure in the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlspec.report.terminal import number, share, table
from dlspec.types import Figure

MOST_DRAWN = 4
"""a band wider than this many times the greatest error that was seen is drawn no further"""


def print_curve(result: Mapping[str, Any]) -> None:
    """What `evaluate --learning-curve` leaves on stdout."""
    table(
        ["examples", "share of train", "error on dev", "seeds", "error on train", "seeds"],
        [[f"{one['n']:,}", share(one["share"]), *_cells(one["dev"]), *_cells(one["train"])] for one in result["sizes"]],
        left=0,
        title=f"learning curve: error ({result['error']}) against the size of train",
    )
    table(
        ["with more data", "examples", "error on dev", "95 % interval", result["metric"]],
        [
            [
                f"{one['factor']} times",
                f"{one['n']:,}",
                number(one["value"]),
                _between(one),
                number(one["score"]["value"]),
            ]
            for one in result["predictions"]
        ],
    )
    fit = result["fit"]
    print(
        f"error = a·n^−b + c: a {number(fit['a']['value'])}, b {number(fit['b']['value'])} ({_between(fit['b'])}), "
        f"c {number(fit['c']['value'])} ({_between(fit['c'])})"
    )
    for sentence in result["says"]:
        print(sentence)


def view(held: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the page takes of learning_curve.json; None where there is none."""
    if not held:
        return None
    rows = [
        {"n": one["n"], "share": one["share"], "cells": [*_cells(one["dev"]), *_cells(one["train"])]}
        for one in held["sizes"]
    ]
    return {**held, "rows": rows, "figures": [figure(held)]}


def figure(held: Mapping[str, Any]) -> Figure:
    """Points with the range of their seeds, the fitted curve with its band, and the human level."""
    most = max(one["dev"]["high"] or 0.0 for one in held["sizes"])
    line = [one for one in held["line"] if one["high"] <= MOST_DRAWN * most]
    series = [
        {"name": "dev", **_points(held["sizes"], "dev")},
        {"name": "train", **_points(held["sizes"], "train")},
        {"name": "fitted, 95 %", "x": [one["n"] for one in line],
         **{key: [one[of] for one in line] for key, of in (("y", "value"), ("low", "low"), ("high", "high"))}},
    ]  # fmt: skip
    if held["human"] is not None:
        people = abs((1.0 if held["best"] == "max" else 0.0) - held["human"])
        at = [one["n"] for one in held["line"]]
        series.append({"name": "human level", "x": at, "y": [people] * len(at)})
    axes = {"x_title": "examples of train (logarithmic)", "y_title": held["error"], "x_logarithmic": True}
    caption = f"{held['seeds']} seeds a size, from the least to the greatest; the band holds every curve that fits"
    return Figure("lines", "Error against the size of train", {"series": series, **axes}, caption)


def _points(sizes: Sequence[Mapping[str, Any]], split: str) -> dict[str, list[Any]]:
    known = [one for one in sizes if one[split]["value"] is not None and one[split]["values"]]
    return {
        "x": [one["n"] for one in known],
        "y": [one[split]["value"] for one in known],
        "low": [one[split]["low"] for one in known],
        "high": [one[split]["high"] for one in known],
    }


def _cells(one: Mapping[str, Any]) -> list[str]:
    """The mean, and the range of the seeds."""
    return [number(one["value"]), _between(one)] if len(one["values"]) > 1 else [number(one["value"]), "–"]


def _between(one: Mapping[str, Any]) -> str:
    return f"{number(one['low'])} to {number(one['high'])}"
