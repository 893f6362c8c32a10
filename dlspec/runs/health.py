"""Health of a training: looks into the network now and then, what they say, and health.json.

Looks are taken before the first step, after the first few, and then whenever all of them together have cost less than
a two-hundredth of the training so far; they change nothing, so that a training with them gives the same bits.  Where
one cannot be taken, that is said, and training goes on without.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from dlspec.recipe.schema import Recipe
from dlspec.report.health import as_arguments
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.strategy.health import verdict
from dlspec.strategy.looks import Sample, Verdict, as_json, from_json
from dlspec.strategy.mends import as_patch, mends

if TYPE_CHECKING:
    from dlspec.runs.divergence import Origin
    from dlspec.runs.observer import Observer

EXAMPLES, FEWEST, ORDERED = 64, 8, 2
"""how many examples are looked at, the same each time; of a network that is slow on them fewer; and how many show in
what order its layers work"""
WORK = 3.2e8
"""multiply-adds forward of a look, from which on fewer examples are looked at, and only the first two looks for sure"""
EARLY = (0, 1, 10, 100)
"""updates after which a look is due: most illnesses show at once"""
SHARE, EARLY_SHARE = 0.005, 0.01
"""of a training's time, how much looks may take; and those that are due early"""
KEPT = 120
"""samples that are kept; of more, every second goes"""


class Health:
    """The looks at one training.

    Between two of its steps nothing changes: `begin` before the first, `limit` says how long the next group of steps
    may be, `stepped` is told of each group.  heard: told of every sample.
    """

    def __init__(
        self, recipe: Recipe, state: Any, batch: Any, watch: Watch | None = None, *, losses: float = 1.0
    ) -> None:
        """losses: how many times that of its output alone the network's loss is."""
        import keras

        self.recipe, self.watch = recipe, watch or Watch()
        self.heard: Callable[[Sample], None] = lambda sample: None
        self.failed: Exception | None = None
        expected = recipe.task.expected_initial_loss(state)
        self.expected: float | None = expected if expected is None else losses * expected
        self.batch = keras.tree.map_structure(keras.ops.convert_to_tensor, batch)
        self.layers: Any = None
        self.costly = False
        self.samples: list[Sample] = []
        self.over_time: list[dict[str, Any]] = []  # of the first and the latest look
        self.held: list[Any] | None = None  # the weights before a group that is looked at
        self.held_rate = 0.0
        self.at = self.held_at = 0
        self.until: int | None = None
        self.cost = 0.0
        self.began = time.perf_counter()
        self.group: int = recipe.train.accumulate  # steps of which exactly one moves the weights

    def enter(self, batch: Any) -> None:
        """Another network is fitted from now on, whose layers are others: its health is looked at anew."""
        import keras

        self.batch = keras.tree.map_structure(keras.ops.convert_to_tensor, batch)
        self.layers, self.samples, self.held, self.until = None, [], None, None
        self.over_time = []

    def begin(self, network: Any, step: int) -> None:
        """Training begins or goes on."""
        import keras

        from dlspec.runs import probe

        self.began = time.perf_counter()
        with self._daring():
            if self.layers is None:
                probe.synced(network)
                self.layers = probe.ordered(network, keras.tree.map_structure(lambda one: one[:ORDERED], self.batch))
                self._shorten()
            if not self.samples:
                self._look(network, 0, 0.0)
            self._arm(step)
        self.cost += time.perf_counter() - self.began

    def _shorten(self) -> None:
        """Of a costly network, look at fewer examples."""
        import keras

        keep = int(np.clip(WORK / max(1.0, self.layers.work), FEWEST, EXAMPLES))
        self.costly = keep < EXAMPLES
        self.batch = keras.tree.map_structure(lambda values: values[:keep], self.batch)

    def resume(self, facts: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint remembers."""
        self.samples = [from_json(one) for one in facts.get("samples", ())]
        self.over_time = list(facts.get("over_time", ()))

    def facts(self) -> dict[str, Any]:
        """What a checkpoint must remember, as JSON."""
        return {
            "samples": folders.finite([as_json(one) for one in self.samples]),
            "over_time": folders.finite(self.over_time),
        }

    @property
    def limit(self) -> int:
        """How many steps the next group may have."""
        return self.until - self.at if self.until is not None else 1 << 30

    def stepped(self, network: Any, step: int, epoch: float) -> Sample | None:
        """Take note of a group of steps; the sample, where a look was taken."""
        if self.failed:
            return None
        began = time.perf_counter()
        sample = None
        with self._daring():
            if self.held is not None and self.until is not None and step >= self.until:
                ratios = self._ratios(step - self.held_at)
                self.held = None
                sample = self._look(network, step, epoch, ratios)
            self.at = step
            if self.held is None:
                self._arm(step)
        if sample:
            self.cost += time.perf_counter() - began
        return sample

    def end(self, network: Any, step: int, epoch: float) -> None:
        """A last look, where the last was long before the end."""
        if self.failed or not self.layers or (self.samples and step - self.samples[-1].step <= 0.1 * step):
            return
        if self.costly and len(self.samples) > 1 and self.cost > EARLY_SHARE * (time.perf_counter() - self.began):
            return
        with self._daring():
            self._look(network, step, epoch)

    @contextmanager
    def _daring(self) -> Iterator[None]:
        """What goes wrong within ends the looks, which are no part of the training, and not that."""
        try:
            yield
        except Exception as error:
            self.failed, self.held, self.until = error, None, None
            what = (str(error).splitlines() or [""])[0][:200]
            self.watch.warn(f"the network's health is not looked at any more: {type(error).__name__}: {what}")

    def _arm(self, step: int) -> None:
        """Decide whether the next group is looked at, and if so hold the weights as they are before it."""
        from dlspec.runs import probe

        group = self.group
        self.at, self.until = step, None
        ahead = [(one - 1) * group for one in EARLY[1:] if (one - 1) * group >= step]
        last = self.samples[-1].step if self.samples else -1
        passed = time.perf_counter() - self.began
        early = step in ahead and (step < group or not self.costly or self.cost < EARLY_SHARE * passed)
        due = not ahead and step > last and self.cost < SHARE * passed
        if early or (due and step % group == 0):
            probe.synced(self.layers.network)
            self.held = [[probe.copied(one) for one in own] for own in self.layers.weights]
            self.held_rate = probe.learning_rate(self.layers.network)
            self.held_at, self.until = step, step + group
        elif any(one > step for one in ahead):
            self.until = next(one for one in ahead if one > step)
        elif due:
            self.until = step + group - step % group

    def _ratios(self, done: int) -> np.ndarray:
        """Euclidean norm of one step's update over that of the weights; NaN where these began at zero."""
        from dlspec.runs import probe

        assert self.held is not None
        probe.synced(self.layers.network)
        found = []
        for before, own in zip(self.held, self.layers.weights, strict=True):
            size, moved = probe.norm(before), probe.moved(before, own)
            found.append(moved / size / max(1, done // self.group) if size > 0 else np.nan)
        return np.array(found)

    def _look(self, network: Any, step: int, epoch: float, ratios: np.ndarray | None = None) -> Sample:
        from dlspec.runs import probe

        probe.synced(network)
        seen = probe.look(self.layers, self.batch)
        if ratios is None:
            rate, ratios = probe.learning_rate(network), np.full(len(self.layers.layers), np.nan)
        else:
            rate = self.held_rate  # that of the step the ratios are of
        found = seen._asdict()
        over_time = found.pop("over_time")
        if over_time:
            self.over_time = [*self.over_time[:1], {"step": step, "layers": over_time}]
        sample = Sample(step, epoch, rate=rate, ratio=ratios, **found)
        self.samples.append(sample)
        self.heard(sample)
        if len(self.samples) > KEPT:
            self.samples = [*self.samples[: len(EARLY)], *self.samples[len(EARLY) :: 2]]
        return sample

    def verdict(self, losses: Sequence[float], diverged: bool) -> Verdict:
        """What the looks say.  losses: mean training loss of each epoch."""
        names, kernels = (self.layers.names, self.layers.kernels) if self.layers else ([], [])
        return verdict(
            self.samples,
            names,
            kernels,
            rate=self.recipe.train.optimizer.learning_rate,
            expected=self.expected,
            losses=losses,
            diverged=diverged,
            accumulate=self.group,
        )

    def scalars(self, sample: Sample) -> dict[str, float]:
        """A sample for TensorBoard: a curve a layer and figure."""
        figures = {
            "gradient norm": sample.gradient,
            "update to weight ratio": sample.ratio,
            "root mean square of outputs": sample.output,
            "dead units": sample.dead,
            "saturation": sample.saturated,
        }
        return {
            f"{figure}/{name}": float(value)
            for figure, values in figures.items()
            for name, value in zip(self.layers.names, values, strict=True)
            if np.isfinite(value)
        }


def conclude(
    health: Health, observer: Observer, run: Path, watch: Watch, origin: Origin | None = None
) -> dict[str, Any]:
    """Write health.json: the verdict, what mends it, every sample; and the mend as a recipe, in suggestions/.

    What health.json holds.  A verdict that is no good news is said.
    """
    losses = [row.get("train_loss", np.nan) for row in observer.history]
    found = health.verdict(losses, observer.diverged is not None)
    chosen = mends(found, health.recipe.model_dump(mode="json"))
    change = chosen[0].changes if chosen else {}
    file = run / "suggestions" / "health.yaml"
    if not chosen:
        file.unlink(missing_ok=True)  # of before it went on
    else:
        held = {"extends": "../recipe.yaml", **as_patch(change)}
        text = f"# {found.says}.\n# {chosen[0].reason}.\n"
        folders.write_text(file, text + yaml.safe_dump(held, sort_keys=False, allow_unicode=True))
    layers = health.layers
    held = {
        "verdict": found.name,
        "says": found.says,
        "concerns": [layers.names[i] for i in found.layers] if layers else [],
        "also": [{"verdict": one.name, "says": one.says} for one in found.also],
        "change": change,
        "reason": chosen[0].reason if chosen else None,
        "mended_by": file.relative_to(run).as_posix() if chosen else None,
        "diverged": origin and {name: getattr(origin, name) for name in ("step", "epoch", "layer", "what")},
        "layers": [{"name": n, "kind": k} for n, k in zip(layers.names, layers.kinds, strict=True)] if layers else [],
        "samples": [as_json(one) for one in health.samples],
        "over_time": health.over_time,
    }
    folders.write_json(run / "health.json", held)
    if found.name not in ("healthy", "unknown"):
        mend = ""
        if chosen:
            mend = f"; try {as_arguments(change)} ({chosen[0].reason}), or train {shlex.quote(str(file))}"
        watch.warn(f"{found.says}{mend}")
    return held
