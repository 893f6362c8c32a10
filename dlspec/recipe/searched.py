"""What a search changes of a recipe: each axis is tried on it when it is loaded, so that no trial fails for a typo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from dlspec.recipe.complain import complaints
from dlspec.recipe.component import shown
from dlspec.recipe.layering import merge
from dlspec.recipe.positions import Document, Path, Spot, dotted
from dlspec.recipe.tune import Tune, inner_axes, kind_of
from dlspec.types import Complaint, Place

APART = ("goal", "tune", "extends")
"""sections that are no part of what is searched: trials are judged by one goal"""
FOLDED = ("folds", "fold", "fold_is")
"""keys of data.split that tune.folds gives"""


def unsearchable(document: Document, tune: Tune, context: Mapping[str, Any]) -> list[Complaint]:
    """Complaints about axes that are no values of the recipe, or whose ends it does not take."""
    found: list[Complaint] = []
    for axis, given in tune.space.items():
        place: Path = ("tune", "space", axis)
        path = tuple(axis.split("."))
        within = next((other for other in tune.space if axis.startswith(f"{other}.")), None)
        if not all(path):
            found.append(document.complaint(place, "expected a dotted key, as train.batch_size", at_key=True))
        elif path[0] in APART:
            message = f"'{path[0]}' cannot be searched: all trials are judged alike"
            found.append(document.complaint(place, message, at_key=True))
        elif within is not None:
            message = f"lies within '{within}', which is searched too; put it into the values of that choice"
            found.append(document.complaint(place, message, at_key=True))
        else:
            found += _tried(document, axis, given, context)
    return [*found, *_unrepeatable(document, tune, context)]


def _unrepeatable(document: Document, tune: Tune, context: Mapping[str, Any]) -> Iterator[Complaint]:
    """Complaints about folds and seeds that the recipe, or what is searched, says otherwise."""
    if tune.seeds > 1 and "train.seed" in tune.space:
        message = "tune.seeds trains with other seeds already; leave one of the two out"
        yield document.complaint(("tune", "space", "train.seed"), message, at_key=True)
    if tune.folds is None:
        return
    for key in FOLDED:
        if f"data.split.{key}" in tune.space:
            message = "tune.folds divides the data already; leave one of the two out"
            yield document.complaint(("tune", "space", f"data.split.{key}"), message, at_key=True)
    split = document.value.get("data", {}).get("split") if isinstance(document.value.get("data"), Mapping) else None
    said = [key for key in FOLDED if isinstance(split, Mapping) and split.get(key) is not None]
    if isinstance(split, Mapping) and split.get("folds") is not None:
        message = f"tune.folds divides the data into folds itself; leave data.split.{' and '.join(said)} out"
        yield document.complaint(("tune", "folds"), message)
        return
    changes = {"data.split.folds": tune.folds, "data.split.fold": tune.folds - 1}
    yield from _complaints(document, changes, ("tune", "folds"), context)


def _complaints(
    document: Document, changes: Mapping[str, Any], place: Path, context: Mapping[str, Any]
) -> Iterator[Complaint]:
    """What is wrong with the recipe once it is changed so, blamed on a place of it."""
    from dlspec.recipe.schema import Recipe

    laid = merge(document, changed(document, changes, place))
    laid.value.pop("tune", None)
    try:
        Recipe.model_validate(laid.value, context=context)
    except ValidationError as error:
        for one in complaints(error, laid):
            yield document.complaint(place, f"{one.where.key}: {one.message}")


def _tried(document: Document, axis: str, given: Mapping[str, Any], context: Mapping[str, Any]) -> list[Complaint]:
    from dlspec.recipe.schema import Recipe

    found: list[Complaint] = []
    for inner, value in ends(given):
        place = ("tune", "space", axis, *inner)
        laid = merge(document, changed(document, {axis: value}, place))
        laid.value.pop("tune", None)
        try:
            Recipe.model_validate(laid.value, context=context)
        except ValidationError as error:
            for one in complaints(error, laid):
                key = one.where.key or ""
                above = f"{axis}.".startswith(f"{key}.")
                at_key = above and one.message.startswith("unknown key")
                # What is wrong lies at the axis, or elsewhere because of it.
                about = "" if key == axis else f"{key}: "
                about = about if above or key.startswith(f"{axis}.") else f"with {axis} {shown(value)}, {about}"
                said = document.complaint(place[:3] if at_key else place, f"{about}{one.message}", at_key=at_key)
                name = dotted(("tune", "space", axis))
                found.append(said._replace(where=Place(said.where.file, said.where.line, said.where.column, name)))
        if found:
            break  # the other end would be complained of alike
    return found


def changed(document: Document, changes: Mapping[str, Any], place: Path = ()) -> Document:
    """Changes by dotted key as a document to lay over a recipe; blamed on a place of that, where one is given."""
    spot = document.values.get(place) or Spot(document.file, 0, 0, "")
    value: dict[str, Any] = {}
    spots: dict[Path, Spot] = {(): spot}
    for axis, new in changes.items():
        path = tuple(axis.split("."))
        home = value
        for part in path[:-1]:
            home = home.setdefault(part, {})
        home[path[-1]] = new
        spots |= dict.fromkeys((path[: n + 1] for n in range(len(path))), spot)
        spots |= dict.fromkeys(((*path, *inner) for inner in _paths(new)), spot)
    return Document(value, document.file, dict(spots), dict(spots))


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, Mapping | tuple | list):
        for key, one in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield (key,)
            yield from ((key, *inner) for inner in _paths(one))


def ends(given: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Values of an axis that stand for all: both ends of a range, each of a choice; where each stands in the axis."""
    kind = kind_of(given)
    if kind is None:  # which is complained of already
        return
    if kind != "choice":
        for place, end in enumerate(given[kind]):
            yield (kind, place), int(end) if kind == "integer" else float(end)
        return
    for place, option in enumerate(given[kind]):
        inner: dict[Path, list[Any]] = {path: [value for _, value in ends(axis)] for path, axis in inner_axes(option)}
        for turn in range(max([len(ends) for ends in inner.values()], default=1)):
            drawn: dict[Path, Any] = {path: ends[turn % len(ends)] for path, ends in inner.items()}
            yield (kind, place), filled(option, drawn)


def filled(option: Any, values: Mapping[Path, Any], path: Path = ()) -> Any:
    """A value of a choice with its axes replaced by values."""
    if path in values:
        return values[path]
    if isinstance(option, Mapping):
        return {key: filled(one, values, (*path, str(key))) for key, one in option.items()}
    return option
