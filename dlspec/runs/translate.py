"""Lines of text through a run whose predictions are sentences: a line out for each line in, in their order."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from dlspec.numeric.printable import shown
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs.opened import OpenedRun, open_run
from dlspec.runs.text_parts import parts
from dlspec.types import ArgumentError, Examples, Prediction

AT_ONCE = 256
"""lines that are translated together, where they do not come one by one"""
MAPS = 20
"""lines whose attention is drawn at most"""
REPLACED = "\ufffd"


class Translated(NamedTuple):
    """What became of a line."""

    text: str
    guess: str
    score: float | None
    """log-probability, as it was chosen by; of a line in parts, their sum; None: nothing was asked"""
    others: list[dict[str, Any]]
    """further guesses, the best first, with `guess` and `score`; none of a line in parts"""
    parts: list[tuple[str, Prediction]]
    """what was asked, and what was said; none where the line is kept as it is"""

    def json(self) -> dict[str, Any]:
        return {**self._asdict(), "parts": len(self.parts)}


class Counts(NamedTuple):
    """What a person should know afterwards."""

    lines: int = 0
    replaced: int = 0
    """lines with bytes that are no UTF-8"""
    divided: int = 0
    """lines that were translated in parts"""
    kept: int = 0
    """lines without a letter or a figure"""

    def and_of(self, one: Translated, bad: bool) -> Counts:
        kept = bool(one.text.strip()) and not one.parts
        return Counts(self.lines + 1, self.replaced + bad, self.divided + (len(one.parts) > 1), self.kept + kept)

    def said(self) -> list[str]:
        """What is to be said of them, where anything is."""
        found = []
        if self.replaced:
            found.append(
                f"{self.replaced:,} of {self.lines:,} lines held bytes that are no UTF-8; '{REPLACED}' stands for them"
            )
        if self.divided:
            are = "is longer than train's and was" if self.divided == 1 else "are longer than train's and were"
            found.append(f"{self.divided:,} of {self.lines:,} lines {are} said in parts")
        if self.kept:
            have = ("has", "is as it was") if self.kept == 1 else ("have", "are as they were")
            found.append(f"{self.kept:,} of {self.lines:,} lines {have[0]} no letter and no figure, and {have[1]}")
        return found


class Translating:
    """A run, opened to translate; `counts` is what came of the lines so far."""

    def __init__(self, opened: OpenedRun, watch: Watch) -> None:
        self.opened, self.watch, self.counts = opened, watch, Counts()
        entry, learned = opened.recipe.input, opened.state["task"].get("longest")
        self.unlimited = entry.model_copy(update={"maximum_length": None})
        self.most = min(one for one in (entry.maximum_length, learned, 1 << 30) if one)
        self.warned = False

    def __call__(self, lines: Iterable[bytes | str], at_once: int = AT_ONCE) -> Iterator[Translated]:
        """Each line's translation, in order.  at_once: lines that are waited for before any is translated."""
        waiting = iter(lines)
        while some := list(itertools.islice(waiting, at_once)):
            texts, bad = zip(*(_text(one) for one in some), strict=True)
            for one, broken in zip(self._translated(texts), bad, strict=True):
                self.counts = self.counts.and_of(one, broken)
                yield one

    def _translated(self, texts: Sequence[str]) -> list[Translated]:
        asked = [parts(one, self.most, self._pieces) if any(map(str.isalnum, one)) else [] for one in texts]
        flat = list(itertools.chain.from_iterable(asked))
        examples = Examples([str(number) for number in range(len(flat))], flat)
        if flat and not self.warned:
            for remark in self.opened.recipe.input.remarks(examples, self.opened.state["input"]):
                self.watch.warn(remark)
            self.warned = True
        said = iter(self.opened.predictions(examples) if flat else ())
        return [_joined(text, [(one, next(said)) for one in own]) for text, own in zip(texts, asked, strict=True)]

    def _pieces(self, texts: Sequence[str]) -> list[int]:
        """How many pieces each text has, however long it is."""
        state = self.opened.state["input"]
        examples = Examples([str(number) for number in range(len(texts))], list(texts))
        found = self.unlimited.lengths(self.unlimited.encode(examples, state)) if len(texts) else None
        return [] if found is None else [int(one) for one in found]

    def drawn(self, lines: Sequence[Translated], suffix: str) -> bytes:
        """A picture of where the network looked while it said these lines.  suffix: .png or .svg.

        Raises ArgumentError where there is nothing to draw.
        """
        from dlspec.report.alignment import Alignment, alignments

        recipe, state = self.opened.recipe, self.opened.state
        force = recipe.task.forcing(recipe.model, self.opened.network, state)
        asked = [pair for one in lines[:MAPS] for pair in one.parts]
        if force is None or not asked:
            raise ArgumentError("there is no attention to draw: nothing was translated")
        texts, said = zip(*asked, strict=True)
        arrays = self.opened.encode(Examples([str(number) for number in range(len(texts))], list(texts)))
        found = force(arrays, [str(one) for one in said])
        return alignments([Alignment(one.heard, one.said, one.attention) for one in found], suffix)


def translating(
    run: str | Path | OpenedRun,
    *,
    beam: int | None = None,
    n_best: int = 1,
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> Translating:
    """Open a run to translate with it.

    beam: hypotheses that are followed, instead of the run's.  n_best: how many guesses are given.
    Raises ArgumentError where the run's predictions are no sentences, and where the beam holds fewer than n_best.
    """
    if beam is not None and n_best > beam:
        raise ArgumentError(
            f"--n-best {n_best} are more guesses than --beam {beam} follows; give --beam {n_best} or more, or leave it "
            "out"
        )
    opened = run if isinstance(run, OpenedRun) else open_run(run, root)
    task = opened.recipe.task
    if task.verb != "translate":
        raise ArgumentError(
            f"the task of {opened.folder}, {task.name}, translates nothing; `dlspec {task.verb}` is for its runs"
        )
    wide = max(beam or task.beam, n_best)
    other = task.model_copy(update={"beam": wide, "n_best": n_best})
    return Translating(opened.with_recipe(opened.recipe.model_copy(update={"task": other})), watch or Watch())


@contextlib.contextmanager
def lines_of(file: str | Path) -> Iterator[BinaryIO]:
    """The lines of a file, .gz too, as they are read.  Raises ArgumentError where it cannot be opened."""
    try:
        with gzip.open(file) if str(file).endswith(".gz") else open(file, "rb") as lines:
            yield lines  # type: ignore[misc]
    except (EOFError, OSError, zlib.error) as error:
        why = getattr(error, "strerror", None) or f"{error}; was it copied whole?"
        raise ArgumentError(f"cannot read {shown(str(file))}: {why}") from None


def _text(line: bytes | str) -> tuple[str, bool]:
    """A line without its end, and whether it held bytes that are no UTF-8."""
    if isinstance(line, str):
        return line.rstrip("\r\n"), False
    line = line.rstrip(b"\r\n")
    try:
        return line.decode(), False
    except UnicodeDecodeError:
        return line.decode(errors="replace"), True


def _joined(text: str, said: list[tuple[str, Prediction]]) -> Translated:
    if not said:
        return Translated(text, text if text.strip() else "", None, [], [])
    if len(said) == 1:
        [(_, one)] = said
        others = [{"guess": guess, "score": score} for guess, score in one.others]
        return Translated(text, str(one), one.score, others, said)
    return Translated(text, " ".join(one for _, one in said if one), sum(one.score for _, one in said), [], said)
