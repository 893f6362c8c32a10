"""NumPy's own files: .npz with x and y (or x_train, y_train, …), or .npy with labels in another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from dlspec.data import sources
from dlspec.data.base import Reader
from dlspec.data.sources import PARTS, Source, some
from dlspec.proposals import Proposal
from dlspec.types import DataError, Examples, Place, Splits

if TYPE_CHECKING:
    import numpy as np


class Arrays(Reader):
    """NumPy files: .npz (arrays by name) or .npy (one array; labels in another file).

    Where an .npz has no x and y but x_train, y_train, x_test, y_test (as Keras' mnist.npz), those are the splits.
    x of pictures: (examples, height, width) or (…, channels), any kind of number.  x of tables: (examples, columns).
    x of series: (examples, steps) or (examples, steps, channels).
    y: (examples,) or (examples, 1), numbers or text.
    """

    summary: ClassVar[str] = "NumPy files (.npz, .npy) of pictures, tables or series"
    suffixes: ClassVar[tuple[str, ...]] = (".npz", ".npy")
    name: Literal["arrays"] = "arrays"

    path: Source
    """the file; or {train: …, dev: …, test: …} where each has a file of its own"""
    labels: Source | None = None
    """the file of labels (.npy), where `path` is an .npy"""
    x: str = "x"
    """the name of the pictures, rows or series in an .npz"""
    y: str = "y"
    """the name of the labels in an .npz"""
    holds: Literal["picture", "table", "series"] = "picture"
    """what an example is: a picture, a row of a table, or a series over time"""
    tags: tuple[str, ...] = ()
    """arrays of an .npz that scores and errors are sliced by"""

    @property
    def kind(self) -> str:  # type: ignore[override]
        return self.holds

    @model_validator(mode="after")
    def _labels_for_every_file(self) -> Arrays:
        if self.labels is not None:
            have, want = set(sources.parts(self.labels)), set(sources.parts(self.path))
            if have != want:
                message = f"labels are given for {', '.join(sorted(have))}, and path for {', '.join(sorted(want))}"
                raise PydanticCustomError("arrays", "{message}", {"message": message})
        return self

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """An .npz of pictures or rows and their labels, by whatever names; an .npy with its labels beside it."""
        from dlspec.data.array_guesses import proposed

        return proposed(path) if path.endswith((".npz", ".npy")) else None

    def files(self) -> list[str]:
        labels = [] if self.labels is None else [*sources.parts(self.labels).values()]
        return [*sources.parts(self.path).values(), *labels]

    @classmethod
    def for_kind(cls, kind: str, path: str) -> Arrays | None:
        return cls(path=path, holds=kind) if kind in ("picture", "table", "series") else None

    def at(self, path: str) -> Arrays:
        return self.model_copy(update={"path": path, "labels": None})

    def load(self, *, truth: bool = True) -> Splits:
        from dlspec.data import numpy_files

        given = sources.parts(self.path)
        labels = {} if self.labels is None else sources.parts(self.labels)
        columns: dict[str, dict[str, Any]] = {}
        for part, file in given.items():
            if Path(file).suffix == ".npy":
                columns[part] = self._from_npy(file, labels.get(part), truth)
                continue
            arrays = numpy_files.opened(file)
            inside = self._parts(arrays, file)
            if part != "all" and "all" not in inside:
                raise DataError(
                    f"holds {' and '.join(inside)} itself; give it as path alone, without {part}:", where=Place(file)
                )
            for own, suffix in inside.items():
                columns[part if own == "all" else own] = self._from_npz(file, arrays, suffix, truth)
        return self._joined(columns)

    def _joined(self, columns: Mapping[str, Mapping[str, Any]]) -> Splits:
        parts, notes = {}, []
        for part, own in columns.items():
            x = own["x"]
            many = len(x)
            head = "" if part == "all" else f"{part}:"
            ids = [f"{head}{i}" for i in range(many)]
            rest = {key: value for key, value in own.items() if key not in ("x", "shape")}
            parts[part] = Examples(ids, x, **rest)
            what = {"table": "rows", "picture": "pictures", "series": "series"}[self.holds]
            notes.append(f"{head.replace(':', ': ')}{many:,} {what} of shape {own['shape']}")
        return Splits(parts, notes=tuple(notes))

    def _from_npy(self, file: str, labels: str | None, truth: bool) -> dict[str, Any]:
        from dlspec.data import numpy_files

        if self.split.group or self.split.time or self.tags:
            raise DataError("groups, times and tags are arrays beside x: save them all in one .npz", where=Place(file))
        if labels is None and truth:
            raise DataError("where are the labels? set data.labels, or save x and y in one .npz", where=Place(file))
        x = numpy_files.single(file)
        result = {"shape": tuple(x.shape[1:]), "x": self._entered(file, "the array", x)}
        if labels is not None:
            result["y"] = numpy_files.truths(labels, "the array", numpy_files.single(labels), len(x))
        return result

    def _from_npz(self, file: str, arrays: Mapping[str, Any], suffix: str, truth: bool) -> dict[str, Any]:
        from dlspec.data import numpy_files

        def taken(name: str) -> np.ndarray:
            return numpy_files.member(file, arrays, name + suffix)

        def column(name: str) -> list[Any]:
            return numpy_files.column(file, name + suffix, taken(name), len(x))

        x = taken(self.x)
        result: dict[str, Any] = {"shape": tuple(x.shape[1:]), "x": self._entered(file, self.x + suffix, x)}
        if truth or self.y + suffix in arrays:
            result["y"] = numpy_files.truths(file, self.y + suffix, taken(self.y), len(x))
        present = (lambda name: True) if truth else (lambda name: name + suffix in arrays)
        result["tags"] = {name: [str(one) for one in column(name)] for name in self.tags if present(name)}
        if self.split.group and present(self.split.group):
            result["groups"] = [str(one) for one in column(self.split.group)]
        if self.split.time and present(self.split.time):
            result["times"] = numpy_files.times(file, self.split.time + suffix, taken(self.split.time), len(x))
        return result

    def _parts(self, arrays: Mapping[str, Any], file: str) -> dict[str, str]:
        """Part → what follows the names of its arrays: {"all": ""}, or {"train": "_train", …}."""
        found: dict[str, str] = {}
        for ending, part in PARTS.items():
            if self.x not in arrays and f"{self.x}_{ending}" in arrays:
                if part in found:
                    names = [self.x + found[part], f"{self.x}_{ending}"]
                    raise DataError(f"{some('array', names)} are both {part}; keep one", where=Place(file))
                found[part] = f"_{ending}"
        return found or {"all": ""}

    def _entered(self, file: str, name: str, x: np.ndarray) -> Any:
        from dlspec.data import numpy_files

        of = {"table": numpy_files.rows, "picture": numpy_files.pictures, "series": numpy_files.series}
        return of[self.holds](file, name, x)
