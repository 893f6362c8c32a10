"""442 diabetes patients and how far the disease went in a year (Efron et al. 2004), as scikit-learn ships them."""

from __future__ import annotations

from typing import ClassVar, Literal

from dlspec.data.base import Reader
from dlspec.types import Splits

COLUMNS = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]


class Diabetes(Reader):
    """442 patients, 10 measurements in their own units; y: progression after a year, 25 to 346; no download."""

    kind: ClassVar[str] = "table"
    summary: ClassVar[str] = "442 patients, 10 numbers, progression of diabetes (a number); no download"
    name: Literal["diabetes"] = "diabetes"

    def load(self, *, truth: bool = True) -> Splits:
        from dlspec.data import shipped

        values = shipped.numbers("diabetes_data_raw.csv.gz", delimiter=None)
        y = shipped.numbers("diabetes_target.csv.gz", delimiter=None)[:, 0].tolist()
        return shipped.table(
            COLUMNS, values, y, "diabetes of scikit-learn: 442 rows, 10 columns of numbers, not scaled"
        )
