"""What class probabilities look like: confusion matrix, calibration, and of two classes the ROC curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dlspec.types import Figure, State, Statistics

if TYPE_CHECKING:
    import numpy as np

MOST_CLASSES = 20
"""a confusion matrix shows no more; the others are one row and one column"""
UNKNOWN, NO_NUMBER, NONE = "unknown class", "not a number", "none"
"""a truth that is none of the classes, a guess that is not a number, one that says "none of them": in words"""
BINS = 10
"""of a calibration curve"""
CORNERS = 400
"""of a ROC curve; of more, some are left out"""


def confusion(table: np.ndarray, classes: Sequence[str]) -> Figure:
    """Truth by guess.  `table` (1 + C, 2 + C): first row unknown truths, first columns no guess, none of them.

    Rows and columns beside the classes are shown where they hold anything.  Of more than 20 classes, the 20 that are
    most often confused are shown, in their order, and the others together.
    """
    import numpy as np

    inner = table[1:, 2:]
    total, caption = int(table.sum()), ""
    names = list(classes)
    if len(names) > MOST_CLASSES:
        wrong = inner.sum(axis=0) + inner.sum(axis=1) - 2 * inner.diagonal()
        chosen = np.sort(np.argsort(-wrong, kind="stable")[:MOST_CLASSES])
        belongs = np.full(len(names), MOST_CLASSES)
        belongs[chosen] = np.arange(MOST_CLASSES)
        rows = np.append(0, belongs + 1)
        columns = np.concatenate([[0, 1], belongs + 2])
        smaller = np.zeros((MOST_CLASSES + 2, MOST_CLASSES + 3))
        np.add.at(smaller, (rows[:, None], columns[None, :]), table)
        others = f"{len(names) - MOST_CLASSES} others"
        caption = f"the {MOST_CLASSES} of {len(names)} classes that are confused most, and {others} together; "
        table, names = smaller, [*(names[i] for i in chosen), others]
    rows = [UNKNOWN, *names]
    columns = [NO_NUMBER, NONE, *names]
    keep_rows = [0, *range(1, len(rows))] if table[0].any() else list(range(1, len(rows)))
    keep_columns = [i for i in range(len(columns)) if i > 1 or table[:, i].any()]
    return Figure(
        "matrix",
        "Confusion matrix",
        {
            "rows": [rows[i] for i in keep_rows],
            "columns": [columns[i] for i in keep_columns],
            "values": table[np.ix_(keep_rows, keep_columns)].astype(int).tolist(),
            "row_title": "truth",
            "column_title": "guess",
        },
        f"{caption}{total:,} examples; shades are shares of a row, off the diagonal as square roots, so that rare "
        "confusions can be seen",
    )


def calibration(statistics: Statistics, state: State) -> list[Figure]:
    """Of two classes, the positive class's probability against how often it is true; of more, the guess's.

    Two figures: the curve, with the expected calibration error, and how many examples are in each bin.
    """
    from dlspec.numeric.calibration import reliability

    usable = statistics["guess"] >= 0
    scores = statistics["scores"][usable]
    if not len(scores):
        return []
    if state["positive"] is not None:
        given, happened = scores[:, 0], statistics["column"][usable] == 0
        what, seen = f"probability given to '{state['positive']}'", f"share that is '{state['positive']}'"
    else:
        given, happened = scores.max(axis=1), (statistics["truth"] == statistics["guess"])[usable]
        what, seen = "probability given to the guess", "share of guesses that are right"
    found = reliability(given, happened.astype(float), BINS)
    series = {"name": seen, "x": found.probability, "y": found.share, "low": found.low, "high": found.high}
    counts = found.count[found.count > 0].tolist()
    curve = Figure(
        "lines",
        "Calibration",
        {
            "series": [{**{key: _plain(value) for key, value in series.items()}, "counts": counts}],
            "x_title": what,
            "y_title": seen,
            "diagonal": True,
            "x_range": [0, 1],
            "y_range": [0, 1],
        },
        f"expected calibration error {found.error:.3f} over {BINS} bins; were the probabilities right, so many "
        f"examples would show about {found.by_chance:.3f}. Above the diagonal the guesses are too modest, below "
        "it too sure; the larger a dot, the more examples; whiskers are 95 % intervals",
    )
    spread = Figure(
        "bars",
        "How sure the guesses are",
        {
            "edges": [i / BINS for i in range(BINS + 1)],
            "values": found.count.tolist(),
            "x_title": what,
            "y_title": "examples",
        },
        "how many examples each dot of the calibration curve stands for",
    )
    return [curve, spread]


def roc_curve(statistics: Statistics, state: State, area: float) -> list[Figure]:
    """Of two classes, true against false positives at every threshold, and where the run's threshold lies."""
    import numpy as np

    from dlspec.numeric.calibration import roc

    positive, scores = statistics["column"] == 0, statistics["scores"][:, 0]
    if np.isnan(scores).any():
        return []
    false, true = roc(scores, positive)
    if not len(false):
        return []
    if len(false) > CORNERS:
        kept = np.unique(np.linspace(0, len(false) - 1, CORNERS).round().astype(int))
        false, true = false[kept], true[kept]
    guessed = statistics["guess"] == statistics["positive"]
    at = [float((guessed & ~positive).sum() / (~positive).sum()), float((guessed & positive).sum() / positive.sum())]
    return [
        Figure(
            "lines",
            "ROC curve",
            {
                "series": [
                    {"name": f"'{state['positive']}'", "x": _plain(false), "y": _plain(true)},
                    {"name": f"threshold {state['threshold']:g}", "x": at[:1], "y": at[1:]},
                ],
                "x_title": f"share of the others taken for '{state['positive']}'",
                "y_title": f"share of '{state['positive']}' found",
                "diagonal": True,
                "x_range": [0, 1],
                "y_range": [0, 1],
            },
            f"area under the curve {area:.4f}; the diagonal is guessing",
        )
    ]


def _plain(values: Any) -> Any:
    """An array as a list of numbers at six decimals, which is finer than any screen."""
    return values if isinstance(values, str) else [round(float(one), 6) for one in values]
