"""dlspec error-analysis RUN"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, RunArgument, Runs, answer


def error_analysis(
    run: RunArgument,
    split: Annotated[
        str, typer.Option("--split", metavar="SPLIT", help="Which split's errors; test gives itself away.")
    ] = "dev",
    worst: Annotated[int, typer.Option("--worst", min=0, help="How many of the worst examples to list.")] = 20,
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say what goes wrong, and what mending it would buy.

    Kinds of error with their share and its interval, the ceiling of fixing each, slices by tag, the worst examples,
    and for tables which columns the network leans on.
    """
    from dlspec.report.progress import ConsoleWatch
    from dlspec.report.terminal import print_analyzed
    from dlspec.runs.analyze import analyze

    result = analyze(run, split=split, worst=worst, root=runs, watch=ConsoleWatch())
    answer(result, json, lambda: print_analyzed(result))
