"""dlspec evaluate RUN"""

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


def evaluate(
    run: RunOrFiles = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            "--split", metavar="SPLIT", help="train, train_dev, dev or test; may be repeated. Default: all but test."
        ),
    ] = None,
    data: Annotated[str | None, typer.Option("--data", metavar="PATH", help="Score new labelled data instead.")] = None,
    predictions: Predictions = None,
    task: AskedTask = None,
    metric: Deciding = None,
    out: Home = None,
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Score a run, or the predictions of any other tool, with intervals.

    The test split is looked at only when asked for (--split test), and every look is counted.
    """
    from dlspec.report.progress import ConsoleWatch
    from dlspec.report.terminal import print_evaluated
    from dlspec.runs.evaluate import evaluate as score
    from dlspec.runs.evaluate import evaluate_predictions

    name, files = run_and_files(run, predictions)
    watch = ConsoleWatch()
    if files:
        refuse_with_predictions(data=data)
        result = evaluate_predictions(
            files, run=name, splits=split or (), task=task, metric=metric, out=out, root=runs, watch=watch
        )
    else:
        need_predictions(task=task, metric=metric, out=out)
        result = score(name or "", splits=split or (), data=data, root=runs, watch=watch)
    answer(result, json, lambda: print_evaluated(result))
