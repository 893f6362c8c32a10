"""What is in a picture, and where: one object or none, its class and its box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.evaluators.one_box import OneBox
from dlspec.evaluators.truths_of_places import boxes
from dlspec.models.base import Backbone, Model
from dlspec.tasks.base import Aim, Task
from dlspec.tasks.geometry import encoded_places, encoded_size, frames_of, refuse_outside
from dlspec.types import Arrays, DataError, Examples, State
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

OFFSET, SCALE = 0.5, 0.25
"""the network gives (box − 0.5) / 0.25 of boxes in shares of the picture: numbers around 0, of deviation around 1"""
LISTED = 12


class Localization(Task):
    """One object a picture, or none: its class and the box around it.

    The network gives [objectness, middle x, middle y, width, height, a logit a class], and learns by the loss of Ng
    (deeplearning.ai course 4, week 3): where nothing is there, box and class cost nothing.  Predictions are float64
    (N, 5 + C): how probable an object is, the box's corners in the picture's own pixels, probabilities of the classes.
    Truths are tuples of boxes, none or one (see dlspec.numeric.places).
    """

    summary: ClassVar[str] = "one object a picture or none: its class and its box"
    takes: ClassVar[type[Model]] = Backbone
    verb: ClassVar[str] = "detect"
    asks_of: ClassVar[tuple[str, ...]] = ("picture",)
    name: Literal["localization"] = "localization"
    threshold: float = Field(0.5, gt=0, lt=1)
    """an object is said where its probability is at least this"""
    overlap: float = Field(0.5, gt=0, lt=1)
    """a box is at the right place where its IoU with the truth is at least this"""
    loss: Literal["squared", "huber", "iou", "giou", "diou", "ciou"] = "squared"
    """of the box: squared, as in the course; huber, where some boxes are drawn badly; or 1 − an overlap (IoU;
    Rezatofighi et al. 2019; Zheng et al. 2020), which is nearer to what is measured"""
    box_weight: float = Field(1.0, ge=0)
    """how much the box's loss counts beside that of the objectness"""
    class_weight: float = Field(1.0, ge=0)
    """how much the class's loss counts"""

    @property
    def evaluator(self) -> OneBox:
        return OneBox()

    def prepare(self, train: Examples) -> State:
        """`names` of the classes by alphabet, `threshold`, `overlap`.

        Raises DataError where a truth is missing, a picture has several boxes, or none of them has any.
        """
        own = boxes(train, most=1)
        counts = Counter(box.name for found in own for box in found)
        if not counts:
            raise DataError(f"none of the {len(train):,} pictures of train has a box, so there is nothing to learn")
        empty = len(own) - counts.total()
        listed = ", ".join(f"{name} ({counts[name]:,})" for name in sorted(counts)[:LISTED])
        more = ", …" if len(counts) > LISTED else ""
        note = (
            f"{plural(counts.total(), 'object')} of {plural(len(counts), 'class', 'classes')}: {listed}{more}; "
            f"{plural(empty, 'picture')} without any"
        )
        return {"names": sorted(counts), "threshold": self.threshold, "overlap": self.overlap, "notes": [note]}

    def outputs(self, state: State) -> int:
        return 5 + len(state["task"]["names"])

    def target(self, examples: Examples, encoded: Arrays, state: State) -> Arrays:
        """`boxes` float32 (N, 1, 4): corners in the encoded picture, NaN for nothing; `class` int32 (N,), −1: none.

        Raises DataError that names the examples without a truth, and those whose box is not in the picture.
        """
        import numpy as np

        own = boxes(examples, most=1)
        place = {name: i for i, name in enumerate(state["task"]["names"])}
        label = np.array([place.get(found[0].name, -1) if found else -1 for found in own], np.int32)
        corners = np.full((len(own), 1, 4), np.nan)
        for row, found in enumerate(own):
            if found:
                corners[row, 0] = found[0].corners
        refuse_outside(examples, corners, encoded, state, "box")
        return {"boxes": encoded_places(corners, encoded, state).astype(np.float32), "class": label}

    def strata(self, examples: Examples, state: State) -> np.ndarray:
        """The class of the object; pictures without any are a kind of their own."""
        import numpy as np

        place = {name: i for i, name in enumerate(state["task"]["names"])}
        return np.array([place[own[0].name] if own else len(place) for own in boxes(examples, most=1)])

    def finish(self, batch: Arrays, targets: Arrays, seed: int, state: State) -> tuple[Any, Any, Any]:
        """The truth as the loss takes it: (N, 6), whether there is an object, its box in shares of the picture, class.

        An object that augmentation has moved out of the picture is there no more.
        """
        import numpy as np

        from dlspec.numeric.boxes import centred

        corners = targets["boxes"][:, 0]
        there = ~np.isnan(corners).any(axis=1)
        width, height = encoded_size(state)
        shares = centred(np.where(there[:, None], corners, 0.0) / np.array([width, height] * 2))
        label = np.where(there, targets["class"], -1)
        y = np.concatenate([there[:, None], shares, label[:, None]], axis=1).astype(np.float32)
        return batch, y, None

    def compiled(self, state: State) -> Mapping[str, Any]:
        """The loss, and `right`: how many pictures have the right presence and class, wherever the box."""
        import keras

        from dlspec.losses.boxes import ObjectLoss, objects_right

        loss = ObjectLoss(self.loss, self.box_weight, self.class_weight, [SCALE] * 4, [OFFSET] * 4)
        return {"loss": loss, "metrics": [keras.metrics.MeanMetricWrapper(objects_right, name="right")]}

    def predict(self, network: Any, batches: Iterable[Arrays], state: State) -> np.ndarray:
        """Boxes are clipped to their pictures."""
        import numpy as np

        from dlspec.numeric import frames
        from dlspec.numeric.boxes import clipped, cornered

        found = [np.zeros((0, self.outputs(state)))]
        for batch in batches:
            logits = np.asarray(network(batch), np.float64)
            frame = frames_of(batch, len(logits), state)
            shares = cornered(logits[:, 1:5] * SCALE + OFFSET)
            corners = frames.back(shares * np.tile(encoded_size(state), 2), frame)
            corners = clipped(corners, *frames.sizes(frame).T)
            powers = np.exp(logits[:, 5:] - logits[:, 5:].max(axis=1, keepdims=True))
            sure = np.exp(-np.logaddexp(0, -logits[:, :1]))
            found.append(np.concatenate([sure, corners, powers / powers.sum(axis=1, keepdims=True)], axis=1))
        return np.concatenate(found)

    def aims(self, logits: np.ndarray, state: State, kinds: Sequence[str] | None = None) -> list[Aim]:
        """That there is something of this class, or nothing; and where the box is."""
        import numpy as np

        names = state["task"]["names"]
        there = np.exp(-np.logaddexp(0, -logits[:, 0])) >= state["task"]["threshold"]
        of_class = np.eye(len(names))[logits[:, 5:].argmax(axis=1)] * there[:, None]
        weights = np.concatenate([np.where(there, 1.0, -1.0)[:, None], np.zeros((len(logits), 4)), of_class], axis=1)
        says = [names[row.argmax()] if one else "nothing" for row, one in zip(of_class, there, strict=True)]
        place = np.zeros(logits.shape)
        place[:, 1:5] = 1
        return [Aim(says, weights), Aim(["where the box is"] * len(logits), place, moves=True)]
