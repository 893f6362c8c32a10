"""Texts without labels (novels, articles, code), to learn what comes next; cut into windows of characters."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from dlspec.data import chapters, sources, text_files
from dlspec.data.base import Reader
from dlspec.data.sources import Encoding, Source
from dlspec.data.splits import Split
from dlspec.proposals import Proposal
from dlspec.types import SPLITS, DataError, Examples, Place, Splits
from dlspec.wording import plural

HEADING = (
    r"[ \t]*(CHAPTER|Chapter|BOOK|Book|PART|Part|VOLUME|ACT|Act|LETTER|SECTION|KAPITEL|Kapitel|CHAPITRE|Chapitre)\b"
)
ENDINGS = (".txt", ".text", ".md", ".gz")
ENOUGH = 20
"""chapters from which on whole ones can be held out"""


class TextFile(Reader):
    """One text file or several, each packed as .gz, too; an example is a window of so many characters.

    Windows lie side by side and do not overlap; none reaches over the end of a chapter or file.  Held out for dev and
    test are whole chapters (`held_out: chapters`; a file begins a chapter), or the last part of each file (`end`).  x
    and y are the window's text.  ids: the file's name and the place of the first character, as novel.txt:0012800.
    """

    kind: ClassVar[str] = "text"
    has_labels: ClassVar[bool] = False
    summary: ClassVar[str] = "texts without labels, one file or several, to learn what comes next"
    suffixes: ClassVar[tuple[str, ...]] = ENDINGS
    folders: ClassVar[bool] = True
    name: Literal["text_file"] = "text_file"

    path: Source
    """the file, or a folder of text files (.txt, .text, .md, .gz); or {train: …, dev: …, test: …}"""
    files_like: str | None = None
    """of a folder, the files whose path below it is like this: "*.txt", "novels/**/*.txt"; left out: all text files"""
    length: int = Field(256, ge=8)
    """characters of a window at most"""
    heading: str | None = HEADING
    """a regular expression that matches the begin of a line with which a chapter begins; nothing: a file is one"""
    held_out: Literal["chapters", "end"] | None = None
    """what becomes dev and test.  chapters: whole ones, by chance; end: the last of all files, test the very last;
    left out: chapters where there are 20 or more, else the end"""
    encoding: Encoding = "utf-8"
    """how the text is written: utf-8 (what is none is replaced, and counted), latin-1, cp1252, …"""

    @field_validator("heading")
    @classmethod
    def _an_expression(cls, heading: str | None) -> str | None:
        try:
            matches_nothing = heading is not None and re.compile(heading).match("") is not None
        except re.error as error:
            raise _refused(f"'{heading}' is no regular expression: {error}") from None
        if matches_nothing:
            raise _refused(f"'{heading}' matches an empty line, and each line would begin a chapter")
        return heading

    @model_validator(mode="after")
    def _no_columns(self) -> TextFile:
        for key in ("group", "time"):
            if getattr(self.split, key) is not None:
                raise _refused(f"split.{key} names a column, and a text has none; data.held_out says what is held out")
        if self.held_out == "end" and self.split.folds is not None:
            raise _refused(
                "folds cannot hold for the end of a text: a fold would be judged by a network that saw later"
            )
        return self

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """A file of prose, or a folder of such files."""
        from dlspec.data.prose_guesses import proposal

        return proposal(cls, path)

    @classmethod
    def for_kind(cls, kind: str, path: str) -> Reader | None:
        """Never: what another reader's run takes for a text is no window of one."""
        return None

    def files(self) -> list[str]:
        return list(sources.parts(self.path).values())

    def at(self, path: str) -> TextFile:
        return self.model_copy(update={"path": path, "files_like": None})

    @property
    def dividing(self) -> Split:
        """By whole chapters, or by place, as `load` says in the examples' groups and times."""
        if self.held_out is None:
            return _ByChapter(**self.split.model_dump())
        if self.held_out == "chapters":
            return self.split.model_copy(update={"group": "chapter"})
        return _ByPlace.model_construct(**{**dict(self.split), "time": "place"})

    def load(self, *, truth: bool = True) -> Splits:
        """Raises DataError where there is no file, or nothing but blanks in one."""
        parts, notes = {}, list[str]()
        for part, path in sources.parts(self.path).items():
            parts[part], said = self._read(path)
            notes += said
        return Splits({name: parts[name] for name in (*SPLITS, "all") if name in parts}, notes=tuple(notes))

    def _read(self, path: str) -> tuple[Examples, list[str]]:
        ids, texts, of_chapter, of_file, times = list[str](), list[str](), list[str](), list[str](), list[float]()
        heading = None if self.heading is None else re.compile(rf"^(?:{self.heading})", re.MULTILINE)
        files, notes, count = self._below(path), list[str](), 0
        for name, file in files.items():
            data, said = text_files.mended(sources.contents(file), self.encoding)
            text = text_files.decoded(file, data, self.encoding)
            notes += [f"{name}: {one}" for one in said]
            if not text.strip():
                raise DataError("this file is empty", where=Place(file))
            found = [(0, len(text))] if heading is None else chapters.chapters(text, heading)
            count += len(text)
            for start, end in found:
                for first, last in chapters.windows(text, start, end, self.length):
                    ids.append(f"{name}:{first:0{len(str(len(text)))}d}")
                    texts.append(text[first:last])
                    of_chapter.append(f"{name}:{start}")
                    of_file.append(name)
                    times.append(last / len(text))
        many = len(set(of_chapter))
        what = f"{len(files):,} files, " if len(files) > 1 else f"{next(iter(files))}: "
        held = f"{many:,} chapter{'s' * (many != 1)}, {len(texts):,} window{'s' * (len(texts) != 1)}"
        notes.insert(0, f"{what}{plural(count, 'character')} in {held} of {self.length} at most")
        tags = {"file": of_file} if len(files) > 1 else {}
        groups = None if self.held_out == "end" else of_chapter  # the end is of a chapter whose begin is train's
        whole = Examples(ids, texts, texts, tags=tags, groups=groups, times=times)
        return whole, notes

    def _below(self, path: str) -> Mapping[str, str]:
        """Name → file.  Raises DataError where there is none."""
        if not os.path.isdir(path):
            return {os.path.basename(path): path}
        like = self.files_like or "**"
        found = sorted(glob.glob(like, root_dir=path, recursive=True))
        wanted = [one for one in found if os.path.isfile(os.path.join(path, one))]
        if self.files_like is None:
            wanted = [one for one in wanted if one.lower().endswith(ENDINGS)]
        if not wanted:
            what = f"no file like '{self.files_like}'" if self.files_like else f"no text file ({', '.join(ENDINGS)})"
            raise DataError(f"{what} lies below this folder", where=Place(path))
        return {one.replace(os.sep, "/"): os.path.join(path, one) for one in wanted}


class _ByPlace(Split):
    """The end."""

    @property
    def by_time(self) -> str:
        return "by place in the text"


class _ByChapter(Split):
    """Whole chapters where there are enough, else the end."""

    def divide(self, loaded: Splits, manifest: Mapping[str, str] | None = None) -> Splits:
        whole = loaded.parts.get("all") or loaded.parts["train"]
        if self.folds or len(set(whole.column("groups"))) >= ENOUGH:
            return Split(**{**self.model_dump(), "group": "chapter"}).divide(loaded, manifest)
        parts = {name: part.replace(groups=None) for name, part in loaded.parts.items()}
        return _ByPlace(**{**self.model_dump(), "time": "place"}).divide(loaded.with_parts(parts), manifest)


def _refused(message: str) -> PydanticCustomError:
    return PydanticCustomError("text_file", "{message}", {"message": message})
