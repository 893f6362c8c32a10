"""Pictures made by placing handwritten digits at known places on noise: for boxes, points and masks, no download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from dlspec.data.base import Reader
from dlspec.data.splits import Split
from dlspec.types import Examples, Splits

if TYPE_CHECKING:
    import numpy as np

Pixels = Annotated[int, Field(gt=0, le=2048)]
INK = 0.5
"""from which share of full ink on a pixel belongs to the digit"""
TRIES = 40
"""places that are tried for a digit before it is left out, as the others leave no room"""
GROUND = 0.25
"""brightness of the ground under the noise"""


class DigitScenes(Reader):
    """Digits of scikit-learn's (8×8 pixels), enlarged, at random places on a noisy ground; grey, uint8.

    Everything follows from `seed`, and a picture from its number alone: of more, the first are the same.  Digits do not
    overlap unless `overlap` lets them.  With one digit a picture, pictures of the same digit come into the same split.

    y: boxes: the box around each digit's ink, with the digit as its class.  points: where the ink of a single digit
    reaches farthest: top, right, bottom, left.  masks: the class of each pixel, `ground` or the digit's.
    """

    kind: ClassVar[str] = "picture"
    summary: ClassVar[str] = "digits at known places on noise, with boxes, points or masks; no download"
    name: Literal["digit_scenes"] = "digit_scenes"

    targets: Literal["boxes", "points", "masks"] = "boxes"
    """what is to be found"""
    count: int = Field(2000, gt=0)
    """how many pictures"""
    size: tuple[Pixels, Pixels] = (64, 64)
    """height and width of a picture"""
    digits: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(gt=0)]] = (1, 1)
    """how many digits a picture has, at least and at most"""
    side: tuple[Pixels, Pixels] = (20, 36)
    """pixels that a digit's square has along a side, at least and at most"""
    overlap: float = Field(0.0, ge=0, lt=1)
    """how much of a digit's square may be shared with another's, as a share of the smaller one"""
    noise: float = Field(0.1, ge=0, le=1)
    """deviation of the noise, as a share of the range of values"""
    classes: Literal["digits", "one"] = "digits"
    """digits: each is a class of its own; one: there is one class of things to find, `digit`"""
    hidden: float = Field(0.0, ge=0, lt=1)
    """share of the points that nobody has marked"""
    seed: int = Field(0, ge=0)
    """another seed, other pictures"""

    @model_validator(mode="after")
    def _possible(self) -> DigitScenes:
        for key in ("digits", "side"):
            low, high = getattr(self, key)
            if low > high:
                _refuse(f"{key}: at least {low} is more than at most {high}; write the smaller one first")
        if self.side[1] > min(self.size):
            _refuse(f"a digit of {self.side[1]} pixels has no room in {self.size[0]}×{self.size[1]}; lower side")
        if self.targets == "points" and self.digits != (1, 1):
            _refuse("points are those of a single digit; write digits: [1, 1]")
        return self

    @property
    def dividing(self) -> Split:
        alone = self.digits[1] == 1 and self.split.group is None and self.split.time is None
        return self.split.model_copy(update={"group": "digit"} if alone else {})

    def load(self, *, truth: bool = True) -> Splits:
        import numpy as np

        from dlspec.data import shipped

        values = shipped.numbers("digits.csv.gz")
        ink, labels = values[:, :64].reshape(-1, 8, 8) / 16, values[:, 64].astype(int)
        order = np.random.default_rng(self.seed).permutation(len(ink))
        pictures = np.empty((self.count, *self.size, 1), np.uint8)
        truths: list[Any] = []
        groups = []
        for i in range(self.count):
            random = np.random.default_rng((self.seed, i))
            many = int(random.integers(self.digits[0], self.digits[1] + 1))
            # One digit a picture: each in turn, so that as few as can be come twice.
            chosen = [order[i % len(order)]] * many if many < 2 else random.integers(len(ink), size=many).tolist()
            places, codes = self._placed(random, [ink[one] for one in chosen], [labels[one] for one in chosen])
            pictures[i, ..., 0] = self._picture(random, places)
            truths.append(self._truth(random, places, codes))
            groups.append(str(chosen[0]) if chosen else f"none {i}")
        note = (
            f"digit scenes: {self.count:,} pictures of {self.size[0]}×{self.size[1]} pixels, made from seed {self.seed}"
        )
        ids = [f"scene-{i:05d}" for i in range(self.count)]
        alone = self.digits[1] == 1
        return Splits({"all": Examples(ids, pictures, truths, groups=groups if alone else None)}, notes=(note,))

    def _placed(
        self, random: np.random.Generator, ink: list[np.ndarray], labels: list[int]
    ) -> tuple[list[np.ndarray], list[int]]:
        """The ink of each digit on a picture of its own (H, W), 0 to 1, and its label; none that has no room."""
        import numpy as np

        from dlspec.numeric.opencv import cv2

        height, width = self.size
        taken, placed, codes = list[tuple[int, int, int]](), [], []
        for one, label in zip(ink, labels, strict=True):
            for _ in range(TRIES):
                side = int(random.integers(self.side[0], self.side[1] + 1))
                top, left = int(random.integers(height - side + 1)), int(random.integers(width - side + 1))
                square = slice(top, top + side), slice(left, left + side)
                if any(_shared((top, left, side), other) > self.overlap for other in taken):
                    continue
                taken.append((top, left, side))
                whole = np.zeros(self.size, np.float32)
                whole[square] = cv2.resize(one.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC).clip(
                    0, 1
                )
                placed.append(whole)
                codes.append(int(label))
                break
        return placed, codes

    def _picture(self, random: np.random.Generator, places: list[np.ndarray]) -> np.ndarray:
        import numpy as np

        picture = np.full(self.size, GROUND)
        for ink in places:
            picture += ink * (random.uniform(0.7, 1.0) - picture)
        picture += random.normal(0, self.noise, self.size)
        return np.rint(picture.clip(0, 1) * 255).astype(np.uint8)

    def _truth(self, random: np.random.Generator, places: list[np.ndarray], labels: list[int]) -> Any:
        import numpy as np

        from dlspec.numeric.masks import Mask
        from dlspec.numeric.places import Box, Point

        if self.targets == "masks":
            mask = np.zeros(self.size, np.uint8)
            for ink, label in zip(places, labels, strict=True):
                mask[ink >= INK] = 1 if self.classes == "one" else label + 1
            return Mask(mask, ("ground", *(("digit",) if self.classes == "one" else map(str, range(10)))))
        found: list[Any] = []
        for ink, label in zip(places, labels, strict=True):
            rows, columns = np.nonzero(ink >= INK)
            if self.targets == "boxes":
                corners = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
                found.append(Box.at("digit" if self.classes == "one" else str(label), map(float, corners)))
                continue
            for name, of, at in (
                ("top", rows, rows.min()),
                ("right", columns, columns.max()),
                ("bottom", rows, rows.max()),
                ("left", columns, columns.min()),
            ):
                there = of == at
                point = Point(name, float(columns[there].mean()) + 0.5, float(rows[there].mean()) + 0.5)
                if random.random() >= self.hidden:
                    found.append(point)
        return tuple(found)


def _shared(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """What two squares (top, left, side) have in common, as a share of the smaller."""
    sides = [min(one[k] + one[2], other[k] + other[2]) - max(one[k], other[k]) for k in (0, 1)]
    return max(0, sides[0]) * max(0, sides[1]) / min(one[2], other[2]) ** 2


def _refuse(message: str) -> None:
    raise PydanticCustomError("scenes", "{message}", {"message": message})
