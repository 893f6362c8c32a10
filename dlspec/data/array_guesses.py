"""NumPy's files that nobody has described: which arrays are the examples, which the truths, and what they hold."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dlspec.data import numpy_files, part_files
from dlspec.data.picture_guesses import of_array
from dlspec.data.questions import asked
from dlspec.data.sources import PARTS
from dlspec.proposals import Facts, Line, Proposal
from dlspec.types import DataError, Place

if TYPE_CHECKING:
    import numpy as np

INPUTS = ("x", "X", "images", "pictures", "data", "features", "inputs", "arr_0")
TRUTHS = ("y", "Y", "labels", "label", "targets", "target", "arr_1")
BESIDE = ("y.npy", "Y.npy", "labels.npy", "targets.npy")


def proposed(path: str) -> Proposal:
    """Raises DataError where there are no examples or no truths, or arrays that are neither pictures nor rows."""
    lines = [Line("path", path, path=True)]
    if path.endswith(".npy"):
        beside = [os.path.join(os.path.dirname(path), one) for one in BESIDE]
        labels = next((one for one in beside if one != path and os.path.exists(one)), None)
        if labels is None:
            wanted = [one for one in BESIDE if one != os.path.basename(path)]
            raise DataError(
                f"where are the labels? none of {', '.join(wanted)} is beside it; rename them so, or save x and "
                "y in one .npz",
                where=Place(path),
            )
        lines.append(Line("labels", labels, "the truths, by their name", path=True))
        inputs, truths = {"all": numpy_files.single(path)}, {"all": numpy_files.single(labels)}
        name = "the array"
    else:
        arrays = numpy_files.opened(path)
        name, of, parts = _named(arrays, path)
        lines += [Line("x", name, "the array of examples")] if name != "x" else []
        lines += [Line("y", of, "the array of truths")] if of != "y" else []
        inputs = {part: numpy_files.member(path, arrays, name + end) for part, end in parts.items()}
        truths = {part: numpy_files.member(path, arrays, of + end) for part, end in parts.items()}
    known = [one for part, y in truths.items() for one in numpy_files.truths(path, "y", y, len(inputs[part]))]
    try:
        question = asked(_column(known), "")
    except DataError as error:
        raise DataError(error.complaints[0].message, where=Place(path)) from None
    counts = {part: len(x) for part, x in inputs.items()}
    first = next(iter(inputs.values()))
    said = ", ".join(f"{'' if part == 'all' else part + ': '}{x.shape}" for part, x in inputs.items())
    seen = (f"{os.path.basename(path)}: {name} of shape {said}, {first.dtype}", *question.seen)
    if first.ndim == 2:
        numpy_files.rows(path, name, first)
        lines.append(Line("holds", "table", f"an example is a row of {first.shape[1]} columns"))
        facts = Facts("table", sum(counts.values()), question.outputs, (first.shape[1],))
        entered: tuple[Line, ...] = ()
    else:
        look = of_array(path, name, first, {str(one) for one in known})
        facts = Facts("picture", sum(counts.values()), question.outputs, look.shape)
        entered, seen = look.input, (*seen, *look.seen)
    split = part_files.division(counts)
    return Proposal(facts, question.task, tuple(lines), split, entered, question.goal, seen, question.doubts)


def _named(arrays: Mapping[str, Any], path: str) -> tuple[str, str, dict[str, str]]:
    """The names of examples and truths, and part → what follows them, where the arrays are parts."""
    for x in INPUTS:
        for y in TRUTHS:
            if x in arrays and y in arrays:
                return x, y, {"all": ""}
            ends = {part: f"_{end}" for end, part in PARTS.items() if f"{x}_{end}" in arrays and f"{y}_{end}" in arrays}
            if "train" in ends:
                return x, y, {part: ends[part] for part in ("train", "dev", "test") if part in ends}
    have = ", ".join(list(arrays)[:8]) + (", …" if len(arrays) > 8 else "")
    raise DataError(
        f"which arrays are the examples and their truths? expected x and y, or x_train, y_train and so on; it has "
        f"{have or 'none'}",
        where=Place(path),
    )


def _column(values: list[Any]) -> np.ndarray:
    import numpy as np

    if Counter(map(type, values)).keys() <= {int, float}:
        return np.array(values, np.float64)
    return np.array([str(one) for one in values], object)
