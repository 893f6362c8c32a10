"""What is learned of one column of a table, as JSON, and the numbers that it then becomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from dlspec.numeric.columns import words

Column = dict[str, Any]


def measured(
    parts: Mapping[str, np.ndarray], impute: Literal["median", "mean", "zero"], *, standardise: bool
) -> list[Column]:
    """Fill, mean and deviation (of the filled column) of every part that is not the same everywhere."""
    learned = []
    for part, numbers in parts.items():
        present = numbers[~np.isnan(numbers)]
        if not len(present):
            continue
        fill = {"median": np.median, "mean": np.mean, "zero": lambda _: 0.0}[impute](present)
        filled = np.where(np.isnan(numbers), fill, numbers)
        # Rounding gives a constant column a deviation that is not quite 0.
        mean, deviation = float(filled.mean()), float(filled.std()) if filled.min() < filled.max() else 0.0
        if deviation > 0:
            mean, deviation = (mean, deviation) if standardise else (0.0, 1.0)
            learned.append({"part": part, "fill": float(fill), "mean": mean, "deviation": deviation})
    return learned


def standardised(parts: Mapping[str, np.ndarray], measures: Sequence[Column]) -> list[np.ndarray]:
    """Each part (missing: NaN) filled, less its mean, over its deviation."""
    numbers = []
    for measure in measures:
        part = parts[measure["part"]]
        filled = np.where(np.isnan(part), measure["fill"], part)
        numbers.append((filled - measure["mean"]) / measure["deviation"])
    return numbers


def categorised(values: np.ndarray, maximum: int) -> Column | None:
    """The categories of a column, the most frequent `maximum` of them, by name; None where all rows are the same."""
    numeric = values.dtype != object
    counts = Counter(words(values))
    missing = counts.pop(None, 0)
    if len(counts) + (missing > 0) < 2:
        return None
    kept = sorted(counts, key=lambda word: (-counts[word], word))[:maximum]  # type: ignore[operator]
    return {
        "categories": sorted(kept),  # type: ignore[type-var]
        "missing": missing,
        "pooled": len(counts) - len(kept),
        "numeric": numeric,
    }


def codes(column: Column, values: np.ndarray) -> np.ndarray:
    """int32: 1 … K for the categories in order, K + 1 for missing where train had missing ones, 0 for all else."""
    number: dict[str | None, int] = {word: i for i, word in enumerate(column["categories"], 1)}
    if column["missing"]:
        number[None] = len(number) + 1
    return np.array([number.get(word, 0) for word in words(values, numeric=column["numeric"])], np.int32)


def slots(column: Column) -> list[str]:
    """Names of a categorical column's one-hot entries: categories, missing if train had some, other if pooled."""
    name = column["name"]
    named = [f"{name}={category}" for category in column["categories"]]
    return named + [f"{name} missing"] * bool(column["missing"]) + [f"{name} other"] * bool(column["pooled"])


def layout(columns: Sequence[Column], *, one_hot: bool) -> dict[str, Any]:
    """The arrays that the columns make: `shapes`, and the `features` of the numeric one."""
    numbers = [column for column in columns if column["kind"] != "categorical"]
    categorical = [column for column in columns if column["kind"] == "categorical"]
    features = [f"{c['name']} {m['part']}".rstrip() for c in numbers for m in c["measures"]]
    features += [f"{c['name']} missing" for c in numbers if c["indicator"]]
    shapes: dict[str, Any] = {}
    if one_hot:
        features += [slot for column in categorical for slot in slots(column)]
    elif categorical:
        sizes = [1 + len(c["categories"]) + bool(c["missing"]) for c in categorical]
        shapes["categories"] = {"shape": [len(sizes)], "dtype": "int32", "sizes": sizes}
    if features:
        shapes = {"numeric": {"shape": [len(features)], "dtype": "float32"}, **shapes}
    return {"shapes": shapes, "features": features}


def set_hot(column: Column, values: np.ndarray, zeros: np.ndarray) -> None:
    """Set the ones in zeros (N, slots); what train had not is "other", or stays all zeros where nothing was pooled.

    A slot that is never 1 in train would keep the random weights it started with: so there is none.
    """
    code = codes(column, values)
    known = np.flatnonzero(code) if not column["pooled"] else np.arange(len(code))
    zeros[known, np.where(code > 0, code - 1, zeros.shape[1] - 1)[known]] = 1


def notes(columns: Sequence[Column], left_out: Mapping[str, Sequence[str]]) -> list[str]:
    """What the columns were taken for, and what became of missing values and rare categories, for the log."""
    said = []
    for kind in ("numeric", "date", "categorical"):
        some = [c for c in columns if c["kind"] == kind]
        if some:
            shown = [c["name"] if kind != "categorical" else f"{c['name']} {len(slots(c))}" for c in some]
            said.append(f"{len(some)} {kind} ({listed(shown)})")
    lines = ["columns: " + ", ".join(said) + (f"; left out: {reasons(left_out)}" if left_out else "")]
    missing = [f"{c['name']} {c['missing']}" for c in columns if c["missing"]]
    if missing:
        lines.append(f"missing values in train: {listed(missing)}")
    lines += [
        f"column {c['name']}: {len(c['categories'])} categories kept, {c['pooled']} rarer ones pooled as other"
        for c in columns
        if c.get("pooled")
    ]
    return lines


def reasons(left_out: Mapping[str, Sequence[str]]) -> str:
    """`Name, Ticket (identifiers), Empty (no values)`."""
    return ", ".join(f"{listed(names)} ({why})" for why, names in left_out.items())


def listed(names: Sequence[str], most: int = 8) -> str:
    """The first few names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
