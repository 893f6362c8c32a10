"""dlspec error-analysis RUN"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlspec.cli.shared import (
    AskedTask,
    Debug,
    Deciding,
    Home,
    Json,
    Predictions,
    RunOrFiles,
    Runs,
    answer,
    need_predictions,
    refuse_with_predictions,
    run_and_files,
)


def error_analysis(
    run: RunOrFiles = None,
    split: Annotated[
        str, typer.Option("--split", metavar="SPLIT", help="Which split's errors; test gives itself away.")
    ] = "dev",
    worst: Annotated[int, typer.Option("--worst", min=0, help="How many of the worst examples to list.")] = 20,
    labels: Annotated[
        bool, typer.Option("--labels", help="Look for wrong labels in train, dev and the split; trains once a fold.")
    ] = False,
    folds: Annotated[int, typer.Option("--folds", min=2, metavar="K", help="In how many folds, with --labels.")] = 5,
    relabel: Annotated[
        str | None,
        typer.Option(
            "--relabel",
            metavar="FILE",
            help="Score by corrected labels as well (relabel.csv, its column `new` filled).",
        ),
    ] = None,
    predictions: Predictions = None,
    task: AskedTask = None,
    metric: Deciding = None,
    out: Home = None,
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say what goes wrong, and what mending it would buy.

    Kinds of error with their share and its interval, the ceiling of fixing each, slices by tag, the worst examples,
    and for tables which columns the network leans on.  --labels says which labels are likely wrong, and writes
    relabel.csv; --relabel takes it back when you have filled it in, and writes a recipe that trains on it.
    """
    from dlspec.report.progress import ConsoleWatch
    from dlspec.report.terminal import print_analyzed
    from dlspec.runs.analyze import analyze, analyze_predictions

    name, files = run_and_files(run, predictions)
    watch = ConsoleWatch()
    if files:
        refuse_with_predictions(labels=labels, relabel=relabel)
        result = analyze_predictions(
            files, run=name, split=split, worst=worst, task=task, metric=metric, out=out, root=runs, watch=watch
        )
    else:
        need_predictions(task=task, metric=metric, out=out)
        if relabel is not None:
            _relabelled(name or "", relabel, split, runs, json)
            return
        result = analyze(name or "", split=split, worst=worst, labels=labels, folds=folds, root=runs, watch=watch)
    answer(result, json, lambda: print_analyzed(result))


def _relabelled(run: str, file: str, split: str, runs: Path, json: bool) -> None:
    from dlspec.report.labels import print_relabelled
    from dlspec.report.progress import ConsoleWatch
    from dlspec.runs.relabel import relabel

    splits = () if split == "dev" else (split,)
    result = relabel(run, file, splits=splits, root=runs, watch=ConsoleWatch())
    answer(result, json, lambda: print_relabelled(result))
