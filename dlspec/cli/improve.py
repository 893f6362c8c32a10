"""dlspec improve RECIPE"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, Out, Set, answer


def improve(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE", help="A recipe: a .yaml file, or the name of one that `dlspec recipes list` shows."
        ),
    ] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="TIME", help="How long it may take in all: 30m, 2h, 90s.")
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Go on with an earlier one (its folder); --budget may give it more time."),
    ] = None,
    set: Set = None,
    out: Out = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Train, find what holds the network back, change the recipe, and keep what helps beyond chance.

    Each change is for a cause that was found (bias, variance, mismatch, an illness of training), and is judged on dev
    by a paired test. It stops when nothing is left to try or the time is over; test is looked at once, at the end.
    """
    from dlspec.report.improved import print_improved
    from dlspec.report.progress import ConsoleWatch
    from dlspec.runs.improve import improve as run
    from dlspec.runs.improvement import seconds

    if (recipe is None) == (resume is None):
        raise typer.BadParameter("give a RECIPE to improve, or --resume FOLDER to go on with an earlier one")
    if recipe is not None and budget is None:
        raise typer.BadParameter("--budget is missing: how long may it take? 30m, 2h, 90s")
    if resume is not None and set:
        raise typer.BadParameter("--set goes with a RECIPE; an earlier improvement goes on as it is")
    loaded = None
    if recipe is not None:
        from dlspec.recipe.load import load

        loaded = load(recipe, set or ())
    limit = seconds(budget) if budget else None
    result = run(loaded, budget=limit, out=out, resume=resume, watch=ConsoleWatch())
    answer(result, json, lambda: print_improved(result))
