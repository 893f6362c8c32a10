"""dlspec tune RECIPE"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, Out, Set, answer


def tune(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE", help="A recipe with `tune`; with --resume, the folder of a study may be given instead."
        ),
    ],
    trials: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many trials in all, instead of tune.trials.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Processes that train at the same time.")] = 1,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="A database that several machines share: postgresql://user@host/database, mysql://…"
        ),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option("--study", metavar="NAME", help="With --storage: the study's name there (else the recipe's)."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest study of this recipe, or with that of a folder.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="A grid may have more than 10,000 points.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="A line a trial, on a terminal too.")] = False,
    set: Set = None,
    out: Out = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Search the values that a recipe names in `tune`: every trial is an ordinary run, the best is best.yaml.

    Trials that fail are recorded with their cause. Ctrl-C loses no finished trial: --resume goes on, and more --trials
    extend a study.
    """
    from dlspec.recipe.load import load
    from dlspec.report.tuned import ConsoleSearch, print_tuned
    from dlspec.tuning.search import tune as run

    folder = Path(recipe)
    found = resume and (folder / "study.json").is_file()
    if found and set:
        raise typer.BadParameter("--set goes with a RECIPE; a study goes on as it is")
    result = run(
        None if found else load(recipe, set or ()),
        trials=trials,
        workers=workers,
        out=out,
        storage=storage,
        name=study,
        resume=(folder if found else "last") if resume else None,
        yes=yes,
        watch=ConsoleSearch(plain=json or quiet),
    )
    answer(result, json, lambda: print_tuned(result))
