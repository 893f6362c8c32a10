"""Scores of a run on its splits or on new data, with intervals; looks at test are counted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.recipe.goal import human_faults
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs import goals, report
from dlspec.runs.human import Human, human_level
from dlspec.runs.human_answers import check_answers
from dlspec.runs.judged import Judged, Part, judged_run, parts_of
from dlspec.runs.ledger import dev_is_apart, diagnosed, laid_out
from dlspec.runs.material import fixed_sample
from dlspec.runs.opened import OpenedRun, open_run
from dlspec.runs.predictions import judged_tables
from dlspec.runs.reading import examples_of, reader_for
from dlspec.types import SPLITS, ArgumentError, DataError, Examples, Share, Statistics

if TYPE_CHECKING:
    import numpy as np


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
    if data is None:
        check_answers(opened.recipe, opened.state, parts, folders.read_manifest(opened.folder / "manifest.csv"))
    looks = folders.looks_at_test(opened.folder, looking="test" in parts)
    if "train" in parts:
        parts["train"] = fixed_sample(parts["train"], opened.recipe.task.scored_of_train)
    for split, examples in parts.items():
        check_truths(opened, split, examples, watch)
    judged = judged_run(opened, parts, watch)
    scores = {split: score(judged, split) for split in parts}
    goal, ledger, human = goals.of_judged(judged, watch), None, None
    if data is None:
        human = human_level(opened.recipe.goal.human, judged)
        _remember(opened.folder, scores, goal)
        ledger = diagnosed(judged, opened.recipe, opened.folder, human=human.level if human else None)
        report.write_report(opened.folder)
    return judged_result(judged, scores, looks, ledger, goal, human)


def evaluate_predictions(
    files: Sequence[str],
    *,
    run: str | Path | None = None,
    truth: str | None = None,
    splits: Sequence[str] = (),
    task: str | None = None,
    metric: str | None = None,
    human: Mapping[str, float] | str | None = None,
    out: Path | None = None,
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Score predictions that any tool made (see judged_tables); written to the folder `out`, if one is given.

    truth: COCO's ground truth, where the files are results as COCO has them.
    human: how well people do, as `goal.human`; by default what the run's recipe says.

    Returns what `evaluate --json` prints.  Raises ArgumentError, DataError.
    """
    watch = watch or Watch()
    opened = None if run is None else open_run(run, root)
    judged = judged_tables(
        files, run=opened, wanted=splits, task=task, metric=metric, home=out, truth=truth, watch=watch
    )
    for _, says, _ in human_faults(human, judged.evaluator.metrics(judged.state)):
        raise ArgumentError(f"--human: {says}")
    if isinstance(human, Mapping) and judged.metric.name not in human:
        watch.warn(
            f"--human is of {', '.join(human)}, but the ledger is by {judged.metric.name}: say "
            f"--human {judged.metric.name}=…, or another --metric"
        )
    people = human_level(human or (None if opened is None else opened.recipe.goal.human), judged)
    looks = 0 if out is None else folders.looks_at_test(out, looking="test" in judged.parts)
    scores = {split: score(judged, split) for split in judged.parts}
    ledger = laid_out(
        judged, human=people.level if people else None, apart=opened is not None and dev_is_apart(opened.folder)
    )
    if out is not None:
        _remember(out, scores)
        folders.write_json(out / "ledger.json", ledger)
        report.write_report(out)
    return judged_result(judged, scores, looks, ledger, human=people)


def judged_result(
    judged: Judged,
    scores: dict[str, Any],
    looks: int,
    ledger: dict[str, Any] | None,
    goal: dict[str, Any] | None = None,
    human: Human | None = None,
) -> dict[str, Any]:
    return {
        "run": None if judged.opened is None else str(judged.opened.folder),
        "scores": scores,
        "classes": {split: classes for split in judged.parts if (classes := score_classes(judged, split))},
        "metrics": [metric._asdict() for metric in judged.evaluator.metrics(judged.state)],
        "signatures": judged.evaluator.signatures(judged.state),
        "goal": goal,
        "human": human and asdict(human),
        "ledger": ledger,
        "test_looks": looks,
    }


def check_truths(opened: OpenedRun, split: str, examples: Examples, watch: Watch) -> None:
    """Say what a person should know of these truths.  Raises DataError where there are none."""
    evaluator = opened.recipe.evaluator
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
        shares=evaluator.shares(part.statistics),
    )
    if judged.home is not None:
        if split != "new":
            report.keep_figures(judged.home, split, evaluator, part.statistics, judged.state)
        write_predictions(judged.home / "predictions" / f"{split}.parquet", judged, part)
    return {
        name: {"value": value, "low": low, "high": high, "n": len(part.examples)}
        for name, (value, low, high) in found.items()
    }


def score_classes(judged: Judged, split: str) -> dict[str, dict[str, dict[str, float]]]:
    """Class → metric → value, low and high, where the evaluator tells classes apart."""
    from dlspec.strategy.intervals import intervals

    evaluator, part = judged.evaluator, judged.parts[split]
    names = [
        (name, metric) for name, own in evaluator.by_class(part.statistics, judged.state).items() for metric in own
    ]
    if not names:
        return {}

    def combine(statistics: Statistics, weights: np.ndarray | None) -> dict[str, float]:
        found = evaluator.by_class(statistics, judged.state, weights)
        return {str(place): found.get(name, {}).get(metric, math.nan) for place, (name, metric) in enumerate(names)}

    shares = {str(place): Share(None) for place in range(len(names))}
    held = intervals(combine, part.statistics, len(part.examples), groups=part.groups, shares=shares)
    table: dict[str, dict[str, dict[str, float]]] = {}
    for place, (name, metric) in enumerate(names):
        value, low, high = held[str(place)]
        table.setdefault(name, {})[metric] = {"value": value, "low": low, "high": high}
    return table


def write_predictions(file: Path, judged: Judged, part: Part) -> None:
    """A table for people, other tools and `runs compare`: id, truth, group, tags, guess, probabilities."""
    import pyarrow
    import pyarrow.parquet

    from dlspec.data.prediction_table import SET_ASIDE, is_ours, metadata

    evaluator, state, examples = judged.evaluator, judged.state, part.examples
    columns: dict[str, Any] = {"id": examples.ids, "truth": evaluator.truth(examples, state)}
    if part.groups is not None:
        columns["group"] = part.groups
    guessed = evaluator.columns(part.predictions, state)
    aside = {name: is_ours(name) or name in guessed for name in examples.tag_names}
    columns |= {f"{SET_ASIDE}{name}" if aside[name] else name: examples.tag(name) for name in aside}
    columns |= guessed
    run = judged.opened
    said = metadata(
        {
            "evaluator": evaluator.name,
            "state": state,
            "metric": judged.metric.name,
            "split": file.stem if file.stem in SPLITS else "dev",
            "fingerprint": run and folders.read_json(run.folder / "machine.json", {}).get("data_fingerprint"),
        }
    )
    # Opened here: a path with bytes that are no UTF-8 is more than pyarrow can take.
    with folders.replacing(file) as new, open(new, "wb") as sink:
        pyarrow.parquet.write_table(pyarrow.table(columns).replace_schema_metadata(said), sink)


def _new(opened: OpenedRun, data: str, watch: Watch) -> dict[str, Examples]:
    examples = examples_of(reader_for(data, opened.recipe), truth=True, watch=watch)
    if not len(examples):
        raise DataError(f"{data} has no examples")
    for remark in opened.recipe.input.remarks(examples, opened.state["input"]):
        watch.warn(f"{data}: {remark}")
    return {"new": examples}


def _remember(home: Path, scores: dict[str, Any], goal: dict[str, Any] | None = None) -> None:
    """goal: kept where it is judged on dev."""
    file = home / "scores.json"
    kept = folders.read_json(file, default={})
    judged = {"goal": goal} if goal and goal["split"] == "dev" else {}
    folders.write_json(file, {**kept, "scores": {**kept.get("scores", {}), **scores}, **judged})
