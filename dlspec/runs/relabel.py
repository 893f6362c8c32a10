"""Corrected labels applied to a run: its old and new scores side by side, and the recipe that trains on them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dlspec.data.corrections import Spot, applied, one_sided, read
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs.judged import Judged, judged_run, parts_of
from dlspec.runs.material import fixed_sample
from dlspec.runs.opened import OpenedRun, open_run
from dlspec.strategy.intervals import intervals
from dlspec.types import ArgumentError, Examples


def relabel(
    run: str | Path | OpenedRun,
    file: str | Path,
    *,
    splits: Sequence[str] = (),
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Score a run by corrected labels as well, and write suggestions/relabel.yaml, which trains on them.

    file: a table of corrected labels, as `error-analysis --labels` writes it.  splits: what is scored; none means all
    but test.  The labels of every split are corrected alike, test's too; the data's own files stay as they are.
    Returns what `error-analysis --relabel --json` prints.  Raises ArgumentError, DataError.
    """
    watch = watch or Watch()
    opened = run if isinstance(run, OpenedRun) else open_run(run, root)
    table = Path(file).expanduser().absolute()
    if not table.is_file():
        raise ArgumentError(f"there is no file '{file}' (looked at {table})")
    labels = read(str(table))
    if not labels:
        raise ArgumentError(
            f"{table}: the column 'new' is empty in every row; write the right label where the given one is wrong"
        )
    whole = opened.splits(watch)
    corrected, changed = applied(whole, str(table), labels)
    parts = parts_of(opened, splits, watch)
    looks = folders.looks_at_test(opened.folder, looking="test" in splits)
    if "train" in parts:
        parts["train"] = fixed_sample(parts["train"], opened.recipe.task.scored_of_train)
    old = judged_run(opened, parts, watch)
    new = {name: _relabelled(old, name, corrected[name]) for name in parts}
    scores: dict[str, Any] = {}
    for name, part in old.parts.items():
        before = _scored(old, part.examples, part.statistics)
        after = _scored(old, *new[name])
        scores[name] = {metric: {"old": before[metric], "new": after[metric]} for metric in before}
    patch = _patch(opened, table)
    warning = one_sided(changed)
    if warning:
        watch.warn(warning)
    result = {
        "run": str(opened.folder),
        "file": str(table),
        "changed": changed,
        "fingerprint": {"old": whole.fingerprint, "new": corrected.fingerprint},
        "metric": old.metric.name,
        "scores": scores,
        "recipe": str(patch),
        "test_looks": looks,
    }
    return {**result, "findings": _findings(result, labels, warning)}


def _relabelled(judged: Judged, name: str, corrected: Examples) -> tuple[Examples, Any]:
    """The same units with their new labels, and the evaluator's statistics of them."""
    part = judged.parts[name]
    place = {one: row for row, one in enumerate(corrected.ids)}
    examples = corrected.take([place[one] for one in part.examples.ids])
    return examples, judged.evaluator.statistics(examples, part.predictions, judged.state)


def _scored(judged: Judged, examples: Examples, statistics: Any) -> dict[str, dict[str, float]]:
    groups = examples.column("groups") if examples.columns["groups"] is not None else None
    found = intervals(
        judged.evaluator.combine,
        statistics,
        len(examples),
        groups=groups,
        shares=judged.evaluator.shares(statistics),
    )
    return {
        name: {"value": value, "low": low, "high": high, "n": len(examples)}
        for name, (value, low, high) in found.items()
    }


def _patch(opened: OpenedRun, table: Path) -> Path:
    """The run's recipe over the corrected labels, as a recipe of its own."""
    file = opened.folder / "suggestions" / "relabel.yaml"
    named = [*opened.recipe.data.corrections]
    held = {
        "extends": "../recipe.yaml",
        "data": {"corrections": [*(one for one in named if one != str(table)), str(table)]},
    }
    head = "# The same recipe on corrected labels; who is in which split stays as it is.\n"
    folders.write_text(file, head + yaml.safe_dump(held, sort_keys=False, allow_unicode=True))
    return file


def _findings(result: Mapping[str, Any], labels: Mapping[Spot, str], warning: str | None) -> list[str]:
    metric, changed = result["metric"], result["changed"]
    where = ", ".join(f"{name} {many:,}" for name, many in changed.items() if many)
    total = sum(changed.values())
    same = len(labels) - total
    kept = f"; {same:,} of the {len(labels):,} rows confirm the label that is there" if same else ""
    said = [f"{total:,} labels are other ones now ({where or 'none'}){kept}; every split is corrected alike"]
    for name, scores in result["scores"].items():
        if changed.get(name):
            old, new = scores[metric]["old"]["value"], scores[metric]["new"]["value"]
            said.append(
                f"{metric} on {name}: {old:.4f} by the old labels, {new:.4f} by the new; the network is the same"
            )
    if changed.get("test") and "test" not in result["scores"]:
        said.append("test is corrected too, and was not looked at; its score is by the new labels from now on")
    if warning:
        said.append(warning)
    said.append(
        "labels of right answers may be wrong, too, and correcting those of wrong answers alone makes scores rise: "
        "look at some right answers (`error-analysis --labels` lists some, drawn by chance)"
    )
    said.append(f"to train on the new labels: dlspec train {shlex.quote(result['recipe'])}")
    return said
