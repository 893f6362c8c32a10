"""Priors of a detector: at each cell of each grid a few anchors, what a network says of them, and whose they are.

A prior is a row (column, row, stride, width, height): the cell in cells, the rest in pixels of the encoded picture.
They are ordered by scale, row, column and anchor.  Four numbers (tx, ty, tw, th) of the network make a box of it:

    middle = (cell + 2 σ(t) − 1/2) · stride        size = anchor · exp(t)

as in YOLOv3 (Redmon and Farhadi 2018, section 2.1), but that a middle may lie half a cell outside of its cell
(Bochkovskiy et al. 2020, section 3.4, "eliminate grid sensitivity"): the border itself can be reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from dlspec.numeric.anchors import size_overlap
from dlspec.numeric.boxes import centred, cornered

REACH, BEFORE = 2.0, 0.5
"""a middle is cell + REACH σ(t) − BEFORE"""
LARGEST = 6.0
"""|tw| and |th| count as no more: e⁶ = 403 times the anchor"""
RATIO = 4.0
"""of `ratio`: a prior is a box's where neither side is so many times the other's (as in YOLOv5)"""

Assign = Literal["best", "ratio"]


def priors(size: Sequence[int], strides: Sequence[int], anchors: Sequence[Sequence[Sequence[float]]]) -> np.ndarray:
    """float64 (P, 5), of a picture (height, width) whose sides every stride divides; anchors of each stride."""
    found = []
    for stride, own in zip(strides, anchors, strict=True):
        rows, columns = size[0] // stride, size[1] // stride
        grid = np.empty((rows, columns, len(own), 5))
        grid[..., 0] = np.arange(columns)[None, :, None]
        grid[..., 1] = np.arange(rows)[:, None, None]
        grid[..., 2] = stride
        grid[..., 3:] = np.asarray(own, np.float64)
        found.append(grid.reshape(-1, 5))
    return np.concatenate(found)


def decoded(numbers: np.ndarray, priors_P5: np.ndarray) -> np.ndarray:
    """What the network says of priors (…, P, 4) → corners, in pixels of the encoded picture."""
    numbers = np.asarray(numbers, np.float64)
    middle = REACH / (1 + np.exp(-np.clip(numbers[..., :2], -500, 500))) - BEFORE
    middle = (middle + priors_P5[..., :2]) * priors_P5[..., 2:3]
    sides = priors_P5[..., 3:] * np.exp(np.clip(numbers[..., 2:], -LARGEST, LARGEST))
    return cornered(np.concatenate([middle, sides], axis=-1))


def encoded(corners: np.ndarray, priors_P5: np.ndarray) -> np.ndarray:
    """The inverse: what a network would have to say (…, P, 4).  Infinite where a middle is out of a prior's reach."""
    centres = centred(np.asarray(corners, np.float64))
    share = (centres[..., :2] / priors_P5[..., 2:3] - priors_P5[..., :2] + BEFORE) / REACH
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.log(share) - np.log1p(-share)
        sides = np.log(centres[..., 2:] / priors_P5[..., 3:])
    return np.concatenate([middle, sides], axis=-1)


class Grids:
    """The grids of a network, and which of their priors are responsible for which boxes.

    size: height and width of the encoded picture.  assign: best, the one prior of all scales whose anchor overlaps
    most with the box, at the cell of its middle (YOLOv3); ratio, all whose sides are within `ratio` of the box's, or
    the best where there is none, at that cell and at the two nearest beside it (as in YOLOv5), so that more is learned
    of each box.
    """

    def __init__(
        self,
        size: Sequence[int],
        strides: Sequence[int],
        anchors: Sequence[Sequence[Sequence[float]]],
        assign: Assign = "best",
        ratio: float = RATIO,
    ) -> None:
        self.priors = priors(size, strides, anchors)
        self.assign, self.ratio = assign, ratio
        counts = np.array([len(own) for own in anchors])
        grids = np.array([(size[1] // stride, size[0] // stride) for stride in strides], np.int64)
        scale = np.repeat(np.arange(len(counts)), counts)
        self.sides = np.concatenate([np.asarray(own, np.float64).reshape(-1, 2) for own in anchors])
        self.stride, self.limit, self.step = np.asarray(strides, np.int64)[scale], grids[scale], counts[scale]
        starts = np.cumsum([0, *(grids.prod(axis=1) * counts)])
        self.first = starts[scale] + np.concatenate([np.arange(k) for k in counts])

    @property
    def each(self) -> int:
        """How many priors one box has at most."""
        return 1 if self.assign == "best" else 3 * len(self.sides)

    def assigned(self, boxes_NK4: np.ndarray) -> np.ndarray:
        """int64 (N, K, each): the places of the priors that are to find each box, −1 for none; boxes NaN: none.

        A prior finds one box alone: of several that want it, that which its anchor fits best.
        """
        there = ~np.isnan(boxes_NK4).any(axis=2)
        centres = centred(boxes_NK4[there].astype(np.float64))
        fit = size_overlap(centres[:, 2:], self.sides)
        if self.assign == "best":
            anchor = fit.argmax(axis=1)[:, None]
            wanted, fit = np.ones_like(anchor, bool), np.take_along_axis(fit, anchor, axis=1)
            cell = self._cell(centres[:, None, :2] / self.stride[anchor][..., None], anchor)
        else:
            anchor, wanted, fit, cell = self._by_ratio(centres, fit)
        column, row = cell[..., 0], cell[..., 1]
        place = self.first[anchor] + (row * self.limit[anchor, 0] + column) * self.step[anchor]
        found = np.full((*there.shape, self.each), -1, np.int64)
        found[there] = _alone(np.where(wanted, place, -1), fit, np.nonzero(there)[0])
        return found

    def _by_ratio(self, centres_M4: np.ndarray, fit: np.ndarray) -> tuple[np.ndarray, ...]:
        """Anchor, whether it is wanted, how well it fits, and cell (2): of each box, 3 × the anchors."""
        every = np.arange(len(self.sides))
        ratio = np.maximum(centres_M4[:, None, 2:], 1e-9) / self.sides
        wanted = np.maximum(ratio, 1 / ratio).max(axis=2) < self.ratio
        wanted |= (fit.argmax(axis=1)[:, None] == every) & ~wanted.any(axis=1, keepdims=True)
        at = centres_M4[:, None, :2] / self.stride[:, None]
        cell = self._cell(at, every)
        beside = np.where(at - cell < 0.5, -1, 1)
        cells = np.stack([cell, cell + beside * (1, 0), cell + beside * (0, 1)], axis=1)
        inside = ((cells >= 0) & (cells < self.limit)).all(axis=-1)
        # A box's own cell comes before those beside another's, whatever the fit.
        fits = np.stack([fit + 1, fit, fit], axis=1)
        flat = (len(centres_M4), self.each)
        anchor = np.broadcast_to(every, inside.shape)
        return (
            anchor.reshape(flat),
            (wanted[:, None] & inside).reshape(flat),
            fits.reshape(flat),
            cells.reshape(*flat, 2),
        )

    def _cell(self, at: np.ndarray, anchor: np.ndarray) -> np.ndarray:
        """The cell (column, row) of places in cells; one on the far border of the picture is in the last."""
        return np.clip(np.floor(at).astype(np.int64), 0, self.limit[anchor] - 1)


def _alone(place_ME: np.ndarray, fit_ME: np.ndarray, picture_M: np.ndarray) -> np.ndarray:
    """The same places, each kept for the box that fits best of those of its picture, −1 for the others.

    Of several that fit alike it is the first's.
    """
    boxes, columns = np.nonzero(place_ME >= 0)
    place = place_ME[boxes, columns]
    # One number a picture and place.
    key = picture_M[boxes] * (place.max(initial=0) + 1) + place
    order = np.lexsort((-fit_ME[boxes, columns], key))
    key = key[order]
    again = order[1:][key[1:] == key[:-1]]
    found = place_ME.copy()
    found[boxes[again], columns[again]] = -1
    return found
