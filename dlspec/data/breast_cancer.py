"""569 breast tumours under the microscope (Street, Wolberg and Mangasarian 1993), as scikit-learn ships them."""

from __future__ import annotations

from typing import ClassVar, Literal

from dlspec.data.base import Reader
from dlspec.types import Splits

MEASURES = [
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
]


class BreastCancer(Reader):
    """569 tumours, 30 measurements of cell nuclei; y: malignant or benign; no download."""

    kind: ClassVar[str] = "table"
    summary: ClassVar[str] = "569 tumours, 30 numbers, malignant or benign; no download"
    name: Literal["breast_cancer"] = "breast_cancer"

    def load(self, *, truth: bool = True) -> Splits:
        from dlspec.data import shipped

        values = shipped.numbers("breast_cancer.csv", skip=1)
        diagnoses = shipped.classes("breast_cancer.csv")
        columns = [f"mean {measure}" for measure in MEASURES]
        columns += [f"{measure} error" for measure in MEASURES]
        columns += [f"worst {measure}" for measure in MEASURES]
        y = [diagnoses[int(label)] for label in values[:, -1]]
        return shipped.table(columns, values, y, "breast_cancer of scikit-learn: 569 rows, 30 columns of numbers")
