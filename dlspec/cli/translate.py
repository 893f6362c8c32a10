"""dlspec translate RUN TEXT…"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dlspec.cli.shared import Debug, Json, RunArgument, Runs, answer, answer_line

if TYPE_CHECKING:
    from dlspec.runs.translate import Translated


def translate(
    run: RunArgument,
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT…", help="Texts, in quotes; `-`: lines of standard input. Left out, on a terminal: one asks."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="A file of lines, UTF-8; .gz is unpacked.")
    ] = None,
    n_best: Annotated[
        int, typer.Option("--n-best", min=1, metavar="N", help="Give so many guesses: line, score, guess, with tabs.")
    ] = 1,
    beam: Annotated[
        int | None, typer.Option("--beam", min=1, metavar="N", help="Hypotheses that are followed; 1: greedy.")
    ] = None,
    scores: Annotated[
        bool, typer.Option("--scores", help="The score of each, its log-probability, before a tab.")
    ] = False,
    attention: Annotated[
        Path | None,
        typer.Option(
            "--attention",
            metavar="FILE",
            help="Draw where the network looked (of 20 lines at most): a .png or .svg file.",
        ),
    ] = None,
    runs: Runs = Path("runs"),
    json: Json = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a line, as soon as it is there.")] = False,
    debug: Debug = False,
) -> None:
    """Translate texts, a line each.

    As many lines come out as go in, in their order. An empty line stays empty, a long one is translated in parts, and
    bytes that are no UTF-8 are replaced, and counted."""
    from dlspec.report.progress import ConsoleWatch
    from dlspec.runs.folder import replacing
    from dlspec.runs.translate import translating

    _check(texts, file, attention)
    watch = ConsoleWatch()
    work = translating(run, beam=beam, n_best=n_best, root=runs, watch=watch)
    lines, at_once = _given(texts, file)
    found: list[dict[str, Any]] = []
    drawn: list[Translated] = []
    for one in work(lines, at_once):
        if attention is not None and one.parts:
            drawn = [*drawn, one][:20]
        if jsonl:
            answer_line(one.json())
        elif json:
            found.append(one.json())
        else:
            number = work.counts.lines
            answer({}, False, lambda one=one, number=number: _print(one, number, n_best, scores))
    for sentence in work.counts.said():
        watch.warn(sentence)
    if attention is not None:
        picture = work.drawn(drawn, attention.suffix.lower())
        with replacing(attention) as new:
            new.write_bytes(picture)
        watch.note(f"attention: {attention}")
    if json:
        made = str(attention) if attention else None
        answer({"run": str(work.opened.folder), "predictions": found, "attention": made}, True, None)


def _check(texts: list[str] | None, file: Path | None, attention: Path | None) -> None:
    from dlspec.types import ArgumentError

    if texts and file is not None:
        raise ArgumentError("texts or --file FILE, not both")
    if texts and "-" in texts and len(texts) > 1:
        raise ArgumentError("`-` stands for standard input, and goes alone")
    if attention is not None and attention.suffix.lower() not in (".png", ".svg"):
        raise ArgumentError(f"--attention writes .png or .svg, not '{attention.name}'")
    if file is not None:
        from dlspec.runs.reading import there

        there(str(file))  # before the network is loaded


def _given(texts: list[str] | None, file: Path | None) -> tuple[Iterable[bytes | str], int]:
    """The lines, and how many are waited for before any is translated."""
    from dlspec.runs.translate import AT_ONCE, lines_of

    def of_file() -> Iterator[bytes]:
        with lines_of(str(file)) as lines:
            yield from lines

    if file is not None:
        return of_file(), AT_ONCE
    if texts and texts != ["-"]:
        return texts, AT_ONCE
    if sys.stdin is not None and sys.stdin.isatty():
        return _asked(), 1
    return (sys.stdin.buffer if sys.stdin else ()), AT_ONCE


def _asked() -> Iterator[str]:
    """What is typed, line by line, until there is no more."""
    typer.echo("a line to translate; Ctrl-D ends", err=True)
    while True:
        typer.echo("> ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line:
            typer.echo("", err=True)
            return
        yield line


def _print(one: Translated, number: int, n_best: int, scores: bool) -> None:
    def score(of: Any) -> str:
        return "" if of is None else f"{of:.4f}"

    if n_best == 1:
        print(f"{score(one.score)}\t{one.guess}" if scores else one.guess)
        return
    for guess in ({"guess": one.guess, "score": one.score}, *one.others):
        print(f"{number}\t{score(guess['score'])}\t{guess['guess']}")
