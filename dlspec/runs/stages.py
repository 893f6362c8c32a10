"""Which layers are trained in which epochs: what is frozen, and what of it is set free again, part after part."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from dlspec.recipe.component import unknown
from dlspec.recipe.schema import Recipe
from dlspec.recipe.transfer import Until
from dlspec.types import Place, RecipeError


class Stage(NamedTuple):
    """Epochs begin, …, end - 1.  frozen: layers whose weights stay, in the order of the network, those without weights
    between them included: with each, all that it hangs on.  free: layers that were frozen before and are not any more.
    kept: normalisations by batch that are to stay as they were learned."""

    begin: int
    end: int
    frozen: list[Any]
    free: list[Any]
    kept: list[Any]


def stages(recipe: Recipe, network: Any) -> list[Stage]:
    """The stages of a training, one after the other.  Raises RecipeError where a layer is named that is not there."""
    train = recipe.train
    kept = _kept(recipe, network)
    held = _held(recipe, network)
    if train.unfreeze is None:
        return [Stage(0, train.epochs, held, [], kept)]
    given = train.unfreeze
    to_the_end: list[Any] = []
    if given.from_layer is not None:
        layer = _named(network, given.from_layer, "train.unfreeze.from_layer")
        to_the_end = [one for one in _before(network, layer.output) if one is not layer]
    # A part ends before a layer with weights, in an order in which each layer comes after all that it hangs on.
    weighty = [place for place, one in enumerate(held) if one.weights and one not in to_the_end]
    if not weighty:
        message = "nothing that is frozen comes after this layer, so that nothing is set free"
        raise RecipeError(message, where=Place(key="train.unfreeze.from_layer"))
    parts = min(given.parts, len(weighty))
    found = [Stage(0, given.after, held, [], kept)]
    for part in range(1, parts + 1):
        first = weighty[len(weighty) - round(part * len(weighty) / parts)]
        frozen = [one for place, one in enumerate(held) if place < first or one in to_the_end]
        begin = given.after + (part - 1) * given.every
        end = train.epochs if part == parts else begin + given.every
        found.append(Stage(begin, end, frozen, [one for one in held if one not in frozen], kept))
    return found


def enter(network: Any, stage: Stage) -> None:
    """Let a network train what a stage trains."""
    for layer in stage.free:
        layer.trainable = True
    # What is kept is frozen for good: a network that is called for training normalises by the batch, whatever the call
    # within it says (Keras 3), unless the layer is frozen.
    for layer in (*stage.frozen, *stage.kept):
        layer.trainable = False


def described(network: Any, stage: Stage) -> str | None:
    """What is frozen, in a line; None where nothing is."""
    if not stage.frozen and not stage.free and not stage.kept:
        return None
    own = [one for one in network.layers if one.weights]
    held = [one for one in own if one in stage.frozen]
    total = network.count_params()
    trained = sum(math.prod(one.shape) for one in network.trainable_variables)
    if held:
        what = f"{len(held)} of {len(own)} layers with weights are frozen, up to '{held[-1].name}'"
    else:
        what = "no layer is frozen"
    norms = " (normalisations by batch stay as they were learned)" if stage.kept and len(held) < len(own) - 1 else ""
    return f"epochs {stage.begin + 1} to {stage.end}: {what}; {trained:,} of {total:,} weights are trained{norms}"


def base_layers(recipe: Recipe, network: Any) -> list[Any]:
    """The layers of the base, in the order of the network; all but the last where the architecture cannot tell."""
    try:
        return _before(network, recipe.model.base(network))
    except RecipeError:
        return list(network.layers[:-1])


def _held(recipe: Recipe, network: Any) -> list[Any]:
    freeze = recipe.train.freeze
    if freeze is None:
        return []
    if isinstance(freeze, Until):
        layer = _named(network, freeze.until, "train.freeze.until")
        held = _before(network, layer.output)
    else:
        held = _before(network, recipe.model.base(network))
    if not any(one.weights for one in network.layers if one not in held):
        message = "every layer with weights is frozen, and nothing is left to be trained; say an earlier one"
        raise RecipeError(message, where=Place(key="train.freeze"))
    return held


def _kept(recipe: Recipe, network: Any) -> list[Any]:
    import keras

    train = recipe.train
    learned = train.start_from is not None or recipe.model.learned is not None
    if train.batch_norm == "learn" or (train.batch_norm == "auto" and not learned):
        return []
    of = [one for layer in base_layers(recipe, network) for one in layer._flatten_layers()]
    return [one for one in of if isinstance(one, keras.layers.BatchNormalization)]


def _before(network: Any, tensor: Any) -> list[Any]:
    """The layers that make a tensor, in the order of the network."""
    import keras

    seen: dict[int, Any] = {}
    waiting = list(keras.tree.flatten(tensor))
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        layer, number, _ = one._keras_history
        seen[id(one)] = layer
        waiting += layer._inbound_nodes[number].input_tensors
    makers = {id(layer) for layer in seen.values()}
    return [one for one in network.layers if id(one) in makers]


def _named(network: Any, name: str, key: str) -> Any:
    names = [one.name for one in network.layers]
    if name not in names:
        raise RecipeError(unknown("layer", name, names), where=Place(key=key))
    return network.get_layer(name)
