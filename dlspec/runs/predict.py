"""Predictions for new files: raw rows in, one object an example out, in the order given, as it goes."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dlspec.numeric.printable import shown
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs import ragged
from dlspec.runs.encoding import Encoder
from dlspec.runs.given import Chunk, chunks
from dlspec.runs.opened import OpenedRun, open_run
from dlspec.runs.writing import Writer, is_folder, refuse
from dlspec.types import ArgumentError, Arrays, DataError, Examples, Prediction, UserError

Listener = Callable[[Examples, Sequence[Prediction], list[dict[str, Any]]], None]
"""is told of examples that could be predicted, their predictions, and the object of each, to which it may add"""

CHUNK_BYTES = 4_000_000
"""of what the network takes, so much is predicted at a time"""
FEWEST, MOST = 32, 1024
"""examples at a time"""


def predict(
    run: str | Path | OpenedRun,
    inputs: Sequence[str],
    *,
    out: Path | None = None,
    threshold: float | None = None,
    explain: bool = False,
    listed: Iterable[str] = (),
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Predict for files of examples, and wait for the last.

    inputs: files, folders, globs; "-" stands for the paths that `listed` gives.  out: a .csv or .parquet file to write;
    the predictions are then in the file alone.  Or a folder: predictions.csv, and pictures of masks, boxes and points.
    threshold: for tasks that have one, instead of the run's.  explain: write a page of where guesses come from.
    Returns what `predict --json` prints, and `count` and `failed`; `explained`, the page; `masks`, their folder and the
    index of each class.  Raises ArgumentError, DataError.
    """
    from dlspec.runs.drawn import Drawing
    from dlspec.runs.explained import Explaining

    opened = prepared(run, out=out, threshold=threshold, root=root)
    home = out if out is not None and is_folder(out) else None
    page = Explaining(opened, home) if explain else None
    drawing = Drawing(opened, home) if home is not None else None
    listeners = [one for one in (page, drawing) if one is not None]
    table = out if home is None else home / "predictions.csv"
    found: list[dict[str, Any]] = []
    told: dict[str, Any] = {"count": 0, "failed": 0}
    with Writer(table, errors=_may_fail(opened, inputs)) as writer:
        for some in stream(opened, inputs, listed=listed, watch=watch, listeners=listeners):
            told["count"] += len(some)
            told["failed"] += sum("error" in one for one in some)
            found += writer.write(some) if table is not None else some
    if page is not None:
        file = page.write()
        told["explained"] = file and str(file)
    if drawing is not None and drawing.classes:
        told["masks"] = {"folder": str(drawing.masks), "classes": drawing.classes}
    return {"run": str(opened.folder), "predictions": found, **told}


def prepared(
    run: str | Path | OpenedRun,
    *,
    out: Path | None = None,
    threshold: float | None = None,
    root: str | Path = folders.RUNS,
) -> OpenedRun:
    """The run, opened, with the threshold that is wished for.  Raises ArgumentError where it cannot be as wished."""
    refuse(out)
    opened = run if isinstance(run, OpenedRun) else open_run(run, root)
    if threshold is None:
        return opened
    if opened.state["task"].get("threshold") is None:
        raise ArgumentError(f"--threshold is for two classes; this run's task has no threshold ({opened.folder})")
    return opened.with_task(threshold=threshold)


def stream(
    opened: OpenedRun,
    inputs: Sequence[str],
    *,
    listed: Iterable[str] = (),
    watch: Watch | None = None,
    listeners: Sequence[Listener] = (),
) -> Iterator[list[dict[str, Any]]]:
    """Objects in the order given, some at a time; files are read in threads, ahead of the network.

    What cannot be read is an object with `error` in its place.  Raises ArgumentError or DataError where nothing at all
    can be predicted.
    """
    from dlspec.runs.ahead import ahead

    watch = watch or Watch()
    given = chunks(opened, inputs, listed, chunk_size(opened), watch)
    count, failures = 0, list[UserError]()
    held: list[dict[str, Any]] = []  # errors, until one thing can be predicted
    failed = 0
    network = Guessing(opened)
    read = ahead(lambda chunk: _encoded(opened, chunk), given)
    for encoded, predictions in ahead(lambda one: (one, network(one)), read, 1, 1):
        some = _objects(opened, encoded, predictions, listeners)
        count, failed = count + len(some), failed + len(encoded.errors)
        failures += list(encoded.errors.values())[: MOST - len(failures)]
        held += some
        if count > failed or len(held) > MOST:
            yield held
            held = []
    if count > failed or not count:
        if failed:
            watch.warn(f"{failed:,} of {count:,} cannot be predicted; each has its error in its place")
        return
    if count == 1:
        raise failures[0]
    if held:
        yield held
    raise DataError(f"none of {count:,} can be predicted; the first: {failures[0]}")


def tells_texts(opened: OpenedRun) -> Listener | None:
    """Adds to each object the `text` that was given, which a person wants to see; None where a run takes no texts."""
    entry = opened.recipe.input
    if entry.kind != "text":
        return None

    def hear(examples: Examples, predictions: Sequence[Prediction], objects: list[dict[str, Any]]) -> None:
        for example, one in zip(examples, objects, strict=True):
            one.setdefault("text", entry.show(example).content)

    return hear


class _Encoded(NamedTuple):
    """A chunk, which of its examples could be encoded, those for the network (by pieces, each with the places that it
    has among them), and the errors of others."""

    chunk: Chunk
    good: np.ndarray
    pieces: list[tuple[np.ndarray, Arrays]]
    errors: dict[int, UserError]


def _encoded(opened: OpenedRun, chunk: Chunk) -> _Encoded:
    if chunk.examples is None:
        assert chunk.error is not None
        return _Encoded(chunk, np.zeros(0, int), [], {0: chunk.error})
    encoder = Encoder(opened.recipe, opened.state, chunk.examples, forgives=DataError)
    good, arrays = encoder(np.arange(len(chunk.examples)))
    entry, state = opened.recipe.input, opened.state["input"]
    pieces = ragged.pieces(arrays, entry.lengths(arrays), lambda some: entry.finish(some, state), MOST)
    return _Encoded(chunk, good, list(pieces) if len(good) else [], encoder.broken)


class Guessing:
    """Predicts one chunk after the other, in a thread of its own: what it said goes out meanwhile."""

    def __init__(self, opened: OpenedRun) -> None:
        self.opened, self.most = opened, dict[Any, int]()
        self.answer: Any = None

    def __call__(self, encoded: _Encoded) -> Sequence[Prediction]:
        if not len(encoded.good):
            return []
        places, batches = zip(*encoded.pieces, strict=True)
        said = self.opened.recipe.task.predict(self._forward, batches, self.opened.state)
        predictions: Sequence[Prediction] = ragged.in_order(said, places)
        return predictions

    def _forward(self, batch: Arrays) -> Any:
        from dlspec.runs.fit import answering

        opened, network = self.opened, self.opened.network
        import keras  # as the network was loaded with it

        if self.answer is None:
            self.answer = answering(opened.recipe, network, opened.state)
        if ragged.of_any_length(network):
            return self.answer(batch)  # traced for batches of any size
        arrays = {name: batch[name] for name in network.input}
        shapes = tuple(np.shape(one)[1:] for one in arrays.values())
        count = len(next(iter(arrays.values())))
        most = self.most[shapes] = max(count, self.most.get(shapes, 0))
        if count < most:
            # For another number the network would be traced anew, which takes longer than a few more rows.
            arrays = {name: np.resize(one, (most, *one.shape[1:])) for name, one in arrays.items()}
        said = self.answer(arrays)
        return said if count == most else keras.tree.map_structure(lambda one: one[:count], said)


def _objects(
    opened: OpenedRun, encoded: _Encoded, predictions: Sequence[Prediction], listeners: Sequence[Listener]
) -> list[dict[str, Any]]:
    """One object an example, in order; with `error` instead of a prediction where there is none."""
    files, examples = encoded.chunk.files, encoded.chunk.examples
    ids = examples.ids if examples is not None else [None]
    objects: list[dict[str, Any]] = [
        {"file": file, **({} if one is None else {"id": shown(one)})} for file, one in zip(files, ids, strict=True)
    ]
    for place, error in encoded.errors.items():
        objects[place]["error"] = _said(error, files[place])
    if len(encoded.good):
        recipe, state = opened.recipe, opened.state
        for place, said in zip(encoded.good.tolist(), recipe.evaluator.said(predictions, state["task"]), strict=True):
            objects[place].update(said)
        for listener in listeners:
            assert examples is not None
            good = encoded.good.tolist()
            listener(examples.take(good), predictions, [objects[place] for place in good])
    return objects


def _said(error: UserError, file: str) -> str:
    """The complaint without the name of the file, which stands beside it."""
    [first, *_] = error.complaints
    same = first.where.file in (None, file, shown(os.path.abspath(file))) or file.endswith(str(first.where.file))
    return first.message if same else str(first)


def chunk_size(opened: OpenedRun) -> int:
    """How many examples are predicted at a time, where so many are given."""
    each = sum(4 * math.prod(side or 1 for side in one["shape"]) for one in opened.state["shapes"].values())
    return int(np.clip(CHUNK_BYTES // max(1, each), FEWEST, MOST))


def _may_fail(opened: OpenedRun, inputs: Sequence[str]) -> bool:
    """Whether one input can fail while others do not."""
    return len(inputs) > 1 or bool(opened.recipe.input.files)
