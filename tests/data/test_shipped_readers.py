"""The data sets that scikit-learn ships, against scikit-learn's own loaders."""

import subprocess
import sys

import numpy as np
import pytest

from dlspec.recipe.component import find


def ours(name):
    return find("data", name)().load()["all"]


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_tables_with_classes(name):
    from sklearn import datasets

    theirs, data = getattr(datasets, f"load_{name}")(), ours(name)
    rows = data.columns["x"]
    assert list(rows.columns) == [str(column) for column in theirs.feature_names]
    assert np.array_equal(np.stack([*rows.columns.values()], axis=1), theirs.data)
    assert data.column("y") == [str(theirs.target_names[label]) for label in theirs.target]
    assert data.ids == [str(i) for i in range(len(theirs.data))]


def test_diabetes():
    from sklearn.datasets import load_diabetes

    theirs, data = load_diabetes(scaled=False), ours("diabetes")
    assert list(data.columns["x"].columns) == list(theirs.feature_names)
    assert np.array_equal(np.stack([*data.columns["x"].columns.values()], axis=1), theirs.data)
    assert data.column("y") == theirs.target.tolist() and type(data[0].y) is float


def test_digits():
    from sklearn.datasets import load_digits

    theirs, data = load_digits(), ours("digits")
    x = data.columns["x"]
    assert x.shape == (1797, 8, 8, 1) and x.dtype == np.uint8 and x.max() == 255
    assert np.array_equal(np.round(x[..., 0] * (16 / 255)), theirs.images)
    assert data.column("y") == theirs.target.tolist() and type(data[0].y) is int


def test_scikit_learn_itself_is_not_imported():
    code = (
        "import sys; from dlspec.recipe.component import find\n"
        "for name in ('digits', 'iris', 'wine', 'breast_cancer', 'diabetes'): find('data', name)().read()\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'sklearn', 'scipy', 'pyarrow', 'keras', 'pandas'}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.stdout.strip() == "[]", out.stderr


def test_recipe_check_loads_no_numpy():
    code = (
        "import sys; from dlspec.recipe.component import every; every('data')\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'numpy', 'pyarrow', 'sklearn'}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.stdout.strip() == "[]", out.stderr
