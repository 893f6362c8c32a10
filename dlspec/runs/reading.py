"""Which reader opens a file that was given to `predict` or `evaluate --data`."""

from __future__ import annotations

from pathlib import Path

from dlspec.data.base import Reader
from dlspec.recipe.component import every, nearest
from dlspec.recipe.schema import Recipe
from dlspec.types import ArgumentError, Examples


def reader_for(path: str, recipe: Recipe) -> Reader:
    """The run's own reader over another path; where that reads no files, one of the same kind by the file's ending.

    Raises ArgumentError where there is no such file, or nothing opens it.
    """
    file = Path(path).expanduser()
    if not file.exists():
        near = nearest(file.name, [one.name for one in file.parent.iterdir()]) if file.parent.is_dir() else None
        hint = f"; did you mean '{near}'?" if near else ""
        raise ArgumentError(f"there is no file '{path}' (looked at {file.absolute()}){hint}")
    own: Reader = recipe.data
    reads_files = type(own).at is not Reader.at
    if reads_files and (file.suffix.lower() in own.suffixes or (not own.suffixes and file.is_dir())):
        return own.at(str(file.absolute()))
    kind = recipe.input.kind
    for other in every("data"):
        if issubclass(other, Reader) and file.suffix.lower() in other.suffixes:
            reader = other.for_kind(kind, str(file.absolute()))
            if reader is not None:
                return reader
    known = sorted({ending for one in every("data") if issubclass(one, Reader) for ending in one.suffixes})
    raise ArgumentError(f"'{path}' is no file of {kind}s that dlspec reads; it reads {', '.join(known)}")


def examples_of(reader: Reader, *, truth: bool) -> Examples:
    """Everything a reader finds, in its order, whatever its parts are called."""
    parts = list(reader.load(truth=truth).parts.values())
    if len(parts) == 1:
        return parts[0]
    raise ArgumentError("this file holds several splits; give one of them as a file of its own")
