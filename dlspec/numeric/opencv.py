"""OpenCV without threads of its own: dlspec spreads pictures over threads, and more of them only stand in the way."""

from __future__ import annotations

import cv2

cv2.setNumThreads(1)

__all__ = ["cv2"]
