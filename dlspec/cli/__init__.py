"""The command line: one file a command, one line a command here."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import typer

# Looking for plugins of pydantic reads the metadata of every installed package; no command of ours has any.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from dlspec.cli import doctor, error_analysis, evaluate, predict, recipes, runs, train
from dlspec.types import Place, UserError

INTERRUPTED = 130

app = typer.Typer(
    name="dlspec",
    help="Train, evaluate and diagnose neural networks from YAML recipes.",
    epilog="Start with: dlspec recipes list; dlspec train classification/digits_lenet5",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("predict")(predict.predict)
app.command("error-analysis")(error_analysis.error_analysis)
app.add_typer(recipes.app, name="recipes")
app.add_typer(runs.app, name="runs")
app.command("doctor")(doctor.doctor)


@app.callback()
def options() -> None:
    """Train, evaluate and diagnose neural networks from YAML recipes."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command.  Exit codes: 0 done, 1 our failure, 2 the user's, 130 interrupted."""
    given = sys.argv[1:] if arguments is None else arguments
    as_json, debug = "--json" in given, "--debug" in given
    try:
        code = app([one for one in given if one != "--debug"], standalone_mode=False)
    except UserError as error:
        if debug:
            raise
        sys.exit(_user(error, as_json))
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except Exception as error:
        if hasattr(error, "format_message"):
            if as_json:
                _say(True, "argument", error.format_message())
            else:
                error.show()  # type: ignore[attr-defined]
            sys.exit(2)
        if debug:
            raise
        message = f"{type(error).__name__}: {error}"
        _say(
            as_json,
            "internal",
            f"dlspec failed, which is its own fault: {message}\nrun it again with --debug for the traceback",
        )
        sys.exit(1)
    if code == INTERRUPTED:
        _say(as_json, "interrupted", "interrupted; nothing is left half written")
    sys.exit(code if isinstance(code, int) else 0)


def _user(error: UserError, as_json: bool) -> int:
    if as_json:
        where = [complaint.where for complaint in error.complaints if complaint.where != Place()]
        message = "\n".join(complaint.message for complaint in error.complaints)
        _say(True, error.kind, message, [place._asdict() for place in where])
        return 2
    for complaint in error.complaints:
        print(complaint, file=sys.stderr)
        if complaint.excerpt.strip():
            line = complaint.excerpt[:160]
            print(f"    {line}", file=sys.stderr)
            print(f"    {' ' * ((complaint.where.column or 1) - 1)}^", file=sys.stderr)
    count = len(error.complaints)
    if count > 1:
        print(f"{count} complaints; nothing was done", file=sys.stderr)
    return 2


def _say(as_json: bool, kind: str, message: str, where: list[Any] | None = None) -> None:
    if as_json:
        print(json.dumps({"error": {"kind": kind, "message": message, "where": where or []}}, ensure_ascii=False))
    else:
        print(message, file=sys.stderr)
