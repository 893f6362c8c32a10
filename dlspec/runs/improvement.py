"""What `dlspec improve` has tried so far, as it is kept in improve.json, so that the loop can go on."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dlspec.runs import folder as folders
from dlspec.types import ArgumentError

_UNITS = {"": 60, "s": 1, "m": 60, "h": 3600}


def seconds(text: str) -> float:
    """`30m`, `2h`, `90s`; a bare number is minutes.  Raises ArgumentError."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) *([smh]?)", text.strip())
    if not found or not float(found[1]):
        raise ArgumentError(f"--budget is a time such as 30m, 2h or 90s; got '{text}'")
    return float(found[1]) * _UNITS[found[2]]


@dataclass
class Try:
    """One training of the loop.  state: running, then kept, no better, infeasible (a limit of the goal) or failed."""

    number: int
    cause: str
    changes: dict[str, Any]
    reason: str
    against: int | None = None
    """the try that it changes, and is compared with"""
    run: str | None = None
    state: str = "running"
    says: str = ""
    value: float | None = None
    """the goal's metric on dev"""
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    seconds: float = 0.0
    leaned: bool = False
    """it was better on dev and broke no limit, if not beyond chance"""
    worsened: bool = False
    """it was worse on dev beyond chance"""
    sure: bool = True
    """the cause is surely there; else it is merely not ruled out"""
    cut: bool = False
    """the budget ended its training"""

    @property
    def run_as_it_is(self) -> str:
        """Which network it is: one that was cut and has gone on is another, whether it was cut again or not."""
        return f"{self.number} cut after {self.seconds:.3f} s" if self.cut else f"{self.number}"


@dataclass
class Improvement:
    """What is kept in improve.json, so that the loop can go on."""

    home: str
    recipe: str
    budget: float
    spent: float = 0.0
    tries: list[Try] = field(default_factory=list)
    best: int | None = None
    why: str | None = None
    metric: str | None = None
    test: dict[str, Any] | None = None
    tested: str | None = None
    """of which network the scores on test are (Try.run_as_it_is)"""
    looks: int = 0
    """at test"""

    def go_on_with_what_was_cut(self) -> None:
        """With time left, the training that the budget ended, the last or the best, is to go on from where it was."""
        if self.budget <= self.spent:
            return
        for one in reversed(self.tries):
            if one.cut and (one is self.tries[-1] or one.number == self.best):
                one.state = "running"
                self.best = one.against if self.best == one.number else self.best

    def surely_worse(self) -> list[dict[str, Any]]:
        """Changes that made the dev metric worse beyond chance, or did not train, on whichever was the best then."""
        return [one.changes for one in self.tries if one.worsened or one.state == "failed"]

    def together(self) -> Try | None:
        """All changes of the best that leaned the right way, at once: each may be too little to be told from chance.

        Of two that change the same setting, that which leaned more.  None where there are not two, or they were tried.
        """
        assert self.best is not None
        since = [one for one in self.tries if one.number > self.best]
        leaned = sorted((one for one in since if one.leaned), key=lambda one: -abs(one.difference or 0.0))
        changes: dict[str, Any] = {}
        used = 0
        for one in leaned:
            if not any(_overlap(key, other) for key in one.changes for other in changes):
                changes |= one.changes
                used += 1
        if used < 2 or any(one.changes == changes for one in since):
            return None
        causes = dict.fromkeys(one.cause for one in leaned)
        reason = "each alone leaned the right way, and chance could not be ruled out"
        return Try(len(self.tries), " and ".join(causes), changes, reason)

    def save(self) -> None:
        folders.write_json(Path(self.home) / "improve.json", asdict(self))


def held_in(home: Path) -> Improvement:
    file = home / "improve.json"
    if not file.is_file():
        raise ArgumentError(f"{home} holds no improve.json; give the folder that `dlspec improve` made")
    kept = folders.read_json(file)
    now = str(home.absolute())

    def here(path: str | None) -> str | None:
        """Where it lies now: the folder may have been moved."""
        return path and now + path.removeprefix(kept["home"]) if (path or "").startswith(kept["home"]) else path

    tries = [Try(**{**one, "run": here(one["run"])}) for one in kept.pop("tries")]
    return Improvement(**{**kept, "home": now, "recipe": here(kept["recipe"]), "tries": tries})


def told(held: Improvement) -> dict[str, Any]:
    """As plain values, for JSON and the table."""
    best = held.tries[held.best] if held.best is not None else None
    return {
        "folder": held.home,
        "run": best and best.run,
        "recipe": best and best.run and str(Path(best.run) / "recipe.yaml"),
        "metric": held.metric,
        "tries": [asdict(one) for one in held.tries],
        "best": held.best,
        "why": held.why,
        "seconds": held.spent,
        "budget": held.budget,
        "test": held.test,
        "test_looks": held.looks,
    }


def _overlap(one: str, other: str) -> bool:
    """Whether two dotted keys are the same, or one lies within the other; another name changes all beside it."""
    if one.endswith(".name"):
        one = one.removesuffix(".name")
    if other.endswith(".name"):
        other = other.removesuffix(".name")
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
