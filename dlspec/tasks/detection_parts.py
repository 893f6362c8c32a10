"""What the task of detection is put together from: truths as rows, anchors for grids, and which boxes are left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import Field

from dlspec.recipe.component import Section
from dlspec.types import Arrays, State

if TYPE_CHECKING:
    import numpy as np

    from dlspec.numeric.places import Box

NOBODY, CROWD = -1, -2
"""in the place of a class: there is no box; there is one that need not be found"""


class Nms(Section):
    """Which of the boxes that a network finds are left: those that overlap too much with a surer one are the same
    object's (non-maximum suppression)."""

    overlap: float = Field(0.5, gt=0, le=1)
    """from which overlap on two boxes are taken to be of one object"""
    kind: Literal["iou", "giou", "diou"] = "iou"
    """how overlap is measured; diou leaves boxes that lie beside each other (Zheng et al. 2020, section 3.3)"""
    across_classes: bool = False
    """whether boxes of different classes can be of one object"""
    soft: Literal["off", "linear", "gaussian"] = "off"
    """instead of dropping a box, lower its confidence, the more it overlaps (Bodla et al. 2017, "Soft-NMS")"""
    sigma: float = Field(0.5, gt=0)
    """of gaussian: confidence times exp(−overlap² / sigma)"""
    least: float = Field(0.01, ge=0, lt=1)
    """the confidence from which a box is considered at all; mAP wants a low one"""
    most: int = Field(100, gt=0)
    """boxes of a picture that are left at most"""

    @property
    def settings(self) -> dict[str, Any]:
        return self.model_dump()


class Settings(Protocol):
    """What of a task's settings decides about grids."""

    @property
    def anchors(self) -> int: ...
    @property
    def assign(self) -> Any: ...
    @property
    def ratio(self) -> float: ...
    @property
    def loss(self) -> Any: ...


def rows_of(truths: Sequence[Sequence[Box]], names: Sequence[str], most: int) -> tuple[np.ndarray, np.ndarray]:
    """Corners (N, most, 4), NaN for none, and classes int32 (N, most); of more boxes the largest."""
    import numpy as np

    place = {name: i for i, name in enumerate(names)}
    corners, classes = np.full((len(truths), most, 4), np.nan), np.full((len(truths), most), NOBODY, np.int32)
    for row, own in enumerate(truths):
        if len(own) > most:
            own = sorted(own, key=lambda box: (box.x0 - box.x1) * (box.y1 - box.y0))[:most]
        for column, box in enumerate(own):
            corners[row, column] = box[1:5]
            classes[row, column] = CROWD if box.crowd else place.get(box.name, CROWD)
    return corners, classes


def compact(corners: np.ndarray, classes: np.ndarray, slots: int) -> tuple[np.ndarray, np.ndarray]:
    """The boxes that are left of each picture, in so many rows, the first ones; class −1 where there is none."""
    import numpy as np

    gone = np.isnan(corners).any(axis=2) | (classes == NOBODY)
    order = np.argsort(gone, axis=1, kind="stable")[:, :slots]
    classes = np.where(gone, NOBODY, classes)
    return np.take_along_axis(corners, order[..., None], axis=1), np.take_along_axis(classes, order, axis=1)


def joined(
    of: Settings,
    targets: Arrays,
    size: tuple[int, int],
    strides: Sequence[int],
    given: Sequence[Sequence[Sequence[float]]] | None = None,
) -> tuple[State, list[str]]:
    """The part of the state that hangs on the grids (see Detection.join), and what is to be said of it.

    given: the anchors of each grid; None: they are fitted.
    """
    import numpy as np

    from dlspec.numeric.anchors import anchors, size_overlap
    from dlspec.numeric.boxes import centred, overlap
    from dlspec.numeric.priors import Grids, decoded, encoded

    corners = np.where((targets["box_classes"] >= 0)[..., None], targets["boxes"].astype(np.float64), np.nan)
    there = ~np.isnan(corners).any(axis=2)
    sides = centred(corners[there])[:, 2:]
    if given is None:
        fitted, fit = anchors(sides, of.anchors * len(strides))
        # The finest grid has the smallest.
        own = [part.round(2).tolist() for part in np.split(fitted, len(strides))]
    else:
        own = [[list(map(float, one)) for one in some] for some in given]
        fit = float(size_overlap(sides, np.concatenate(own)).max(axis=1).mean())
    grids = Grids(size[::-1], strides, own, of.assign, of.ratio)
    places = grids.assigned(corners)
    taken = places >= 0
    box = np.broadcast_to(corners[:, :, None], (*places.shape, 4))[taken]
    priors = grids.priors[places[taken]]
    start = decoded(np.zeros((len(priors), 4)), priors)
    if of.loss == "squared":
        middle = centred(box)[:, :2] / priors[:, 2:3] - priors[:, :2] - 0.5
        apart = float((middle**2).sum(axis=1).mean() + (encoded(box, priors)[:, 2:] ** 2).sum(axis=1).mean())
    else:
        apart = float((1 - overlap(box, start, of.loss)).mean())
    lost = int((there & ~taken.any(axis=2)).sum())
    said = ", ".join(
        f"stride {stride}: {' '.join(f'{w:.0f}×{h:.0f}' for w, h in some)}"
        for stride, some in zip(strides, own, strict=True)
    )
    count = sum(map(len, own))
    notes = [
        f"{count} anchor{'s' * (count > 1)} (width × height), {said}; "
        f"the best overlaps with a box by {fit:.2f} on average (IoU)",
        f"{len(grids.priors):,} priors; {taken.sum() / len(sides):.1f} learn to find each box; "
        f"{lost:,} of {len(sides):,} boxes collide with others and have none",
    ]
    found = {
        "strides": list(strides),
        "anchors": own,
        "anchor_fit": round(fit, 4),
        "collisions": lost,
        "positives": float(taken.sum() / len(corners)),
        "start": {"overlap": float(overlap(box, start).mean()), "box": apart},
    }
    return found, notes
