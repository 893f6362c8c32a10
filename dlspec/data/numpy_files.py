"""Arrays out of NumPy's files, checked: shapes, kinds of number, what is missing."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dlspec.data.sources import contents, some
from dlspec.recipe.component import unknown
from dlspec.types import DataError, Place
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

    from dlspec.numeric.rows import Rows

BROKEN = Exception
"""what NumPy raises over a broken file: ValueError, zlib.error, TokenError, … have no other base in common"""
OBJECTS = "holds Python objects, which are not read (they can run code); save it as numbers or text (dtype=str)"


def opened(file: str) -> Mapping[str, Any]:
    """The arrays of an .npz, each read when it is asked for."""
    import numpy as np

    try:
        found = np.load(io.BytesIO(contents(file)), allow_pickle=False)
    except BROKEN:
        raise DataError("this is no .npz file, or a broken one", where=Place(file)) from None
    if not isinstance(found, np.lib.npyio.NpzFile):
        raise DataError("this is a single array; let its name end in .npy", where=Place(file))
    return found


def single(file: str) -> np.ndarray:
    """The array of an .npy."""
    import numpy as np

    data = contents(file)
    try:
        found = np.load(io.BytesIO(data), allow_pickle=False)
    except BROKEN as error:
        broken = "this is no .npy file, or one that was cut short"
        raise DataError(OBJECTS if "Object arrays" in str(error) else broken, where=Place(file)) from None
    if isinstance(found, np.lib.npyio.NpzFile):
        raise DataError("this holds several arrays; let its name end in .npz", where=Place(file))
    return found


def member(file: str, arrays: Mapping[str, Any], name: str) -> np.ndarray:
    """One array of an .npz.  Raises DataError that lists them all, with shapes, where there is none of that name."""
    if name not in arrays:
        have = [f"{one} {_shape(arrays, one)}" for one in arrays]
        near = unknown("array", name, list(arrays))
        near = near if "did you mean" in near else f"no array '{name}'"
        raise DataError(f"{near}; the file has {', '.join(have) or 'none'}", where=Place(file))
    try:
        return arrays[name]
    except BROKEN as error:
        broken = "is broken; was the file copied whole?"
        text = OBJECTS if "Object arrays" in str(error) else broken
        raise DataError(f"array '{name}' {text}", where=Place(file)) from None


def _shape(arrays: Mapping[str, Any], name: str) -> str:
    try:
        return str(arrays[name].shape)
    except BROKEN:
        return "(objects)"


def pictures(file: str, name: str, x: np.ndarray) -> np.ndarray:
    """(examples, height, width, channels) out of that, or of (examples, height, width)."""
    import numpy as np

    _numbers(file, name, x)
    if x.ndim not in (3, 4):
        raise DataError(
            f"'{name}' has shape {x.shape}; expected pictures, (examples, height, width) or (examples, height, width, "
            "channels); for rows of a table set data.holds: table",
            where=Place(file),
        )
    if x.ndim == 4 and x.shape[1] in (1, 3) and x.shape[3] > 4:
        raise DataError(
            f"'{name}' has shape {x.shape}, channels first; expected (examples, height, width, channels): save "
            "x.transpose(0, 2, 3, 1)",
            where=Place(file),
        )
    if x.dtype.kind == "f":
        wrong = np.flatnonzero(~np.isfinite(x).reshape(len(x), -1).all(axis=1))
        if len(wrong):
            raise DataError(f"'{name}' is not finite in {some('example', wrong)} (from 0)", where=Place(file))
    return x if x.ndim == 4 else x[..., np.newaxis]


def rows(file: str, name: str, x: np.ndarray) -> Rows:
    """A table with columns x1, x2, … out of (examples, columns); NaN is a missing value."""
    import numpy as np

    from dlspec.numeric.rows import Rows

    _numbers(file, name, x)
    if x.ndim != 2:
        raise DataError(f"'{name}' has shape {x.shape}; expected a table, (examples, columns)", where=Place(file))
    values = x.astype(np.float64)
    wrong = np.flatnonzero(np.isinf(values).any(axis=1))
    if len(wrong):
        raise DataError(f"'{name}' is infinite in {some('row', wrong)} (from 0)", where=Place(file))
    return Rows({f"x{i + 1}": values[:, i].copy() for i in range(values.shape[1])})


def series(file: str, name: str, x: np.ndarray) -> np.ndarray:
    """(examples, steps, channels) out of that, or of (examples, steps); NaN is a missing value."""
    import numpy as np

    _numbers(file, name, x)
    if x.ndim not in (2, 3):
        raise DataError(
            f"'{name}' has shape {x.shape}; expected series, (examples, steps) or (examples, steps, channels)",
            where=Place(file),
        )
    return (x if x.ndim == 3 else x[..., None]).astype(np.float64)


def truths(file: str, name: str, y: np.ndarray, many: int) -> list[Any]:
    """One truth an example: whole numbers as int, other numbers as float, text as str."""
    import numpy as np

    if y.ndim == 2 and y.shape[1] > 1:
        one_hot = y.dtype.kind in "biuf" and bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())
        hint = "this is one-hot: save y.argmax(axis=1), the number of each class" if one_hot else "give one truth each"
        raise DataError(f"'{name}' has shape {y.shape}; expected ({many},); {hint}", where=Place(file))
    values = column(file, name, y, many)
    if y.dtype.kind == "b":
        return [int(one) for one in values]
    if y.dtype.kind == "f":
        flat = y.reshape(-1)
        wrong = np.flatnonzero(~np.isfinite(flat))
        if len(wrong):
            raise DataError(f"the truths '{name}' are missing in {some('example', wrong)} (from 0)", where=Place(file))
        if (flat == np.round(flat)).all():
            return [int(one) for one in values]
    return values


def column(file: str, name: str, values: np.ndarray, many: int) -> list[Any]:
    """One plain value an example."""
    if values.shape not in ((many,), (many, 1)):
        raise DataError(
            f"'{name}' has shape {values.shape}; expected ({many},), as there are {plural(many, 'example')}",
            where=Place(file),
        )
    if values.dtype.kind not in "biufUSM":
        raise DataError(f"'{name}' is of type {values.dtype}; expected numbers or text", where=Place(file))
    flat = values.reshape(-1)
    if values.dtype.kind in "S":
        return [one.decode(errors="replace") for one in flat.tolist()]
    return [str(one) for one in flat] if values.dtype.kind == "M" else flat.tolist()


def times(file: str, name: str, values: np.ndarray, many: int) -> list[Any]:
    """What to order by: numbers, or dates as NumPy holds them."""
    import numpy as np

    plain = column(file, name, values, many)
    if values.dtype.kind not in "biufM":
        raise DataError(
            f"'{name}' orders the examples (data.split.time) and is text; save numbers, or dates as datetime64",
            where=Place(file),
        )
    absent = np.flatnonzero(np.isnat(values) if values.dtype.kind == "M" else np.isnan(values.astype(float)))
    if len(absent):
        raise DataError(
            f"'{name}' orders the examples (data.split.time) and is missing in {some('example', absent)} (from 0)",
            where=Place(file),
        )
    return plain


def _numbers(file: str, name: str, x: np.ndarray) -> None:
    if not x.size:
        raise DataError(f"'{name}' has shape {x.shape}: there are no examples in it", where=Place(file))
    if x.dtype.kind not in "biuf":
        raise DataError(f"'{name}' is of type {x.dtype}; expected numbers", where=Place(file))
