"""The ledger for a person: levels and gaps as tables and as a picture, the verdict, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlspec.numeric.rounding import brief
from dlspec.remedies import UNSURE
from dlspec.report.terminal import between, number, signed, table
from dlspec.types import Figure

SPOKEN = {"human": "human level", "train_dev": "train-dev"}


def level(name: str) -> str:
    """A level as a person says it."""
    return SPOKEN.get(name, name)


def print_ledger(ledger: Mapping[str, Any]) -> None:
    """What `evaluate` says of where the error comes from."""
    _levels(ledger)
    for name, one in ledger.get("heads", {}).items():
        _levels(one, of=f" of {name}")
    for sentence in sentences(ledger):
        print(sentence)
    for place, one in enumerate(ledger["prescriptions"], 1):
        if place == 1:
            print("\nto try, in this order:")
        print(f"  {place}. dlspec train {shlex.quote(shown(one['file']))}")
        print(f"     {changes(one['changes'])}: {one['reason']} (for {_aim(one)})")


def _levels(ledger: Mapping[str, Any], of: str = "") -> None:
    metric = ledger["metric"]
    gaps = {gap["below"]: gap for gap in ledger["gaps"]}
    rows = []
    for one in ledger["levels"]:
        gap = gaps.get(one["name"])
        count = f"{one['n']:,}" if one["n"] else ""
        spread = between(one) if _spread(one) else ""
        cells = ["", "", ""] if gap is None else [signed(gap["value"]), _signed(gap), gap["name"]]
        rows.append([level(one["name"]), count, number(one["value"]), spread, *cells])
    table(
        ["level", "examples", metric, "95 % interval", "worse by", "95 % interval", "which is"],
        rows,
        title=f"the ledger{of}: {metric}, from level to level",
    )


def sentences(ledger: Mapping[str, Any]) -> list[str]:
    """The verdict, then what the outcomes show by themselves."""
    heads = [f"{name}: {one['verdict']}" for name, one in ledger.get("heads", {}).items()]
    return [ledger["verdict"], *heads, *(one["says"] for one in ledger["observed"])]


def view(ledger: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the page shows of it."""
    if not ledger:
        return None
    figures = _figures(ledger)
    for name, one in ledger.get("heads", {}).items():
        figures += _figures(one, f", {name}")
    return {
        "sentences": sentences(ledger),
        "figures": figures,
        "levels": [{**one, "name": level(one["name"]), "spread": _spread(one)} for one in ledger["levels"]],
        "gaps": [
            {**gap, "above": level(gap["above"]), "below": level(gap["below"]), "between": _signed(gap)}
            for gap in ledger["gaps"]
        ],
        "metric": ledger["metric"],
        "prescriptions": [
            {
                **one,
                "file": f"suggestions/{Path(one['file']).name}",
                "sets": changes(one["changes"]),
                "cause": _aim(one),
            }
            for one in ledger["prescriptions"]
        ],
    }


def _figures(ledger: Mapping[str, Any], of: str = "") -> list[Figure]:
    metric, better = ledger["metric"], "higher" if ledger["best"] == "max" else "lower"
    figures = []
    if len(ledger["levels"]) > 1:
        caption = f"{better} is better; the thin lines are 95 % intervals"
        figures.append(_bars(f"{metric} of each level{of}", ledger["levels"], metric, caption, dots=True))
    if ledger["gaps"]:
        caption = "how much worse the lower level is; where the thin line (95 % interval) spans 0, it may be chance"
        figures.append(_bars(f"the gaps between{of}", ledger["gaps"], f"worse by, {metric}", caption))
    return figures


def changes(of: Mapping[str, Any]) -> str:
    """Changes of a recipe in a line."""
    return ", ".join(f"{key}={_plain(new)}" for key, new in of.items())


def _aim(prescription: Mapping[str, Any]) -> str:
    """What a patch is for, and whether that is surely there."""
    unsure = "" if prescription.get("sure", True) else f", which is {UNSURE}"
    return f"{spoken(prescription['cause'])}{unsure}"


def spoken(cause: str) -> str:
    """A cause as words."""
    return cause.replace("_", " ")


def shown(file: str) -> str:
    """A path as it is typed from here, where it lies below."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file


def _bars(title: str, of: Sequence[Mapping[str, Any]], x_title: str, caption: str, dots: bool = False) -> Figure:
    data: dict[str, Any] = {
        "names": [level(one["name"]) for one in of],
        "values": [one["value"] for one in of],
        "x_title": x_title,
        "y_title": "",
        "dots": dots,
    }
    for bound in ("low", "high"):
        data[bound] = [_or(one[bound], one["value"]) for one in of]
    return Figure("bars", title, data, caption)


def _or(bound: float | None, value: float | None) -> float:
    return bound if bound is not None else value if value is not None else 0.0


def _spread(one: Mapping[str, Any]) -> bool:
    return one["low"] is None or one["low"] != one["high"]


def _signed(gap: Mapping[str, Any]) -> str:
    return "not known" if None in (gap["low"], gap["high"]) else f"{signed(gap['low'])} to {signed(gap['high'])}"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_plain(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return "default" if value is None else brief(value) if isinstance(value, float) else str(value)
