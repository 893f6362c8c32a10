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
    cut: bool = False
    """the budget ended its training"""

    @property
    def run_as_it_is(self) -> str:
        """Which network it is: one that was cut and has gone on is another."""
        return f"{self.number} cut" if self.cut else f"{self.number}"


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
