"""Predictions written to a table as they are made; the file is there when it is whole."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlspec.runs import folder as folders
from dlspec.types import ArgumentError

SUFFIXES = (".csv", ".parquet")


def refuse(out: Path | None) -> None:
    """Raises ArgumentError where such a file, or folder, cannot be written, or is there already."""
    if out is None:
        return
    if not is_folder(out) and out.suffix not in SUFFIXES:
        raise ArgumentError(
            f"--out writes {' or '.join(SUFFIXES)}, or a folder (a name without a dot), not '{out.name}'"
        )
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists():
        raise ArgumentError(f"{out} exists already, and nothing is overwritten; give another name to --out")


def is_folder(out: Path) -> bool:
    """Whether a folder of pictures beside a table is meant, not the table alone."""
    return out.suffix == "" or out.is_dir()


class Writer:
    """A table of objects, a row each: .csv or .parquet.  out: None writes nothing.

    errors: whether there is a column of errors.  What is not written whole leaves no file.
    """

    def __init__(self, out: Path | None, *, errors: bool) -> None:
        self.out, self.errors = out, errors
        self.table: Any = None
        self.early: list[Mapping[str, Any]] = []  # errors that came before it was known which columns there are
        self.stack = contextlib.ExitStack()

    def __enter__(self) -> Writer:
        if self.out is not None:
            try:
                self.new = self.stack.enter_context(folders.replacing(self.out))
            except OSError as error:
                raise ArgumentError(f"cannot write {self.out}: {error.strerror}") from None
        return self

    def __exit__(self, *caught: Any) -> None:
        try:
            if self.out is not None and caught[0] is None:
                if self.table is None:
                    self._opened(["file", "id"]).write(self.early)
                self.table.close()
        finally:
            self.stack.__exit__(*caught)

    def write(self, objects: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Add rows; returns none of them.  What is no number, text or truth value stands there as JSON."""
        objects = [{name: _cell(value) for name, value in one.items()} for one in objects]
        if self.table is None:
            whole = next((one for one in objects if "error" not in one), None)
            if whole is None:
                self.early += objects
                return []
            self._opened(list(whole))
            objects = [*self.early, *objects]
        self.table.write(objects)
        return []

    def _opened(self, names: list[str]) -> Any:
        self.table = (_Parquet if self.new.suffix == ".parquet" else _Csv)(
            self.new, [*names, *(["error"] if self.errors else [])]
        )
        return self.table


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


class _Csv:
    def __init__(self, file: Path, names: Sequence[str]) -> None:
        self.text = open(file, "w", newline="", encoding="utf-8")  # noqa: SIM115
        self.writer = csv.DictWriter(self.text, names, lineterminator="\n")
        self.writer.writeheader()

    def write(self, objects: Sequence[Mapping[str, Any]]) -> None:
        self.writer.writerows(objects)

    def close(self) -> None:
        self.text.close()


class _Parquet:
    def __init__(self, file: Path, names: Sequence[str]) -> None:
        self.file, self.names = file, names
        self.writer: Any = None

    def write(self, objects: Sequence[Mapping[str, Any]]) -> None:
        import pyarrow
        import pyarrow.parquet

        columns = {name: [one.get(name) for one in objects] for name in self.names}
        if self.writer is None:
            texts = {"file", "id", "error"}
            types = {name: pyarrow.string() if name in texts else pyarrow.array(v).type for name, v in columns.items()}
            self.schema = pyarrow.schema(list(types.items()))
            # Opened here: a path with bytes that are no UTF-8 is more than pyarrow can take.
            self.sink = open(self.file, "wb")  # noqa: SIM115
            self.writer = pyarrow.parquet.ParquetWriter(self.sink, self.schema)
        self.writer.write_table(pyarrow.table(columns, schema=self.schema))

    def close(self) -> None:
        if self.writer is None:
            self.write([])
        self.writer.close()
        self.sink.close()
