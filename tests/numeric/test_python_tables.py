"""Rows out of what a Python caller has."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from dlspec.numeric.tables import column_of, rows_of
from dlspec.types import DataError

WANTED = [{"age": 22.0, "sex": "male"}, {"age": None, "sex": None}, {"age": 35.5, "sex": "female"}]
GIVEN = {
    "dicts": [{"sex": "male", "age": 22}, {"age": None, "sex": None}, {"age": 35.5, "sex": "female", "more": 1}],
    "lists": {"age": [22, None, np.float32(35.5)], "sex": ["male", "", "female"]},
    "arrays": {"age": np.array([22, np.nan, 35.5]), "sex": np.array(["male", None, "female"], object)},
    "pandas": pd.DataFrame({"age": [22, np.nan, 35.5], "sex": ["male", None, "female"]}),
    "pandas types": pd.DataFrame({"age": [22, None, 35.5], "sex": ["male", None, "female"]}).convert_dtypes(),
    "pyarrow": pa.table({"age": [22, None, 35.5], "sex": ["male", None, "female"]}),
    "array of objects": np.array([[22, "male"], [None, None], [35.5, "female"]], object),
    "rows without names": [[22, "male"], [None, None], [35.5, "female"]],
}


@pytest.mark.parametrize("form", GIVEN)
def test_every_form_gives_the_same_rows(form):
    rows = rows_of(GIVEN[form], ["age", "sex"], ["age", "sex"])
    assert [{name: row[name] for name in ("age", "sex")} for row in rows] == WANTED
    assert rows.columns["age"].dtype == np.float64


def test_one_dict_is_one_row():
    assert list(rows_of({"age": 22, "sex": "male"}, ["age", "sex"], ["age"])) == WANTED[:1]


def test_an_array_may_hold_the_used_columns_alone():
    array = np.arange(6.0).reshape(3, 2)
    assert list(rows_of(array, ["id", "a", "b"], ["a", "b"]).columns) == ["a", "b"]
    with pytest.raises(DataError, match=r"shape \(3, 2\); expected \(rows, 4\).*or the 3 that are used"):
        rows_of(array, ["id", "a", "b", "c"], ["a", "b", "c"])
    with pytest.raises(DataError, match=r"shape \(2,\)"):
        rows_of(np.arange(2.0), ["a", "b"], ["a", "b"])


def test_a_row_without_a_column_is_named():
    with pytest.raises(DataError, match="row 1 has no 'sex'"):
        rows_of([{"age": 1, "sex": "male"}, {"age": 2}], ["age", "sex"], ["age", "sex"])


def test_columns_of_different_lengths():
    with pytest.raises(DataError, match="'b' has 1 value, 'a' has 2"):
        rows_of({"a": [1, 2], "b": [1]}, ["a", "b"], ["a", "b"])


def test_no_rows():
    assert len(rows_of([], ["a", "b"], ["a"])) == 0


def test_values_of_many_types():
    assert column_of([1, np.int8(2), Decimal("2.5"), float("nan"), pd.NA, None]).tolist()[:3] == [1, 2, 2.5]
    assert column_of([True, False, None]).tolist() == ["True", "False", None]
    dates = [datetime.date(2024, 1, 31), datetime.datetime(2024, 1, 31, 12), np.datetime64("2024-01-31"), pd.NaT]
    assert column_of(dates).tolist() == ["2024-01-31", "2024-01-31T12:00:00", "2024-01-31T00:00:00", None]
    assert column_of([0.1, "x", None]).tolist() == ["0.1", "x", None]
