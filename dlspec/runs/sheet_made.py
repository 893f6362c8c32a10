"""How a sheet comes about: the errors of a run, or of any tool's predictions, and the labels that are doubted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlspec.data.corrections import Labels
from dlspec.numeric.chunks import tags_of
from dlspec.report.html import cell
from dlspec.report.plots import draw
from dlspec.report.watch import Watch
from dlspec.runs import eyeball as eyeballs
from dlspec.runs import folder as folders
from dlspec.runs.analyze import analyze, analyze_predictions
from dlspec.runs.judged import Judged, chosen, judged_run
from dlspec.runs.labels import FOLDS
from dlspec.runs.opened import open_run
from dlspec.runs.predictions import judged_tables
from dlspec.runs.sheet import Sheet, near
from dlspec.runs.sheet_notes import Doubt, Notes, with_words
from dlspec.strategy import ceilings
from dlspec.types import SPLITS, ArgumentError, Example, Examples, Figure, Passage, UnreadableError

MOST = 2_000
"""errors on a sheet, the worst; as many doubtful labels beside them"""
LONGEST_TEXT, LONGEST_LABEL = 5_000, 300


def sheet_of_run(
    run: str | Path,
    *,
    split: str = "dev",
    labels: bool = False,
    folds: int = FOLDS,
    eyeball: int | None = None,
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> Sheet:
    """The errors of a run on one split, and the doubtful labels of all splits that were audited.

    labels: look for wrong labels first (see analyze).  eyeball: how many examples may be looked at.
    Raises ArgumentError, DataError.
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
    return made(
        judged, split, name=name, command=_command([near(opened.folder)], split), others=read.parts, eyeball=eyeball
    )


def sheet_of_predictions(
    files: Sequence[str],
    *,
    run: str | None = None,
    truth: str | None = None,
    split: str = "dev",
    task: str | None = None,
    metric: str | None = None,
    labels: bool = False,
    eyeball: int | None = None,
    out: Path | None = None,
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> Sheet:
    """The errors of predictions that any tool made; tags go to out/errors.  Raises ArgumentError, DataError.

    truth: see judged_tables.  labels: look for wrong labels first (see analyze_predictions), which takes `out`.
    """
    watch = watch or Watch()
    if labels and out is None:
        raise ArgumentError("--labels lists the labels that are doubted in relabel.csv; say where with --out DIR")
    if labels:
        asked: dict[str, Any] = {"run": run, "truth": truth, "split": split, "task": task, "metric": metric}
        analyze_predictions(files, **asked, labels=True, eyeball=eyeball, out=out, root=root)
    opened = None if run is None else open_run(run, root)
    judged = judged_tables(
        files, run=opened, wanted=[split], task=task, metric=metric, home=out, truth=truth, watch=watch
    )
    if out is not None and split == "test" and not labels:
        folders.looks_at_test(out, looking=True)
    words = ([run] if run else []) + [word for file in files for word in ("--predictions", file)]
    for option, given in (("--truth", truth), ("--task", task), ("--metric", metric), ("--out", out)):
        words += [] if given is None else [option, str(given)]
    return made(judged, split, name=Path(files[0]).name, command=_command(words, split), eyeball=eyeball)


def made(
    judged: Judged,
    split: str,
    *,
    name: str,
    command: Sequence[str] = (),
    others: Mapping[str, Examples] | None = None,
    eyeball: int | None = None,
) -> Sheet:
    """The sheet of one split of what has been judged: of dev, of the part that may be looked at (runs.eyeball).

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
    examples: list[Example] = []
    items: list[dict[str, Any]] = []
    looked = eyeballs.draw(part, found.wrong, split, asked=eyeball, home=judged.home)
    eyeballs.told(looked, part, found.wrong, split, judged.home)
    worst = found.largest(MOST, looked.rows)
    labels = evaluator.truth(part.examples.take(worst), state)
    for row, label in zip(worst, labels, strict=True):
        errors = sorted(found[row], key=lambda error: -error.size)
        first, example = errors[0], part.examples[row]
        kinds = list(dict.fromkeys(error.kind for error in errors))
        given = f"{label:.6g}" if isinstance(label, float) else str(label)
        rows = doubts.get(first.id, [])
        if len(given) > LONGEST_LABEL and not any(one.word for one in rows):
            given = first.truth  # a mask as a text says nothing to a person
        item = _item(judged, example, split, first.truth, first.guess, given, rows)
        beside = evaluator.beside(example, part.predictions[row], state)
        if item is not None:
            items.append({**_read(item, beside), "error": True, "kinds": kinds})
            examples.append(example)
    listed = {item["id"] for item in items}
    for example, own, of_it in _doubted({one: of for one, of in doubts.items() if one not in listed}, whole):
        given = " ".join(tags_of(example.y)) if of_it[0].word else of_it[0].label
        item = _item(judged, example, own, given, "", given, of_it)
        beside = None if example.y is None else evaluator.beside(example, None, state)
        if item is not None:
            items.append({**_read(item, beside), "error": False, "kinds": []})
            examples.append(example)
    if not items:
        raise ArgumentError(f"{split} has no errors, and no label is doubted: there is nothing to look at")
    score = evaluator.combine(part.statistics, only={judged.metric.name})[judged.metric.name]
    columns = list(judged.input.show(examples[0]).content) if "cells" in items[0] else []
    total, wrong = int(looked.rows.sum()), int(found.wrong[looked.rows].sum())
    return Sheet(name, judged, split, total, wrong, score, examples, items, columns, notes, list(command))


def _command(words: Sequence[str], split: str) -> list[str]:
    return ["dlspec", "error-analysis", *words, *(() if split == "dev" else ("--split", split))]


def _doubted(
    doubts: Mapping[str, Sequence[Doubt]], whole: Mapping[str, Examples]
) -> list[tuple[Example, str, Sequence[Doubt]]]:
    """Examples whose labels are to be looked at, in the order of relabel.csv; what is no longer there is left out."""
    places = {own: {one: row for row, one in enumerate(part.ids)} for own, part in whole.items()} if doubts else {}
    found = []
    for name, rows in doubts.items():
        own = next((one for one in (rows[0].split, *places) if name in places.get(one, ())), None)
        if own is not None and rows[0].label:
            found.append((whole[own][places[own][name]], own, rows))
    return found[:MOST]


def _item(
    judged: Judged, example: Example, split: str, truth: str, guess: str, given: str, doubts: Sequence[Doubt]
) -> dict[str, Any] | None:
    """What is said of an example; None where its file cannot be read any more.

    given: its label in plain words.  doubts: its rows of relabel.csv.
    """
    try:
        rendering = None if judged.input.kind == "picture" else judged.input.show(example)
    except UnreadableError:
        return None
    item: dict[str, Any] = {
        "id": example.id,
        "split": split,
        "truth": truth,
        "guess": guess,
        "given": given,
        "facts": [(name, str(value)) for name, value in example.tags.items() if str(value)],
        "suspect": _suspect(given, doubts),
    }
    if rendering is not None and rendering.kind == "table":
        item["cells"] = [cell(value) for value in rendering.content.values()]
    elif rendering is not None and rendering.kind == "text":
        item["text"] = rendering.content[:LONGEST_TEXT]
    return item


def _read(item: dict[str, Any], beside: Sequence[Passage] | Figure | None) -> dict[str, Any]:
    """The item with truth and guess as texts or as a drawing, which then stand for the example itself."""
    if beside is None:
        return item
    shown = {name: value for name, value in item.items() if name not in ("cells", "text")}
    if isinstance(beside, Figure):
        return {**shown, "drawing": str(draw(beside))}
    return {**shown, "passages": [one._asdict() for one in beside]}


def _suspect(given: str, doubts: Sequence[Doubt]) -> dict[str, Any] | None:
    """What is doubted of a label: its own row or, of a sentence, the rows of its words as they still are."""
    whole = next((one for one in doubts if not one.word and one.label == given), None)
    if whole is not None:
        return {"suggested": whole.suggested, "probability": whole.probability, "why": whole.why}
    tags = tags_of(given)
    words = [one for one in doubts if one.word and tags[int(float(one.word)) - 1 :][:1] == (one.label,)]
    suggested = with_words(given, [(one.word, one.suggested) for one in words if one.suggested])
    if not suggested:
        return None
    said = [f"{one.token or f'word {one.word}'}: {one.label} → {one.suggested}" for one in words if one.suggested]
    sure = words[0].probability if len(said) == 1 else ""
    return {"suggested": suggested, "probability": sure, "why": words[0].why, "words": said}
