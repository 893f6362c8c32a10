"""A search for a person: how it comes along, on stderr; its best trials, on stdout."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.report.progress import ConsoleWatch
from dlspec.report.terminal import between, number, table
from dlspec.report.watch import SearchWatch
from dlspec.wording import plural

if TYPE_CHECKING:
    from dlspec.report.live import Live

SHOWN = 10
"""trials of the leaderboard that are printed"""


class ConsoleSearch(ConsoleWatch, SearchWatch):
    """A table that is drawn anew on a terminal; else a line a trial as it ends."""

    def __init__(self, plain: bool = False) -> None:
        super().__init__()
        self.plain = plain or not self.terminal
        self.live: Live | None = None

    def searching(self, folder: str, metric: str, best: str, trials: int, ended: int) -> None:
        from dlspec.report.live import Live, Progress

        self.progress = Progress(metric, trials)
        gone = f", {ended} of them have ended" if ended else ""
        self.note(f"searching: {plural(trials, 'trial')} by {metric} on dev{gone}; {folder}")
        self.first = True
        if not self.plain:
            from rich.console import Console

            self.live = Live(self.progress, Console(stderr=True))

    def _line(self, text: str) -> None:
        if self.live is not None:
            self.live.say(text)
        else:
            super()._line(text)

    def heard(self, message: Mapping[str, Any]) -> None:
        self.progress.heard(message)
        if message["what"] == "printed":
            self.note(message["says"])

    def looked(self, trials: Sequence[Mapping[str, Any]], best: int | None) -> None:
        ended = self.progress.looked(trials, best)
        for one in ended if not self.first else ():  # those before this search began are no news
            self._ended(one)
        self.first = False

    def over(self) -> None:
        if self.live is not None:
            self.live.stop()
            self.live = None

    def _ended(self, one: Mapping[str, Any]) -> None:
        from dlspec.report.live import spell

        done = self.progress
        cause = f" ({one['cause'].splitlines()[0]})" if one["cause"] else ""
        if self.live is not None:  # the table has the rest
            if one["state"] == "failed":
                self.note(f"trial {one['number']} failed{cause}")
            return
        came = one["state"] if one["value"] is None else f"{done.metric} {number(one['value'])}"
        if one["state"] == "pruned" and one["value"] is not None:
            came = f"pruned at {came}"
        best = f"; best {number(done.rows[done.best]['value'])}" if done.best is not None else ""
        left = done.left(time.monotonic())
        place = done.over.index(one["number"]) + 1
        self.note(
            f"trial {one['number']} ({place} of {done.trials}): {came}{cause}"
            + ("" if one["seconds"] is None else f", {spell(one['seconds'])}")
            + (f" on {one['host']}" if one["host"] else "")
            + f"; {values(one['params'])}{best}"
            + ("" if left is None or place >= done.trials else f"; {spell(left)} left")
        )


def values(params: Mapping[str, Any]) -> str:
    """`learning_rate 0.01, model mlp`: each by the last words of its key."""
    return ", ".join(f"{name} {shown(value)}" for name, value in zip(briefs(params), params.values(), strict=True))


def briefs(names: Iterable[str]) -> list[str]:
    """Dotted keys by their last words, as few as tell them apart."""
    words = [name.split(".") for name in names]
    many = [1] * len(words)
    while True:
        found = [".".join(one[-count:]) for one, count in zip(words, many, strict=True)]
        longer = [
            count + 1 if found.count(name) > 1 and count < len(one) else count
            for name, one, count in zip(found, words, many, strict=True)
        ]
        if longer == many:
            return found
        many = longer


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
        ranges = any(one["low"] is not None for one in order)
        names = list(dict.fromkeys(name for one in order for name in one["params"]))
        table(
            [
                "trial",
                f"dev {result['metric']}",
                *(["95 % interval"] if ranges else []),
                *(["limits"] if limited else []),
                *briefs(names),
            ],
            [
                [
                    str(one["number"]),
                    number(one["values"][0]),
                    *([between(one)] if ranges else []),
                    *([_limits(one)] if limited else []),
                    *(shown(one["params"][name]) if name in one["params"] else "" for name in names),
                ]
                for one in order
            ],
            title="the best first",
        )
    with_threads = sorted({one["measured"]["threads"] for one in order if one["measured"]})
    if with_threads:
        threads = " or ".join(map(str, with_threads))
        print(f"times of the network were measured alone and warm, with {threads} thread{'s' * (threads != '1')}")
    if result["best"]:
        for sentence in (repeated(result), result["best"]["says"], simpler(result)):
            print(sentence, end="\n" * bool(sentence))
    causes: dict[str, list[int]] = {}
    for one in trials.values():
        if one["state"] == "failed":
            causes.setdefault(one["cause"].splitlines()[0], []).append(one["number"])
    for cause, which in causes.items():
        print(f"trial{'s' * (len(which) > 1)} {', '.join(map(str, which))} failed: {cause}")
    print(f"study: {result['study']} (report.html, trials.csv)")
    for line in ahead_still(result):
        print(line)
    if result["best"]:
        print(f"next: dlspec train {result['best']['recipe']}, or dlspec evaluate {result['best']['run']}")


def ahead_still(result: Mapping[str, Any]) -> list[str]:
    """What is said of the stages before: which of them, if any, has a better trial than the last."""
    sign = 1 if result["direction"] == "max" else -1
    last = result["best"]

    def rank(best: Mapping[str, Any]) -> tuple[bool, float]:
        return best["feasible"] is not False, sign * best["value"]

    found = [one for one in result.get("earlier", ()) if one["best"] is not None]
    better = [one for one in found if last is None or rank(one["best"]) > rank(last)]
    if not better:
        return []
    top = max(better, key=lambda one: rank(one["best"]))
    return [
        f"trial {top['best']['number']} of {top['study']} was better ({result['metric']} "
        f"{number(top['best']['value'])}): dlspec train {top['best']['recipe']}"
    ]


def repeated(result: Mapping[str, Any]) -> str:
    """Where trials are means of several trainings, of how many."""
    many = max(len(one["trainings"]) for one in result["trials"])
    return f"each value is the mean of {many} trainings" if many > 1 else ""


def simpler(result: Mapping[str, Any]) -> str:
    """What is said of the simplest trial that does as well as the best, where it is another one."""
    best, least = result["best"], result["simplest"]
    if least["number"] == best["number"]:
        return ""
    trials = {one["number"]: one for one in result["trials"]}
    than = trials[best["number"]]["parameters"]
    size = (
        ""
        if least["parameters"] is None or than is None
        else f", {plural(least['parameters'], 'parameter')} against {than:,}"
    )
    return (
        f"simplest within one standard error of it: trial {least['number']} "
        f"({result['metric']} {number(least['value'])}{size}; {values(least['params'])}); simplest.yaml trains it"
    )


def _limits(one: Mapping[str, Any]) -> str:
    if one["feasible"] is None:
        return ""
    return "kept" if one["feasible"] else f"missed by {one['miss']:.1%}" if one["miss"] is not None else "not judged"
