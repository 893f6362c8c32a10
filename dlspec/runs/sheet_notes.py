"""What a person says of examples while looking at them: tags and right labels, on disk with every change."""

from __future__ import annotations

import csv
import functools
import io
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dlspec.data import corrections
from dlspec.data.filled_table import as_id
from dlspec.data.tag_table import as_tag, read_tags, write_tags
from dlspec.numeric.chunks import tags_of
from dlspec.runs import folder as folders
from dlspec.runs.relabel_table import COLUMNS, OF_WORDS
from dlspec.types import DataError, Place

LONGEST_TAG = 80
MOST_TAGS = 50
"""of one example"""
OURS = "id,tags"
"""the header of a table of tags that holds nothing but what is written again"""
WRITTEN = "written in the sheet"
"""why a row that no audit made stands in relabel.csv"""


@dataclass(frozen=True)
class Doubt:
    """A row of relabel.csv; all in the words of the table."""

    split: str
    label: str
    suggested: str
    probability: str
    new: str
    why: str
    word: str = ""
    """which of its words the label is of, from 1; nothing: it is of the whole example"""
    token: str = ""


def label_of(given: str, rows: Sequence[Doubt]) -> str:
    """The right label of an example as these rows have it, of single words put into the given one; or nothing."""
    whole = next((one.new for one in rows if not one.word), "")
    return whole or with_words(given, [(one.word, one.new) for one in rows if one.word and one.new])


def with_words(given: str, tags: Sequence[tuple[str, str]]) -> str:
    """A sentence's tags with some of them others (word, from 1, and tag); nothing where none fits."""
    new = {int(float(word)) - 1: tag for word, tag in tags}
    return str(corrections.with_tags(given, new)) if new and max(new) < len(tags_of(given)) else ""


class Notes:
    """tags.csv and relabel.csv of a folder; both may be edited elsewhere in the meantime, and are read again then."""

    def __init__(self, folder: Path, labels: Callable[[], corrections.Labels]) -> None:
        """labels: what a right label may be; asked for when one is written.  Raises DataError where a table is bad."""
        folder = folder.absolute()
        self.tags_file, self.relabel_file = folder / "tags.csv", folder / "relabel.csv"
        self._labels = functools.cache(labels)
        self._lock = threading.Lock()
        self._tags: dict[str, tuple[str, ...]] = {}
        self._seen: tuple[int, ...] | None = None
        self._read_tags()
        self.doubts()

    def tags(self) -> dict[str, tuple[str, ...]]:
        """Id → tags, as the file has them now."""
        with self._lock:
            return dict(self._read_tags())

    def set_tags(self, name: str, tags: Sequence[str]) -> tuple[str, ...]:
        """Give an example these tags, and no others; they are on disk when this returns.

        Raises DataError where the file has been made unreadable, ValueError where these are no tags.
        """
        clean = tuple(dict.fromkeys(filter(None, map(as_tag, tags))))
        if len(clean) > MOST_TAGS or any(len(one) > LONGEST_TAG for one in clean):
            raise ValueError(f"an example has at most {MOST_TAGS} tags of at most {LONGEST_TAG} characters each")
        with self._lock:
            found = dict(self._read_tags())
            if clean:
                found[name] = clean
            else:
                found.pop(name, None)
            self._keep_foreign()
            write_tags(self.tags_file, found)
            self._tags, self._seen = found, _signature(self.tags_file)
        return clean

    def doubts(self) -> dict[str, list[Doubt]]:
        """Id → its rows of relabel.csv.  Raises DataError where that is no table of labels."""
        if not self.relabel_file.is_file():
            return {}
        names, rows, _ = _read_relabel(self.relabel_file)
        fields = [one for one in (*COLUMNS, *OF_WORDS[:2]) if one != "id"]
        found: dict[str, list[Doubt]] = {}
        for row in rows:
            cells = dict(zip(names, row, strict=True))
            found.setdefault(cells["id"], []).append(Doubt(**{one: cells.get(one, "").strip() for one in fields}))
        return found

    def set_label(self, name: str, label: str, *, split: str, given: str) -> str:
        """Write the right label of an example into relabel.csv, on disk when this returns; "" takes it back.

        split, given: where the example stands, and its label so far.  Where rows are of single words, so is what is
        written.  Returns the label in the data's own words.
        Raises ValueError where there is no such label, DataError where the file has been made unreadable.
        """
        label = label.strip()
        if label:
            self._labels().value(label)
        with self._lock:
            held = self.relabel_file.is_file()
            names, rows, delimiter = _read_relabel(self.relabel_file) if held else (list(COLUMNS), [], ",")
            own, new = names.index("id"), names.index("new")
            mine = [row for row in rows if row[own] == name]
            said = {"id": name, "split": split, "label": given, "why": WRITTEN}
            words = _words(names, mine)
            if not mine and label:
                mine = [[said.get(one, "") for one in names]]
                rows += mine
            for row in mine:
                row[new] = "" if words else label
            if words and label:
                rows += _by_word(names, words, label, given, said)
            if mine:
                _write_relabel(self.relabel_file, names, rows, delimiter)
        return label

    def _read_tags(self) -> Mapping[str, tuple[str, ...]]:
        seen = _signature(self.tags_file)
        if seen != self._seen:
            self._tags = read_tags(self.tags_file) if seen else {}
            self._seen = seen
        return self._tags

    def _keep_foreign(self) -> None:
        """A table of another form, which may hold notes too, is kept under another name before it is written over."""
        if not self.tags_file.is_file():
            return
        with open(self.tags_file, encoding="utf-8-sig") as text:
            if text.readline().strip() == OURS:
                return
        kept = self.tags_file.with_name("tags.before.csv")
        number = 1
        while kept.exists():
            number += 1
            kept = self.tags_file.with_name(f"tags.before-{number}.csv")
        shutil.copy2(self.tags_file, kept)


def _signature(file: Path) -> tuple[int, ...] | None:
    """What changes when a file is written; None where there is none."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read_relabel(file: Path) -> tuple[list[str], list[list[str]], str]:
    """Names of the columns, rows, delimiter.  Raises DataError that names the row."""
    corrections.read(str(file))  # complains of all that would keep it from being taken back
    text = file.read_bytes().decode("utf-8-sig")
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(map(str.strip, row))]
    names = [name.strip() for name in rows[0]]
    if len(set(names)) < len(names):
        raise DataError("two of its columns have the same name; keep one", where=Place(str(file), 1))
    own = names.index("id")
    return names, [[*row[:own], as_id(row[own]), *row[own + 1 :]] for row in rows[1:]], delimiter


def _words(names: Sequence[str], rows: Sequence[list[str]]) -> dict[int, list[str]]:
    """Word, from 1 → its row, of the rows that are of single words."""
    if "word" not in names:
        return {}
    word = names.index("word")
    return {int(float(row[word])): row for row in rows if row[word].strip()}


def _by_word(
    names: Sequence[str], words: Mapping[int, list[str]], label: str, given: str, said: Mapping[str, str]
) -> list[list[str]]:
    """Write the new tags of a sentence into the rows of its words; returns rows for other words that are changed.

    Raises ValueError where there are more or fewer tags than words.
    """
    tags, old = tags_of(label), tags_of(given)
    corrections.fits(tags, old)
    more = []
    for word, (tag, before) in enumerate(zip(tags, old, strict=True), 1):
        if word in words:
            words[word][names.index("new")] = tag
        elif tag != before:
            held = {**said, "word": str(word), "label": before, "new": tag}
            more.append([held.get(one, "") for one in names])
    return more


def _write_relabel(file: Path, names: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str) -> None:
    with folders.writing(file) as text:
        writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
