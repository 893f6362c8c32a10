"""Encoded examples in files: made once for a content and its settings, used by every run that has the same."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dlspec import __version__, numeric
from dlspec.data.fingerprint import digests
from dlspec.inputs.base import Input
from dlspec.recipe.places import helpers
from dlspec.recipe.schema import Recipe
from dlspec.types import Arrays, Examples, State

MEMORY_SHARE = 0.3
"""of the memory that is free, how much the encoded examples may take"""
DISK_SHARE = 0.5
"""of the disk that is free"""
UNUSED_DAYS = 30
"""what no run has used for so long is removed when something new is made"""
DECODERS = ("numpy", "pillow", "opencv-python-headless", "opencv-python")
"""libraries whose next version may decode or resize to other bits"""
_ENTRY = re.compile(r"[0-9a-f]{32}")
_HALF_MADE = re.compile(r"\.[0-9a-f]{32}-.+")
"""names of entries, and of those that are being made; anything else in the folder is somebody else's"""


def place(total: int) -> str:
    """Where so many bytes of encoded examples belong: "memory", "disk" or "none"."""
    if total <= MEMORY_SHARE * free_memory():
        return "memory"
    return "disk" if total <= DISK_SHARE * shutil.disk_usage(_existing(folder())).free else "none"


def free_memory() -> int:
    """Bytes of memory that can be had without swapping, within the limit of a container where there is one."""
    free = 4 << 30
    with contextlib.suppress(OSError, ValueError, StopIteration), open("/proc/meminfo", encoding="ascii") as text:
        free = 1024 * int(next(line for line in text if line.startswith("MemAvailable")).split()[1])
    for home, limit, used, idle in (
        ("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        with contextlib.suppress(OSError, ValueError):
            taken = int(Path(home, used).read_text())
            with contextlib.suppress(OSError, ValueError):
                # Files that were read once count as used, though the system gives that memory away when asked.
                told = dict(line.split() for line in Path(home, "memory.stat").read_text().splitlines())
                taken -= int(told.get(idle, 0))
            free = min(free, int(Path(home, limit).read_text()) - taken)
    return max(0, free)


def folder() -> Path:
    """$DLSPEC_CACHE, or `dlspec` in the user's cache folder."""
    if os.environ.get("DLSPEC_CACHE"):
        return Path(os.environ["DLSPEC_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dlspec"


def entry(recipe: Recipe, state: State, examples: Examples) -> Path:
    """The folder of these examples, as these settings encode them.

    Its name is a hash of the content, the input's settings and state, and the code and libraries that encode: where any
    of it changes, the folder is another one.
    """
    key = hashlib.blake2b(digest_size=16)
    settings = recipe.input.model_dump(exclude={"augment"})
    versions = {}
    for library in DECODERS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[library] = importlib.metadata.version(library)
    key.update(json.dumps([__version__, versions, recipe.input.name, settings, state["input"]], default=str).encode())
    for file in _code(recipe):
        key.update(file.read_bytes())
    for one in digests(examples):
        key.update(one)
    return folder() / key.hexdigest()


def kept(home: Path, probe: Arrays) -> tuple[Arrays, list[int]] | None:
    """The arrays of an entry, mapped into memory, and the places of examples that are left out; None where there is no
    such entry, or a damaged one, which is removed."""
    whole = home / "whole"
    if not home.exists():
        return None
    try:
        with contextlib.suppress(OSError):  # a cache that others may only read
            os.utime(whole)
        broken = json.loads(whole.read_text())
        arrays = {name: np.load(home / f"{name}.npy", mmap_mode="r") for name in probe}
    except (OSError, ValueError):  # as after a disk that was full, or somebody who tidied up
        shutil.rmtree(home, ignore_errors=True)
        return None
    return {name: values[: len(values) - len(broken)] for name, values in arrays.items()}, broken


def make(home: Path, count: int, probe: Arrays, fill: Callable[[Arrays], list[int]]) -> None:
    """Make an entry for so many examples.  fill: writes into the arrays, and gives the places that it left out.

    What it raises leaves nothing behind.  Raises OSError where the folder cannot be written to, or the disk is full.
    """
    home.parent.mkdir(parents=True, exist_ok=True)
    _clean(home.parent)
    making = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    try:
        making.chmod(home.parent.stat().st_mode & 0o777)  # others may read what they may read beside it
        arrays: Arrays = {
            name: _mapped(making / f"{name}.npy", values.dtype, (count, *values.shape[1:]))
            for name, values in probe.items()
        }
        broken = fill(arrays)
        for name in list(arrays):
            arrays.pop(name).flush()  # closed, too: Windows renames no folder with open files
        (making / "whole").write_text(json.dumps(broken))
        with contextlib.suppress(OSError):  # another process made the same in the meantime
            os.replace(making, home)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _mapped(file: Path, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """A new array in a file, whose room on the disk is taken at once: a full disk later on would end the process."""
    array: np.ndarray = np.lib.format.open_memmap(file, mode="w+", dtype=dtype, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with open(file, "r+b") as opened:
            os.posix_fallocate(opened.fileno(), 0, file.stat().st_size)
    return array


def _clean(home: Path) -> None:
    """Remove what was not used for long, and what killed processes left half made."""
    now = time.time()
    for one in home.iterdir():
        half_made = _HALF_MADE.fullmatch(one.name)
        if not half_made and not _ENTRY.fullmatch(one.name):
            continue
        mark = one if half_made else one / "whole"
        with contextlib.suppress(OSError):
            if now - mark.stat().st_mtime > (1 if half_made else UNUSED_DAYS) * 86_400:
                shutil.rmtree(one, ignore_errors=True)


def _code(recipe: Recipe) -> list[Path]:
    """The files that say how an example is encoded."""
    of = [sys.modules[one.__module__] for one in type(recipe.input).__mro__ if issubclass(one, Input)]
    sources = [Path(module.__file__) for module in of if module.__file__]
    own = helpers(sources[0].parent.resolve()) if recipe.input.name.endswith(".py") else []
    return [*sources, *own, *sorted(Path(numeric.__path__[0]).glob("*.py"))]


def _existing(of: Path) -> Path:
    return next(one for one in (of.absolute(), *of.absolute().parents) if one.exists())
