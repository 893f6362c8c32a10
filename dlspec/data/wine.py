"""178 Italian wines of three growers (Aeberhard and Forina 1991), as scikit-learn ships them."""

from __future__ import annotations

from typing import ClassVar, Literal

from dlspec.data.base import Reader
from dlspec.types import Splits

COLUMNS = [
    "alcohol",
    "malic_acid",
    "ash",
    "alcalinity_of_ash",
    "magnesium",
    "total_phenols",
    "flavanoids",
    "nonflavanoid_phenols",
    "proanthocyanins",
    "color_intensity",
    "hue",
    "od280/od315_of_diluted_wines",
    "proline",
]


class Wine(Reader):
    """178 wines, 13 chemical measurements; y: class_0, class_1 or class_2, the grower; no download."""

    kind: ClassVar[str] = "table"
    summary: ClassVar[str] = "178 wines, 13 numbers, 3 growers; no download"
    name: Literal["wine"] = "wine"

    def load(self, *, truth: bool = True) -> Splits:
        from dlspec.data import shipped

        values = shipped.numbers("wine_data.csv", skip=1)
        growers = shipped.classes("wine_data.csv")
        y = [growers[int(label)] for label in values[:, -1]]
        return shipped.table(COLUMNS, values, y, "wine of scikit-learn: 178 rows, 13 columns of numbers")
