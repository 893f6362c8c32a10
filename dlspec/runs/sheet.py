"""A sheet of errors to look through and tag: the worst first, with labels that are likely wrong."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlspec.report.marks import SIDE, marked
from dlspec.report.pictures import DRAWN, PLAIN, inlined, small, within
from dlspec.report.sheet import page
from dlspec.runs import folder as folders
from dlspec.runs.judged import Judged
from dlspec.runs.sheet_notes import Notes, label_of
from dlspec.types import Example, UnreadableError
from dlspec.wording import plural

MOST_CLASSES = 2_000
LARGE = 720
"""longest side in pixels of the picture that is looked at"""
FILE_BUDGET = 16_000_000
"""characters of base64 for all pictures of a sheet that is a file"""


@dataclass
class Sheet:
    """Examples to look at, beside what is said of each, and where a person's tags go."""

    name: str
    judged: Judged
    split: str
    looked: int
    """examples that may be looked at; the others of the split stay a black box"""
    total: int
    """those with an error, of which the sheet may show the worst alone"""
    value: float
    """the run's metric on the split"""
    examples: list[Example]
    items: list[dict[str, Any]]
    """an entry an example: id, split, truth, guess, given, kinds, facts, suspect; what the page shows of it"""
    columns: list[str]
    """of the rows, where examples are rows of a table"""
    notes: Notes | None
    """None: nothing is written, as there is no folder"""
    command: list[str] = field(default_factory=list)
    """the words that analyze the same errors"""

    def held(self, token: str | None = None) -> dict[str, Any]:
        """What the page is made of, with the tags as they are now.  token: of the server; None: the page is a file."""
        tags = self.notes.tags() if self.notes else {}
        doubts = self.notes.doubts() if self.notes else {}
        part = self.judged.parts[self.split].examples
        shown, listed = sum(item["error"] for item in self.items), {item["id"] for item in self.items}
        classes = self.judged.state.get("classes")
        return {
            "name": self.name,
            "split": self.split,
            "examples": self.looked,
            "black_box": len(part) - self.looked,
            "errors": self.total,
            "shown": shown,
            "metric": self.judged.metric.name,
            "value": self.value,
            "input": self.kind,
            "columns": self.columns,
            "items": [
                {
                    **item,
                    "tags": tags.get(item["id"], ()),
                    "label": label_of(item["given"], doubts.get(item["id"], ())),
                }
                for item in self.items
            ],
            "others": [[name, some] for name, some in tags.items() if name not in listed],
            "classes": list(map(str, classes)) if classes and len(classes) <= MOST_CLASSES else None,
            "token": token,
            "key": self.key,
            "tags_file": near(self.notes.tags_file) if self.notes else "tags.csv",
            "relabel_file": near(self.notes.relabel_file) if self.notes else "relabel.csv",
            "command": self.next_command(),
        }

    @property
    def kind(self) -> str:
        """How examples are listed: as pictures, as rows of a table, or one below the other."""
        return "picture" if self.judged.input.kind == "picture" else "table" if self.columns else "text"

    @functools.cached_property
    def key(self) -> str:
        """What a browser keeps tags under: two tables of predictions may have one name, and ids that count rows."""
        part = self.judged.parts[self.split].examples
        digest = hashlib.blake2b(digest_size=8)
        for text in (self.name, self.split, *part.ids, *map(str, self.judged.evaluator.truth(part, self.judged.state))):
            digest.update(f"{text}\0".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def next_command(self) -> str:
        """What to type when the tags are done."""
        return shlex.join([*self.command, "--tags", near(self.notes.tags_file) if self.notes else "tags.csv"])

    def summary(self) -> dict[str, Any]:
        """What `error-analysis --sheet --json` says of it."""
        return {
            "run": None if self.judged.opened is None else str(self.judged.opened.folder),
            "split": self.split,
            "examples": self.looked,
            "errors": self.total,
            "shown": len(self.items),
            "url": None,
            "file": None,
            "tags": None if self.notes is None else str(self.notes.tags_file),
            "relabel": None if self.notes is None else str(self.notes.relabel_file),
            "next": self.next_command(),
        }

    def says(self) -> str:
        """What is on it, in a few words."""
        errors = sum(item["error"] for item in self.items)
        doubted = len(self.items) - errors
        some = f"the worst {errors:,} of {self.total:,} errors" if errors < self.total else plural(errors, "error")
        return f"{some} on {self.split}" + (f" and {doubted:,} doubted labels" if doubted else "")

    def ends(self) -> str:
        """What came of it, and what to do next."""
        assert self.notes is not None
        tags, doubts = self.notes.tags(), self.notes.doubts()
        corrected = sum(bool(one.new) for rows in doubts.values() for one in rows)
        if not tags and not corrected:
            return f"nothing is tagged; the tags would be in {near(self.notes.tags_file)}"
        said = []
        if tags:
            said.append(f"tagged in {near(self.notes.tags_file)}: {len(tags):,}; next: {self.next_command()}")
        if corrected:
            taken = [*self.command, "--relabel", near(self.notes.relabel_file)]
            then = "" if "--predictions" in taken else f"; next: {shlex.join(taken)}"
            said.append(f"labels corrected in {near(self.notes.relabel_file)}: {corrected:,}{then}")
        return "\n".join(said)

    def picture(self, row: int, *, large: bool = False) -> tuple[str, bytes]:
        """The media type and the bytes of a picture, small or large.  Raises UnreadableError, IndexError."""
        from PIL import Image

        content, drawn = self._seen(row, LARGE if large else SIDE)
        if large:
            flat = content
            flat = flat[..., 0] if flat.ndim == 3 and flat.shape[2] == 1 else flat
            picture = within(Image.fromarray(flat), LARGE)
        else:
            picture = small(content, DRAWN if drawn else PLAIN)
        held = io.BytesIO()
        if picture.mode == "RGB" and max(picture.size) > 64:
            picture.save(held, "JPEG", quality=90)
            return "image/jpeg", held.getvalue()
        picture.save(held, "PNG")
        return "image/png", held.getvalue()

    def _seen(self, row: int, side: int) -> tuple[Any, bool]:
        """The picture, uint8, with truth and guess drawn on it where they are places; and whether they are.

        side: that of one that is drawn on.  Raises UnreadableError, IndexError.
        """
        example = self.examples[row]
        rendering = self.judged.input.show(example)
        if rendering.kind != "picture":
            raise IndexError(row)
        part = self.judged.parts[self.split]
        place = self._places.get(example.id) if self.items[row]["split"] == self.split else None
        guess = None if place is None else part.predictions[place]
        marks = None if example.y is None else self.judged.evaluator.marks(example, guess, self.judged.state)
        return (rendering.content, False) if marks is None else (marked(rendering.content, *marks, side), True)

    @functools.cached_property
    def _places(self) -> dict[str, int]:
        return {one: row for row, one in enumerate(self.judged.parts[self.split].examples.ids)}


def write(sheet: Sheet, file: Path) -> None:
    """The sheet as one file that needs no server: pictures in it, tags kept by the browser until they are saved."""
    held = sheet.held()
    if sheet.judged.input.kind == "picture":
        pictures = {}
        for row in range(len(sheet.examples)):
            with contextlib.suppress(UnreadableError):
                content, drawn = sheet._seen(row, SIDE)
                pictures[row] = small(content, DRAWN if drawn else PLAIN)
        for row, picture in zip(pictures, inlined(pictures.values(), FILE_BUDGET), strict=True):
            held["items"][row]["png"] = picture["png"]
    folders.write_text(file, page(held))


def near(path: Path) -> str:
    """A path as it is typed from here."""
    return os.path.relpath(path) if path.is_absolute() and path.is_relative_to(Path.cwd()) else str(path)
