"""The run directory: made exclusively, written whole or not at all, found by path, by name, or as "last"."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from dlspec.recipe.component import nearest
from dlspec.types import ArgumentError

RUNS = "runs"
_TIME = re.compile(r"\d{8}-\d{6}(-\d+)?")


def create(root: str | Path, recipe_name: str) -> Path:
    """A new directory `root/recipe/UTC time`; a suffix where two runs meet in one second.  Raises ArgumentError."""
    parent = Path(root) / recipe_name
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, 1000):
            folder = parent / (stamp if attempt == 1 else f"{stamp}-{attempt}")
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            return folder.absolute()
    except OSError as error:
        raise ArgumentError(
            f"cannot write runs to {parent}: {error.strerror}; choose another place with --out"
        ) from None
    raise ArgumentError(f"{parent} holds a thousand runs of this second; choose another place with --out")


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of `file` once it is written whole (same ending)."""
    file = file.resolve()  # a link stays a link
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=file.suffix, dir=file.parent)
    os.close(handle)
    try:
        yield Path(name)
        with open(name, "rb+") as written:
            os.fsync(written.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def writing(file: Path) -> Iterator[TextIO]:
    """A table to be written as UTF-8, which takes the place of `file` once it is whole.

    Bytes of file names that are no UTF-8 (surrogates, PEP 383) are written as \\udce9; `data.filled_table.as_id` reads
    them back.
    """
    with replacing(file) as new, open(new, "w", newline="", encoding="utf-8", errors="backslashreplace") as text:
        yield text


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def write_text(file: Path, text: str) -> None:
    """Bytes of file names that are no UTF-8 (surrogates, PEP 383) are written as \\udce9, which JSON reads back."""
    with replacing(file) as new:
        new.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(file: Path, value: Any) -> None:
    write_text(file, json.dumps(finite(value), indent=2, ensure_ascii=False) + "\n")


def read_json(file: Path, default: Any = None) -> Any:
    if default is not None and not file.exists():
        return default
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise damaged(file, error) from None


def damaged(file: Path, error: Exception) -> ArgumentError:
    """What is said of a run with a file that is missing or broken."""
    reason = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
    return ArgumentError(f"the run {file.parent} is damaged: {file.name} {reason}; bring the file back, or train again")


def finite(value: Any) -> Any:
    """The same value as JSON can hold it: NaN and infinities are null, NumPy's numbers are plain."""
    if isinstance(value, dict):
        return {str(key): finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    elif hasattr(value, "tolist"):
        return finite(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_manifest(file: Path, parts: dict[str, list[str]]) -> None:
    """Which example is in which split, by id."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "split"))
    for split, ids in parts.items():
        writer.writerows((one, split) for one in ids)
    write_text(file, text.getvalue())


def read_manifest(file: Path) -> dict[str, str]:
    try:
        text = file.read_bytes().decode("utf-8")
    except (OSError, ValueError) as error:
        raise damaged(file, error) from None
    with io.StringIO(text, newline="") as lines:
        rows = list(csv.reader(lines))[1:]
        if not text.endswith("\n") or any(len(row) != 2 for row in rows):
            raise damaged(file, ValueError("it is cut short"))
        return {row[0]: row[1] for row in rows}


def read_history(file: Path) -> list[dict[str, float]]:
    """An epoch a row; what is not a number is left out."""
    if not file.is_file():
        return []
    with open(file, newline="", encoding="utf-8") as text:
        rows = [{name: _number(value) for name, value in row.items()} for row in csv.DictReader(text)]
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def every(root: str | Path = RUNS) -> list[Path]:
    """All runs under a folder, oldest first."""
    found = [recipe.parent for recipe in Path(root).glob("*/*/recipe.yaml") if _TIME.fullmatch(recipe.parent.name)]
    return sorted(found, key=lambda run: (_order(run.name), run.parent.name))


def _order(name: str) -> tuple[str, int]:
    stamp, _, rest = name.partition("-")
    clock, _, suffix = rest.partition("-")
    return f"{stamp}-{clock}", int(suffix) if suffix.isdigit() else 1


def is_run(folder: Path) -> bool:
    return (folder / "recipe.yaml").is_file() and (folder / "state.json").is_file()


def locate(run: str | Path, root: str | Path = RUNS, *, finished: bool = False) -> Path:
    """The directory of a run: a path, `recipe/time`, a time, a recipe's name (its newest), or "last".

    finished: where several match, the newest that is finished is meant.  Raises ArgumentError that says what there is.
    """
    folder = Path(run).expanduser()
    if is_run(folder):
        return folder.absolute()
    if (folder / "recipe.yaml").is_file() and _TIME.fullmatch(folder.name):
        raise damaged(folder.absolute() / "state.json", FileNotFoundError())
    known = every(root)
    wanted = str(run).strip("/")
    matching = [one for one in known if wanted in ("last", one.parent.name, one.name, f"{one.parent.name}/{one.name}")]
    if finished:
        matching = [one for one in matching if (one / "model.keras").is_file()] or matching
    if matching:
        return matching[-1].absolute()
    if not known:
        raise ArgumentError(
            f"there is no run '{run}', and no runs in {Path(root).absolute()}; train one, or give its path"
        )
    names = [*dict.fromkeys(one.parent.name for one in known), *(f"{one.parent.name}/{one.name}" for one in known)]
    guess = nearest(wanted, names)
    hint = f"did you mean '{guess}'?" if guess else "`dlspec runs list` shows them"
    raise ArgumentError(f"there is no run '{run}' in {Path(root).absolute()}; {hint}")


def summary(run: Path) -> dict[str, Any]:
    """A run in a line: recipe, time, state, headline score on dev.  Reads small files alone."""
    result: dict[str, Any] = {"run": str(run.absolute()), "recipe": run.parent.name, "time": run.name}
    try:
        scores = read_json(run / "scores.json", default={})
        finished = bool(scores) and (run / "model.keras").is_file()
        result["state"] = "finished" if finished else "damaged" if scores else "unfinished"
    except ArgumentError:
        scores, result["state"] = {}, "damaged"
    goal = scores.get("goal") or {}
    result["metric"] = goal.get("metric")
    result["dev"] = goal.get("value")
    result["feasible"] = goal.get("feasible")
    result["test_looks"] = looks_at_test(run)
    result["size_mb"] = _size(run) / 1e6
    return result


def _size(folder: Path) -> int:
    size = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # a run that is being written
            size += file.stat().st_size if file.is_file() else 0
    return size


def looks_at_test(run: Path, *, looking: bool = False) -> int:
    """How often the test split of a run has been looked at; `looking` counts one more.  A line a look, appended."""
    file = run / "test_looks.txt"
    if looking:
        run.mkdir(parents=True, exist_ok=True)
        with open(file, "a", encoding="utf-8") as text:
            text.write(time.strftime("%Y-%m-%dT%H:%M:%SZ\n", time.gmtime()))
    return len(file.read_text(encoding="utf-8").splitlines()) if file.exists() else 0


def delete(run: Path) -> None:
    """Remove a run for good.  Raises ArgumentError where the folder is none of dlspec's making."""
    if not (run / "recipe.yaml").is_file() or not _TIME.fullmatch(run.name):
        raise ArgumentError(f"{run} does not look like a run (recipe.yaml in a folder named by its time); left alone")
    shutil.rmtree(run)
    if not any(run.parent.iterdir()):
        run.parent.rmdir()
