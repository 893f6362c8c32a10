"""Results as a person reads them in a terminal: short tables, and what to do next."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlspec.numeric.rounding import several
from dlspec.wording import plural

MADE_UP = 300
"""characters that are shown of a text that a language model made up"""
LEAST_WIDE = 12
"""letters that a column of words has room for, as far as it needs them"""


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1, title: str = "") -> None:
    """A table with the first `left` columns flush left, the others flush right; plain when piped.

    Where it is too wide, the names of columns are broken at blanks, and a pipe gets as wide a line as it takes: nothing
    is cut off.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    longest = [max((len(row[number]) for row in rows), default=0) for number in range(len(columns))]

    def widths(names: Sequence[str]) -> list[int]:
        """What each column needs at least."""
        found = [max(most, *map(len, name.split("\n"))) for name, most in zip(names, longest, strict=True)]
        return [min(one, LEAST_WIDE) if number < left else one for number, one in enumerate(found)]

    def needed(names: Sequence[str]) -> int:
        return sum(widths(names)) + 3 * len(names)  # with what stands between, and before and after

    console = Console() if sys.stdout.isatty() else Console(width=110)
    names = list(columns)
    if needed(names) > console.width:
        names = [broken(name, most) for name, most in zip(names, longest, strict=True)]
        if not sys.stdout.isatty():
            console = Console(width=max(110, needed(names)))
    drawn = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold", pad_edge=False)
    for number, (name, least) in enumerate(zip(names, widths(names), strict=True)):
        right = number >= left
        drawn.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=right, min_width=least)
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console.print(drawn)


def broken(name: str, most: int) -> str:
    """A column's name on several lines of about `most` letters, broken at blanks alone."""
    lines = list[str]()
    for word in name.split():
        if lines and len(lines[-1]) + 1 + len(word) <= most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "\n".join(lines)


def number(value: float | None) -> str:
    """A number at four significant places or four decimals, whichever a person reads more easily."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.4f}" if abs(value) < 100 else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def signed(value: float | None) -> str:
    """The same with its sign, for a difference."""
    shown = number(value)
    return shown if shown[0] in "-–" else f"+{shown}"


def share(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.1f} %"


def between(one: Mapping[str, float]) -> str:
    low, high = one.get("low"), one.get("high")
    if low is None or high is None or not math.isfinite(low) or not math.isfinite(high):
        return "not known"
    return f"{number(one['low'])} to {number(one['high'])}"


def print_trained(result: Mapping[str, Any]) -> None:
    """What `train` leaves on stdout."""
    from dlspec.report.goals import print_goal

    rate = result["examples_per_second"]
    speed = f", {several(rate, 'example')} a second" if rate else ""
    kept = result.get("best_epoch")
    best = f"; the best on dev was epoch {kept}" if kept else ""
    print(
        f"\ntrained {result['epochs']} epoch{'s' * (result['epochs'] != 1)} in {result['seconds']:.1f} s{speed}{best}"
    )
    _scores(result["scores"])
    _signatures(result)
    goal, run = result["goal"], Path(result["run"])
    root = run.parent.parent
    name = "last" if root == Path("runs").absolute() else str(run)
    where = "" if name == "last" else f" --runs {root}"
    health = result.get("health")
    if health:
        ill = health["verdict"] != "healthy"  # then a warning has said it at length
        print(f"health: {health['says'].partition(':')[0] if ill else health['says'].replace(':', ';', 1)}")
    print_goal(goal)
    print(f"run: {result['run']} (report.html shows it)")
    print(f"next: dlspec evaluate {name}, dlspec error-analysis {name}, or dlspec runs board{where}")


def _signatures(result: Mapping[str, Any]) -> None:
    for name, signature in result.get("signatures", {}).items():
        print(f"{name}: {signature}")


def _scores(scores: Mapping[str, Any]) -> None:
    names = list(dict.fromkeys(name for metrics in scores.values() for name in metrics))
    sizes = {split: next(iter(metrics.values()))["n"] for split, metrics in scores.items()}
    table(
        ["", *(f"{split} ({sizes[split]:,})" for split in scores)],
        [[name, *(number(metrics.get(name, {}).get("value")) for metrics in scores.values())] for name in names],
    )


def print_evaluated(result: Mapping[str, Any]) -> None:
    """What `evaluate` leaves on stdout: every metric with its 95 % interval, and what the goal's limits come to."""
    from dlspec.report.goals import print_goal

    scores = result["scores"]
    names = list(dict.fromkeys(name for metrics in scores.values() for name in metrics))
    print(f"\nrun: {result['run']}" if result["run"] else "")
    for some in _fitting(list(scores)):
        head, rows = [""], [[name] for name in names]
        for split in some:
            head += [f"{split} ({next(iter(scores[split].values()))['n']:,})", "95 % interval"]
            for row in rows:
                one = scores[split].get(row[0], {})
                row += [number(one.get("value")), between(one)]
        table(head, rows)
    _signatures(result)
    for split, classes in result.get("classes", {}).items():
        named = list(next(iter(classes.values())))
        head = [f"class, {split}", *(cell for name in named for cell in (name, "95 % interval"))]
        rows = (
            [name, *(c for one in own.values() for c in (number(one["value"]), between(one)))]
            for name, own in classes.items()
        )
        table(head, list(rows))
    if (result.get("goal") or {}).get("limits"):
        print_goal(result["goal"])
    if "test" in scores and result["test_looks"]:
        times = "once" if result["test_looks"] == 1 else f"{result['test_looks']} times"
        print(f"test has been looked at {times}; each look that changes a decision makes its score less honest")
    if result.get("human"):
        from dlspec.report.human import print_human

        print_human(result["human"])
    if result.get("ledger"):
        from dlspec.report.ledger import print_ledger

        print_ledger(result["ledger"])
    for split, chain in result.get("chain", {}).items():
        from dlspec.report.chained import print_chain

        print_chain(chain, result["metric"], split)


def _fitting(splits: list[str], each: int = 32) -> list[list[str]]:
    """Splits side by side, as many as the terminal is wide."""
    from rich.console import Console

    many = max(1, (Console().width - 12) // each) if sys.stdout.isatty() else len(splits)
    return [splits[start : start + many] for start in range(0, len(splits), many)]


def print_analyzed(result: Mapping[str, Any]) -> None:
    """What `error-analysis` leaves on stdout: kinds with ceilings, slices, tags, the worst, what it leans on."""
    from dlspec.report.blamed import print_blame
    from dlspec.report.sliced import print_slices, print_tags

    metric, examples, wrong = result["metric"], result["examples"], result["errors"]
    print(f"\nrun: {result['run']}" if result["run"] else "")
    have = f"{wrong:,} of {plural(examples, 'example')} {'has' if wrong == 1 else 'have'}"
    print(f"{result['split']}: {have} an error; {metric} {number(result['value'])}")
    if result["kinds"]:
        costly = result["kinds"][0].get("cost_share") is not None
        costs = ["share of costs"] if costly else []
        table(
            ["kind of error", "examples", "share of errors", "95 % interval", *costs, f"{metric} if mended"],
            [
                [
                    k["kind"],
                    f"{k['count']:,}",
                    share(k["share"]),
                    f"{share(k['low'])} to {share(k['high'])}",
                    *([share(k["cost_share"])] if costly else []),
                    number(k["ceiling"]),
                ]
                for k in result["kinds"][:15]
            ],
            title="kinds of error, the most rewarding first",
        )
        if len(result["kinds"]) > 15:
            where = f", in {result['files']['kinds']}" if result["files"] else ""
            print(f"… and {len(result['kinds']) - 15} rarer kinds{where}\n")
        if result.get("together"):
            print(f"{result['together']}\n")
    if result.get("chain"):
        from dlspec.report.chained import print_chain

        print_chain(result["chain"], metric, result["split"])
    print_blame(result)
    print_slices(result)
    print_tags(result)
    if result["importance"]:
        table(
            ["column", f"{metric} lost when shuffled", "over repeats"],
            [[i["part"], number(i["drop"]), f"± {number(i['deviation'])}"] for i in result["importance"][:15]],
            title="what the network leans on",
        )
    if result.get("embeddings"):
        folder = result["embeddings"]["folder"]
        print(f"embeddings: {folder}; `dlspec runs board` shows them in its tab Projector\n")
    if result["worst"]:
        seen = any(w["shows"] is not None for w in result["worst"])
        table(
            ["example", "kind", "truth", "guess", *(["what it is"] if seen else [])],
            [
                [w["id"], w["kind"], _line(w["truth"]), _line(w["guess"]), *([brief(w["shows"])] if seen else [])]
                for w in result["worst"]
            ],
            left=5,
            title=f"the worst {len(result['worst'])}",
        )
    if result.get("made_up"):
        print(f"what it makes up: {brief(result['made_up']['texts'][0], MADE_UP)}\n")
    if result.get("label_issues"):
        from dlspec.report.labels import print_issues

        print_issues(result.get("label_issues"))
    for sentence in result["findings"]:
        print(sentence)
    eyeball = result.get("eyeball")
    if eyeball and wrong and eyeball["says"] not in result["findings"]:
        print(eyeball["says"])
    if result["split"] == "test" and result["test_looks"]:
        print(f"test has been looked at: {result['test_looks']}; a look that changes a decision makes it less honest")
    if result["files"]:
        print(f"written: {result['files']['kinds']}, {result['files']['errors']}")


def brief(shows: Any, most: int = 46, around: str = "") -> str:
    """A row or a text in one line, cut; around: the words that it is cut around, if they are in it."""
    if isinstance(shows, Mapping):
        shows = ", ".join(f"{name} {_short(value)}" for name, value in shows.items() if value is not None)
    text = _line("" if shows is None else str(shows))
    if len(text) <= most:
        return text
    middle = text.find(around) + len(around) // 2 if around in text else 0
    start = max(0, min(middle - most // 2, len(text) - most))
    shown = text[start : start + most]
    shown = f"…{shown[1:]}" if start else shown
    return f"{shown[:-1]}…" if start + most < len(text) else shown


def _line(text: str) -> str:
    """A text of several lines in one."""
    return text.replace("\n", "↵")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def print_doctor(result: Mapping[str, Any]) -> None:
    """What `doctor` leaves on stdout."""
    for check in result["checks"]:
        print(
            f"{'ok    ' if check['ok'] else 'FAILED'}  {check['name']:<12} {check['found']}  ({check['seconds']:.1f} s)"
        )
    print(", ".join(f"{name} {version}" for name, version in result["versions"].items()))
    print("dlspec is in order" if result["healthy"] else "dlspec is not in order: see FAILED above")
