"""Affine maps of pictures, and of the points and boxes in them.

Coordinates are x to the right and y downwards in pixels, from the upper left corner: the pixel in row r and column c
covers the square from (c, r) to (c + 1, r + 1), so that its middle is (c + 0.5, r + 0.5), and the box of a whole
picture is (0, 0, W, H).
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


def whole(maps_N23: np.ndarray) -> np.ndarray:
    """bool (N,): which maps only turn over and move by whole pixels, so that nothing is interpolated."""
    linear, offset = maps_N23[:, :, :2], maps_N23[:, :, 2]
    upright = (linear[:, [0, 1], [1, 0]] == 0).all(1) & (np.abs(linear[:, [0, 1], [0, 1]]) == 1).all(1)
    return upright & (offset == np.rint(offset)).all(1)


def move_points(points_NK2: np.ndarray, maps_N23: np.ndarray, height: int, width: int) -> np.ndarray:
    """Where the points (x, y) come to lie; NaN where that is outside of the picture."""
    moved = np.einsum("nij,nkj->nki", maps_N23[:, :, :2], points_NK2) + maps_N23[:, None, :, 2]
    inside = ((moved >= 0) & (moved <= (width, height))).all(axis=2, keepdims=True)
    return np.where(inside, moved, np.nan).astype(points_NK2.dtype)


def move_boxes(boxes_NK4: np.ndarray, maps_N23: np.ndarray, height: int, width: int, keep: float) -> np.ndarray:
    """The upright boxes (x0, y0, x1, y1) around the moved ones, clipped to the picture.

    NaN where less than the share `keep` of a moved box's area is left, or nothing.
    """
    corners = boxes_NK4[:, :, [[0, 1], [2, 1], [2, 3], [0, 3]]]
    moved = np.einsum("nij,nkcj->nkci", maps_N23[:, :, :2], corners) + maps_N23[:, None, None, :, 2]
    low, high = moved.min(axis=2), moved.max(axis=2)
    inside_low, inside_high = (np.clip(edge, 0, (width, height)) for edge in (low, high))
    area, left = (high - low).prod(axis=2), (inside_high - inside_low).prod(axis=2)
    kept = (left > 0) & (left >= keep * area)
    boxes = np.concatenate([inside_low, inside_high], axis=2)
    return np.where(kept[:, :, None], boxes, np.nan).astype(boxes_NK4.dtype)


def place(picture: np.ndarray, map_23: np.ndarray, new: np.ndarray, fill: Fill, black: float = 0.0) -> None:
    """Write the moved picture (H, W) or (H, W, C) into `new`, for a map that is whole and moves at most by half a side.

    Exact: values are copied.  Any number type that OpenCV has.
    """
    from dlspec.numeric.opencv import cv2

    height, width = picture.shape[:2]
    (across, _, right), (_, under, down) = map_23.tolist()
    if across < 0 or under < 0:
        picture = cv2.flip(picture, -1 if across < 0 and under < 0 else int(across < 0))
    right, down = int(right - width * (across < 0)), int(down - height * (under < 0))
    inside = picture[max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
    edges = (max(0, down), max(0, -down), max(0, right), max(0, -right))
    cv2.copyMakeBorder(inside, *edges, _border(fill), dst=new, value=(black,) * 4)


def warp(
    picture: np.ndarray, source_23: np.ndarray, new: np.ndarray, fill: Fill, black: float = 0.0, *, smooth: bool = True
) -> None:
    """Write the picture (H, W) or (H, W, C), sampled once where `backwards` says, into `new`, which has its shape.

    Bilinear (uint8, float32) where smooth, else the nearest pixel (uint8, int32).
    """
    from dlspec.numeric.opencv import cv2

    # OpenCV samples four bytes a pixel faster than three (224 px: 0.21 ms, there and back, against 0.31).
    four = smooth and picture.dtype == np.uint8 and picture.shape[2:] == (3,)
    sampled = cv2.warpAffine(
        cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA) if four else picture,
        source_23,
        picture.shape[1::-1],
        dst=None if four else new,
        flags=cv2.WARP_INVERSE_MAP | (cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST),
        borderMode=_border(fill),
        borderValue=(black,) * 4,
    )
    if four:
        cv2.cvtColor(sampled, cv2.COLOR_RGBA2RGB, dst=new)


def _border(fill: Fill) -> int:
    from dlspec.numeric.opencv import cv2

    return {"black": cv2.BORDER_CONSTANT, "nearest": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT}[fill]
