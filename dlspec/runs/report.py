"""The report of a run: what is kept for it as it becomes known, and report.html made of all that the run holds.

Making it reads files alone: no network, no data, no keras.
"""

from __future__ import annotations

import contextlib
import os
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dlspec.evaluators.base import Evaluator
from dlspec.recipe.schema import Recipe
from dlspec.report.marks import legend, marked
from dlspec.report.pictures import BUDGET, DRAWN, inlined, small
from dlspec.runs import folder as folders
from dlspec.runs.judged import Shown
from dlspec.strategy import ceilings
from dlspec.types import Error, Example, Examples, Figure, Splits, State, Statistics, UnreadableError

WORST = {"picture": 200}
"""how many of the worst examples are kept to be shown, by kind of input"""
WORST_OTHERWISE = 50
EXPLAINED, EXPLAINED_BUDGET = 12, 800_000
"""so many of the worst are explained, in so many characters of base64"""
SAMPLES = {"picture": 12}
SAMPLES_OTHERWISE = 5
SAMPLES_BUDGET = 500_000
"""characters of base64 for samples, and for augmented ones"""
AUGMENTED = 6
"""so many examples are shown in so many versions each, the first of them unchanged"""
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
            "samples": samples(recipe, splits["train"], state),
            "augmented": augmented(recipe, splits["train"], state),
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


def keep_worst(
    folder: Path,
    split: str,
    entry: Shown,
    examples: Examples,
    found: ceilings.Found,
    among: Any = None,
    marks: Callable[[int], Any] | None = None,
    explained: Callable[[Examples], tuple[list[Any], str] | None] | None = None,
) -> None:
    """Write worst/<split>.json: the worst examples as a person looks at them.  `found`: the errors of each example.

    among: (N,) bool, those that may be looked at; None: all.  marks: of a row, what Evaluator.marks says of it.
    explained: pictures that say where the answer comes from, of the first few that have no marks, and a legend.
    """
    errors = ceilings.worst(found, WORST.get(entry.kind, WORST_OTHERWISE), among)
    place = {one: row for row, one in enumerate(examples.ids)}
    rows = [place[error.id] for error in errors]
    drawn = None if marks is None else [marks(row) for row in rows]
    seen = shown(entry, [examples[row] for row in rows], marks=drawn)
    if explained is not None and entry.kind == "picture" and (drawn is None or not any(drawn)):
        found_maps = explained(examples.take(list(dict.fromkeys(rows))[:EXPLAINED]))
        if found_maps is not None:
            maps = inlined([small(one, DRAWN) for one in found_maps[0]], EXPLAINED_BUDGET)
            of = dict(zip(dict.fromkeys(rows), maps, strict=False))
            seen = [
                {**one, "shows": of[row], "legend": found_maps[1]} if row in of else one
                for one, row in zip(seen, rows, strict=True)
            ]
    items = [{**one, **_of_error(error)} for one, error in zip(seen, errors, strict=True)]
    folders.write_json(folder / "worst" / f"{split}.json", items)


def shown(
    entry: Shown, examples: Sequence[Example], budget: int = BUDGET, marks: Sequence[Any] | None = None
) -> list[dict[str, Any]]:
    """Examples as a person looks at them: a row of a table, a text, or a picture as {"png", "width", "height"}.

    budget: characters of base64 for all pictures together.  marks: what Evaluator.marks says of each; `legend` then
    says what the colours mean.
    """
    items, pictures = [], []
    for example, drawn in zip(examples, marks or [None] * len(examples), strict=True):
        rendering = entry.show(example)
        item: dict[str, Any] = {"id": example.id, "tags": dict(example.tags), "kind_of_input": rendering.kind}
        if rendering.kind == "picture" and drawn is not None:
            pictures.append(small(marked(rendering.content, *drawn), DRAWN))
            item |= {"shows": len(pictures) - 1, "legend": legend(drawn[0])}
        elif rendering.kind == "picture":
            pictures.append(small(rendering.content))
            item["shows"] = len(pictures) - 1
        else:
            item["shows"] = rendering.content if rendering.kind in ("table", "text") else None
        items.append(item)
    encoded = inlined(pictures, budget)
    for item in items:
        if item["kind_of_input"] == "picture":
            item["shows"] = encoded[item["shows"]]
    return items


def samples(recipe: Recipe, train: Examples, state: State) -> list[dict[str, Any]]:
    """A few examples of train, evenly spread, with their truth."""
    chosen = _readable(recipe, _spread(train, SAMPLES.get(recipe.input.kind, SAMPLES_OTHERWISE)))
    evaluator, task = recipe.evaluator, state["task"]
    marks = [None if one.y is None else evaluator.marks(one, None, task) for one in chosen]
    seen = shown(recipe.input, list(chosen), SAMPLES_BUDGET, marks)
    if any(one is not None for one in marks):  # what is drawn need not be said: a mask would fill the page
        return seen
    truths = evaluator.truth(chosen, task)
    return [
        {**one, "truth": truth if isinstance(truth, str | int | float) else None}
        for one, truth in zip(seen, truths, strict=True)
    ]


def augmented(recipe: Recipe, train: Examples, state: State) -> list[list[dict[str, Any]]]:
    """A few pictures of train as the network sees them, a row each: unchanged, then augmented by several seeds.

    Empty where the recipe does not augment.  Bytes are shown as they are, other numbers stretched from the range of the
    unchanged pictures.
    """
    import numpy as np

    if recipe.input.kind != "picture" or not len(train):
        return []
    chosen = _readable(recipe, _spread(train, AUGMENTED))
    encoded = recipe.input.encode(chosen, state["input"])
    batch = {**encoded, **recipe.task.target(chosen, encoded, state)}
    plain = np.asarray(batch["picture"])
    places = np.arange(len(chosen), dtype=np.uint64)
    versions = [
        np.asarray(recipe.input.augmented(dict(batch), places + np.uint64(len(chosen) * version), state)["picture"])
        for version in range(1, AUGMENTED)
    ]
    if all(np.array_equal(one, plain) for one in versions):
        return []
    low, high = (0.0, 255.0) if plain.dtype == np.uint8 else (float(plain.min()), float(plain.max()))
    factor = 255 / (high - low) if high > low else 0.0
    rows = [
        [((of[i].astype(np.float64) - low) * factor).round().clip(0, 255).astype(np.uint8) for of in (plain, *versions)]
        for i in range(len(chosen))
    ]
    pictures = iter(inlined([small(one) for row in rows for one in row], SAMPLES_BUDGET))
    return [[next(pictures) for _ in row] for row in rows]


def _readable(recipe: Recipe, chosen: Examples) -> Examples:
    """Those that can be shown: of a picture that is broken in its middle, nobody may know yet."""
    good = []
    for place, example in enumerate(chosen):
        with contextlib.suppress(UnreadableError):
            recipe.input.show(example)
            good.append(place)
    return chosen.take(good)


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
        "curve": read("learning_curve.json"),
        "human": read("human.json"),
        "history": folders.read_history(folder / "history.csv"),
        "figures": {
            split: [Figure(**figure) for figure in figures] for split, figures in by_split("figures/*.json").items()
        },
        "errors": by_split("errors/*.json"),
        "worst": by_split("worst/*.json"),
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


def _of_error(error: Error) -> dict[str, Any]:
    return {"kind": error.kind, "size": error.size, "truth": error.truth, "guess": error.guess}


def _spread(examples: Examples, most: int) -> Examples:
    count = min(most, len(examples))
    return examples.take([i * len(examples) // count for i in range(count)])
