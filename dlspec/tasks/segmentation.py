"""Which class each pixel of a picture belongs to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.evaluators.masks import Masks
from dlspec.models.base import Model, Segmenter
from dlspec.tasks.base import Aim, Task
from dlspec.tasks.geometry import encoded_size, frames_of
from dlspec.types import Arrays, DataError, Examples, State

if TYPE_CHECKING:
    import numpy as np


class Segmentation(Task):
    """A class for each pixel.

    Truths are dlspec.numeric.masks.Mask, of the size of their pictures; pixels that nobody has judged cost nothing.
    What is around a picture that does not fill its place (input.fit) is not judged either.  Predictions are class
    indices, uint8 (H, W), of the size of the picture as it came.
    """

    summary: ClassVar[str] = "a class for each pixel"
    takes: ClassVar[type[Model]] = Segmenter
    asks_of: ClassVar[tuple[str, ...]] = ("picture",)
    name: Literal["segmentation"] = "segmentation"
    loss: Literal["cross_entropy", "dice", "both"] = "cross_entropy"
    """cross_entropy: of each pixel; dice: of the overlap of each class, where small things matter (Milletari et al.
    2016); or their sum"""
    edge: int = Field(2, ge=0)
    """a wrong pixel that has another class within so many pixels is an error of the edge"""
    tolerance: float = Field(0.005, ge=0, lt=1)
    """what is wrong in a picture is an error from this share of its pixels on"""

    @property
    def evaluator(self) -> Masks:
        return Masks()

    def prepare(self, train: Examples) -> State:
        """`names` of the classes.  Raises DataError where a target is missing or no mask."""
        from dlspec.numeric.masks import Mask, mask_of

        masks = train.column("y")
        missing = [one for one, mask in zip(train.ids, masks, strict=True) if mask is None]
        if missing:
            raise DataError(f"{len(missing):,} of {len(train):,} pictures have no mask, as {', '.join(missing[:3])}")
        names = masks[0].names if isinstance(masks[0], Mask) else None
        if names is None:
            try:
                most = max(int(found[found < 255].max(initial=0)) for found in map(mask_of, masks))
            except ValueError:
                raise DataError("the targets are no masks (integers, height × width)") from None
            names = tuple(str(k) for k in range(most + 1))
        if len(names) < 2:
            raise DataError(f"there is one class alone, '{names[0]}', so there is nothing to tell apart")
        note = f"{len(names)} classes of pixels: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}"
        return {"names": list(names), "edge": self.edge, "tolerance": self.tolerance, "notes": [note]}

    def outputs(self, state: State) -> int:
        return len(state["task"]["names"])

    def target(self, examples: Examples, encoded: Arrays, state: State) -> Arrays:
        """`mask`: class indices in the encoded picture, uint8 (N, H, W), 255 where nothing is judged.

        Raises DataError that names the examples whose mask is not of the size of the picture.
        """
        import numpy as np

        from dlspec.numeric.frames import mask_into
        from dlspec.numeric.masks import IGNORED, mask_of

        frames = frames_of(encoded, len(examples), state)
        width, height = encoded_size(state)
        masks = np.empty((len(examples), height, width), np.uint8)
        for row, example in enumerate(examples):
            mask, size = mask_of(example.y), (int(frames[row, 0]), int(frames[row, 1]))
            if mask.shape != size:
                raise DataError(
                    f"the mask of '{example.id}' is {mask.shape[0]}×{mask.shape[1]}, its picture {size[0]}×{size[1]} "
                    "(height × width)"
                )
            masks[row] = mask_into(mask, frames[row], (height, width), IGNORED)
        return {"mask": masks}

    def compiled(self, state: State) -> Mapping[str, Any]:
        """The loss, and `right`: the share of right pixels."""
        import keras

        from dlspec.losses.masks import PixelLoss, pixels_right

        return {
            "loss": PixelLoss(self.loss),
            "metrics": [keras.metrics.MeanMetricWrapper(pixels_right, name="right")],
        }

    def expected_initial_loss(self, state: State) -> float | None:
        """log C for cross-entropy: a network that knows nothing gives each of C classes the same probability."""
        return math.log(self.outputs(state)) if self.loss == "cross_entropy" else None

    def predict(self, network: Any, batches: Iterable[Arrays], state: State) -> Sequence[np.ndarray]:
        """Logits are brought to the size of the picture before the greatest is taken, so that edges stay smooth."""
        import numpy as np

        from dlspec.numeric.frames import scores_back
        from dlspec.numeric.masks import PackedMasks

        found = PackedMasks()
        width, height = encoded_size(state)
        for batch in batches:
            logits = np.asarray(network(batch), np.float32).reshape(-1, height, width, self.outputs(state))
            frames = frames_of(batch, len(logits), state)
            found.extend(
                scores_back(one, frame).argmax(axis=-1).astype(np.uint8)
                for one, frame in zip(logits, frames, strict=True)
            )
        return found

    def aims(self, logits: np.ndarray, state: State, kinds: Sequence[str] | None = None) -> list[Aim]:
        """The mean logit of a class over the pixels that are said to be of it (Vinogradova, Dibrov and Myers 2020).

        The class is the second most frequent of the picture: the most frequent one is taken for the ground.
        """
        import numpy as np

        names, guess = state["task"]["names"], logits.argmax(axis=-1)
        counts = np.stack([np.bincount(one.reshape(-1), minlength=len(names)) for one in guess])
        order = np.argsort(-counts, axis=1, kind="stable")
        rows = np.arange(len(logits))
        chosen = np.where(counts[rows, order[:, 1]] > 0, order[:, 1], order[:, 0])
        pixels = guess == chosen[:, None, None]
        weights = pixels[..., None] * np.eye(len(names))[chosen][:, None, None]
        return [Aim([names[i] for i in chosen], weights / pixels.sum(axis=(1, 2))[:, None, None, None])]
