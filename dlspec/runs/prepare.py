"""From a recipe to arrays: read, split, learn from train what comes before the network, encode."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dlspec.data.fingerprint import duplicates, duplicates_note
from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs.goal_fits import check_goal
from dlspec.runs.human_answers import check_answers
from dlspec.runs.ragged import check_compile
from dlspec.types import DataError, Metric, Splits, State

if TYPE_CHECKING:
    from dlspec.runs.warm import Warm


class Learned(NamedTuple):
    """What hangs on data, input and task alone."""

    state: State
    warnings: list[str]
    notes: list[str]


@dataclass
class Prepared:
    """Everything before the network: splits, what was learned from train, and the notes and warnings on the way."""

    splits: Splits
    state: State
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def prepare(recipe: Recipe, watch: Watch, splits: Splits | None = None, warm: Warm | None = None) -> Prepared:
    """Read the data, divide it, learn the state from train alone.  Raises DataError, RecipeError; nothing is written.

    splits: the data, where it has been read and divided otherwise than the recipe says.
    warm: what earlier trainings of this process have read and learned.
    """
    as_given = splits is None
    if splits is None:
        splits = recipe.data.read() if warm is None else warm.splits(recipe)
    learn = functools.partial(_learned, recipe, splits)
    prepared = learn() if warm is None else warm.learned(recipe, splits, learn)
    state = prepared.state
    state["task"] = recipe.task.join(splits["train"], recipe.input, recipe.model, state)
    prepared.notes.extend(state["task"].pop("notes", ()))
    for note in prepared.notes:
        watch.note(note)
    for warning in prepared.warnings:
        watch.warn(warning)
    check_goal(recipe, prepared.state, splits)
    check_compile(recipe, prepared.state)
    if as_given:
        check_answers(recipe, prepared.state, splits.parts, {one for part in splits.parts.values() for one in part.ids})
    return Prepared(splits, prepared.state, prepared.warnings, prepared.notes)


def _learned(recipe: Recipe, splits: Splits) -> Learned:
    if not len(splits["train"]):
        raise DataError("train has no examples")
    ids = Counter(one for part in splits.parts.values() for one in part.ids)
    twice = [one for one, count in ids.items() if count > 1]
    if twice:
        first = ", ".join(twice[:5]) + (", …" if len(twice) > 5 else "")
        raise DataError(f"{len(twice):,} ids stand for more than one example ({first}); an id must name one for good")
    warnings = [sentence for sentence in [duplicates_note(duplicates(splits))] if sentence]
    entered = recipe.input.prepare_with(splits["train"], recipe.task.read_too(splits["train"]))
    asked = recipe.task.prepare(splits["train"])
    learned = [*entered.pop("notes", ()), *asked.pop("notes", ())]
    state = {"input": entered, "task": asked, "shapes": entered["shapes"]}
    for name, part in splits.parts.items():
        if name != "train" and part.labelled:
            units = recipe.evaluator.scored(part, recipe.train.seed)
            warnings += [f"{name}: {remark}" for remark in recipe.evaluator.remarks(units, asked)]
    return Learned(state, warnings, [*splits.notes, *learned])


def headline(recipe: Recipe, state: State) -> Metric:
    """The metric that decides: the goal's, or the evaluator's first."""
    metrics: list[Metric] = recipe.evaluator.metrics(state["task"])
    return next((m for m in metrics if m.name == recipe.goal.optimize), metrics[0])
