"""dlspec runs list | show | compare | board | delete"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, RunArgument, Runs, answer

app = typer.Typer(help="List, show, compare, watch and delete runs.", no_args_is_help=True)


@app.command("list")
def list_(runs: Runs = Path("runs"), json: Json = False, debug: Debug = False) -> None:
    """All runs, oldest first: when, in which state, how good on dev."""
    from dlspec.runs.folder import every, summary

    found = [summary(run) for run in every(runs)]

    def text() -> None:
        if not found:
            typer.echo(f"no runs in {runs.absolute()}; train one with  dlspec train RECIPE")
        width = max([len(f"{one['recipe']}/{one['time']}") for one in found], default=0)
        for one in found:
            score = f"dev {one['metric']} {one['dev']:.4f}" if one["dev"] is not None else ""
            score += ", not feasible" if one["feasible"] is False else ""
            name = f"{one['recipe']}/{one['time']}"
            typer.echo(f"{name:<{width}}  {one['state']:<10}  {one['size_mb']:7.1f} MB  {score}")

    answer({"runs": found}, json, text)


@app.command("show")
def show(run: RunArgument, runs: Runs = Path("runs"), json: Json = False, debug: Debug = False) -> None:
    """One run: its scores, its recipe, what it was made on."""
    from dlspec.runs.folder import locate, read_json, summary

    folder = locate(run, runs)
    found = {
        **summary(folder),
        "scores": read_json(folder / "scores.json", default={}).get("scores"),
        "machine": read_json(folder / "machine.json", default={}),
        "recipe_text": (folder / "recipe.yaml").read_text(encoding="utf-8"),
    }

    def text() -> None:
        typer.echo(f"{found['run']}  ({found['state']}, looks at test: {found['test_looks']})")
        for split, metrics in (found["scores"] or {}).items():
            line = ", ".join(f"{name} {one['value']:.4f}" for name, one in metrics.items() if one["value"] is not None)
            typer.echo(f"  {split}: {line}")
        for warning in found["machine"].get("warnings", ()):
            typer.echo(f"  warning: {warning}")
        typer.echo("")
        typer.echo(found["recipe_text"], nl=False)

    answer(found, json, text)


@app.command("compare")
def compare(
    run: Annotated[
        list[str],
        typer.Argument(metavar="A B…", help="Two runs or more: folders, names (recipe, or recipe/time), or `last`."),
    ],
    split: Annotated[
        str, typer.Option("--split", metavar="SPLIT", help="train, train_dev, dev or test (each look is counted).")
    ] = "dev",
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Runs side by side on the same examples.

    Scores with intervals, how the recipes differ, and whether each can be told from the first at all: a paired
    bootstrap of every metric, and McNemar's exact test of accuracy.
    """
    from dlspec.report.comparison import print_compared
    from dlspec.report.progress import ConsoleWatch
    from dlspec.runs.compare import compare as side_by_side

    result = side_by_side(run, split=split, root=runs, watch=ConsoleWatch())
    answer(result, json, lambda: print_compared(result))


@app.command("board")
def board(
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, metavar="N", help="Left out: 6006, or another one that is free."),
    ] = None,
    host: Annotated[
        str, typer.Option("--host", metavar="HOST", help="Which address answers: 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """TensorBoard over all runs, until Ctrl-C.

    Curves of train and dev, learning rate, samples, the recipe, and the HParams tab, which compares recipes by their
    scores on dev. Runs that begin later appear by themselves. Only this machine is answered.
    """
    from dlspec.runs.board import serve

    def ready(found: dict[str, str]) -> None:
        text = f"TensorBoard over {found['logdir']}: {found['url']}  (Ctrl-C stops it)"
        answer(found, json, lambda: typer.echo(text))

    serve(runs, host=host, port=port, ready=ready)


@app.command("delete")
def delete(
    run: RunArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Delete a run for good."""
    from dlspec.runs import folder as folders
    from dlspec.types import ArgumentError

    folder = folders.locate(run, runs)
    if not yes:
        if json or not sys.stdin.isatty():
            raise ArgumentError("there is nobody to ask whether to delete it for good; say --yes")
        typer.confirm(f"delete {folder} for good?", abort=True, err=True)
    folders.delete(folder)
    answer({"deleted": str(folder)}, json, lambda: typer.echo(f"deleted {folder}"))
