"""dlspec predict RUN INPUT…"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, RunArgument, Runs, answer, answer_line, lines


def predict(
    run: RunArgument,
    input: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT…",
            help="Files of rows or pictures (csv, parquet, npz, jpg, …), folders of pictures, globs in quotes, or `-`: "
            "a list of files on standard input, one a line.",
        ),
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
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object an example, as soon as it is there.")] = False,
    debug: Debug = False,
) -> None:
    """Predict for new examples.

    They need no truth; raw rows or pictures go in, and what was learned from train is applied.
    What cannot be read is one line with its error, and the others go on."""
    from dlspec.report.predicted import PredictedTable
    from dlspec.report.progress import ConsoleWatch
    from dlspec.runs.predict import predict as guess
    from dlspec.runs.predict import prepared, stream

    watch = ConsoleWatch()
    if json or out is not None:
        result = guess(run, input, out=out, threshold=threshold, listed=lines(), root=runs, watch=watch)
        some = f"{result['count']:,} prediction{'s' * (result['count'] != 1)}"
        answer(result, json, lambda: print(f"{some}: {out}"))
        return
    opened = prepared(run, threshold=threshold, root=runs)
    table = PredictedTable()
    for some_of in stream(opened, input, listed=lines(), watch=watch):
        if jsonl:
            for one in some_of:
                answer_line(one)
        else:
            answer({}, False, lambda now=some_of: table.show(now))
    if not table.rows and not jsonl:
        answer({}, False, lambda: print("no examples, no predictions"))
