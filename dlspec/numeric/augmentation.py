"""Pictures changed one by one, as was drawn for each: moved, blurred, recoloured, with noise and patches, and mixed.

OpenCV does the work on the pixels: of the libraries tried it is the one that is fast enough and lets threads run
(tests/benchmarks/augmentation.py).
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from dlspec.numeric.affine import Fill, backwards, place, warp, whole
from dlspec.numeric.colour import add_noise, recolour
from dlspec.numeric.mixing import cutmix, mixup

LEAST_BLUR = 0.1
"""deviation in pixels below which a Gaussian is a single pixel"""
THREAD_VALUES = 20_000
"""values a picture from which on threads pay: with smaller ones they wait for Python, not for pixels"""


@dataclass(frozen=True)
class Changes:
    """What happens to each picture, in this order; None: nothing.  Everything has a row a picture."""

    maps: np.ndarray | None = None
    """float64 (N, 2, 3): where a point of the picture goes (see dlspec.numeric.affine)"""
    fill: Fill = "nearest"
    """what is where nothing comes from"""
    blur: np.ndarray | None = None
    """float64 (N,): deviation of the Gaussian, in pixels"""
    colours: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    """linear maps of the channels (N, C, C), the contrast they hold (N,), and what is added (N,), in shares of the
    range of values (see dlspec.numeric.colour.recolour)"""
    noise: tuple[np.ndarray, np.ndarray] | None = None
    """float64 (N,): deviation, in shares of the range of values; and uint64 (N,): a seed for each picture"""
    patches: np.ndarray | None = None
    """int (N, 4): top, left, bottom and right of what is hidden under the picture's mean colour"""


def changed(pictures_NHWC: np.ndarray, changes: Changes, low: float, high: float) -> np.ndarray:
    """New pictures of the same shape and type (uint8 or float32), whose values go from low to high."""
    from dlspec.numeric.opencv import cv2

    pictures = np.ascontiguousarray(pictures_NHWC)
    new, span = np.empty_like(pictures), high - low
    move = _copier(pictures, new) if changes.maps is None else _mover(pictures, new, changes.maps, changes.fill, low)
    if changes.colours is not None:
        linear, contrast, added = changes.colours
        offset = np.broadcast_to(added[:, None, None] * span, (*linear.shape[:2], 1))
        affine, contrast = np.concatenate([linear, offset], axis=2), contrast.tolist()
    # OpenCV clips bytes itself.
    clips = pictures.dtype != np.uint8

    def change(i: int) -> None:
        move(i)
        picture = new[i]
        if changes.blur is not None and changes.blur[i] >= LEAST_BLUR:
            cv2.GaussianBlur(picture, (0, 0), changes.blur[i], dst=picture, borderType=cv2.BORDER_REFLECT)
        if changes.colours is not None:
            recolour(picture, affine[i], contrast[i])
            if clips:
                np.clip(picture, low, high, out=picture)
        if changes.noise is not None:
            deviation, seeds = changes.noise
            add_noise(picture, deviation[i] * span, int(seeds[i]))
            if clips:
                np.clip(picture, low, high, out=picture)
        if changes.patches is not None:
            top, left, bottom, right = changes.patches[i]
            picture[top:bottom, left:right] = np.array(cv2.mean(picture)[: picture.shape[2]]) + _half(picture)

    each(change, len(pictures), pictures[:1].size)
    return new


def moved_masks(masks_NHW: np.ndarray, maps_N23: np.ndarray, fill: Fill) -> np.ndarray:
    """Masks of integers moved along with their pictures: each pixel is the nearest; 0 where the fill is black."""
    # OpenCV has neither int64 nor uint32.
    masks = np.ascontiguousarray(masks_NHW if masks_NHW.dtype == np.uint8 else masks_NHW.astype(np.int32))
    new = np.empty_like(masks)
    each(_mover(masks, new, maps_N23, fill, 0, smooth=False), len(masks), masks[:1].size)
    return new.astype(masks_NHW.dtype, copy=False)


def mixed(
    pictures_NHWC: np.ndarray, partners_N: np.ndarray, share_N: np.ndarray, windows_N4: np.ndarray, cut_N: np.ndarray
) -> np.ndarray:
    """Each picture with its partner: cutmix with the window where `cut_N`, else mixup with the share."""
    new = np.empty_like(pictures_NHWC)

    def mix(i: int) -> None:
        picture, other = pictures_NHWC[i], pictures_NHWC[partners_N[i]]
        if cut_N[i]:
            cutmix(picture, other, windows_N4[i], new[i])
        else:
            mixup(picture, other, share_N[i], new[i])

    each(mix, len(new), new[:1].size)
    return new


def each(work: Callable[[int], None], count: int, size: int) -> None:
    """`work` on 0 … count - 1; in threads where the size (values a picture) makes that pay."""
    threads = min(_cores(), count)
    if threads < 2 or size < THREAD_VALUES:
        for i in range(count):
            work(i)
        return

    def stripe(first: int) -> None:
        for i in range(first, count, threads):
            work(i)

    for done in [_pool().submit(stripe, first) for first in range(threads)]:
        done.result()


def _copier(pictures: np.ndarray, new: np.ndarray) -> Callable[[int], None]:
    def copy(i: int) -> None:
        new[i] = pictures[i]

    return copy


def _mover(
    pictures: np.ndarray, new: np.ndarray, maps_N23: np.ndarray, fill: Fill, black: float, *, smooth: bool = True
) -> Callable[[int], None]:
    exact, sources = whole(maps_N23), backwards(maps_N23)

    def move(i: int) -> None:
        if exact[i]:
            place(pictures[i], maps_N23[i], new[i], fill, black)
        else:
            warp(pictures[i], sources[i], new[i], fill, black, smooth=smooth)

    return move


def _half(picture: np.ndarray) -> float:
    """What makes cutting off the fraction the same as rounding."""
    return 0.5 if picture.dtype == np.uint8 else 0.0


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_cores(), thread_name_prefix="augmentation")
