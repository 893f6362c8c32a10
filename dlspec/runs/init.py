"""A first recipe for data that nobody has described: every reader is asked, and the one that knows most proposes."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlspec.data import sources
from dlspec.data.base import Reader
from dlspec.models.base import Model
from dlspec.numeric.printable import shown
from dlspec.proposals import Facts, Line, Lines, Proposal, Suggestion, laid_over, taken
from dlspec.recipe.commented import relative, written
from dlspec.recipe.component import every, find
from dlspec.recipe.load import check_text
from dlspec.recipe.places import look_for
from dlspec.report.watch import Watch
from dlspec.tasks.base import Task
from dlspec.types import ArgumentError, DataError
from dlspec.wording import plural

STDOUT = "-"
STEPS = 12_000
"""steps of training that are proposed at most; early stopping ends most trainings long before"""
EPOCHS = (10, 100)
BATCHES = ((5_000, 32), (20_000, 64), (100_000, 128))
"""examples below which a batch has so many; beyond, 256"""


def init(
    data: str, *, out: str | Path | None = None, target: str | None = None, watch: Watch | None = None
) -> dict[str, Any]:
    """Look at data, and write a commented recipe that trains as it is; nothing is overwritten.

    data: a file or folder, also one below $DLSPEC_DATA.  out: a .yaml file, a folder, or "-" to write none; left out:
    called after the data, in the current folder.  target: the column to predict, where columns can be chosen.
    Returns `recipe` (its path, or None), `text`, `task`, `data`, `input`, `model`, `train`, `goal` (settings as
    plain values), `seen`, `doubts`, `suggestions` (what is written as comments) and `notes` (what the data then says).
    Raises ArgumentError, or DataError where no reader knows the data or nothing can be learned from it, with the mend.
    """
    watch = watch or Watch()
    path, given = there(data)
    file = _out(out, path)
    proposal = proposed(path, target)
    task = find("tasks", _value(proposal.task, "name"))
    assert issubclass(task, Task)
    model, best, others = _model(task, proposal.facts)
    entered = laid_over(best.input, proposal.input)
    train = _train(proposal.facts, best)
    reader = Line("name", proposal.reader, str(find("data", proposal.reader).summary))
    parts = _split(proposal)
    sections: Lines = (
        Line("task", proposal.task, "WHAT IS ASKED"),
        Line("data", (reader, *proposal.data, *parts), "WHERE THE EXAMPLES COME FROM, and how they are divided"),
        Line("input", entered, "WHAT GOES INTO THE NETWORK"),
        Line("model", (Line("name", model, best.why), *best.model), f"THE NETWORK{_also(others, proposal.facts.kind)}"),
        Line("train", train, "HOW IT IS FITTED"),
        Line("goal", proposal.goal, "WHAT DECIDES"),
    )
    sections = tuple(section for section in sections if section.value)
    home = file.absolute().parent
    head = _head(data, out, target, file, proposal)
    text = written(head, sections, lambda one: given if one == path and given else relative(one, str(home)))
    notes = _tried(text, file)
    if out != STDOUT:
        _write(file, text)
    for doubt in proposal.doubts:
        watch.warn(doubt)
    settings = {section.key: taken(section.value) for section in sections}
    return {
        "recipe": None if out == STDOUT else str(file.absolute()),
        "text": text,
        "task": settings["task"]["name"],
        **{key: settings.get(key, {}) for key in ("data", "input", "model", "train", "goal")},
        "target": proposal.target,
        "seen": [one for one in proposal.seen if one],
        "doubts": list(proposal.doubts),
        "suggestions": [*_unsure(sections, ())],
        "notes": notes,
    }


def proposed(path: str, target: str | None = None) -> Proposal:
    """What the reader that knows most of a path proposes.  Raises DataError where none knows it."""
    found: list[Proposal] = []
    faults: list[DataError] = []
    for cls in every("data"):
        assert issubclass(cls, Reader)
        try:
            proposal = cls.recognize(path, target)
        except DataError as error:
            faults.append(error)
            continue
        if proposal is not None:
            found.append(proposal.named(str(cls.model_fields["name"].default)))
    if found:
        best = max(found, key=lambda one: one.special)
        if target is not None and best.target is None:
            raise ArgumentError(
                f"--target names a column, and {shown(path)} (read by '{best.reader}') has none to choose"
            )
        return best
    if faults:
        raise DataError(list(dict.fromkeys(one for error in faults for one in error.complaints)))
    if path.endswith(".gz") and os.path.isfile(path):
        sources.contents(path)  # which tells where it is packed, and cut short
    raise DataError(_unknown(path))


def there(data: str) -> tuple[str, str | None]:
    """The absolute path; and the path as given, where it was found below $DLSPEC_DATA alone."""
    try:
        path = look_for(data, [Path.cwd()])
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    here = os.path.abspath(os.path.expanduser(data))
    return path, None if path == here or os.path.isabs(data) else data


def _out(out: str | Path | None, path: str) -> Path:
    """The file to write.  Raises ArgumentError where it is there already, or is no place for a recipe."""
    name = os.path.basename(os.path.abspath(path))
    name = name.removesuffix(".gz")
    stem = os.path.splitext(name)[0] if os.path.isfile(path) else name
    own = f"{stem or 'recipe'}.yaml"
    if out is None or out == STDOUT:
        file = Path(own)
    else:
        file = Path(out) / own if os.path.isdir(out) else Path(out)
        if file.suffix not in (".yaml", ".yml"):
            raise ArgumentError(f"'{shown(str(out))}' does not end in .yaml, and is no folder")
        if not file.absolute().parent.is_dir():
            raise ArgumentError(f"there is no folder {shown(str(file.absolute().parent))} to write {file.name} into")
    if out != STDOUT and os.path.lexists(file):
        raise ArgumentError(
            f"{shown(str(file))} exists already, and nothing is overwritten; give another name to --out"
        )
    return file


def _model(task: type[Task], facts: Facts) -> tuple[str, Suggestion, list[str]]:
    """The architecture that suits best, of those that fit the task and take such inputs; and the others."""
    fitting = [
        cls
        for cls in every("models")
        if issubclass(cls, Model) and issubclass(cls, task.takes) and facts.kind in cls.accepts
    ]
    named = [(str(cls.model_fields["name"].default), cls.suggest(facts)) for cls in fitting]
    good = [(name, one) for name, one in named if one is not None]
    if not good:
        names = ", ".join(name for name, _ in named) or "none"
        raise DataError(
            f"no architecture suggests itself for {facts.kind}s and {task.__name__.lower()} (there is {names})"
        )
    name, best = max(good, key=lambda one: one[1].suits)
    return name, best, [other for other, _ in named if other != name]


def _also(others: Sequence[str], kind: str) -> str:
    """The other architectures that could be taken, in their own words."""
    known = [f"{name} ({find('models', name).summary})" for name in others]
    own = "or a file of yours, as ./my_net.py"
    return f"; others for a {kind}: " + "; ".join([*known, own]) if known else f"; {own}"


def _train(facts: Facts, best: Suggestion) -> Lines:
    count = facts.train or int(0.7 * facts.examples)
    size = next((many for below, many in BATCHES if count < below), 256)
    size = min(size, max(4, count // 8))
    steps = -(-count // size)
    least, most = EPOCHS
    epochs = min(most, max(least, STEPS // steps))
    own_batches = any(line.key == "batch_size" for line in best.train)
    stop = (Line("patience", max(3, epochs // 10), "epochs without improvement on dev before it ends"),)
    own = Line("optimizer", (Line("name", "adam"), Line("learning_rate", 1e-3)), "the first setting to tune")
    lines: Lines = (
        Line("seed", 1, "of first weights, order and random changes; another shows how much is chance"),
        # An architecture that asks for batches of so many tokens takes another number of steps.
        Line("epochs", epochs, "at most" if own_batches else f"at most; some {plural(steps, 'step')} each"),
        Line("batch_size", size, "examples a step; twice as many with twice the learning rate is about the same"),
        own,
        Line("early_stopping", stop),
    )
    changed = {line.key: line for line in best.train}
    lines = tuple(changed.pop(line.key, line) for line in lines)
    return (*lines, *changed.values())


def _split(proposal: Proposal) -> Lines:
    return (Line("split", proposal.split),) if proposal.split else ()


def _head(data: str, out: str | Path | None, target: str | None, file: Path, proposal: Proposal) -> list[str]:
    """The header: the command, what was seen, what was guessed, what to do next."""
    name = shown(str(file if out is None or out == STDOUT else out))
    command = ["dlspec", "init", shown(data)]
    command += ["--target", shown(target)] if target is not None else []
    command += ["--out", shown(str(out))] if out is not None else []
    lines = [f"A first recipe for {shown(os.path.basename(os.path.abspath(data)) or data)}, as found by looking at it."]
    lines += [f"Written by: {shlex.join(command)}", "", "Seen:"]
    lines += [f"  {line}" if line else "" for line in proposal.seen]
    if proposal.doubts:
        lines += ["", "Guessed; look at these first:"]
        lines += [f"  - {line}" for line in proposal.doubts]
    quoted = shlex.quote(name)
    lines += [
        "",
        f"Next: dlspec check {quoted}    what is wrong with the data, before training",
        f"      dlspec train {quoted}    then: dlspec evaluate last; dlspec error-analysis last",
        "A setting behind # (as #key: value) is one to consider, and not in force; take away the # to use it.",
    ]
    return [piece for line in lines for piece in _wrapped(line)]


def _wrapped(line: str) -> list[str]:
    import textwrap

    indent = re.match(r"[ -]*", line).group()  # type: ignore[union-attr]
    return textwrap.wrap(line, 116, subsequent_indent=" " * len(indent) + "  ", break_on_hyphens=False) or [""]


def _tried(text: str, file: Path) -> list[str]:
    """Read the recipe as `train` would, and the data as far as the network; what the data then has to say."""
    from dlspec.runs.prepare import prepare

    loaded = check_text(text, file)
    with loaded.placing():
        return prepare(loaded.recipe, Watch()).notes


def _write(file: Path, text: str) -> None:
    try:
        with open(file, "x", encoding="utf-8", newline="\n") as new:
            new.write(text)
    except FileExistsError:
        raise ArgumentError(f"{shown(str(file))} exists already; give another name to --out") from None
    except OSError as error:
        raise ArgumentError(f"cannot write {shown(str(file))}: {error.strerror}") from None


def _value(lines: Lines, key: str) -> Any:
    return next(line.value for line in lines if line.key == key)


def _unsure(lines: Lines, above: tuple[str, ...]) -> list[dict[str, Any]]:
    """What is written as comments: dotted key, value, why."""
    found: list[dict[str, Any]] = []
    for line in lines:
        path = (*above, line.key)
        nested = isinstance(line.value, tuple) and line.value and isinstance(line.value[0], Line)
        if nested:
            found += _unsure(line.value, path)
        elif not line.sure:
            found.append({"key": ".".join(path), "value": line.value, "why": line.why})
    return found


def _unknown(path: str) -> str:
    """What lies there, and what is read, in the readers' own words."""
    known = [
        f"{cls.model_fields['name'].default} ({cls.summary})"
        for cls in every("data")
        if issubclass(cls, Reader) and cls.recognize.__func__ is not Reader.recognize.__func__  # type: ignore[attr-defined]
    ]
    what = "is no file that a reader knows"
    if os.path.isdir(path):
        names = sorted(os.listdir(path))
        endings = sorted({os.path.splitext(one)[1].lower() or "no ending" for one in names if not one.startswith(".")})
        have = f"{len(names):,} entries, with endings as {', '.join(endings[:6])}" if names else "nothing"
        what = f"is a folder that no reader knows: it has {shown(have)}"
    return f"{shown(path)} {what}. What is known: {'; '.join(known)}"
