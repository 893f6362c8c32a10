"""What to try next: for each cause, the changes of the recipe that are for it, as patches that train as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
import yaml

from dlspec.recipe.load import load
from dlspec.recipe.schema import Recipe
from dlspec.remedies import UNSURE, Cause, Remedy, Situation
from dlspec.runs import folder as folders
from dlspec.strategy.causes import Named
from dlspec.strategy.looks import Verdict
from dlspec.strategy.mends import as_patch, mends, value
from dlspec.types import RecipeError

MOST = 6
"""patches that are written"""
FALLING = 0.02
"""by what share the loss on train fell over the last tenth of the epochs, where it counts as falling still"""


class Prescription(NamedTuple):
    """changes: dotted key of the recipe → new value (None: its default).  reason: why that is for the cause."""

    cause: str
    changes: dict[str, Any]
    reason: str
    sure: bool = True
    """False: the cause is merely not ruled out"""


def situation(folder: Path, recipe: Recipe, cause: Cause) -> Situation:
    """What a run knows of itself that a remedy may ask for."""
    data = folders.read_json(folder / "data.json", {})
    counts = {name: part["examples"] for name, part in data.get("splits", {}).items()}
    losses = [float(row.get("train_loss") or "nan") for row in folders.read_history(folder / "history.csv")]
    best = folders.read_json(folder / "scores.json", {}).get("best_epoch")
    return Situation(
        cause,
        train=counts.get("train", 0),
        dev=counts.get("dev", 0),
        apart="dev" in data.get("apart", ()),
        classes=recipe.task.balances,
        epochs=len(losses),
        falling=falling(losses) or (best is not None and best > len(losses) - _tail(losses)),
        stopped=len(losses) < recipe.train.epochs,
        kind=recipe.input.kind,
    )


def falling(losses: Sequence[float]) -> bool:
    """Whether the loss was still falling at the end, beyond its ups and downs."""
    tail = _tail(losses)
    if len(losses) < 2:
        return len(losses) == 1
    last, before = np.mean(losses[-tail:]), np.mean(losses[-2 * tail : -tail])
    return bool(last < (1 - FALLING) * before)


def _tail(losses: Sequence[float]) -> int:
    """How many epochs are the end of a training."""
    return max(1, len(losses) // 10)


def prescriptions(recipe: Recipe, folder: Path, causes: Sequence[Named]) -> list[Prescription]:
    """For the gravest cause first, what its own knobs can do; each recipe change once, and none that is so already."""
    plain = recipe.model_dump(mode="json")
    health = folders.read_json(folder / "health.json", {})
    found: list[Prescription] = []
    for named in causes:
        if named.cause in get_args(Cause):
            offered = of_parts(recipe, situation(folder, recipe, named.cause))  # type: ignore[arg-type]
            found += [one._replace(sure=named.sure) for one in offered]
        elif health.get("verdict") == named.cause:
            rate = health.get("change", {}).get("train.optimizer.learning_rate")
            ill = Verdict(named.cause, named.says, rate=rate)  # type: ignore[arg-type]
            first = [Prescription(named.cause, health["change"], health["reason"])] if health.get("change") else []
            found += first + [Prescription(named.cause, one.changes, one.reason) for one in mends(ill, plain)]
    return list({repr(sorted(one.changes.items(), key=str)): one for one in reversed(found)}.values())[::-1]


def of_parts(recipe: Recipe, of: Situation) -> list[Prescription]:
    """What the recipe's own parts offer for a cause, the first choice first."""
    plain = recipe.model_dump(mode="json")
    offered: list[tuple[str, Remedy]] = []
    for section in ("train", "data", "input", "task", "model"):
        offered += [(section, remedy) for remedy in getattr(recipe, section).remedies(of)]
    offered = [(section, one) for section, one in offered if section != "model" or not _refused(recipe, one.changes)]
    offered.sort(key=lambda one: one[1].rank)
    made = []
    for section, remedy in offered:
        changes = {f"{section}.{key}": new for key, new in remedy.changes.items()}
        changes = {key: new for key, new in changes.items() if value(plain, key) != new}
        if changes:
            made.append(Prescription(of.cause, changes, remedy.reason))
    return made


def _refused(recipe: Recipe, changes: Mapping[str, Any]) -> bool:
    """Whether the task would not take the architecture so (of a language model one that sees what comes later)."""
    own = {key: new for key, new in changes.items() if key != "name" and key in type(recipe.model).model_fields}
    return bool(own) and recipe.task.refuses(recipe.model.model_copy(update=own)) is not None


def write(home: Path, chosen: Sequence[Prescription], *, extends: str = "../recipe.yaml") -> list[dict[str, Any]]:
    """Write 1.yaml, 2.yaml, … into a folder of patches; what cannot be loaded is left out.  What was written, as JSON.

    Those of before go: they were for another state of things.
    """
    for old in home.glob("[0-9]*.yaml"):
        old.unlink()
    written: list[dict[str, Any]] = []
    for one in chosen:
        if len(written) == MOST:
            break
        file = home / f"{len(written) + 1}.yaml"
        write_patch(file, one, extends)
        try:
            load(file)
        except RecipeError:  # a knob that this recipe has not, or not together with what else it says
            file.unlink()
            continue
        written.append({"file": str(file), **one._asdict()})
    return written


def write_patch(file: Path, one: Prescription, extends: str) -> None:
    """One patch, with the reason above it."""
    held = {"extends": extends, **as_patch(one.changes)}
    text = f"# {one.cause}{'' if one.sure else f' ({UNSURE})'}: {one.reason}\n"
    folders.write_text(file, text + yaml.safe_dump(held, sort_keys=False, allow_unicode=True))
