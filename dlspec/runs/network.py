"""The network of a recipe, held to what the task asks of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlspec.recipe.schema import Recipe
from dlspec.runs import precision
from dlspec.runs.auxiliary import assisted
from dlspec.types import Place, RecipeError, State


def for_training(recipe: Recipe, state: State) -> Any:
    """The network of a recipe, with the heads that help it to learn where its architecture has such; raises as `build`.

    `auxiliary.unassisted` gives the network itself.  Frozen layers need no help.
    """
    network = build(recipe, state)
    if recipe.train.freeze is not None:
        return network
    with precision.computing_in(recipe.train.precision):
        return assisted(network, recipe.model.training_heads(network, recipe.task.outputs(state)))


def build(recipe: Recipe, state: State) -> Any:
    """The network of a recipe.  Raises RecipeError where the user's own architecture does not make what it should."""
    import keras

    own = recipe.model.name.endswith(".py")
    try:
        network = precision.build(recipe, state)
    except TypeError as error:
        if not own:
            raise
        message = f"{Path(recipe.model.name).name}: build(self, inputs, outputs) failed: {error}"
        raise RecipeError(message, where=Place(key="model")) from error
    wanted = {*state["shapes"], *recipe.task.given(state)}
    got = f"a {type(network).__name__}"
    if isinstance(network, keras.Model):
        entries = network.input if isinstance(network.input, dict) else {}
        outputs = recipe.task.outputs(state)
        got = f"inputs {', '.join(sorted(entries)) or 'without names'} and output shape {network.output_shape}"
        if set(entries) == wanted and (not isinstance(outputs, int) or network.output_shape[-1] == outputs):
            return network
    if not own:
        raise AssertionError(got)
    expected = f"a keras.Model of a dict of inputs ({', '.join(sorted(wanted))}) that gives {outputs_of(recipe, state)}"
    message = f"{Path(recipe.model.name).name}: build made {got}, expected {expected}"
    raise RecipeError(message, where=Place(key="model"))


def outputs_of(recipe: Recipe, state: State) -> str:
    """What the task asks of the network, in words."""
    outputs = recipe.task.outputs(state)
    return f"{outputs} logit{'s' * (outputs != 1)} an example" if isinstance(outputs, int) else str(outputs)
