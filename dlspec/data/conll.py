"""Sentences whose words have tags, a word a line: the format of the CoNLL shared tasks, CoNLL-U, WNUT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field, PrivateAttr, model_validator

from dlspec.data import sources
from dlspec.data.base import Reader
from dlspec.data.conll_lines import MOST, Sentences, read, summary
from dlspec.data.sources import Encoding, Source
from dlspec.proposals import Proposal
from dlspec.types import Complaint, DataError, Examples, Lines, Place, Splits
from dlspec.wording import plural

LONG = 1_000
"""words of a sentence, from which on the empty lines between sentences may be missing"""


class Conll(Reader):
    """A word a line, its tag in another column, an empty line between sentences; .gz, too.

    x: the words of a sentence, a tuple; y: their tags, as many.  An example's id is the number of the sentence in its
    file, with the part's name before it where there are several files.  `-DOCSTART-` begins a document: sentences of
    one are a group (`split.group: document`).  Comments (#) are passed over and counted; so are CoNLL-U's lines of
    several words.  What is not UTF-8 is replaced, and counted.
    """

    kind: ClassVar[str] = "text"
    summary: ClassVar[str] = "sentences of your own whose words have tags, a word a line (CoNLL)"
    suffixes: ClassVar[tuple[str, ...]] = (".conll", ".conllu", ".iob", ".iob2", ".bio", ".gz")
    name: Literal["conll"] = "conll"

    path: Source
    """the file; or {train: …, dev: …, test: …} where each has a file of its own"""
    word: int | None = Field(None, ge=1)
    """the column of words, counted from 1; left out: the first; the second where the first counts the words"""
    tag: int | None = Field(None, ge=1)
    """the column of tags; left out: the last; of CoNLL-U's ten columns the fourth (parts of speech)"""
    delimiter: Literal["tab", "blanks"] | None = None
    """what stands between columns: a tab, or any number of blanks; left out: found"""
    encoding: Encoding = "utf-8"
    """how the text is written: utf-8, latin-1, cp1252, …"""
    _elsewhere: bool = PrivateAttr(False)

    @model_validator(mode="after")
    def _no_columns(self) -> Conll:
        from dlspec.data.tabular import refuse

        if self.split.time is not None:
            refuse("split.time names a column of dates, and sentences have none; leave it out")
        if self.split.group not in (None, "document"):
            refuse("split.group: sentences are grouped by `document` alone, which -DOCSTART- begins")
        if self.word is not None and self.word == self.tag:
            refuse(f"column {self.word} cannot be both word and tag")
        return self

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """Lines of as many columns with empty lines between some, the last of which has few different values."""
        from dlspec.data.conll_guesses import proposal

        return proposal(cls, path)

    def files(self) -> list[str]:
        return list(sources.parts(self.path).values())

    def at(self, path: str) -> Conll:
        other = self.model_copy(update={"path": path})
        other._elsewhere = True
        return other

    def load(self, *, truth: bool = True) -> Splits:
        """truth=False: words alone are enough, one a line.  Raises DataError that names the lines that are wrong."""
        parts = sources.parts(self.path)
        notes, loaded = [], {}
        for part, file in parts.items():
            found = read(file, delimiter=self.delimiter, encoding=self.encoding)
            word, tag = self.columns(found, truth)
            columns = f"words in column {word}" + ("" if tag is None else f", tags in column {tag}")
            notes.append(summary(found, f"{columns} of {found.width}"))
            long = max(map(len, found.rows))
            if long >= LONG:
                notes.append(f"{file}: a sentence has {long:,} words; are empty lines between sentences missing?")
            prefix = "" if list(parts) == ["all"] else f"{part}:"
            loaded[part] = _examples(found, word, tag, prefix)
        return Splits(loaded, notes=tuple(notes))

    def columns(self, found: Sentences, truth: bool) -> tuple[int, int | None]:
        """Which columns hold words and tags, from 1; None: there is no column of tags, and none is asked for."""
        word = self.word or (2 if found.counted else 1)
        tag = self.tag or (4 if found.counted and found.width == 10 else found.width)
        asked = {"word": word, **({"tag": tag} if truth else {})}
        if wrong := {key: column for key, column in asked.items() if column > found.width}:
            are = _are(found.width)
            complaints = [f"there is no column {column} (data.{key}): there {are}" for key, column in wrong.items()]
            raise DataError([Complaint(Place(found.file), one) for one in complaints])
        if not truth and (tag > found.width or tag == word):
            return word, None
        if tag == word:
            raise DataError(
                "there are words alone, one a line, and no tags; expected a word and its tag on each line, with a tab "
                "or blanks between",
                where=Place(found.file, found.lines[0][0]),
            )
        return word, tag


def _are(count: int) -> str:
    return "is one column" if count == 1 else f"are {count} columns"


def _examples(found: Sentences, word: int, tag: int | None, prefix: str) -> Examples:
    x = [tuple(row[word - 1] for row in rows) for rows in found.rows]
    y = None if tag is None else [tuple(row[tag - 1] for row in rows) for rows in found.rows]
    _whole(found, x, "word", word)
    if y is not None and tag is not None:
        _whole(found, y, "tag", tag)
    ids = [f"{prefix}{number}" for number in range(1, len(x) + 1)]
    groups = [f"{prefix}{one}" for one in found.documents] if any(found.documents) else None
    return Examples(ids, x, y, groups=groups, lines=[Lines(found.file, one) for one in found.lines])


def _whole(found: Sentences, values: Sequence[Sequence[str]], what: str, column: int) -> None:
    """Raises DataError that names the sentences with an empty word or tag, or a tag of several words."""
    wrong = []
    for lines, row in zip(found.lines, values, strict=True):
        empty = not all(row)
        if empty or (what == "tag" and any(len(one.split()) > 1 for one in row)):
            odd = next(one for one in row if not one or len(one.split()) > 1)
            got = "nothing" if not odd else f"'{odd}'"
            message = f"in the sentence beginning here a {what} (column {column}) is {got}; expected one without blanks"
            wrong.append(Complaint(Place(found.file, lines[0]), message))
    if wrong:
        more = [
            Complaint(Place(found.file), plural(len(wrong) - MOST, "more sentence is so", "more sentences are so"))
        ] * (len(wrong) > MOST)
        raise DataError(wrong[:MOST] + more)
