"""What is in a picture, and where: any number of objects, the class and the box of each."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.evaluators.boxes import Boxes
from dlspec.evaluators.truths_of_places import boxes
from dlspec.inputs.base import Input
from dlspec.models.base import Detector, Model, Sought
from dlspec.tasks.base import Aim, Task
from dlspec.tasks.detection_parts import Nms, compact, joined, rows_of
from dlspec.tasks.geometry import encoded_places, encoded_size, frames_of, refuse_outside
from dlspec.types import Arrays, DataError, Examples, State
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

    from dlspec.numeric.priors import Grids

LISTED = 12
MOST = 400
"""boxes of a picture that are trained on, the largest"""
PRIOR = 0.01
"""how probable each prior finds that there is an object, before anything is learned (Lin et al. 2017, section 4.1)"""


class Detection(Task):
    """Any number of objects a picture, or none: the class of each and the box around it.

    The network gives P priors (see dlspec.numeric.priors), whose anchors are fitted on train.  Predictions of a picture
    are float64 (K, 6): corners in its own pixels, confidence, index of the class; by falling confidence.  Confidence is
    the objectness times the probability of the class.  Truths are tuples of boxes (see dlspec.numeric.places); those
    that need not be found (crowd) are not trained on, and what finds them is not held to find nothing.
    """

    summary: ClassVar[str] = "any number of objects a picture: the class and the box of each"
    takes: ClassVar[type[Model]] = Detector
    verb: ClassVar[str] = "detect"
    asks_of: ClassVar[tuple[str, ...]] = ("picture",)
    name: Literal["detection"] = "detection"
    anchors: int = Field(3, gt=0, le=16)
    """how many priors each cell of each grid has; their sizes are fitted on train's boxes, unless the architecture has
    its own"""
    assign: Literal["best", "ratio"] = "ratio"
    """which priors learn to find a box.  best: the one that fits best, as in YOLOv3; ratio: all that fit well enough,
    at three cells of each grid, as in YOLOv5: more is learned of each box"""
    ratio: float = Field(4.0, gt=1)
    """of `assign: ratio`: an anchor fits where no side is so many times the box's, or the box's so many times it"""
    loss: Literal["squared", "iou", "giou", "diou", "ciou"] = "ciou"
    """of the box: squared, of its middle and of the logarithms of its sides, as in the course; or 1 − an overlap (IoU;
    Rezatofighi et al. 2019; Zheng et al. 2020), which is nearer to what is measured"""
    box_weight: float = Field(2.0, ge=0)
    """how much the box's loss counts"""
    object_weight: float = Field(1.0, ge=0)
    """how much the loss of the objectness counts"""
    class_weight: float = Field(1.0, ge=0)
    """how much the class's loss counts"""
    quality: float = Field(1.0, ge=0, le=1)
    """how much objectness is to say how well the box fits (its IoU), not only that there is an object"""
    focal: float = Field(0.0, ge=0)
    """γ of the focal loss of the objectness (Lin et al. 2017: 2): what is told well already counts less"""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """so much of each class is spread evenly over all"""
    ignore: float = Field(0.5, gt=0, le=1)
    """a box of a prior that is to find nothing costs nothing where its IoU with an object is more than this"""
    threshold: float | None = Field(None, gt=0, lt=1)
    """the confidence from which an object is said to be there; nothing given: fitted on dev.  mAP needs none"""
    overlap: float = Field(0.5, gt=0, lt=1)
    """a box is at the right place where its IoU with the truth is at least this"""
    nms: Nms = Nms()
    """how of several boxes of one object one is left"""

    @property
    def evaluator(self) -> Boxes:
        return Boxes()

    def prepare(self, train: Examples) -> State:
        """`names` of the classes by alphabet, `threshold`, `overlap`, `most` (boxes of a picture), `per_picture`.

        Raises DataError where a truth is missing, or no picture has a box.
        """
        own = boxes(train)
        counts = Counter(box.name for found in own for box in found if not box.crowd)
        if not counts:
            raise DataError(f"none of the {len(train):,} pictures of train has a box, so there is nothing to learn")
        empty = sum(not found for found in own)
        listed = ", ".join(f"{name} ({counts[name]:,})" for name in sorted(counts)[:LISTED])
        more = ", …" if len(counts) > LISTED else ""
        notes = [
            f"{plural(counts.total(), 'object')} of {plural(len(counts), 'class', 'classes')}: {listed}{more}; "
            f"{plural(empty, 'picture')} without any"
        ]
        most = max(map(len, own))
        if most > MOST:
            many = sum(len(found) > MOST for found in own)
            notes.append(
                f"{plural(many, 'picture has', 'pictures have')} more than {MOST} boxes; "
                f"the {MOST} largest of each are trained on"
            )
        return {
            "names": sorted(counts),
            "threshold": 0.5 if self.threshold is None else self.threshold,
            "overlap": self.overlap,
            "most": min(most, MOST),
            "notes": notes,
        }

    def join(self, train: Examples, entry: Input, model: Model, state: State) -> State:
        """`strides`, `anchors` (of each grid, in pixels of the encoded picture), `positives` (priors a picture that
        are to find something) and `start` (mean IoU and loss of their boxes, before anything is learned)."""
        assert isinstance(model, Detector)
        strides = model.grids(state["shapes"])
        frames = entry.frames(train, state["input"])
        targets = self.target(train, {} if frames is None else {"frame": frames}, state)
        fitted, notes = joined(self, targets, encoded_size(state), strides, model.sides(state["shapes"]))
        return {**state["task"], **fitted, "notes": notes}

    def outputs(self, state: State) -> Sought:
        anchors = tuple(len(own) for own in state["task"]["anchors"])
        return Sought(anchors, len(state["task"]["names"]), math.log(PRIOR / (1 - PRIOR)))

    def target(self, examples: Examples, encoded: Arrays, state: State) -> Arrays:
        """`boxes` float32 (N, K, 4): corners in the encoded picture, NaN for none; `box_classes` int32 (N, K): −1 for
        none, −2 of those that need not be found, and of classes that train has not.

        Raises DataError that names the examples without a truth, and those with a box that is not in the picture.
        """
        import numpy as np

        corners, classes = rows_of(boxes(examples), state["task"]["names"], state["task"]["most"])
        refuse_outside(examples, corners, encoded, state, "box")
        return {"boxes": encoded_places(corners, encoded, state).astype(np.float32), "box_classes": classes}

    def finish(self, batch: Arrays, targets: Arrays, seed: int, state: State) -> tuple[Any, Any, Any]:
        """The truth as dlspec.losses.detection takes it: (N, K, 5 + E), each box, its class, its priors."""
        import numpy as np

        most = state["task"]["most"]
        # Of a mosaic there may be more; twice as many as of a picture alone are enough.
        slots = most if targets["boxes"].shape[1] <= most else 2 * most
        corners, classes = compact(targets["boxes"], targets["box_classes"], slots)
        grids = self._grids(state)
        places = grids.assigned(np.where((classes >= 0)[..., None], corners, np.nan))
        y = np.concatenate([np.nan_to_num(corners), classes[..., None], places], axis=2, dtype=np.float32)
        return batch, y, None

    def compiled(self, state: State) -> Mapping[str, Any]:
        import numpy as np

        from dlspec.losses.detection import DetectionLoss

        loss = DetectionLoss(
            self._grids(state).priors.astype(np.float32),
            state["task"]["positives"],
            self.loss,
            (self.box_weight, self.object_weight, self.class_weight),
            self.quality,
            self.focal,
            self.label_smoothing,
            self.ignore,
        )
        return {"loss": loss}

    def expected_initial_loss(self, state: State) -> float | None:
        """Of a network that finds nothing anywhere, and every class as probable; the boxes are those of the anchors."""
        if self.focal:
            return None
        own = state["task"]
        bias = self.outputs(state).start
        quiet = math.log1p(math.exp(bias))
        priors, positives = len(self._grids(state).priors), own["positives"]
        told = 1 - self.quality + self.quality * own["start"]["overlap"]
        of_object = priors / positives * quiet - told * bias
        of_class = math.log(len(own["names"]))
        return self.box_weight * own["start"]["box"] + self.object_weight * of_object + self.class_weight * of_class

    def predict(self, network: Any, batches: Iterable[Arrays], state: State) -> Sequence[np.ndarray]:
        """Boxes are clipped to their pictures; of several of one object one is left, as `nms` says."""
        import numpy as np

        from dlspec.decode.nms import detections
        from dlspec.numeric import frames
        from dlspec.numeric.boxes import clipped

        found: list[np.ndarray] = []
        priors = self._grids(state).priors
        for batch in batches:
            said = np.asarray(network(batch))
            frame = frames_of(batch, len(said), state)
            for one, own in zip(detections(said, priors, **self.nms.settings), frame, strict=True):
                corners = frames.back(one[None, :, :4], own[None])[0]
                width, height = frames.sizes(own[None])[0]
                found.append(np.concatenate([clipped(corners, width, height), one[:, 4:]], axis=1))
        return found

    def aims(self, logits: np.ndarray, state: State, kinds: Sequence[str] | None = None) -> list[Aim]:
        """The object that the network is surest of: that it is there, and of its class."""
        import numpy as np

        names, rows = state["task"]["names"], np.arange(len(logits))
        classes = logits[..., 5:] - np.logaddexp.reduce(logits[..., 5:], axis=-1, keepdims=True)
        sure = classes - np.logaddexp(0, -logits[..., 4:5])  # log of objectness times the probability of the class
        prior, name = np.divmod(sure.reshape(len(logits), -1).argmax(axis=1), len(names))
        weights = np.zeros(logits.shape)
        weights[rows, prior, 4] = weights[rows, prior, 5 + name] = 1
        return [Aim([f"{names[i]}, the surest" for i in name], weights)]

    def calibrate(self, predictions: Sequence[Any], dev: Examples, state: State) -> State:
        """`threshold` fitted on dev, where the recipe gives none."""
        task: State = state["task"]
        if self.threshold is not None:
            return task
        return {**task, "threshold": self.evaluator.fitted_threshold(dev, predictions, task)}

    def _grids(self, state: State) -> Grids:
        own = state["task"]
        width, height = encoded_size(state)
        anchors = tuple(tuple(map(tuple, some)) for some in own["anchors"])
        return _grids((height, width), tuple(own["strides"]), anchors, self.assign, self.ratio)


@functools.lru_cache(maxsize=8)
def _grids(*of: Any) -> Grids:
    from dlspec.numeric.priors import Grids

    return Grids(*of)
