"""A network fitted: from its start or from a checkpoint, watched, to the last epoch or until it diverges."""

from __future__ import annotations

import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs.material import Material
from dlspec.runs.prepare import headline
from dlspec.types import State

if TYPE_CHECKING:
    from dlspec.runs.checkpoint import Checkpoint
    from dlspec.runs.observer import Observer
    from dlspec.runs.pipeline import Pipeline


def fit(
    recipe: Recipe,
    state: State,
    material: Material,
    network: Any,
    run: Path,
    watch: Watch,
    checkpoint: Checkpoint | None,
) -> tuple[Observer, list[np.ndarray]]:
    """What was watched, and the variables as they were at the start."""
    import keras

    from dlspec.runs.auxiliary import losses_together
    from dlspec.runs.callback import callback
    from dlspec.runs.checkpoint import restore, variables
    from dlspec.runs.fit import compile_network, described, sequence
    from dlspec.runs.health import EXAMPLES, Health
    from dlspec.runs.observer import Observer
    from dlspec.runs.optimizing import set_peak

    pipeline = material.pipeline
    initial = [np.array(one) for one in network.variables]
    if checkpoint:
        ready(network, recipe, state, pipeline)
    else:
        compile_network(network, recipe, state, pipeline.steps)
    health = None
    if recipe.train.health:
        health = Health(recipe, state, pipeline.few(EXAMPLES), watch, losses=losses_together(network))
    observer = Observer(recipe, headline(recipe, state), material.dev, run, watch, pipeline, health)
    if checkpoint:
        restore(variables(network), checkpoint.arrays)
        observer.resume(checkpoint)
        # It is among the optimizer's variables: what the recipe says now holds, where it was changed.
        set_peak(network, recipe.train.optimizer.learning_rate * observer.plateau.share)
    loop = None
    batches: Any = None
    if keras.backend.backend() == "tensorflow":
        from dlspec.runs.compilation import Compilation
        from dlspec.runs.loop import Loop, endless

        at_once = recipe.train.steps_per_execution
        compilation = Compilation(recipe, network, watch, lambda: observer.step, steps=pipeline.steps)
        compilation.resume(checkpoint.facts.get("compilation") if checkpoint else None)
        observer.compilation = compilation
        loop = Loop(
            network,
            pipeline,
            at_once=None if at_once == "auto" else at_once,
            limit=lambda: min(observer.limit(), compilation.limit()),
            ready=compilation.ready,
        )
        network.train_function, batches = loop, endless()
    else:
        batches = sequence(pipeline, lambda: observer.epoch)
    watch.note(described(network, recipe, pipeline))
    watch.training(recipe.train.epochs, pipeline.steps)
    try:
        with warnings.catch_warnings(), observer.interruption.listening():
            # How many batches there are is the plan's affair.
            warnings.filterwarnings("ignore", message="Your input ran out of data")
            if observer.stopped_at is None:
                network.fit(
                    batches,
                    epochs=recipe.train.epochs,
                    initial_epoch=observer.epoch,
                    callbacks=[callback(observer, loop)],
                    verbose=0,
                    shuffle=False,
                )
            else:
                if health:
                    health.begin(network, observer.step)
                if recipe.train.average:  # `fit` ends with it
                    network.optimizer.finalize_variable_values(network.trainable_variables)
        if health and not observer.diverged:
            health.end(network, observer.step, observer.epoch + 1)
    except KeyboardInterrupt:
        kept = f"`dlspec train --resume {shlex.quote(str(run))}` goes on from step {observer.saved[0]:,}"
        watch.warn(f"interrupted in epoch {observer.epoch + 1} of {recipe.train.epochs}; {kept}")
        raise
    finally:
        observer.write()
        if observer.board:
            observer.board.close()
        watch.trained()
    if loop and not loop.fixed:
        watch.note(f"steps were taken {loop.at_once} at a time in the end (train.steps_per_execution)")
    if observer.stopped_at and recipe.train.early_stopping:
        watch.note(
            f"stopped after epoch {observer.stopped_at}: dev {observer.metric.name} has not improved for "
            f"{recipe.train.early_stopping.patience} epochs"
        )
    return observer, initial


def ready(network: Any, recipe: Recipe, state: State, pipeline: Pipeline) -> None:
    """Compile, and make the variables of optimizer and metrics, so that a checkpoint can be put into them."""
    import keras

    from dlspec.runs.fit import compile_network

    compile_network(network, recipe, state, pipeline.steps)
    network._symbolic_build(data_batch=keras.tree.map_structure(keras.ops.convert_to_tensor, pipeline.first()))
