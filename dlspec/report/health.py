"""The health of a training as a person sees it: the verdict, a table of the layers, and how they fared."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from dlspec.numeric.rounding import brief
from dlspec.types import Figure
from dlspec.wording import plural

TITLES = {
    "healthy": "Healthy",
    "vanishing": "Vanishing gradients",
    "exploding": "Exploding",
    "dead": "Dead units",
    "saturated": "Saturated units",
    "learning_rate_too_high": "Learning rate too high",
    "learning_rate_too_low": "Learning rate too low",
    "diverged": "Diverged",
    "unknown": "Not known",
}
COLUMNS = {
    "gradient": "gradient norm",
    "ratio": "update to weight",
    "output": "size of outputs",
    "dead": "dead units",
    "saturated": "saturated",
}
SHARES = ("dead", "saturated")
MOST_CURVES = 8
"""layers that a figure shows: of more, evenly spread ones"""


def view(held: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the page takes of health.json; None where nothing was looked at."""
    if not held or not held["samples"]:
        return None
    samples = held["samples"]
    last = {name: _last(samples, name) for name in COLUMNS}
    shown = [name for name in COLUMNS if any(one is not None for one in last[name])]
    rows = [
        {"name": layer["name"], "kind": layer["kind"], "ill": layer["name"] in held["concerns"],
         "cells": [_cell(name, last[name][place]) for name in shown]}
        for place, layer in enumerate(held["layers"])
    ]  # fmt: skip
    return {
        **held,
        "title": TITLES[held["verdict"]],
        "good": held["verdict"] == "healthy",
        "sets": as_arguments(held["change"]),
        "columns": [COLUMNS[name] for name in shown],
        "rows": rows,
        "looks": len(samples),
        "figures": [
            one
            for one in (
                _curves(held, "ratio", "Update to weight, a step", "a three-hundredth is usual, 0.003"),
                _curves(held, "gradient", "Gradient norm", "on the same examples of train each time"),
                _over_time(held.get("over_time") or []),
            )
            if one
        ],
    }


def as_arguments(change: Mapping[str, Any]) -> str:
    """Changes of a recipe as arguments of the command line, which a shell takes as they are."""

    def text(value: Any) -> str:
        plain = isinstance(value, str) and value.isidentifier() and yaml.safe_load(value) == value
        if isinstance(value, float) and math.isfinite(value):
            return brief(value, exact=True)
        return str(value) if plain else json.dumps(value)

    return " ".join(f"--set {shlex.quote(f'{key}={text(value)}')}" for key, value in change.items())


def _last(samples: Sequence[Mapping[str, Any]], name: str) -> list[float | None]:
    """Of each layer, what was seen last."""
    found: list[float | None] = [None] * len(samples[0][name])
    for sample in samples:
        found = [old if new is None else new for old, new in zip(found, sample[name], strict=True)]
    return found


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{100 * value:.0f} %" if name in SHARES else f"{value:.2g}"


def _over_time(looks: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Of recurrent layers, how the gradient falls towards what lies far back; at first, and as last seen."""
    series, said = [], []
    for look in looks[:1] + looks[1:][-1:]:
        for one in look["layers"][:MOST_CURVES]:
            known = [value or 0.0 for value in one["gradient"]]
            most = max(known, default=0.0)
            if not most or not math.isfinite(most):
                continue
            falls = [math.log10(value / most) if value > 0 else None for value in known]
            when = "fresh" if look["step"] == 0 else f"after {plural(look['step'], 'step')}"
            series.append({"name": f"{one['layer']}, {when}", "x": one["back"], "y": falls})
            far = max(back for back, value in zip(one["back"], known, strict=True) if value >= most / 100)
            reach = f"all {far + 1} steps" if far == one["back"][-1] else f"{far + 1} steps"
            said.append(f"in '{one['layer']}', {when}, {reach} get a hundredth or more")
    if not series:
        return None
    axes = {"x_title": "steps before the end", "y_title": "log10 of the gradient, relative to the largest"}
    caption = f"what gets much less is not learned from: {'; '.join(said)}"
    return Figure("lines", "Gradient over time", {"series": series, **axes}, caption)


def _curves(held: Mapping[str, Any], name: str, title: str, caption: str) -> Figure | None:
    """A figure over the steps, a line a layer; what is 0 has no place on a logarithmic axis."""
    places = [i for i in range(len(held["layers"])) if sum(s[name][i] is not None for s in held["samples"]) > 1]
    if len(places) > MOST_CURVES:
        places = [places[i * (len(places) - 1) // (MOST_CURVES - 1)] for i in range(MOST_CURVES)]
    samples = [one for one in held["samples"] if any(one[name][i] is not None for i in places)]
    if not places or len(samples) < 2:
        return None
    series = [
        {
            "name": held["layers"][i]["name"],
            "x": [1 + one["step"] for one in samples],
            "y": [one[name][i] or None for one in samples],
        }
        for i in places
    ]
    axes = {"x_title": "steps and 1 (logarithmic)", "y_title": "", "x_logarithmic": True}
    return Figure("lines", title, {"series": series, **axes}, caption)
