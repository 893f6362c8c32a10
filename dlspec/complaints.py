"""What is said to a user who alone can mend it, and where it points to.  Standard library only.

Every room takes these from dlspec.types.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Place(NamedTuple):
    """Where a complaint points to."""

    file: str | None = None
    line: int | None = None
    column: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        spot = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return ": ".join(part for part in (spot, self.key) if part)


class Complaint(NamedTuple):
    """One thing that is wrong with what the user gave, and how to mend it."""

    where: Place
    message: str
    excerpt: str = ""

    def __str__(self) -> str:
        head = str(self.where)
        return f"{head}: {self.message}" if head else self.message


class UserError(Exception):
    """Something only the user can mend: says where, what was got, what was expected.  Exit code 2, no traceback."""

    kind = "user"

    def __init__(self, message: str | Sequence[Complaint], *, where: Place | None = None) -> None:
        if isinstance(message, str):
            self.complaints = [Complaint(where or Place(), message)]
        else:
            self.complaints = list(message)
        super().__init__()

    def __str__(self) -> str:
        return "\n".join(map(str, self.complaints))


class RecipeError(UserError):
    """The recipe (or a --set) asks for something that cannot be."""

    kind = "recipe"


class DataError(UserError):
    """The data is not what the recipe says."""

    kind = "data"


class UnreadableError(DataError):
    """The file of one example is broken: the example may be left out, where the data is not `strict`."""


class ArgumentError(UserError):
    """A command's argument is wrong: no such run, no such split."""

    kind = "argument"
