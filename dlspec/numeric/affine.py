"""Affine maps of pictures, and of the points and boxes in them.

Coordinates are x to the right and y downwards in pixels, from the upper left corner: the pixel in row r and column c
covers the square from (c, r) to (c + 1, r + 1), so that its middle is (c + 0.5, r + 0.5), and the box of a whole picture
is (0, 0, W, H).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

Fill = Literal["black", "nearest", "reflect"]
"""What stands where the map looks outside of the picture"""


def joined(*maps_N23: np.ndarray) -> np.ndarray:
    """One map (N, 2, 3) for several, the first given being the first applied."""
    whole = maps_N23[0]
    for then in maps_N23[1:]:
        linear = then[:, :, :2]
        whole = np.concatenate([linear @ whole[:, :, :2], linear @ whole[:, :, 2:] + then[:, :, 2:]], axis=2)
    return whole


def moved(right_N: np.ndarray, down_N: np.ndarray) -> np.ndarray:
    """The maps (N, 2, 3) that move everything by so many pixels."""
    maps = np.zeros((len(right_N), 2, 3))
    maps[:, 0, 0] = maps[:, 1, 1] = 1
    maps[:, 0, 2], maps[:, 1, 2] = right_N, down_N
    return maps


def about(middles_N2: np.ndarray, linear_N22: np.ndarray) -> np.ndarray:
    """The maps (N, 2, 3) that do something linear and leave the given points where they are."""
    return np.concatenate([linear_N22, (middles_N2 - np.einsum("nij,nj->ni", linear_N22, middles_N2))[:, :, None]], 2)


def turned(degrees_N: np.ndarray) -> np.ndarray:
    """Rotations (N, 2, 2), clockwise as one looks at the picture."""
    radians = np.deg2rad(degrees_N)
    cosine, sine = np.cos(radians), np.sin(radians)
    return np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)


def scaled(across_N: np.ndarray, down_N: np.ndarray) -> np.ndarray:
    """Scalings (N, 2, 2) of width and height; -1 turns the picture over."""
    linear = np.zeros((len(across_N), 2, 2))
    linear[:, 0, 0], linear[:, 1, 1] = across_N, down_N
    return linear


def sheared(degrees_N: np.ndarray) -> np.ndarray:
    """Shears (N, 2, 2) that lean upright lines by so many degrees."""
    linear = scaled(np.ones(len(degrees_N)), np.ones(len(degrees_N)))
    linear[:, 0, 1] = -np.tan(np.deg2rad(degrees_N))
    return linear


def backwards(maps_N23: np.ndarray) -> np.ndarray:
    """From where a pixel's middle lies in the new picture to where it comes from, both as (column, row) indices."""
    half = np.full(len(maps_N23), 0.5)
    indices = joined(moved(half, half), maps_N23, moved(-half, -half))
    linear = np.linalg.inv(indices[:, :, :2])
    return np.concatenate([linear, -linear @ indices[:, :, 2:]], axis=2)


def whole(maps_N23: np.ndarray) -> bool:
    """Whether the maps only turn over and move by whole pixels, so that nothing must be interpolated."""
    linear = maps_N23[:, :, :2]
    upright = (linear[:, [0, 1], [1, 0]] == 0).all() and (np.abs(linear[:, [0, 1], [0, 1]]) == 1).all()
    return bool(upright and (maps_N23[:, :, 2] == np.rint(maps_N23[:, :, 2])).all())


def place(picture_HWC: np.ndarray, map_23: np.ndarray, new_HWC: np.ndarray, fill: Fill, black: float = 0.0) -> None:
    """Write the moved picture into `new_HWC`; for a map that is whole (see there).  Exact: values are copied."""
    import cv2

    height, width = picture_HWC.shape[:2]
    over, under = map_23[0, 0] < 0, map_23[1, 1] < 0
    if over or under:
        picture_HWC = cv2.flip(picture_HWC, -1 if over and under else int(over)).reshape(picture_HWC.shape)
    right, down = int(map_23[0, 2] - width * over), int(map_23[1, 2] - height * under)
    inside = picture_HWC[max(0, -down) : height - down, max(0, -right) : width - right]
    edges = (max(0, down), max(0, -down), max(0, right), max(0, -right))
    new_HWC[...] = cv2.copyMakeBorder(inside, *edges, _borders()[fill], value=(black,) * 4).reshape(new_HWC.shape)


def warp(
    picture_HWC: np.ndarray,
    source_23: np.ndarray,
    new_HWC: np.ndarray,
    fill: Fill,
    black: float = 0.0,
    *,
    smooth: bool = True,
) -> None:
    """Write the picture, sampled as `backwards` says, into `new_HWC`, which has the same size.

    uint8, int16, uint16 or float32; bilinear where smooth, else the nearest pixel (then int32, too).
    """
    import cv2

    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST)
    size = new_HWC.shape[1::-1]
    border, value = _borders()[fill], (black,) * 4
    made = cv2.warpAffine(
        picture_HWC, source_23, size, dst=new_HWC, flags=flags, borderMode=border, borderValue=value
    )
    if made is not new_HWC:
        new_HWC[...] = made.reshape(new_HWC.shape)
