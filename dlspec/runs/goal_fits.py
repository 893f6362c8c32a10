"""Whether a goal fits the data: metrics that it has, tags and kinds of error that there are."""

from __future__ import annotations

from typing import Any

from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.costs import names_kind, with_tag
from dlspec.recipe.component import nearest, unknown
from dlspec.recipe.schema import Recipe
from dlspec.types import Complaint, Examples, Place, RecipeError, Splits, State


def check_goal(recipe: Recipe, state: State, splits: Splits) -> None:
    """Raises RecipeError with all that a goal asks of this data in vain: metrics, tags, kinds of error it has not."""
    faults: dict[str, str] = {}
    goal, evaluator = recipe.goal, recipe.evaluator
    known = [one.name for one in evaluator.metrics(state["task"])]
    judged = splits.parts.get("dev")
    if goal.optimize is not None and goal.optimize not in known:
        faults["optimize"] = _not_of_this_data(goal.optimize, known)
    for limit in goal.limits:
        key = f"subject_to.{limit.name}"
        if limit.measured:
            continue
        if limit.metric not in known:
            faults[key] = _not_of_this_data(limit.metric, known)
        elif judged is None:
            faults[key] = "needs a dev split to be judged on; give data.split.dev, or leave it out"
        elif limit.tag is not None:
            fault = _fault_of_tag(limit.tag, judged)
            if fault:
                faults[key] = fault
    kinds = _kinds(evaluator, state["task"], splits["train"])
    for name in goal.costs if kinds else ():
        if any(names_kind(name, kind) for kind in kinds) or _is_tag(name, splits):
            continue
        first = dict.fromkeys([*(one for one in kinds if _usual(one)), *splits["train"].tag_names])
        guess = nearest(name.replace("->", "→"), list(first))
        hint = f"; did you mean '{guess}'?" if guess else f": kinds are {', '.join(list(first)[:4])}, …"
        faults[f"costs.{name}"] = f"no error is of the kind '{name}', and no example has such a tag{hint}"
    if faults:
        raise RecipeError([Complaint(Place(key=f"goal.{key}"), text) for key, text in faults.items()])


def _not_of_this_data(name: str, known: list[str]) -> str:
    reason = ", which has more than two classes" if name.endswith("_rate") else ""
    return f"{name} cannot be had of this data{reason}; known: {', '.join(known)}"


def _fault_of_tag(tag: str, dev: Examples) -> str | None:
    marked = with_tag(tag, dev)
    name, _, value = tag.partition("=")
    if marked is None:
        return f"{unknown('tag', name, dev.tag_names)} (of a table, data.tags says which columns are)"
    if marked.any():
        return None
    if tag in dev.tag_names:
        return f"no example of dev is marked in '{tag}'"
    return f"no example of dev: {unknown(f'value of {name}', value, sorted(set(map(str, dev.tag(name))))[:20])}"


def _kinds(evaluator: Evaluator, state: State, train: Examples) -> list[str]:
    """The kinds of error that there may be, where the evaluator can tell them beforehand."""
    none = train.take([])
    predictions: Any = evaluator.mended(none, [], "", state)
    statistics = evaluator.statistics(none, predictions, state)
    return list(evaluator.kinds_of(none, predictions, statistics, state).names)


def _usual(kind: str) -> bool:
    """Whether a person may have meant it: not a class that was taken for itself, nor a guess that was none."""
    one, arrow, other = kind.partition(" → ")
    return not arrow or other not in (one, "none", "not a number")


def _is_tag(name: str, splits: Splits) -> bool:
    found = [with_tag(name, part) for part in splits.parts.values()]
    return any(one is not None and bool(one.any()) for one in found)
