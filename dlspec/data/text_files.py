"""Files of texts → columns: bytes that are no UTF-8 replaced and counted; JSON lines, a text a line, quotes or none."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any

from dlspec.data.delimited import Table
from dlspec.types import DataError, Place

if TYPE_CHECKING:
    import pyarrow as pa

REPLACEMENT = "\ufffd"
JSON = (".jsonl", ".ndjson", ".json")
LINES = (".txt",)


def mended(data: bytes, encoding: str, mend: str = "set data.encoding (latin-1, cp1252, …)") -> tuple[bytes, list[str]]:
    """The bytes as UTF-8, what is none replaced by U+FFFD, and what is to be said of that, with its mend.

    Bytes of another encoding, of UTF-16 and of Parquet stay as they are: others tell what is wrong with them.
    """
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"PAR1", b"PK\x03\x04"))
    if wide or codecs.lookup(encoding).name != "utf-8" or b"\x00" in data[:4096]:
        return data, []
    try:
        data.decode("utf-8")
        return data, []
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    text = data.decode("utf-8", "replace")
    count = text.count(REPLACEMENT) - data.count(REPLACEMENT.encode())
    lines = sum(REPLACEMENT in one for one in text.split("\n"))
    return text.encode(), [
        f"{count:,} place{'s' * (count != 1)} in {lines:,} line{'s' * (lines != 1)} that are not UTF-8 (the first in "
        f"line {line}) replaced by '{REPLACEMENT}'; where letters are lost, {mend}"
    ]


def decoded(file: str, data: bytes, encoding: str) -> str:
    """Text of lines that end in a line feed.  Raises DataError where it is not of this encoding."""
    if codecs.lookup(encoding).name == "utf-8":
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        encoding = "utf-16" if wide else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{data[error.start]:02x} is not {encoding}; set data.encoding to what it is written in"
        raise DataError(message, where=Place(file, line)) from None
    if "\x00" in text:
        raise DataError("this is binary data, not text", where=Place(file))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def one_a_line(file: str, text: str) -> Table:
    """Every line a text, empty ones too: as many rows as lines."""
    import numpy as np
    import pyarrow as pa

    lines = text.removesuffix("\n").split("\n")
    if lines == [""]:
        raise DataError("this file is empty", where=Place(file))
    column = pa.array([one.strip() for one in lines], pa.string())
    return Table(file, {"column_1": column}, np.arange(1, len(lines) + 1), ["a text a line"])


def json_lines(file: str, text: str) -> Table:
    """An object a line, or one list of objects: a column a key, missing where an object lacks it.

    Rows are counted by line (of a list: by place, from 1).  Raises DataError that names file and line.
    """
    import numpy as np

    rows: list[int] = []
    objects: list[dict[str, Any]] = []
    if text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except ValueError as error:
            raise DataError(f"this is no JSON: {error}", where=Place(file)) from None
        numbered = list(enumerate(found, 1))
    else:
        numbered = []
        for line, one in enumerate(text.split("\n"), 1):
            if not one.strip():
                continue
            try:
                numbered.append((line, json.loads(one)))
            except ValueError as error:
                raise DataError(
                    f"this line is no JSON ({error}); write an object a line", where=Place(file, line)
                ) from None
    for line, one in numbered:
        if not isinstance(one, dict):
            raise DataError(f"expected an object with named values, got {str(one)[:40]}", where=Place(file, line))
        for key, value in one.items():
            if isinstance(value, list | dict):
                message = (
                    f"'{key}' holds {'a list' if isinstance(value, list) else 'an object'}; expected text or a number"
                )
                raise DataError(message, where=Place(file, line))
        rows.append(line)
        objects.append(one)
    if not rows:
        raise DataError("this file is empty", where=Place(file))
    names = list(dict.fromkeys(key for one in objects for key in one))
    columns = {name: _column([one.get(name) for one in objects]) for name in names}
    return Table(file, columns, np.array(rows), ["an object a line"])


def _column(values: list[Any]) -> pa.Array:
    """Numbers where all are, else text; true and false are words."""
    import pyarrow as pa

    there = [one for one in values if one is not None]
    if there and all(isinstance(one, int | float) and not isinstance(one, bool) for one in there):
        whole = all(isinstance(one, int) and abs(one) < 2**63 for one in there)
        return pa.array(values, pa.int64()) if whole else pa.array([None if v is None else float(v) for v in values])
    words = {True: "true", False: "false"}
    return pa.array([None if v is None else words[v] if isinstance(v, bool) else str(v) for v in values], pa.string())


def unquoted(text: str) -> bool:
    """Whether quotes in tab-separated text are signs like others: every line has as many tabs, and some cell begins
    with a quote that it does not end with."""
    lines = [one for one in text.split("\n") if one.strip()]
    if not lines or len({one.count("\t") for one in lines}) > 1:
        return False
    cells = (cell.strip() for one in lines for cell in one.split("\t"))
    return any(
        cell.startswith('"') and (len(cell) < 2 or not cell.endswith('"') or cell.count('"') % 2) for cell in cells
    )
