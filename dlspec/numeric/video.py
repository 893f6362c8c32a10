"""Videos (as far as OpenCV opens them), frame by frame."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from dlspec.numeric.printable import shown
from dlspec.types import Place, UnreadableError

USUAL_RATE = 25.0
"""frames a second of a video that does not say"""
SLACK = 0.02
"""share of the frames that a head may promise too many of: some count them by their length in time"""


def frames(path: str) -> Iterator[np.ndarray]:
    """The frames in order, uint8 (H, W, 3) red, green, blue; no more than one is held.

    Raises UnreadableError that names the file where it cannot be opened; and after the last frame that can be read,
    where its head promises surely more.
    """
    from dlspec.numeric.opencv import cv2

    video = _opened(path)
    try:
        promised, count = int(video.get(cv2.CAP_PROP_FRAME_COUNT)), 0
        while True:
            there, frame = video.read()
            if not there:
                break
            count += 1
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    finally:
        video.release()
    if not count:
        raise _refused(path, "no frame of this video can be read")
    if count < promised * (1 - SLACK) - 1:
        raise _refused(path, f"this video is cut short or broken: {count:,} of its {promised:,} frames can be read")


def rate(path: str) -> float:
    """Frames a second.  Raises UnreadableError where it cannot be opened."""
    from dlspec.numeric.opencv import cv2

    video = _opened(path)
    found = float(video.get(cv2.CAP_PROP_FPS))
    video.release()
    return found if np.isfinite(found) and found > 0 else USUAL_RATE


def _opened(path: str) -> cv2.VideoCapture:  # type: ignore[name-defined]  # noqa: F821
    from dlspec.numeric.opencv import cv2

    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # what is wrong with a file is said once, and by us
    if not os.path.isfile(path):
        raise _refused(path, "there is no such file")
    video = cv2.VideoCapture(path)
    if not video.isOpened():
        raise _refused(path, "this video cannot be opened: it is cut short, or of a kind that OpenCV does not read")
    return video


def _refused(path: str, message: str) -> UnreadableError:
    return UnreadableError(message, where=Place(shown(path)))
