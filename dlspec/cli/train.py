"""dlspec train RECIPE"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, Out, Set, answer


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE", help="A recipe: a .yaml file, or the name of one that `dlspec recipes list` shows."
        ),
    ] = None,
    set: Set = None,
    out: Out = Path("runs"),
    epochs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Passes over train in all, those of a resumed run included.")
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Go on with a run from its last checkpoint: its folder, its name, or `last`."),
    ] = None,
    accept_changes: Annotated[
        bool,
        typer.Option("--accept-changes", help="With --resume RUN and a RECIPE: go on with what the recipe changes."),
    ] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Train a network from a recipe, or go on with a training.

    Its score on dev is shown at the end. The run directory holds everything: the filled recipe, the network,
    history, scores, TensorBoard's event files, checkpoints. Ctrl-C saves a checkpoint first.
    Next: dlspec evaluate last, dlspec error-analysis last.
    """
    sets = [*(set or ()), *([f"train.epochs={epochs}"] if epochs else [])]
    if resume is None:
        if recipe is None:
            raise typer.BadParameter("RECIPE is missing: name one, or a run to go on with (--resume RUN)")
        from dlspec.recipe.load import load

        loaded = load(recipe, sets)

    from dlspec.report.progress import ConsoleWatch
    from dlspec.report.terminal import print_trained

    if resume is None:
        from dlspec.runs.train import train as run

        trained = run(loaded, out=out, watch=ConsoleWatch())
    else:
        from dlspec.runs.resume import resume as go_on

        trained = go_on(resume, recipe=recipe, sets=sets, accept_changes=accept_changes, root=out, watch=ConsoleWatch())
    answer(trained.json(), json, lambda: print_trained(trained.json()))
