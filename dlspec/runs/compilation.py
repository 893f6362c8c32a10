"""Which way the steps of a training are carried out: tried and timed, where there is time to be saved.

`parallel`: operations that do not wait for each other run in several threads.  `single_threaded`: one operation after
another in the thread that asks; an operation may still use all threads.  A small network, whose operations last no
longer than handing them over, gains by it; others lose.  It is for data that is held in memory.  `xla`: a step is
compiled into one program.

A training begins in parallel.  After its first steps, where what is still to come would last long, the ways are timed
on a real batch; everything that this changes is put back.  What was found is kept by machine, network, versions and
threads, and what was decided by the number of steps as well: the same training takes the same way each time, and so
comes to the same bits, in which the ways differ.  A checkpoint remembers it too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.recipe.places import helpers
from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs import cache, machine
from dlspec.runs import folder as folders
from dlspec.runs.backend import on_gpu, threads_in_force
from dlspec.runs.ragged import of_any_length
from dlspec.runs.ways import Timed, Way
from dlspec.types import ArgumentError, Place, RecipeError
from dlspec.wording import plural

if TYPE_CHECKING:
    from dlspec.runs.loop import Loop

DECIDED_AT = 24
"""steps of a training after which it is decided: always the same, so that the bits do not hang on a clock"""
SECONDS_A_LAYER = 2.0
"""of training still to come, for each layer with weights, where XLA is tried: compiling must be lost in it"""
SECONDS_TO_COME = 20.0
"""of training still to come, where the single-threaded executor is tried"""
SHORT_STEP = 0.005
"""seconds; in a longer step, operations last so long that handing them over does not count"""
TRIAL_SECONDS = 0.3
"""how long one of the timings lasts; each way is timed three times in turn"""
INDIFFERENT = {"seed", "epochs", "start_from", "unfreeze", "schedule", "sampling", "early_stopping", "keep", "compile",
               "executor", "tensorboard", "health", "cache", "checkpoint", "steps_per_execution",
               "threads"}  # fmt: skip
"""settings of `train` that do not change what a step is made of"""
SINGLE_THREADED = "SINGLE_THREADED_EXECUTOR"
"""what TensorFlow calls it"""


class Compilation:
    """What is decided for one training, and since which step it holds.

    way: None as long as nothing is decided.  ways: between which it is decided.  step: how many steps of the training
    have been taken.
    """

    def __init__(self, recipe: Recipe, network: Any, watch: Watch, step: Callable[[], int], *, steps: int) -> None:
        """steps: of an epoch."""
        self.recipe, self.network, self.watch, self.step = recipe, network, watch, step
        self.total = recipe.train.epochs * steps
        train = recipe.train
        self.ways: list[Way] = ["parallel"]
        # Sentences are not held in memory as the network takes them, and XLA would compile every length for itself.
        if not of_any_length(network):
            self.ways += ["single_threaded"] if train.executor == "auto" and not on_gpu() else []
            self.ways += ["xla"] if train.compile == "auto" and train.executor != "single_threaded" else []
        self.way: Way | None = None
        if network.jit_compile:
            self.way = "xla"
        elif train.executor == "single_threaded":
            self.way = "single_threaded"
        elif self.ways == ["parallel"]:
            self.way = "parallel"
        self.since = 0

    def facts(self) -> dict[str, Any] | None:
        """What a checkpoint must remember, as JSON."""
        return None if self.way is None else {"way": self.way, "since": self.since}

    def resume(self, facts: Mapping[str, Any] | None) -> None:
        """Go on as a checkpoint remembers, where the recipe leaves it open."""
        if facts and self.way is None:
            self.way, self.since = facts["way"], facts["since"]

    def limit(self) -> int:
        """How many steps may be taken before it is to be decided, or changes."""
        at = DECIDED_AT if self.way is None else self.since
        return at - self.step() if at > self.step() else 1 << 30

    def ready(self, loop: Loop) -> None:
        """Between two groups of steps: decide where it is time, and change over where that was decided."""
        if self.way is None and self.step() >= DECIDED_AT:
            self.since = self.step()
            self._decide(loop)
        if self.step() < self.since:
            return
        if self.way == "single_threaded" and not loop.resident:
            self.way = "parallel"
            self.watch.warn("batches are made while training, in other threads: train.executor is not in force")
        elif self.way == "single_threaded" and not loop.executor:
            # Traced anew: its loops are made for the executor that is in force when they are traced.
            loop.steps, loop.executor = loop.in_groups(self.network.train_step), SINGLE_THREADED
        elif self.way == "xla" and not loop.compiled:
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
        if loop.gaps:  # batches are of any size
            self.way = "parallel"
            return
        if not loop.resident:  # where batches come from takes threads too: a single one would wait for itself
            self.ways = [way for way in self.ways if way != "single_threaded"]
        file = cache.folder() / "compilation" / f"{self._key(loop)}.json"
        kept = _read(file)
        left, of = self.total - self.step(), f"{plural(self.total, 'step')}: {' or '.join(self.ways)}"
        known = None
        with contextlib.suppress(KeyError, TypeError):  # nothing is kept, or by another version
            known = Timed(**kept["timed"])
        near = True
        if of in kept.get("decided", {}):
            self.way = kept["decided"][of]
        else:
            before = known
            with _restored(self.network, loop):
                known, near = self._timed(loop, left, known)
            spent = known.xla is not None and (before is None or before.xla is None)
            self.way = known.fastest(self.ways, None if spent else left)
        assert self.way is not None
        if known:
            for line in known.said(self.way, self.since, loop.pipeline.batch_size):
                self.watch.note(line)
        if not near:  # it will be short another time, too
            return
        kept |= {"timed": known._asdict()} if known else {}
        kept["decided"] = {**kept.get("decided", {}), of: self.way}
        with contextlib.suppress(OSError):  # a cache that may only be read
            _clean(file.parent)
            folders.write_json(file, kept)

    def _timed(self, loop: Loop, left: int, known: Timed | None) -> tuple[Timed, bool]:
        """What is known, and of the ways that are not the times where enough is still to come; and whether a clock
        might have said otherwise.

        left: how many steps are to come.
        """
        if known is None:
            _seconds(loop, loop.steps, 1)
            known = Timed(_seconds(loop, loop.steps, 4) / 4)
        to_come = left * known.parallel
        near = all(getattr(known, way) or (way == "xla" and known.cannot) for way in self.ways)
        if "single_threaded" in self.ways and known.single_threaded is None:
            near |= to_come > SECONDS_TO_COME / 4
            if to_come > SECONDS_TO_COME and known.parallel < SHORT_STEP:
                single = loop.in_groups(self.network.train_step)
                try:
                    parallel, other = self._in_turn(loop, known.parallel, single, SINGLE_THREADED)
                    known = known._replace(parallel=parallel, single_threaded=other)
                except Exception as error:  # an operation that it does not know
                    self.watch.note(f"operations run in several threads: a single one fails ({reason(error)})")
        if "xla" in self.ways and known.xla is None and not known.cannot:
            layers = sum(bool(one._trainable_variables) for one in self.network._flatten_layers())
            near |= to_come > SECONDS_A_LAYER * layers / 4
            if to_come > SECONDS_A_LAYER * layers:
                began = time.perf_counter()
                try:
                    program = compiled(loop)
                except Exception as error:
                    return known._replace(cannot=reason(error)), True
                compiling = time.perf_counter() - began
                parallel, other = self._in_turn(loop, known.parallel, program)
                known = known._replace(parallel=parallel, xla=other, compiling=compiling)
                if known.fastest(self.ways) == "xla":
                    loop.compiled = program
        return known, near

    def _in_turn(self, loop: Loop, seconds: float, steps: Any, executor: str = "") -> tuple[float, float]:
        """Seconds a step in parallel, and another way; the least of three each.  seconds: a guess at the first."""
        count = max(4, min(4096, round(TRIAL_SECONDS / seconds)))
        _seconds(loop, steps, 1, executor)
        ways = ((loop.steps, ""), (steps, executor))
        found = [[_seconds(loop, what, count, how) / count for what, how in ways] for _ in range(3)]
        return min(one for one, _ in found), min(other for _, other in found)

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
        shapes = [[*one.shape, one.trainable] for one in self.network.variables]
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


def _seconds(loop: Loop, steps: Any, count: int, executor: str = "") -> float:
    """How long so many steps take; they change the network."""
    import tensorflow as tf

    source = loop.source.still(count)
    began = time.perf_counter()
    with tf.experimental.function_executor_type(executor):
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
