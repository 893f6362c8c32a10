"""dlspec predict RUN INPUT…"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, RunArgument, Runs, answer, answer_line, ended, lines


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
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE|DIR",
            help="Write a table, .csv or .parquet; or a folder: predictions.csv, masks as PNG, boxes and points drawn.",
        ),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Of pictures: write a page of where in them the guesses come from (Grad-CAM, occlusion), feature maps "
            "and first filters, to RUN/explained/ or the folder of --out.",
        ),
    ] = False,
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
    What cannot be read is one line with its error, and the others go on; the exit code is then 2."""
    from dlspec.report.predicted import PredictedTable, written
    from dlspec.report.progress import ConsoleWatch
    from dlspec.runs.explained import Explaining
    from dlspec.runs.predict import predict as guess
    from dlspec.runs.predict import prepared, stream, tells_texts

    watch = ConsoleWatch()
    if json or out is not None:
        result = guess(
            run, input, out=out, threshold=threshold, explain=explain, listed=lines(), root=runs, watch=watch
        )
        answer(result, json, lambda: print(written(result, out)))
        ended(result["failed"])
        return
    opened = prepared(run, threshold=threshold, root=runs)
    page = Explaining(opened) if explain else None
    table, failed = PredictedTable(), 0
    heard = [one for one in (page, None if jsonl else tells_texts(opened)) if one is not None]
    for some_of in stream(opened, input, listed=lines(), watch=watch, listeners=heard):
        failed += sum("error" in one for one in some_of)
        if jsonl:
            for one in some_of:
                answer_line(one)
        else:
            answer({}, False, lambda now=some_of: table.show(now))
    if not table.rows and not jsonl:
        answer({}, False, lambda: print("no examples, no predictions"))
    file = page and page.write()
    if file and jsonl:
        watch.note(f"explained: {file}")
    elif file:
        answer({}, False, lambda: print(f"explained: {file}"))
    ended(failed)
