"""Where a run stands with its goal, as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlspec.report.terminal import number, table


def print_goal(goal: Mapping[str, Any] | None) -> None:
    """The metric that decides; every limit with its value, where there are any, and what they come to."""
    if not goal or (goal["value"] is None and not goal.get("limits")):
        return
    split = goal.get("split", "dev")
    if goal.get("limits"):
        rows = [[f"{one['name']} {one['limit']}", number(one["value"]), outcome(one)] for one in goal["limits"]]
        table(["limit", split, "kept"], rows, title="the goal's limits")
    value = "" if goal["value"] is None else f"{split} {goal['metric']} {number(goal['value'])}"
    print(f"the goal: {'; '.join(part for part in (value, goal.get('says')) if part)}")
    measured = goal.get("measured")
    if measured:
        threads = measured["threads"]
        print(
            f"measured alone, warm, with {threads} thread{'s' * (threads != 1)} on {measured['machine']['processor']}"
        )


def outcome(one: Mapping[str, Any]) -> str:
    """Whether a limit is kept, or by how much it is missed."""
    if one["kept"]:
        return "yes"
    return "not known" if one["value"] is None else f"missed by {number(one['missed_by'])}"


def print_standings(goal: Mapping[str, Any], letters: Mapping[str, str]) -> None:
    """Limits of several runs side by side: values, an x where one is missed, and who is feasible."""
    stood: Sequence[Mapping[str, Any]] = [goal["standings"][name] for name in letters]
    rows = [
        [
            f"{limit['name']} {limit['limit']}",
            *(f"{number(one['limits'][at]['value'])}{'' if one['limits'][at]['kept'] else ' x'}" for one in stood),
        ]
        for at, limit in enumerate(stood[0]["limits"])
    ]
    rows.append(["feasible", *("yes" if one["feasible"] else "no" for one in stood)])
    table(["limit (x: missed)", *letters.values()], rows, title=f"the goal of {letters[next(iter(letters))]}")
