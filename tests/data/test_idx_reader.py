"""MNIST's format: which files are found, and what is wrong with those that are not whole."""

import gzip
import os
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from real_data import lacking

from dlspec.data.idx import IDX
from dlspec.types import DataError

PICTURES = np.arange(7 * 3 * 2, dtype=np.uint8).reshape(7, 3, 2)
LABELS = np.array([0, 1, 2, 0, 1, 2, 9], dtype=np.uint8)


def packed(array, code=8):
    head = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


def folder(tmp_path, **files):
    whole = {
        "train-images-idx3-ubyte": packed(PICTURES),
        "train-labels-idx1-ubyte": packed(LABELS),
        "t10k-images-idx3-ubyte": packed(PICTURES[:2]),
        "t10k-labels-idx1-ubyte": packed(LABELS[:2]),
    }
    for name, content in (whole | {name.replace("_", "-"): value for name, value in files.items()}).items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
    return str(tmp_path)


def test_pictures_labels_and_ids(tmp_path):
    loaded = IDX(path=folder(tmp_path)).load()
    train = loaded["train"]
    assert train.columns["x"].dtype == np.uint8 and train.columns["x"].shape == (7, 3, 2, 1)
    assert np.array_equal(train.columns["x"][..., 0], PICTURES)
    assert train.column("y") == LABELS.tolist() and type(train[0].y) is int
    assert train.ids == [f"train-0000{i}" for i in range(7)] and loaded["test"].ids == ["test-00000", "test-00001"]
    assert loaded.notes[0] == "train: 7 pictures of 3×2 from train-images-idx3-ubyte"


@pytest.mark.parametrize(
    "pattern",
    ["{}-{}-ubyte", "{}-{}-ubyte.gz", "{}-{}.ubyte", "{}10k-{}-ubyte.gz", "{}.{}", "{}-emnist-{}"],
)
@pytest.mark.parametrize("dot", ["-", "."])
def test_names_that_are_found(tmp_path, pattern, dot):
    for kind, array in (("images-idx3", PICTURES), ("labels-idx1", LABELS)):
        name = pattern.format("train", kind.replace("-", dot))
        (tmp_path / name).write_bytes(gzip.compress(packed(array)) if name.endswith("gz") else packed(array))
    (tmp_path / "SOURCE.md").write_text("x")
    reader = IDX(path=str(tmp_path))
    assert list(reader.load().parts) == ["train"] and len(reader.files()) == 2
    assert {name: len(part) for name, part in reader.read().parts.items()} == {"train": 6, "dev": 1}


def test_test_alone_may_be_looked_at(tmp_path):
    nothing = {"train_images_idx3_ubyte": None, "train_labels_idx1_ubyte": None}
    reader = IDX(path=folder(tmp_path, **nothing))
    assert list(reader.load().parts) == ["test"]
    with pytest.raises(DataError, match="test 2 alone"):
        reader.read()
    assert IDX(path="/").at(str(tmp_path)).load()["test"].ids == ["test-00000", "test-00001"]


def test_labels_may_be_absent_for_prediction_alone(tmp_path):
    path = folder(tmp_path, t10k_labels_idx1_ubyte=None)
    assert IDX(path=path).load(truth=False)["test"].columns["y"] is None
    with pytest.raises(DataError, match="t10k-images-idx3-ubyte: pictures of test without labels"):
        IDX(path=path).load()


FAULTS = {
    "cut short": (
        "train_images_idx3_ubyte",
        packed(PICTURES)[:-5],
        "its head says 7 × 3 × 2, which takes 58 bytes; got 53",
    ),
    "too long": (
        "train_labels_idx1_ubyte",
        packed(LABELS) + b"\0",
        "too long: its head says 7, which takes 15 bytes; got 16",
    ),
    "no head": ("train_images_idx3_ubyte", b"\0\0\x08\x03\0", "5 bytes: too short for an idx file, whose head has 16"),
    "empty file": ("train_images_idx3_ubyte", b"", "0 bytes: too short"),
    "foreign": (
        "train_images_idx3_ubyte",
        b"\x89PNG" + bytes(99),
        "it starts with the bytes 89 50 4e 47; expected 00 00 08 03",
    ),
    "swapped": ("train_images_idx3_ubyte", packed(LABELS) + bytes(9), r"in 3 dimensions, got type 08 in 1"),
    "floats": (
        "train_images_idx3_ubyte",
        packed(PICTURES, code=0x0D),
        "expected bytes (type 08) in 3 dimensions, got type 0d",
    ),
    "count": ("train_labels_idx1_ubyte", packed(LABELS[:5]), "5 labels, but 7 pictures in "),
    "no pictures": ("train_images_idx3_ubyte", packed(PICTURES[:0]), "this idx file is empty"),
    "labels alone": ("train_images_idx3_ubyte", None, "labels of train without pictures"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_faulty_files(tmp_path, case):
    name, content, message = FAULTS[case]
    with pytest.raises(DataError) as caught:
        IDX(path=folder(tmp_path, **{name: content})).load()
    [complaint] = caught.value.complaints
    assert message in complaint.message
    assert Path(complaint.where.file).parent == tmp_path and Path(complaint.where.file).name.startswith("train-")


def test_cut_gzip(tmp_path):
    nothing = {"train_images_idx3_ubyte": None}
    path = folder(tmp_path, **nothing)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(packed(PICTURES))[:-9])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz: this gzip file is broken"):
        IDX(path=path).load()


def test_folders_that_do_not_fit(tmp_path):
    with pytest.raises(DataError, match=r"no idx files in this folder: expected train\*.* it has nothing"):
        IDX(path=str(tmp_path)).load()
    (tmp_path / "cat.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"it has cat.png"):
        IDX(path=str(tmp_path)).load()
    with pytest.raises(DataError, match=r"cat\.png: is a file; expected the folder"):
        IDX(path=str(tmp_path / "cat.png")).load()
    with pytest.raises(DataError, match="is not there"):
        IDX(path=str(tmp_path)).at(str(tmp_path / "gone")).load()
    path = folder(tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"")
    with pytest.raises(DataError, match=r"of train: train-images-idx3-ubyte, train-images-idx3-ubyte.gz; keep one"):
        IDX(path=path).load()


@pytest.mark.skipif(not os.environ.get("DLSPEC_DATA"), reason=lacking("mnist"))
def test_mnist():
    splits = IDX(path=str(Path(os.environ["DLSPEC_DATA"]) / "mnist")).read()
    assert {name: len(part) for name, part in splits.parts.items()} == {"train": 8500, "dev": 1500, "test": 10000}
    assert splits["test"].column("y")[:5] == [7, 2, 1, 0, 4]
    counts = Counter(splits["train"].column("y") + splits["dev"].column("y"))
    dev = Counter(splits["dev"].column("y"))
    assert all(abs(dev[digit] - counts[digit] * 0.15) < 1 for digit in range(10))
    assert splits["test"].columns["x"][0].shape == (28, 28, 1)
    assert round(float(splits["test"].columns["x"].mean()) / 255, 4) == 0.1325, "MNIST's test mean"
