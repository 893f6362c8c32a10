"""dlspec train RECIPE"""

from __future__ import annotations

from pathlib import Path

from dlspec.cli.shared import Debug, Json, Out, RecipeArgument, Set, answer


def train(
    recipe: RecipeArgument, set: Set = None, out: Out = Path("runs"), json: Json = False, debug: Debug = False
) -> None:
    """Train a network from a recipe.

    Its score on dev is shown at the end. The run directory holds everything: the filled recipe, the network,
    history, scores, TensorBoard's event files.
    Next: dlspec evaluate last, dlspec error-analysis last.
    """
    from dlspec.recipe.load import load

    loaded = load(recipe, set or ())

    from dlspec.report.progress import ConsoleWatch
    from dlspec.report.terminal import print_trained
    from dlspec.runs.train import train as run

    trained = run(loaded, out=out, watch=ConsoleWatch())
    answer(trained.json(), json, lambda: print_trained(trained.json()))
