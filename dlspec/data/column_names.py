"""Columns by name: which a setting means, and what is said of those that a file has not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlspec.recipe.component import nearest
from dlspec.types import Complaint, DataError, Place


def columns_of(target: str | Sequence[str] | None) -> tuple[str, ...]:
    """The columns that are predicted: none, one or several."""
    return () if target is None else (target,) if isinstance(target, str) else tuple(target)


def refuse_missing(named: Iterable[tuple[str, str | None]], names: Iterable[str], file: str) -> None:
    """Raises DataError for all columns that settings name (setting → column) and that the file has not."""
    there = list(names)
    missing = dict.fromkeys((key, name) for key, name in named if name is not None and name not in there)
    if missing:
        raise DataError([Complaint(Place(file), no_column(name, key, there)) for key, name in missing])


def no_column(name: str, key: str, names: Sequence[str]) -> str:
    """`there is no column 'pirce' (data.target); did you mean 'price'? columns: …`"""
    guess = nearest(name, names)
    hint = f"did you mean '{guess}'? " if guess else ""
    return f"there is no column '{name}' (data.{key}); {hint}{all_of(names)}"


def all_of(names: Sequence[str]) -> str:
    """`columns: a, b, c`, the first forty of them."""
    return f"columns: {', '.join(names[:40])}" + (", …" if len(names) > 40 else "")
