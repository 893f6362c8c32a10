"""What a person looks at of tagged sentences: how well each type is found, and what types are taken for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from dlspec.types import Figure, State, Statistics

if TYPE_CHECKING:
    from collections.abc import Mapping

OTHER, NOTHING = "types that train has not", "nothing"
LISTED = 40
"""types that are shown, the most frequent"""


def by_type(statistics: Statistics, state: State) -> dict[str, dict[str, float]]:
    """Type → precision, recall, f1 (NaN where there is nothing to tell), and how many are true, said and right."""

    right, table = statistics["right"].sum(axis=0), statistics["table"].sum(axis=0)
    said, true = table[:, :-1].sum(axis=0), table[:-1].sum(axis=1)
    found = {}
    for i, name in enumerate([*state["types"], OTHER]):
        r, s, t = (int(one[i]) for one in (right, said, true))
        if s + t:
            share = [r / s if s else math.nan, r / t if t else math.nan, 2 * r / (s + t)]
            found[name or "entity"] = dict(zip(("precision", "recall", "f1"), share, strict=True)) | {
                "true": t,
                "said": s,
                "right": r,
            }
    return dict(sorted(found.items(), key=lambda one: (-one[1]["true"], one[0])))


def figures(statistics: Statistics, state: State) -> list[Figure]:
    """F1 of each type, and the types that were taken for each other."""
    found = by_type(statistics, state)
    if not found:
        return []
    what = "type" if "broken" in statistics else "tag"
    shown = dict(list(found.items())[:LISTED])
    told = "; ".join(_told(name, one) for name, one in list(shown.items())[:12])
    bars: dict[str, Any] = {
        "names": list(shown),
        "values": [one["f1"] for one in shown.values()],
        "x_title": what,
        "y_title": "F1",
    }
    return [Figure("bars", f"How well each {what} is found", bars, told), _matrix(statistics, state, what)]


def _matrix(statistics: Statistics, state: State, what: str) -> Figure:
    import numpy as np

    table = statistics["table"].sum(axis=0)
    names = [*(name or "entity" for name in state["types"]), OTHER, NOTHING]
    there = np.flatnonzero(table.sum(axis=0) + table.sum(axis=1))
    order = sorted(there.tolist(), key=lambda i: (i == len(names) - 1, -int(table[i].sum()), names[i]))[-LISTED:]
    shown = [names[i] for i in order]
    data = {
        "rows": shown,
        "columns": shown,
        "values": table[np.ix_(order, order)].tolist(),
        "row_title": f"true {what}",
        "column_title": f"said {what}",
    }
    boundary = int(np.trace(table[:-1, :-1]) - statistics["right"].sum())
    have = "has other boundaries than it" if boundary == 1 else "have other boundaries than they"
    caption = f"of those on the diagonal {boundary:,} {have} should" if boundary else ""
    return Figure("matrix", f"What each {what} was taken for", data, caption)


def _told(name: str, one: Mapping[str, float]) -> str:
    """Precision of what is never said, and recall of what is never true, are none."""
    if not one["said"]:
        return f"{name}: {one['true']:,} true, and none said"
    if not one["true"]:
        return f"{name}: none true, and {one['said']:,} said"
    return (
        f"{name}: precision {one['precision']:.3g}, recall {one['recall']:.3g}, {one['true']:,} true and "
        f"{one['said']:,} said"
    )
