"""Files that the values of a search name: found beside the recipe that says them, as those of the recipe itself are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from dlspec.recipe.layering import merge
from dlspec.recipe.positions import Document, Path
from dlspec.recipe.schema import Recipe
from dlspec.recipe.searched import changed, ends


def placed(recipe: Recipe, document: Document, context: Mapping[str, Any]) -> Recipe:
    """The recipe with absolute paths in `tune.space`, whose values are all fit: no longer bound to where it lies."""
    if recipe.tune is None:
        return recipe
    space: dict[str, Any] = {}
    for axis, given in recipe.tune.space.items():
        places: dict[str, str] = {}
        for _, value in ends(given) if any(True for _ in _texts(given)) else ():
            laid = merge(document, changed(document, {axis: value}))
            laid.value.pop("tune", None)
            try:
                filled = Recipe.model_validate(laid.value, context=context).model_dump(mode="json")
            except ValidationError:
                continue  # of two ends of an axis within, some fit one value alone
            for path, text in _texts(value):
                found = _at(filled, (*axis.split("."), *path))
                if found != text and isinstance(found, str) and os.path.isabs(found):
                    places[text] = found
        space[axis] = renamed(given, lambda text, places=places: places.get(text, text))  # type: ignore[misc]
    return recipe.model_copy(update={"tune": recipe.tune.model_copy(update={"space": space})})


def own_files(space: Mapping[str, Any]) -> list[str]:
    """The user's own code that a space names."""
    found = [text for given in space.values() for _, text in _texts(given)]
    return [one for one in dict.fromkeys(found) if one.endswith(".py") and os.path.isabs(one)]


def renamed(value: Any, rename: Callable[[str], str]) -> Any:
    """A value with every text in it replaced, keys aside."""
    if isinstance(value, str):
        return rename(value)
    if isinstance(value, Mapping):
        return {key: renamed(one, rename) for key, one in value.items()}
    return [renamed(one, rename) for one in value] if isinstance(value, tuple | list) else value


def _texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping | tuple | list):
        for key, one in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _texts(one, (*path, key))


def _at(value: Any, path: Path) -> Any:
    """What stands at a path; of a component, its name."""
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value.get("name") if isinstance(value, Mapping) else value
