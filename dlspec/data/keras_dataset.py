"""The picture data sets that Keras knows, downloaded once and kept where Keras keeps them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from dlspec.data.base import Reader
from dlspec.data.download import Remote, fetched
from dlspec.recipe.component import DataPath
from dlspec.types import DataError, Examples, Place, Splits
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

GOOGLE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
TORONTO = "https://www.cs.toronto.edu/~kriz/"
REMOTES = {
    "mnist": (
        Remote(
            f"{GOOGLE}mnist.npz",
            "mnist.npz",
            "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        ),
    ),
    "fashion_mnist": tuple(
        Remote(f"{GOOGLE}{name}", f"fashion-mnist/{name}")
        for name in (
            "train-images-idx3-ubyte.gz",
            "train-labels-idx1-ubyte.gz",
            "t10k-images-idx3-ubyte.gz",
            "t10k-labels-idx1-ubyte.gz",
        )
    ),
    "cifar10": (
        Remote(
            f"{TORONTO}cifar-10-python.tar.gz",
            "cifar-10-python.tar.gz",
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        ),
    ),
    "cifar100": (
        Remote(
            f"{TORONTO}cifar-100-python.tar.gz",
            "cifar-100-python.tar.gz",
            "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
        ),
    ),
}
FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


class Part(NamedTuple):
    """Pictures (N, H, W, C), a label for each, and what to slice by."""

    x: np.ndarray
    y: list[Any]
    tags: dict[str, list[str]]


class KerasDataset(Reader):
    """MNIST, Fashion-MNIST, CIFAR-10 or CIFAR-100, with the train and test that their authors made.

    What is not in `folder` yet is downloaded to it, once.  y: the digit for MNIST,
    the class's name otherwise.  CIFAR-100's twenty superclasses are the tag `superclass`.  ids: train-00012.
    """

    kind: ClassVar[str] = "picture"
    summary: ClassVar[str] = "MNIST, Fashion-MNIST, CIFAR-10, CIFAR-100: downloaded once"
    name: Literal["keras_dataset"] = "keras_dataset"

    dataset: Literal["mnist", "fashion_mnist", "cifar10", "cifar100"]
    """which one; the first time, 11, 31, 170 or 169 megabytes are downloaded"""
    folder: DataPath | None = None
    """where the files are kept; left out: $KERAS_HOME/datasets, or ~/.keras/datasets, as Keras does"""

    def load(self, *, truth: bool = True) -> Splits:
        home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
        folder = self.folder or os.path.join(home, "datasets")
        place, found = {
            "mnist": _mnist,
            "fashion_mnist": _fashion_mnist,
            "cifar10": _cifar10,
            "cifar100": _cifar100,
        }[self.dataset](folder)
        parts = {
            name: Examples([f"{name}-{i:05d}" for i in range(len(part.y))], part.x, part.y, tags=part.tags)
            for name, part in found.items()
        }
        sizes = ", ".join(f"{name} {len(part):,}" for name, part in parts.items())
        _, height, width, channels = found["train"].x.shape
        note = f"{self.dataset}: {sizes} pictures of {height}×{width}, {plural(channels, 'channel')}, from {place}"
        return Splits(parts, notes=(note,))


def _mnist(folder: str) -> tuple[str, dict[str, Part]]:
    from dlspec.data import numpy_files

    place = fetched(REMOTES["mnist"][0], folder)
    arrays = numpy_files.opened(place)
    parts = {}
    for part in ("train", "test"):
        x = numpy_files.pictures(place, f"x_{part}", numpy_files.member(place, arrays, f"x_{part}"))
        y = numpy_files.truths(place, f"y_{part}", numpy_files.member(place, arrays, f"y_{part}"), len(x))
        parts[part] = Part(x, list(y), {})
    return place, parts


def _fashion_mnist(folder: str) -> tuple[str, dict[str, Part]]:
    from dlspec.data.idx import IDX

    files = [fetched(remote, folder) for remote in REMOTES["fashion_mnist"]]
    place = os.path.dirname(files[0])
    parts = IDX(path=place).load().parts
    return place, {
        part: Part(examples.columns["x"], _named(place, examples.column("y"), FASHION), {})
        for part, examples in parts.items()
    }


def _cifar10(folder: str) -> tuple[str, dict[str, Part]]:
    import numpy as np

    from dlspec.data import cifar

    place = _unpacked(folder, "cifar-10-batches-py") or fetched(REMOTES["cifar10"][0], folder)
    train = [f"data_batch_{i}" for i in range(1, 6)]
    found = cifar.batches(place, [*train, "test_batch", "batches.meta"])
    names = _texts(found["batches.meta"], "label_names")
    parts = {}
    for part, own in (("train", train), ("test", ["test_batch"])):
        x = np.concatenate([cifar.pictures(place, found[name]) for name in own])
        y = [label for name in own for label in found[name].get("labels", ())]
        parts[part] = Part(x, _named(place, y, names, len(x)), {})
    return place, parts


def _cifar100(folder: str) -> tuple[str, dict[str, Part]]:
    from dlspec.data import cifar

    place = _unpacked(folder, "cifar-100-python") or fetched(REMOTES["cifar100"][0], folder)
    found = cifar.batches(place, ["train", "test", "meta"])
    parts = {}
    for part in ("train", "test"):
        x = cifar.pictures(place, found[part]).copy()
        fine, coarse = (
            _named(place, found[part].get(f"{level}_labels", ()), _texts(found["meta"], f"{level}_label_names"), len(x))
            for level in ("fine", "coarse")
        )
        parts[part] = Part(x, fine, {"superclass": coarse})
    return place, parts


def _unpacked(folder: str, name: str) -> str | None:
    """The folder that Keras, or a person, has unpacked the archive to."""
    return next(
        (
            place
            for place in (os.path.join(folder, f"{name}-target", name), os.path.join(folder, name))
            if os.path.isdir(place)
        ),
        None,
    )


def _texts(batch: dict[str, Any], key: str) -> list[str]:
    return [name.decode() for name in batch.get(key, ())]


def _named(place: str, labels: Sequence[int], names: Sequence[str], count: int | None = None) -> list[str]:
    """Class names for class numbers.  Raises DataError where a number has none, or there are not `count` of them."""
    if not all(0 <= label < len(names) for label in labels) or count not in (None, len(labels)):
        raise DataError(
            f"its labels are not a number from 0 to {len(names) - 1} for each picture; delete it to fetch it again",
            where=Place(place),
        )
    return [names[label] for label in labels]
