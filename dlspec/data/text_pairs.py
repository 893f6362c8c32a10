"""Texts and their translations: two files whose lines belong together, or one of lines with a tab between the two."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from dlspec.data import sources, text_files
from dlspec.data.aligned_lines import lines_of, parted
from dlspec.data.base import Reader
from dlspec.data.sources import Files, Source
from dlspec.proposals import Proposal
from dlspec.types import DataError, Examples, Place, Splits

TABS = (".tsv", ".txt")
"""endings of files that may hold both"""


class TextPairs(Reader):
    """A line a pair: line n of one file belongs to line n of the other, or both stand in a line with a tab between.

    Files may be packed as .gz.  An example's id is its line's number.  What is not UTF-8 is replaced, and counted.
    """

    kind: ClassVar[str] = "text"
    summary: ClassVar[str] = "texts and their translations: two files of aligned lines, or one with tabs"
    suffixes: ClassVar[tuple[str, ...]] = (*TABS, ".gz")
    name: Literal["text_pairs"] = "text_pairs"

    path: Source
    """the file of the sources, a line each; or of both, with a tab between; or {train, dev, test}, a file each"""
    target: Source | None = None
    """the file of the targets, a line each; or {train, dev, test}; left out: they stand in `path`, behind a tab"""
    columns: tuple[int, int] = (1, 2)
    """where both stand in one file: which column (from 1) is the source, which the target"""

    @field_validator("target")
    @classmethod
    def _as_many_files(cls, target: str | Files | None, info: ValidationInfo) -> str | Files | None:
        path = info.data.get("path")
        if path is None or target is None or set(sources.parts(path)) == set(sources.parts(target)):
            return target
        mine, theirs = (", ".join(sources.parts(one)) for one in (path, target))
        message = f"targets are given for {theirs}, sources for {mine}; give a file for each"
        raise PydanticCustomError("pairs", "{message}", {"message": message})

    @field_validator("columns")
    @classmethod
    def _two_columns(cls, columns: tuple[int, int]) -> tuple[int, int]:
        if min(columns) >= 1 and columns[0] != columns[1]:
            return columns
        message = f"expected two different columns, counted from 1, got {list(columns)}"
        raise PydanticCustomError("columns", "{message}", {"message": message})

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """Files of aligned lines, called alike but for their endings; a table with two columns of sentences."""
        from dlspec.data.pair_guesses import proposed

        return proposed(path, target)

    def files(self) -> list[str]:
        return [*sources.parts(self.path).values(), *(sources.parts(self.target).values() if self.target else ())]

    def opens(self, ending: str) -> bool:
        own = {Path(one.removesuffix(".gz")).suffix for one in sources.parts(self.path).values()}
        return super().opens(ending) or ending in own

    def at(self, path: str) -> TextPairs:
        """Over another file of sources; its targets are sought beside it, where those of this reader lie so."""
        return self.model_copy(update={"path": path, "target": self._beside(path)})

    def _beside(self, path: str) -> str | None:
        """The file called as `path` but for the ending, which is that of the targets."""
        if self.target is None:
            return None
        mine, theirs = (next(iter(sources.parts(one).values())) for one in (self.path, self.target))
        for old, new in zip(_endings(mine), _endings(theirs), strict=True):
            other = f"{path.removesuffix(old)}{new}"
            if path.endswith(old) and other != path and os.path.exists(other):
                return other
        return None

    @classmethod
    def for_kind(cls, kind: str, path: str) -> None:
        """Never: files of texts are rarely pairs."""

    def load(self, *, truth: bool = True) -> Splits:
        """Raises DataError where a file or a side holds nothing, or the two files have not as many lines: it tells
        where they seem to part."""
        notes, parts = list[str](), dict[str, Examples]()
        several = sources.parts(self.path)
        others = sources.parts(self.target) if self.target is not None else {}
        for part, file in several.items():
            texts, said, translated = self._sources(file, part not in others, truth)
            theirs = others.get(part, file)
            if part in others:
                translated, more = _lines(theirs)
                if len(texts) != len(translated):
                    raise DataError(parted(file, texts, theirs, translated), where=Place(file))
                said = [*said, *more]
            ids = [str(number) for number in range(1, len(texts) + 1)]
            if part != "all":
                ids = [f"{part}:{one}" for one in ids]
            parts[part] = Examples(ids, texts, translated)
            what = "pair" if translated else "text"
            notes += [f"{Path(file).name}: {len(texts):,} {what}{'s' * (len(texts) != 1)}", *said]
            for whose, what, column in ((file, "source", texts), (theirs, "target", translated or [])):
                empty = [number for number, one in enumerate(column, 1) if not one.strip()]
                if truth and empty and len(empty) == len(column):
                    where = f"column {self.columns[what == 'target']}" if part not in others else "every line"
                    raise DataError(f"holds no {what} at all: {where} is empty", where=Place(whose))
                if empty:
                    which, are = sources.some("line", empty, 3), "is" if len(column) == 1 else "are"
                    notes.append(f"{Path(whose).name}: {len(empty):,} of {len(column):,} {what}s {are} empty ({which})")
        return Splits(parts, notes=tuple(notes))

    def _sources(self, file: str, alone: bool, truth: bool) -> tuple[list[str], list[str], list[str] | None]:
        """Sources, what is to be said of the file, and its targets, where it holds such."""
        lines, said = _lines(file)
        if not alone or (not truth and not any("\t" in one for one in lines)):
            return lines, said, None
        cells, (source, target) = [one.split("\t") for one in lines], self.columns
        few = [number for number, one in enumerate(cells, 1) if len(one) < (max(source, target) if truth else source)]
        if few:
            message = (
                f"{sources.some('line', few)} {'has' if len(few) == 1 else 'have'} no column {max(source, target)}; "
                "source and target stand in a line with a tab between, or set data.target to the file of the targets"
            )
            raise DataError(message, where=Place(file, few[0]))
        whole = all(len(one) >= target for one in cells)
        return [one[source - 1] for one in cells], said, [one[target - 1] for one in cells] if whole else None


def _lines(file: str) -> tuple[list[str], list[str]]:
    """The lines of a file, without blanks around, and what is to be said of them.  Raises DataError without any."""
    data, said = text_files.mended(sources.contents(file), "utf-8", "write the file as UTF-8")
    lines = [one.strip(" ") for one in lines_of(file, data)]
    if not lines:
        raise DataError("this file is empty", where=Place(file))
    return lines, [f"{Path(file).name}: {one}" for one in said]


def _endings(file: str) -> tuple[str, str]:
    """`.en.gz` and `.en`: what a file ends in, packed or not."""
    plain = file.removesuffix(".gz")
    ending = Path(plain).suffix
    return ending + file[len(plain) :], ending
