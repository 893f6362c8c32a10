"""The network of a recipe, tried on a part of the data: its layers, start, gradients, and whether it learns."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from dlspec.recipe.load import Loaded
from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs import origin
from dlspec.runs.prepare import Prepared
from dlspec.runs.stages import stages
from dlspec.types import Finding

START = 512
"""examples of train that the loss at the start is measured on"""
GRADIENTS = 4
"""examples that gradients are compared on"""


def examine(loaded: Loaded, prepared: Prepared, watch: Watch) -> tuple[dict[str, Any], list[Finding]]:
    """Try the network.  What was measured, and findings.

    Measured: what `check_layers.table` gives; `measured`, words or numbers by name; `learns`, whether a short training
    did better on dev than a constant guess (null: not tried); `seconds`.
    Raises RecipeError where the network cannot be built, DataError where examples cannot be encoded.
    """
    from dlspec.runs.backend import load_keras
    from dlspec.runs.check_trial import quiet
    from dlspec.runs.network import build

    began = time.perf_counter()
    loaded = origin.settled(loaded, folders.RUNS)
    recipe = loaded.recipe
    load_keras(threads=recipe.train.threads, seed=recipe.train.seed)

    def fresh() -> Any:
        return build(recipe, prepared.state)

    with quiet():
        if recipe.train.start_from is not None or recipe.model.learned not in (
            None,
            "imagenet",
        ):  # nothing is downloaded
            origin.begin(recipe, prepared.state, fresh(), watch)
        stages(recipe, fresh())
        result, found = _tried(recipe, prepared, fresh, watch)
    result["seconds"] = time.perf_counter() - began
    return result, found


def _tried(
    recipe: Recipe, prepared: Prepared, fresh: Callable[[], Any], watch: Watch
) -> tuple[dict[str, Any], list[Finding]]:
    from dlspec.runs.check_chance import chance
    from dlspec.runs.check_gradients import gradients
    from dlspec.runs.check_layers import table
    from dlspec.runs.check_learning import by_heart, different
    from dlspec.runs.check_start import start
    from dlspec.runs.check_trial import batch
    from dlspec.runs.material import fixed_sample

    state = prepared.state
    watch.note("building the network")
    result = {**table(fresh()), "measured": {}, "learns": None, "seconds": 0.0}
    measured: dict[str, Any] = result["measured"]
    some = batch(recipe, state, fixed_sample(prepared.splits["train"], START))
    measured["loss at the start"], found = start(recipe, state, fresh, some)
    if not any(one.kind == "exploding_initialization" for one in found):
        watch.note("comparing gradients")
        few = some.take(different(some, GRADIENTS))
        measured["gradients"], seen = gradients(recipe, state, few)
        found += seen
        if any(one.severity == "error" for one in seen):
            measured["learning"] = "not tried: gradients are wrong"
        else:
            watch.note("learning a few examples by heart, then shuffled and true targets")
            measured["by heart"], rate, seen = by_heart(recipe, state, fresh, some.take(different(some)))
            found += seen
            if rate is not None:
                cost = result["multiply_adds"]
                said, result["learns"], seen = chance(recipe, state, prepared.splits, fresh, rate, watch, cost)
                measured.update(said)
                found += seen
    else:
        measured["learning"] = "not tried: the network explodes as it starts"
    return result, found
