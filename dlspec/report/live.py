"""A search as it comes along: a row a trial, drawn anew in place; what runs on top, then the best, then what ended."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.report.svg import clipped
from dlspec.report.terminal import number
from dlspec.report.tuned import briefs, shown, values

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

STATES = {"complete": "finished"}
"""where a person says it otherwise"""
AROUND = 6
"""lines above the rows and below"""
GAP, EDGE = 2, 2
"""columns of a terminal between two columns of the table, and at its ends"""
LEAST = 12
"""columns of a terminal for the parameters, at least"""
SHORT = 5
"""letters that are left of a parameter's name, where there is little room"""
STYLES = {"running": "cyan", "failed": "red", "pruned": "dim"}


class Progress:
    """What is known of every trial, from workers of this machine at once, of others as far as the storage tells."""

    def __init__(self, metric: str, trials: int) -> None:
        self.metric, self.trials = metric, trials
        self.rows: dict[int, dict[str, Any]] = {}
        self.over: list[int] = []
        """trials that have ended, in that order"""
        self.best: int | None = None
        self.lock = threading.Lock()

    def looked(self, trials: Sequence[Mapping[str, Any]], best: int | None) -> list[Mapping[str, Any]]:
        """The study as the storage has it now; those that have ended since.

        trials: number, state, params, value, seconds, progress (epoch, of how many, value) and host of each.
        """
        ended = []
        with self.lock:
            self.best = best
            for one in trials:
                row = self.rows.setdefault(one["number"], {"began": None, "epoch": 0, "epochs": None, "value": None})
                again = row.get("state") != "running" and one["state"] == "running"
                row |= {key: one[key] for key in ("state", "params", "seconds", "host")}
                if again or (one["state"] == "running" and row["began"] is None):
                    row |= {"began": time.monotonic(), "epoch": 0, "value": None}
                progress = one["progress"]
                if progress and progress[0] > row["epoch"]:
                    row["epoch"], row["epochs"], row["value"] = progress
                if one["state"] in ("complete", "pruned", "failed"):
                    row["value"] = one["value"]
                    if one["number"] not in self.over:
                        self.over.append(one["number"])
                        ended.append(one)
        return ended

    def heard(self, message: Mapping[str, Any]) -> None:
        """What a worker of this machine has said."""
        what = message["what"]
        with self.lock:
            if what == "trial":
                fresh = {"state": "running", "params": message["params"], "seconds": None, "host": None}
                began = {"began": time.monotonic(), "epoch": 0, "epochs": None, "value": None}
                self.rows[message["index"]] = fresh | began
            elif what == "epoch" and message["index"] in self.rows:
                self.rows[message["index"]] |= {key: message[key] for key in ("epoch", "epochs", "value")}

    def running(self) -> dict[int, dict[str, Any]]:
        """Those that are at work, the newest first."""
        found = {index: one for index, one in self.rows.items() if one["state"] == "running"}
        return dict(sorted(found.items(), key=lambda pair: (-pair[1]["began"], -pair[0])))

    def left(self, now: float) -> float | None:
        """Seconds that the rest will take, by what trials took and how many are at work; None where unknown."""
        running = [(now - one["began"], one) for one in self.running().values()]
        taken = [one["seconds"] for one in self.rows.values() if one["seconds"] is not None]
        if not taken:
            taken = [passed / one["epoch"] * one["epochs"] for passed, one in running if one["epoch"]]
        if not taken:
            return None
        each = sum(taken) / len(taken)
        rest = [max(0.0, each - passed) for passed, _ in running]
        waiting = max(0, self.trials - len(self.over) - len(running))
        return max([(sum(rest) + each * waiting) / max(1, len(running)), *rest])

    def headline(self, now: float) -> str:
        """How far the search is, in a line."""
        at_work = len(self.running())
        ended = len(self.over)
        nobody = "all have ended" if ended >= self.trials else "workers are starting"
        parts = [f"{ended} of {self.trials} ended", f"{at_work} running" if at_work else nobody]
        left = self.left(now)
        if left is not None and ended < self.trials:
            parts.append(f"{spell(left)} left")
        if self.best is not None:
            parts.append(f"best {self.metric} {number(self.rows[self.best]['value'])} (trial {self.best})")
        return ", ".join(parts)

    def drawn(self, width: int, height: int, now: float | None = None) -> RenderableType:
        """A headline and as many rows as fit."""
        from rich import box
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        with self.lock:
            now = time.monotonic() if now is None else now
            order = list(self.running())
            if self.best is not None:
                order.append(self.best)
            order += [index for index in reversed(self.over) if index != self.best]
            order = order[: max(1, height - AROUND)]
            rows = {index: self.rows[index] for index in order}
            head = Text(self.headline(now), no_wrap=True, overflow="ellipsis", style="bold")
            if not rows:
                return head
            last = [[number(one["value"]), clock(_taken(one, now)), _state(one)] for one in rows.values()]
            last_heads = [f"dev {self.metric}", "time", "state"]
            beside = EDGE + GAP + len("trial") + sum(GAP + width for width in _widths(last_heads, last))
            room = max(LEAST, width - beside)
            columns, cells = _parameters([one["params"] for one in rows.values()], room)
            found = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
            found.add_column("trial", justify="right", no_wrap=True)
            for name in columns:
                alone = "left" if len(columns) == 1 else "right"
                found.add_column(Text(name), justify=alone, no_wrap=True, overflow="ellipsis", max_width=room)
            for name in last_heads:
                found.add_column(name, justify="left" if name == "state" else "right", no_wrap=True)
            for index, some, those in zip(rows, cells, last, strict=True):
                best = index == self.best
                said = [str(index), *some, *those[:2], "best" if best else those[2]]
                style = "bold green" if best else STYLES.get(rows[index]["state"], "")
                found.add_row(*map(Text, said), style=style)
        return Group(head, found)


def _taken(one: Mapping[str, Any], now: float) -> float | None:
    seconds: float | None = now - one["began"] if one["state"] == "running" else one["seconds"]
    return seconds


def _state(one: Mapping[str, Any]) -> str:
    if one["state"] == "running":
        said = f"epoch {one['epoch']} of {one['epochs']}" if one["epoch"] else "starting"
        return said + (f" on {one['host']}" if one["host"] else "")
    return STATES.get(one["state"], one["state"])


def _parameters(rows: Sequence[Mapping[str, Any]], room: int) -> tuple[list[str], list[list[str]]]:
    """A column a parameter where all fit, their heads over several lines if need be; else one column with all."""
    names = list(dict.fromkeys(name for one in rows for name in one))
    cells = [[shown(one[name]) if name in one else "" for name in names] for one in rows]
    whole = briefs(names)
    folded = [re.sub(r"([_.])(?=.)", r"\1\n", head) for head in whole]
    widths = [max(SHORT, *(len(row[place]) for row in cells)) for place in range(len(names))]
    short = [
        "\n".join(clipped(line, most) for line in head.split("\n")) for head, most in zip(folded, widths, strict=True)
    ]
    for heads in (whole, folded, short):
        if sum(GAP + width for width in _widths(heads, cells)) <= room:
            return heads, cells
    return ["parameters"], [[values(one)] for one in rows]


def _widths(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    """Of every column its widest line."""
    lines = [head.split("\n") for head in heads]
    return [max(map(len, [*lines[place], *(row[place] for row in cells)])) for place in range(len(heads))]


def clock(seconds: float | None) -> str:
    """`0.7 s`, `35 s`, `2:05`, `1:20:00`."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return spell(seconds)
    return (
        f"{whole // 60}:{whole % 60:02d}"
        if whole < 3600
        else f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    )


def spell(seconds: float) -> str:
    """`0.7 s`, `35 s`, `2 min 05 s`, `1 h 20 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Live:
    """The table on a terminal, drawn anew a few times a second; what else is said scrolls by above it."""

    def __init__(self, progress: Progress, console: Console) -> None:
        from rich.live import Live as Drawn

        self.progress, self.console = progress, console
        self.live = Drawn(
            get_renderable=lambda: progress.drawn(console.width, console.height),
            console=console,
            refresh_per_second=4,
            transient=True,
        )
        self.live.start()

    def say(self, sentence: str) -> None:
        self.console.print(sentence, markup=False, highlight=False)

    def stop(self) -> None:
        self.live.stop()
