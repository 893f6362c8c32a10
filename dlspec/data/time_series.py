"""Long series out of a table with a time, one or several: windows to look back at, and the steps after each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from dlspec.data.base import Reader
from dlspec.data.column_names import all_of, columns_of, refuse_missing
from dlspec.data.columns import PLAIN
from dlspec.data.fingerprint import fingerprint
from dlspec.data.sources import Encoding, some
from dlspec.data.splits import Split
from dlspec.data.tabular import refuse
from dlspec.proposals import Proposal
from dlspec.recipe.component import DataPath
from dlspec.remedies import Remedy, Situation
from dlspec.types import Complaint, DataError, Place, Splits
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.columns import Joined

TIMES = ("time", "date", "datetime", "timestamp", "month", "day", "week", "quarter", "year", "hour")
"""what a column of times is called"""


class TimeSeries(Reader):
    """A table, a row a time: .csv, .tsv, .txt (delimiter and header are found), .parquet; each packed as .gz, too.

    An example is a window: x, float64 (window, F), the target columns first, then `features` and `calendar`; y, float64
    (horizon, T), the targets of the steps after it.  Its id is the time of the first of these.

    Splits are cut by time, the last steps being test, those before them dev.  A window belongs to the split that all
    its targets lie in; one whose targets lie in two is in none.  So no x holds what a later split is asked, while dev
    and test look back at what was known by then.  Windows overlap, hence those of about two horizons make a group:
    intervals draw whole groups (blocks, Carlstein 1986).

    Several series in one table, which `series` names, are cut at the same moments, each in windows of its own; their
    steps are of one length.  Ids begin with the series' name, and the tag `series` tells it.
    """

    kind: ClassVar[str] = "series"
    has_labels: ClassVar[bool] = False
    summary: ClassVar[str] = "a series over time to be forecast: a table with a column of times"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".txt", ".parquet", ".gz")
    name: Literal["time_series"] = "time_series"

    path: DataPath
    """the file"""
    series: str | tuple[str, ...] | None = None
    """the column, or columns, that name the series a row is of, where there are several in the table: store, station"""
    time: str | None = None
    """the column of times: dates, dates with a time of day, or numbers; left out: the one called so, or the first"""
    target: str | tuple[str, ...] | None = None
    """the column, or columns, to be forecast; left out: the only other one of numbers"""
    features: tuple[str, ...] = ()
    """further columns of numbers that the network sees, as far as they are known by then"""
    calendar: tuple[Literal["year", "week", "day"], ...] = ()
    """where in the year, week or day a step is, as sine and cosine: two more channels each"""
    window: int = Field(24, ge=1)
    """steps before the forecast that an example holds.  The network sees all, or the last `input.length` of them; what
    the season before was is taken from them, so they should reach back a season"""
    horizon: int = Field(1, ge=1)
    """steps that are forecast"""
    stride: int = Field(1, ge=1)
    """steps from one window to the next"""
    season: int | None = Field(None, ge=1)
    """steps after which things come again (12 for months); 1: never; left out: guessed from what a step is, and said"""
    frequency: Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year"] | None = None
    """what a step is; left out: what lies between most rows.  Rows within one step are joined as `duplicates` says"""
    gaps: Literal["fail", "last", "skip"] = "fail"
    """steps without a row, and cells without a value: refused; the value before stands for them (last); or no window
    goes over them (skip)"""
    duplicates: Literal["fail", "first", "last", "mean", "sum"] = "fail"
    """several rows of one step: refused, or one of them counts, or their mean or sum"""
    delimiter: str | None = None
    """what stands between cells: one character; left out: found"""
    decimal: Literal[".", ","] = "."
    """what stands before the decimals of a number"""
    missing: tuple[str, ...] = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", "-")
    """cells that stand for a missing value"""
    encoding: Encoding = "utf-8"
    """how the text is written: utf-8, latin-1, cp1252, …"""
    _elsewhere: bool = PrivateAttr(False)
    """these are settings for another file, which is one part"""

    @field_validator("split")
    @classmethod
    def _split_is_by_time(cls, split: Split) -> Split:
        for key in ("group", "time", "folds", "stratify"):
            if getattr(split, key):
                refuse(f"a series is divided by its time alone; leave out {key}")
        return split

    @model_validator(mode="after")
    def _nothing_goes_over(self) -> TimeSeries:
        for key in ("train_dev", "dev_to_train"):
            if getattr(self, key):
                refuse(f"windows overlap in time, so that {key} would let train see what is asked; leave it out")
        return self

    @model_validator(mode="after")
    def _each_column_once(self) -> TimeSeries:
        used = [*columns_of(self.target), *self.features, *self.series_columns, *([self.time] if self.time else [])]
        for name in used:
            if used.count(name) > 1:
                refuse(f"column '{name}' is named twice among time, series, target and features; keep one")
        return self

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """A table with a column of dates that are equally far apart, and one other column, of numbers."""
        from dlspec.data.series_guesses import proposed

        return proposed(cls, path, target)

    @property
    def series_columns(self) -> tuple[str, ...]:
        return columns_of(self.series)

    def files(self) -> list[str]:
        return [self.path]

    def at(self, path: str) -> TimeSeries:
        other = self.model_copy(update={"path": path})
        other._elsewhere = True
        return other

    def remedies(self, of: Situation) -> list[Remedy]:
        """A larger dev; none of dev goes to train, as windows overlap."""
        return [] if of.cause == "data mismatch" else super().remedies(of)

    def divided(self, manifest: Mapping[str, str] | None = None) -> Splits:
        loaded = self.load()
        divided = Split().divide(loaded, manifest) if manifest is not None else loaded
        # Not `apart`: dev and test come after train, but from nowhere else.
        return Splits(divided.parts, fingerprint(loaded), divided.notes)

    def load(self, *, truth: bool = True) -> Splits:
        """train, dev and test; of another file (`at`) one part: every window whose targets are known or, without
        truth, the last window alone (of each series), whose targets are still to come."""
        from dlspec.data import several_series, windowing
        from dlspec.data.along_time import laid_out, moments_of, told_with
        from dlspec.data.roles import taken_as

        data = self._data()
        lists = {"target": columns_of(self.target), "features": self.features, "series": self.series_columns}
        named = [("time", self.time), *((key, name) for key, asked in lists.items() for name in asked)]
        refuse_missing(named, data.columns, self.path)
        time = self._time(data)
        targets = self._targets(data, time)
        columns, faults = self._columns(data, (*targets, *self.features))
        rows = f"{Path(self.path).name}: {plural(len(data), 'row')}"
        if self.series_columns:
            with told_with(faults):
                times = moments_of(data, time, decimal=self.decimal)
                several, base, more = several_series.lines_of(self, data, time, times, columns)
            step = f"a step is a {base.words}" if base.unit != "step" else f"steps of {base.words}"
            head = [f"{rows}, {len(several):,} series, {step}", f"forecast: {', '.join(targets)}"]
            head += [*taken_as(data, time), *more]
            found = several_series.parts_of(
                self, several, base, list(columns), len(targets), whole=self._elsewhere, truth=truth
            )
            return Splits(found.parts, notes=(*head, *found.notes))
        settings = {key: getattr(self, key) for key in ("decimal", "frequency", "duplicates", "gaps")}
        with told_with(faults):
            line = laid_out(data, time, columns, **settings)
        said = f"{rows}, a step is a {line.clock.words} ({line.labels[0]} to {line.labels[-1]})"
        if line.clock.unit == "step":
            said = f"{rows}, steps of {line.clock.words} from {line.labels[0]} to {line.labels[-1]}"
        line = line._replace(notes=[said, f"forecast: {', '.join(targets)}", *taken_as(data, time), *line.notes])
        return windowing.parts_of(self, line, list(columns), len(targets), whole=self._elsewhere, truth=truth)

    def _columns(self, data: Joined, names: Iterable[str]) -> tuple[dict[str, Any], list[Complaint]]:
        """Columns of numbers, and what is wrong with them; in the place of one that is none stand zeros."""
        import numpy as np

        columns, faults = dict[str, Any](), list[Complaint]()
        for name in names:
            try:
                columns[name] = self._numbers(data, name)
            except DataError as error:
                faults += error.complaints
                there = data.columns[name].is_valid().to_numpy(zero_copy_only=False)
                columns[name] = np.where(there, 0.0, np.nan)
        return columns, faults

    def _numbers(self, data: Joined, name: str) -> np.ndarray:
        """A column of numbers, float64.  Raises DataError that shows what is none."""
        import numpy as np

        from dlspec.data.columns import PLAIN, typed

        values = typed(data, name, decimal=self.decimal, keep="leave the column out")
        if values.dtype != object:
            return values
        wrong = [place for place, one in enumerate(values) if one is not None and not re.fullmatch(PLAIN, one)]
        shown = some("value", [f"'{one[:40]}'" for one in dict.fromkeys(values[wrong].tolist())])
        raise data.bad(
            wrong or np.arange(1),
            f"column '{name}' holds words in {{rows}} ({shown}); a series is of numbers: take another column, mend "
            "them, or add what stands for a missing value to data.missing",
        )

    def _data(self) -> Joined:
        from dlspec.data import delimited, parquet, sources
        from dlspec.data.columns import Joined, without_missing

        raw = sources.contents(self.path)
        if Path(self.path.removesuffix(".gz")).suffix.lower() == ".parquet":
            table = parquet.read(self.path, raw)
        else:
            how = {"delimiter": self.delimiter, "encoding": self.encoding, "missing": self.missing}
            table = delimited.read(self.path, raw, header=None, **how)  # type: ignore[arg-type]
        columns = {name: without_missing(column, self.missing) for name, column in table.columns.items()}
        return Joined.of([table._replace(columns=columns)], list(columns))

    def _time(self, data: Joined) -> str:
        names = list(data.columns)
        if self.time is not None:
            return self.time
        called = [name for name in names if name.strip().lower() in TIMES]
        return called[0] if called else names[0]

    def _targets(self, data: Joined, time: str) -> tuple[str, ...]:
        import pyarrow as pa
        import pyarrow.compute as pc

        names = list(data.columns)
        if self.target is not None:
            return columns_of(self.target)
        left = [name for name in names if name != time and name not in (*self.features, *self.series_columns)]
        if len(left) == 1:
            return tuple(left)

        def numeric(name: str) -> bool:
            column = data.columns[name]
            known = column.drop_null()
            plain = pc.match_substring_regex(known, PLAIN) if pa.types.is_string(column.type) else None
            return len(known) > 0 and (plain is None or bool(pc.all(plain).as_py()))

        numbers = [name for name in left if numeric(name)]
        if len(numbers) == 1:
            return (numbers[0],)
        raise DataError(
            f"which column is to be forecast? set data.target; {all_of(left)} (the time is '{time}')",
            where=Place(self.path),
        )
