"""Which reader opens a file that was given to `predict` or `evaluate --data`."""

from __future__ import annotations

from pathlib import Path

from dlspec.data.base import Reader
from dlspec.numeric.printable import shown
from dlspec.recipe.component import every, nearest
from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.types import ArgumentError, Examples

_KINDS = {"series": "series", "sound": "sounds"}
_MENDS = {
    "text": ". Save it from its program as plain text, a text a line, or as a table with a column of texts",
    "table": ". Save it from its program as a table with a row of names (a spreadsheet's `Save as`, CSV)",
    "series": ". Save it from its program as a file like the one that the run was trained on",
    "picture": ". Save it from its program as a picture, or name pictures in a table",
}
"""how a file of another kind becomes one that a run reads"""


def reader_for(path: str, recipe: Recipe) -> Reader:
    """The run's own reader over another path; where that reads no files, one of the same kind by the file's ending.

    Raises ArgumentError where there is no such file, or nothing opens it.
    """
    file = there(path)
    own: Reader = recipe.data
    reads_files = type(own).at is not Reader.at
    if reads_files and ((own.folders or not own.suffixes) if file.is_dir() else own.opens(file.suffix)):
        return own.at(str(file.absolute()))
    kind = recipe.input.kind
    for other in every("data"):
        if issubclass(other, Reader) and (other.folders if file.is_dir() else file.suffix.lower() in other.suffixes):
            reader = other.for_kind(kind, str(file.absolute()))
            if reader is not None:
                return reader
    what = "a folder, which this run does not read" if file.is_dir() else f"no file of {_KINDS.get(kind, f'{kind}s')}"
    known = ", ".join(_read(recipe, str(file.absolute()), reads_files)) or "a folder"
    raise ArgumentError(f"'{shown(path)}' is {what}; this run reads {known}{_MENDS.get(kind, '')}")


def _read(recipe: Recipe, path: str, reads_files: bool) -> list[str]:
    """The endings of files that a run opens: its own reader's, or those of readers of the same kind; and pictures."""
    own, kind = recipe.data, recipe.input.kind
    readers = [own] if reads_files else []
    if not readers:
        others = [one for one in every("data") if issubclass(one, Reader) and one.suffixes]
        readers = [found for one in others if (found := one.for_kind(kind, path)) is not None]
    known = {ending: None for one in readers for ending in one.suffixes}
    return list({**known, **dict.fromkeys((*recipe.input.files, *recipe.input.moving))})


def there(path: str) -> Path:
    """A file or folder that a command was given.

    Raises ArgumentError where there is none: with the place that was looked at, and the nearest name."""
    file = Path(path).expanduser()
    if file.is_symlink() and not file.exists():
        raise ArgumentError(
            f"'{path}' is a link to {file.readlink()}, which is not there (looked at {file.absolute()})"
        )
    if not file.exists():
        near = nearest(file.name, [one.name for one in file.parent.iterdir()]) if file.parent.is_dir() else None
        hint = f"; did you mean '{near}'?" if near else ""
        raise ArgumentError(f"there is no file '{shown(path)}' (looked at {shown(str(file.absolute()))}){hint}")
    return file


def examples_of(reader: Reader, *, truth: bool, watch: Watch | None = None) -> Examples:
    """Everything a reader finds, in its order, whatever its part is called; what it has to say is passed on."""
    loaded = reader.load(truth=truth)
    for note in loaded.notes if watch else ():
        watch.note(note)  # type: ignore[union-attr]
    if len(loaded.parts) == 1:
        return next(iter(loaded.parts.values()))
    files = ", ".join(reader.files()) or reader.name
    raise ArgumentError(f"{files}: holds several splits ({', '.join(loaded.parts)}); give the examples of one alone")
