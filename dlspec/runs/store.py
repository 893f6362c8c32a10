"""Where encoded examples lie: in memory, in a file, or nowhere (encoded anew each time); decided by measured sizes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from dlspec import __version__
from dlspec.data.fingerprint import digests
from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.types import Arrays, Examples, State

PROBE = 16
"""examples that are encoded to learn how large they are"""
BLOCK_BYTES = 4_000_000
"""encoded bytes that one thread makes at a time"""
CHUNK = 1024
"""examples that a prediction takes at a time"""
MEMORY_SHARE = 0.3
"""of the memory that is free, how much the encoded examples may take"""
DISK_SHARE = 0.5
"""of the disk that is free"""
READ_AHEAD = 4
"""batches that are encoded ahead of the network where nothing is kept"""

T = TypeVar("T")


class Store:
    """Encoded examples.  This one keeps nothing: what is asked for is encoded each time."""

    def __init__(self, recipe: Recipe, state: State, examples: Examples) -> None:
        self.recipe, self.state, self.examples = recipe, state, examples

    def __len__(self) -> int:
        return len(self.examples)

    def take(self, chosen: Sequence[int] | np.ndarray) -> Arrays:
        """The encoded arrays of these examples, in this order."""
        encoded: Arrays = self.recipe.input.encode(self.examples.take([int(i) for i in chosen]), self.state["input"])
        return encoded

    def stream(self, plan: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, Arrays]]:
        """Batch after batch of a plan; encoded in threads, ahead of whoever asks."""
        return ahead(lambda chosen: (chosen, self.take(chosen)), plan)

    def chunks(self, size: int = CHUNK) -> Iterator[Arrays]:
        """All examples in order, as the network takes them: for prediction."""
        plan = (np.arange(start, min(start + size, len(self))) for start in range(0, len(self), size))
        for _, arrays in self.stream(plan):
            yield finished(self.recipe, self.state, arrays)


class Kept(Store):
    """Encoded once; in memory, or in files that the system pages in and out."""

    def __init__(self, recipe: Recipe, state: State, examples: Examples, arrays: Arrays) -> None:
        super().__init__(recipe, state, examples)
        self.arrays = arrays

    def take(self, chosen: Sequence[int] | np.ndarray) -> Arrays:
        return {name: _taken(values, chosen) for name, values in self.arrays.items()}

    def stream(self, plan: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, Arrays]]:
        return ((chosen, self.take(chosen)) for chosen in plan)

    def chunks(self, size: int = CHUNK) -> Iterator[Arrays]:
        for start in range(0, len(self), size):
            some = {name: values[start : start + size] for name, values in self.arrays.items()}
            yield finished(self.recipe, self.state, some)


def _taken(values: Any, chosen: Any) -> Any:
    return values[chosen] if isinstance(values, np.ndarray) else [values[int(i)] for i in chosen]


def finished(recipe: Recipe, state: State, arrays: Arrays) -> Arrays:
    """What the network takes of encoded arrays."""
    whole = recipe.input.finish(arrays, state["input"])
    return {name: whole[name] for name in state["shapes"]}


def ahead(work: Callable[[Any], T], items: Iterable[Any], threads: int | None = None) -> Iterator[T]:
    """`work` on each item, in order, in threads that run a few items ahead."""
    count = threads or os.cpu_count() or 1
    with ThreadPoolExecutor(count) as pool:
        waiting: deque[Future[T]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= READ_AHEAD + count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def store(recipe: Recipe, state: State, examples: Examples, watch: Watch, what: str = "examples") -> Store:
    """Encoded examples, kept where it pays: `train.cache` says where, or measured sizes do.

    Rows of a table and small pictures lie in memory.  What is larger than a share of the free memory goes to a file in
    the cache folder, keyed by content and settings; what the disk cannot hold either is encoded anew every time.
    """
    if not len(examples):
        return Kept(recipe, state, examples, recipe.input.encode(examples, state["input"]))
    probe = recipe.input.encode(examples.take(range(min(PROBE, len(examples)))), state["input"])
    if not all(isinstance(values, np.ndarray) for values in probe.values()):
        return Kept(recipe, state, examples, recipe.input.encode(examples, state["input"]))
    each = sum(values[:1].nbytes for values in probe.values())
    total = each * len(examples)
    where: str = recipe.train.cache
    if where == "auto":
        where = _place(total)
        if where != "memory":
            size = f"{len(examples):,} {what} of {each:,} bytes are {total / 1e9:.1f} GB"
            told = "kept in a file" if where == "disk" else "encoded anew in every epoch"
            watch.note(f"{size}, more than memory should hold: {told} (train.cache)")
    if where == "none":
        return Store(recipe, state, examples)
    if where == "disk":
        return Kept(recipe, state, examples, _on_disk(recipe, state, examples, probe, watch))
    arrays = {name: np.empty((len(examples), *values.shape[1:]), values.dtype) for name, values in probe.items()}
    _fill(recipe, state, examples, arrays)
    return Kept(recipe, state, examples, arrays)


def _place(total: int) -> str:
    if total <= MEMORY_SHARE * free_memory():
        return "memory"
    return "disk" if total <= DISK_SHARE * shutil.disk_usage(_existing(cache_folder())).free else "none"


def free_memory() -> int:
    """Bytes of memory that can be had without swapping, within the limit of a container where there is one."""
    free = 4 << 30
    with contextlib.suppress(OSError, ValueError, StopIteration), open("/proc/meminfo", encoding="ascii") as text:
        free = 1024 * int(next(line for line in text if line.startswith("MemAvailable")).split()[1])
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        with contextlib.suppress(OSError, ValueError):
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
    return max(0, free)


def cache_folder() -> Path:
    """$DLSPEC_CACHE, or `dlspec` in the user's cache folder."""
    if os.environ.get("DLSPEC_CACHE"):
        return Path(os.environ["DLSPEC_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dlspec"


def _existing(folder: Path) -> Path:
    return next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())


def _fill(recipe: Recipe, state: State, examples: Examples, arrays: Arrays) -> None:
    """Encode block by block, in threads, into arrays that are there already."""

    each = sum(values.nbytes for values in arrays.values()) // len(examples)
    block = max(8, BLOCK_BYTES // max(1, each))

    def work(start: int) -> None:
        some = range(start, min(start + block, len(examples)))
        for name, values in recipe.input.encode(examples.take(some), state["input"]).items():
            arrays[name][some.start : some.stop] = values

    for _ in ahead(work, range(0, len(examples), block)):
        pass


def _on_disk(recipe: Recipe, state: State, examples: Examples, probe: Arrays, watch: Watch) -> Arrays:
    """Memory-mapped arrays, made once for this content and these settings."""
    key = hashlib.blake2b(digest_size=16)
    settings = recipe.input.model_dump(exclude={"augment"})
    source = sys.modules[type(recipe.input).__module__].__file__
    key.update(Path(source).read_bytes() if source else b"")
    key.update(json.dumps([__version__, recipe.input.name, settings, state["input"]], default=str).encode())
    for one in digests(examples):
        key.update(one)
    folder = cache_folder() / key.hexdigest()
    if not (folder / "whole").exists():
        making = folder.with_name(f".{folder.name}-{os.getpid()}")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        arrays: Arrays = {
            name: np.lib.format.open_memmap(
                making / f"{name}.npy", mode="w+", dtype=values.dtype, shape=(len(examples), *values.shape[1:])
            )
            for name, values in probe.items()
        }
        _fill(recipe, state, examples, arrays)
        for name in list(arrays):
            arrays.pop(name).flush()  # closed, too: Windows renames no folder with open files
        (making / "whole").touch()
        with contextlib.suppress(OSError):  # another process made the same in the meantime
            os.replace(making, folder)
        shutil.rmtree(making, ignore_errors=True)
        watch.note(f"encoded examples are kept in {folder}")
    return {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in probe}
