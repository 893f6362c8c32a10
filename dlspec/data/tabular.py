"""What readers of tables share: what each column is for, new data that lacks some, rows without a target."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeVar

from pydantic import PrivateAttr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from dlspec.data import sources
from dlspec.data.base import Reader
from dlspec.data.column_names import all_of, columns_of, no_column, refuse_missing
from dlspec.data.sources import Encoding, Source
from dlspec.types import DataError, Examples, Place, Splits
from dlspec.wording import plural

if TYPE_CHECKING:
    from dlspec.data.columns import Joined
    from dlspec.data.delimited import Table

R = TypeVar("R", bound="TableReader")


class Entered(NamedTuple):
    """What goes in: x of every row, the rows that are left out all the same, and what is to be said of it."""

    x: Any
    left_out: frozenset[int]
    notes: list[str]


class TableReader(Reader):
    """Tables: .csv, .tsv, .txt (delimiter and header are found), .parquet; each packed as .gz, too.

    Says of every row its truth, tags, group, time and weight; what goes in, a reader over it says in `entered`.
    An example's id is its row as a spreadsheet shows it (the header is row 1), unless `id` names a column.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".txt", ".parquet", ".gz")
    lists: ClassVar[tuple[str, ...]] = ("text", "tags")
    """settings that list columns"""

    path: Source
    """the file; or {train: …, dev: …, test: …} where each has a file of its own"""
    target: str | tuple[str, ...] | None = None
    """the column to predict; `last` is the last one. Several ([a, b]), where a task asks several things of an example:
    multi_label (a column of 0 and 1 a label) or multi_task"""
    delimiter: str | None = None
    """what stands between cells: one character, or `tab`, or `blanks` (any number of them); left out: found"""
    header: bool | None = None
    """whether the first row names the columns (else: column_1, column_2, …); left out: found"""
    decimal: Literal[".", ","] = "."
    """what stands before the decimals of a number"""
    missing: tuple[str, ...] = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", "-")
    """cells that stand for a missing value"""
    text: tuple[str, ...] = ()
    """columns that hold words though they look like numbers (codes, numbers of classes)"""
    tags: tuple[str, ...] = ()
    """columns that scores and errors are sliced by"""
    id: str | None = None
    """the column that names each example, for good; left out: the row's number"""
    weight: str | None = None
    """the column that says how much each example counts"""
    encoding: Encoding = "utf-8"
    """how the text is written: utf-8, latin-1, cp1252, …"""
    drop_missing_target: bool = False
    """leave out the rows without a target (they are counted) instead of refusing them"""
    keep_missing_target: bool = False
    """keep the rows without a target, for a task to which an empty cell says something: multi_label (no label is true)
    or multi_task (nothing is known)"""
    _elsewhere: bool = PrivateAttr(False)
    """these are settings for another file, which need not have the columns that nothing is predicted from"""

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str | None) -> str | None:
        if (
            delimiter is not None
            and delimiter not in ("tab", "blanks")
            and (len(delimiter) != 1 or delimiter in '"\r\n')
        ):
            refuse(f"expected one character, `tab` or `blanks`, got '{delimiter}'")
        return delimiter

    @model_validator(mode="after")
    def _one_use_each(self: R) -> R:
        if self.drop_missing_target and self.keep_missing_target:
            refuse("drop_missing_target and keep_missing_target exclude each other; keep one")
        if self.target == ():
            refuse("target lists no column; name one, or leave target out")
        uses = self.uses()
        if self.target is not None:
            uses["split.time"] = self.split.time
        named: dict[str, str] = {}
        for use, column in uses.items():
            if column is not None and column in named and {use, named[column]} != {"id", "split.group"}:
                refuse(f"column '{column}' cannot be both {named[column]} and {use}")
            if column is not None:
                named[column] = use
        return self

    def uses(self) -> dict[str, str | None]:
        """Use → column, of what nothing is predicted from; a column has one use."""
        targets: dict[str, str | None] = {"target": None}
        if isinstance(self.target, tuple):
            targets = {f"target[{i}]": name for i, name in enumerate(self.target)}
        elif self.target is not None:
            targets = {"target": self.target}
        return {**targets, "id": self.id, "weight": self.weight, "split.group": self.split.group}

    @abc.abstractmethod
    def entered(self, data: Joined, names: Sequence[str], targets: Sequence[str], *, truth: bool) -> Entered:
        """x, a value a row, out of the columns of these names.  Raises DataError that names the rows."""

    def ids(self, data: Joined) -> list[str]:
        """An id a row, each once in its file."""
        from dlspec.data import roles

        return [str(row) for row in data.rows.tolist()] if self.id is None else roles.ids(data, self.id)

    def files(self) -> list[str]:
        return list(sources.parts(self.path).values())

    def at(self: R, path: str) -> R:
        other = self.model_copy(update={"path": path})
        other._elsewhere = True
        return other

    def load(self, *, truth: bool = True) -> Splits:
        parts = sources.parts(self.path)
        tables = [self._table(file) for file in parts.values()]
        if truth and not self._elsewhere:
            refuse_missing(self._named(), tables[0].columns, tables[0].file)
        tables = [self.cleaned(table) for table in tables]
        settings = self if truth and not self._elsewhere else self._present(tables[0], truth)
        return settings._loaded(parts, tables, truth=truth)

    def cleaned(self, table: Table) -> Table:
        """The same with nulls where cells stand for a missing value."""
        from dlspec.data.columns import without_missing

        return table._replace(columns={n: without_missing(c, self.missing) for n, c in table.columns.items()})

    def _named(self) -> list[tuple[str, str | None]]:
        """Setting → column, of all that the settings name; None: it names none."""
        named = [*self.uses().items(), ("split.time", self.split.time)]
        named += [(key, name) for key in self.lists for name in getattr(self, key)]
        return [(key, None if (key, name) == ("target", "last") else name) for key, name in named]

    def _present(self: R, table: Table, truth: bool) -> R:
        """The settings without the columns that new data need not have."""
        have = table.columns
        split = {key: name if (name := getattr(self.split, key)) in have else None for key in ("group", "time")}
        lists = {key: tuple(n for n in getattr(self, key) if n in have) for key in self.lists}
        names = {key: name if (name := getattr(self, key)) in have else None for key in ("id", "weight")}
        target: Any = self.target
        if not truth:
            there = tuple(name for name in columns_of(target) if name in have)
            target = (there or None) if isinstance(target, tuple) else (target if there else None)
        return self.model_copy(
            update={**lists, **names, "target": target, "split": self.split.model_copy(update=split)}
        )

    def _loaded(self, parts: dict[str, str], tables: Sequence[Table], *, truth: bool) -> Splits:
        from dlspec.data.columns import Joined
        from dlspec.data.roles import several_truths, taken_as, truths

        target = self._target(tables[0]) if truth else self.target
        names = self._checked(tables, target)
        data = Joined.of(tables, names)
        x, left_out, notes = self.entered(data, names, columns_of(target), truth=truth)
        notes = [*_said(tables), *notes]
        if self.split.time is not None and not self._elsewhere:
            notes += taken_as(data, self.split.time)
        y, kept = None, list(range(len(data)))
        if target is not None:
            if isinstance(target, tuple):
                y, present = several_truths(data, target, decimal=self.decimal, text=self.text, strict=truth)
            else:
                y, present = truths(data, target, decimal=self.decimal, keep_text=target in self.text, strict=truth)
            if truth and len(present) < len(data):
                kept = self._kept(data, "', '".join(columns_of(target)), present)
                without = plural(len(data) - len(present), "row") + " without a target"
                notes.append(f"{without} {'kept' if self.keep_missing_target else 'left out'}")
        kept = [row for row in kept if row not in left_out]
        whole = self._examples(data, list(parts), x, y)
        return Splits(_parts(whole, kept, data, list(parts)), notes=tuple(notes))

    def _kept(self, data: Joined, target: str, present: list[int]) -> list[int]:
        """The rows with a target, where the others may be left out.  Raises DataError where they may not."""
        if present and self.keep_missing_target:
            return list(range(len(data)))
        if present and self.drop_missing_target:
            return present
        absent = sorted(set(range(len(data))) - set(present))
        mend = (
            "; fill them in, or set data.drop_missing_target: true to leave them out (keep_missing_target: true where "
            "an empty cell says that no label is true, task: multi_label)"
        )
        mend = mend if present else ""
        raise data.bad(absent, f"the target '{target}' is missing in {{rows}} ({len(absent):,} in all){mend}")

    def _table(self, file: str) -> Table:
        from dlspec.data import delimited, parquet

        data = sources.contents(file)
        if Path(file.removesuffix(".gz")).suffix.lower() == ".parquet":
            return parquet.read(file, data)
        delimiter = {"tab": "\t", "blanks": " "}.get(self.delimiter or "", self.delimiter)
        return delimited.read(
            file, data, delimiter=delimiter, header=self.header, encoding=self.encoding, missing=self.missing
        )

    def _target(self, table: Table) -> str | tuple[str, ...]:
        names = list(table.columns)
        if self.target is None:
            raise DataError(
                f"which column is to be predicted? set data.target; {all_of(names)}", where=Place(table.file)
            )
        if isinstance(self.target, tuple):
            return self.target  # _checked says which of them are not there
        if self.target not in names and self.target != "last":
            raise DataError(no_column(self.target, "target", names), where=Place(table.file))
        return self.target if self.target in names else names[-1]

    def _checked(self, tables: Sequence[Table], target: str | tuple[str, ...] | None) -> list[str]:
        """The columns that every file has.  Raises DataError for one that the settings name and that is not there."""
        names = list(tables[0].columns)
        for table in tables[1:]:
            if set(table.columns) != set(names):
                lacking = [n for n in names if n not in table.columns]
                extra = [n for n in table.columns if n not in names]
                differences = [sources.some("column", lacking) + " missing"] if lacking else []
                differences += [sources.some("column", extra) + " too many"] if extra else []
                raise DataError(
                    f"other columns than {tables[0].file}: {', '.join(differences)}", where=Place(table.file)
                )
        refuse_missing([one for one in self._named() if one[1] != self.target], names, tables[0].file)
        return names

    def _examples(self, data: Joined, parts: list[str], x: Any, y: list[Any] | None) -> Examples:
        """Every row of every file; ids carry the part's name where there are several files."""
        from dlspec.data import roles

        ids = self.ids(data)
        if parts != ["all"]:
            for part, start, end in zip(parts, data.starts, data.starts[1:], strict=False):
                ids[start:end] = [f"{part}:{one}" for one in ids[start:end]]
        group, weight = self.split.group, self.weight
        time = None if self._elsewhere else self.split.time  # new data are not split: nothing hangs on their times
        return Examples(
            ids,
            x,
            y,
            tags={name: roles.texts(data, name) for name in self.tags},
            groups=None if group is None else roles.complete(data, group),
            times=None if time is None else roles.times(data, time, decimal=self.decimal),
            weights=None if weight is None else roles.weights(data, weight, decimal=self.decimal),
        )


def _said(tables: Sequence[Table]) -> list[str]:
    return [
        f"{Path(table.file).name}: {plural(len(table.rows), 'row')}, {plural(len(table.columns), 'column')}, "
        f"{', '.join(table.notes)}"
        for table in tables
    ]


def _parts(whole: Examples, kept: list[int], data: Joined, parts: list[str]) -> dict[str, Examples]:
    ends = zip(parts, data.starts, data.starts[1:], strict=False)
    return {part: whole.take([row for row in kept if start <= row < end]) for part, start, end in ends}


def refuse(message: str) -> None:
    """Raise what pydantic turns into a complaint about the setting that is being checked."""
    raise PydanticCustomError("table", "{message}", {"message": message})
