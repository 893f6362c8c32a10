"""Predictions for new files: raw rows in, one object an example out, in the order given."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs.opened import OpenedRun, open_run
from dlspec.runs.reading import examples_of, reader_for
from dlspec.types import ArgumentError, DataError


def predict(
    run: str | Path | OpenedRun,
    inputs: Sequence[str],
    *,
    out: Path | None = None,
    threshold: float | None = None,
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Predict for files of examples.

    out: a .csv or .parquet file to write.  threshold: for tasks that have one, instead of the run's.
    Returns what `predict --json` prints.  Raises ArgumentError, DataError.
    """
    watch = watch or Watch()
    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise ArgumentError(f"--out writes .csv or .parquet, not '{out.name}'")
    if out is not None and out.exists():
        raise ArgumentError(f"{out} exists already, and nothing is overwritten; give another name to --out")
    opened = run if isinstance(run, OpenedRun) else open_run(run, root)
    if threshold is not None:
        if opened.state["task"].get("threshold") is None:
            raise ArgumentError(f"--threshold is for two classes; this run's task has no threshold ({opened.folder})")
        opened = opened.with_task(threshold=threshold)
    predictions: list[dict[str, Any]] = []
    readers = [(path, reader_for(path, opened.recipe)) for path in inputs]
    for path, reader in readers:
        examples = examples_of(reader, truth=False, watch=watch)
        try:
            objects = opened.objects(examples)
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
        predictions += [{"file": path, "id": one, **of} for one, of in zip(examples.ids, objects, strict=True)]
        for remark in opened.recipe.input.remarks(examples, opened.state["input"]):
            watch.warn(f"{path}: {remark}")
        watch.note(f"{path}: {len(objects):,} prediction{'s' * (len(objects) != 1)}")
    if out is not None:
        _write(out, predictions)
    return {"run": str(opened.folder), "predictions": predictions}


def _write(out: Path, predictions: list[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for one in predictions for name in one)) or ["file", "id", "guess"]
    try:
        with folders.replacing(out) as new:
            if out.suffix == ".parquet":
                import pyarrow
                import pyarrow.parquet

                columns = {name: [one.get(name) for one in predictions] for name in names}
                pyarrow.parquet.write_table(pyarrow.table(columns), new)
            else:
                with open(new, "w", newline="", encoding="utf-8") as text:
                    writer = csv.DictWriter(text, names, lineterminator="\n")
                    writer.writeheader()
                    writer.writerows(predictions)
    except OSError as error:
        raise ArgumentError(f"cannot write {out}: {error.strerror}") from None
