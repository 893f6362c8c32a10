"""Filters and feature maps as tiles of one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

GAP = 2
WIDEST = 640
"""pixels"""


def of_filters(kernel_HWCK: np.ndarray, most: int, tile: int) -> tuple[np.ndarray, int, bool]:
    """The first filters as tiles, how many, and whether in colour.

    A tile each where there is one channel or there are three, which are red, green and blue; else a row of grey tiles a
    filter, one a channel, at most `most` in all.  0 is the grey in the middle; black and white are
    the filter's greatest weight, so that filters can be compared by their shape, not by their size.
    """
    height, width, channels = kernel_HWCK.shape[:3]
    colour = channels == 3
    if not colour:
        most = max(1, most // channels)
    shown = kernel_HWCK[..., :most]
    largest = np.abs(shown).max(axis=(0, 1, 2), keepdims=True)
    grey = np.uint8(np.rint(127.5 + 127.5 * shown / np.where(largest > 0, largest, 1)))
    each = range(shown.shape[-1])
    if colour:
        tiles = [grey[..., k] for k in each]
        across = min(len(tiles), max(1, WIDEST // (_size(height, width, tile)[1] + GAP)))
    else:
        tiles = [grey[..., c, k] for k in each for c in range(channels)]
        across = channels if channels > 1 else min(len(tiles), max(1, WIDEST // (_size(height, width, tile)[1] + GAP)))
    return tiled(tiles, across, tile), len(each), colour


def of_maps(maps_hwK: np.ndarray, low_K: np.ndarray, high_K: np.ndarray, tile: int) -> np.ndarray:
    """Maps as grey tiles, eight in a row: black is `low`, white `high` of each map."""
    span = np.where(high_K > low_K, high_K - low_K, 1)
    grey = np.uint8(np.rint(255 * ((maps_hwK - low_K) / span).clip(0, 1)))
    return tiled([grey[..., k] for k in range(grey.shape[-1])], 8, tile)


def tiled(pictures: Sequence[np.ndarray], across: int, tile: int) -> np.ndarray:
    """uint8 pictures of one size, (h, w) or (h, w, 3), on white, so many in a row, each brought to `tile` pixels.

    Small ones are enlarged by a whole number, pixel by pixel.
    """
    from PIL import Image

    first = pictures[0]
    height, width = _size(*first.shape[:2], tile)
    rows = math.ceil(len(pictures) / across)
    whole = np.full((rows * (height + GAP) - GAP, across * (width + GAP) - GAP, *first.shape[2:]), 255, np.uint8)
    kind = Image.Resampling.NEAREST if height >= first.shape[0] else Image.Resampling.BOX
    for place, one in enumerate(pictures):
        top, left = (place // across) * (height + GAP), (place % across) * (width + GAP)
        whole[top : top + height, left : left + width] = np.asarray(Image.fromarray(one).resize((width, height), kind))
    return whole


def _size(height: int, width: int, tile: int) -> tuple[int, int]:
    longest = max(height, width)
    if longest <= tile:
        return height * (tile // longest), width * (tile // longest)
    return max(1, round(height * tile / longest)), max(1, round(width * tile / longest))
