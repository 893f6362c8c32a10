"""Masks: which class each pixel of a picture belongs to, as files, arrays, packed bytes and texts."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlspec.numeric.printable import shown
from dlspec.types import DataError, Place, UnreadableError

IGNORED = 255
"""the index of pixels that nobody has judged; they cost nothing and are not scored"""
MOST_CLASSES = 255
MOST_SHOWN = 5

Value = int | tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Mask:
    """What is true of a picture's pixels: a file or an array, and what its values stand for; read when needed."""

    source: str | np.ndarray
    """the path of a picture file, or integers (H, W)"""
    names: tuple[str, ...]
    """of the classes, in the order of their indices"""
    values: tuple[Value, ...] | None = None
    """the value, or the colour, of each class; None: its index"""
    ignored: tuple[Value, ...] = (IGNORED,)
    """the values or colours of pixels that are not judged"""

    def read(self) -> np.ndarray:
        """Class indices, uint8 (H, W); IGNORED where a pixel is not judged.

        Raises DataError that names the file and the values or colours in it that stand for no class.
        """
        raw = read_values(self.source)
        if raw.ndim == 3 and isinstance(self.source, str):
            raw = raw.astype(np.int64) @ (1 << 16, 1 << 8, 1)
        known = {_code(value): index for index, value in enumerate(self.values or range(len(self.names)))}
        known |= {_code(value): IGNORED for value in self.ignored if _code(value) not in known}
        found, places = np.unique(raw, return_inverse=True)
        strange = [code for code in found.tolist() if code not in known]
        if strange:
            pixels = int(np.isin(raw, strange).sum())
            said = ", ".join(_said(code, self.values) for code in strange[:MOST_SHOWN])
            more = ", …" if len(strange) > MOST_SHOWN else ""
            raise DataError(
                f"{pixels:,} pixels have values that stand for no class: {said}{more}; known are "
                f"{', '.join(self.names[:12])} (data.classes) and what is not judged (data.ignore)",
                where=Place(shown(self.source)) if isinstance(self.source, str) else Place(),
            )
        return np.array([known[code] for code in found.tolist()], np.uint8)[places.reshape(raw.shape)]

    def digest(self) -> str:
        """A hash of what is true, the same for the same content."""
        whole = hashlib.blake2b(repr((self.names, self.values)).encode(), digest_size=16)
        if isinstance(self.source, str):
            with open(self.source, "rb") as file:
                whole.update(file.read())
        else:
            whole.update(repr(self.source.shape).encode() + np.ascontiguousarray(self.source, np.int64).tobytes())
        return whole.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mask) and self.digest() == other.digest()

    def __hash__(self) -> int:
        return hash(self.digest())


def read_values(source: str | np.ndarray) -> np.ndarray:
    """What stands in a mask: integers (H, W) of a grey picture, a palette or an array, else colours (H, W, 3).

    Raises UnreadableError that names the file, DataError where an array is no mask.
    """
    if not isinstance(source, str):
        values = np.asarray(source)
        if values.ndim != 2 or values.dtype.kind not in "bui":
            raise DataError(f"a mask should be integers (H, W), got shape {values.shape}, {values.dtype}")
        return values.astype(np.int64)
    from PIL import Image

    try:
        with Image.open(source) as image:
            image.load()
            if image.mode in ("1", "L", "P", "I", "I;16"):
                return np.asarray(image).astype(np.int64)
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        message = f"this mask cannot be read: {shown(str(error))[:100]}"
        raise UnreadableError(message, where=Place(shown(os.fspath(source)))) from None


def mask_of(value: Any) -> np.ndarray:
    """Class indices uint8 (H, W) of whatever a reader or a table gave.  Raises DataError, ValueError."""
    if isinstance(value, Mask):
        return value.read()
    if isinstance(value, str):
        return from_text(value)
    if getattr(value, "ndim", 0) != 2:
        raise ValueError(value)
    return np.asarray(value).astype(np.uint8)


def to_text(mask_HW: np.ndarray) -> str:
    """`2x3:0*4,1,0`: height and width, then how often each index comes, row after row; `*1` is left out."""
    flat = mask_HW.reshape(-1)
    ends = np.flatnonzero(np.diff(flat)) + 1
    starts = np.concatenate([[0], ends]) if len(flat) else ends
    lengths = np.diff(np.concatenate([starts, [len(flat)]]))
    runs = zip(flat[starts].tolist(), lengths.tolist(), strict=True)
    return f"{mask_HW.shape[0]}x{mask_HW.shape[1]}:" + ",".join(f"{v}*{n}" if n > 1 else f"{v}" for v, n in runs)


def from_text(text: str) -> np.ndarray:
    """The inverse of `to_text`, uint8.  Raises ValueError where it is no such text."""
    size, _, runs = text.partition(":")
    height, width = (int(one) for one in size.split("x"))
    pairs = [one.partition("*") for one in runs.split(",")] if runs else []
    values = np.array([int(value) for value, _, _ in pairs], np.uint8)
    lengths = np.array([int(count or 1) for _, _, count in pairs], np.int64)
    return np.repeat(values, lengths).reshape(height, width)


class PackedMasks(Sequence[np.ndarray]):
    """Masks of any sizes, uint8, packed: unpacked each time one is asked for."""

    def __init__(self, masks: Iterable[np.ndarray] = ()) -> None:
        self.held: list[tuple[tuple[int, int], bytes]] = []
        self.extend(masks)

    def extend(self, masks: Iterable[np.ndarray]) -> None:
        for mask in masks:
            self.held.append(((mask.shape[0], mask.shape[1]), zlib.compress(np.ascontiguousarray(mask, np.uint8), 1)))

    def __len__(self) -> int:
        return len(self.held)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        shape, packed = self.held[index]
        return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(shape)


def near_edges(mask_HW: np.ndarray, pixels: int) -> np.ndarray:
    """bool (H, W): pixels that have another class within so many pixels (in a square around them)."""
    from dlspec.numeric.opencv import cv2

    square = np.ones((2 * pixels + 1,) * 2, np.uint8)
    most = cv2.dilate(mask_HW, square, borderType=cv2.BORDER_REPLICATE)
    least = cv2.erode(mask_HW, square, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(most != least)


def _code(value: Value) -> int:
    return value if isinstance(value, int) else (value[0] << 16) + (value[1] << 8) + value[2]


def _said(code: int, values: tuple[Value, ...] | None) -> str:
    if values is None or isinstance(values[0], int):
        return str(code)
    return f"[{code >> 16}, {code >> 8 & 255}, {code & 255}]"
