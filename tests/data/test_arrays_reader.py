"""NumPy's files: pictures and tables, given splits, and arrays that do not fit."""

import numpy as np
import pytest
from pydantic import ValidationError

from dlspec.data.arrays import Arrays
from dlspec.types import DataError

X = np.random.default_rng(0).integers(0, 256, (30, 5, 4), dtype=np.uint8)
Y = np.arange(30) % 3


@pytest.fixture
def npz(tmp_path):
    def writing(name="a.npz", **arrays):
        np.savez(tmp_path / name, **arrays)
        return str(tmp_path / name)

    return writing


def sizes(splits):
    return {name: len(part) for name, part in splits.parts.items()}


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", "bool"])
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_pictures(npz, dtype, channels):
    x = (X if channels is None else np.stack([X] * channels, axis=-1)).astype(dtype)
    loaded = Arrays(path=npz(x=x, y=Y)).load()
    assert loaded["all"].columns["x"].shape == (30, 5, 4, channels or 1)
    assert loaded["all"].columns["x"].dtype == dtype
    assert np.array_equal(loaded["all"].columns["x"].reshape(x.shape), x)
    assert loaded["all"].column("y") == Y.tolist() and loaded["all"].ids[:2] == ["0", "1"]
    assert Arrays(path=npz(x=x, y=Y)).kind == "picture"


def test_tables(npz):
    x = X.reshape(30, 20).astype(float)
    x[3, 1] = np.nan
    reader = Arrays(path=npz(x=x, y=Y), holds="table")
    rows = reader.load()["all"].columns["x"]
    assert reader.kind == "table" and list(rows.columns) == [f"x{i}" for i in range(1, 21)]
    assert np.array_equal(np.stack([*rows.columns.values()], axis=1), x, equal_nan=True)
    assert rows[3]["x2"] is None
    assert Arrays.model_construct(name="arrays").kind == "picture", "asked before the settings are checked"


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (Y, Y.tolist()),
        (Y[:, None], Y.tolist()),
        (Y.astype("float32"), Y.tolist()),
        (Y + 0.5, (Y + 0.5).tolist()),
        (Y.astype(bool), [int(one > 0) for one in Y]),
        (np.array(["abc"[i] for i in Y]), ["abc"[i] for i in Y]),
        (np.array(["abc"[i].encode() for i in Y]), ["abc"[i] for i in Y]),
    ],
)
def test_truths(npz, y, expected):
    found = Arrays(path=npz(x=X, y=y)).load()["all"].column("y")
    assert found == expected and {type(one) for one in found} == {type(one) for one in expected}


def test_splits_inside_one_file(npz):
    path = npz(x_train=X, y_train=Y, x_test=X[:4], y_test=Y[:4])
    done = Arrays(path=path).read()
    assert sizes(done) == {"train": 25, "dev": 5, "test": 4} and done["test"].ids == [
        "test:0",
        "test:1",
        "test:2",
        "test:3",
    ]
    validated = npz("v.npz", pics_train=X, y_train=Y, pics_val=X[:6], y_val=Y[:6])
    assert sizes(Arrays(path=validated, x="pics").read()) == {"train": 30, "dev": 6}
    with pytest.raises(DataError, match="arrays x_val and x_valid are both dev"):
        Arrays(path=npz(x_train=X, y_train=Y, x_val=X, y_val=Y, x_valid=X, y_valid=Y)).load()
    with pytest.raises(DataError, match="unknown array 'y_test'"):
        Arrays(path=npz(x_train=X, y_train=Y, x_test=X)).load()
    with pytest.raises(DataError, match="holds train and test itself"):
        Arrays(path={"train": path}).load()


def test_a_file_for_each_split(npz, tmp_path):
    files = {"train": npz("1.npz", x=X, y=Y), "test": npz("2.npz", x=X[:3], y=Y[:3])}
    reader = Arrays(path=files, split={"dev": 6})
    assert sizes(reader.read()) == {"train": 24, "dev": 6, "test": 3} and reader.files() == [*files.values()]
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    bare = Arrays(path=str(tmp_path / "x.npy"), labels=str(tmp_path / "y.npy"))
    assert bare.load()["all"].column("y") == Y.tolist() and len(bare.files()) == 2
    assert bare.at(bare.path).load(truth=False)["all"].columns["y"] is None
    with pytest.raises(DataError, match=r"x\.npy: where are the labels\? set data.labels"):
        bare.at(bare.path).load()
    with pytest.raises(ValidationError, match="labels are given for train, and path for all"):
        Arrays(path=bare.path, labels={"train": bare.path})


def test_groups_times_and_tags(npz):
    extra = {"writer": np.arange(30) // 3, "when": np.arange(30)[::-1], "pen": np.array(["a", "b"] * 15)}
    path = npz(x=X, y=Y, **extra)
    grouped = Arrays(path=path, tags=("pen",), split={"group": "writer"}).read()
    assert not set(grouped["train"].column("groups")) & set(grouped["dev"].column("groups"))
    assert grouped["train"][0].tags["pen"] in "ab"
    late = Arrays(path=path, split={"time": "when", "test": 2, "dev": 1}).read()
    assert late["test"].ids == ["0", "1"] and late["dev"].ids == ["2"]
    days = npz("d.npz", x=X, y=Y, day=np.datetime64("2024-03-01") - np.arange(30))
    assert Arrays(path=days, split={"time": "day", "test": 1}).read()["test"].ids == ["0"]
    new = Arrays(path=path, tags=("pen",), split={"group": "writer", "time": None}).at(npz("n.npz", x=X))
    assert new.load(truth=False)["all"].columns["y"] is None


FAULTS = {
    "flat pictures": (
        {"x": X.reshape(30, 20), "y": Y},
        {},
        "'x' has shape (30, 20); expected pictures, (examples, height, width)",
    ),
    "table of pictures": (
        {"x": X, "y": Y},
        {"holds": "table"},
        "'x' has shape (30, 5, 4); expected a table, (examples, columns)",
    ),
    "channels first": (
        {"x": np.zeros((9, 3, 8, 8)), "y": Y[:9]},
        {},
        "channels first; expected (examples, height, width, channels)",
    ),
    "lengths": ({"x": X, "y": Y[:29]}, {}, "'y' has shape (29,); expected (30,)"),
    "one-hot": (
        {"x": X, "y": np.eye(3)[Y]},
        {},
        "'y' has shape (30, 3); expected (30,); this is one-hot: save y.argmax(axis=1)",
    ),
    "two truths": ({"x": X, "y": np.ones((30, 2))}, {}, "'y' has shape (30, 2); expected (30,); give one truth each"),
    "NaN truths": (
        {"x": X, "y": np.where(Y > 1, np.nan, 1.5)},
        {},
        "the truths 'y' are missing in examples 2, 5, 8, 11, 14 and 5 more",
    ),
    "NaN pixels": ({"x": np.where(X[7, 0, 0] == X, np.nan, X), "y": Y}, {}, "'x' is not finite in example"),
    "infinite cells": ({"x": np.full((30, 2), np.inf), "y": Y}, {"holds": "table"}, "'x' is infinite in rows 0, 1"),
    "objects": ({"x": X, "y": np.array([None] * 30)}, {}, "array 'y' holds Python objects, which are not read"),
    "complex": ({"x": X * 1j, "y": Y}, {}, "'x' is of type complex128; expected numbers"),
    "words": ({"x": X.astype(str), "y": Y}, {}, "expected numbers"),
    "no examples": ({"x": X[:0], "y": Y[:0]}, {}, "'x' has shape (0, 5, 4): there are no examples in it"),
    "no y": ({"x": X, "labels": Y}, {}, "no array 'y'; the file has x (30, 5, 4), labels (30,)"),
    "near miss": ({"x": X, "Y": Y}, {}, "unknown array 'y'; did you mean 'Y'?; the file has x (30, 5, 4), Y (30,)"),
    "no x": ({"pictures": X, "y": Y}, {}, "no array 'x'; the file has pictures (30, 5, 4), y (30,)"),
    "no group": ({"x": X, "y": Y}, {"split": {"group": "w"}}, "no array 'w'"),
    "group too short": ({"x": X, "y": Y, "w": Y[:9]}, {"split": {"group": "w"}}, "'w' has shape (9,); expected (30,)"),
    "times as text": (
        {"x": X, "y": Y, "t": Y.astype(str)},
        {"split": {"time": "t"}},
        "save numbers, or dates as datetime64",
    ),
    "times missing": (
        {"x": X, "y": Y, "t": np.where(Y, 1, np.nan)},
        {"split": {"time": "t"}},
        "is missing in examples 0, 3",
    ),
    "tag of objects": ({"x": X, "y": Y, "t": np.array([{}] * 30)}, {"tags": ("t",)}, "array 't' holds Python objects"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_arrays_that_do_not_fit(npz, case):
    arrays, settings, message = FAULTS[case]
    path = npz(**arrays)
    with pytest.raises(DataError) as caught:
        Arrays(path=path, **settings).load()
    [complaint] = caught.value.complaints
    assert message in complaint.message and complaint.where.file == path


def test_broken_files(npz, tmp_path):
    def refuse(name, content, message, **settings):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=message) as caught:
            Arrays(path=str(tmp_path / name), **settings).load()
        assert caught.value.complaints[0].where.file.startswith(str(tmp_path))

    with open(npz(x=np.random.default_rng(0).random((30, 9, 9)), y=Y), "rb") as file:
        whole = file.read()
    np.save(tmp_path / "y.npy", Y)
    np.save(tmp_path / "o.npy", np.array([None] * 3), allow_pickle=True)
    labels = {"labels": str(tmp_path / "y.npy")}
    single = (tmp_path / "y.npy").read_bytes()
    refuse("b.npz", b"junk" * 99, "this is no .npz file")
    refuse("b.npz", b"", "this is no .npz file")
    refuse("b.npz", whole[: len(whole) // 2], "this is no .npz file, or a broken one")
    refuse("b.npz", whole[:400] + bytes(40) + whole[440:], "array 'x' is broken; was the file copied whole")
    refuse("b.npz", single, r"a single array; let its name end in \.npy")
    refuse("b.npy", whole, r"several arrays; let its name end in \.npz", **labels)
    refuse("b.npy", single[:-3], "no .npy file, or one that was cut short", **labels)
    refuse("b.npy", b"", "no .npy file", **labels)
    refuse("b.npy", (tmp_path / "o.npy").read_bytes(), "holds Python objects", **labels)
    refuse("b.npy", single, r"shape \(30,\); expected pictures", **labels)
    np.save(tmp_path / "p.npy", X[:9])
    refuse("p2.npy", (tmp_path / "p.npy").read_bytes(), r"'the array' has shape \(30,\); expected \(9,\)", **labels)
    refuse("p2.npy", (tmp_path / "p.npy").read_bytes(), "save them all in one .npz", split={"group": "w"}, **labels)
