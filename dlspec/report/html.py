"""report.html: all that a run holds as one page, offline, without a script, every name escaped."""

from __future__ import annotations

import functools
import shlex
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dlspec.numeric.rounding import legible
from dlspec.report import blamed, chained, contact, curve, health, human, ledger, passages, plots
from dlspec.report.pictures import BUDGET
from dlspec.report.terminal import between, number, share
from dlspec.types import SPLITS, Figure

MOST_PICTURES = 200
"""of all splits together"""
MOST_ROWS = 100
"""kinds of error, slices, columns: a longer list is cut, and the cut is said"""
MOST_CLASSES = 40
LONGEST_CELL = 160
LONGEST_TEXT = 1_500


def page(held: Mapping[str, Any]) -> str:
    """The page of what `dlspec.runs.report.gathered` found; each part of it only where there is something to show."""
    return template("page.jinja").render(**view(held))


def view(held: Mapping[str, Any]) -> dict[str, Any]:
    """What the template takes: the same, with plots drawn, lists cut and sums added up."""
    errors, data, machine = held["errors"], held["data"], held["machine"]
    goal = held["goal"] or {}
    metric = goal.get("metric")
    best = held["best_epoch"]
    first, more = learning(held["history"], metric, best)
    worst = within_budget(held["worst"])
    sheets = contact.view(held.get("contact") or {})
    return {
        "name": held["name"],
        "run": held["run"],
        "when": moment(held["time"]),
        "metric": metric,
        "goal": goal if goal.get("limits") else None,
        "headline": _headline(held["scores"], metric),
        "findings": next(iter(errors.values()))["findings"] if errors else [],
        "findings_of": next(iter(errors), None),
        "scores": {split: held["scores"][split] for split in (*SPLITS, *held["scores"]) if split in held["scores"]},
        "metrics": list(dict.fromkeys(name for metrics in held["scores"].values() for name in metrics)),
        "intervals": any(_known(one) for metrics in held["scores"].values() for one in metrics.values()),
        "test_looks": held["test_looks"],
        "epochs": len(held["history"]),
        "seconds": sum(row.get("seconds", 0.0) for row in held["history"]),
        "learning": first,
        "learning_more": more,
        "health": health.view(held.get("health")),
        "ledger": ledger.view(held.get("ledger")),
        "chain": chained.view(held.get("chain")),
        "curve": curve.view(held.get("curve")),
        "human": human.view(held.get("human")),
        "figures": {split: figures for split, figures in held["figures"].items() if figures},
        "errors": {split: _errors(one, worst.get(split), sheets.get(split)) for split, one in errors.items()},
        "links": {split: contact.links(one) for split, one in sheets.items() if split in errors},
        "data": data and _data(data),
        "machine": machine,
        "command": shlex.join(machine["command"]) if machine else None,
        "recipe": held["recipe"],
    }


def learning(
    history: Sequence[Mapping[str, float]], metric: str | None, best: int | None
) -> tuple[list[Figure], list[Figure]]:
    """Learning curves: the run's own metric and the loss first, then what else was measured on dev."""
    found: dict[str, dict[str, list[Any]]] = {}
    for name in dict.fromkeys(name for row in history for name in row):
        split, _, of = name.partition("_")
        if split in ("train", "dev") and of:
            found.setdefault(of, {})[split] = [row.get(name) for row in history]
    first = [name for name in (metric, "loss") if name in found]
    epochs = [int(row["epoch"]) for row in history]
    figures = []
    for name in [*first, *(name for name in found if name not in first)]:
        series = [
            {"name": split, "x": epochs, "y": found[name][split]} for split in ("train", "dev") if split in found[name]
        ]
        data: dict[str, Any] = {"series": series, "x_title": "epoch", "y_title": name}
        if best is not None:
            data["mark"] = {"x": best, "name": f"best epoch: {best}"}
        title = name if len(series) == 2 else f"{name} on {series[0]['name']}"
        figures.append(Figure("lines", title, data))
    return figures[: len(first)], figures[len(first) :]


def within_budget(worst: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Of each split the items that are shown, and how many there were: pictures of all splits share one budget."""
    with_pictures = sum(any(_picture(item) for item in items) for items in worst.values()) or 1
    result = {}
    for split, items in worst.items():
        spent, kept = 0, []
        for item in items:
            if _picture(item):
                spent += len(item["shows"]["png"])
                if spent > BUDGET / with_pictures or len(kept) >= MOST_PICTURES // with_pictures:
                    break
            kept.append(item)
        result[split] = {"items": kept, "of": len(items)}
    return result


def moment(name: str) -> str | None:
    """The time that a run's folder is named by, as a person writes it; None where it is named otherwise."""
    try:
        return time.strftime("%-d %B %Y, %H:%M UTC", time.strptime(name[:15], "%Y%m%d-%H%M%S"))
    except ValueError:
        return None


def size(count: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:,.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:,.1f} {unit}"
        count /= 1000
    raise AssertionError


def cell(value: Any) -> str:
    """A value of a table's row, short."""
    if value is None:
        return "–"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def _known(one: Mapping[str, Any]) -> bool:
    return one.get("low") is not None


def _headline(scores: Mapping[str, Any], metric: str | None) -> list[dict[str, Any]]:
    """The run's metric on dev, then on whatever else was scored."""
    order = [split for split in ("dev", "test", "train", *scores) if metric in scores.get(split, {})]
    return [{"split": split, **scores[split][metric]} for split in dict.fromkeys(order)]


def _errors(one: Mapping[str, Any], worst: Mapping[str, Any] | None, sheet: Any = None) -> dict[str, Any]:
    """One split's error analysis, with the scales that bars of one table share."""
    kinds, parts = one["kinds"], one["importance"]
    discovered = [{"cost_share": None, **s} for s in one["slices"] if s.get("found")]
    slices = [s for s in one["slices"] if not s.get("found")]
    tags = one.get("tags") or {"categories": [], "says": []}
    reach = [
        (i["drop"] or 0) + sign * (i["deviation"] or 0) for i in parts if i["drop"] is not None for sign in (-1, 1)
    ]
    worst = worst or {
        "items": [{**item, "kind_of_input": _kind_shown(item)} for item in one["worst"]],
        "of": len(one["worst"]),
    }
    return {
        **one,
        "kinds": [{"cost_share": None, **k} for k in kinds[:MOST_ROWS]],
        "more_kinds": max(0, len(kinds) - MOST_ROWS),
        "share_scale": (0.0, max((k["high"] for k in kinds), default=1.0)),
        "gain_scale": _gains(kinds),
        "slices": slices[:MOST_ROWS],
        "more_slices": max(0, len(slices) - MOST_ROWS),
        "rate": one["errors"] / one["examples"] if one["examples"] else None,
        "rate_scale": (0.0, max((s["high"] for s in (*slices, *discovered)), default=1.0)),
        "discovered": discovered,
        "slices_gain_scale": _gains(discovered),
        "tags": {**tags, "categories": tags["categories"][:MOST_ROWS]},
        "tags_scale": (0.0, max((t["high"] for t in tags["categories"]), default=1.0)),
        "tags_gain_scale": _gains(tags["categories"]),
        "eyeball": one.get("eyeball"),
        "importance": parts[:MOST_ROWS],
        "more_parts": max(0, len(parts) - MOST_ROWS),
        "drop_scale": (min(0.0, *reach), max(0.0, *reach)) if reach else (0.0, 1.0),
        "label_issues": one.get("label_issues"),
        "worst": [_item(item) for item in worst["items"]],
        "worst_of": worst["of"],
        "contact": sheet,
        "together": one.get("together"),
        "made_up": one.get("made_up"),
        "blame": blamed.view(one.get("blame"), one["metric"]),
    }


def _gains(items: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """The scale of bars of what mending buys."""
    return 0.0, max((abs(one["gain"] or 0) for one in items), default=1.0) or 1.0


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    """An example to look at, a long text cut."""
    shows = item["shows"]
    if isinstance(shows, str) and len(shows) > LONGEST_TEXT:
        shows = f"{shows[: LONGEST_TEXT - 1]}…"
    figure = {"figure": Figure(**item["figure"])} if "figure" in item else {}
    return {**item, "shows": shows, **figure}


def _kind_shown(item: Mapping[str, Any]) -> str:
    shows = item["shows"]
    return "table" if isinstance(shows, Mapping) else "text" if isinstance(shows, str) else "nothing"


def _picture(item: Mapping[str, Any]) -> bool:
    return item["kind_of_input"] == "picture"


def _data(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data card: splits in their order, classes as rows."""
    splits = {name: data["splits"][name] for name in (*SPLITS, *data["splits"]) if name in data["splits"]}
    counts = {name: one["classes"] for name, one in splits.items() if "classes" in one}
    names = list(dict.fromkeys([*(data["classes"] or []), *(name for one in counts.values() for name in one)]))
    total = {name: sum(one.get(name, 0) for one in counts.values()) for name in names} if counts else {}
    rows = names if len(names) <= MOST_CLASSES else _most_and_least(total)
    return {
        **data,
        "splits": splits,
        "total": sum(one["examples"] for one in splits.values()),
        "counts": counts,
        "class_rows": rows if counts else [],
        "class_count": len(names),
        "largest": max((max(one.values(), default=0) for one in counts.values()), default=0),
        "numbers": {name: one["numbers"] for name, one in splits.items() if "numbers" in one},
        "samples": [_item(item) for item in data["samples"]],
    }


def _most_and_least(total: Mapping[str, int]) -> list[str]:
    ordered = sorted(total, key=lambda name: -total[name])
    return [*ordered[: MOST_CLASSES // 2], *ordered[-MOST_CLASSES // 2 :]]


def template(name: str) -> Any:
    """A template that stands beside this file, with the filters that all pages share."""
    return _environment().get_template(name)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "legible": legible,
        "number": number,
        "share": share,
        "between": between,
        "known": _known,
        "count": lambda value: f"{value:,}",
        "size": size,
        "cell": cell,
        "draw": plots.draw,
    }
    environment.globals |= {"bar": plots.bar, "legend_of": passages.legend}
    return environment
