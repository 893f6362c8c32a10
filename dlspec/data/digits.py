"""1,797 handwritten digits of 8×8 pixels (Alpaydin and Kaynak 1998), as scikit-learn ships them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from dlspec.data.base import Reader
from dlspec.types import Examples, Splits

Attribute = Literal["digit", "parity", "size", "even", "above_four", "prime", "looped"]
ATTRIBUTES: Mapping[str, Callable[[int], Any]] = {
    "digit": lambda digit: digit,
    "parity": lambda digit: "odd" if digit % 2 else "even",
    "size": lambda digit: "above four" if digit > 4 else "up to four",
    "even": lambda digit: int(digit % 2 == 0),
    "above_four": lambda digit: int(digit > 4),
    "prime": lambda digit: int(digit in (2, 3, 5, 7)),
    "looped": lambda digit: int(digit in (0, 6, 8, 9)),
}


class Digits(Reader):
    """1,797 handwritten digits, 8×8 pixels, classes 0 to 9; no download.

    x: uint8 (1797, 8, 8, 1), 0 to 255 like any other picture: the file's 0 to 16, times 255/16 and rounded.
    y: the digit; or, where attributes are asked, a mapping from each of them to its value, None where it is missing.
    """

    kind: ClassVar[str] = "picture"
    summary: ClassVar[str] = "1,797 handwritten digits, 8×8 pixels; no download"
    name: Literal["digits"] = "digits"

    attributes: tuple[Attribute, ...] = ()
    """what is asked of each digit instead of the digit, for multi_task (digit; parity: even or odd; size: up to four or
above four) or multi_label (even, above_four, prime, looped: 0 or 1)"""
    missing: float = Field(0.0, ge=0, lt=1)
    """this share of the values of each attribute, drawn by chance, is taken out of train, as if nobody had said them"""

    def load(self, *, truth: bool = True) -> Splits:
        import numpy as np

        from dlspec.data import shipped

        values = shipped.numbers("digits.csv.gz")
        pixels = np.round(values[:, :64].reshape(-1, 8, 8, 1) * (255 / 16)).astype(np.uint8)
        labels: list[Any] = values[:, 64].astype(int).tolist()
        if self.attributes:
            labels = [{name: ATTRIBUTES[name](digit) for name in self.attributes} for digit in labels]
        note = "digits of scikit-learn: 1,797 pictures of 8×8 pixels; grey levels 0 to 16 scaled to 0 to 255"
        return Splits({"all": Examples(shipped.ids(len(labels)), pixels, labels)}, notes=(note,))

    def divided(self, manifest: Mapping[str, str] | None = None) -> Splits:
        splits = super().divided(manifest)
        if not self.attributes or not self.missing:
            return splits
        import numpy as np

        train = splits["train"]
        labels = list(train.columns["y"])
        # Drawn for every digit, so that it is the same whatever split one is in; and for each attribute on its own.
        draws = {name: np.random.default_rng([*name.encode()]).random(len(labels)) for name in self.attributes}
        for row in train.rows:
            labels[row] = {
                name: None if draws[name][row] < self.missing else value for name, value in labels[row].items()
            }
        return splits.with_parts({**splits.parts, "train": train.replace(y=labels)})
