"""Where a training went wrong: the step and the layer at which the first number that is none came up.

Found by replaying it from its last checkpoint, step by step: the same bits come again.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.report.health import as_arguments
from dlspec.report.watch import Watch
from dlspec.runs import checkpoint as checkpoints
from dlspec.runs.checkpoint import Checkpoint
from dlspec.runs.pipeline import Pipeline
from dlspec.types import Place, RecipeError, State

if TYPE_CHECKING:
    from dlspec.runs.compilation import Compilation
    from dlspec.runs.fitted import Fitted
    from dlspec.runs.observer import Observer


class Origin(NamedTuple):
    """step: of the whole training, from 1.  epoch: from 1.  layer: its name; what: which of its numbers are none:
    "outputs", "gradient", "weights"; for the input "inputs", for the loss "loss" with no layer.
    before: the variables before that step, all of them finite, with the facts `epoch` (from 0) and `in_epoch`."""

    step: int
    epoch: int
    layer: str | None
    what: str
    before: Checkpoint

    def __str__(self) -> str:
        where = {
            "inputs": "with numbers among its inputs that are none: look at the data",
            "loss": "in the loss itself: what the network gave is finite",
            "outputs": f"in what layer '{self.layer}' gives",
            "gradient": f"in the gradient of layer '{self.layer}'",
            "weights": f"in the weights of layer '{self.layer}'",
        }
        return f"step {self.step:,} (epoch {self.epoch}), {where[self.what]}"


def find(
    recipe: Recipe,
    state: State,
    of: Fitted,
    whole: Any,
    home: Path,
    initial: list[np.ndarray],
    last: int,
    watch: Watch,
    decided: Mapping[str, Any] | None = None,
) -> Origin | None:
    """Replay the training from its last checkpoint (or its start) until the loss, or a weight, is no finite number.

    of: the network as it was trained; it is left at the last good step.  whole: that of which it may be a part.
    initial: the variables of the whole at the start.  last: the step
    by which it must have happened.  decided: whether steps were compiled, and since when.  None where the replay stays
    finite, or where no step by step replay can be had (on other backends than TensorFlow).
    """
    import keras

    from dlspec.runs.compilation import Compilation
    from dlspec.runs.fit import compile_network
    from dlspec.runs.optimizing import set_peak

    if keras.backend.backend() != "tensorflow":
        return None
    network, pipeline = of.network, of.material.pipeline
    start, _ = checkpoints.newest(home)
    compile_network(network, recipe, state, pipeline.steps, begun=of.stage.begin, whole=whole)
    data = keras.tree.map_structure(keras.ops.convert_to_tensor, pipeline.few(1))
    network._symbolic_build(data_batch=data)
    at, epoch, done = 0, 0, 0
    if start:
        checkpoints.restore(checkpoints.variables(network, whole), start.arrays)
        # As when training goes on: the recipe's, which may be another than it was, lowered as far as it had come.
        share = (start.facts.get("plateau") or {}).get("share", 1.0)
        set_peak(network, recipe.train.optimizer.learning_rate * share)
        at, epoch, done = start.step, start.facts["epoch"], start.facts["in_epoch"]
    else:
        for variable, value in zip(whole.variables, initial, strict=True):
            variable.assign(value)
    watch.note(f"looking for where it began: replaying from step {at:,}")
    compilation = Compilation(recipe, network, watch, lambda: at, steps=pipeline.steps)
    compilation.resume(decided)
    for before, after in _steps(network, pipeline, at, epoch, done, last, compilation):
        if not np.isfinite(float(network.get_metrics_result()["loss"])) or not checkpoints.sound(after):
            return _origin(network, pipeline, before, after)
    return None


def traced(
    observer: Observer,
    recipe: Recipe,
    state: State,
    last: Fitted,
    run: Path,
    initial: list[np.ndarray],
    watch: Watch,
) -> Origin | None:
    """Where a training that diverged went wrong; the weights before that are kept in a checkpoint."""
    if not observer.diverged:
        return None
    decided = observer.compilation.facts() if observer.compilation else None
    origin = find(recipe, state, last, observer.whole, run / "checkpoint", initial, observer.step, watch, decided)
    if origin:
        observer.back_to(last.network, origin.before)
    return origin


def say(
    observer: Observer,
    recipe: Recipe,
    run: Path,
    watch: Watch,
    origin: Origin | None,
    health: Mapping[str, Any] | None,
) -> None:
    """The weights are no numbers any more: what was best before is kept.  Raises RecipeError where nothing was."""
    key = "train.optimizer.learning_rate"
    rate = recipe.train.optimizer.learning_rate
    change = (health or {}).get("change") or {key: rate / 10}
    where = origin or f"epoch {observer.diverged}"
    what = "the loss, or a weight, is no finite number"
    said = f"training diverged in epoch {observer.diverged}: {what}. It began at {where}"
    if observer.best is not None:
        watch.warn(f"{said}. The weights of epoch {observer.best.epoch + 1} are kept")
        return
    sets = as_arguments(change)
    mend = f"lower it ({rate:g}): " if key in change else ""
    # What such steps have left of the weights in the first epoch is not worth going on with.
    if origin and origin.before.facts["epoch"] > 0 and all(one.startswith("train.") for one in change):
        command = f"dlspec train --resume {shlex.quote(str(run))} {sets}"
        mend += f"`{command}` goes on from the step before, the last good one, which is kept"
    else:
        mend += f"train it anew with {sets}"
    raise RecipeError(f"{said}; {mend}; {run} is unfinished", where=Place(key=key))


def _steps(
    network: Any, pipeline: Pipeline, at: int, epoch: int, done: int, last: int, compilation: Compilation
) -> Iterator[tuple[Checkpoint, Mapping[str, np.ndarray]]]:
    """Take one step after another; each time, the variables as they were before it, and as they are after it."""
    from dlspec.runs.loop import Loop

    compilation.step = lambda: at
    loop = Loop(network, pipeline, at_once=1, ready=compilation.ready)
    with contextlib.closing(loop.source):
        while at < last:
            loop.begin(epoch, done)
            if not done:
                network.reset_metrics()
            arrays = checkpoints.captured(checkpoints.variables(network))
            while at < last:
                try:
                    loop(None)
                except StopIteration:
                    break
                after = checkpoints.captured(checkpoints.variables(network))
                yield Checkpoint(at, arrays, {"epoch": epoch, "in_epoch": done}), after
                arrays, at, done = after, at + 1, loop.behind
            epoch, done = epoch + 1, 0


def _origin(network: Any, pipeline: Pipeline, before: Checkpoint, after: Mapping[str, np.ndarray]) -> Origin:
    """Which layer, of the first step whose loss was no number or which spoiled the weights."""
    what, name = _looked(network, pipeline, before)
    if what == "nothing":
        spoiled = _spoiled(network, after)
        what, name = ("weights", spoiled) if spoiled else ("loss", None)
    checkpoints.restore(checkpoints.variables(network), before.arrays)
    return Origin(before.step + 1, before.facts["epoch"] + 1, name, what, before)


def _spoiled(network: Any, arrays: Mapping[str, np.ndarray]) -> str | None:
    """The first layer whose weights are no numbers."""
    from dlspec.runs import probe

    checkpoints.restore(checkpoints.variables(network), arrays)
    layers = probe.Layers(network)
    for name, own in zip(layers.names, layers.weights, strict=True):
        if not all(_finite(one) for one in own):
            return name
    return None


def _looked(network: Any, pipeline: Pipeline, before: Checkpoint) -> tuple[str, str | None]:
    """What goes wrong first in the step that follows: forward in the order of work, then backward; or "nothing"."""
    import keras

    from dlspec.runs import probe

    checkpoints.restore(checkpoints.variables(network), before.arrays)
    batch = next(pipeline.batches(before.facts["epoch"], before.facts["in_epoch"]))
    if not all(_finite(one) for one in keras.tree.flatten(batch[0])):
        return "inputs", None
    wrong: list[str] = []

    def hear(layer: Any, outputs: Any) -> None:
        if not all(_finite(one) for one in probe.concrete(outputs)):
            wrong.append(layer.name)

    tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, batch)
    with probe.unchanged(network):
        with probe.listening(network, hear):
            network(tensors[0], training=True)
        if wrong:
            return "outputs", wrong[0]
        layers = probe.ordered(network, tensors)
        loss, gradients, _ = probe.gradients(network, tensors, lambda layer, outputs: None)
        if not np.isfinite(loss):
            return "loss", None
        bad = [
            name
            for name, values in zip(layers.names, gradients(layers.weights), strict=True)
            if not all(_finite(one) for one in values)
        ]
    # Gradients flow backward: the last layer in the order of work is the first to have a wrong one.
    return ("gradient", bad[-1]) if bad else ("nothing", None)


def _finite(values: Any) -> bool:
    import keras

    return checkpoints.finite(np.asarray(keras.ops.convert_to_numpy(values)))
