"""150 iris flowers of three species (Fisher 1936), as scikit-learn ships them."""

from __future__ import annotations

from typing import ClassVar, Literal

from dlspec.data.base import Reader
from dlspec.types import Splits


class Iris(Reader):
    """150 flowers, 4 lengths and widths in cm; y: setosa, versicolor or virginica; no download."""

    kind: ClassVar[str] = "table"
    summary: ClassVar[str] = "150 iris flowers, 4 numbers, 3 species; no download"
    name: Literal["iris"] = "iris"

    def load(self, *, truth: bool = True) -> Splits:
        from dlspec.data import shipped

        values = shipped.numbers("iris.csv", skip=1)
        species = shipped.classes("iris.csv")
        columns = [f"{part} {side} (cm)" for part in ("sepal", "petal") for side in ("length", "width")]
        y = [species[int(label)] for label in values[:, -1]]
        return shipped.table(columns, values, y, "iris of scikit-learn: 150 rows, 4 columns of numbers")
