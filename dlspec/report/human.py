"""Annotators as a person sees them: the level of each, and how far they agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.report.terminal import between, number, table


def print_human(human: Mapping[str, Any]) -> None:
    """What `evaluate` says of annotators; nothing where the human level is a number that was stated."""
    if not human["annotators"]:
        return
    table(
        ["", "answers", human["metric"], "95 % interval"],
        [[one["name"], f"{one['n']:,}", number(one["value"]), between(one)] for one in human["annotators"]],
        title="annotators",
    )
    if human["agreement"]["pairs"]:
        table(
            ["both answered", "", "examples", "Cohen's kappa"],
            [[one["one"], one["other"], f"{one['n']:,}", number(one["kappa"])] for one in human["agreement"]["pairs"]],
            left=2,
        )
    for sentence in human["says"]:
        print(sentence)


def view(human: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """What the page takes of human.json; None where no annotators were asked."""
    return human if human and human["annotators"] else None
