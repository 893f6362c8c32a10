"""Numbers of things as a sentence has them.  Standard library only; every room may say them."""

from __future__ import annotations


def plural(count: int, one: str, many: str = "") -> str:
    """A count and its noun: '1 row', '1,200 rows'; `many` where an s is not all: '2 boxes', '3 rows are'."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
