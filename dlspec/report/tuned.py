"""A search for a person: how it comes along, on stderr; its best trials, on stdout."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from dlspec.report.progress import ConsoleWatch
from dlspec.report.terminal import number, table
from dlspec.report.watch import SearchWatch

SHOWN = 10
"""trials of the leaderboard that are printed"""


class ConsoleSearch(ConsoleWatch, SearchWatch):
    """A line a trial as it ends."""

    def searching(self, folder: str, metric: str, best: str, trials: int, ended: int) -> None:
        self.metric, self.sign, self.trials = metric, 1 if best == "max" else -1, trials
        self.ended, self.first, self.start = ended, ended, time.monotonic()
        self.params: dict[int, Mapping[str, Any]] = {}
        self.top: float | None = None
        gone = f", {ended} of them have ended" if ended else ""
        self.note(f"searching: {trials} trials by {metric} on dev{gone}; {folder}")

    def heard(self, message: Mapping[str, Any]) -> None:
        what = message["what"]
        if what == "trial":
            self.params[message["index"]] = message["params"]
        elif what == "ended":
            self._ended(message)

    def _ended(self, message: Mapping[str, Any]) -> None:
        self.ended += 1
        value = message["value"]
        if value is not None and (self.top is None or self.sign * value > self.sign * self.top):
            self.top = value
        came = message["state"] if value is None else f"{self.metric} {number(value)}"
        cause = f" ({message['cause'].splitlines()[0]})" if message.get("cause") else ""
        best = f"; best {number(self.top)}" if self.top is not None else ""
        passed = time.monotonic() - self.start
        left = passed / max(1, self.ended - self.first) * (self.trials - self.ended)
        self.note(
            f"trial {message['index']} ({self.ended} of {self.trials}): {came}{cause}, {message['seconds']:.1f} s; "
            f"{values(self.params.get(message['index'], {}))}{best}; {left:.0f} s left"
        )


def values(params: Mapping[str, Any]) -> str:
    """`learning_rate 0.01, model mlp`: each by the last words of its key."""
    return ", ".join(f"{brief(name)} {shown(value)}" for name, value in params.items())


def brief(name: str) -> str:
    """The last word of a dotted key."""
    return name.rpartition(".")[2]


def shown(value: Any) -> str:
    """A value that was drawn, short."""
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.4g}"
    return str(value) if value is not None else "none"


def print_tuned(result: Mapping[str, Any]) -> None:
    """What `tune` leaves on stdout."""
    trials = {one["number"]: one for one in result["trials"]}
    counts: dict[str, int] = {}
    for one in trials.values():
        counts[one["state"]] = counts.get(one["state"], 0) + 1
    print("\n" + ", ".join(f"{count} {state}" for state, count in counts.items()) + f" of {len(trials)} trials")
    order = [trials[index] for index in result["leaderboard"]][:SHOWN]
    if order:
        limited = any(one["feasible"] is not None for one in order)
        names = list(dict.fromkeys(name for one in order for name in one["params"]))
        table(
            ["trial", f"dev {result['metric']}", *(["limits"] if limited else []), *map(brief, names)],
            [
                [
                    str(one["number"]),
                    number(one["values"][0]),
                    *([_limits(one)] if limited else []),
                    *(shown(one["params"][name]) if name in one["params"] else "" for name in names),
                ]
                for one in order
            ],
            title="the best first",
        )
    causes: dict[str, list[int]] = {}
    for one in trials.values():
        if one["state"] == "failed":
            causes.setdefault(one["cause"].splitlines()[0], []).append(one["number"])
    for cause, which in causes.items():
        print(f"trial{'s' * (len(which) > 1)} {', '.join(map(str, which))} failed: {cause}")
    print(f"study: {result['study']} (report.html, trials.csv)")
    if result["best"]:
        print(f"next: dlspec train {result['best']['recipe']}, or dlspec evaluate {result['best']['run']}")


def _limits(one: Mapping[str, Any]) -> str:
    if one["feasible"] is None:
        return ""
    return "kept" if one["feasible"] else f"missed by {one['miss']:.1%}" if one["miss"] is not None else "not judged"
