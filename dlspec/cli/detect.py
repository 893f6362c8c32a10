"""dlspec detect RUN INPUT…"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, RunArgument, Runs, answer, answer_line, ended, lines


def detect(
    run: RunArgument,
    input: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT…",
            help="Pictures, folders of pictures, globs in quotes, videos, or `-`: a list of files on standard input, "
            "one a line.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write the pictures with what was found drawn on them.")
    ] = None,
    crops: Annotated[
        Path | None, typer.Option("--crops", metavar="DIR", help="Write each object as a picture, a folder a class.")
    ] = None,
    margin: Annotated[
        float,
        typer.Option("--margin", min=0, help="Of --crops: so many times its sides are added to each side of a box."),
    ] = 0.0,
    coco: Annotated[
        Path | None, typer.Option("--coco", metavar="FILE", help="Write results as COCO has them, one JSON list.")
    ] = None,
    yolo: Annotated[
        Path | None, typer.Option("--yolo", metavar="DIR", help="Write results as YOLO has them, a text a picture.")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", min=0, max=1, help="Confidence from which an object is said; else the run's own."),
    ] = None,
    nms_iou: Annotated[
        float | None,
        typer.Option("--nms-iou", min=0, max=1, help="Overlap from which two boxes are of one object."),
    ] = None,
    classes: Annotated[
        str | None, typer.Option("--classes", metavar="A,B", help="Say objects of these classes alone.")
    ] = None,
    runs: Runs = Path("runs"),
    json: Json = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a picture, as soon as it is there.")] = False,
    debug: Debug = False,
) -> None:
    """Find objects in new pictures and videos.

    What cannot be read is one line with its error, and the others go on; the exit code is then 2."""
    from dlspec.report.predicted import PredictedTable
    from dlspec.report.progress import ConsoleWatch
    from dlspec.runs import detect as detecting

    wanted = [one.strip() for one in (classes or "").split(",") if one.strip()]
    opened = detecting.prepared(run, threshold=threshold, overlap=nms_iou, classes=wanted, root=runs)
    found = detecting.detect(
        opened,
        input,
        out=out,
        crops=crops,
        margin=margin,
        coco=coco,
        yolo=yolo,
        classes=wanted,
        listed=lines(),
        watch=ConsoleWatch(),
    )
    if json:
        predictions = [one for some in found for one in some]
        answer({"run": str(opened.folder), "predictions": predictions}, True, None)
        ended(sum("error" in one for one in predictions))
        return
    table, failed = PredictedTable(), 0
    for some in found:
        failed += sum("error" in one for one in some)
        if jsonl:
            for one in some:
                answer_line(one)
        else:
            answer({}, False, lambda now=some: table.show(now))
    ended(failed)
