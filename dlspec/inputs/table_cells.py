"""What the cells of a column of numbers or dates are worth, and which of them is none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dlspec.types import DataError, Examples

if TYPE_CHECKING:
    import numpy as np

AS_TRAIN = {
    "day": "31/1/2024 (the day first, as in train), ",
    "month": "1/31/2024 (the month first, as in train), ",
}
"""what dates begin with → how one is to be written"""


def parsed(
    examples: Examples, name: str, kind: str, values: np.ndarray, first: str = "", why: str = ""
) -> dict[str, np.ndarray]:
    """Part → float64, NaN where missing.  Raises DataError at the first cell that is no number, or no date.

    first: what dates that end with the year begin with; why: where that is not known, why it is not.
    """
    from dlspec.numeric.columns import date_parts, moments, numbers

    found, wrong = numbers(values) if kind == "numeric" else moments(values, first)
    if wrong.any():
        place = int(wrong.argmax())
        finite = kind == "numeric" and isinstance(values[place], float) and math.isfinite(values[place])
        number = "a number within ±1e100" if finite else "a finite number"
        hint = f" ({why})" if why and not first else ""
        date = f"a date, as {AS_TRAIN.get(first, '')}2024-01-31 or 2024-01-31T12:00:00"
        expected = number if kind == "numeric" else date
        raise DataError(
            f"example '{examples[place].id}', column '{name}': expected {expected}, got {str(values[place])!r}{hint}; "
            f"correct the cell or leave it empty, or train with input: {{categorical: [{name}]}}"
        )
    return {"": found} if kind == "numeric" else date_parts(found)


def missing_in(parts: dict[str, np.ndarray]) -> np.ndarray:
    """Which cells are missing, told by what was made of them."""
    import numpy as np

    return np.isnan(next(iter(parts.values())))
