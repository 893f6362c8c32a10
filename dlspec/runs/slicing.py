"""Slices of a split as error analysis tells them: by tag, and those that were found where error is surely high."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.numeric.columns import as_dates, dates
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs.judged import Judged
from dlspec.strategy import ceilings
from dlspec.strategy.conditions import widened
from dlspec.strategy.intervals import drawn_units, wilson
from dlspec.strategy.mending import Mending
from dlspec.strategy.slices import FEWEST_ERRORS, find_slices, searched
from dlspec.types import Examples

TRUTH = "truth"
"""the column of what is true"""
LONG = 2.0
"""seconds of looking up facts from which on they are kept with the run"""
MANY = 30_000_000
"""rows scored again for all slices together, beyond which only those that were found have a ceiling"""


def slices(
    judged: Judged, split: str, found: ceilings.Errors, mending: Mending, watch: Watch
) -> tuple[list[dict[str, Any]], list[str]]:
    """Slices that were found, the clearest first, then every value of every tag; and sentences about the search."""
    part = judged.parts[split]
    by_tag = ceilings.slices(
        judged.evaluator, part.examples, part.statistics, found, judged.state, metric=judged.metric
    )
    score, cost = mending.score(), costs(judged, split)
    told = []
    few = len(by_tag) * mending.n <= MANY
    tags = {name: np.array(part.examples.tag(name), object) for name in part.examples.tag_names} if few else {}
    for one in by_tag:
        held = {**asdict(one), "condition": f"{one.name} = {one.value}", "found": False, "p": None}
        which = tags[one.name].astype(str) == one.value if few else None
        ceiling = None if which is None else mending.ceiling(which)
        told.append({**held, **_worth(ceiling, score, mending, cost, which)})
    discovered, said = _found(judged, split, found, mending, watch)
    return [*discovered, *told], said


def costs(judged: Judged, split: str) -> np.ndarray | None:
    """(N,) what each example's errors cost; None where the goal names no costs."""
    held = judged.parts[split].statistics.get("cost") if getattr(judged.evaluator, "costs", None) else None
    return None if held is None else np.asarray(held, float)


def cost_share(which: np.ndarray, cost: np.ndarray | None) -> float | None:
    """The part of all costs that these examples have."""
    return None if cost is None else float(cost[which].sum() / cost.sum()) if cost.any() else 0.0


def _worth(
    ceiling: float | None, score: float, mending: Mending, cost: np.ndarray | None, which: np.ndarray | None
) -> dict[str, Any]:
    sign = 1 if mending.metric.best == "max" else -1
    gain = None if ceiling is None else sign * (ceiling - score)
    return {"ceiling": ceiling, "gain": gain, "cost_share": None if which is None else cost_share(which, cost)}


def _found(
    judged: Judged, split: str, found: ceilings.Errors, mending: Mending, watch: Watch
) -> tuple[list[dict[str, Any]], list[str]]:
    part, wrong = judged.parts[split], found.wrong
    rare = min(int(wrong.sum()), int((~wrong).sum()))
    if rare < FEWEST_ERRORS:
        one = rare == 1
        what = f"error{'s' * (not one)}" if wrong.sum() == rare else f"example{'s' * (not one)} without an error"
        few = f"{rare} {what} {'is' if one else 'are'} too few"
        short = f"{few} to search for slices where error is high ({FEWEST_ERRORS} are needed)"
        return [], [short] if rare else []
    most = judged.input.facts_of
    rows = searched(wrong)
    if most is not None and len(rows) > most:
        rows = rows[np.arange(most) * len(rows) // most]
    facts = _facts(judged, part.examples.take(rows.tolist()), split, watch)
    many, unit = drawn_units(len(wrong), part.groups)
    grouped = many < len(wrong)
    hits = find_slices(facts, wrong[rows], units=unit[rows] if grouped else None)
    if not hits:
        return [], []
    # What is found on some is counted on all, where looking up the facts of all costs nothing.
    if len(rows) < len(wrong) and most is None:
        rows = np.arange(len(wrong))
        facts = _facts(judged, part.examples, split, watch, facts)
    looked = np.zeros(len(wrong), bool)
    looked[rows] = True
    weights = None if looked.all() else looked.astype(float)
    cost, score, result = costs(judged, split), mending.score(weights), []
    if cost is not None:
        cost = np.where(looked, cost, 0.0)
    for hit in hits:
        which = np.zeros(len(wrong), bool)
        which[rows] = hit.rows(facts)
        n, errors = int(which.sum()), int((which & wrong).sum())
        low, high = wilson(errors, n)
        inside = {name: np.asarray(array)[which] for name, array in part.statistics.items()}
        name = judged.metric.name
        words = str(hit)
        result.append(
            {
                "name": " and ".join(one.column for one in hit.conditions),
                "value": words,
                "n": n,
                "errors": errors,
                "rate": errors / n if n else 0.0,
                "low": low,
                "high": high,
                "share": errors / max(1, int((wrong & looked).sum())),
                "metric": judged.evaluator.combine(inside, only={name})[name],
                "condition": words,
                "found": True,
                "p": hit.p,
                **_worth(mending.ceiling(which, weights), score, mending, cost, which),
            }
        )
    said = [] if looked.all() else [f"slices were searched among {len(rows):,} of {len(wrong):,} examples"]
    return result, said


def _facts(
    judged: Judged, examples: Examples, split: str, watch: Watch, like: Mapping[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Every column that may explain an error: what the input knows, tags, and what is true.

    like: what came of a part of the examples; each column is then taken for the same again.
    """
    file, key = None, ""
    if judged.input.facts_of is not None and judged.home is not None:
        file, key = judged.home / "facts" / f"{split}.json", _key(examples)
    kept: Mapping[str, Any] = folders.read_json(file, {}) if file is not None and file.is_file() else {}
    if kept.get("key") == key and key:
        known: dict[str, Any] = {name: np.array(values, float) for name, values in kept["facts"].items()}
    else:
        begun = time.perf_counter()
        known = judged.input.facts(examples, {} if judged.opened is None else judged.opened.state["input"])
        if file is not None and time.perf_counter() - begun > LONG:
            watch.note(f"brightness, size and the like of {len(examples):,} examples are kept in {file}")
            held = {name: np.asarray(values).tolist() for name, values in known.items()}
            folders.write_json(file, {"key": key, "facts": held})
    for name, values in judged.evaluator.facts(examples, judged.state).items():
        known.setdefault(name, values)
    for name in examples.tag_names:
        known.setdefault(name, np.array([one if one is None else str(one) for one in examples.tag(name)], object))
    classes = judged.evaluator.classes(examples, judged.state)
    if classes:  # places in pictures have a class, and are no words to slice by
        truths: list[Any] = [" and ".join(several) for several in classes]
    else:
        truths = judged.evaluator.truth(examples, judged.state)
    if truths and all(one is None or isinstance(one, str | int | float) for one in truths):
        numbers = all(not isinstance(one, str) for one in truths)
        kind: Any = float if numbers else object
        known.setdefault(TRUTH, np.array([np.nan if one is None and numbers else one for one in truths], kind))
    return widened({name: _ordered(name, values, like) for name, values in known.items()}, like)


def _ordered(name: str, values: Any, like: Mapping[str, np.ndarray] | None) -> Any:
    """Words that are dates as dates, which have ranges; else what was given."""
    if np.asarray(values).dtype != object:
        return values
    if like is None:
        found = dates(values)
        return values if found is None else found
    return as_dates(values)[0].astype(like[name].dtype) if like[name].dtype.kind == "M" else values


def _key(examples: Examples) -> str:
    """What the facts of examples hang on: their names and, of files, size and time of the last change."""
    from dlspec.numeric.picture_paths import PictureFiles

    digest = hashlib.blake2b("\0".join(examples.ids).encode("utf-8", "surrogatepass"), digest_size=16)
    x = examples.columns["x"]
    if not isinstance(x, PictureFiles):
        return ""
    for path in x[list(examples.rows)]:
        stat = os.stat(path) if Path(path).exists() else None
        digest.update(repr(stat and (stat.st_size, stat.st_mtime_ns)).encode())
    return digest.hexdigest()
