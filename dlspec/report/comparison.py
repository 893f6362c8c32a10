"""Runs side by side, as a person reads them in a terminal."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from dlspec.report.goals import print_standings
from dlspec.report.terminal import _fitting, between, number, table
from dlspec.wording import plural

LONGEST = 48
"""letters of a recipe's value that are shown"""


def print_compared(result: Mapping[str, Any]) -> None:
    """What `runs compare` leaves on stdout: which run is which, scores, differences, recipes, and the verdict."""
    names = [run["name"] for run in result["runs"]]
    letters = {name: _letter(place) for place, name in enumerate(names)}
    print()
    for run in result["runs"]:
        print(f"{letters[run['name']]}: {run['run']}")
    metrics = list(result["scores"][names[0]])
    for some in _fitting(names):
        head, rows = [""], [[metric] for metric in metrics]
        for name in some:
            head += [letters[name], "95 % interval"]
            for row in rows:
                one = result["scores"][name][row[0]]
                row += [number(one["value"]), between(one)]
        table(head, rows, title=f"{result['split']}: {plural(result['examples'], 'example')} that all of them have")
    if result.get("goal"):
        print_standings(result["goal"], letters)
    table(
        ["", "metric", "difference", "95 % interval", "p"],
        [
            [
                f"{letters[one['run']]} − {letters[one['against']]}",
                one["metric"],
                number(one["value"]),
                between(one),
                _chance(one["p"]),
            ]
            for one in result["differences"]
        ],
        left=2,
        title="differences over the same examples",
    )
    if result["recipe_differences"]:
        table(
            ["key", *letters.values()],
            [[one["key"], *(_shown(one["values"], name) for name in names)] for one in result["recipe_differences"]],
            left=1 + len(names),
            title="where the recipes differ",
        )
    else:
        print("the recipes are the same")
    for sentence in result["verdict"]:
        print(_lettered(sentence, letters))


def _letter(place: int) -> str:
    """A, B, …, Z, AA, AB, … as a spreadsheet counts."""
    return (_letter(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def _chance(p: float | None) -> str:
    if p is None or math.isnan(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _shown(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        return "–"
    value = values[name]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"…{text[1 - LONGEST :]}"


def _lettered(sentence: str, letters: Mapping[str, str]) -> str:
    """The sentence with each run's letter instead of its name; longer names first, as one may begin another."""
    for name in sorted(letters, key=len, reverse=True):
        sentence = sentence.replace(name, letters[name])
    return sentence
