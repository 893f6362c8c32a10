"""What `predict` is given: files, folders, globs, a list on standard input; opened as it goes."""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from dlspec.numeric.printable import shown
from dlspec.report.watch import Watch
from dlspec.runs.opened import OpenedRun
from dlspec.runs.reading import examples_of, reader_for
from dlspec.types import ArgumentError, DataError, Examples, Place, UnreadableError, UserError

FRAMES = 16
"""frames of a video that are predicted together at most: they are held as they came"""


class Chunk(NamedTuple):
    """Examples that are predicted together, and the file of each; or a file that cannot be opened."""

    files: Sequence[str]
    examples: Examples | None
    error: UserError | None = None


def chunks(opened: OpenedRun, inputs: Sequence[str], listed: Iterable[str], size: int, watch: Watch) -> Iterator[Chunk]:
    """Everything that is given, in order, at most `size` examples at a time.

    A file whose ending is one of the input's `files` is one example; what lies below a folder counts, sorted by name.
    Any other file is opened by the reader that knows it, and may hold many examples.  listed: what `-` stands for.
    """
    entry, state = opened.recipe.input, opened.state["input"]
    waiting: list[str] = []
    for path in _paths(inputs, listed, entry.files):
        # What is not there goes the other way, too: it says so, with the nearest name.
        if entry.files and path.lower().endswith(entry.files) and os.path.exists(path) and not os.path.isdir(path):
            waiting.append(path)
            if len(waiting) == size:
                yield _of_files(entry, waiting, state)
                waiting = []
            continue
        if waiting:
            yield _of_files(entry, waiting, state)
            waiting = []
        if entry.moving and path.lower().endswith(entry.moving) and os.path.isfile(path):
            yield from _of_frames(entry, path, min(size, FRAMES), state)
        else:
            yield from _of_reader(opened, path, size, watch)
    if waiting:
        yield _of_files(entry, waiting, state)


def _paths(inputs: Sequence[str], listed: Iterable[str], suffixes: tuple[str, ...]) -> Iterator[str]:
    for given in inputs:
        for path in (line for line in listed if line) if given == "-" else (given,):
            path = os.path.expanduser(path)
            if os.path.isdir(path) and suffixes:
                yield from _below(path, suffixes)
            elif glob.has_magic(path) and not os.path.lexists(path):
                yield from sorted(glob.glob(path, recursive=True)) or [path]
            else:
                yield path


def _below(folder: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    """The files under a folder that have such an ending, by name; or the folder itself, where there are none.

    A folder within that cannot be read is given, too: whoever opens it says why.
    """
    found, locked = False, list[str]()
    for home, folders, names in os.walk(folder, onerror=lambda error: locked.append(error.filename)):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(suffixes) and not name.startswith("."):
                found = True
                yield os.path.join(home, name)
    yield from locked
    if not found and not locked:
        yield folder


def _of_files(entry: Any, paths: list[str], state: Any) -> Chunk:
    return Chunk([shown(path) for path in paths], entry.outside(paths, state))


def _of_frames(entry: Any, path: str, size: int, state: Any) -> Iterator[Chunk]:
    """A video: `clip.mp4#000012` is the frame after 12 others.  What cannot be read comes last, as an error."""
    from dlspec.numeric.video import frames

    count, error = 0, None
    pictures = frames(path)
    while error is None:
        some: list[Any] = []
        try:
            for picture in itertools.islice(pictures, size):
                some.append(picture)
        except UnreadableError as found:
            error = found
        if some:
            ids = [f"{path}#{i:06d}" for i in range(count, count + len(some))]
            count += len(some)
            examples = entry.outside(some, state).replace(ids=ids, groups=[path] * len(some))
            yield Chunk([shown(path)] * len(some), examples)
        elif error is None:
            return
    yield Chunk([shown(path)], None, error)


def _of_reader(opened: OpenedRun, path: str, size: int, watch: Watch) -> Iterator[Chunk]:
    try:
        if glob.has_magic(path) and not os.path.lexists(path):
            raise ArgumentError(f"no file matches '{path}' (looked at {os.path.abspath(path)})")
        examples = examples_of(reader_for(path, opened.recipe), truth=False, watch=watch)
        for remark in opened.recipe.input.remarks(examples, opened.state["input"]):
            watch.warn(f"{path}: {remark}")
    except (ArgumentError, DataError) as error:
        yield Chunk([shown(path)], None, error)
        return
    except OSError as error:
        yield Chunk([shown(path)], None, DataError(f"cannot be read: {error.strerror}", where=Place(shown(path))))
        return
    for start in range(0, len(examples), size):
        some = examples[start : start + size]
        yield Chunk([path] * len(some), some)
    watch.note(f"{path}: {len(examples):,} example{'s' * (len(examples) != 1)}")
