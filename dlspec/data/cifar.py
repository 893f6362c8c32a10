"""CIFAR-10 and CIFAR-100 as their authors pack them: pickled batches in a folder or in a .tar.gz (Krizhevsky 2009)."""

from __future__ import annotations

import codecs
import io
import os
import pickle
import tarfile
import zlib
from typing import TYPE_CHECKING, Any

from dlspec.types import DataError, Place

if TYPE_CHECKING:
    import numpy as np


def batches(place: str, names: list[str]) -> dict[str, dict[str, Any]]:
    """The batches of these names, each a dict of arrays and lists.

    place: a folder that holds them, or a .tar.gz with a folder that does.
    Raises DataError where one is missing or is no such batch.
    """
    try:
        found = _in_folder(place, names) if os.path.isdir(place) else _in_archive(place, names)
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise DataError(f"cannot be read ({error}); delete it to fetch it again", where=Place(place)) from None
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(f"holds no {', '.join(missing)}; delete it to fetch it again", where=Place(place))
    return {name: _unpickled(place, name, data) for name, data in found.items()}


def pictures(place: str, batch: dict[str, Any]) -> np.ndarray:
    """The pictures of a batch, uint8 (examples, 32, 32, 3)."""
    data = batch.get("data")
    if getattr(data, "dtype", None) != "uint8" or data.ndim != 2 or data.shape[1] != 3072:
        raise DataError("its pictures are not rows of 3,072 bytes; delete it to fetch it again", where=Place(place))
    return data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def _in_folder(place: str, names: list[str]) -> dict[str, bytes]:
    found = {}
    for name in names:
        if os.path.exists(os.path.join(place, name)):
            with open(os.path.join(place, name), "rb") as file:
                found[name] = file.read()
    return found


def _in_archive(place: str, names: list[str]) -> dict[str, bytes]:
    found = {}
    with tarfile.open(place) as archive:
        for member in archive:
            name = member.name.rpartition("/")[2]
            if name in names and (file := archive.extractfile(member)) is not None:
                found[name] = file.read()
    return found


def _unpickled(place: str, name: str, data: bytes) -> dict[str, Any]:
    try:
        batch = _ArraysAlone(io.BytesIO(data), encoding="bytes").load()
        return {key.decode(): value for key, value in batch.items()}
    except Exception as error:  # broken pickles raise nearly anything
        raise DataError(
            f"'{name}' in it is broken ({error}); delete it to fetch it again", where=Place(place)
        ) from None


class _ArraysAlone(pickle.Unpickler):
    """Plain values and NumPy arrays: a pickle can run code otherwise."""

    def find_class(self, module: str, name: str) -> Any:
        import numpy as np

        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if (module, name) == ("_codecs", "encode"):  # how Python 3 writes bytes for Python 2
            return codecs.encode
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return np.ndarray.__reduce__(np.empty(0))[0]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which a batch of pictures does not need")
