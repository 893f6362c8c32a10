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
    Truth,
    answer,
    is_chain,
    need,
    need_predictions,
    refuse_with_chain,
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
    truth: Truth = None,
    task: AskedTask = None,
    metric: Deciding = None,
    human: Annotated[
        str | None,
        typer.Option(
            "--human",
            metavar="METRIC=VALUE|FILE",
            help="With --predictions: how well people do: accuracy=0.99, or a CSV of what several annotators answered.",
        ),
    ] = None,
    out: Home = None,
    learning_curve: Annotated[
        bool,
        typer.Option(
            "--learning-curve", help="Train on parts of train, with several seeds: would more data help, and how much?"
        ),
    ] = False,
    sizes: Annotated[
        str | None,
        typer.Option(
            "--sizes",
            metavar="N,N,…",
            help="With --learning-curve: shares (0.25) or numbers (300) of train.",
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", metavar="N", help="With --learning-curve: trainings a size (3).")
    ] = None,
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Score a run, or the predictions of any other tool, with intervals.

    The test split is looked at only when asked for (--split test), and every look is counted.
    """
    from dlspec.report.curve import print_curve
    from dlspec.report.progress import ConsoleWatch
    from dlspec.report.terminal import print_evaluated
    from dlspec.runs.evaluate import evaluate as score
    from dlspec.runs.evaluate import evaluate_predictions

    name, files = run_and_files(run, predictions)
    watch = ConsoleWatch()
    if name is not None and not files and is_chain(name):
        from dlspec.runs.chained import evaluate_chain

        refuse_with_chain(data=data, task=task, metric=metric, human=human, learning_curve=learning_curve)
        result = evaluate_chain(name, splits=split or (), out=out, root=runs, watch=watch)
        answer(result, json, lambda: print_evaluated(result))
        return
    need("--learning-curve", learning_curve, sizes=sizes, seeds=seeds)
    if files:
        refuse_with_predictions(data=data, learning_curve=learning_curve)
        from dlspec.runs.human import asked

        result = evaluate_predictions(
            files,
            run=name,
            truth=truth,
            splits=split or (),
            task=task,
            metric=metric,
            human=asked(human),
            out=out,
            root=runs,
            watch=watch,
        )
    else:
        need_predictions(truth=truth, task=task, metric=metric, human=human, out=out)
        result = score(name or "", splits=split or (), data=data, root=runs, watch=watch)
        if learning_curve:
            from dlspec.runs.learning_curve import SEEDS, numbers
            from dlspec.runs.learning_curve import learning_curve as curve_of

            seeds = SEEDS if seeds is None else seeds
            result["learning_curve"] = curve_of(result["run"], sizes=numbers(sizes), seeds=seeds, watch=watch)

    def say() -> None:
        print_evaluated(result)
        if result.get("learning_curve"):
            print_curve(result["learning_curve"])

    answer(result, json, say)
