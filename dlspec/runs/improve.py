"""The loop closed: train, see what holds the network back, change the recipe, keep what helps beyond chance."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dlspec.numeric.rounding import brief
from dlspec.recipe.load import Loaded, dump, load
from dlspec.report.watch import EpochReport, Watch
from dlspec.runs import folder as folders
from dlspec.runs.compare import compare
from dlspec.runs.compare_verdict import sentence
from dlspec.runs.evaluate import evaluate
from dlspec.runs.goals import standing_of
from dlspec.runs.improvement import Improvement, Try, held_in, told
from dlspec.runs.ledger import named
from dlspec.runs.opened import OpenedRun
from dlspec.runs.origin import settled
from dlspec.runs.own_code import copy_own_code
from dlspec.runs.prepare import headline
from dlspec.runs.prescribe import Prescription, prescriptions, write_patch
from dlspec.runs.resume import resume as go_on
from dlspec.runs.train import train
from dlspec.strategy.causes import possible, without_test
from dlspec.strategy.goals import better_kept
from dlspec.strategy.paired import Difference
from dlspec.types import DataError, RecipeError

CERTAIN = 0.05
"""a change is kept where chance alone would lower the dev error as much less often than this"""
BASE_SHARE = 0.5
"""of the budget, how much the recipe as it is may take: the other half is for changes of it"""
LEAST_SHARE = 0.5
"""of what the last training took, how much time must be left for another try to be begun"""


class Budgeted(Watch):
    """Hands everything on, but what was said of an earlier training; and says when the time of a training is over."""

    def __init__(self, watch: Watch, until: float, begins: Callable[[], None], said: set[str]) -> None:
        """said: notes that were handed on; added to."""
        self.watch, self.until, self.cut, self.begins, self.said = watch, until, False, begins, said
        for name in ("warn", "step", "trained", "alone"):
            setattr(self, name, getattr(watch, name))

    def note(self, sentence: str) -> None:
        if sentence not in self.said:
            self.said.add(sentence)
            self.watch.note(sentence)

    def training(self, epochs: int, steps: int) -> None:
        self.begins()
        self.watch.training(epochs, steps)

    def epoch(self, report: EpochReport) -> None:
        self.watch.epoch(report)

    def enough(self) -> bool:
        self.cut = self.cut or time.monotonic() > self.until
        return self.cut


def improve(
    loaded: Loaded | None,
    *,
    budget: float | None = None,
    out: str | Path = folders.RUNS,
    resume: str | Path | None = None,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Improve a recipe for so many seconds, or go on with that (`resume`: its folder; a larger budget goes on longer).

    A change is kept where a paired test on dev finds it better beyond chance; then the causes of error are looked for
    anew, last what cannot be ruled out; then what leaned the right way is tried together.  It ends when nothing that is
    left to try is for one of them, or the time is over.  test is looked at once, at the end, by the best run alone.

    Returns what `improve --json` prints.  Raises RecipeError, DataError, ArgumentError.
    """
    watch = watch or Watch()
    if resume is not None:
        held = held_in(Path(resume))
        held.budget = budget or held.budget
        held.go_on_with_what_was_cut()
    else:
        assert loaded is not None and budget
        held = _begin(settled(loaded, out), budget, Path(out))
    began = time.monotonic() - held.spent
    held.why = None

    def left() -> float:
        held.spent = time.monotonic() - began
        return held.budget - held.spent

    try:
        _loop(held, left, watch)
    except KeyboardInterrupt:
        left()
        held.save()
        watch.warn(f"interrupted; `dlspec improve --resume {held.home}` goes on")
        raise
    left()
    _conclude(held, watch)
    held.save()
    return told(held)


def _begin(loaded: Loaded, budget: float, out: Path) -> Improvement:
    home = folders.create(out, f"{loaded.name}-improve")
    recipe = copy_own_code(loaded.recipe, home)
    file = home / f"{loaded.name}.yaml"
    folders.write_text(file, dump(recipe, f"# {loaded.name}: where improving began\n"))
    held = Improvement(str(home), str(file), budget)
    held.tries.append(Try(0, "", {}, "the recipe as it is"))
    held.save()
    return held


def _loop(held: Improvement, left: Any, watch: Watch) -> None:
    said: set[str] = set()
    while True:
        running = next((one for one in held.tries if one.state == "running"), None)
        if running is None:
            one = _next(held)
            if one is None:
                return
            last = max(held.tries, key=lambda one: one.number).seconds
            if left() < LEAST_SHARE * last:
                held.why = f"{max(0.0, left()):.0f} s are left of the budget, and a training takes some {last:.0f} s"
                return
            running = one
            held.tries.append(running)
            held.save()
        if left() <= 0:
            held.why = "the budget is spent"
            return
        first = held.best is None
        _carry_out(held, running, left() * (BASE_SHARE if first else 1.0), watch, said)
        held.save()


def _carry_out(held: Improvement, one: Try, limit: float, watch: Watch, said: set[str]) -> None:
    """Train one try and judge it.  said: notes of earlier tries."""
    began = time.monotonic()
    home = Path(held.home)
    budgeted = Budgeted(watch, began + limit, lambda: _check_dev(_newest(home / "runs" / _stem(held, one))), said)
    watch.note(f"try {one.number}: {one.reason}" + (f" ({_said(one.changes)}), for {one.cause}" if one.changes else ""))
    try:
        one.run = str(_trained(held, one, budgeted))
    except (RecipeError, DataError) as error:
        one.state, one.says = "failed", "; ".join(complaint.message for complaint in error.complaints)
        diverged = _newest(home / "runs" / _stem(held, one))
        if one.number == 0 and (diverged is None or not (diverged / "health.json").is_file()):
            raise
        one.run = str(diverged) if diverged else None
    one.cut, one.seconds = budgeted.cut, one.seconds + time.monotonic() - began
    if one.state == "failed":
        if held.best is None:
            held.best = one.number
        watch.note(f"try {one.number} failed: {one.says}")
        return
    result = evaluate(one.run, watch=watch)  # type: ignore[arg-type]
    opened = OpenedRun(Path(one.run))  # type: ignore[arg-type]
    metric = headline(opened.recipe, opened.state)
    held.metric = held.metric or metric.name
    one.value = result["scores"]["dev"][metric.name]["value"]
    _judge(held, one, metric, watch)


def _check_dev(run: Path | None) -> None:
    """Raise DataError, before time is spent, where there is nothing to judge a change by."""
    if run is not None and "dev" not in folders.read_json(run / "data.json", {}).get("splits", {}):
        raise DataError("to tell whether a change helps, give a dev split (data.split.dev)")


def _judge(held: Improvement, one: Try, metric: Any, watch: Watch) -> None:
    before = held.tries[held.best] if held.best is not None else None
    if before is None or before.state == "failed":
        one.state, one.says = "kept", "where it begins" if before is None else "the first that trains"
        held.best = one.number
        return
    compared = compare([before.run, one.run], split="dev", watch=watch)  # type: ignore[list-item]
    [between] = [d for d in compared["differences"] if d["metric"] == metric.name]
    one.against = before.number
    found = Difference(*(between[key] for key in Difference._fields))
    one.difference, one.low, one.high, one.p = found
    better = (between["value"] > 0) == (metric.best == "max") and between["value"] != 0
    sure = between["p"] is not None and between["p"] < CERTAIN
    stood = standing_of(before.run), standing_of(one.run)  # type: ignore[arg-type]
    keep, limits = better_kept(*stood, better and sure)
    one.leaned = better and not limits
    one.worsened = sure and not better
    if keep:
        one.state, held.best = "kept", one.number
    else:
        one.state = "infeasible" if limits else "no better"
    one.says = sentence("it", "the best", metric.name, metric.best, found, compared["examples"])
    one.says = f"{limits}; {one.says}" if limits else one.says
    if before.cut != one.cut:
        shorter = "the best was" if before.cut else "it was itself"
        one.says += f"; {shorter} cut short by the budget, so that time alone may be part of it"
    watch.note(f"try {one.number}: {one.state}; {one.says}")


def _trained(held: Improvement, one: Try, watch: Watch) -> Path:
    """The run of a try: trained, or gone on with where it was interrupted."""
    home, stem = Path(held.home), _stem(held, one)
    file = Path(held.recipe) if one.number == 0 else home / f"{stem}.yaml"
    begun = _newest(home / "runs" / stem)
    if begun is not None and (begun / "checkpoint").is_dir():
        return go_on(begun, watch=watch).run
    if one.number:
        assert held.best is not None
        base = Path(held.tries[held.best].run or held.recipe)
        base = base / "recipe.yaml" if base.is_dir() else base
        write_patch(file, Prescription(one.cause, one.changes, one.reason, one.sure), os.path.relpath(base, home))
    return train(load(file), out=home / "runs", watch=watch).run


def _stem(held: Improvement, one: Try) -> str:
    return Path(held.recipe).stem if one.number == 0 else f"try-{one.number}"


def _newest(folder: Path) -> Path | None:
    runs = sorted(one for one in folder.glob("*") if (one / "recipe.yaml").is_file()) if folder.is_dir() else []
    return runs[-1] if runs else None


def _next(held: Improvement) -> Try | None:
    """The first prescription for the best so far that was not tried on it yet; None, with the reason, where none is.

    What was surely worse on an earlier best comes last: it may help now, but a try costs a training.
    """
    assert held.best is not None
    best = held.tries[held.best]
    if best.run is None:
        held.why = f"the recipe cannot be trained: {best.says}"
        return None
    run = Path(best.run)
    recipe = load(run / "recipe.yaml").recipe
    ledger = without_test(folders.read_json(run / "ledger.json", {}) or None)
    found = [*named(run, ledger), *possible(ledger)]
    offered = prescriptions(recipe, run, found)
    tried = [one.changes for one in held.tries if one.number > held.best]
    left = [one for one in offered if one.changes not in tried]
    if not found:
        known = (run / "ledger.json").is_file()
        held.why = "training is healthy, and " + ("no gap is surely there" if known else "the gaps were not laid out")
    elif not left:
        held.why = f"nothing is left to try for what is there ({', '.join(dict.fromkeys(one.cause for one in found))})"
    doubtful = held.surely_worse()
    fresh = [one for one in left if one.changes not in doubtful]
    together = None if fresh else held.together()
    if together or not left:
        return together
    one = (fresh or left)[0]
    return Try(len(held.tries), one.cause, one.changes, one.reason, sure=one.sure)


def _conclude(held: Improvement, watch: Watch) -> None:
    """The one look at test, by the best run; another one where, with more time, another run has become the best."""
    best = held.tries[held.best] if held.best is not None else None
    if best is None or best.run is None or best.state == "failed" or held.tested == best.run_as_it_is:
        return
    parts = folders.read_json(Path(best.run) / "data.json", {}).get("splits", {})
    if "test" in parts:
        held.test = evaluate(best.run, splits=["test"], watch=watch)["scores"]["test"]
        held.tested, held.looks = best.run_as_it_is, held.looks + 1


def _said(changes: Mapping[str, Any]) -> str:
    shown = {key: brief(new, exact=True) if isinstance(new, float) else new for key, new in changes.items()}
    return ", ".join(f"{key}={new}" for key, new in shown.items())


def _short(run: str | None) -> str:
    return "/".join(Path(run or "").parts[-2:])
