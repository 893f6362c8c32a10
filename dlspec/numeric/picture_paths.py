"""Many picture files at once: read, checked and hashed by several threads, ahead of whoever wants them."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from dlspec.numeric.picture_bytes import Fit, fit_bytes
from dlspec.numeric.picture_files import Header, check, read
from dlspec.numeric.printable import shown
from dlspec.types import DataError, Place

AHEAD = 4
"""pictures a thread that are read before they are asked for"""


class PictureFiles(Sequence[str]):
    """Paths of picture files: what `x` is where pictures stay files until they are read.  `paths[i]` is absolute.

    A selection (`paths[[3, 1]]`) shares what was found out about the whole: heads and hashes are read once.
    """

    def __init__(self, folder: str, names: Sequence[str]) -> None:
        """names: relative to the folder, or absolute."""
        self.folder, self.names = folder, names
        self.rows: Sequence[int] = range(len(names))
        self.heads: dict[int, Header | DataError] = {}
        self.hashes: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice | list | np.ndarray):
            return os.path.join(self.folder, self.names[self.rows[index]])
        other = PictureFiles(self.folder, self.names)
        other.rows = self.rows[index] if isinstance(index, slice) else [self.rows[i] for i in index]
        other.heads, other.hashes = self.heads, self.hashes
        return other

    @classmethod
    def joined(cls, several: Sequence[PictureFiles]) -> PictureFiles:
        """The files of several, one after another."""
        whole = cls("", [path for files in several for path in files])
        start = 0
        for files in several:
            for place, row in enumerate(files.rows, start):
                if row in files.heads:
                    whole.heads[place] = files.heads[row]
                if row in files.hashes:
                    whole.hashes[place] = files.hashes[row]
            start += len(files)
        return whole

    def headers(self) -> list[Header | DataError]:
        """Size and channels of each, or what is wrong with it as far as a quick look shows (`picture_files.check`)."""
        new = [i for i, row in enumerate(self.rows) if row not in self.heads]
        alike: dict[Any, Any] = {}  # most pictures of a folder are of a few sizes
        for i, found in zip(new, in_threads(check, [self[i] for i in new]), strict=True):
            self.heads[self.rows[i]] = alike.setdefault(found, found)
        return [self.heads[row] for row in self.rows]

    def digests(self) -> list[bytes]:
        """A hash of each file's bytes, taken once, by several threads.  Raises DataError where one cannot be read."""
        new = [i for i, row in enumerate(self.rows) if row not in self.hashes]
        for i, found in zip(new, in_threads(_digest, [self[i] for i in new]), strict=True):
            if isinstance(found, DataError):
                raise found
            self.hashes[self.rows[i]] = found
        return [self.hashes[row] for row in self.rows]


def read_many(
    paths: Sequence[str], shape: tuple[int, int, int] | None = None, fit: Fit = "stretch", *, threads: int | None = None
) -> Iterator[np.ndarray | DataError]:
    """The pictures in order, as `read` gives them, or fitted to a shape (height, width, channels) as `fit_bytes` does.

    A file that cannot be read gives its DataError in place of the picture; the others go on.
    A few pictures a thread are read ahead; no more than those are held.
    """

    def one(path: str) -> np.ndarray:
        return read(path) if shape is None else fit_bytes(read(path), shape, fit)

    return in_threads(one, paths, threads=threads)


def read_into(
    paths: Sequence[str], out_NHWC: np.ndarray, fit: Fit = "stretch", *, threads: int | None = None
) -> dict[int, DataError]:
    """Read the pictures into a uint8 array (N, height, width, channels), each fitted as `fit_bytes` does.

    Returns what could not be read: place → error; the array holds zeros there.
    """
    _, height, width, channels = out_NHWC.shape

    def one(place: int) -> None:
        out_NHWC[place] = fit_bytes(read(paths[place]), (height, width, channels), fit)

    faults = {}
    for place, found in enumerate(in_threads(one, range(len(paths)), threads=threads)):
        if found is not None:
            faults[place] = found
            out_NHWC[place] = 0
    return faults


def undecodable(paths: Sequence[str], *, threads: int | None = None) -> dict[int, DataError]:
    """What cannot be read, by place; found by decoding every one."""
    # Only whether it can be read is kept of each, not the pixels.
    found = in_threads(_tried, paths, threads=threads)
    return {place: error for place, error in enumerate(found) if error is not None}


def in_threads(task: Callable[[Any], Any], of: Sequence[Any], *, threads: int | None = None) -> Iterator[Any]:
    """The task's results in order; a DataError that it raises is its result.

    threads: as many as processors where nothing is said.
    """
    threads = min(threads or processors(), len(of))
    if threads < 2:
        yield from (_attempt(task, one) for one in of)
        return
    with ThreadPoolExecutor(threads, "dlspec-pictures") as pool:
        waiting: deque[Future[Any]] = deque()
        try:
            for one in of:
                waiting.append(pool.submit(_attempt, task, one))
                if len(waiting) > AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _attempt(task: Callable[[Any], Any], one: Any) -> Any:
    try:
        return task(one)
    except DataError as error:
        return error


def _tried(path: str) -> None:
    read(path)


def _digest(path: str) -> bytes:
    whole = hashlib.blake2b(b"file", digest_size=16)
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                whole.update(block)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=Place(shown(path))) from None
    return whole.digest()
