"""From the section `train` to Keras' optimizer: the rule, its schedule, clipping, average, accumulation, decay."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from dlspec.recipe.schedules import Noam
from dlspec.recipe.training import Train
from dlspec.runs.layer_rates import graded, rates
from dlspec.types import Place, RecipeError
from dlspec.wording import plural

FIRST_WEIGHTS = 0.2
"""the share of the first weights in the average of all from which on it is no good picture of what was learned"""


def optimizer_of(train: Train, network: Any, steps: int, begun: int = 0, whole: Any = None) -> Any:
    """A new optimizer for a network.  steps: of an epoch.  begun: epochs that are behind, of which the schedule knows.

    whole: the network of which this one may be a part.

    Its variable `learning_rate` is the recipe's number (reduce_on_plateau lowers that); what it steps with is that
    times the schedule's share, worked out within the graph from the count of steps.
    """
    import keras

    clip, average = train.clip, train.average
    settings = train.optimizer.model_dump(exclude={"name"})
    # AdamW refuses None, and nothing decays with 0.
    settings["weight_decay"] = settings["weight_decay"] or (0.0 if train.optimizer.name == "adamw" else None)
    if clip:
        settings |= {"clipnorm": clip.norm, "global_clipnorm": clip.global_norm, "clipvalue": clip.value}
    if train.accumulate > 1:
        settings["gradient_accumulation_steps"] = train.accumulate
    if average:
        # Keras averages after every step, whether it moved the weights or only gathered a gradient.
        settings |= {"use_ema": True, "ema_momentum": average.momentum ** (1 / train.accumulate)}
    rule = getattr(keras.optimizers, type(train.optimizer).__name__)
    rule = _averaging(rule) if average else rule
    if train.first_layer_rate < 1:
        rule = graded(rule, rates(whole or network, train.first_layer_rate))
    optimizer = (_scheduled(rule, train, steps, begun) if train.schedule.changes else rule)(**settings)
    optimizer.steps_before = begun * steps
    optimizer.exclude_from_weight_decay(var_list=[one for one in network.trainable_variables if len(one.shape) < 2])
    return keras.optimizers.LossScaleOptimizer(optimizer) if train.precision == "mixed_float16" else optimizer


def _scheduled(rule: Any, train: Train, steps: int, begun: int) -> Any:
    """The same rule, whose learning rate follows the schedule.

    Not one of Keras' schedules, which would take the place of the variable: this way it can be set by hand, lies in
    the checkpoint, and is a function of the step on every backend.
    """
    import keras

    class Scheduled(rule):  # type: ignore[misc]
        @property
        def learning_rate(self) -> Any:
            step = keras.ops.cast(self._iterations + begun * steps, self._learning_rate.dtype)
            share = train.schedule.share(step, steps, train.epochs * steps, keras.ops)
            return self._learning_rate * keras.ops.cast(share, self._learning_rate.dtype)

        @learning_rate.setter
        def learning_rate(self, value: Any) -> None:
            self._learning_rate.assign(value)

    Scheduled.__name__ = rule.__name__
    return Scheduled


def _averaging(rule: Any) -> Any:
    """The same rule, whose average takes the place of the weights once there is one.

    Until the first update it is zeros; with mixed_float16 the first steps may all overflow, and make none.
    """

    class Averaging(rule):  # type: ignore[misc]
        def finalize_variable_values(self, var_list: Any) -> None:
            if int(np.asarray(self._iterations)):
                super().finalize_variable_values(var_list)

    Averaging.__name__ = rule.__name__
    return Averaging


def inner(optimizer: Any) -> Any:
    """The optimizer within the one that scales losses, where there is such a one."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def peak(network: Any) -> float:
    """The learning rate before the schedule's share."""
    return float(np.asarray(inner(network.optimizer)._learning_rate))


def set_peak(network: Any, rate: float) -> None:
    """Let the learning rate, before the schedule's share, be another."""
    inner(network.optimizer).learning_rate = rate


def rate_of_last_step(network: Any, train: Train, steps: int) -> float:
    """What the last step was taken with."""
    optimizer = inner(network.optimizer)
    step = np.float64(max(0, optimizer.steps_before + int(np.asarray(optimizer._iterations)) - 1))
    return peak(network) * float(train.schedule.share(step, steps, train.epochs * steps, np))


def regularise(train: Train, network: Any) -> None:
    """Penalties and greatest norms, on the variables: so they serve every architecture, and are not saved."""
    import keras

    if train.l1 or train.l2:
        penalty = keras.regularizers.L1L2(l1=train.l1, l2=train.l2)
        for variable in network.trainable_variables:
            if len(variable.shape) > 1:
                variable.regularizer = penalty
    if train.max_norm:
        for layer in network._flatten_layers():
            for variable in layer._trainable_variables:
                if len(variable.shape) > 1:
                    variable.constraint = keras.constraints.MaxNorm(train.max_norm, axis=_incoming(layer, variable))


def _incoming(layer: Any, variable: Any) -> list[int]:
    """The axes of a kernel over which the weights of one unit lie: all but the last, which counts units."""
    import keras

    axes = list(range(len(variable.shape)))
    if isinstance(layer, keras.layers.Embedding):
        return axes[1:]
    depthwise = isinstance(layer, keras.layers.DepthwiseConv1D | keras.layers.DepthwiseConv2D)
    if depthwise or variable.name == "depthwise_kernel":
        return axes[:-2]
    return axes[:-1]


def check_steps(train: Train, steps: int) -> None:
    """Raises RecipeError where there are too few steps for what is asked.  steps: of an epoch."""
    total, warmup = train.epochs * steps, train.schedule.warmup
    if warmup and warmup.length(steps) >= total:
        key = f"train.schedule.warmup.{'steps' if warmup.steps else 'epochs'}"
        message = (
            f"the warm-up lasts {plural(warmup.length(steps), 'step')}, but training only {total:,}; make it shorter"
        )
        raise RecipeError(message, where=Place(key=key))
    if train.accumulate > total:
        message = (
            f"no update would ever be made: training has {plural(total, 'step')}, and gradients are gathered over "
            f"{train.accumulate:,}; make it smaller, or batch_size"
        )
        raise RecipeError(message, where=Place(key="train.accumulate"))


def too_short(train: Train, steps: int) -> list[str]:
    """What the recipe asks for and so short a training cannot come to, a sentence each.  steps: of an epoch."""
    total, schedule = train.epochs * steps, train.schedule
    training = f"training has {plural(total, 'step')}"
    found = []
    if isinstance(schedule, Noam) and schedule.steps >= total:
        found.append(
            f"the learning rate grows for {plural(schedule.steps, 'step')} (train.schedule.steps), but {training}: it "
            f"never comes to {train.optimizer.learning_rate:g}; train for longer, or have it grow for "
            f"{max(1, total // 4):,}"
        )
    updates = total / train.accumulate
    if train.average and (share := train.average.momentum ** max(0.0, updates - 1)) > FIRST_WEIGHTS:
        span = max(2, int(updates / 5))  # then the first weights count for less than a hundredth
        found.append(
            f"the average of the weights (train.average), which is what is scored and kept, is still {share:.0%} "
            f"weights of the first step in the end, as {training}; train for longer, leave it out, or take momentum "
            f"{1 - 1 / span:.3g}"
        )
    return found


@contextlib.contextmanager
def averaged(network: Any, train: Train) -> Iterator[None]:
    """The network with the average of its weights, where the recipe asks for one: it is what is scored and kept."""
    if not train.average:
        yield
        return
    variables = network.trainable_variables
    raw = [np.array(one) for one in variables]
    network.optimizer.finalize_variable_values(variables)
    for one in variables:  # on JAX they share memory with the average by now, and predicting gives it away
        one.assign(np.array(one))
    try:
        yield
    finally:
        for one, values in zip(variables, raw, strict=True):
            one.assign(values)
