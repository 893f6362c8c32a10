"""Pydantic's complaints → ours: where in which file, what is wrong, what to write instead; all of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from dlspec.recipe.component import nearest, shown
from dlspec.recipe.positions import Document, Path
from dlspec.types import Complaint
from dlspec.wording import plural

_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of a size that can be",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list, as [a, b]",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
    "none_required": "nothing (null)",
}
_BOUNDS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
_SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}


def complaints(error: ValidationError, document: Document) -> list[Complaint]:
    """One complaint a place of the recipe; the alternatives of a union are joined by "or"."""
    places: dict[tuple[Path, bool], list[str]] = {}
    for one in error.errors(include_url=False):
        path = _written(one["loc"], one["type"], document)
        at_key = one["type"] in {"unknown_key", "extra_forbidden"}
        messages = places.setdefault((path, at_key), [])
        message = sentence(one)
        if message not in messages:
            messages.append(message)
    misspelt = {(*path[:-1], guess) for path, _ in places for guess in _guesses(places.get((path, True), ()))}
    return [
        document.complaint(path, _joined(messages), at_key=at_key)
        for (path, at_key), messages in places.items()
        if path not in misspelt  # it is there, by another name, which is complained of
    ]


def _guesses(messages: Sequence[str]) -> list[str]:
    """What keys that are not known may have been meant to be."""
    return [one.rpartition("did you mean '")[2].removesuffix("'?") for one in messages if "did you mean '" in one]


def _written(location: tuple[int | str, ...], kind: str, document: Document) -> Path:
    """The location without what pydantic adds to it (names of union members) and the recipe does not hold."""
    path: Path = ()
    for part in location:
        if (*path, part) in document.values:
            path = (*path, part)
    if kind == "missing" and location:
        path = (*path, location[-1])
    return path


def _joined(messages: list[str]) -> str:
    heads = [m.split(", got ")[0].removeprefix("expected ") for m in messages]
    if len(messages) > 1 and all(m.startswith("expected ") and ", got " in m for m in messages):
        return f"expected {' or '.join(heads)}, got {messages[0].split(', got ', 1)[1]}"
    return "; or ".join(messages)


def sentence(one: Mapping[str, Any]) -> str:
    """One of pydantic's errors in the user's words."""
    kind, context, value = one["type"], one.get("ctx", {}), one["input"]
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, got {shown(value)}"
    if kind in _BOUNDS:
        bound = _BOUNDS[kind]
        return f"must be {_SIGNS[bound]} {context[bound]:g}, got {shown(value)}"
    if kind == "missing":
        last = one["loc"][-1] if one["loc"] else ""
        return f"missing: give '{last}'" if isinstance(last, str) else f"missing: the list is too short ({last} given)"
    if kind == "literal_error":
        allowed = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        guess = nearest(value, allowed) if isinstance(value, str) else None
        hint = f"; did you mean '{guess}'?" if guess else ""
        return f"expected {'one of ' if len(allowed) > 1 else ''}{', '.join(allowed)}, got {shown(value)}{hint}"
    if kind == "too_short":
        return f"needs at least {plural(context['min_length'], 'value')}, got {context['actual_length']}"
    if kind == "too_long":
        return f"takes at most {plural(context['max_length'], 'value')}, got {context['actual_length']}"
    return str(one["msg"]).removeprefix("Value error, ")
