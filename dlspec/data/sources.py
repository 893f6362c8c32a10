"""Where a reader's files are: one file, or a file for each of train, dev and test; and their bytes."""

from __future__ import annotations

import codecs
import gzip
import os
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Tag
from pydantic_core import PydanticCustomError

from dlspec.recipe.component import DataPath, Section
from dlspec.types import DataError, Place

PARTS = {"train": "train", "dev": "dev", "val": "dev", "valid": "dev", "validation": "dev", "test": "test"}
"""what parts are called in file names, and what they are called here"""


class Files(Section):
    """A file for each split."""

    train: DataPath
    """the file of the training examples"""
    dev: DataPath | None = None
    """the file of the dev examples; left out: dev is cut off train"""
    test: DataPath | None = None
    """the file of the test examples; left out: there is no test"""


def _shape(value: Any) -> str:
    return "files" if isinstance(value, Mapping | Files) else "file"


Source = Annotated[
    Annotated[DataPath, Tag("file")] | Annotated[Files, Tag("files")],
    Discriminator(_shape),
]
"""One path, or a mapping {train, dev, test}."""


def _known(encoding: str) -> str:
    try:
        codecs.lookup(encoding)
    except LookupError:
        message = f"unknown encoding '{encoding}'; known are utf-8, utf-16, latin-1, cp1252, shift_jis, …"
        raise PydanticCustomError("encoding", "{message}", {"message": message}) from None
    return encoding


Encoding = Annotated[str, AfterValidator(_known)]
"""How a text is written, by a name that Python knows."""


def parts(source: str | Files) -> dict[str, str]:
    """Part → file: `all` where there is one file."""
    if isinstance(source, str):
        return {"all": source}
    return {name: path for name, path in source.model_dump().items() if path is not None}


def contents(path: str) -> bytes:
    """The bytes of a file, unpacked where it is gzip.  Raises DataError where it cannot be read."""
    if os.path.isdir(path):
        raise DataError("this is a folder; give a file", where=Place(path))
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=Place(path)) from None
    if data[:2] == b"\x1f\x8b":
        try:
            return gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(f"this gzip file is broken ({error}); was it copied whole?", where=Place(path)) from None
    if path.endswith(".gz"):
        raise DataError("ends in .gz but is no gzip file; was it copied whole?", where=Place(path))
    return data


def some(what: str, items: Iterable[Any], limit: int = 5) -> str:
    """`row 3`, `rows 3, 17 and 29`, or `rows 3, 17, 29, 31, 40 and 12 more`."""
    words = [str(item) for item in items]
    if len(words) == 1:
        return f"{what} {words[0]}"
    shown, more = words[:limit], len(words) - limit
    if more > 0:
        return f"{what}s {', '.join(shown)} and {more:,} more"
    return f"{what}s {', '.join(shown[:-1])} and {shown[-1]}"
