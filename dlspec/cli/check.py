"""dlspec check RECIPE"""

from __future__ import annotations

from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, RecipeArgument, Set, answer


def check(
    recipe: RecipeArgument,
    set: Set = None,
    run: Annotated[
        bool, typer.Option("--run", help="Try the network, too: minutes at most, on a part of the data.")
    ] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Find what is wrong with a recipe before training.

    The recipe itself; data that is missing, unreadable or leaks from dev into train; columns that give the target
    away; shuffled or shifted labels; splits too small to tell anything. With --run also the network: its loss at the
    start, its gradients, whether it can learn, and a table of its layers. Exit code 2 where there is an error.
    """
    from dlspec.report.checked import print_checked
    from dlspec.report.progress import ConsoleWatch
    from dlspec.runs.check import check as examine

    result = examine(recipe, set or (), run=run, watch=ConsoleWatch())
    answer(result, json, lambda: print_checked(result))
    if any(one["severity"] == "error" for one in result["findings"]):
        raise SystemExit(2)
