"""From a recipe to arrays: read, split, learn from train what comes before the network, encode."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlspec.data.fingerprint import duplicates, duplicates_note
from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.types import DataError, Splits, State


@dataclass
class Prepared:
    """Everything before the network: splits, what was learned from train, and the notes and warnings on the way."""

    splits: Splits
    state: State
    warnings: list[str] = field(default_factory=list)


def prepare(recipe: Recipe, watch: Watch) -> Prepared:
    """Read the data, divide it, learn the state from train alone.  Raises DataError; nothing is written."""
    splits = recipe.data.read()
    if not len(splits["train"]):
        raise DataError("train has no examples")
    for note in splits.notes:
        watch.note(note)
    warnings = [sentence for sentence in [duplicates_note(duplicates(splits))] if sentence]
    entered = recipe.input.prepare(splits["train"])
    asked = recipe.task.prepare(splits["train"])
    for note in (*entered.pop("notes", ()), *asked.pop("notes", ())):
        watch.note(note)
    for warning in warnings:
        watch.warn(warning)
    state = {"input": entered, "task": asked, "shapes": entered["shapes"]}
    return Prepared(splits, state, warnings)
