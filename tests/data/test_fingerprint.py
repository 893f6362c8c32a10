"""Fingerprints feel every change of content, and duplicates are found wherever they stand."""

import subprocess
import sys

import numpy as np
import pytest

from dlspec.data.fingerprint import digests, duplicates, duplicates_note, fingerprint
from dlspec.numeric.rows import Rows
from dlspec.types import DataError, Examples, Splits


def table(height=(1.0, 2.0, 1.0), colour=("red", None, "red"), ids=("a", "b", "c"), y=("x", "y", "y")):
    rows = Rows({"height": np.array(height), "colour": np.array([*colour], dtype=object)})
    return Splits({"all": Examples(list(ids), rows, None if y is None else list(y))})


def test_fingerprint_feels_ids_values_and_labels():
    prints = [
        fingerprint(one)
        for one in (
            table(),
            table(height=(1.0, 2.0, 1.0 + 1e-15)),
            table(height=(1.0, np.nan, 1.0)),
            table(colour=("red", "", "red")),
            table(ids=("a", "b", "d")),
            table(ids=("a", "c", "b")),
            table(y=("x", "y", "x")),
            table(y=None),
            Splits({"train": table()["all"]}),
        )
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint(table()) == prints[0] and len(prints[0]) == 16


def test_fingerprint_is_the_same_in_another_process():
    code = (
        "import numpy as np;from dlspec.numeric.rows import Rows;from dlspec.types import *;"
        "from dlspec.data.fingerprint import fingerprint;"
        "r=Rows({'colour':np.array(['red',None,'red'],dtype=object),'height':np.array([1.,2.,1.])});"
        "print(fingerprint(Splits({'all':Examples(['a','b','c'],r,['x','y','y'])})))"
    )
    out = subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": "7"}, capture_output=True, text=True)
    assert out.stdout.strip() == fingerprint(table()), out.stderr
    assert fingerprint(table()) == "f59f7b3740b7122e", "must be the same in ten years"


def test_fingerprint_of_labels_does_not_depend_on_their_container():
    x = np.arange(6.0).reshape(3, 2)
    plain = fingerprint(Splits({"all": Examples(["0", "1", "2"], x, [3, 1, 2])}))
    assert fingerprint(Splits({"all": Examples(["0", "1", "2"], x, np.array([3, 1, 2]))})) == plain
    assert fingerprint(Splits({"all": Examples(["0", "1", "2"], x.astype(">f8"), [3, 1, 2])})) == plain
    assert fingerprint(Splits({"all": Examples(["0", "1", "2"], x.T.copy().T, [3, 1, 2])})) == plain


def test_row_digests():
    rows = Rows(
        {
            "a": np.array([1.0, 1.0, np.nan, -np.nan, 0.0, -0.0, 1.0]),
            "b": np.array(["x", "x", None, None, "", "", "y"], dtype=object),
        }
    )
    d = rows.digests()
    assert d[0] == d[1] and d[2] == d[3] and d[4] == d[5] and len({d[0], d[2], d[4], d[6]}) == 4
    assert Rows(dict(reversed(rows.columns.items()))).digests() == d, "the order of columns does not matter"
    text = Rows({"p": np.array(["a", "ab"], dtype=object), "q": np.array(["bc", "c"], dtype=object)}).digests()
    assert text[0] != text[1]
    missing = Rows({"p": np.array([None, "-"], dtype=object)}).digests()
    assert missing[0] != missing[1]
    one = Rows({"p": np.array([1.0])}).digests()
    assert one != Rows({"q": np.array([1.0])}).digests() != Rows({"q": np.array(["1.0"], dtype=object)}).digests()
    assert rows[[1, 6]].digests() == [d[1], d[6]]
    assert Rows({}).digests() == []


def test_digests_of_arrays_feel_shape_and_selection():
    x = np.random.default_rng(0).integers(0, 256, (5, 2, 3, 1), dtype=np.uint8)
    whole = Examples([*"abcde"], x)
    d = digests(whole)
    assert len(set(d)) == 5
    assert digests(whole.take([3, 1])) == [d[3], d[1]]
    assert digests(Examples([*"abcde"], x.reshape(5, 3, 2, 1))) != d
    assert digests(Examples([*"abcde"], x.astype(np.int16))) != d
    assert digests(Examples([*"abcde"], list(x))) == d, "ragged or listed pictures hash alike"


def test_digests_of_files_and_texts(tmp_path):
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    a, b, c = digests(Examples([*"abc"], [tmp_path / name for name in "abc"]))
    assert a == b != c
    one, two, again = digests(Examples([*"abc"], ["a b", "ab", "a b"]))
    assert one == again != two
    with pytest.raises(DataError, match=r"no-file.*cannot be read"):
        digests(Examples(["x"], [tmp_path / "no-file"]))


def test_duplicates_across_splits():
    x = np.array([[0.0], [1.0], [2.0], [1.0], [1.0], [2.0], [3.0], [0.0]])
    whole = Examples([f"e{i}" for i in range(8)], x, [0, 0, 0, 0, 1, 0, 0, 0])
    splits = Splits({"train": whole.take([0, 1, 2, 7]), "dev": whole.take([3, 4, 6]), "test": whole.take([5])})
    ones, twos = duplicates(splits)
    assert ones.ids == {"train": ("e1",), "dev": ("e3", "e4")} and ones.labels_differ
    assert twos.ids == {"train": ("e2",), "test": ("e5",)} and not twos.labels_differ
    assert duplicates_note([ones, twos]) == (
        "2 examples of dev also stand in train (e3 = e1), 2 of them where labels differ; "
        "1 example of test also stands in train (e5 = e2)"
    )
    alone = Splits({"train": whole.take([0, 1, 7]), "dev": whole.take([6])})
    assert duplicates(alone) == [] and duplicates_note([]) is None
    unlabelled = Splits({"train": Examples(["a"], x[:1]), "dev": Examples(["b"], x[7:])})
    assert [one.labels_differ for one in duplicates(unlabelled)] == [False]


def test_duplicates_in_three_splits_are_told_pairwise():
    x = np.zeros((3, 1))
    splits = Splits({name: Examples([name], x[:1], [0]) for name in ("test", "train", "dev")})
    assert duplicates_note(duplicates(splits)) == (
        "1 example of dev also stands in train (dev = train); 1 example of test also stands in train (test = train); "
        "1 example of test also stands in dev (test = dev)"
    )
