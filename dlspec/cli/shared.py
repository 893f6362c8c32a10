"""Options that many commands have, and how a command answers."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

RecipeArgument = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE", help="A recipe: a .yaml file, or the name of one that `dlspec recipes list` shows."
    ),
]
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="A run: its folder, its name (recipe, or recipe/time), or `last`.")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a value of the recipe: --set train.epochs=3. May be repeated."
    ),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where runs go.")]
Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Where runs are looked for by name.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout; everything else on stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback when something fails.")]


_stdout: TextIO | None = None


@contextlib.contextmanager
def answering(stream: TextIO) -> Iterator[None]:
    """Answers go to this stream, whatever stdout stands for in the meantime."""
    global _stdout
    before, _stdout = _stdout, stream
    try:
        yield
    finally:
        _stdout = before


def answer_line(value: dict[str, Any]) -> None:
    """Print one object of many, as one line of JSON."""
    from dlspec.runs.folder import finite

    print(json.dumps(finite(value)), file=_stdout or sys.stdout, flush=True)


def lines() -> Iterator[str]:
    """The lines of standard input, without their ends; names of files may hold any bytes."""
    for line in sys.stdin.buffer if sys.stdin else ():  # `<&-` closes it
        yield os.fsdecode(line.rstrip(b"\r\n"))


def answer(value: dict[str, Any], as_json: bool, text: Any) -> None:
    """Print the answer: the object as JSON, or what `text()` prints for a person."""
    if as_json:
        from dlspec.runs.folder import finite

        print(json.dumps(finite(value)), file=_stdout or sys.stdout, flush=True)
    else:
        text()
        sys.stdout.flush()
