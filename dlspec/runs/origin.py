"""What a network begins with: weights that were learned before, by another run or by whoever made its architecture."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

from dlspec.models.base import told
from dlspec.recipe.load import Loaded
from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.types import ArgumentError, Place, RecipeError, State
from dlspec.wording import plural

KEY = "train.start_from"
WORDS = "embedding"
"""the layer that holds a vector for each piece of a vocabulary"""


def settled(loaded: Loaded, root: str | Path) -> Loaded:
    """The recipe with the absolute path of the run that it starts from: `last` means another one tomorrow.

    root: where runs lie.  Raises RecipeError where there is no such run.
    """
    given = loaded.recipe.train.start_from
    if given is None:
        return loaded
    with loaded.placing():
        try:
            run = folders.locate(given, root, finished=True)
        except ArgumentError as error:
            raise RecipeError(str(error), where=Place(key=KEY)) from None
    train = loaded.recipe.train.model_copy(update={"start_from": str(run)})
    return dataclasses.replace(loaded, recipe=loaded.recipe.model_copy(update={"train": train}))


def begin(recipe: Recipe, state: State, network: Any, watch: Watch) -> None:
    """Put in what was learned before, where the recipe says so.  Raises RecipeError where it does not fit."""
    if recipe.train.start_from is not None:
        _from_run(recipe, state, network, watch)
    elif recipe.model.learned is not None:
        recipe.model.begin_with(network, watch.note, state["input"].get("vocabulary", ()))


def _from_run(recipe: Recipe, state: State, network: Any, watch: Watch) -> None:
    from dlspec.runs.opened import open_run
    from dlspec.runs.stages import base_layers

    try:
        run = open_run(str(recipe.train.start_from))
        source = run.network
    except ArgumentError as error:
        raise RecipeError(str(error), where=Place(key=KEY)) from None
    base = base_layers(recipe, network)
    heads = [one for one in network.layers if one.weights and one not in base]
    anew = _asked_otherwise(recipe, state, run.recipe, run.state)
    learned = [one for one in source.layers if one.weights]
    pairs = _pairs([one for one in network.layers if one.weights], learned)
    words = _other_words(state, run.state)
    for layer, other in pairs:
        here, there = _shapes(layer), _shapes_for(layer, other) if other is not None else None
        if layer in heads:
            anew = anew or (f"its output is {told_shapes(here)}, there {told_shapes(there)}" if here != there else None)
        elif here != there and not (words and layer.name == WORDS and there and here[0][1:] == there[0][1:]):
            message = f"the weights of {run.folder} do not fit: {told(layer.name, here, there)}"
            raise RecipeError(message, where=Place(key=KEY))
    taken = [(layer, other) for layer, other in pairs if not (anew and layer in heads)]
    for layer, other in taken:
        if words and layer.name == WORDS:
            layer.set_weights([_by_word(*words, layer.get_weights()[0], other.get_weights()[0], watch)])
            continue
        weights = zip(other.get_weights(), _shapes_for(layer, other), strict=True)
        layer.set_weights([one.reshape(shape) for one, shape in weights])
    head = f"; its head begins anew: {anew}" if anew else ""
    watch.note(f"weights: {plural(len(taken), 'layer')} from {run.folder}{head}")
    for sentence in _of_inputs(recipe, run.recipe):
        watch.warn(sentence)


def _other_words(state: State, before: State) -> tuple[list[str], list[str]] | None:
    """The vocabulary here and the one that weights were learned with, where they differ."""
    mine, theirs = (one["input"].get("vocabulary") for one in (state, before))
    return (mine, theirs) if mine and theirs and mine != theirs else None


def _by_word(mine: list[str], theirs: list[str], own: Any, learned: Any, watch: Watch) -> Any:
    """A table of vectors, the row of each word taken from where that word was; new words keep their first one."""
    place = {word: row for row, word in enumerate(theirs)}
    rows = [(row, place[word]) for row, word in enumerate(mine) if word in place]
    for row, there in rows:
        own[row] = learned[there]
    watch.note(
        f"the vocabulary is another one: {len(rows):,} of its {len(mine):,} pieces ({len(rows) / len(mine):.0%}) were "
        "known there and keep their vectors; the others begin anew"
    )
    return own


def _pairs(own: list[Any], learned: list[Any]) -> list[tuple[Any, Any]]:
    """Each layer with that of its name, or, where layers are named by Keras' count, that of its place."""
    by_name = {one.name: one for one in learned}
    if sum(one.name in by_name for one in own) * 2 >= len(own):
        return [(one, by_name.get(one.name)) for one in own]
    return [(one, other) for one, other in zip(own, [*learned, *[None] * len(own)], strict=False)]


def _asked_otherwise(recipe: Recipe, state: State, before: Recipe, then: State) -> str | None:
    """Why a head of the other run cannot go on here: another task, other classes."""
    if recipe.task.name != before.task.name:
        return f"the task was {before.task.name}"
    mine, theirs = (one["task"].get("classes") for one in (state, then))
    if mine == theirs:
        return None
    return f"{plural(len(mine or ()), 'class', 'classes')} here, {len(theirs or ())} other ones there"


def _of_inputs(recipe: Recipe, before: Recipe) -> list[str]:
    """What the input does otherwise than it did for those weights."""
    mine, theirs = (one.input.model_dump(mode="json", exclude={"augment"}) for one in (recipe, before))
    other = [key for key in mine if key in theirs and mine[key] != theirs[key] and key != "size"]
    return [f"input.{key} is {mine[key]}, but was {theirs[key]} when these weights were learned" for key in other]


def _shapes(layer: Any) -> list[tuple[int, ...]]:
    return [tuple(one.shape) for one in layer.weights]


def _shapes_for(layer: Any, other: Any) -> list[tuple[int, ...]]:
    """The shapes of another layer's weights; of a dense one as those of the convolution over all of its places that
    does the same (Sermanet et al. 2014, section 3.5)."""
    here, there = _shapes(layer), _shapes(other)
    if here and there and len(here[0]) == 4 and len(there[0]) == 2:
        same = here[0][-1] == there[0][-1] and math.prod(here[0]) == math.prod(there[0])
        return [here[0], *there[1:]] if same else there
    return there


def told_shapes(shapes: list[tuple[int, ...]] | None) -> str:
    """`1280×6, 6`"""
    return ", ".join("×".join(map(str, one)) for one in shapes) if shapes else "nothing"
