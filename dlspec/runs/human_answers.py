"""What annotators answered on a split, read against the data: ids that it has, and classes or numbers."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from dlspec.data.annotators import Answer, read_answers
from dlspec.evaluators.base import Evaluator
from dlspec.numeric.class_names import class_name, named
from dlspec.recipe.component import nearest
from dlspec.recipe.schema import Recipe
from dlspec.types import ClassLabels, DataError, Examples, NumberLabels, Place, State

SPLIT = "dev"
"""which people answer on, unless another is named"""


class Answers(NamedTuple):
    """What annotators answered on a split."""

    kind: Literal["nominal", "interval"]
    classes: list[str]
    coded: dict[str, np.ndarray]
    """annotator → (N,) places among the classes, or numbers; NaN where there is no answer"""


def check_answers(recipe: Recipe, state: State, splits: Mapping[str, Examples], ids: Collection[str]) -> None:
    """Raise DataError where `goal.human` names a table that does not go with this data, before anything is scored.

    ids: of the whole data.
    """
    given, evaluator = recipe.goal.human, recipe.evaluator
    if isinstance(given, str) and SPLIT in splits:
        units = evaluator.scored(splits[SPLIT], recipe.train.seed)
        if units.labelled:
            answers(given, evaluator, state["task"], units, ids)


def answers(
    file: str, evaluator: Evaluator, state: State, examples: Examples, ids: Collection[str], split: str = SPLIT
) -> Answers:
    """What annotators answered on a split.

    examples: its units of scoring.  ids: of the whole data.  Raises DataError that names file and line.
    """
    given = read_answers(file)
    _check_ids(file, given, examples, ids, split)
    place = {one: row for row, one in enumerate(examples.ids)}
    kind, classes = _kind(evaluator, state, examples), _classes(state, examples)
    coded = {name: np.full(len(place), np.nan) for name in given}
    for name, of in given.items():
        for one, answer in of.items():
            if one in place:
                told = _number(file, answer) if kind == "interval" else _class(file, answer, classes)
                coded[name][place[one]] = told
    return Answers(kind, classes, coded)


def _check_ids(
    file: str, given: Mapping[str, Mapping[str, Answer]], examples: Examples, ids: Collection[str], split: str
) -> None:
    """Raise DataError where an id is unknown, or none is of the split."""
    answered = {one: answer.line for of in given.values() for one, answer in of.items()}
    mine = set(examples.ids)
    known = mine.union(ids)
    strange = [one for one in answered if one not in known]
    if strange:
        near = nearest(strange[0], list(mine)[:20_000])
        some = ", ".join(strange[:3]) + (", …" if len(strange) > 3 else "")
        hint = f"; did you mean '{near}'?" if near else "; annotators answer examples by their id"
        raise DataError(
            f"{len(strange):,} of {len(answered):,} ids are unknown to the data: {some}{hint}",
            where=Place(file, answered[strange[0]]),
        )
    if not mine & set(answered):
        raise DataError(
            f"none of these {len(answered):,} answers is of {split}, which people are compared on", where=Place(file)
        )


def _kind(evaluator: Evaluator, state: State, examples: Examples) -> Literal["nominal", "interval"]:
    """Whether answers are classes or numbers.  Raises DataError where they are neither."""
    few = examples.take(range(1))
    right = evaluator.stack([evaluator.perfect(one, state) for one in few])
    labels = evaluator.labels(few, right, state)
    if labels is None or (isinstance(labels, ClassLabels) and labels.parts is not None):
        raise DataError(f"answers to '{evaluator.name}' cannot be read from a table; state the human level as a number")
    return "interval" if isinstance(labels, NumberLabels) else "nominal"


def _classes(state: State, examples: Examples) -> list[str]:
    """Every class that there is: those that train knows, and those of this split."""
    truths = [one for one in named(examples.column("y")) if one is not None]
    return list(dict.fromkeys([*(state.get("classes") or ()), *sorted(set(truths))]))


def _class(file: str, answer: Answer, classes: Sequence[str]) -> float:
    """Its place among the classes; `3.0` is the class 3."""
    text: str | None = answer.text
    if text not in classes:
        try:
            text = class_name(float(answer.text))
        except ValueError:
            text = None
    if text not in classes:
        near = nearest(answer.text, classes)
        hint = f"did you mean '{near}'?" if near else f"known: {', '.join(classes[:20])}"
        raise DataError(
            f"there is no class '{answer.text}'; {hint} (leave the cell empty where there is no answer)",
            where=Place(file, answer.line),
        )
    return float(classes.index(text))


def _number(file: str, answer: Answer) -> float:
    try:
        value = float(answer.text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"expected a number, got '{answer.text}'", where=Place(file, answer.line))
    return value
