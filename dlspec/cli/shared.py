"""Options that many commands have, and how a command answers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

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


def answer(value: dict[str, Any], as_json: bool, text: Any) -> None:
    """Print the answer: the object as JSON, or what `text()` prints for a person."""
    if as_json:
        from dlspec.runs.folder import finite

        print(json.dumps(finite(value), ensure_ascii=False))
    else:
        text()
    sys.stdout.flush()
