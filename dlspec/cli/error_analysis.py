"""dlspec error-analysis RUN"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from dlspec.cli.shared import (
    AskedTask,
    Debug,
    Deciding,
    Home,
    Json,
    Predictions,
    RunOrFiles,
    Runs,
    Truth,
    answer,
    is_chain,
    need_predictions,
    refuse_with_chain,
    refuse_with_predictions,
    run_and_files,
)


def error_analysis(
    run: RunOrFiles = None,
    split: Annotated[
        str, typer.Option("--split", metavar="SPLIT", help="Which split's errors; test gives itself away.")
    ] = "dev",
    worst: Annotated[int, typer.Option("--worst", min=0, help="How many of the worst examples to list.")] = 20,
    labels: Annotated[
        bool,
        typer.Option(
            "--labels",
            help="Look for wrong labels in train, dev and the split, and train once a fold for it; with --predictions "
            "in the split, out of these.",
        ),
    ] = False,
    folds: Annotated[int, typer.Option("--folds", min=2, metavar="K", help="In how many folds, with --labels.")] = 5,
    relabel: Annotated[
        str | None,
        typer.Option(
            "--relabel",
            metavar="FILE",
            help="Score by corrected labels as well (relabel.csv, its column `new` filled).",
        ),
    ] = None,
    tags: Annotated[
        str | None,
        typer.Option("--tags", metavar="FILE", help="Count what you tagged: share, ceiling, cost, what to do first."),
    ] = None,
    eyeball: Annotated[
        int | None,
        typer.Option("--eyeball", min=0, metavar="N", help="How many examples of dev may be looked at; 0: all."),
    ] = None,
    sheet: Annotated[
        bool,
        typer.Option(
            "--sheet", help="Look at the errors in a browser and tag them by keyboard; errors/tags.csv has it at once."
        ),
    ] = False,
    sheet_out: Annotated[
        Path | None,
        typer.Option("--sheet-out", metavar="FILE", help="Write the sheet as one .html file, which opens anywhere."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, metavar="N", help="With --sheet; left out: one that is free."),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="With --sheet: whether to open it, where there is a display.")
    ] = True,
    embeddings: Annotated[
        bool,
        typer.Option(
            "--embeddings",
            help="Write what the network makes of each example before its last layer, for the tab Projector of "
            "`dlspec runs board`.",
        ),
    ] = False,
    predictions: Predictions = None,
    truth: Truth = None,
    task: AskedTask = None,
    metric: Deciding = None,
    out: Home = None,
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say what goes wrong, and what mending it would buy.

    Kinds of error with their share and its interval, the ceiling of fixing each, slices by tag, the worst examples,
    and for tables which columns the network leans on.  --labels says which labels are likely wrong, and writes
    relabel.csv; --relabel takes it back when you have filled it in, and writes a recipe that trains on it.
    --sheet shows the errors in a browser, to be tagged by keyboard; --tags counts what you tagged.  Of a dev with many
    errors, a part alone is shown (--eyeball), so that the rest stays an honest judge.
    """
    from dlspec.report.progress import ConsoleWatch
    from dlspec.report.terminal import print_analyzed
    from dlspec.runs.analyze import analyze, analyze_predictions

    name, files = run_and_files(run, predictions)
    watch = ConsoleWatch()
    if name is not None and not files and is_chain(name):
        from dlspec.runs.chained import analyze_chain

        refuse_with_chain(task=task, metric=metric, labels=labels, relabel=relabel, sheet=sheet, sheet_out=sheet_out)
        told = analyze_chain(
            name, split=split, worst=worst, tags=tags, eyeball=eyeball, out=out, root=runs, watch=watch
        )
        answer(told, json, lambda: print_analyzed(told))
        return
    if files:
        refuse_with_predictions(relabel=relabel, embeddings=embeddings)
    else:
        need_predictions(truth=truth, task=task, metric=metric, out=out)
    asked: dict[str, Any] = {"run": name, "split": split, "labels": labels, "eyeball": eyeball, "root": runs}
    asked |= {"files": files, "truth": truth, "task": task, "metric": metric, "out": out} if files else {"folds": folds}
    asked["watch"] = watch
    if sheet or sheet_out is not None:
        _look(asked, serving=sheet, file=sheet_out, port=port, browser=browser, json=json)
    elif relabel is not None:
        _relabelled(name or "", relabel, split, runs, json)
    else:
        asked |= {} if files else {"embeddings": embeddings}
        result = (analyze_predictions if files else analyze)(**asked, worst=worst, tags=tags)
        answer(result, json, lambda: print_analyzed(result))


def _look(
    asked: dict[str, Any], *, serving: bool, file: Path | None, port: int | None, browser: bool, json: bool
) -> None:
    """Write the sheet of what is asked as a file, or serve it until Ctrl-C, or both."""
    from dlspec.runs.sheet import write
    from dlspec.runs.sheet_made import sheet_of_predictions, sheet_of_run
    from dlspec.runs.sheet_server import serve
    from dlspec.types import ArgumentError

    made = sheet_of_predictions(**asked) if "files" in asked else sheet_of_run(**asked)
    if serving and made.notes is None:
        raise ArgumentError("--sheet writes down what you tag; say where with --out DIR (or --sheet-out FILE)")
    said: dict[str, Any] = made.summary()
    if file is not None:
        write(made, file)
        said["file"] = str(file.absolute())
        if not serving:
            answer(
                said,
                json,
                lambda: typer.echo(f"{file}: {made.says()}\nopen it, tag, save tags.csv, then: {said['next']}"),
            )
            return

    def ready(address: str) -> None:
        text = f"{made.says()}: {address}\ntags go to {said['tags']} at once; Ctrl-C stops the sheet"
        answer({**said, "url": address}, json, lambda: typer.echo(text))
        if browser and not json and sys.stdout.isatty():
            _open(address)

    serve(made, port=port, ready=ready)
    typer.echo(f"\n{made.ends()}", err=True)


def _open(address: str) -> None:
    """Open an address in the browser, where there is a display for one."""
    import webbrowser

    if sys.platform not in ("win32", "darwin") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(address)


def _relabelled(run: str, file: str, split: str, runs: Path, json: bool) -> None:
    from dlspec.report.labels import print_relabelled
    from dlspec.report.progress import ConsoleWatch
    from dlspec.runs.relabel import relabel

    splits = () if split == "dev" else (split,)
    result = relabel(run, file, splits=splits, root=runs, watch=ConsoleWatch())
    answer(result, json, lambda: print_relabelled(result))
