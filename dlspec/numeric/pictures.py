"""Pictures of any shapes, read in blocks of one shape."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from dlspec.types import DataError, Examples

BLOCK = 1024


def read_picture(x: Any, name: str) -> np.ndarray:
    """One example's x as an array (H, W) or (H, W, C).  Raises DataError, with the example's id, where it is none.

    An absolute path is read as a picture file.
    """
    if isinstance(x, str) and os.path.isabs(x):
        from dlspec.numeric.picture_files import read

        return read(x)
    picture = np.asarray(x)
    if picture.dtype.kind not in "buif" or picture.ndim not in (2, 3) or not picture.size:
        got = repr(x) if isinstance(x, str) else f"shape {picture.shape}, {picture.dtype}"
        raise DataError(f"picture '{name}' is not an array of numbers (H, W) or (H, W, C): {got}")
    return picture


def blocks(examples: Examples, *, one_by_one: bool = False) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places in the selection, and their pictures (n, H, W, C), all of one shape and number type; C is 1 or 3.

    one_by_one: no more than one picture is held at a time.  Raises DataError that names the example where channels or
    values cannot be.
    """
    x, rows = examples.columns["x"], np.asarray(examples.rows, dtype=np.intp)
    block = 1 if one_by_one else BLOCK
    for start in range(0, len(rows), block):
        some = rows[start : start + block]
        if isinstance(x, np.ndarray) and x.ndim in (3, 4) and x.dtype.kind in "buif":
            groups = [(np.arange(start, start + len(some)), x[some])]
        else:
            found: dict[Any, tuple[list[int], list[np.ndarray]]] = {}
            for place, row in enumerate(some.tolist(), start):
                picture = read_picture(x[row], examples.columns["ids"][row])
                places, pictures = found.setdefault((picture.shape, picture.dtype), ([], []))
                places.append(place)
                pictures.append(picture)
            groups = [(np.array(places), np.stack(pictures)) for places, pictures in found.values()]
        for places, batch in groups:
            batch = batch[..., None] if batch.ndim == 3 else batch
            _check(examples, places, batch)
            yield places, batch.astype(np.float32) if batch.dtype == bool else batch


def _check(examples: Examples, places: np.ndarray, batch: np.ndarray) -> None:
    if batch.shape[3] not in (1, 3):
        raise DataError(
            f"picture '{examples[int(places[0])].id}' has {batch.shape[3]} channels, expected 1 or 3 "
            f"(its shape is {batch.shape[1:]}, read as height, width, channels)"
        )
    if batch.dtype.kind == "f":
        finite = np.isfinite(batch).all(axis=(1, 2, 3))
        if not finite.all():
            name = examples[int(places[finite.argmin()])].id
            raise DataError(f"picture '{name}' holds values that are no finite numbers (NaN or infinite)")


def sizes(examples: Examples) -> np.ndarray:
    """Width and height (N, 2) of pictures as they came; of files the heads alone are read.

    Raises DataError where examples are no pictures, or a file cannot be read.
    """
    from dlspec.numeric.picture_paths import PictureFiles

    x, rows = examples.columns["x"], list(examples.rows)
    if isinstance(x, PictureFiles):
        heads = x[rows].headers()
        broken = [one for one in heads if isinstance(one, DataError)]
        if broken:
            raise broken[0]
        return np.array([(one.width, one.height) for one in heads if not isinstance(one, DataError)]).reshape(-1, 2)
    found = np.empty((len(rows), 2), np.int64)
    for place, row in enumerate(rows):
        if isinstance(x[row], str) and os.path.isabs(x[row]):
            from dlspec.numeric.picture_files import size

            found[place] = size(x[row])[::-1]
        elif getattr(x[row], "ndim", 0) in (2, 3):
            found[place] = x[row].shape[1::-1]
        else:
            raise DataError(
                f"'{examples.columns['ids'][row]}' is no picture, so that its size is not known; normalise distances "
                "by something else (normalizer: box)"
            )
    return found


def handed(rows: Any) -> Examples:
    """Examples without truth of what a Python caller hands over: see Input.outside of pictures."""
    from dlspec.numeric.picture_paths import PictureFiles

    if isinstance(rows, str | os.PathLike):
        rows = [rows]
    if isinstance(rows, list | tuple) and rows and all(isinstance(one, str | os.PathLike) for one in rows):
        return Examples([os.fspath(one) for one in rows], PictureFiles(os.getcwd(), [os.fspath(p) for p in rows]))
    if isinstance(rows, list | tuple) and rows and np.ndim(rows[0]) > 1:
        pictures: Any = list(rows)
    else:
        pictures = np.asarray(rows)
        if pictures.ndim == 2 or (pictures.ndim == 3 and pictures.shape[-1] in (1, 3)):
            pictures = pictures[None]
    return Examples([str(i) for i in range(len(pictures))], pictures)
