"""A sheet of errors to look through and tag: the worst first, with labels that are likely wrong."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlspec.data.corrections import Labels
from dlspec.report.html import cell
from dlspec.report.pictures import inlined, small, within
from dlspec.report.sheet import page
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs.analyze import analyze
from dlspec.runs.judged import Judged, chosen, judged_run
from dlspec.runs.labels import FOLDS
from dlspec.runs.opened import open_run
from dlspec.runs.predictions import judged_tables
from dlspec.runs.sheet_notes import Doubt, Notes
from dlspec.strategy import ceilings
from dlspec.types import SPLITS, ArgumentError, Example, Examples, UnreadableError

MOST = 2_000
"""errors on a sheet, the worst; as many doubtful labels beside them"""
LONGEST_TEXT = 5_000
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
    total: int
    """examples with an error, of which the sheet may show the worst alone"""
    value: float
    """the run's metric on the split"""
    examples: list[Example]
    items: list[dict[str, Any]]
    """an entry an example: id, split, truth, guess, kinds, facts, suspect; what the page shows of it"""
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
            "examples": len(part),
            "errors": self.total,
            "shown": shown,
            "metric": self.judged.metric.name,
            "value": self.value,
            "input": self.judged.input.kind,
            "columns": self.columns,
            "items": [
                {**item, "tags": tags.get(item["id"], ()), "label": doubts[item["id"]].new if item["id"] in doubts else ""}
                for item in self.items
            ],
            "others": [[name, some] for name, some in tags.items() if name not in listed],
            "classes": list(map(str, classes)) if classes and len(classes) <= MOST_CLASSES else None,
            "token": token,
            "key": hashlib.blake2b(f"{self.name}\0{self.split}".encode("utf-8", "replace"), digest_size=8).hexdigest(),
            "tags_file": near(self.notes.tags_file) if self.notes else "tags.csv",
            "relabel_file": near(self.notes.relabel_file) if self.notes else "relabel.csv",
            "command": self.next_command(),
        }

    def next_command(self) -> str:
        """What to type when the tags are done."""
        return shlex.join([*self.command, "--tags", near(self.notes.tags_file) if self.notes else "tags.csv"])

    def picture(self, row: int, *, large: bool = False) -> tuple[str, bytes]:
        """The media type and the bytes of a picture, small or large.  Raises UnreadableError, IndexError."""
        from PIL import Image

        rendering = self.judged.input.show(self.examples[row])
        if rendering.kind != "picture":
            raise IndexError(row)
        if large:
            flat = rendering.content
            flat = flat[..., 0] if flat.ndim == 3 and flat.shape[2] == 1 else flat
            picture = within(Image.fromarray(flat), LARGE)
        else:
            picture = small(rendering.content)
        held = io.BytesIO()
        if picture.mode == "RGB" and max(picture.size) > 64:
            picture.save(held, "JPEG", quality=90)
            return "image/jpeg", held.getvalue()
        picture.save(held, "PNG")
        return "image/png", held.getvalue()


def sheet_of_run(
    run: str | Path,
    *,
    split: str = "dev",
    labels: bool = False,
    folds: int = FOLDS,
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> Sheet:
    """The errors of a run on one split, and the doubtful labels of all splits that were audited.

    labels: look for wrong labels first (see analyze).  Raises ArgumentError, DataError.
    """
    watch = watch or Watch()
    opened = open_run(run, root)
    if labels:
        analyze(opened, split=split, labels=True, folds=folds, watch=watch)
    elif split == "test":
        folders.looks_at_test(opened.folder, looking=True)
    read = opened.splits(watch)
    have = [name for name in SPLITS if name in read and len(read[name])]
    judged = judged_run(opened, {name: read[name] for name in chosen(have, [split], "this run")}, watch)
    name = f"{opened.folder.parent.name}/{opened.folder.name}"
    return made(judged, split, name=name, command=_command([near(opened.folder)], split), others=read.parts)


def sheet_of_predictions(
    files: Sequence[str],
    *,
    run: str | None = None,
    split: str = "dev",
    task: str | None = None,
    metric: str | None = None,
    out: Path | None = None,
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> Sheet:
    """The errors of predictions that any tool made; tags go to out/errors.  Raises ArgumentError, DataError."""
    watch = watch or Watch()
    opened = None if run is None else open_run(run, root)
    judged = judged_tables(files, run=opened, wanted=[split], task=task, metric=metric, home=out, watch=watch)
    if out is not None and split == "test":
        folders.looks_at_test(out, looking=True)
    words = ([run] if run else []) + [word for file in files for word in ("--predictions", file)]
    for option, given in (("--task", task), ("--metric", metric), ("--out", out)):
        words += [] if given is None else [option, str(given)]
    return made(judged, split, name=Path(files[0]).name, command=_command(words, split))


def made(
    judged: Judged, split: str, *, name: str, command: Sequence[str] = (), others: Mapping[str, Examples] | None = None
) -> Sheet:
    """The sheet of one split of what has been judged.

    others: examples by split, among which those whose labels are doubted are looked up.
    Raises ArgumentError where there is nothing to look at.
    """
    part, evaluator, state = judged.parts[split], judged.evaluator, judged.state
    found = ceilings.find_errors(evaluator, part.examples, part.predictions, state, part.statistics)
    whole = {**(others or {}), split: part.examples}
    notes = None
    if judged.home is not None:
        notes = Notes(judged.home / "errors", lambda: Labels([one for one in whole.values() if one.labelled]))
    doubts = notes.doubts() if notes else {}
    examples, items = [], []
    for row in found.largest(MOST):
        errors = sorted(found[row], key=lambda error: -error.size)
        first, example = errors[0], part.examples[row]
        kinds = list(dict.fromkeys(error.kind for error in errors))
        item = _item(judged, example, split, first.truth, first.guess, doubts.get(first.id))
        if item is not None:
            items.append({**item, "error": True, "kinds": kinds})
            examples.append(example)
    listed = {item["id"] for item in items}
    for example, own, doubt in _doubted({one: of for one, of in doubts.items() if one not in listed}, whole):
        item = _item(judged, example, own, doubt.label, "", doubt)
        if item is not None:
            items.append({**item, "error": False, "kinds": []})
            examples.append(example)
    if not items:
        raise ArgumentError(f"{split} has no errors, and no label is doubted: there is nothing to look at")
    score = evaluator.combine(part.statistics, only={judged.metric.name})[judged.metric.name]
    columns = list(judged.input.show(examples[0]).content) if judged.input.kind == "table" else []
    return Sheet(name, judged, split, int(found.wrong.sum()), score, examples, items, columns, notes, list(command))


def write(sheet: Sheet, file: Path) -> None:
    """The sheet as one file that needs no server: pictures in it, tags kept by the browser until they are saved."""
    held = sheet.held()
    if sheet.judged.input.kind == "picture":
        pictures = {}
        for row, example in enumerate(sheet.examples):
            with contextlib.suppress(UnreadableError):
                pictures[row] = small(sheet.judged.input.show(example).content)
        for row, picture in zip(pictures, inlined(pictures.values(), FILE_BUDGET), strict=True):
            held["items"][row]["png"] = picture["png"]
    folders.write_text(file, page(held))


def near(path: Path) -> str:
    """A path as it is typed from here."""
    short = os.path.relpath(path) if path.is_absolute() and path.is_relative_to(Path.cwd()) else str(path)
    return short


def _command(words: Sequence[str], split: str) -> list[str]:
    return ["dlspec", "error-analysis", *words, *(() if split == "dev" else ("--split", split))]


def _doubted(doubts: Mapping[str, Doubt], whole: Mapping[str, Examples]) -> list[tuple[Example, str, Doubt]]:
    """Examples whose labels are to be looked at, in the order of relabel.csv; what is no longer there is left out."""
    places = {own: {one: row for row, one in enumerate(part.ids)} for own, part in whole.items()} if doubts else {}
    found = []
    for name, doubt in doubts.items():
        own = next((one for one in (doubt.split, *places) if name in places.get(one, ())), None)
        if own is not None and doubt.label:
            found.append((whole[own][places[own][name]], own, doubt))
    return found[:MOST]


def _item(
    judged: Judged, example: Example, split: str, truth: str, guess: str, doubt: Doubt | None
) -> dict[str, Any] | None:
    """What is said of an example; None where its file cannot be read any more."""
    try:
        rendering = None if judged.input.kind == "picture" else judged.input.show(example)
    except UnreadableError:
        return None
    suspect = None
    if doubt is not None and doubt.label == truth:
        suspect = {"suggested": doubt.suggested, "probability": doubt.probability, "why": doubt.why}
    item = {
        "id": example.id,
        "split": split,
        "truth": truth,
        "guess": guess,
        "facts": [[name, str(value)] for name, value in example.tags.items() if str(value)],
        "suspect": suspect,
    }
    if rendering is not None and rendering.kind == "table":
        item["cells"] = [cell(value) for value in rendering.content.values()]
    elif rendering is not None and rendering.kind == "text":
        item["text"] = rendering.content[:LONGEST_TEXT]
    return item
