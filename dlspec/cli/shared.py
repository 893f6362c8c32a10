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
RunOrFiles = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN",
        help="A run: its folder, its name (recipe, or recipe/time), or `last`; or a chain of runs, a .yaml file. "
        "May be left out with --predictions.",
    ),
]
Predictions = Annotated[
    list[str] | None,
    typer.Option(
        "--predictions",
        metavar="FILE…",
        help="Predictions that any tool made, as CSV or Parquet: columns id, truth, guess or p_<class>; split (else "
        "all are dev), group; every other column is a tag.  Of a tagger also .conll, as conlleval takes it.",
    ),
]
Truth = Annotated[
    str | None,
    typer.Option(
        "--truth",
        metavar="FILE",
        help="With --predictions: the ground truth of a detector's results, where both are as COCO has them, in JSON; "
        "or the references of a translator's output, text files with a sentence a line.",
    ),
]
AskedTask = Annotated[
    str | None,
    typer.Option("--task", metavar="TASK", help="What was predicted, where the columns do not tell: classification …"),
]
Deciding = Annotated[
    str | None, typer.Option("--metric", metavar="METRIC", help="With --predictions: the metric that decides.")
]
Home = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="DIR", help="With --predictions, or of a chain: where scores, errors/ and report.html go."
    ),
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


def run_and_files(given: list[str] | None, files: list[str] | None) -> tuple[str | None, list[str]]:
    """The run, and the files of predictions: after --predictions, what is a file is one of them.

    Raises ArgumentError where there is neither, or more than one run.
    """
    from dlspec.types import ArgumentError

    given, files = list(given or ()), list(files or ())
    if files:
        files += [one for one in given if os.path.isfile(one)]
        given = [one for one in given if not os.path.isfile(one)]
    if len(given) > 1:
        raise ArgumentError(f"one run at a time, got {', '.join(given)}" + (" (or no such files)" if files else ""))
    if not given and not files:
        raise ArgumentError("Missing argument 'RUN': a run, or --predictions FILE")
    return (given[0] if given else None), files


def need_predictions(**given: Any) -> None:
    """Raise ArgumentError where an option is given that only goes with --predictions."""
    from dlspec.types import ArgumentError

    for name, value in given.items():
        if value is not None:
            raise ArgumentError(f"--{name} goes with --predictions; a run has its own")


def need(option: str, there: object, **given: Any) -> None:
    """Raise ArgumentError where an option is given that only goes with another, which is not there."""
    from dlspec.types import ArgumentError

    for name, value in given.items():
        if value is not None and not there:
            raise ArgumentError(f"--{name} goes with {option}")


def refuse_with_predictions(**given: Any) -> None:
    """Raise ArgumentError where an option is given that needs a network."""
    from dlspec.types import ArgumentError

    for name, value in given.items():
        if value:
            raise ArgumentError(f"--{name.replace('_', '-')} needs a run's network; leave it out with --predictions")


def is_chain(given: str) -> bool:
    """Whether a chain of runs is meant, not a run: a YAML file."""
    return given.endswith((".yaml", ".yml")) and os.path.isfile(given)


def refuse_with_chain(**given: Any) -> None:
    """Raise ArgumentError where an option is given that is not for chains."""
    from dlspec.types import ArgumentError

    for name, value in given.items():
        if value:
            raise ArgumentError(f"--{name.replace('_', '-')} is for one run, and a chain was given; leave it out")


def lines() -> Iterator[str]:
    """The lines of standard input, without their ends; names of files may hold any bytes."""
    for line in sys.stdin.buffer if sys.stdin else ():  # `<&-` closes it
        yield os.fsdecode(line.rstrip(b"\r\n"))


def ended(failed: int) -> None:
    """Leave with 2 where something that was given could not be read: it is said, and all else is done."""
    if failed:
        raise typer.Exit(2)


def answer(value: dict[str, Any], as_json: bool, text: Any) -> None:
    """Print the answer: the object as JSON, or what `text()` prints for a person."""
    if as_json:
        from dlspec.runs.folder import finite

        print(json.dumps(finite(value)), file=_stdout or sys.stdout, flush=True)
    else:
        text()
        sys.stdout.flush()
