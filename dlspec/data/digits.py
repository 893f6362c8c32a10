"""1,797 handwritten digits of 8×8 pixels (Alpaydin and Kaynak 1998), as scikit-learn ships them."""

from __future__ import annotations

from typing import ClassVar, Literal

from dlspec.data.base import Reader
from dlspec.types import Examples, Splits


class Digits(Reader):
    """1,797 handwritten digits, 8×8 pixels, classes 0 to 9; no download.

    x: uint8 (1797, 8, 8, 1), 0 to 255 like any other picture: the file's 0 to 16, times 255/16 and rounded.
    y: the digit.
    """

    kind: ClassVar[str] = "picture"
    summary: ClassVar[str] = "1,797 handwritten digits, 8×8 pixels; no download"
    name: Literal["digits"] = "digits"

    def load(self, *, truth: bool = True) -> Splits:
        import numpy as np

        from dlspec.data import shipped

        values = shipped.numbers("digits.csv.gz")
        pixels = np.round(values[:, :64].reshape(-1, 8, 8, 1) * (255 / 16)).astype(np.uint8)
        labels = values[:, 64].astype(int).tolist()
        note = "digits of scikit-learn: 1,797 pictures of 8×8 pixels; grey levels 0 to 16 scaled to 0 to 255"
        return Splits({"all": Examples(shipped.ids(len(labels)), pixels, labels)}, notes=(note,))
