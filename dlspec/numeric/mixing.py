"""Two examples made one: mixup and cutmix."""

from __future__ import annotations

import numpy as np


def partners(count: int, step: int) -> np.ndarray:
    """int (N,): another example of the batch for each, so many places further on, round the end."""
    return (np.arange(count) + step) % count


def windows(share_N: np.ndarray, x_N: np.ndarray, y_N: np.ndarray, height: int, width: int) -> np.ndarray:
    """int (N, 4): top, left, bottom and right of the part that cutmix takes from the partner.

    The picture's proportions, an area of 1 - share where it fits, the middle anywhere (x, y from 0 to 1), clipped at
    the picture's edge (Yun et al. 2019, "CutMix").
    """
    side = np.sqrt(1 - share_N)
    top, left = y_N * height - side * height / 2, x_N * width - side * width / 2
    edges = np.stack([top, left, top + side * height, left + side * width], axis=1)
    return np.clip(np.rint(edges), 0, (height, width, height, width)).astype(int)


def kept_share(windows_N4: np.ndarray, height: int, width: int) -> np.ndarray:
    """float64 (N,): the share of the picture outside of the window."""
    top, left, bottom, right = windows_N4.T
    return 1 - (bottom - top) * (right - left) / (height * width)


def mixup(picture: np.ndarray, other: np.ndarray, share: float, new: np.ndarray) -> None:
    """Write share · picture + (1 - share) · other (Zhang et al. 2018, "mixup")."""
    from dlspec.numeric.opencv import cv2

    cv2.addWeighted(picture, share, other, 1 - share, 0, dst=new)


def cutmix(picture: np.ndarray, other: np.ndarray, window_4: np.ndarray, new: np.ndarray) -> None:
    """Write the picture, with the other's pixels within the window."""
    top, left, bottom, right = window_4
    new[...] = picture
    new[top:bottom, left:right] = other[top:bottom, left:right]


def mixed_labels(labels: np.ndarray, partners_N: np.ndarray, share_N: np.ndarray, classes: int | None) -> np.ndarray:
    """float32 (N, C): share · label + (1 - share) · the partner's.

    Labels are class indices (N,) of `classes` classes, or floats (N, C) that say how much of each class there is.
    """
    if labels.dtype.kind in "iu":
        assert classes is not None, "class indices are mixed as one of how many classes?"
        labels = labels[:, None] == np.arange(classes)
    labels = labels.astype(np.float32)
    share = share_N.astype(np.float32).reshape(-1, *[1] * (labels.ndim - 1))
    return share * labels + (1 - share) * labels[partners_N]
