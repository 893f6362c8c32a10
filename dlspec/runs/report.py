"""The report of a run: what is kept for it as it becomes known, and report.html made of all that the run holds.

Making it reads files alone: no network, no data, no keras.
"""

from __future__ import annotations

import contextlib
import os
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlspec.evaluators.base import Evaluator
from dlspec.recipe.schema import Recipe
from dlspec.runs import folder as folders
from dlspec.runs import gallery
from dlspec.types import Examples, Figure, Splits, State, Statistics

SHOWN_FIRST = ("dev", "test", "train_dev", "train")


def keep_data(
    folder: Path,
    recipe: Recipe,
    splits: Splits,
    state: State,
    *,
    notes: Sequence[str] = (),
    warnings: Sequence[str] = (),
    parameters: int | None = None,
) -> None:
    """Write data.json: counts, classes or ranges of numbers, notes, sizes; and a few examples of train to look at.

    parameters: of the network.  Raises DataError where an example cannot be shown.
    """
    files = [Path(file) for file in recipe.data.files()]
    examples = [path for part in splits.parts.values() for path in _paths(part)]
    folders.write_json(
        folder / "data.json",
        {
            "task": recipe.task.name,
            "reader": recipe.data.name,
            "input": recipe.input.kind,
            "model": recipe.model.name,
            "parameters": parameters,
            "epochs": recipe.train.epochs,
            "splits": {
                name: {"examples": len(part), **_described(recipe.evaluator, part, state["task"])}
                for name, part in splits.parts.items()
            },
            "classes": state["task"].get("classes"),
            "tags": splits["train"].tag_names,
            "notes": list(notes),
            "warnings": list(warnings),
            "files": {
                "first": str(files[0]) if files else None,
                "count": len(files),
                "examples": len(examples),
                "bytes": sum(map(_size, {*map(str, files), *examples})),
            },
            "shapes": state["shapes"],
            "fingerprint": splits.fingerprint,
            "apart": list(splits.apart),
            "samples": gallery.samples(recipe, splits["train"], state),
            "augmented": gallery.augmented(recipe, splits["train"], state),
        },
    )


def _paths(part: Examples) -> list[str]:
    """The files that the examples themselves are; none where they are rows or arrays."""
    from dlspec.numeric.picture_paths import PictureFiles

    x = part.columns["x"]
    return list(x[list(part.rows)]) if isinstance(x, PictureFiles) else []


def _size(file: str) -> int:
    """Bytes; 0 of a folder, and of a file that has gone since it was read."""
    with contextlib.suppress(OSError):
        return os.path.getsize(file) if os.path.isfile(file) else 0
    return 0


def keep_figures(folder: Path, split: str, evaluator: Evaluator, scored: Statistics, state: State) -> None:
    """Write figures/<split>.json: what the evaluator would rather show than say.  state: the task's part."""
    figures = evaluator.figures(scored, state)
    folders.write_json(folder / "figures" / f"{split}.json", [figure._asdict() for figure in figures])


def write_report(folder: Path) -> Path:
    """Make report.html of a run from the files in its folder, whichever there are; an older report gives way to it."""
    from dlspec.report.html import page

    file = folder / "report.html"
    # Names of files may hold bytes that are no UTF-8; they come as lone surrogates, which are shown as "?".
    folders.write_text(file, page(gathered(folder)).encode("utf-8", "replace").decode("utf-8"))
    return file


def gathered(folder: Path) -> dict[str, Any]:
    """Everything that the files of a run say; what is not there is None or empty."""

    def read(name: str) -> Any:
        return folders.read_json(folder / name) if (folder / name).is_file() else None

    def by_split(pattern: str) -> dict[str, Any]:
        found = {file.name.partition(".")[0]: folders.read_json(file) for file in sorted(folder.glob(pattern))}
        return {name: found[name] for name in sorted(found, key=_order)}

    recipe = folder / "recipe.yaml"
    scores = read("scores.json") or {}
    return {
        "name": folder.parent.name if recipe.is_file() else folder.resolve().name,
        "run": str(folder),
        "time": folder.name,
        "recipe": recipe.read_text(encoding="utf-8") if recipe.is_file() else None,
        "scores": scores.get("scores") or {},
        "goal": scores.get("goal"),
        "best_epoch": scores.get("best_epoch"),
        "test_looks": folders.looks_at_test(folder),
        "machine": read("machine.json"),
        "data": read("data.json"),
        "health": read("health.json"),
        "ledger": read("ledger.json"),
        "chain": read("chain.json"),
        "curve": read("learning_curve.json"),
        "human": read("human.json"),
        "history": folders.read_history(folder / "history.csv"),
        "figures": {
            split: [Figure(**figure) for figure in figures] for split, figures in by_split("figures/*.json").items()
        },
        "errors": by_split("errors/*.json"),
        "worst": by_split("worst/*.json"),
        "contact": by_split("contact/*.json"),
    }


def _order(split: str) -> tuple[int, str]:
    """Dev first, for it is what one works on."""
    return (SHOWN_FIRST.index(split) if split in SHOWN_FIRST else len(SHOWN_FIRST), split)


def _described(evaluator: Evaluator, part: Examples, state: State) -> dict[str, Any]:
    """Counts of classes, or moments and range of numbers; nothing where truths are neither."""
    labelled = part.take([i for i, y in enumerate(part.column("y")) if y is not None])
    classes = evaluator.classes(labelled, state)
    if classes:
        return {"classes": dict(Counter(one for several in classes for one in several).most_common())}
    known = [one for one in evaluator.truth(labelled, state) if one is not None]
    if known and all(isinstance(one, float) for one in known):
        mean = statistics.fmean(known)
        deviation = statistics.pstdev(known, mean)
        return {"numbers": {"mean": mean, "deviation": deviation, "low": min(known), "high": max(known)}}
    return {}
