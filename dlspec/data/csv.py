"""Tables in delimited text (CSV, TSV, …) or Parquet, packed by gzip or not: a row is an example."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import model_validator

from dlspec.data import sources
from dlspec.data.column_names import all_of, columns_of
from dlspec.data.tabular import Entered, TableReader, refuse
from dlspec.proposals import Facts, Proposal
from dlspec.types import DataError, Place
from dlspec.wording import plural

if TYPE_CHECKING:
    from dlspec.data.columns import Joined

MOST_NAMED = 5
"""targets that a note names one by one"""


class CSV(TableReader):
    """Tables: .csv, .tsv, .txt (delimiter and header are found), .parquet; each packed as .gz, too.

    A column whose values are all numbers is a column of numbers, any other one of words.  An example's id is its row
    as a spreadsheet shows it (the header is row 1), unless `id` names a column.
    """

    kind: ClassVar[str] = "table"
    summary: ClassVar[str] = "tables of your own: CSV, TSV, Parquet, also packed by gzip"
    lists: ClassVar[tuple[str, ...]] = ("drop", "text", "tags")
    name: Literal["csv"] = "csv"

    tags: tuple[str, ...] = ()
    """columns that scores and errors are sliced by; they stay features unless dropped"""
    drop: tuple[str, ...] = ()
    """columns that are left out"""

    @model_validator(mode="after")
    def _target_stays(self) -> CSV:
        for name in columns_of(self.target):
            if name in self.drop:
                what = "the target" if self.target == name else "a target"
                refuse(f"column '{name}' is {what} and is dropped; take it out of drop")
        return self

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """A table, alone or one of train, dev and test by their names; or a folder that holds no other tables."""
        from dlspec.data import part_files
        from dlspec.data.table_guesses import is_table, opened, tables_in
        from dlspec.data.table_proposal import common

        if os.path.isdir(path):
            tables = tables_in(cls, path)
            return part_files.but_others(cls.recognize, path, tables, target)
        if not is_table(cls, path):
            return None
        found = common(opened(cls, path, target), path, target)
        if not found.roles.features:
            raise DataError(_nothing(found.called, found.roles.why_not), where=Place(path))
        facts = Facts("table", found.count, found.asked.outputs, (found.roles.features,), train=found.train)
        return Proposal(
            facts, found.asked.task, found.data, found.split, found.roles.input, found.asked.goal, found.seen,
            found.doubts, found.called,
        )  # fmt: skip

    def entered(self, data: Joined, names: Sequence[str], targets: Sequence[str], *, truth: bool) -> Entered:
        from dlspec.data.columns import typed
        from dlspec.numeric.rows import Rows

        special = {*targets, self.id, self.weight, self.split.group} - {None}
        features = [name for name in names if name not in special and name not in self.drop]
        if not features:
            raise DataError(f"no column is left to predict from; {all_of(names)}", where=Place(data.files[0]))
        x = Rows({n: typed(data, n, decimal=self.decimal, keep_text=n in self.text) for n in features})
        uses = {"id": self.id, "weight": self.weight, "group": self.split.group}
        others = [f"'{name}' is {'the' if len(targets) == 1 else 'a'} target" for name in targets[:MOST_NAMED]]
        others += [f"{len(targets) - MOST_NAMED} more are"] * (len(targets) > MOST_NAMED)
        others += [f"'{column}' is the {use}" for use, column in uses.items() if column is not None]
        others += [sources.some("column", [f"'{one}'" for one in self.drop]) + " dropped"] if self.drop else []
        note = f"{plural(len(features), 'column')} to predict from" + "".join(f"; {one}" for one in others)
        return Entered(x, frozenset(), [note])


def _nothing(target: str, why_not: Mapping[str, str]) -> str:
    """That no feature is left, and why."""
    why = "; ".join(f"'{name}': {one}" for name, one in list(why_not.items())[:6])
    more = "add columns of numbers or categories, or take another --target"
    return f"no column is left to predict '{target}' from; {more}. {why}"
