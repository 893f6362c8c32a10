"""What flows between the rooms; with it come the errors that are the user's.  Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, overload

from dlspec.complaints import ArgumentError as ArgumentError
from dlspec.complaints import Complaint as Complaint
from dlspec.complaints import DataError as DataError
from dlspec.complaints import Place as Place
from dlspec.complaints import RecipeError as RecipeError
from dlspec.complaints import UnreadableError as UnreadableError
from dlspec.complaints import UserError as UserError

State = dict[str, Any]
"""What was learned before the network, as JSON: the parts `input`, `task` and `shapes`."""

Arrays = dict[str, Any]
"""Named arrays (or lists of ragged arrays) whose first axis is the example."""

Statistics = dict[str, Any]
"""Named arrays, a row an example, from which an evaluator computes every metric."""

Prediction = Any
"""One decoded prediction; what it is, its evaluator says.  Many are any sequence: a NumPy array for classes."""

SPLITS = ("train", "train_dev", "dev", "test")


@dataclass(frozen=True)
class Example:
    """One example: what goes in, what is true of it, and what a person wants to slice by."""

    id: str
    x: Any
    y: Any = None
    tags: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    source: str = ""
    weight: float = 1.0


class Lines(NamedTuple):
    """Where an example stands in the user's files: of each of its words the line, counted from 1."""

    file: str
    numbers: Sequence[int]


class Examples(Sequence[Example]):
    """Examples held by column, so that a million cost no million objects.

    `x` is any sequence that takes an integer: an array of pictures, a list of paths, a `dlspec.numeric.rows.Rows`.
    A selection shares its columns with the whole: `rows` says which of them it means, in which order.
    """

    def __init__(
        self,
        ids: Sequence[str],
        x: Any,
        y: Sequence[Any] | None = None,
        *,
        tags: Mapping[str, Sequence[str]] | None = None,
        groups: Sequence[str] | None = None,
        sources: Sequence[str] | None = None,
        weights: Sequence[float] | None = None,
        times: Sequence[Any] | None = None,
        lines: Sequence[Lines | None] | None = None,
        rows: Sequence[int] | None = None,
    ) -> None:
        self.columns: dict[str, Any] = {
            "ids": ids,
            "x": x,
            "y": y,
            "tags": dict(tags or {}),
            "groups": groups,
            "sources": sources,
            "weights": weights,
            "times": times,
            "lines": lines,
        }
        self.rows: Sequence[int] = range(len(ids)) if rows is None else rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Examples: ...
    def __getitem__(self, index: int | slice) -> Example | Examples:
        if isinstance(index, slice):
            return self.take(range(len(self))[index])
        c, row = self.columns, self.rows[index]
        return Example(
            id=c["ids"][row],
            x=c["x"][row],
            y=None if c["y"] is None else c["y"][row],
            tags={name: values[row] for name, values in c["tags"].items()},
            group="" if c["groups"] is None else c["groups"][row],
            source="" if c["sources"] is None else c["sources"][row],
            weight=1.0 if c["weights"] is None else c["weights"][row],
        )

    def __iter__(self) -> Iterator[Example]:
        return (self[i] for i in range(len(self)))

    def take(self, indices: Sequence[int]) -> Examples:
        """The examples at these places of this selection, in this order."""
        other = object.__new__(Examples)
        other.columns = self.columns
        other.rows = [self.rows[i] for i in indices]
        return other

    def replace(self, **columns: Any) -> Examples:
        """The same examples with whole columns replaced (each as long as the base, not the selection)."""
        other = object.__new__(Examples)
        other.columns = {**self.columns, **columns}
        other.rows = self.rows
        return other

    def column(self, name: str) -> list[Any]:
        """A column of this selection alone (ids, x, y, groups, …); a missing one is a list of None."""
        values = self.columns[name]
        return [None] * len(self) if values is None else [values[row] for row in self.rows]

    @property
    def ids(self) -> list[str]:
        return self.column("ids")

    @property
    def labelled(self) -> bool:
        return self.columns["y"] is not None

    @property
    def tag_names(self) -> list[str]:
        return list(self.columns["tags"])

    def tag(self, name: str) -> list[str]:
        values = self.columns["tags"][name]
        return [values[row] for row in self.rows]


@dataclass(frozen=True)
class Splits:
    """What a reader gives: named splits, what it has to say about the data, and a fingerprint of the content."""

    parts: Mapping[str, Examples]
    fingerprint: str = ""
    notes: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    """the splits that the data gave apart from train, so that they may be of another kind"""

    def __getitem__(self, name: str) -> Examples:
        if name not in self.parts:
            have = ", ".join(f"{k} ({len(v)})" for k, v in self.parts.items())
            raise DataError(f"there is no split '{name}'; this data has {have}")
        return self.parts[name]

    def __contains__(self, name: object) -> bool:
        return name in self.parts

    def with_parts(self, parts: Mapping[str, Examples]) -> Splits:
        return replace(self, parts=parts)


class Metric(NamedTuple):
    """A metric's name, which way is better, and what a perfect prediction scores."""

    name: str
    best: Literal["max", "min"]
    perfect: float


class Share(NamedTuple):
    """A mean over rows (see Evaluator.shares): hits or losses, `among` which, and what `metric` is made of it."""

    rows: Any
    among: Any = None
    metric: Callable[[float], float] | None = None


class Error(NamedTuple):
    """One mistake: of which example, of which kind, how bad (larger is worse), and what a person reads of it."""

    id: str
    kind: str
    size: float
    truth: str
    guess: str


class ClassLabels(NamedTuple):
    """Classes as people gave them (int (N,), -1: none of the names), beside what a network that never saw them finds
    probable (float (N, C)); NaN where it does not say."""

    given: Any
    probabilities: Any
    names: Sequence[str]
    parts: Any = None
    """of several labels an example, int (N, 2): the row of the example, and which of its parts (words) the label is of,
    from 0; None: each is of a whole example"""


class NumberLabels(NamedTuple):
    """Numbers as people gave them, beside the guesses of a network that never saw them; float arrays (N,)."""

    given: Any
    guess: Any


class Outcomes(NamedTuple):
    """Of examples with one class each: which was true and which was said; int (N,), below 0 for none of them."""

    truth: Any
    guess: Any
    names: Sequence[str]


class Mistakes(NamedTuple):
    """Every error of many examples as arrays (M,): of which row (ascending), which of the names, how bad (float)."""

    rows: Any
    codes: Any
    sizes: Any
    names: Sequence[str]


class Rendering(NamedTuple):
    """An example as a person would look at it.  `content`: text, or an array for a picture or sound."""

    kind: Literal["table", "text", "picture", "sound"]
    content: Any


class Marks(NamedTuple):
    """What truth or guess says of places in a picture, in its own pixels; the report draws it on the picture."""

    boxes: Sequence[tuple[str, float, float, float, float] | tuple[str, float, float, float, float, bool]] = ()
    """name, left, top, right, bottom; and whether it is a crowd"""
    points: Sequence[tuple[str, float, float]] = ()
    """name, x, y"""
    mask: Any = None
    """class indices, uint8 (H, W); 255 where nobody has judged"""


class Figure(NamedTuple):
    """Something to look at rather than read, drawn by the report; plain lists and numbers, so that it is JSON.

    `matrix`: rows, columns (names), values (list of lists), row_title, column_title.
    `lines`: series (list of {name, x, y}, optional low and high, and counts: dots of that size, not joined), x_title,
    y_title, optional diagonal (true), x_range and y_range ([low, high]), x_logarithmic (true), mark ({x, name}: a
    vertical line); a y of None is a gap.
    `points`: x, y, x_title, y_title, optional diagonal.
    `bars`: names, values, optional low and high, x_title, y_title; edges (one more than values) instead of names make a
    histogram; dots (true): marks instead of bars, over the range that there is, where it is the differences that count.
    """

    kind: Literal["matrix", "lines", "points", "bars"]
    title: str
    data: Mapping[str, Any]
    caption: str = ""


class Passage(NamedTuple):
    """A text that is read beside others: a sentence, its reference, what a network said; plain, so that it is JSON."""

    name: str
    """what it is: source, truth, guess"""
    parts: Sequence[tuple[str, str, str]]
    """the text in pieces, blanks among them; of each how it is marked (right, wrong, missed; "": not), and what is said
    of it"""
    labelled: bool = False
    """what is said of a piece stands beside it; else it comes up when it is pointed at"""


class Finding(NamedTuple):
    """Something that `check` has seen: how grave, of which kind, where; and what was seen, why it matters, the mend."""

    severity: Literal["error", "warning", "note"]
    kind: str
    """a word or two with underscores, the same for the same fault in whatever data"""
    where: str
    message: str
