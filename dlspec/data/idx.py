"""The idx format of MNIST and its kin: pictures and labels in files of bytes (LeCun, Cortes and Burges 1998)."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from dlspec.data.base import Reader
from dlspec.data.sources import contents
from dlspec.proposals import Facts, Line, Proposal
from dlspec.recipe.component import DataPath
from dlspec.types import DataError, Examples, Place, Splits
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

_FILE = re.compile(r"(?P<part>train|t10k).*(?P<kind>images[-.]idx3|labels[-.]idx1)([-.]ubyte)?(\.gz)?")
_PARTS = {"train": "train", "t10k": "test"}
_PATTERN = "train*images-idx3*, train*labels-idx1*, t10k*images-idx3*, t10k*labels-idx1* (.gz or not)"


class IDX(Reader):
    """MNIST, Fashion-MNIST and the like: a folder with the four files, packed by gzip or not.

    train* is train (dev is cut off it), t10k* is test; either may be alone.
    x: uint8 (examples, height, width, 1).  y: the label as a number.  ids: train-00012, test-00003.
    """

    kind: ClassVar[str] = "picture"
    summary: ClassVar[str] = "MNIST and its kin: a folder of idx files, packed by gzip or not"
    name: Literal["idx"] = "idx"

    path: DataPath
    """the folder with train*images-idx3*, train*labels-idx1*, t10k*images-idx3*, t10k*labels-idx1*"""

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """A folder with files of these names, or one of the files."""
        from collections import Counter

        from dlspec.data import part_files
        from dlspec.data.picture_guesses import of_shapes
        from dlspec.data.questions import classes

        folder = path if os.path.isdir(path) else os.path.dirname(path)
        names = os.listdir(folder) if os.path.isdir(path) else [os.path.basename(path)]
        if not any(_FILE.fullmatch(name) for name in names):
            return None
        splits = cls(path=folder).load()
        counts = Counter(str(one) for part in splits.parts.values() for one in part.column("y"))
        question = classes(dict(sorted(counts.items(), key=lambda one: int(one[0]))))
        if "train" not in splits:
            raise DataError(f"there are files of test alone; {_PATTERN} are looked for", where=Place(folder))
        look = of_shapes([splits["train"].columns["x"].shape[1:]], counts)
        return Proposal(
            Facts("picture", counts.total(), question.outputs, look.shape),
            question.task,
            (Line("path", folder, "the folder of the idx files", path=True),),
            part_files.division({part: len(own) for part, own in splits.parts.items()}),
            look.input,
            question.goal,
            (*splits.notes, *question.seen),
            question.doubts,
            special=3,
        )

    def files(self) -> list[str]:
        return sorted(file for part in self._found().values() for file in part.values())

    def at(self, path: str) -> IDX:
        return self.model_copy(update={"path": path})

    def load(self, *, truth: bool = True) -> Splits:
        import numpy as np

        parts, notes = {}, []
        for part, files in self._found().items():
            if "images" not in files:
                raise DataError(
                    f"labels of {part} without pictures; {_PATTERN} are looked for", where=Place(files["labels"])
                )
            x = _array(files["images"], 3)
            y = None
            if "labels" in files:
                labels = _array(files["labels"], 1)
                if len(labels) != len(x):
                    raise DataError(
                        f"{plural(len(labels), 'label')}, but {plural(len(x), 'picture')} in {files['images']}",
                        where=Place(files["labels"]),
                    )
                y = labels.tolist()
            elif truth:
                raise DataError(
                    f"pictures of {part} without labels; {_PATTERN} are looked for", where=Place(files["images"])
                )
            ids = [f"{part}-{i:05d}" for i in range(len(x))]
            parts[part] = Examples(ids, x[..., np.newaxis], y)
            notes.append(
                f"{part}: {plural(len(x), 'picture')} of {x.shape[1]}×{x.shape[2]} from {Path(files['images']).name}"
            )
        return Splits(parts, notes=tuple(notes))

    def _found(self) -> dict[str, dict[str, str]]:
        """part → "images" or "labels" → file."""
        if not os.path.isdir(self.path):
            what = "is a file" if os.path.exists(self.path) else "is not there"
            raise DataError(f"{what}; expected the folder with {_PATTERN}", where=Place(self.path))
        found: dict[str, dict[str, str]] = {}
        names = sorted(os.listdir(self.path))
        for name in names:
            match = _FILE.fullmatch(name)
            if match:
                part, kind = _PARTS[match["part"]], match["kind"][:6]
                files = found.setdefault(part, {})
                if kind in files:
                    raise DataError(
                        f"several files hold the {kind} of {part}: {Path(files[kind]).name}, {name}; keep one",
                        where=Place(self.path),
                    )
                files[kind] = str(Path(self.path) / name)
        if not found:
            have = ", ".join(names[:8]) + (", …" if len(names) > 8 else "") or "nothing"
            raise DataError(f"no idx files in this folder: expected {_PATTERN}; it has {have}", where=Place(self.path))
        return {part: found[part] for part in _PARTS.values() if part in found}


def _array(file: str, rank: int) -> np.ndarray:
    """The bytes of an idx file in its own shape.  Raises DataError where magic number, type or length is wrong."""
    import numpy as np

    data = contents(file)
    head = 4 + 4 * rank
    if len(data) < head:
        raise DataError(
            f"{plural(len(data), 'byte')}: too short for an idx file, whose head has {head}", where=Place(file)
        )
    if data[:2] != b"\x00\x00" or data[2] not in (0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E):
        raise DataError(
            f"no idx file: it starts with the bytes {data[:4].hex(' ')}; expected 00 00 08 {rank:02x}",
            where=Place(file),
        )
    if data[2] != 0x08 or data[3] != rank:
        raise DataError(
            f"expected bytes (type 08) in {plural(rank, 'dimension')}, got type {data[2]:02x} in {data[3]}",
            where=Place(file),
        )
    shape = tuple(int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank))
    expected = head + math.prod(shape)
    if len(data) != expected:
        what = "cut short" if len(data) < expected else "too long"
        raise DataError(
            f"{what}: its head says {' × '.join(map(str, shape))}, which takes {expected:,} bytes; got {len(data):,}",
            where=Place(file),
        )
    if 0 in shape:
        raise DataError("this idx file is empty", where=Place(file))
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)
