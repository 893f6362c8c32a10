"""The table input on real files."""

import csv
import gzip
import io
import os
from pathlib import Path

import numpy as np
import pytest
from real_data import lacking

from dlspec.inputs.table import Table
from dlspec.numeric.rows import Rows
from dlspec.types import Examples

pytestmark = pytest.mark.skipif(not os.environ.get("DLSPEC_DATA"), reason=lacking("tabular"))


def read(file, target):
    """Numbers where a whole column is numbers, text elsewhere, as a reader would give it."""
    path = Path(os.environ["DLSPEC_DATA"]) / "tabular" / file
    raw = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(f"{file}.gz").read_bytes())
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8"), newline="")))
    columns = {}
    for name in rows[0]:
        cells = [row[name] or None for row in rows]
        try:
            columns[name] = np.array([np.nan if cell is None else float(cell) for cell in cells])
        except ValueError:
            columns[name] = np.empty(len(cells), object)
            columns[name][:] = cells
    del columns[target]
    return Examples([str(i) for i in range(len(rows))], Rows(columns))


def by_scikit_learn(data, numeric, categorical):
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = data.columns["x"].columns
    raw = np.stack([columns[name] for name in numeric], axis=1)
    z = StandardScaler().fit_transform(SimpleImputer(strategy="median").fit_transform(raw))
    missing = np.isnan(raw)
    words = np.stack([columns[name] for name in categorical], axis=1)
    hot = OneHotEncoder(sparse_output=False).fit_transform(words)
    return np.concatenate([z, missing[:, missing.any(axis=0)], hot], axis=1)


CASES = {
    "titanic": (
        "titanic_train.csv",
        "Survived",
        ["Pclass", "Age", "SibSp", "Parch", "Fare"],
        ["Sex", "Embarked"],
        ["PassengerId", "Name", "Ticket", "Cabin"],
    ),
    "california": (
        "california_housing.csv",
        "median_house_value",
        [
            "longitude",
            "latitude",
            "housing_median_age",
            "total_rooms",
            "total_bedrooms",
            "population",
            "households",
            "median_income",
        ],
        ["ocean_proximity"],
        [],
    ),
    "penguins": (
        "penguins.csv",
        "species",
        ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"],
        ["island", "sex"],
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_columns_are_told_apart_and_encoded_as_scikit_learn_does(case):
    file, target, numeric, categorical, identifiers = CASES[case]
    data = read(file, target)
    state = Table().prepare(data)
    assert [c["name"] for c in state["columns"] if c["kind"] == "numeric"] == numeric
    assert [c["name"] for c in state["columns"] if c["kind"] == "categorical"] == categorical
    assert state["left_out"] == ({"identifiers": identifiers} if identifiers else {})
    encoded = Table().encode(data, state)["numeric"]
    assert np.abs(encoded - by_scikit_learn(data, numeric, categorical)).max() < 1e-5


@pytest.mark.parametrize("case", CASES)
def test_half_of_the_rows_are_told_apart_the_same_way(case):
    file, target, numeric, categorical, _ = CASES[case]
    data = read(file, target)
    half = np.random.default_rng(0).permutation(len(data))[: len(data) // 2].tolist()
    state = Table().prepare(data.take(half))
    assert {c["name"] for c in state["columns"]} == {*numeric, *categorical}
    other = Table().encode(data, state)["numeric"]
    assert np.isfinite(other).all() and len(other) == len(data)


def test_the_titanic_note():
    data = read(*CASES["titanic"][:2])
    assert Table().prepare(data)["notes"] == [
        "columns: 5 numeric (Pclass, Age, SibSp, Parch, Fare), 2 categorical (Sex 2, Embarked 4); "
        "left out: PassengerId, Name, Ticket, Cabin (identifiers)",
        "missing values in train: Age 177, Embarked 2",
    ]
