"""The command line: one file a command, one line a command here."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import sys
import traceback
from typing import Annotated, Any

import typer

# Looking for plugins of pydantic reads the metadata of every installed package; no command of ours has any.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from dlspec.cli import (
    check,
    detect,
    doctor,
    error_analysis,
    evaluate,
    improve,
    init,
    predict,
    recipes,
    runs,
    sample,
    train,
    translate,
    tune,
)
from dlspec.cli.shared import answering
from dlspec.types import ArgumentError, Place, RecipeError, UserError
from dlspec.wording import plural

INTERRUPTED, NOBODY_READS = 130, 141

app = typer.Typer(
    name="dlspec",
    help="Train, evaluate and diagnose neural networks from YAML recipes.",
    epilog="Start with: dlspec recipes list; dlspec train classification/digits_lenet5",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("improve")(improve.improve)
app.command("tune")(tune.tune)
app.command("predict")(predict.predict)
app.command("translate")(translate.translate)
app.command("detect")(detect.detect)
app.command("sample")(sample.sample)
app.command("error-analysis")(error_analysis.error_analysis)
app.add_typer(recipes.app, name="recipes")
app.add_typer(runs.app, name="runs")
app.command("doctor")(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        from dlspec import __version__

        typer.echo(f"dlspec {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which one.")
    ] = False,
) -> None:
    """Train, evaluate and diagnose neural networks from YAML recipes."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command.  Exit codes: 0 done, 1 our failure, 2 the user's, 130 interrupted, 141 nobody reads on."""
    given = sys.argv[1:] if arguments is None else arguments
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console that cannot show → shows ?
    try:
        code = _run(given, as_json="--json" in given, debug="--debug" in given)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has left.  What Python would still write at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = NOBODY_READS
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OSError as error:
        # The disk that the answer, or a complaint, was to go to is full.
        if "--debug" in given:
            raise
        code = 2
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        try:
            print(f"cannot write the answer: {error.strerror}", file=sys.stderr, flush=True)
        except OSError:
            os.dup2(nowhere, 2)
    sys.exit(code)


def _open_streams() -> None:
    """Streams that whoever started us has closed lead nowhere: a file opened later must not take their place."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115


def _run(given: list[str], *, as_json: bool, debug: bool) -> int:
    # Under --json, stdout is the answer's alone: what own code or a library prints goes to stderr.
    aside = contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext()
    try:
        with answering(sys.stdout), aside:
            code = app([one for one in given if one != "--debug"], standalone_mode=False)
    except UserError as error:
        if debug:
            raise
        return _user(error, as_json)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        raise
    except SystemExit as left:
        # Typer, and rich where it draws a table, leave with 1 when nobody reads on.
        if isinstance(left.__context__, BrokenPipeError):
            raise BrokenPipeError from None
        raise
    except Exception as error:
        if hasattr(error, "format_message"):
            if as_json:
                _say(True, "argument", error.format_message())
            else:
                error.show()  # type: ignore[attr-defined]
            return 2
        if debug:
            raise
        return _failed(error, as_json)
    if code == INTERRUPTED:
        _say(as_json, "interrupted", "interrupted")
    return code if isinstance(code, int) else 0


def _readable(file: str) -> bool:
    return os.access(file, os.R_OK | os.X_OK if os.path.isdir(file) else os.R_OK)


def _failed(error: Exception, as_json: bool) -> int:
    """What went wrong that nobody foresaw: in the user's own file, or in dlspec."""
    from dlspec.recipe.places import in_own_code

    if isinstance(error, OSError) and error.errno in (errno.ENOTDIR, errno.EEXIST) and error.filename:
        says = "a part of this path is a file, where a folder should be; name another place"
        return _user(ArgumentError(f"cannot write {error.filename}: {says}"), as_json)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
        file = f" {error.filename}" if error.filename else ""
        if error.errno == errno.EACCES and file and os.path.exists(error.filename) and not _readable(error.filename):
            return _user(ArgumentError(f"cannot read{file}: {error.strerror}"), as_json)
        return _user(ArgumentError(f"cannot write{file}: {error.strerror}; make room, or say --out DIR"), as_json)
    message = f"{type(error).__name__}: {error}"
    own = [step for step in traceback.extract_tb(error.__traceback__) if in_own_code(step.filename)]
    if own:
        where = Place(own[-1].filename, own[-1].lineno)
        return _user(RecipeError(f"your own code failed: {message}", where=where), as_json)
    advice = "run it again with --debug for the traceback"
    _say(as_json, "internal", f"dlspec failed, which is its own fault: {message}\n{advice}")
    return 1


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
        print(f"{plural(count, 'complaint')}; nothing was done", file=sys.stderr)
    return 2


def _say(as_json: bool, kind: str, message: str, where: list[Any] | None = None) -> None:
    if as_json:
        print(json.dumps({"error": {"kind": kind, "message": message, "where": where or []}}))
    else:
        print(message, file=sys.stderr)
