"""Scores of a run on its splits or on new data, with intervals; looks at test are counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs import report
from dlspec.runs.judged import Judged, Part, judged_run, parts_of
from dlspec.runs.material import fixed_sample
from dlspec.runs.opened import OpenedRun, open_run
from dlspec.runs.reading import examples_of, reader_for
from dlspec.types import ArgumentError, DataError, Examples


def evaluate(
    run: str | Path | OpenedRun,
    *,
    splits: Sequence[str] = (),
    data: str | None = None,
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Score a run.

    splits: which; none means all but test.  data: a file of new labelled examples, scored instead as the split "new".
    Returns what `evaluate --json` prints.  Raises ArgumentError, DataError.
    """
    watch = watch or Watch()
    opened = run if isinstance(run, OpenedRun) else open_run(run, root)
    if data is not None and splits:
        raise ArgumentError("--data scores new data as a whole; leave --split out")
    parts = _new(opened, data, watch) if data is not None else parts_of(opened, splits, watch)
    looks = folders.looks_at_test(opened.folder, looking="test" in parts)
    if "train" in parts:
        parts["train"] = fixed_sample(parts["train"])
    for split, examples in parts.items():
        check_truths(opened, split, examples, watch)
    judged = judged_run(opened, parts, watch)
    scores = {split: score(judged, split) for split in parts}
    if data is None:
        _remember(opened, scores)
        report.write_report(opened.folder)
    return {
        "run": str(opened.folder),
        "scores": scores,
        "metrics": [metric._asdict() for metric in judged.evaluator.metrics(judged.state)],
        "ledger": None,
        "test_looks": looks,
    }


def check_truths(opened: OpenedRun, split: str, examples: Examples, watch: Watch) -> None:
    """Say what a person should know of these truths.  Raises DataError where there are none."""
    evaluator = opened.recipe.task.evaluator
    units = evaluator.scored(examples, opened.recipe.train.seed)
    if not units.labelled:
        raise DataError(f"{split} has no truth to score against")
    for remark in evaluator.remarks(units, opened.state["task"]):
        watch.warn(f"{split}: {remark}")


def score(judged: Judged, split: str) -> dict[str, dict[str, float]]:
    """Every metric on a split, with its interval; figures and the table of predictions go to the home, if any."""
    from dlspec.strategy.intervals import intervals

    evaluator, part = judged.evaluator, judged.parts[split]
    found = intervals(
        evaluator.combine,
        part.statistics,
        len(part.examples),
        groups=part.groups,
        proportions=evaluator.proportions(part.statistics),
    )
    if judged.home is not None:
        if split != "new":
            report.keep_figures(judged.home, split, evaluator, part.statistics, judged.state)
        write_predictions(judged.home / "predictions" / f"{split}.parquet", judged, part)
    return {
        name: {"value": value, "low": low, "high": high, "n": len(part.examples)}
        for name, (value, low, high) in found.items()
    }


def write_predictions(file: Path, judged: Judged, part: Part) -> None:
    """A table for people, other tools and `runs compare`: id, truth, group, tags, guess, probabilities."""
    import pyarrow
    import pyarrow.parquet

    evaluator, state, examples = judged.evaluator, judged.state, part.examples
    columns: dict[str, Any] = {"id": examples.ids, "truth": evaluator.truth(examples, state)}
    if part.groups is not None:
        columns["group"] = part.groups
    guessed = evaluator.columns(part.predictions, state)
    taken = {"id", "truth", "group", *guessed}
    columns |= {f"tag {name}" if name in taken else name: examples.tag(name) for name in examples.tag_names}
    columns |= guessed
    with folders.replacing(file) as new:
        pyarrow.parquet.write_table(pyarrow.table(columns), new)


def _new(opened: OpenedRun, data: str, watch: Watch) -> dict[str, Examples]:
    examples = examples_of(reader_for(data, opened.recipe), truth=True, watch=watch)
    if not len(examples):
        raise DataError(f"{data} has no examples")
    return {"new": examples}


def _remember(opened: OpenedRun, scores: dict[str, Any]) -> None:
    file = opened.folder / "scores.json"
    kept = folders.read_json(file, default={})
    folders.write_json(file, {**kept, "scores": {**kept.get("scores", {}), **scores}})
