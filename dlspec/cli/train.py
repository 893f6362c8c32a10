"""dlspec train RECIPE"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

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
    find_learning_rate: Annotated[
        bool,
        typer.Option(
            "--find-learning-rate",
            help="Do not train: sweep the learning rate over a few hundred steps, and suggest one.",
        ),
    ] = False,
    rates: Annotated[
        tuple[float, float] | None,
        typer.Option("--rates", metavar="LOW HIGH", help="With --find-learning-rate: what to sweep (1e-6 to 10)."),
    ] = None,
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
    if find_learning_rate or rates:
        if resume is not None or recipe is None or not find_learning_rate:
            raise typer.BadParameter("--find-learning-rate (and its --rates) goes with a RECIPE, and not with --resume")
        _find_learning_rate(loaded, [recipe, *(word for one in sets for word in ("--set", one))], rates, out, json)
        return

    from dlspec.report.progress import ConsoleWatch
    from dlspec.report.terminal import print_trained

    if resume is None:
        from dlspec.runs.train import train as run

        trained = run(loaded, out=out, watch=ConsoleWatch())
    else:
        from dlspec.runs.resume import resume as go_on

        trained = go_on(resume, recipe=recipe, sets=sets, accept_changes=accept_changes, root=out, watch=ConsoleWatch())
    answer(trained.json(), json, lambda: print_trained(trained.json()))


def _find_learning_rate(
    loaded: Any, given: list[str], rates: tuple[float, float] | None, out: Path, json: bool
) -> None:
    from dlspec.report.progress import ConsoleWatch
    from dlspec.report.range_test import print_range_test
    from dlspec.runs.learning_rate import HIGH, LOW, find_learning_rate

    low, high = rates or (LOW, HIGH)
    found = find_learning_rate(loaded, low=low, high=high, out=out, watch=ConsoleWatch()).json()
    answer(found, json, lambda: print_range_test(found, given))
