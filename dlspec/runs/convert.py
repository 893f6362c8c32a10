"""Boxes from one format to another: what is read by the reader that knows the data is written as COCO, YOLO or VOC."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlspec.data.base import Reader
from dlspec.data.boxed_pictures import BoxFiles
from dlspec.numeric.printable import shown
from dlspec.proposals import Proposal, taken
from dlspec.recipe.component import find, nearest
from dlspec.report.watch import Watch
from dlspec.runs.init import proposed, there
from dlspec.types import ArgumentError, DataError, Examples

FORMATS = ("coco", "yolo", "voc")


def convert(data: str, to: str, *, out: str | Path | None = None, watch: Watch | None = None) -> dict[str, Any]:
    """Write data with boxes in another format, into a new folder; pictures are copied.

    data: a file or folder, also one below $DLSPEC_DATA, in any format that `init` knows.  to: coco, yolo or voc.
    out: the folder; left out: called after data and format, in the current folder.
    Returns `out` and `data` (absolute; what `init` is given next), `format`, `reader`, `pictures`, `boxes`, `classes`,
    `splits` (name → pictures) and `notes`.
    Raises ArgumentError where the folder is there already, or the data has no boxes; DataError where it is broken.
    """
    watch = watch or Watch()
    if to not in FORMATS:
        guess = nearest(to, FORMATS)
        hint = f"; did you mean '{guess}'?" if guess else ""
        raise ArgumentError(f"--to {shown(to)}: expected {', '.join(FORMATS)}{hint}")
    path, _ = there(data)
    folder = _new(out, path, to)
    proposal = proposed(path)
    reader = _reader(proposal, path)
    loaded = reader.load()
    for note in loaded.notes:
        watch.note(note)
    names = _classes(reader, loaded.parts.values())
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        notes, name = _written(made, to, loaded.parts, names)
        made.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
    except OSError as error:
        raise ArgumentError(f"cannot write into {shown(str(folder))}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
    for note in notes:
        watch.warn(note)
    return {
        "out": str(folder),
        "data": str(folder / name) if name else str(folder),
        "format": to,
        "reader": reader.name,
        "pictures": sum(map(len, loaded.parts.values())),
        "boxes": sum(len(y) for part in loaded.parts.values() for y in part.column("y")),
        "classes": list(names),
        "splits": {part: len(own) for part, own in loaded.parts.items()},
        "notes": [*loaded.notes, *notes],
    }


def _new(out: str | Path | None, path: str, to: str) -> Path:
    """The folder to write, which is not there, or empty.  Raises ArgumentError."""
    stem = os.path.splitext(os.path.basename(os.path.abspath(path)))[0] or "boxes"
    folder = Path(f"{stem}_{to}" if out is None else out).expanduser().absolute()
    if folder.is_dir() and not any(folder.iterdir()):
        return folder
    if os.path.lexists(folder):
        raise ArgumentError(f"{shown(str(folder))} exists already, and nothing is overwritten; give another --out")
    if not folder.parent.is_dir():
        raise ArgumentError(f"there is no folder {shown(str(folder.parent))} to write {shown(folder.name)} into")
    return folder


def _reader(proposal: Proposal, path: str) -> Reader:
    """The reader that knows the data, which gives boxes.  Raises ArgumentError where it does not."""
    task = next(line.value for line in proposal.task if line.key == "name")
    if task not in ("detection", "localization"):
        raise ArgumentError(f"{shown(path)} (read by '{proposal.reader}') has no boxes to write: it is for {task}")
    settings = as_read({"name": proposal.reader, **taken(proposal.data)})
    reader = find("data", proposal.reader).model_validate(settings)
    assert isinstance(reader, Reader)
    return reader


def as_read(value: Any) -> Any:
    """Settings as a recipe gives them, whose lists are tuples."""
    if isinstance(value, dict):
        return {key: as_read(one) for key, one in value.items()}
    return tuple(map(as_read, value)) if isinstance(value, list | tuple) else value


def _classes(reader: Reader, parts: Any) -> Sequence[str]:
    """In the order that the data gives them; others by name."""
    listed = reader.listed() if isinstance(reader, BoxFiles) else ()
    own = {box.name for part in parts for y in part.column("y") for box in y}
    return [*listed, *sorted(own - set(listed))]


def _written(folder: Path, to: str, parts: Any, names: Sequence[str]) -> tuple[Sequence[str], str]:
    """Annotations and pictures; remarks, and the file that names the data, where it is not the folder."""
    from dlspec.data.box_writers import WRITERS
    from dlspec.numeric.picture_paths import in_threads

    written = WRITERS[to](folder, {part: _items(own) for part, own in parts.items()}, names)

    def copy(of: tuple[str, str]) -> None:
        source, name = of
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(source, place)
        except FileNotFoundError:
            raise DataError(f"the picture {shown(source)} has gone meanwhile") from None

    for one in in_threads(copy, list(written.pictures.items())):
        if isinstance(one, DataError):
            raise one
    return written.notes, written.data


def _items(examples: Examples) -> list[Any]:
    from dlspec.data.box_writers import Item, named

    files = examples.columns["x"][list(examples.rows)]
    paths = list(files)
    items = []
    for path, name, head, boxes in zip(paths, named(paths), files.headers(), examples.column("y"), strict=True):
        if isinstance(head, DataError):
            raise head
        items.append(Item(name, path, (head.width, head.height, head.channels), boxes))
    return items
