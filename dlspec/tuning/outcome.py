"""What came of a study: its trials, the best of them first, as plain values, as a table, and as a recipe."""

from __future__ import annotations

import csv
import functools
import io
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from dlspec.runs import folder as folders
from dlspec.strategy import goals
from dlspec.strategy.goals import Standing, ahead
from dlspec.tuning.leaders import frugal, lead
from dlspec.tuning.samplers import parameter
from dlspec.tuning.study import PROGRESS, STATES, TOLD, WORKER, Study, dead, holding
from dlspec.tuning.trial import stem, write_recipe

SPREAD = ("low", "high")
"""of the metric's mean over a trial's trainings, what is known of its spread: the 95 % interval"""


@dataclass(frozen=True)
class Tried:
    """A trial, as it stands."""

    number: int
    state: str
    standing: Standing
    params: dict[str, Any]
    """dotted key → number, text, or the name of what was chosen"""
    run: str | None
    seconds: float | None
    epochs: int | None
    cause: str | None
    threads: int | None
    attempts: int
    noted: Mapping[str, Any]
    """what its worker has noted of it: trainings, interval, parameters of the network"""
    measured: dict[str, Any] | None = None
    """what was timed of the network, alone and warm, and with how many threads"""
    progress: tuple[int, int, float | None] | None = None
    """epoch, of how many, and its dev metric: where it is under way and the storage was told"""
    host: str | None = None
    """the machine that works on it, or did"""

    @property
    def ended(self) -> bool:
        return self.state in ("complete", "pruned", "failed")

    @property
    def value(self) -> float | None:
        return folders.finite(self.standing.value)  # type: ignore[no-any-return]

    def live(self) -> dict[str, Any]:
        """What is shown of it while the search goes on."""
        kept = {name: getattr(self, name) for name in ("number", "state", "params", "value", "seconds", "cause")}
        host = None if self.host == socket.gethostname() else self.host
        return {**kept, "progress": self.progress, "host": host}

    def json(self, home: Path) -> dict[str, Any]:
        """home: of the study."""
        stood = self.standing
        return {
            "number": self.number,
            "state": self.state,
            "values": [] if self.value is None else [self.value],
            **{name: self.noted.get(name) if self.value is not None else None for name in SPREAD},
            "params": self.params,
            "run": self.run,
            "feasible": stood.feasible if self.value is not None and stood.limits else None,
            "miss": stood.miss if self.value is not None and stood.limits else None,
            "seconds": self.seconds,
            "epochs": self.epochs,
            "cause": self.cause,
            "threads": self.threads,
            "attempts": self.attempts,
            "measured": self.measured,
            "parameters": self.noted.get("parameters"),
            "trainings": [{**one, "run": str(home / one["run"])} for one in self.noted.get("trainings", ())],
        }


def tried(study: Study) -> list[Tried]:
    """Every trial, by number."""
    attempts = study.attempts()  # once: other machines add to them meanwhile
    return [_tried(study, index, holding(some), len(some)) for index, some in sorted(attempts.items())]


def _tried(study: Study, index: int, one: FrozenTrial, attempts: int) -> Tried:
    told = one.user_attrs.get(TOLD, {})
    scores = {name: value for name, value in told.get("scores", {}).items() if value is not None}
    if one.state == TrialState.FAIL:
        scores = {}
    stood = goals.standing(study.metric, study.loaded.recipe.goal.limits, scores)
    return Tried(
        index,
        "waiting" if dead(one) else STATES[one.state],
        stood,
        shown_params(study, one),
        str(study.home / told["run"]) if told.get("run") else None,
        told.get("seconds"),
        told.get("epochs"),
        told.get("cause"),
        one.user_attrs.get(WORKER, {}).get("threads"),
        attempts,
        told,
        told.get("measured"),
        tuple(one.user_attrs[PROGRESS]) if PROGRESS in one.user_attrs else None,
        one.user_attrs.get(WORKER, {}).get("host"),
    )


def shown_params(study: Study, one: FrozenTrial) -> dict[str, Any]:
    """What an attempt has drawn, by the axes' own names."""
    found: dict[str, Any] = {}
    for axis in study.space.every():
        name = parameter(axis)
        if name in one.params:
            value = one.params[name]
            found[axis.name] = 1 - value if axis.kind == "one_minus_log_uniform" else value
    return found


def ranked(found: Sequence[Tried]) -> list[Tried]:
    """Those with a value, the best first: the feasible by the metric, then the others by how far they miss."""

    def order(one: Tried, other: Tried) -> int:
        if ahead(one.standing, other.standing):
            return -1
        return 1 if ahead(other.standing, one.standing) else one.number - other.number

    scored = [one for one in found if one.state == "complete" and one.value is not None]
    return sorted(scored, key=functools.cmp_to_key(order))


def told(study: Study, found: Sequence[Tried]) -> dict[str, Any]:
    """What `tune --json` prints."""
    order = ranked(found)
    best, simple = None, None
    if order:
        first = order[0]
        recipe = str(study.home / "best.yaml")
        best = {"number": first.number, "params": first.params, "value": first.value, "recipe": recipe}
        best |= {"run": first.run, "feasible": first.standing.feasible}
        best |= {name: first.noted.get(name) for name in SPREAD}
        best |= lead(study, order)
        least = frugal(order, study.metric.best == "max")
        recipe = recipe if least is first else str(study.home / "simplest.yaml")
        simple = {"number": least.number, "params": least.params, "value": least.value, "recipe": recipe}
        simple |= {"run": least.run, "parameters": least.noted.get("parameters")}
    return {
        "study": str(study.home),
        "metric": study.metric.name,
        "direction": study.metric.best,
        "trials": [one.json(study.home) for one in found],
        "best": best,
        "simplest": simple,
        "leaderboard": [one.number for one in order],
    }


def write(study: Study, found: Sequence[Tried]) -> None:
    """trials.csv, and where there is a best, best.yaml, and simplest.yaml where that is another."""
    names = [axis.name for axis in study.space.every()]
    rows = [one.json(study.home) for one in found]
    facts = ["number", "state", study.metric.name, "low", "high", "trainings", "parameters", "feasible", "miss"]
    facts += ["seconds", "epochs", "threads", "attempts"]
    limits = study.loaded.recipe.goal.limits
    timed = ["measured_threads"] if any(limit.measured for limit in limits) else []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    limited = list(dict.fromkeys(limit.name for limit in limits if limit.name not in facts))
    writer.writerow([*facts, *limited, *timed, *names, "run", "cause"])
    for one, row in zip(found, rows, strict=True):
        held = {stood.limit.name: folders.finite(stood.value) for stood in one.standing.limits}
        held |= {**row, study.metric.name: one.value, "trainings": len(row["trainings"])}
        run = "" if one.run is None else Path(one.run).relative_to(study.home).as_posix()
        came = [(one.measured or {}).get("threads") for _ in timed]
        cells = [
            *(held.get(name) for name in (*facts, *limited)),
            *came,
            *(one.params.get(name) for name in names),
            run,
            one.cause,
        ]
        writer.writerow(["" if cell is None else cell for cell in cells])
    folders.write_text(study.home / "trials.csv", text.getvalue())
    order = ranked(found)
    if order:
        best, least = order[0], frugal(order, study.metric.best == "max")
        _write_trial(study, study.home / "best.yaml", best, f"the best of {len(order)}")
        (study.home / "simplest.yaml").unlink(missing_ok=True)
        if least is not best:
            what = f"the simplest within one standard error of trial {best.number}"
            _write_trial(study, study.home / "simplest.yaml", least, what)


def _write_trial(study: Study, file: Path, one: Tried, what: str) -> None:
    said = ", ".join(f"{name} {value}" for name, value in one.params.items())
    head = f"# Trial {one.number}, {what}: dev {study.metric.name} {one.value:.6g}\n# {said}\n"
    write_recipe(file, _changes(study, one), study.home / study.where.file, head)


def _changes(study: Study, best: Tried) -> dict[str, Any]:
    """What the trial's recipe changes, as it was written; without the share of the processor that it had."""
    from dlspec.recipe.positions import parse

    file = study.home / "trials" / f"{stem(best.number)}.yaml"
    held = parse(file.read_text(encoding="utf-8"), str(file)).value
    patch = {key: value for key, value in held.items() if key not in ("extends", "tune")}
    if study.loaded.recipe.train.threads is None and isinstance(patch.get("train"), dict):
        patch["train"].pop("threads", None)
    return {key: value for key, value in patch.items() if value != {}}
