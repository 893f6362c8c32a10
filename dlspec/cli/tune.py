"""dlspec tune RECIPE"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, Out, Set, answer


def tune(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE", help="A recipe with `tune`; with --resume, the folder of a study may be given instead."
        ),
    ] = None,
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
    zoom: Annotated[
        str | None,
        typer.Option(
            "--zoom",
            metavar="STUDY",
            help="A finer search, over where the best trials of a study lie (no RECIPE then).",
        ),
    ] = None,
    best: Annotated[
        float | None,
        typer.Option(
            "--best", metavar="K", help="With --zoom: how many trials are the best, or which share of them (0.2)."
        ),
    ] = None,
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
    from dlspec.tuning.stages import tune as run

    if (recipe is None) == (zoom is None):
        raise typer.BadParameter("give a RECIPE to search, or --zoom STUDY to search where its best trials lie")
    if zoom is not None and (resume or set):
        raise typer.BadParameter("--zoom begins a study of its own: --resume goes with its folder, --set with a RECIPE")
    if best is not None and zoom is None:
        raise typer.BadParameter("--best goes with --zoom; in a recipe, tune.stages has it")
    if best is not None and not (0 < best < 1 or (best >= 1 and best.is_integer())):
        raise typer.BadParameter(f"--best takes a share below 1 (0.2) or a whole number of trials (5), got {best:g}")
    folder = Path(recipe or "")
    found = resume and (folder / "study.json").is_file()
    if found and set:
        raise typer.BadParameter("--set goes with a RECIPE; a study goes on as it is")
    result = run(
        None if found or recipe is None else load(recipe, set or ()),
        trials=trials,
        workers=workers,
        out=out,
        storage=storage,
        name=study,
        resume=(folder if found else "last") if resume else None,
        zoom=zoom,
        best=best if best is None or best < 1 else int(best),
        yes=yes,
        watch=ConsoleSearch(plain=json or quiet),
    )
    answer(result, json, lambda: print_tuned(result))
