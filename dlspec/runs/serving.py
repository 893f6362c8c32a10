"""What it takes to serve a network: the time of one example, alone and warm, examples a second, size, parameters.

They are of the network whatever its weights, and of the machine: each is kept with the processor and the threads that
it was measured with.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dlspec.numeric.rounding import several
from dlspec.recipe.goal import MEASURED, Goal
from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs import machine
from dlspec.runs.opened import OpenedRun
from dlspec.types import Arrays, Examples, State
from dlspec.wording import plural

SINGLES = 200
"""examples that are timed one by one"""
WARM_UPS = 20
"""calls before them that are not"""
BATCH = 256
"""examples at a time, for examples a second"""
SECONDS = 0.5
"""how long batches are counted"""


def wanted(goal: Goal) -> set[str]:
    """What the goal asks of the network alone."""
    return {one.metric for one in goal.limits if one.measured}


def takes_time(names: set[str]) -> bool:
    """Whether anything that is named is a time, which others that work at once would lengthen."""
    return bool(names - {"size_mb", "parameters"})


def here() -> dict[str, Any]:
    """The machine, as far as times depend on it."""
    return {
        "processor": machine.processor(),
        "processors": os.cpu_count(),
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
    }


def measure(recipe: Recipe, state: State, network: Any, arrays: Arrays, saved: Path, names: set[str]) -> dict[str, Any]:
    """Measure what is named.

    arrays: encoded examples, as the network takes them, (N, …) each.  saved: the network's file.
    Times are of the network as a run serves it: compiled, from encoded arrays to what the task's `predict` asks
    for (as a rule logits) in memory; nothing else of this process works meanwhile.
    """
    from dlspec.runs.backend import threads_in_force
    from dlspec.runs.fit import answering

    found: dict[str, Any] = {"size_mb": saved.stat().st_size / 1e6, "parameters": int(network.count_params())}
    call = answering(recipe, network, state)
    if any(name.startswith("latency") for name in names):
        found |= latency(call, arrays)
    if "examples_per_second" in names:
        found["examples_per_second"] = throughput(call, arrays)
    return {**found, "threads": threads_in_force(), "machine": here()}


def latency(call: Any, arrays: Arrays) -> dict[str, Any]:
    """Milliseconds of one example: the median, and what 95 of 100 take no longer than."""
    import numpy as np

    count = len(next(iter(arrays.values())))
    singles = itertools.cycle([{name: array[i : i + 1] for name, array in arrays.items()} for i in range(count)])
    for _ in range(WARM_UPS):
        call(next(singles))
    taken = []
    for one in itertools.islice(singles, SINGLES):
        began = time.perf_counter_ns()
        call(one)
        taken.append(time.perf_counter_ns() - began)
    middle, most = np.percentile(taken, [50, 95]) / 1e6
    return {"latency_ms_p50": float(middle), "latency_ms_p95": float(most), "timed": SINGLES, "warm_ups": WARM_UPS}


def throughput(call: Any, arrays: Arrays) -> float:
    """Examples a second, many at a time."""
    import numpy as np

    count = len(next(iter(arrays.values())))
    batch = {name: array[np.arange(BATCH) % count] for name, array in arrays.items()}
    for _ in range(2):
        call(batch)
    began, batches = time.perf_counter(), 0
    while batches < 3 or time.perf_counter() - began < SECONDS:
        call(batch)
        batches += 1
    return BATCH * batches / (time.perf_counter() - began)


def kept(run: Path) -> dict[str, Any]:
    """What was measured of a run before."""
    return (folders.read_json(run / "scores.json", {}).get("goal") or {}).get("measured") or {}


def holds(measured: Mapping[str, Any], names: set[str], where: Mapping[str, Any] | None = None) -> bool:
    """Whether what was measured is all that is wanted, and on that machine (this one)."""
    return names <= measured.keys() and measured.get("machine") == (where or here())


def measured_of(opened: OpenedRun, examples: Callable[[], Examples], names: set[str], watch: Watch) -> dict[str, Any]:
    """What is wanted of a run's network: as it was kept, or measured on these examples where that was elsewhere."""
    from dlspec.runs.store import Store

    before = kept(opened.folder)
    if not names or holds(before, names):
        return before
    some = examples()
    some = some.take(range(min(SINGLES, len(some))))
    arrays = next(iter(Store(opened.recipe, opened.state, some, watch).chunks(SINGLES)))
    found = measure(opened.recipe, opened.state, opened.network, arrays, opened.folder / "model.keras", names)
    watch.note(said(found))
    return found


def shown(measured: Mapping[str, Any]) -> dict[str, Any] | None:
    """The figures, and with how many threads they were measured; None where nothing was."""
    names = [metric.name for metric in MEASURED if metric.name in measured]
    return {name: measured[name] for name in [*names, "threads"]} if names else None


def said(measured: Mapping[str, Any]) -> str:
    """What was measured, and how, in a sentence."""
    parts = [f"{plural(measured['parameters'], 'parameter')}, {measured['size_mb']:.3g} MB"]
    if "latency_ms_p50" in measured:
        middle, most = measured["latency_ms_p50"], measured["latency_ms_p95"]
        parts.append(f"one example takes {middle:.3g} ms, 95 of 100 at most {most:.3g} ms")
    if "examples_per_second" in measured:
        parts.append(f"{several(measured['examples_per_second'], 'example')} a second, {BATCH} at a time")
    threads, where = measured["threads"], measured["machine"]["processor"]
    return f"the network: {'; '.join(parts)} ({threads} thread{'s' * (threads != 1)}, {where})"
