"""What is fitted in a stage of a training: the network, or what of it comes after the layers that are frozen."""

from __future__ import annotations

from typing import Any, NamedTuple

from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs.features import NAME, cut, split, worked_out
from dlspec.runs.material import Material
from dlspec.runs.stages import Stage, described, enter
from dlspec.types import State


class Fitted(NamedTuple):
    """network: a Keras model over layers of the whole.  material: what goes into it.  number: of the stage."""

    network: Any
    material: Material
    number: int
    stage: Stage


def fitted(
    recipe: Recipe, state: State, network: Any, material: Material, stages: list[Stage], number: int, watch: Watch
) -> Fitted:
    """The stage of that number, entered: from now on its layers alone are trained."""
    stage = stages[number]
    enter(network, stage)
    said = described(network, stage)
    if said:
        watch.note(said)
    tensor = cut(network, stage.frozen)
    if tensor is not None:
        found = worked_out(recipe, state, network, tensor, material, watch)
        if found:
            return Fitted(*found, number, stage)
        if any(getattr(one, "_seed_generators", ()) for layer in stage.frozen for one in layer._flatten_layers()):
            network = _joined(network, tensor)
    return Fitted(network, material, number, stage)


def _joined(network: Any, tensor: Any) -> Any:
    """The same network, whose frozen layers never draw at random, even where it is called for training."""
    import keras

    base, head = split(network, tensor)

    class Still(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="frozen")
            self.base = base

        def call(self, inputs: Any) -> Any:
            return self.base(inputs, training=False)

    doors = {name: keras.Input(one.shape[1:], dtype=one.dtype, name=name) for name, one in network.input.items()}
    return keras.Model(doors, head({NAME: Still()(doors)}))
