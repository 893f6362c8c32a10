"""Where a picture lies in what was encoded of it: places into the encoded picture and back, masks alike.

A frame is a row of six numbers: height and width of the picture as it came, how much it was scaled along x and along
y, and how far its upper left corner lies to the right and down.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlspec.numeric.picture_bytes import Fit, inner


def frame(given: Sequence[int], wanted: Sequence[int], fit: Fit) -> np.ndarray:
    """float64 (6,): of a picture (height, width) that is brought to another size as `picture_bytes.fit_bytes` does."""
    height, width = int(given[0]), int(given[1])
    h, w = inner(height, width, wanted[0], wanted[1], fit)
    return np.array([height, width, w / width, h / height, (wanted[1] - w) // 2, (wanted[0] - h) // 2], np.float64)


def frames(sizes_N2: np.ndarray, wanted: Sequence[int], fit: Fit) -> np.ndarray:
    """The same (N, 6) of many pictures, of these widths and heights."""
    kinds, of = np.unique(np.asarray(sizes_N2, np.int64).reshape(-1, 2), axis=0, return_inverse=True)
    return np.array([frame((h, w), wanted, fit) for w, h in kinds.tolist()]).reshape(-1, 6)[of.reshape(-1)]


def into(places: np.ndarray, frames_N6: np.ndarray) -> np.ndarray:
    """Places of pictures as they came → of the encoded ones.  (N, …, 2) as x, y or (N, …, 4) as corners."""
    scale, offset = _spread(places, frames_N6)
    return np.asarray(places * scale + offset)


def back(places: np.ndarray, frames_N6: np.ndarray) -> np.ndarray:
    """The inverse of `into`."""
    scale, offset = _spread(places, frames_N6)
    return np.asarray((places - offset) / scale)


def sizes(frames_N6: np.ndarray) -> np.ndarray:
    """Width and height (N, 2) of the pictures as they came."""
    return np.asarray(frames_N6[:, 1::-1])


def window(frame_6: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns of the encoded picture that the picture fills."""
    height, width, across, down, left, top = frame_6.tolist()
    return slice(int(top), int(top) + round(height * down)), slice(int(left), int(left) + round(width * across))


def mask_into(mask_HW: np.ndarray, frame_6: np.ndarray, wanted: Sequence[int], ground: int) -> np.ndarray:
    """A mask of integers as the encoded picture has it, uint8 (height, width): each pixel the nearest, `ground` around.

    Of pixels that stand for several, the one nearest to their middle.
    """
    rows, columns = window(frame_6)
    new = np.full((wanted[0], wanted[1]), ground, np.uint8)
    height, width = mask_HW.shape
    down = _nearest(height, rows.stop - rows.start)
    across = _nearest(width, columns.stop - columns.start)
    new[rows, columns] = mask_HW[down[:, None], across]
    return new


def scores_back(scores_HWC: np.ndarray, frame_6: np.ndarray) -> np.ndarray:
    """Scores of classes of an encoded picture → of each pixel of the picture as it came, float32 (height, width, C).

    Interpolated linearly where sizes differ.
    """
    rows, columns = window(frame_6)
    inside = np.ascontiguousarray(scores_HWC[rows, columns], np.float32)
    height, width = int(frame_6[0]), int(frame_6[1])
    if inside.shape[:2] == (height, width):
        return inside
    from dlspec.numeric.opencv import cv2

    return np.stack(
        [
            cv2.resize(inside[..., one], (width, height), interpolation=cv2.INTER_LINEAR)
            for one in range(inside.shape[2])
        ],
        axis=-1,
    )


def _nearest(size: int, wanted: int) -> np.ndarray:
    return np.minimum(((np.arange(wanted) + 0.5) * size / wanted).astype(np.int64), size - 1)


def _spread(places: np.ndarray, frames_N6: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset as wide as the places, and with as many axes."""
    times = places.shape[-1] // 2
    shape = (len(frames_N6), *[1] * (places.ndim - 2), places.shape[-1])
    return np.tile(frames_N6[:, 2:4], times).reshape(shape), np.tile(frames_N6[:, 4:6], times).reshape(shape)
