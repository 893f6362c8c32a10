"""Whether a file holds tagged sentences, a word a line, and how it would be read."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from dlspec.data import part_files, sources
from dlspec.data.conll_lines import COMMENT, DOCUMENT, Sentences, cells, read, summary
from dlspec.numeric.chunks import PLAIN, chunks, scheme_of
from dlspec.numeric.printable import shown
from dlspec.proposals import Facts, Line, Proposal
from dlspec.types import Complaint, DataError, Place
from dlspec.wording import plural

if TYPE_CHECKING:
    from dlspec.data.conll import Conll

HEAD = 1 << 16
"""bytes that are looked at first"""
ALIKE = 0.95
"""share of lines that have as many columns"""
RAGGED = 0.6
"""the same of a file that is told to be broken"""
TAGS, SHARE = 100, 0.34
"""different tags at most, and so many of the words looked at"""
LENGTHS = (2, 200)
"""words that a sentence has on average"""
FEWEST = 3
"""sentences"""
ENDINGS = (".conll", ".conllu", ".iob", ".iob2", ".bio", ".txt", ".tsv", ".dat", ".data", ".gz", "")


def proposal(cls: type[Conll], path: str) -> Proposal | None:
    """See Conll.recognize."""
    if os.path.isdir(path):
        names = sorted(os.listdir(path))
        files = [file for name in names if os.path.isfile(file := os.path.join(path, name)) and _looks(file)]
        return part_files.but_others(lambda file, _: proposal(cls, file), path, files, None)
    if not _looks(path):
        if _looks(path, RAGGED):
            _read(path)  # which tells the lines that are broken
        return None
    parts = {part: file for part, file in part_files.family(path).items() if file == path or _looks(file)}
    parts = {"all": path} if "train" not in parts else parts
    found = {part: _read(file) for part, file in parts.items()}
    reader = cls(path=path)
    columns = {part: reader.columns(one, True) for part, one in found.items()}
    rows = [tuple(row[tag - 1] for row in one) for part, (_, tag) in columns.items() if tag for one in found[part].rows]
    counts = Counter(tag for one in rows for tag in one)
    source: str | dict[str, str] = parts["all"] if "all" in parts else parts  # noqa: SIM401
    word, tag = next(iter(columns.values()))
    why = "a file a split, as their names say" if len(parts) > 1 else ""
    data = [Line("path", source, why, path=True)]
    data += [
        Line("word", word, "the column of words"),
        Line("tag", tag, f"the column of tags: {len(counts)} different, as {', '.join(sorted(counts)[:4])}"),
    ]
    sizes = {part: len(one.rows) for part, one in found.items()}
    scheme = scheme_of(rows)
    best = "token_accuracy" if scheme == PLAIN else "f1"
    lengths = sorted(map(len, rows))
    middle = lengths[len(lengths) // 2]
    seen = [summary(one, plural(one.width, "column")) for one in found.values()]
    return Proposal(
        Facts("text", len(rows), len(counts), (middle,), alike=False, train=part_files.trained(sizes)),
        (Line("name", "tagging", "a tag for each word, as the file has it"),),
        tuple(data),
        part_files.division(sizes),
        (),
        (Line("optimize", best, "decides on dev which epoch is kept"),),
        (*seen, "", _tags(rows, scheme)),
        (),
        special=2,
    )  # fmt: skip


def _tags(rows: list[tuple[str, ...]], scheme: str) -> str:
    if scheme == PLAIN:
        counts = Counter(tag for one in rows for tag in one)
        what = "words have tags"
    else:
        counts = Counter(one.type for tags in rows for one in chunks(tags, scheme))
        what = f"entities ({scheme})"
    listed = ", ".join(f"{shown(name or '?')} ({count:,})" for name, count in counts.most_common(12))
    return f"{counts.total():,} {what}: {listed}{', …' if len(counts) > 12 else ''}"


def _read(path: str) -> Sentences:
    try:
        return read(path)
    except DataError as error:
        message = (
            "this looks like CoNLL (a word and its tag on a line, empty lines between sentences), but for lines that "
            "have other columns; mend them"
        )
        raise DataError([Complaint(Place(shown(path)), message), *error.complaints]) from None


def _looks(path: str, alike: float = ALIKE) -> bool:
    """A quick look at the head: columns, empty lines, few different values in the last one."""
    if not path.lower().endswith(ENDINGS) or os.path.splitext(path)[1].lower() not in ENDINGS:
        return False
    try:
        head = sources.contents(path)[:HEAD]
        text = head.decode("utf-8", "replace")
    except DataError:
        return False
    if "\x00" in text[:4096]:
        return False
    lines = text.replace("\r\n", "\n").split("\n")
    lines = lines[:-1] if len(head) == HEAD else lines
    full = [one for one in lines if one.strip() and not one.startswith(DOCUMENT)]
    words = [one for one in full if not COMMENT.match(one)] or full
    sentences = sum(bool(one.strip()) and not before.strip() for before, one in zip(["", *lines], lines, strict=False))
    if sentences < FEWEST or not LENGTHS[0] <= len(words) / sentences <= LENGTHS[1]:
        return False
    delimiter = "tab" if 2 * sum("\t" in one for one in words) > len(words) else "blanks"
    rows = [cells(one, delimiter) for one in words]
    width, many = Counter(map(len, rows)).most_common(1)[0]
    if width < 2 or many < alike * len(rows):
        return False
    counted = Sentences(path, width=width, counted=width == 10 and rows[0][0] == "1")
    column = 3 if counted.counted else width - 1
    tags = {one[column] for one in rows if len(one) == width}
    return len(tags) <= TAGS and len(tags) <= max(2, SHARE * len(rows)) and not all(map(_is_number, tags))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
