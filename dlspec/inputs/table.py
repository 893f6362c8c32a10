"""Rows of a table: columns told apart, missing values filled, numbers standardised, categories made one-hot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from dlspec.inputs.base import Input
from dlspec.inputs.table_cells import missing_in, parsed
from dlspec.recipe.component import Section, blame, nearest, unknown
from dlspec.remedies import LATE, USUAL, Remedy, Situation
from dlspec.types import Arrays, DataError, Example, Examples, Finding, Rendering, State
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

KINDS = ("numeric", "categorical", "date")
WHY = {"identifier": "identifiers", "constant": "constant", "empty": "empty", "drop": "as the recipe says"}
UNREAD = "dates that cannot be read"
"""why a column of dates is left out of which none tells day from month"""


class Augment(Section):
    """Random changes of rows in training: drawn anew for each example and epoch; nothing is on unless given."""

    noise: float = Field(0.0, ge=0)
    """add normal noise to numbers and parts of dates, of so many standard deviations of their column; categories and
    marks of what is missing stay as they are"""


class Table(Input):
    """Rows by column (Rows).  What a column is, is told from train alone, and said in the log; the recipe may overrule.

    A category that train had not (or too rarely) goes where the rare ones are pooled; where none were, it has no 1 in
    its one-hot, or the number 0 where categories are embedded.  So does a missing one, where train missed none.
    """

    name: Literal["table"] = "table"
    kind: ClassVar[str] = "table"
    summary: ClassVar[str] = "rows of a table: numbers, categories and dates, with missing values"

    numeric: tuple[str, ...] = ()
    """columns to be read as numbers, whatever they look like"""
    categorical: tuple[str, ...] = ()
    """columns to be read as categories, whatever they look like"""
    date: tuple[str, ...] = ()
    """columns to be read as dates (2024-01-31; also 2024/1/31, and 31/12/2020 or 12/31/2020 where a number above 12 in
    the column tells which is the day) or moments (2024-01-31T12:00:00Z), whatever they look like"""
    drop: tuple[str, ...] = ()
    """columns to be left out"""
    scale: Literal["standard", "none"] = "standard"
    """standard: numbers with mean 0 and deviation 1 over train; none: as they are"""
    impute: Literal["median", "mean", "zero"] = "median"
    """what stands for a missing number: the median or mean of train, or 0 before scaling"""
    missing_indicator: bool = True
    """add a 0/1 column for every column of numbers or dates that has missing values in train"""
    categories: Literal["one_hot", "embed"] = "one_hot"
    """one_hot: a 0/1 column a category; embed: a vector a category, learned with the network"""
    maximum_categories: int = Field(default=50, ge=1)
    """categories a column may have; the rarer ones are pooled into "other" """
    augment: Augment = Augment()
    """random changes of rows in training"""

    @model_validator(mode="after")
    def _noise_has_a_unit(self) -> Table:
        if self.augment.noise and self.scale != "standard":
            message = "noise counts in standard deviations of a column: it needs scale: standard"
            raise blame(message, "augment", "noise", value=self.augment.noise)
        return self

    @model_validator(mode="after")
    def _each_column_once(self) -> Table:
        named = [name for field in (*KINDS, "drop") for name in getattr(self, field)]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(f"column '{twice[0]}' is named twice among numeric, categorical, date and drop; keep one")
        return self

    def remedies(self, of: Situation) -> list[Remedy]:
        """Noise: against variance; none against bias."""
        if of.cause == "avoidable bias" and self.augment.noise:
            return [Remedy({"augment.noise": 0.0}, "noise makes rows harder to learn than those of dev", USUAL)]
        if of.cause == "variance" and self.augment.noise < 0.3:
            more = 0.1 if self.augment.noise < 0.1 else 0.3
            return [Remedy({"augment.noise": more}, "no row is seen twice, so that none can be learned by heart", LATE)]
        return []

    def prepare(self, train: Examples) -> State:
        """What each column of train is, and what is learned of it.

        `order`: all columns; `columns`: those in use, in that order; `features`: names of the entries of `numeric`;
        `left_out`: reason → columns.  The array `numeric` (float32) is numbers and parts of dates, indicators of
        missing ones, one-hots; with `embed`, categories are in the array `categories` (int32) instead.
        Raises DataError where the recipe names a column that is not there, or no column is of use.
        """
        from dlspec.numeric.columns import kind_of, undecided
        from dlspec.numeric.encoding import categorised, layout, measured, notes, reasons
        from dlspec.numeric.written_dates import first_of, taken_as

        table = _selected(train)
        wanted = {name: kind for kind in (*KINDS, "drop") for name in getattr(self, kind)}
        for name, kind in wanted.items():
            if name not in table:
                raise DataError(f"input: {kind}: {unknown('column', name, list(table))}")
        columns: list[dict[str, Any]] = []
        left_out: dict[str, list[str]] = {}
        said: list[str] = []
        for name, values in table.items():
            if values.dtype != object and name not in wanted:
                parsed(train, name, "numeric", values)
            kind = wanted.get(name) or kind_of(name, values, self.maximum_categories)
            learned: dict[str, Any] | None = None
            if kind == "categorical":
                learned = categorised(values, self.maximum_categories)
            elif kind in KINDS:
                first, why = (
                    first_of(dict.fromkeys(values.tolist())) if kind == "date" and values.dtype == object else ("", "")
                )
                parts = parsed(train, name, kind, values, first, why)
                measures = measured(parts, self.impute, standardise=self.scale == "standard")
                missing = missing_in(parts)
                indicator = self.missing_indicator and 0 < missing.sum() < len(values)
                if measures or indicator:
                    learned = {"measures": measures, "missing": int(missing.sum()), "indicator": bool(indicator)}
                    learned |= {"first": first} if first else {}
                    said += taken_as(name, first, why)
            doubt = undecided(values) if kind in ("categorical", "identifier") and name not in wanted else ""
            if doubt:
                said.append(f"column '{name}' looks like dates, and is not read as dates: {doubt}; write 2024-03-31")
            if learned:
                columns.append({"name": name, "kind": kind, **learned})
            else:
                left_out.setdefault(UNREAD if doubt else WHY.get(kind, WHY["constant"]), []).append(name)
        if not columns:
            raise DataError(
                f"no column of this table can go into a network; left out: {reasons(left_out)}. "
                "Name those that should, as input: {numeric: [...]} or {categorical: [...]}"
            )
        state = {"order": list(table), "columns": columns, "left_out": left_out}
        return {
            **state,
            **layout(columns, one_hot=self.categories == "one_hot"),
            "notes": [*notes(columns, left_out), *said],
        }

    def encode(self, examples: Examples, state: State) -> Arrays:
        """`numeric` (N, F) float32 and, with `embed`, `categories` (N, K) int32.

        Columns are found by name, in any order; others are ignored.  Raises DataError where a column is missing, or a
        cell of a column of numbers or dates holds something else (with the example's id).
        """
        import numpy as np

        from dlspec.numeric.encoding import codes, set_hot, slots, standardised

        table = _selected(examples)
        absent = [column["name"] for column in state["columns"] if column["name"] not in table]
        if absent:
            raise DataError(_absent(absent, list(table)))
        numbers: list[np.ndarray] = []
        indicators: list[np.ndarray] = []
        for column in state["columns"]:
            if column["kind"] != "categorical":
                name, kind = column["name"], column["kind"]
                parts = parsed(examples, name, kind, table[name], column.get("first", ""))
                numbers += standardised(parts, column["measures"])
                indicators += [missing_in(parts)] * column["indicator"]
        categorical = [column for column in state["columns"] if column["kind"] == "categorical"]
        arrays: Arrays = {}
        if "numeric" in state["shapes"]:
            arrays["numeric"] = encoded = np.zeros((len(examples), len(state["features"])), np.float32)
            for place, feature in enumerate((*numbers, *indicators)):
                encoded[:, place] = feature
            place = len(numbers) + len(indicators)
            for column in categorical if "categories" not in state["shapes"] else ():
                width = len(slots(column))
                set_hot(column, table[column["name"]], encoded[:, place : place + width])
                place += width
        if "categories" in state["shapes"]:
            arrays["categories"] = np.stack([codes(c, table[c["name"]]) for c in categorical], axis=1)
        return arrays

    @property
    def augments(self) -> bool:
        return self.augment != Augment() or type(self).augmented is not Table.augmented

    def augmented(self, batch: Arrays, seeds: np.ndarray, state: State) -> Arrays:
        """Noise on the standardised entries of `numeric`, a function of the row's seed and the entry's place."""
        import numpy as np

        from dlspec.numeric.draws import normal

        measured = sum(len(one["measures"]) for one in state["input"]["columns"] if one["kind"] != "categorical")
        if not self.augment.noise or not measured:
            return batch
        numbers = batch["numeric"].copy()
        for place in range(measured):
            numbers[:, place] += np.float32(self.augment.noise) * normal(seeds, place).astype(np.float32)
        return {**batch, "numeric": numbers}

    def remarks(self, examples: Examples, state: State) -> list[str]:
        """Categories that train had not: a changed spelling looks like that."""
        from dlspec.numeric.columns import words

        table, found = _selected(examples), []
        for column in state["columns"]:
            if column["kind"] == "categorical" and not column["pooled"]:
                known = {None, *column["categories"]}
                seen = words(table[column["name"]], numeric=column["numeric"])
                new = [str(word) for word in seen if word not in known]
                if new:
                    first = ", ".join(f"'{word}'" for word in sorted(set(new))[:3])
                    found.append(f"column '{column['name']}': {plural(len(new), 'value')} that train has not ({first})")
        return found

    def show(self, example: Example) -> Rendering:
        """The row: column → value, None where missing."""
        return Rendering("table", dict(example.x))

    def facts(self, examples: Examples, state: State) -> dict[str, Any]:
        """Every column, those that are left out included; dates as datetime64, as train says that they are written."""
        from dlspec.numeric.columns import as_dates

        table = _selected(examples)
        first = {column["name"]: column.get("first") for column in state.get("columns", ())}
        for name, values in table.items():
            if first.get(name) and values.dtype == object:
                table[name] = as_dates(values, first[name])[0]
        return table

    def parts(self, state: State) -> list[str]:
        """The columns in use."""
        return [column["name"] for column in state["columns"]]

    def shuffled(self, examples: Examples, part: str, order: np.ndarray, state: State) -> Examples:
        """The same examples, with the column `part` of example i taken from example order[i]."""
        import numpy as np

        from dlspec.numeric.rows import Rows

        rows = np.asarray(examples.rows, dtype=np.intp)
        table = examples.columns["x"].columns
        values = table[part].copy()
        values[rows] = values[rows[order]]
        return examples.replace(x=Rows({**table, part: values}))

    def findings(self, train: Examples, state: State) -> list[Finding]:
        """Columns that tell nothing, or that name the row."""
        from dlspec.numeric.columns import kind_of
        from dlspec.numeric.doubtful_columns import doubts

        table = _selected(train)
        used = {column["name"]: column for column in state["columns"]}
        kinds = {name: kind_of(name, table[name], self.maximum_categories) for name in used}
        return doubts(used, kinds, state["left_out"], len(train))

    def likeness(self, train: Examples, state: State) -> Callable[[Examples, Arrays], np.ndarray] | None:
        """Standardised numbers and one-hot categories; the same where columns differ by a hundredth of a deviation."""
        import numpy as np

        same = self.model_copy(update={"scale": "standard", "categories": "one_hot"})
        learned = state if same == self else same.prepare(train)
        if "numeric" not in learned["shapes"]:
            return None
        unit = 0.01 * np.sqrt(len(learned["features"]))
        return lambda examples, encoded: same.encode(examples, learned)["numeric"] / np.float32(unit)

    def outside(self, rows: Any, state: State) -> Examples:
        """Rows as dicts, columns as a dict of lists, a pandas or pyarrow table, or a 2-D array in train's column order.

        Ids are "0", "1", …  Raises DataError where a row lacks a column that the network needs.
        """
        from dlspec.numeric.tables import rows_of

        table = rows_of(rows, state["order"], self.parts(state))
        return Examples([str(i) for i in range(len(table))], table)


def _selected(examples: Examples) -> dict[str, np.ndarray]:
    import numpy as np

    rows = np.asarray(examples.rows, dtype=np.intp)
    return {name: values[rows] for name, values in examples.columns["x"].columns.items()}


def _absent(absent: list[str], have: list[str]) -> str:
    near = [f"'{guess}' for '{name}'" for name in absent if (guess := nearest(name, have))]
    hint = f"; did you mean {', '.join(near)}?" if near else f"; it has {', '.join(have[:20]) or 'none'}"
    many = "columns" if len(absent) > 1 else "column"
    return f"the data has no {many} {', '.join(map(repr, absent))}, which the network was trained on{hint}"
