"""dlspec evaluate RUN"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, RunArgument, Runs, answer


def evaluate(
    run: RunArgument,
    split: Annotated[
        list[str] | None,
        typer.Option(
            "--split", metavar="SPLIT", help="train, train_dev, dev or test; may be repeated. Default: all but test."
        ),
    ] = None,
    data: Annotated[str | None, typer.Option("--data", metavar="PATH", help="Score new labelled data instead.")] = None,
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Score a run, with intervals.

    The test split is looked at only when asked for (--split test), and every look is counted.
    """
    from dlspec.report.progress import ConsoleWatch
    from dlspec.report.terminal import print_evaluated
    from dlspec.runs.evaluate import evaluate as score

    result = score(run, splits=split or (), data=data, root=runs, watch=ConsoleWatch())
    answer(result, json, lambda: print_evaluated(result))
