"""dlspec predict RUN INPUT…"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, RunArgument, Runs, answer


def predict(
    run: RunArgument,
    input: Annotated[
        list[str], typer.Argument(metavar="INPUT…", help="Files of rows or pictures: csv, parquet, npz, npy, …")
    ],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write a table: .csv or .parquet.")] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", min=0, max=1, help="Probability from which the positive class is guessed (two classes)."
        ),
    ] = None,
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Predict for new examples.

    They need no truth; raw rows go in, and what was learned from train is applied."""
    from dlspec.report.progress import ConsoleWatch
    from dlspec.report.terminal import print_predicted
    from dlspec.runs.predict import predict as guess

    result = guess(run, input, out=out, threshold=threshold, root=runs, watch=ConsoleWatch())
    answer(result, json, lambda: print_predicted(result, out))
