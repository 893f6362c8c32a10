"""The ledger of a run: what each split scores and the gaps between, what holds it back, and what to do about that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from dlspec.recipe.schema import Recipe
from dlspec.runs import folder as folders
from dlspec.runs import prescribe
from dlspec.runs.judged import Judged, Part
from dlspec.runs.kept import kept_part
from dlspec.strategy.causes import Named, causes, imbalance, possible
from dlspec.strategy.ledger import Level, as_json, lay_out
from dlspec.strategy.paired import Side
from dlspec.strategy.verdict import BY_RECIPE, BY_TABLE
from dlspec.types import SPLITS


def levels(judged: Judged, human: Level | None = None, *, head: str | None = None) -> list[Level]:
    """Human level, if it is known, and every split that was judged, in the order of the ledger; of one head alone."""
    measured = []
    for split in SPLITS:
        part = judged.parts.get(split)
        if part is not None and len(part.examples):
            evaluator, statistics = judged.evaluator, part.statistics
            count, groups = len(part.examples), part.groups
            if head is not None:
                evaluator, statistics, _, rows = evaluator.heads(statistics, judged.state)[head]
                if rows is not None:
                    count, groups = len(rows), groups and [groups[row] for row in rows]
            if not count:
                continue
            combine = evaluator.combine if head is not None else partial(evaluator.combine, only=[judged.metric.name])
            side = Side(combine, statistics, evaluator.shares(statistics))
            measured.append(Level(split, count, side, groups))
    return [human, *measured] if human is not None else measured


def laid_out(judged: Judged, *, human: Level | None = None, apart: bool = False) -> dict[str, Any] | None:
    """The ledger by the metric that decides, as JSON has it; None where no split but a new one was judged.

    Of a prediction that says several things it has one for each as well (`heads`), by the first metric of each.
    human: its level.  apart: dev was given apart from train, so that it may be of another kind.
    """
    found = levels(judged, human)
    if all(one.name == "human" for one in found):
        return None
    lay = partial(lay_out, apart=apart, ways=BY_TABLE if judged.opened is None else BY_RECIPE)
    ledger = as_json(lay(found, judged.metric))
    ledger["observed"] = [one._asdict() for one in observed(judged)]
    ledger["prescriptions"] = []
    some = next(part for split in SPLITS if (part := judged.parts.get(split)) is not None)
    heads = judged.evaluator.heads(some.statistics, judged.state)
    if heads:
        ledger["heads"] = {
            name: as_json(lay(levels(judged, head=name), one.evaluator.metrics(one.state)[0]))
            for name, one in heads.items()
        }
    plain: dict[str, Any] = folders.finite(ledger)
    return plain


def dev_is_apart(home: Path) -> bool:
    """Whether dev was given apart from train, so that it may be of another kind."""
    return "dev" in folders.read_json(home / "data.json", {}).get("apart", ())


def observed(judged: Judged) -> list[Named]:
    """Causes that the outcomes show by themselves, whatever the gaps are."""
    of = {
        split: judged.evaluator.sought(part.statistics, judged.state)
        for split, part in judged.parts.items()
        if split in SPLITS
    }
    train, dev = of.get("train"), of.get("dev")
    return imbalance(train, dev) if train is not None and dev is not None else []


def diagnosed(judged: Judged, recipe: Recipe, home: Path, *, human: Level | None = None) -> dict[str, Any] | None:
    """Lay out the ledger of a run, write ledger.json, and patches for what it names to suggestions/.

    Splits that were not judged now, but earlier, are taken from what that left (predictions/).
    """
    ledger = laid_out(_whole(judged, home), human=human, apart=dev_is_apart(home))
    if ledger is None:
        return None
    chosen = prescribe.prescriptions(recipe, home, named(home, ledger) or possible(ledger))
    ledger["prescriptions"] = prescribe.write(home / "suggestions", chosen)
    folders.write_json(home / "ledger.json", ledger)
    return ledger


def named(home: Path, ledger: Mapping[str, Any] | None = None) -> list[Named]:
    """The causes of error of a run that was evaluated, gravest first.  ledger: by default the one it has kept."""
    ledger = ledger or folders.read_json(home / "ledger.json", {}) or None
    health = folders.read_json(home / "health.json", {}) or None
    return causes(ledger, health, [Named(**one) for one in (ledger or {}).get("observed") or ()])


def _whole(judged: Judged, home: Path) -> Judged:
    """The same with the splits that an earlier evaluation has left predictions of."""
    parts: dict[str, Part] = {}
    for split in SPLITS:
        part = judged.parts.get(split) or kept_part(home, split, judged.evaluator, judged.state)
        if part is not None:
            parts[split] = part
    return replace(judged, parts={**judged.parts, **parts})
