"""A network fitted: from its start or from a checkpoint, watched, to the last epoch or until it diverges."""

from __future__ import annotations

import contextlib
import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs.material import Material
from dlspec.runs.prepare import headline
from dlspec.runs.stages import stages
from dlspec.types import State

if TYPE_CHECKING:
    from dlspec.runs.checkpoint import Checkpoint
    from dlspec.runs.fitted import Fitted
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
) -> tuple[Observer, Fitted, list[np.ndarray]]:
    """What was watched, what was fitted last, and the variables as they were at the start."""
    from dlspec.runs.auxiliary import losses_together
    from dlspec.runs.checkpoint import restore, restore_weights, variables
    from dlspec.runs.fit import described
    from dlspec.runs.fitted import fitted
    from dlspec.runs.health import EXAMPLES, Health
    from dlspec.runs.observer import Observer
    from dlspec.runs.optimizing import set_peak

    initial = [np.array(one) for one in network.variables]
    plan = stages(recipe, network)
    first = checkpoint.facts.get("stage", 0) if checkpoint else 0
    if checkpoint:  # what is frozen works with these weights, too
        restore_weights(network, checkpoint.arrays)
    now = fitted(recipe, state, network, material, plan, first, watch)
    set_up(now, recipe, state, network, complete=checkpoint is not None)
    health = None
    if recipe.train.health:
        few = now.material.pipeline.few(EXAMPLES)
        health = Health(recipe, state, few, watch, losses=losses_together(network))
    observer = Observer(recipe, headline(recipe, state), run, watch, health)
    observer.enter(now, network)
    if checkpoint:
        restore(variables(now.network, network), checkpoint.arrays)
        observer.resume(checkpoint)
        # It is among the optimizer's variables: what the recipe says now holds, where it was changed.
        set_peak(now.network, recipe.train.optimizer.learning_rate * observer.plateau.share)
    watch.note(described(now.network, recipe, now.material.pipeline))
    watch.training(recipe.train.epochs, now.material.pipeline.steps)
    try:
        with warnings.catch_warnings(), observer.interruption.listening():
            # How many batches there are is the plan's affair.
            warnings.filterwarnings("ignore", message="Your input ran out of data")
            while True:
                loop = _fit_stage(recipe, now, observer, watch, checkpoint if now.number == first else None)
                if observer.ended_for_good or now.number + 1 == len(plan):
                    break
                now = fitted(recipe, state, network, material, plan, now.number + 1, watch)
                set_up(now, recipe, state, network, complete=True)
                set_peak(now.network, recipe.train.optimizer.learning_rate * observer.plateau.share)
                observer.enter(now, network)
                if health:
                    health.enter(now.material.pipeline.few(EXAMPLES))
                observer.save(now.network, now.stage.begin, 0, 0.0)
        if health and not observer.diverged:
            health.end(now.network, observer.step, observer.epoch + 1)
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
        still = "has nothing to show yet, and the loss on train has" if observer.patience.nothing_yet else "has"
        watch.note(
            f"stopped after epoch {observer.stopped_at}: dev {observer.metric.name} {still} not improved for "
            f"{recipe.train.early_stopping.patience} epochs"
        )
    return observer, now, initial


def _fit_stage(recipe: Recipe, now: Fitted, observer: Observer, watch: Watch, checkpoint: Checkpoint | None) -> Any:
    """Fit to the end of a stage; the loop that took its steps, None on other backends than TensorFlow."""
    import keras

    from dlspec.runs.callback import callback
    from dlspec.runs.fit import sequence

    network, pipeline = now.network, now.material.pipeline
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
    begin = observer.epoch if checkpoint else now.stage.begin
    if observer.stopped_at is None and begin < now.stage.end:
        with contextlib.closing(loop.source) if loop else contextlib.nullcontext():
            network.fit(
                batches,
                epochs=now.stage.end,
                initial_epoch=begin,
                callbacks=[callback(observer, loop)],
                verbose=0,
                shuffle=False,
            )
    else:
        if observer.health:
            observer.health.begin(network, observer.step)
        if recipe.train.average:  # `fit` ends with it
            network.optimizer.finalize_variable_values(network.trainable_variables)
    return loop


def set_up(now: Fitted, recipe: Recipe, state: State, whole: Any, *, complete: bool) -> None:
    """Compile what is fitted in a stage.

    whole: the network of which it may be a part.  complete: make the variables of optimizer and metrics
    too, so that a checkpoint can be put into them, or made.
    """
    from dlspec.runs.fit import compile_network

    pipeline = now.material.pipeline
    if complete:
        ready(now.network, recipe, state, pipeline, begun=now.stage.begin, whole=whole)
    else:
        compile_network(now.network, recipe, state, pipeline.steps, begun=now.stage.begin, whole=whole)


def ready(network: Any, recipe: Recipe, state: State, pipeline: Pipeline, *, begun: int = 0, whole: Any = None) -> None:
    """Compile, and make the variables of optimizer and metrics, so that a checkpoint can be put into them.

    begun, whole: as `compile_network` takes them.
    """
    import keras

    from dlspec.runs.fit import compile_network

    compile_network(network, recipe, state, pipeline.steps, begun=begun, whole=whole)
    network._symbolic_build(data_batch=keras.tree.map_structure(keras.ops.convert_to_tensor, pipeline.first()))
