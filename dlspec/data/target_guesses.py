"""Which column of a table is to be predicted: by its name, else a guess that is said to be one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dlspec.data.label_guesses import LISTS, separator_in
from dlspec.data.questions import EACH, FEW
from dlspec.numeric.columns import kind_of
from dlspec.numeric.printable import shown
from dlspec.proposals import Line
from dlspec.recipe.component import nearest
from dlspec.types import DataError, Place

if TYPE_CHECKING:
    import numpy as np

NAMED = ("target", "targets", "label", "labels", "class", "classes", "y", "outcome", "response", "truth")
"""what a target is called"""
OFTEN = re.compile(
    r"(survived|species|diagnosis|sentiment|attrition|(is[_ ]?)?(churn(ed)?|fraud|spam|default(ed)?|converted)|medv"
    r"|.*(price|value)|.*[_ ](target|label|class))$",
    re.IGNORECASE,
)
"""what is mostly what one wants to know, where nothing is called target or label"""


def target_of(columns: Mapping[str, np.ndarray], wanted: str | None, file: str, but: Sequence[str] = ()) -> Line:
    """The column to predict, and why it was taken; not `sure` where it is a guess.

    but: columns that cannot be it.  Raises DataError where the wanted one is not there, or where none can be it.
    """
    names = [name for name in columns if name not in but]
    if wanted is not None:
        if wanted not in columns:
            near = nearest(wanted, list(columns))
            hint = f"; did you mean '{near}'?" if near else f"; columns: {', '.join(map(shown, columns))}"
            raise DataError(f"there is no column '{shown(wanted)}' (--target){hint}", where=Place(shown(file)))
        return Line("target", wanted, "what is to be predicted, as --target said")
    called = [name for name in names if name.strip().lower() in NAMED]
    if called:
        return Line("target", called[-1], "what is to be predicted, by its name")
    lists = [name for name in names if LISTS.search(name) and separator_in(columns[name].tolist())]
    if lists:
        return Line("target", lists[-1], "what is to be predicted, by its name and its cells of several labels")
    fit = [name for name in names if _can_be(name, columns[name])]
    if not fit:
        raise DataError(
            "no column can be told to be the target: each names rows, holds dates, or is the same everywhere; "
            f"name it with --target (columns: {', '.join(map(shown, names[:40]))})",
            where=Place(shown(file)),
        )
    often = [name for name in fit if OFTEN.match(name)]
    alike = [name for name in fit if name.strip().lower() == Path(file).name.partition(".")[0].lower()]
    if alike:
        chosen, why = alike[0], "as the file is called so, too"
    elif often and fit[-1] not in often:
        chosen, why = often[-1], "by its name"
    else:
        last = fit[-1] == list(columns)[-1]
        chosen, why = fit[-1], "the last column" if last else "the last column that can be one"
    others = [shown(name) for name in fit if name != chosen]
    some = f" ({', '.join(others[:6])}{', …' * (len(others) > 6)})" if others else ""
    return Line("target", chosen, f"a guess, {why}; another: --target NAME{some}", sure=False)


def _can_be(name: str, values: np.ndarray) -> bool:
    kind = kind_of(name, values, FEW)
    if kind not in ("numeric", "categorical"):
        return False
    words = [one for one in values.tolist() if one is not None] if values.dtype == object else []
    if words and not 1 < len(set(words)) <= max(FEW, len(words) / EACH):
        return False
    return bool(words) or values[values == values].min() < values[values == values].max()
