"""dlspec init DATA"""

from __future__ import annotations

from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, answer


def init(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A table (csv, parquet, …), a folder of pictures, of COCO, YOLO or VOC files, of idx files, an .npz; "
            "also below $DLSPEC_DATA.",
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="The recipe to write; `-` prints it; with --to, the folder. Left out: named after the data.",
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", metavar="NAME", help="The column to predict. Left out: guessed, and said.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="No recipe: pictures with boxes are copied into a new folder (--out), as coco, yolo or voc has them.",
        ),
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a first recipe for your data.

    It looks at the data, and writes a commented recipe that trains as it is: what is to be predicted, how the examples
    are divided, which network. What it guessed, it says. Nothing is overwritten.
    """
    if to is not None:
        from dlspec.report.first import print_converted
        from dlspec.report.progress import ConsoleWatch
        from dlspec.runs.convert import convert
        from dlspec.types import ArgumentError

        if target is not None:
            raise ArgumentError("--target names a column to predict, and --to writes boxes; give one of them")
        converted = convert(data, to, out=out, watch=ConsoleWatch())
        answer(converted, json, lambda: print_converted(converted))
        return
    from dlspec.report.first import print_first
    from dlspec.report.progress import ConsoleWatch
    from dlspec.runs.init import init as look

    result = look(data, out=out, target=target, watch=ConsoleWatch())
    answer(result, json, lambda: print_first(result))
