"""Scores of a run on its splits or on new data, with intervals; looks at test are counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs import report
from dlspec.runs.material import fixed_sample
from dlspec.runs.opened import OpenedRun, open_run
from dlspec.runs.reading import examples_of, reader_for
from dlspec.types import SPLITS, ArgumentError, DataError, Examples


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
    scores = {}
    for split, examples in parts.items():
        sample = fixed_sample(examples) if split == "train" else examples
        scores[split] = score(opened, sample, split, watch)
    if data is None:
        _remember(opened, scores)
        report.write_report(opened.folder)
    return {
        "run": str(opened.folder),
        "scores": scores,
        "metrics": [metric._asdict() for metric in opened.recipe.task.evaluator.metrics(opened.state["task"])],
        "ledger": None,
        "test_looks": looks,
    }


def score(opened: OpenedRun, examples: Examples, split: str, watch: Watch) -> dict[str, dict[str, float]]:
    """Every metric on some examples, with its interval; the predictions go to predictions/<split>.parquet."""
    from dlspec.strategy.intervals import intervals

    evaluator, state = opened.recipe.task.evaluator, opened.state["task"]
    examples = evaluator.scored(examples, opened.recipe.train.seed)
    if not examples.labelled:
        raise DataError(f"{split} has no truth to score against")
    for remark in evaluator.remarks(examples, state):
        watch.warn(f"{split}: {remark}")
    examples, predictions = opened.scored(examples, watch, f"examples of {split}")
    statistics = evaluator.statistics(examples, predictions, state)
    groups = examples.column("groups") if examples.columns["groups"] is not None else None
    found = intervals(
        evaluator.combine, statistics, len(examples), groups=groups, proportions=evaluator.proportions(statistics)
    )
    if split != "new":
        report.keep_figures(opened.folder, split, opened.recipe, statistics, opened.state)
    write_predictions(opened.folder / "predictions" / f"{split}.parquet", opened, examples, predictions)
    return {
        name: {"value": value, "low": low, "high": high, "n": len(examples)}
        for name, (value, low, high) in found.items()
    }


def write_predictions(file: Path, opened: OpenedRun, examples: Examples, predictions: Any) -> None:
    """A table for people, other tools and `runs compare`: id, truth, group, tags, guess, probabilities."""
    import pyarrow
    import pyarrow.parquet

    evaluator, state = opened.recipe.task.evaluator, opened.state["task"]
    columns: dict[str, Any] = {"id": examples.ids, "truth": evaluator.truth(examples, state)}
    if examples.columns["groups"] is not None:
        columns["group"] = examples.column("groups")
    guessed = evaluator.columns(predictions, state)
    taken = {"id", "truth", "group", *guessed}
    columns |= {f"tag {name}" if name in taken else name: examples.tag(name) for name in examples.tag_names}
    columns |= guessed
    with folders.replacing(file) as new:
        pyarrow.parquet.write_table(pyarrow.table(columns), new)


def parts_of(opened: OpenedRun, wanted: Sequence[str], watch: Watch) -> dict[str, Examples]:
    """The splits that were asked for; none means all but test.  Raises ArgumentError where one is not there."""
    read = opened.splits(watch)
    have = [name for name in SPLITS if name in read and len(read[name])]
    wanted = wanted or [name for name in have if name != "test"]
    missing = [name for name in wanted if name not in have]
    if missing:
        raise ArgumentError(f"this run has no split {', '.join(missing)}; it has {', '.join(have)}")
    return {name: read[name] for name in wanted}


def _new(opened: OpenedRun, data: str, watch: Watch) -> dict[str, Examples]:
    examples = examples_of(reader_for(data, opened.recipe), truth=True, watch=watch)
    if not len(examples):
        raise DataError(f"{data} has no examples")
    return {"new": examples}


def _remember(opened: OpenedRun, scores: dict[str, Any]) -> None:
    file = opened.folder / "scores.json"
    kept = folders.read_json(file, default={})
    folders.write_json(file, {**kept, "scores": {**kept.get("scores", {}), **scores}})
