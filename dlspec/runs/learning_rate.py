"""The learning-rate range test: train with a rate that grows from step to step, and see where the loss falls.

Smith 2017, "Cyclical learning rates for training neural networks", section 3.3; the exponential sweep and its smoothed
loss are Gugger's ("How do you find a good learning rate", 2018).
"""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.recipe.load import Loaded
from dlspec.recipe.schema import Recipe
from dlspec.recipe.training import Train
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs import origin
from dlspec.runs.auxiliary import unassisted
from dlspec.runs.backend import check_backend, load_keras
from dlspec.runs.material import pipeline_of
from dlspec.runs.network import for_training
from dlspec.runs.prepare import prepare
from dlspec.strategy.range_test import RISEN, Smoother, read
from dlspec.types import ArgumentError, DataError, Place, RecipeError, State

if TYPE_CHECKING:
    from dlspec.runs.pipeline import Pipeline

LOW, HIGH = 1e-6, 10.0
STEPS = 300
SECONDS = 120.0
FEWEST = 60
"""steps that are taken however long they last: fewer make no curve"""
BLOWN_UP = 4.0
"""the sweep ends where the smoothed loss is so many times the best, and has lost a share (RISEN) of its fall"""
EXAMPLES = 16
"""each loss is the mean of no fewer"""
SAID_SECONDS = 10.0
MEASURED = 3
"""so many steps, after the first, say how long one lasts"""


@dataclass
class RangeTest:
    """What a range test has found.

    suggestion: the rate to train with.  low, high: between them the loss falls, and has not turned yet.  diverged_at:
    where the loss blew up; None where it never did.  points: rate and smoothed loss of each step.  plot: an HTML file.
    """

    suggestion: float
    low: float
    high: float
    diverged_at: float | None
    points: list[dict[str, float]]
    plot: Path | None
    optimizer: str
    losses: list[float] = field(repr=False)
    seconds: float = 0.0

    @property
    def patch(self) -> str:
        """What to say to `dlspec train`."""
        return f"--set train.optimizer.learning_rate={self.suggestion:g}"

    def json(self) -> dict[str, Any]:
        return {
            "suggestion": self.suggestion,
            "low": self.low,
            "high": self.high,
            "diverged_at": self.diverged_at,
            "patch": self.patch,
            "points": self.points,
            "plot": None if self.plot is None else str(self.plot),
            "seconds": self.seconds,
        }


def find_learning_rate(
    loaded: Loaded,
    *,
    low: float = LOW,
    high: float = HIGH,
    steps: int = STEPS,
    seconds: float = SECONDS,
    out: str | Path | None = folders.RUNS,
    watch: Watch | None = None,
) -> RangeTest:
    """Sweep the learning rate of a recipe from low to high, over as many epochs as it takes, and suggest one.

    The steps are those of `train`, of the same batches, without schedule and averaging; nothing of the network is kept.
    seconds: where steps last so long that they would take longer, fewer are taken.  out: where the plot goes, beside
    the runs of the recipe; None: nowhere.  Raises RecipeError where the loss never falls, RecipeError or DataError as
    `train` does.
    """
    if not 0 < low < high < math.inf:
        raise ArgumentError(f"the learning rate cannot grow from {low:g} to {high:g}; give two numbers, 0 < low < high")
    watch = watch or Watch()
    check_backend()
    loaded = origin.settled(loaded, out or folders.RUNS)
    recipe = loaded.recipe
    with loaded.placing():
        prepared = prepare(recipe, watch)
        load_keras(threads=recipe.train.threads, seed=recipe.train.seed)
        network = for_training(recipe, prepared.state)
        origin.begin(recipe, prepared.state, unassisted(network), watch)
        pipeline = pipeline_of(recipe, prepared.state, prepared.splits["train"], watch)
        network, pipeline = _first_stage(_plain(recipe), prepared.state, network, pipeline, watch)
        began = time.perf_counter()
        watch.note(f"learning-rate range test: from {low:g} to {high:g} in at most {steps} steps")
        rates, losses, diverged = _sweep(network, pipeline, low, high, steps, seconds, watch)
        name = recipe.train.optimizer.name
        found = read(rates, losses)
        if found is None:
            raise RecipeError(_in_vain(rates, losses), where=Place(key="train.optimizer.learning_rate"))
    smoother = Smoother()
    points = [{"learning_rate": rate, "loss": smoother(loss)} for rate, loss in zip(rates, losses, strict=True)]
    suggestion = float(f"{found.suggestion:.2g}")
    result = RangeTest(suggestion, found.low, found.high, diverged, points, None, name, losses)
    result.seconds = time.perf_counter() - began
    if out is not None:
        result.plot = _plot(result, loaded, Path(out))
    return result


def _sweep(
    network: Any, pipeline: Pipeline, low: float, high: float, steps: int, seconds: float, watch: Watch
) -> tuple[list[float], list[float], float | None]:
    """Rates, the loss of each step, and the rate at which it blew up, if it did."""
    optimizer = getattr(network.optimizer, "inner_optimizer", network.optimizer)
    # Where gradients are accumulated, the weights change once in so many steps: they share a rate.  So do steps of a
    # few examples each, whose losses would be noise alone.
    updated = getattr(optimizer, "gradient_accumulation_steps", None) or 1
    updated *= math.ceil(EXAMPLES / (pipeline.batch_size * updated))
    rates, losses, smoother = list[float](), list[float](), Smoother()
    rate, first, best, measured = low, 0.0, math.inf, 0.0
    taken = _steps(network, pipeline)
    said = time.monotonic()
    while len(rates) < steps:
        optimizer.learning_rate = rate
        loss = sum(next(taken) for _ in range(updated)) / updated
        rates.append(rate)
        losses.append(loss)
        if not math.isfinite(loss):
            return rates, losses, rate
        smooth = smoother(loss)
        if time.monotonic() - said > SAID_SECONDS:
            said = time.monotonic()
            watch.note(f"step {len(rates)} of {steps}: learning rate {rate:.1e}, loss {smooth:.4f}")
        if len(rates) <= steps // 10:
            first = smooth
        elif smooth - best > max((BLOWN_UP - 1) * abs(best), RISEN * (first - best)):
            return rates, losses, rate
        best = min(best, smooth)
        if len(rates) == 1:
            measured = time.perf_counter()
        if len(rates) == 1 + MEASURED:
            each = (time.perf_counter() - measured) / MEASURED
            steps = min(steps, max(FEWEST, int(seconds / max(each, 1e-9))))
        if len(rates) < steps:
            rate *= (high / rate) ** (1 / (steps - len(rates)))
    return rates, losses, None


def _first_stage(recipe: Recipe, state: State, whole: Any, pipeline: Pipeline, watch: Watch) -> tuple[Any, Pipeline]:
    """What is fitted first, compiled, and its batches."""
    from dlspec.runs.fit import Score
    from dlspec.runs.fitted import fitted
    from dlspec.runs.fitting import set_up
    from dlspec.runs.material import Material
    from dlspec.runs.stages import stages

    material = Material(pipeline, None, Score(pipeline.store))
    now = fitted(recipe, state, whole, material, stages(recipe, whole), 0, watch)
    set_up(now, recipe, state, whole, complete=False)
    return now.network, now.material.pipeline


def _plain(recipe: Recipe) -> Recipe:
    """The recipe without schedule and averaging: the sweep is a schedule of its own."""
    off = {name: Train.model_fields[name].get_default() for name in ("schedule", "average")}
    return recipe.model_copy(update={"train": recipe.train.model_copy(update=off)})


def _steps(network: Any, pipeline: Pipeline) -> Iterator[float]:
    """The loss of step after step, over the epochs.  Raises DataError where an epoch has none."""
    import keras

    epoch = _by_loop(network, pipeline) if keras.backend.backend() == "tensorflow" else _by_batch(network, pipeline)
    for number in itertools.count():
        taken = False
        for loss in epoch(number):
            taken = True
            yield loss
        if not taken:
            raise DataError("no example of train can be read")


def _by_loop(network: Any, pipeline: Pipeline) -> Callable[[int], Iterator[float]]:
    """The steps of an epoch as `train` takes them on TensorFlow, one at a time."""
    from dlspec.runs.loop import Loop

    loop = Loop(network, pipeline, at_once=1)

    def epoch(number: int) -> Iterator[float]:
        loop.begin(number)
        with contextlib.closing(loop.source):
            while True:
                network.reset_metrics()
                try:
                    found = loop(None)
                except StopIteration:
                    return
                yield float(found["loss"])

    return epoch


def _by_batch(network: Any, pipeline: Pipeline) -> Callable[[int], Iterator[float]]:
    """The steps of an epoch on other backends."""
    network.steps_per_execution = 1

    def epoch(number: int) -> Iterator[float]:
        for batch in pipeline.batches(number):
            network.reset_metrics()
            yield float(network.train_on_batch(*batch, return_dict=True)["loss"])

    return epoch


def _in_vain(rates: list[float], losses: list[float]) -> str:
    if not math.isfinite(losses[0]):
        return f"the loss is no finite number at the first step already, with a learning rate of {rates[0]:g}"
    swept = f"from {rates[0]:g} to {rates[-1]:g}"
    if not math.isfinite(losses[-1]) and len(losses) < FEWEST:
        return f"the loss blows up at once ({swept}); sweep from a lower rate (--rates LOW HIGH)"
    return (
        f"no learning rate {swept} makes the loss fall beyond its noise (it begins at {losses[0]:.4g}): nothing can be "
        "suggested. Sweep wider (--rates LOW HIGH), take a larger train.batch_size, or look for the fault with "
        "`dlspec check --run`"
    )


def _plot(result: RangeTest, loaded: Loaded, out: Path) -> Path:
    """Write the plot as a file beside the runs of the recipe, whole or not at all."""
    from dlspec.report.range_test import page

    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    file = out / loaded.name / f"learning-rate-{stamp}.html"
    try:
        folders.write_text(file, page(result.json(), result.losses, loaded.name, result.optimizer))
    except OSError as error:
        raise ArgumentError(f"cannot write {file}: {error.strerror}; choose another place with --out") from None
    return file.absolute()
