"""The small data sets that come with scikit-learn, read from its files: importing it would take over a second."""

from __future__ import annotations

import gzip
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dlspec.types import Examples, Splits

if TYPE_CHECKING:
    import numpy as np


def numbers(file: str, *, skip: int = 0, delimiter: str | None = ",") -> np.ndarray:
    """The numbers (rows, columns) of one of scikit-learn's files, without the first `skip` lines."""
    import numpy as np

    lines = text(file).splitlines()[skip:]
    return np.array([line.split(delimiter) for line in lines], dtype=np.float64)


def text(file: str) -> str:
    """The text of one of scikit-learn's files."""
    spec = importlib.util.find_spec("sklearn")
    assert spec is not None and spec.origin is not None, "scikit-learn is a dependency"
    data = (Path(spec.origin).parent / "datasets" / "data" / file).read_bytes()
    return (gzip.decompress(data) if file.endswith(".gz") else data).decode()


def classes(file: str) -> list[str]:
    """The class names in the first line of a file: counts of rows and columns, then names."""
    return text(file).splitlines()[0].split(",")[2:]


def table(columns: Sequence[str], values: np.ndarray, y: Sequence[str] | Sequence[float], note: str) -> Splits:
    """A table (rows, columns) of numbers as one part `all`, ids counted from 0."""
    from dlspec.numeric.rows import Rows

    rows = Rows({name: values[:, i].copy() for i, name in enumerate(columns)})
    return Splits({"all": Examples(ids(len(y)), rows, y)}, notes=(note,))


def ids(many: int) -> list[str]:
    return [str(i) for i in range(many)]
