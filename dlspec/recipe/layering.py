"""One document of a recipe laid over another: a patch over what it extends, --set over both."""

from __future__ import annotations

from typing import Any

from dlspec.recipe import positions
from dlspec.recipe.component import ANY, OneOf
from dlspec.recipe.positions import Document, Spot
from dlspec.recipe.schema import choices


def merge(below: Document, above: Document, *, among_sets: bool = False) -> Document:
    """One document laid over another: mappings merge, another name replaces, lists replace, null removes.

    A string stands for a name where the recipe chooses by name.  among_sets: of several --set, `a.momentum=0.9` and
    `a.name=sgd` speak of one thing, in either order.
    """
    where = choices()
    result = Document(None, above.file, dict(below.keys), dict(below.values), below.complaints + above.complaints)
    result.removed = {**below.removed, **above.removed}

    def forget(path: positions.Path) -> None:
        for table in (result.keys, result.values):
            for known in [k for k in table if k[: len(path)] == path]:
                del table[known]

    def take(path: positions.Path) -> None:
        forget(path)
        for source, table in ((above.keys, result.keys), (above.values, result.values)):
            table.update({k: spot for k, spot in source.items() if k[: len(path)] == path})

    def merged(low: Any, high: Any, path: positions.Path) -> Any:
        choice = where.get(tuple(map(str, path)))
        if choice is not None:
            low, high = ({"name": one} if isinstance(one, str) else one for one in (low, high))
        if not isinstance(low, dict) or not isinstance(high, dict):
            take(path)
            return high if among_sets else _without_nulls(high)
        named = low.get("name", choice.default if choice is not None and not among_sets else None)
        if choice is not None:
            where.update(_within(choice, high.get("name", named), path))
        same = "name" not in high or named in (high["name"], ANY) or (named is None and among_sets)
        if choice is not None and not same:
            take(path)
            return high if among_sets else _without_nulls(high)
        whole = dict(low)
        for key, value in high.items():
            if value is None and not among_sets:
                if key not in low:
                    result.removed[(*path, key)] = above.keys.get((*path, key), Spot(above.file, 0, 0, ""))
                whole.pop(key, None)
                forget((*path, key))
            else:
                whole[key] = merged(low.get(key), value, (*path, key))
        return whole

    result.value = merged(below.value, above.value, ())
    return result


def _within(choice: OneOf, name: Any, path: positions.Path) -> dict[tuple[str, ...], OneOf]:
    """The choices among the settings of what is chosen: `model.initializer` of an mlp."""
    if not isinstance(name, str) or name == ANY:
        return {}
    try:
        return choices(choice.choose(name), tuple(map(str, path)))
    except ValueError:
        return {}  # no such name, which is complained of later; or the user's own, whose place is not known here


def _without_nulls(value: Any) -> Any:
    """null removes, and where nothing lies below there is nothing to remove; but a lone null is a value."""
    if not isinstance(value, dict):
        return value
    return {key: _without_nulls(one) for key, one in value.items() if one is not None}
