"""Delimited text (CSV, TSV, …) → columns of text: delimiter and header found or given, every faulty row named."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from dlspec.data.sources import some
from dlspec.types import DataError, Place
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SAMPLE = 200
"""rows that delimiter and header are found from"""
SAMPLE_LENGTH = 1 << 18
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
WORDS = {",": "comma-separated", ";": "semicolon-separated", "\t": "tab-separated", " ": "separated by blanks"}


class Mends(NamedTuple):
    """What a person can do about a file that cannot be read."""

    encoding: str
    delimiter: str
    header: str
    """after `rename it in the file`"""


BY_RECIPE = Mends(
    "set data.encoding (latin-1, cp1252, …) to what the file is written in",
    "is the delimiter right (data.delimiter)?",
    ", or set data.header: false where row 1 is data",
)
IN_FILE = Mends(
    "save the table in UTF-8, or as Parquet",
    "does a cell hold the delimiter? put it in quotes",
    "; row 1 is the header",
)
"""where no recipe says how the file is to be read"""
_TOKEN = re.compile(r'"(?:[^"]|"")*"|\S+')


class Table(NamedTuple):
    """Columns as they lie in a file: text, or numbers where the format knows types (Parquet)."""

    file: str
    columns: dict[str, pa.Array]
    rows: np.ndarray
    """the number of each row, as a spreadsheet counts: from 1, with the header"""
    notes: list[str]


def read(
    file: str,
    data: bytes,
    *,
    delimiter: str | None,
    header: bool | None,
    encoding: str,
    missing: Any,
    mends: Mends = BY_RECIPE,
    quoted: bool = True,
) -> Table:
    """The columns of a delimited text.

    delimiter: one character (" ": any run of blanks), or None to find it.  header: None to find it.
    missing: what stands for a missing value; a first row that holds one is no header.
    mends: what is advised where it cannot be read.  quoted: a cell in quotes may hold delimiters and ends of lines.
    Raises DataError where it is no such text, and where rows have more or fewer cells than the first.
    """
    text = _decoded(file, data, encoding, mends)
    sample = text[:SAMPLE_LENGTH]
    if len(text) > SAMPLE_LENGTH:
        sample = sample[: sample.rfind("\n") + 1] or sample
    found = delimiter or _delimiter(sample)
    if found == " ":
        text = "\n".join("\t".join(_tokens(line)) for line in io.StringIO(text, newline=None))
    first = _records(sample, found, quoted)
    if not first:
        raise DataError("this file is empty", where=Place(file))
    columns, rows, blank = _cells(file, text, len(first[0]), "\t" if found == " " else found, mends, quoted)
    columns, rows, notes = _without_empty(columns, rows, blank)
    if not len(rows):
        raise DataError("this file is empty", where=Place(file))
    named = _is_header(first, set(missing)) if header is None else header
    if named:
        names = [column[0].as_py() for column in columns]
        columns, rows = [column[1:] for column in columns], rows[1:]
        names, columns, remarks = _named(file, names, columns, mends)
        notes = [*notes, *remarks]
    else:
        names = [f"column_{i}" for i in range(1, len(columns) + 1)]
    if not len(rows):
        raise DataError("this file has a header and no rows", where=Place(file))
    form = f"{WORDS.get(found, f'separated by {found}')}, " if len(columns) > 1 else ""
    head = "with a header" if named else f"no header: columns are called column_1 to column_{len(columns)}"
    return Table(file, dict(zip(names, columns, strict=True)), rows, [form + head, *notes])


def _decoded(file: str, data: bytes, encoding: str, mends: Mends) -> str:
    if data[:4] == b"PAR1":
        raise DataError("this is a Parquet file; let its name end in .parquet", where=Place(file))
    if data[:4] == b"PK\x03\x04":
        raise DataError("this is an Excel or zip file, not delimited text; save it as CSV", where=Place(file))
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if codecs.lookup(encoding).name == "utf-8":
        encoding = "utf-16" if wide else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\x00" in data[:4096]:
            raise _binary(file) from None
        line = data.count(b"\n", 0, error.start) + 1
        wanted = "UTF-8" if encoding == "utf-8-sig" else encoding
        raise DataError(
            f"byte 0x{data[error.start]:02x} is not {wanted}; {mends.encoding}",
            where=Place(file, line),
        ) from None
    if "\x00" in text:
        raise _binary(file)
    return text.lstrip("\ufeff")


def _binary(file: str) -> DataError:
    return DataError("this is binary data, not delimited text", where=Place(file))


def _tokens(line: str) -> list[str]:
    return _TOKEN.findall(line) if '"' in line else line.split()


def _records(sample: str, delimiter: str, quoted: bool = True) -> list[list[str]]:
    """The first rows, cells stripped, empty rows left out."""
    lines, how = io.StringIO(sample, newline=""), csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    if delimiter == " ":
        rows = [[token.strip('"') for token in _tokens(line)] for line in itertools.islice(lines, SAMPLE)]
    else:
        try:
            rows = list(itertools.islice(csv.reader(lines, delimiter=delimiter, quoting=how), SAMPLE))
        except csv.Error:  # a cell of over 131,072 characters: an unclosed quote, which is told later
            rows = [line.strip().split(delimiter) for line in itertools.islice(io.StringIO(sample), SAMPLE)]
    return [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]


def _delimiter(sample: str) -> str:
    """The delimiter that divides most rows into equally many cells, at least two.

    Where several do, commas come last: a comma may stand inside numbers (1,5), the others hardly do.
    """
    shares = {}
    for delimiter in ("\t", ";", "|", ",", " "):
        widths = Counter(len(row) for row in _records(sample, delimiter))
        if not widths:
            continue
        width, many = widths.most_common(1)[0]
        share = many / widths.total()
        if width > 1 and (delimiter != " " or share >= 0.9):
            shares[delimiter] = share
    if set(shares) - {" "}:
        shares.pop(" ", None)
    return max(shares, key=shares.__getitem__) if shares else ","


def _cells(
    file: str, text: str, width: int, delimiter: str, mends: Mends, quoted: bool = True
) -> tuple[list[pa.Array], np.ndarray, int]:
    """Every cell as stripped text, by column; the number of each row; and how many lines of blanks were passed over."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow

    ragged: list[Any] = []
    blank: list[int] = []

    def faulty(row: Any) -> str:
        if row.text.strip():
            ragged.append(row)
        else:
            blank.append(row.number)
        return "skip"

    data = text.encode()
    names = [str(i) for i in range(width)]
    table = arrow.read_csv(
        pa.BufferReader(data),
        arrow.ReadOptions(use_threads=False, column_names=names, block_size=min(max(len(data) + 1, 1024), 1 << 30)),
        arrow.ParseOptions(
            delimiter=delimiter,
            quote_char='"' if quoted else False,
            newlines_in_values=quoted,
            ignore_empty_lines=False,
            invalid_row_handler=faulty,
        ),
        arrow.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
        ),
    )
    if ragged:
        raise DataError(_ragged(ragged, width, mends), where=Place(file))
    columns = [pc.utf8_trim_whitespace(column.combine_chunks()) for column in table.columns]
    tail = columns[-1][-1].as_py() if len(columns[-1]) else ""
    if quoted and "\n" in tail and not text.rstrip().endswith('"'):
        raise DataError(
            f'a quote that opens in row {len(columns[-1]) + len(blank)} is never closed; close it, or double it ("")',
            where=Place(file),
        )
    rows = np.arange(1, table.num_rows + len(blank) + 1)
    return columns, np.delete(rows, np.array(blank, dtype=int) - 1), len(blank)


def _ragged(ragged: list[Any], width: int, mends: Mends) -> str:
    """How many rows have another number of cells than the first, and which."""
    widths = Counter(row.actual_columns for row in ragged).most_common(2)
    many = " or ".join(str(width) for width, _ in widths) if len(ragged) > 1 else str(ragged[0].actual_columns)
    have = "has" if len(ragged) == 1 else "have"
    rows = some("row", [row.number for row in ragged])
    text = ragged[0].text.replace("\n", "\\n")
    hint = "is a quote not closed?" if ragged[0].text.count('"') % 2 else mends.delimiter
    return (
        f"{rows} {have} {many} cell{'s' * (many != '1')} where the first row has {width} ({len(ragged):,} in all); "
        f"row {ragged[0].number} is: {text[:60] + '…' if len(text) > 60 else text} ({hint})"
    )


def _without_empty(
    columns: list[pa.Array], rows: np.ndarray, blank: int
) -> tuple[list[pa.Array], np.ndarray, list[str]]:
    """Without the rows whose cells are all empty, as spreadsheets leave them at the end."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = np.zeros(len(rows), dtype=bool)
    for column in columns:
        filled |= pc.not_equal(column, "").to_numpy(zero_copy_only=False)
        if filled.all():
            break
    many = blank + int((~filled).sum())
    notes = [f"{plural(many, 'empty row')} skipped"] if many else []
    return [column.filter(pa.array(filled)) for column in columns], rows[filled], notes


def _is_header(rows: list[list[str]], missing: set[str]) -> bool:
    """Whether the first row names columns: no cell is a number or missing, and few come again below.

    The first cell may be empty: so do tables look that were written with an unnamed index.
    """
    first, *below = rows
    cells = first[1:] if len(first) > 1 and not first[0] else first
    if any(NUMBER.fullmatch(cell) or cell in missing or not cell for cell in cells):
        return False
    again = sum(any(len(row) > i and row[i] == cell for row in below) for i, cell in enumerate(first))
    return again <= len(first) / 2


def _named(
    file: str, names: list[str], columns: list[pa.Array], mends: Mends
) -> tuple[list[str], list[pa.Array], list[str]]:
    """Checked names.  A first column without a name that only counts the rows is left out."""
    notes = []
    if len(names) > 1 and not names[0] and _counts(columns[0].to_pylist()):
        names, columns = names[1:], columns[1:]
        notes.append("column 1 has no name and counts the rows: left out")
    nameless = [i for i, name in enumerate(names, start=1) if not name]
    if nameless:
        raise DataError(
            f"the header (row 1) gives no name to {some('column', nameless)}; name it in the file{mends.header}",
            where=Place(file),
        )
    twice = [f"'{name}'" for name, many in Counter(names).items() if many > 1]
    if twice:
        raise DataError(
            f"the header (row 1) has {some('column', twice)} more than once; rename it in the file{mends.header}",
            where=Place(file),
        )
    return names, columns, notes


def _counts(cells: list[str]) -> bool:
    return any(cells == [str(i + start) for i in range(len(cells))] for start in (0, 1))
