"""Texts with their labels or values: TSV, CSV, JSON lines, Parquet, or a text a line."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from dlspec.data import sources, text_files
from dlspec.data.column_names import all_of, no_column
from dlspec.data.tabular import Entered, TableReader
from dlspec.proposals import Facts, Line, Proposal
from dlspec.types import DataError, Place
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from dlspec.data.columns import Joined
    from dlspec.data.delimited import Table

NAMED = re.compile(r"(text|sentence|review|comment|message|body|content|tweet|post|document|question|phrase)s?$", re.I)
"""what a column of texts is called"""
WORDS, LETTERS = 4, 20
"""how many words, and letters, a text has on average, to be told from a name"""
OTHERS = 3
"""columns beside text and target, from which on a table is taken for one of many features"""


class TextTable(TableReader):
    """A row a text: a column of texts, and one of labels or values.

    .csv and .tsv (delimiter and header are found), .jsonl and .json (an object a line, or a list of them), .parquet,
    .txt (`text<TAB>label`, or a text a line), each packed as .gz, too.  An example's id is the row's number, of .jsonl
    the line's, unless `id` names a column.  What is not UTF-8 is replaced, and counted.
    """

    kind: ClassVar[str] = "text"
    summary: ClassVar[str] = "texts of your own with labels or values: TSV, CSV, JSON lines, Parquet"
    suffixes: ClassVar[tuple[str, ...]] = (*TableReader.suffixes, *text_files.JSON)
    name: Literal["text_table"] = "text_table"

    column: str | None = None
    """the column of texts; left out: the only one that is left, the one called text, sentence, review, …, or the one
    with the longest cells"""

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """A table, alone or in a folder, that is about one column of texts."""
        from dlspec.data import part_files
        from dlspec.data.table_guesses import is_table, opened, tables_in
        from dlspec.data.table_proposal import common

        if os.path.isdir(path):
            return part_files.but_others(cls.recognize, path, tables_in(cls, path), target)
        if not is_table(cls, path) or not _may_hold_texts(cls, path):
            return None
        table = opened(cls, path, target)
        name = _about(table.columns, target)
        if name is None:
            return None
        found = common(table, path, target, but=[name], features=False)
        texts = [one for one in table.columns[name].tolist() if one]
        words = sorted(len(one.split()) for one in texts)
        seen = f"texts: {plural(words[len(words) // 2], 'word')} in the middle, {words[-1]:,} at most"
        own = Line("column", name, "the column of texts")
        middle = words[len(words) // 2]
        facts = Facts("text", found.count, found.asked.outputs, (middle,), alike=False, train=found.train)
        return Proposal(
            facts, found.asked.task, (found.data[0], own, *found.data[1:]), found.split, (), found.asked.goal,
            (*found.seen, seen), found.doubts, found.called, special=1,
        )  # fmt: skip

    def uses(self) -> dict[str, str | None]:
        return {"column": self.column, **super().uses()}

    def cleaned(self, table: Table) -> Table:
        """In texts nothing stands for a missing value: `-` and `None` are words."""
        other = super().cleaned(table)
        own = self.model_copy(update={"column": self._same(table)})
        name = own._text(list(table.columns), table)
        return other._replace(columns={**other.columns, name: table.columns[name]})

    def _present(self, table: Table, truth: bool) -> TextTable:
        other = super()._present(table, truth)
        return other.model_copy(update={"column": self._same(table)})

    def _same(self, table: Table) -> str | None:
        """The column of texts in new data, which may have another name where there is no other column of words."""
        if self.column is None or self.column in table.columns or not self._elsewhere:
            return self.column
        taken = {*self.uses().values(), self.split.time, *self.tags}
        left = {name: cells for name, cells in table.columns.items() if name not in taken}
        words = [name for name, cells in left.items() if len(table.columns) == 1 or _of_words(cells)]
        return words[0] if len(words) == 1 else self.column  # else `_text` says that it is not there

    def entered(self, data: Joined, names: Sequence[str], targets: Sequence[str], *, truth: bool) -> Entered:
        import pyarrow as pa
        import pyarrow.compute as pc

        name = self._text(names, data)
        column = data.columns[name]
        if not pa.types.is_string(column.type):
            column = pc.cast(column, pa.string())
        texts = pc.fill_null(column, "").to_pylist()
        notes = [f"texts in '{name}'" + "".join(f"; '{one}' is the target" for one in targets)]
        empty = sum(not one for one in texts)
        if empty:
            notes.append(f"{empty:,} of {len(texts):,} texts are empty")
        return Entered(texts, frozenset(), notes)

    def _text(self, names: Sequence[str], of: Table | Joined) -> str:
        """Which column holds the texts.  Raises DataError where that cannot be told."""
        if self.column is not None:
            if self.column in names:
                return self.column
            raise DataError(no_column(self.column, "column", names), where=Place(_file(of)))
        target = names[-1] if self.target == "last" and "last" not in names else None
        taken = {*self.uses().values(), self.split.time, target, *self.tags}
        left = [name for name in names if name not in taken] or (list(names) if len(names) == 1 else [])
        if not left:
            raise DataError(f"which column holds the texts? set data.column; {all_of(names)}", where=Place(_file(of)))
        called = [name for name in left if NAMED.fullmatch(name.strip())]
        return called[0] if called else max(left, key=lambda name: _letters(of.columns[name]))

    def _table(self, file: str) -> Table:
        from dlspec.data import delimited

        ending = Path(file.removesuffix(".gz")).suffix.lower()
        if ending == ".parquet":
            return super()._table(file)
        data, said = text_files.mended(sources.contents(file), self.encoding)
        if ending in text_files.JSON:
            table = text_files.json_lines(file, text_files.decoded(file, data, self.encoding))
            return table._replace(notes=[*table.notes, *said])
        delimiter = {"tab": "\t", "blanks": " "}.get(self.delimiter or "", self.delimiter)
        quoted = True
        if delimiter == "\t" or (delimiter is None and ending != ".csv"):
            text = text_files.decoded(file, data, self.encoding)
            if ending in text_files.LINES and delimiter is None and "\t" not in text:
                table = text_files.one_a_line(file, text)
                return table._replace(notes=[*table.notes, *said])
            delimiter = "\t" if "\t" in text else delimiter
            quoted = not (delimiter == "\t" and text_files.unquoted(text))
        how = {"delimiter": delimiter, "encoding": self.encoding, "missing": self.missing, "quoted": quoted}
        table = delimited.read(file, data, header=self.header, **how)
        if self.header is None and _comes_again(table):
            table = delimited.read(file, data, header=False, **how)
        return table._replace(notes=[*table.notes, *["quotes are signs like others"] * (not quoted), *said])


def _comes_again(table: Table) -> bool:
    """Whether a name of the header stands in its column, too: then it is a label, and the row is data."""
    import pyarrow.compute as pc

    return any(pc.any(pc.equal(column.cast("string"), name)).as_py() for name, column in table.columns.items())


def _file(of: Table | Joined) -> str:
    return of.files[0] if hasattr(of, "files") else of.file


def _letters(column: pa.Array) -> float:
    """Characters of a cell of words, on average; of numbers none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return float(pc.mean(pc.utf8_length(column)).as_py() or 0) if pa.types.is_string(column.type) else 0.0


def _of_words(column: pa.Array) -> bool:
    """Whether more than half of the cells have a letter, of any script."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(column.type):
        return False
    return float(pc.mean(pc.match_substring_regex(column, r"\p{L}").cast("int8")).as_py() or 0) > 0.5


def _about(columns: dict[str, np.ndarray], target: str | None) -> str | None:
    """The column of texts that a table is about; None where there is none, or it is one of many columns."""
    found = {}
    for name, values in columns.items():
        texts = [one for one in values[:2_000].tolist() if one] if values.dtype == object and name != target else []
        if not texts:
            continue
        words = sum(len(one.split()) for one in texts) / len(texts)
        letters = sum(map(len, texts)) / len(texts)
        if words >= WORDS and letters >= LETTERS and len(set(texts)) > len(texts) / 2:
            found[name] = letters
    if not found:
        return None
    longest = max(found, key=found.__getitem__)
    others = len(columns) - 2
    named = [name for name in found if NAMED.fullmatch(name.strip())]
    return (named[0] if named else longest) if others <= OTHERS or found[longest] >= 5 * LETTERS else None


def _may_hold_texts(reader: type[TableReader], path: str) -> bool:
    """A quick look: most tables hold numbers, and are large."""
    head = sources.contents(path)[: 1 << 16]
    if head.startswith(b"PAR1"):
        return True
    text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    lines = [one for one in text.split("\n")[:200] if one.strip()]
    return bool(lines) and sum(len(re.findall(r"[^\W\d_]{2,}", one)) for one in lines) / len(lines) >= WORDS
