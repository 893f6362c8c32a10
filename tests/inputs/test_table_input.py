"""The table input: worked numbers, new data, faults."""

import json
import time

import numpy as np
import pytest
from pydantic import ValidationError

from dlspec.inputs.table import Table
from dlspec.numeric.rows import Rows
from dlspec.types import DataError, Examples


def examples(**columns):
    held = {}
    for name, values in columns.items():
        if isinstance(values, np.ndarray):
            held[name] = values
        elif any(isinstance(value, str) for value in values):
            held[name] = np.empty(len(values), object)
            held[name][:] = values
        else:
            held[name] = np.array([np.nan if v is None else v for v in values], np.float64)
    count = len(next(iter(held.values())))
    return Examples([f"r{i}" for i in range(count)], Rows(held))


TRAIN = examples(age=[10, None, 30, 50], sex=["m", "f", None, "m"], flat=[1, 1, 1, 1])


def test_encoding_by_hand():
    state = Table().prepare(TRAIN)
    assert state["features"] == ["age", "age missing", "sex=f", "sex=m", "sex missing"]
    assert state["shapes"] == {"numeric": {"shape": [5], "dtype": "float32"}}
    assert state["notes"] == [
        "columns: 1 numeric (age), 1 categorical (sex 3); left out: flat (constant)",
        "missing values in train: age 1, sex 1",
    ]
    # The median 30 fills; mean 30 and deviation √200 of 10, 30, 30, 50.
    z = 20 / np.sqrt(200)
    expected = [[-z, 0, 0, 1, 0], [0, 1, 1, 0, 0], [0, 0, 0, 0, 1], [z, 0, 0, 1, 0]]
    encoded = Table().encode(TRAIN, state)["numeric"]
    assert encoded.dtype == np.float32
    assert encoded == pytest.approx(np.array(expected))


@pytest.mark.parametrize(("impute", "fill"), [("median", 3.0), ("mean", 5.0), ("zero", 0.0)])
def test_what_stands_for_a_missing_number(impute, fill):
    table = Table(impute=impute, scale="none", missing_indicator=False)
    data = examples(a=[1, 3, 11, None])
    state = table.prepare(data)
    assert table.encode(data, state)["numeric"].ravel().tolist() == [1, 3, 11, fill]


def test_embedded_categories_by_hand():
    table = Table(categories="embed")
    state = table.prepare(TRAIN)
    # 0 is what train had not; then f, m, missing.
    assert state["shapes"]["categories"] == {"shape": [1], "dtype": "int32", "sizes": [4]}
    assert state["features"] == ["age", "age missing"]
    encoded = table.encode(TRAIN, state)
    assert encoded["categories"].tolist() == [[2], [1], [3], [2]] and encoded["categories"].dtype == np.int32
    new = examples(age=[1, 2], sex=["x", "f"])
    assert table.encode(new, state)["categories"].tolist() == [[0], [1]]


def test_categories_alone_make_no_numeric_array():
    table = Table(categories="embed")
    data = examples(sex=["m", "f", "m"], town=["a", "b", "b"])
    assert set(table.encode(data, table.prepare(data))) == {"categories"}


def test_rare_categories_are_pooled_and_new_ones_join_them():
    table = Table(maximum_categories=2)
    data = examples(c=["a", "a", "b", "b", "c", "d", "a"] * 3)
    state = table.prepare(data)
    assert state["features"] == ["c=a", "c=b", "c other"]
    assert "column c: 2 categories kept, 2 rarer ones pooled as other" in state["notes"]
    new = examples(c=["a", "c", "never seen", None])
    assert table.encode(new, state)["numeric"].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]]


def test_an_unseen_category_is_all_zeros_where_nothing_was_pooled():
    state = Table().prepare(TRAIN)
    new = examples(age=[30], sex=["x"])
    assert Table().encode(new, state)["numeric"].tolist() == [[0, 0, 0, 0, 0]]


def test_dates_become_days_and_angles():
    data = examples(d=["2024-01-01", "2024-01-03", None, "2024-01-05"])
    state = Table().prepare(data)
    # No time of day is given, so nothing is said of the day's hours.
    assert state["features"] == ["d days", "d year sine", "d year cosine", "d week sine", "d week cosine", "d missing"]
    days = Table().encode(data, state)["numeric"][:, 0]
    assert days == pytest.approx(np.array([-2, 0, 0, 2]) / np.sqrt(2), abs=1e-6)


def test_the_recipe_overrules():
    data = examples(id=np.arange(40.0), code=[1, 2] * 20, text=["1", "2", None, "3"] * 10, x=np.arange(40.0) ** 1.5)
    plain = Table().prepare(data)
    assert plain["left_out"] == {"identifiers": ["id"]}
    table = Table(numeric=("id", "text"), categorical=("code",), drop=("x",))
    state = table.prepare(data)
    assert state["features"] == ["id", "text", "text missing", "code=1", "code=2"]
    assert state["left_out"] == {"as the recipe says": ["x"]}
    # Categories that were numbers are found again, whether new data has them as numbers or as text.
    new = examples(id=[1], code=["2.0"], text=[3], x=[0])
    assert table.encode(new, state)["numeric"][0, 3:].tolist() == [0, 1]


def test_a_category_column_that_new_data_has_as_numbers():
    data = examples(zip=["12345", "12345-6"] * 3)
    state = Table().prepare(data)
    assert Table().encode(examples(zip=[12345, None]), state)["numeric"].tolist() == [[1, 0], [0, 0]]


def test_constant_but_for_missing_ones_keeps_its_indicator():
    data = examples(a=[5, None, 5, None], b=[1, 2, 3, 4])
    assert Table().prepare(data)["features"] == ["b", "a missing"]
    assert Table(missing_indicator=False).prepare(data)["left_out"] == {"constant": ["a"]}


def test_only_train_is_looked_at():
    data = examples(a=[1, 2, 3, 1000], c=["x", "y", "x", "z"])
    state = Table().prepare(data.take([0, 1, 2]))
    assert state["columns"][0]["measures"][0]["mean"] == 2
    assert state["columns"][1]["categories"] == ["x", "y"]
    assert Table().encode(data.take([3, 0]), state)["numeric"][1, 0] == pytest.approx(-np.sqrt(1.5))


def test_order_and_further_columns_of_new_data_do_not_matter():
    state = Table().prepare(TRAIN)
    columns = TRAIN.columns["x"].columns
    other = TRAIN.replace(x=Rows({"more": np.arange(4.0), **dict(reversed(columns.items()))}))
    assert np.array_equal(Table().encode(other, state)["numeric"], Table().encode(TRAIN, state)["numeric"])


def test_a_state_that_went_through_json_encodes_the_same():
    state = Table().prepare(TRAIN)
    again = json.loads(json.dumps(state))
    assert again == state
    assert np.array_equal(Table().encode(TRAIN, again)["numeric"], Table().encode(TRAIN, state)["numeric"])


def test_large_numbers_keep_their_differences():
    data = examples(a=1e9 + np.arange(100) / 7)
    encoded = Table().encode(data, Table().prepare(data))["numeric"]
    assert encoded.std() == pytest.approx(1, abs=1e-5) and encoded[0] < -1.7


def test_missing_columns_are_named_with_near_misses():
    state = Table().prepare(TRAIN)
    with pytest.raises(DataError, match=r"no column 'age', which .* did you mean 'Age' for 'age'\?"):
        Table().encode(examples(Age=[1], sex=["m"]), state)
    with pytest.raises(DataError, match=r"no columns 'age', 'sex', .*; it has zzz"):
        Table().encode(examples(zzz=[1]), state)


def test_text_among_numbers_is_named():
    state = Table().prepare(TRAIN)
    new = examples(age=["1", "old", None], sex=["m", "f", "m"]).take([2, 1])
    with pytest.raises(DataError, match="example 'r1', column 'age': expected a finite number, got 'old'"):
        Table().encode(new, state)


def test_no_date_among_dates_is_named():
    data = examples(d=["2024-01-01", "2024-01-03"])
    with pytest.raises(DataError, match=r"example 'r0', column 'd': expected a date, .* got 'soon'"):
        Table().encode(examples(d=["soon"]), Table().prepare(data))


def test_infinite_numbers_are_refused():
    with pytest.raises(DataError, match="example 'r1', column 'a': expected a finite number, got 'inf'"):
        Table().prepare(examples(a=[1, np.inf]))


def test_unknown_columns_of_the_recipe():
    with pytest.raises(DataError, match=r"input: drop: unknown column 'agee'; did you mean 'age'\?"):
        Table(drop=("agee",)).prepare(TRAIN)
    with pytest.raises(ValidationError, match="column 'age' is named twice"):
        Table(drop=("age",), numeric=("age",))


def test_nothing_of_use():
    names = [f"n{i}" for i in range(20)]
    with pytest.raises(DataError, match=r"left out: name \(identifiers\), flat \(constant\), none \(empty\)"):
        Table().prepare(examples(name=names, flat=[1] * 20, none=[None] * 20))


def test_shuffling_one_column():
    state = Table().prepare(TRAIN)
    assert Table().parts(state) == ["age", "sex"]
    some = TRAIN.take([3, 0, 2])
    other = Table().shuffled(some, "age", np.array([1, 2, 0]), state)
    assert [x["age"] for x in other.column("x")] == [10, 30, 50]
    assert [x["sex"] for x in other.column("x")] == ["m", "m", None]
    assert other.ids == some.ids and some[0].x["age"] == 50


def test_rows_from_outside():
    state = Table().prepare(TRAIN)
    inside = Table().encode(TRAIN, state)["numeric"]
    dicts = [dict(example.x) for example in TRAIN]
    outside = Table().outside(dicts, state)
    assert outside.ids == ["0", "1", "2", "3"]
    assert np.array_equal(Table().encode(outside, state)["numeric"], inside)
    array = np.array([[row[name] for name in ("age", "sex", "flat")] for row in dicts], object)
    assert np.array_equal(Table().encode(Table().outside(array, state), state)["numeric"], inside)
    assert Table().show(TRAIN[2]) == ("table", {"age": 30.0, "sex": None, "flat": 1.0})


def test_a_hundred_thousand_rows_encode_fast():
    rng, n = np.random.default_rng(0), 100_000
    columns = {f"n{i}": rng.normal(size=n) for i in range(7)}
    columns["n0"][::7] = np.nan
    for i in range(3):
        columns[f"c{i}"] = np.array([f"v{k}" for k in range(30)], object)[rng.integers(0, 30, n)]
    data = Examples([str(i) for i in range(n)], Rows(columns))
    state = Table().prepare(data)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        assert Table().encode(data, state)["numeric"].shape == (n, 98)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.5
