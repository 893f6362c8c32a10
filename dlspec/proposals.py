"""What `init` is told of data that it has never seen: by the reader that knows the format, and by each architecture.

Standard library only, as dlspec.types: it flows between the same rooms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Line:
    """A setting of a recipe, and why it is as it is."""

    key: str
    value: Any
    """plain values, as YAML knows them; a tuple of Lines is a mapping"""
    why: str = ""
    sure: bool = True
    """False: written as a comment, for a person to take or to leave"""
    path: bool = False
    """the value is an absolute path (or a mapping to some), to be written as seen from the recipe"""

    def because(self, why: str) -> Line:
        """The same setting for another reason."""
        return replace(self, why=why)


Lines = tuple[Line, ...]


class Facts(NamedTuple):
    """What an architecture is chosen by."""

    kind: str
    """what goes in: "table", "picture", …"""
    examples: int
    """all of them, before they are divided"""
    outputs: int
    """numbers that the network gives: classes, or 1"""
    shape: tuple[int, ...]
    """of one example: (columns,) of a table; typical (height, width, channels) of pictures"""
    alike: bool = True
    """every example has this shape"""
    causal: bool = False
    """what is said at a place may hang on nothing that comes later: a text is to be gone on with"""
    train: int = 0
    """how many of the examples are to be learned from; 0: not known"""


class Suggestion(NamedTuple):
    """An architecture as a first one to try: how well it suits (0 to 1), and settings where its defaults do not do."""

    suits: float
    why: str
    model: Lines = ()
    input: Lines = ()
    """settings of the input that go with it (a picture's size); they come before the reader's own"""
    train: Lines = ()


@dataclass(frozen=True)
class Proposal:
    """How a reader would read what lies at a path, and what it takes it for.

    `task` begins with its name.  `data` is without the reader's name and without `split`.
    """

    facts: Facts
    task: Lines
    data: Lines
    split: Lines = ()
    input: Lines = ()
    goal: Lines = ()
    seen: tuple[str, ...] = ()
    """sentences for the head of the recipe: how much there is, which columns, which classes"""
    doubts: tuple[str, ...] = ()
    """sentences on what was guessed and may be wrong, said aloud as well"""
    target: str | None = None
    """the column that was taken for the target, where columns can be chosen"""
    special: int = 0
    """of several readers that know a path, the one with more: how much it asks of a path (a table that names
    pictures is a table, too)"""
    reader: str = ""
    """the reader's name; `init` fills it in"""

    def named(self, reader: str) -> Proposal:
        return replace(self, reader=reader)


def taken(lines: Lines) -> dict[str, Any]:
    """The settings that hold, as plain values: what is not sure left out."""
    return {line.key: _plain(line.value) for line in lines if line.sure}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple) and value and all(isinstance(one, Line) for one in value):
        return taken(value)
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def laid_over(above: Lines, below: Lines) -> Lines:
    """Both, without those of the lower one whose key the upper one has."""
    keys = {line.key for line in above}
    return (*above, *(line for line in below if line.key not in keys))
