"""Series as one array, whatever holds them: windows, arrays, lists of arrays, rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dlspec.types import DataError, Examples
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np


def whole(examples: Examples) -> np.ndarray:
    """(N, L, F) float64, as given; of a table, whose columns are steps, F is 1.

    Raises DataError where examples are no series, or of different lengths.
    """
    import numpy as np

    x = examples.columns["x"]
    rows = np.asarray(examples.rows, np.int64)
    if is_table(examples):
        words = [name for name, values in x.columns.items() if values.dtype == object]
        if words:
            raise DataError(
                f"column '{words[0]}' holds words, and each column is a step of the series; leave it out (data.drop), "
                "or take input: table"
            )
        return np.stack([values[rows] for values in x.columns.values()], axis=1)[:, :, None]
    if hasattr(x, "stacked"):
        found: np.ndarray = x.stacked(rows)
        return found
    if hasattr(x, "dtype"):
        values = np.asarray(x[rows], np.float64)
    else:
        own = [np.asarray(x[row], np.float64) for row in rows]
        for place, one in enumerate(own):
            if one.shape != own[0].shape:
                raise DataError(
                    f"example '{examples[place].id}' has {shape_of(one.shape)}, and '{examples[0].id}' has "
                    f"{shape_of(own[0].shape)}; all series must be of one length: cut them, or fill them up"
                )
        values = np.stack(own) if own else np.zeros((0, 1, 1))
    if values.ndim not in (2, 3):
        raise DataError(f"an example has shape {values.shape[1:]}; expected (steps,) or (steps, channels)")
    return values if values.ndim == 3 else values[:, :, None]


def known(examples: Examples, missing: str, *, log: bool = False) -> np.ndarray:
    """The same, or its logarithms, with what is missing filled, as `missing` says: last, linear; mean: it stays NaN;
    fail: DataError that names example, step and channel.  So does a value that is infinite, or has no logarithm."""
    import numpy as np

    from dlspec.numeric.windows import filled

    values = whole(examples)
    endless = np.isinf(values)
    if endless.any():
        raise DataError(f"{_where(examples, endless)} is infinite; give numbers, or NaN where one is missing")
    if log:
        few = values <= 0
        if few.any():
            raise DataError(f"{_where(examples, few)} is not above 0, and has no logarithm; leave out input.log")
        values = np.log(values)
    absent = np.isnan(values)
    if missing == "fail" and absent.any():
        raise DataError(
            f"{_where(examples, absent)} is missing ({plural(int(absent.sum()), 'value')} in "
            f"{int(absent.any(axis=(1, 2)).sum()):,} of {len(values):,} series); fill it in, or say what stands for "
            "it: input: {missing: last} (the value before), linear or mean"
        )
    return values if missing in ("fail", "mean") else filled(values, missing)


def is_table(examples: Examples) -> bool:
    """Whether the examples are rows of a table."""
    return isinstance(getattr(examples.columns["x"], "columns", None), dict)


def channels_of(examples: Examples, count: int) -> list[str]:
    """The names of the channels, where they have some; or channel_1, channel_2, …"""
    given: Sequence[str] = getattr(examples.columns["x"], "names", ())
    return list(given) if len(given) == count else [f"channel_{k + 1}" for k in range(count)]


def shape_of(shape: Sequence[int]) -> str:
    """(30, 2) in words."""
    channels = shape[1] if len(shape) > 1 else 1
    return f"{shape[0]:,} steps" + (f" of {channels} channels" if channels > 1 else "")


def _where(examples: Examples, wrong: np.ndarray) -> str:
    """`example 'a', step 4 (from 0), 'temp'`: the first of these places."""
    import numpy as np

    row, step, channel = np.argwhere(wrong)[0].tolist()
    if is_table(examples):
        return f"example '{examples[row].id}', column '{list(examples.columns['x'].columns)[step]}'"
    return f"example '{examples[row].id}', step {step} (from 0), '{channels_of(examples, wrong.shape[2])[channel]}'"
