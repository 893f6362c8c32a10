"""Examples of several parts or sources as one selection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dlspec.types import DataError, Examples


def joined(parts: Sequence[Examples]) -> Examples:
    """All examples of these, one after another.

    Their x must be of one kind: rows of tables with the same columns, picture files, arrays, or any other sequence.
    Raises DataError where they cannot stand together.
    """
    if len(parts) == 1:
        return parts[0]
    columns = {name: _column(parts, name) for name in ("y", "groups", "sources", "weights", "times", "lines")}
    tags = {
        name: [value for one in parts for value in (one.tag(name) if name in one.tag_names else [""] * len(one))]
        for name in dict.fromkeys(name for one in parts for name in one.tag_names)
    }
    ids = [name for one in parts for name in one.ids]
    return Examples(ids, _contents([_selected(one) for one in parts]), tags=tags, **columns)


def _column(parts: Sequence[Examples], name: str) -> list[Any] | None:
    if all(one.columns[name] is None for one in parts):
        return None
    nothing = {"groups": "", "sources": "", "weights": 1.0}.get(name)
    return [nothing if value is None else value for one in parts for value in one.column(name)]


def _selected(examples: Examples) -> Any:
    x, rows = examples.columns["x"], examples.rows
    if rows == range(len(x)):
        return x
    return x[list(rows)] if hasattr(x, "dtype") or hasattr(x, "joined") else [x[row] for row in rows]


def _contents(xs: Sequence[Any]) -> Any:
    kinds = {type(x) for x in xs}
    if len(kinds) > 1:
        names = " and ".join(sorted(kind.__name__ for kind in kinds))
        raise DataError(f"the sources cannot be mixed: they hold {names}; read them all in the same way")
    join: Callable[[Sequence[Any]], Any] | None = getattr(kinds.pop(), "joined", None)
    if join:
        return join(xs)
    if hasattr(xs[0], "dtype"):
        import numpy as np

        if len({(x.shape[1:], x.dtype) for x in xs}) == 1:
            return np.concatenate(xs)
    return [one for x in xs for one in x]
