"""Whether the steps of a training are compiled with XLA: tried and timed, where there is time to be saved.

A training begins without.  After its first steps, where what is still to come would last long, both ways are timed on
a real batch; everything that this changes is put back.  What was found is kept by machine, network, versions and
threads, and what was decided by the number of steps as well: the same training takes the same way each time, and so
comes to the same bits, in which the two ways differ.  A checkpoint remembers it too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dlspec.recipe.places import helpers
from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs import cache, machine
from dlspec.runs import folder as folders
from dlspec.runs.backend import threads_in_force
from dlspec.types import ArgumentError, Place, RecipeError

if TYPE_CHECKING:
    from dlspec.runs.loop import Loop

DECIDED_AT = 24
"""steps of a training after which it is decided: always the same, so that the bits do not hang on a clock"""
SECONDS_A_LAYER = 2.0
"""of training still to come, for each layer with weights: what compiling and timing take must be lost in it"""
MARGIN = 1.05
"""how many times as fast compiled steps must be"""
TRIAL_SECONDS = 0.3
"""how long one of the timings lasts; each way is timed three times in turn"""
INDIFFERENT = {"seed", "epochs", "schedule", "sampling", "early_stopping", "keep", "compile", "tensorboard", "health",
               "cache", "checkpoint", "steps_per_execution", "threads"}  # fmt: skip
"""settings of `train` that do not change what a step is made of"""


class Timed(NamedTuple):
    """Seconds a step, and those that compiling took; `cannot`: what XLA said where it could not."""

    plain: float
    compiled: float | None = None
    compiling: float = 0.0
    cannot: str = ""

    def said(self, size: int) -> str:
        """In words.  size: examples a step."""
        if self.compiled is None:
            return f"XLA cannot compile this network ({self.cannot})"
        return f"{size / self.compiled:,.0f} against {size / self.plain:,.0f} examples a second"


class Compilation:
    """What is decided for one training, and since which step it holds.

    compiled: None as long as nothing is decided.  step: how many steps of the training have been taken.
    """

    def __init__(self, recipe: Recipe, network: Any, watch: Watch, step: Callable[[], int], *, steps: int) -> None:
        """steps: of an epoch."""
        self.recipe, self.network, self.watch, self.step = recipe, network, watch, step
        self.total = recipe.train.epochs * steps
        self.compiled = True if network.jit_compile else None if recipe.train.compile == "auto" else False
        self.since = 0

    def facts(self) -> dict[str, Any] | None:
        """What a checkpoint must remember, as JSON."""
        return None if self.compiled is None else {"compiled": self.compiled, "since": self.since}

    def resume(self, facts: Mapping[str, Any] | None) -> None:
        """Go on as a checkpoint remembers, where the recipe leaves it open."""
        if facts and self.compiled is None:
            self.compiled, self.since = facts["compiled"], facts["since"]

    def limit(self) -> int:
        """How many steps may be taken before it is to be decided, or changes."""
        at = DECIDED_AT if self.compiled is None else self.since
        return at - self.step() if at > self.step() else 1 << 30

    def ready(self, loop: Loop) -> None:
        """Between two groups of steps: decide where it is time, and compile where that was decided."""
        if self.compiled is None and self.step() >= DECIDED_AT:
            self.since = self.step()
            self._decide(loop)
        if self.compiled and not loop.compiled and self.step() >= self.since:
            with _restored(self.network, loop):
                self._compile(loop)

    def _compile(self, loop: Loop) -> None:
        """Raises RecipeError where XLA cannot, and the recipe asks for it."""
        try:
            loop.compiled = compiled(loop)
        except Exception as error:
            if loop.source.failed:
                raise
            if self.recipe.train.compile == "auto" and not self.network.jit_compile:
                raise ArgumentError(
                    f"XLA has compiled this network before, and fails now ({reason(error)}); "
                    "--set train.compile=off trains it without"
                ) from error
            message = f"XLA cannot compile this network ({reason(error)}); leave train.compile at auto"
            raise RecipeError(message, where=Place(key="train.compile")) from error

    def _decide(self, loop: Loop) -> None:
        file = cache.folder() / "compilation" / f"{self._key(loop)}.json"
        kept = _read(file)
        left, total = self.total - self.step(), str(self.total)
        known = Timed(**kept["timed"]) if "timed" in kept else None
        if loop.gaps:  # batches are of any size
            self.compiled = False
            return
        near = True
        if total in kept.get("decided", {}):
            self.compiled = bool(kept["decided"][total])
        elif known:
            saved = known.plain - known.compiled if known.compiled else 0.0
            self.compiled = _faster(known) and left * saved > 2 * known.compiling
        else:
            with _restored(self.network, loop):
                known, near = self._timed(loop, left)
            self.compiled = known is not None and _faster(known)
        size = loop.pipeline.batch_size
        if known and known.compiled is None:
            self.watch.note(f"{known.said(size)}: it is trained without")
        elif known:
            how = f"compiled with XLA from step {self.since:,} on" if self.compiled else "not compiled with XLA"
            self.watch.note(f"{how}: with it {known.said(size)} (train.compile)")
        if not near:  # it will be short another time, too
            return
        kept |= {"timed": known._asdict()} if known else {}
        kept["decided"] = {**kept.get("decided", {}), total: self.compiled}
        with contextlib.suppress(OSError):  # a cache that may only be read
            _clean(file.parent)
            folders.write_json(file, kept)

    def _timed(self, loop: Loop, left: int) -> tuple[Timed | None, bool]:
        """Both ways, or None where too little is still to come; and whether a clock might have said otherwise.

        left: how many steps are to come.
        """
        plain, count = loop.steps, 4
        _seconds(loop, plain, 1)
        seconds = _seconds(loop, plain, count) / count
        enough = SECONDS_A_LAYER * sum(bool(one._trainable_variables) for one in self.network._flatten_layers())
        if left * seconds < enough:
            return None, left * seconds > enough / 4
        began = time.perf_counter()
        try:
            xla = compiled(loop)
        except Exception as error:
            return Timed(seconds, cannot=reason(error)), True
        compiling = time.perf_counter() - began
        count = max(count, min(4096, round(TRIAL_SECONDS / seconds)))
        found = [[_seconds(loop, steps, count) / count for steps in (plain, xla)] for _ in range(3)]
        known = Timed(min(one for one, _ in found), min(one for _, one in found), compiling)
        if _faster(known):
            loop.compiled = xla
        return known, True

    def _key(self, loop: Loop) -> str:
        """A hash of all that a step's speed hangs on."""
        recipe, own = self.recipe, hashlib.blake2b(digest_size=16)
        train = recipe.train.model_dump(mode="json", exclude=INDIFFERENT) | {"optimizer": recipe.train.optimizer.name}
        # One's own code lies in the run when it goes on: by its content, not by its place.
        sections = {name: getattr(recipe, name).model_dump(mode="json") for name in ("task", "input", "model")}
        for name, section in sections.items():
            if str(section.get("name")).endswith(".py"):
                section["name"] = Path(section["name"]).name
                home = Path(getattr(recipe, name).name).parent.resolve()
                section["code"] = [hashlib.blake2b(one.read_bytes()).hexdigest() for one in helpers(home)]
        shapes = [[*one.shape] for one in self.network.variables]
        here = [machine.versions(), machine.processor(), os.cpu_count(), threads_in_force()]
        facts = [here, sections, train, shapes, loop.pipeline.batch_size]
        own.update(json.dumps(facts, default=str, sort_keys=True).encode())
        return own.hexdigest()


def compiled(loop: Loop) -> Any:
    """What takes groups of compiled steps, compiled by one step.  Raises what TensorFlow raises where it cannot."""
    import tensorflow as tf

    steps = loop.in_groups(tf.function(loop.network.train_step, jit_compile=True, reduce_retracing=True))
    with _indeterminate():
        steps(loop.source.still(1), tf.constant(1))
    return steps


def reason(error: Exception) -> str:
    """What XLA lacks, in its own words."""
    lines = [one.strip() for one in str(error).splitlines()]
    lines = [one for one in lines if not one.startswith(("[[", "<", 'File "'))]
    said = next((one for one in lines if "unsupported" in one or " not " in one), type(error).__name__)
    return said.partition("{{")[0].partition(" (No registered")[0][:200]


def _faster(known: Timed) -> bool:
    return known.compiled is not None and known.plain > MARGIN * known.compiled


def _seconds(loop: Loop, steps: Any, count: int) -> float:
    """How long so many steps take; they change the network."""
    import tensorflow as tf

    source = loop.source.still(count)
    began = time.perf_counter()
    steps(source, tf.constant(count))
    loop.taken.numpy()
    return time.perf_counter() - began


@contextlib.contextmanager
def _restored(network: Any, loop: Loop) -> Iterator[None]:
    """Within, steps may be taken: after it every variable is what it was."""
    from dlspec.runs.checkpoint import captured, restore, variables

    found = {**variables(network), "taken": loop.taken}
    before = captured(found)
    try:
        yield
    finally:
        restore(found, before)


@contextlib.contextmanager
def _indeterminate() -> Iterator[None]:
    """Within, TensorFlow does not insist on operations that it knows to be deterministic.

    XLA refuses some of them for that (the gradient of max pooling), though its programs for a CPU are.
    """
    import tensorflow as tf
    from tensorflow.python.framework import config

    on = config.is_op_determinism_enabled()
    if on:
        config.disable_op_determinism()
    try:
        yield
    finally:
        if on:
            tf.config.experimental.enable_op_determinism()


def _read(file: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _clean(home: Path) -> None:
    """Remove what no training has written to for long."""
    for one in home.glob("*.json"):
        with contextlib.suppress(OSError):
            if time.time() - one.stat().st_mtime > cache.UNUSED_DAYS * 86_400:
                one.unlink()
