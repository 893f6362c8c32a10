"""Whether shuffled targets can be learned, which would be a leak; and, to compare, whether the true ones can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs.check_trial import Batch, batch, best_guess, compiled, known, loss_of
from dlspec.runs.material import fixed_sample
from dlspec.runs.pipeline import Pipeline
from dlspec.runs.store import store
from dlspec.types import Examples, Finding, Splits, State

TRAIN, DEV = 2_000, 1_000
"""examples, at most"""
FEWEST = 20
"""examples of dev below which nothing is said"""
STEPS, LOOKS, BATCH = 200, 4, 64
BUDGET, FEWEST_STEPS = 2.5e11, 60
"""multiply-adds forward that one short training may take (half a minute on two cores), in no fewer steps than these"""
BLOCKS = 20
"""parts of dev whose losses tell the interval"""
DEVIATIONS = 2.093
"""Student's t for 95 % with 19 degrees of freedom"""
LEAK = 0.1
"""of the loss of the best constant guess: so much better, for sure, is no chance"""
SHUFFLES = 3
"""times that it must happen, each with another shuffle: a single one may well favour the clusters of a small data set
by luck (of 8 shuffles of iris flowers, one gained 17 %)"""


class Gain(NamedTuple):
    """By how much the loss on dev is better than that of the best constant guess, as a share; with its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.1%} ({self.low:+.1%} to {self.high:+.1%})"

    def said(self, steps: int) -> str:
        """The gain after so many steps in words: a loss that is worse is not called better by less than nothing."""
        if self.value >= 0 or not np.isfinite(self.value):
            return f"loss on dev better than that of a constant guess by {self} in {steps} steps"
        worse = Gain(-self.value, -self.high, -self.low)
        return f"loss on dev worse than that of a constant guess by {worse} in {steps} steps"


def chance(
    recipe: Recipe,
    state: State,
    splits: Splits,
    fresh: Callable[[], Any],
    rate: float,
    watch: Watch,
    multiply_adds: int | None = None,
) -> tuple[dict[str, str], bool | None, list[Finding]]:
    """Train shortly on shuffled and on true targets, and judge both on dev: in words, whether it learns, and findings.

    multiply_adds: of one example; a network that takes many is trained in fewer steps.
    They are compared with the best constant guess for dev itself.  Chance cannot help much: what is learned of shuffled
    targets is weak or wrong, unless the truth has come in by another way.
    """
    if "dev" not in splits or not splits["dev"].labelled:
        return {"shuffled targets": "not tried: there is no dev"}, None, []
    dev = fixed_sample(known(recipe, state, splits["dev"], splits["train"]), DEV)
    if len(dev) < FEWEST:
        return {"shuffled targets": f"not tried: dev has {len(dev)} examples, fewer than {FEWEST}"}, None, []
    train = fixed_sample(splits["train"], TRAIN)
    steps = steps_of(multiply_adds)
    judged = _judged(recipe, state, fresh(), batch(recipe, state, dev))
    shuffled: Gain | None = None
    for seed in range(SHUFFLES):
        others = recipe.task.shuffled(train, seed)
        if others is None:
            break
        once = _gain(recipe, state, fresh(), others, judged, rate, watch, steps)
        shuffled = once if shuffled is None else min(shuffled, once, key=lambda one: one.low)
        if shuffled.low <= LEAK:
            break
    true = _gain(recipe, state, fresh(), train, judged, rate, watch, steps, best=True)
    none = "not tried: what is true of an example is made of the example itself"
    said = {"shuffled targets": none if shuffled is None else shuffled.said(steps), "true targets": true.said(steps)}
    return said, true.low > 0, [_leak(shuffled, true)] if shuffled is not None and shuffled.low > LEAK else []


def steps_of(multiply_adds: int | None) -> int:
    """How many steps a short training takes, for a network of so many multiply-adds an example."""
    most = STEPS if not multiply_adds else int(BUDGET / (BATCH * multiply_adds))
    return min(STEPS, max(FEWEST_STEPS, most)) // LOOKS * LOOKS


def _gain(
    recipe: Recipe,
    state: State,
    network: Any,
    examples: Examples,
    judged: _Judged,
    rate: float,
    watch: Watch,
    steps: int,
    *,
    best: bool = False,
) -> Gain:
    """The gain of a short training, by the mean of the looks or the best of them.

    Between two steps a network swings to and fro, and with the best of several looks chance would win.
    """
    small = recipe.model_copy(update={"train": recipe.train.model_copy(update={"batch_size": BATCH})})
    pipeline = Pipeline(small, state, store(small, state, examples, watch))
    compiled(network, recipe, state, rate)
    looks: list[np.ndarray] = []
    step, epoch = 0, 0
    while step < steps:
        for one in pipeline.batches(epoch):
            network.train_on_batch(*one)
            step += 1
            if step % (steps // LOOKS) == 0:
                outputs = network.predict(judged.batch.x, batch_size=256, verbose=0)
                looks.append(_losses(recipe, state, outputs, judged.batch))
            if step >= steps:
                break
        epoch += 1
    looked = [one for one in looks if np.isfinite(one).all()]
    if not looked:
        return Gain(-np.inf, -np.inf, -np.inf)
    apart = judged.constant - (min(looked, key=lambda one: float(one.mean())) if best else np.mean(looked, axis=0))
    mean, half = float(apart.mean()), DEVIATIONS * float(apart.std(ddof=1)) / BLOCKS**0.5
    unit = max(float(judged.constant.mean()), 1e-12)
    return Gain(mean / unit, (mean - half) / unit, (mean + half) / unit)


class _Judged(NamedTuple):
    """What is judged: a batch, and the losses of the best constant guess in each part of it."""

    batch: Batch
    constant: np.ndarray


def _judged(recipe: Recipe, state: State, network: Any, whole: Batch) -> _Judged:
    outputs = network.predict(whole.x, batch_size=256, verbose=0)
    constant = best_guess(recipe, state, outputs, whole, constant=True)
    return _Judged(whole, _losses(recipe, state, constant, whole))


def _losses(recipe: Recipe, state: State, outputs: Any, whole: Batch) -> np.ndarray:
    """The loss of outputs in each of so many random parts, (BLOCKS,)."""
    import keras

    loss, found = loss_of(recipe, state), []
    for block in np.array_split(np.random.default_rng(0).permutation(whole.size), BLOCKS):
        some = [one[block] for one in keras.tree.flatten(outputs)]
        found.append(float(loss(keras.tree.pack_sequence_as(outputs, some), whole.take(block))))
    return np.array(found)


def _leak(shuffled: Gain, true: Gain) -> Finding:
    message = (
        f"networks that were trained on shuffled targets still do better on dev than a constant guess, {SHUFFLES} "
        f"times of {SHUFFLES}, by at least {shuffled} of the loss (with true targets {true}): the truth comes in by "
        "another way than the targets. Look where the input's encode, augmented or finish, or the task's finish, uses "
        "the target"
    )
    return Finding("error", "shuffled_beat_chance", "dev", message)
