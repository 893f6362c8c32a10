"""Error analysis of a run: kinds of error with their ceilings, slices, the worst, and what the network leans on."""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.report.terminal import number
from dlspec.report.watch import Watch
from dlspec.runs import contact, explain, gallery, report, slicing
from dlspec.runs import embeddings as projected
from dlspec.runs import eyeball as eyeballs
from dlspec.runs import folder as folders
from dlspec.runs import labels as wrong_labels
from dlspec.runs.blame import blamed
from dlspec.runs.findings import findings
from dlspec.runs.judged import Judged, judged_run, parts_of
from dlspec.runs.label_issues import label_issues
from dlspec.runs.opened import OpenedRun, open_run
from dlspec.runs.predictions import judged_tables
from dlspec.runs.relabel_table import write_relabel
from dlspec.runs.sample import made_up
from dlspec.runs.tagged import tagged
from dlspec.runs.told import SEEN_OR_HEARD, told
from dlspec.strategy import ceilings
from dlspec.strategy.importance import permutation_importance
from dlspec.strategy.mending import Mending
from dlspec.types import SPLITS, Error, Examples, Metric, Statistics

IMPORTANCE_EXAMPLES = 2_000
"""permutation importance looks at no more: each column costs five predictions of all of them"""
IMPORTANCE_PARTS = 200
SAME = 1e-3
"""ceilings whose sum is so near to what mending all gives add up, as those of bits per character do"""


def analyze(
    run: str | Path | OpenedRun,
    *,
    split: str = "dev",
    worst: int = 20,
    labels: bool = False,
    folds: int = wrong_labels.FOLDS,
    tags: str | None = None,
    eyeball: int | None = None,
    embeddings: bool = False,
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Analyze the errors of a run on one split.

    labels: look for wrong labels in train, dev and the split, by training again without each of so many folds.
    tags: a table of what a person saw (see runs.tagged).  eyeball: how many examples may be looked at (0: all); None:
    as the run has it, or so many that there is enough to see.  embeddings: write them for TensorBoard's projector.
    Returns what `error-analysis --json` prints, and writes errors/<split>.json and errors/<split>.csv (every error).
    Raises ArgumentError, DataError.
    """
    watch = watch or Watch()
    opened = run if isinstance(run, OpenedRun) else open_run(run, root)
    whole = parts_of(opened, [split], watch)
    audit = _audit(opened, split, folds, watch) if labels else wrong_labels.remembered(opened.folder)
    looks = folders.looks_at_test(opened.folder, looking=split == "test")
    judged = judged_run(opened, whole, watch)
    settings: dict[str, Any] = {"tags": tags, "eyeball": eyeball, "embeddings": embeddings}
    return analyzed(judged, split, worst=worst, looks=looks, watch=watch, audit=audit, **settings)


def _audit(opened: OpenedRun, split: str, folds: int, watch: Watch) -> wrong_labels.Audit:
    read = opened.splits()
    wanted = [name for name in SPLITS if name in read and name in ("train", "dev", split)]
    return wrong_labels.audit(opened, {name: read[name] for name in wanted}, folds, watch)


def analyze_predictions(
    files: Sequence[str],
    *,
    run: str | Path | None = None,
    truth: str | None = None,
    split: str = "dev",
    worst: int = 20,
    task: str | None = None,
    metric: str | None = None,
    labels: bool = False,
    tags: str | None = None,
    eyeball: int | None = None,
    out: Path | None = None,
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Analyze the errors of predictions that any tool made (see judged_tables); written to `out`, if given.

    truth: COCO's ground truth, where the files are results as COCO has them.
    labels: look for wrong labels in the split, which the predictions must not have been learned from.

    Returns what `error-analysis --json` prints.  Raises ArgumentError, DataError.
    """
    watch = watch or Watch()
    opened = None if run is None else open_run(run, root)
    judged = judged_tables(
        files, run=opened, wanted=[split], task=task, metric=metric, home=out, truth=truth, watch=watch
    )
    audit = wrong_labels.audit_given(judged) if labels else None
    looks = 0 if out is None else folders.looks_at_test(out, looking=split == "test")
    return analyzed(judged, split, worst=worst, looks=looks, watch=watch, audit=audit, tags=tags, eyeball=eyeball)


def analyzed(
    judged: Judged,
    split: str,
    *,
    worst: int,
    looks: int,
    watch: Watch,
    audit: wrong_labels.Audit | None = None,
    tags: str | None = None,
    eyeball: int | None = None,
    embeddings: bool = False,
) -> dict[str, Any]:
    """The errors of one split of what has been judged; written to its home, if any.

    audit: of its labels.  tags, eyeball, embeddings: see analyze.
    """
    part, evaluator, state, metric = judged.parts[split], judged.evaluator, judged.state, judged.metric
    examples, predictions, statistics = part.examples, part.predictions, part.statistics
    score = evaluator.combine(statistics, only={metric.name})[metric.name]
    found = ceilings.find_errors(evaluator, examples, predictions, state, statistics)
    kinds = _kinds(
        ceilings.kinds(evaluator, examples, predictions, state, found=found, statistics=statistics, needed=metric.name),
        metric,
        score,
    )
    kinds = _with_costs(kinds, found, slicing.costs(judged, split), metric)
    mending = Mending(evaluator, examples, predictions, statistics, state, found, metric)
    slices, remarks = slicing.slices(judged, split, found, mending, watch)
    looked = eyeballs.draw(part, found.wrong, split, asked=eyeball, home=judged.home)
    blame, whose = blamed(judged, split, found, watch)
    result: dict[str, Any] = {
        "run": None if judged.opened is None else str(judged.opened.folder),
        "split": split,
        "examples": len(examples),
        "test_looks": looks,
        "errors": int(found.wrong.sum()),
        "metric": metric.name,
        "value": score,
        "kinds": kinds,
        "together": _together(judged, statistics, kinds, mending, found),
        "slices": slices,
        "tags": tags and tagged(judged, split, tags, mending, looked.rows),
        "eyeball": eyeballs.told(looked, part, found.wrong, split, judged.home),
        "label_issues": audit and label_issues(judged, split, audit, kinds),
        "blame": blame,
        "made_up": made_up(judged.opened),
        "importance": [] if judged.opened is None else importance(judged.opened, examples, metric, watch),
        "worst": shown(judged, examples, ceilings.worst(found, worst, looked.rows)),
        "embeddings": projected.write(judged, split, found, looked.rows, watch) if embeddings else None,
    }
    result["findings"] = [*findings(result, metric), *remarks]
    result["files"] = None
    if judged.home is not None:
        home = judged.home / "errors"
        if audit:
            write_relabel(home / "relabel.csv", audit, judged, split, result["label_issues"])
        result["files"] = {"kinds": str(home / f"{split}.json"), "errors": str(home / f"{split}.csv")}
        folders.write_json(home / f"{split}.json", result)
        _write_errors(home / f"{split}.csv", judged, examples, found, looked.rows)
        report.keep_figures(judged.home, split, evaluator, statistics, state)
        gallery.keep_worst(
            judged.home,
            split,
            judged.input,
            examples,
            found,
            looked.rows,
            lambda row: evaluator.marks(examples[row], predictions[row], state),
            lambda row: evaluator.beside(examples[row], predictions[row], state),
            whose,
            None if judged.opened is None else functools.partial(explain.panels, judged.opened),
        )
        contact.keep(judged.home, split, judged.input, part, evaluator.outcomes(statistics, state), found, looked.rows)
        report.write_report(judged.home)
    return result


def importance(opened: OpenedRun, examples: Examples, metric: Metric, watch: Watch) -> list[dict[str, Any]]:
    """Permutation importance of every part of the input that can be shuffled on its own; none for pictures."""
    entry, state = opened.recipe.input, opened.state
    parts = entry.parts(state["input"])
    if not parts or len(examples) < 2:
        return []
    if len(parts) > IMPORTANCE_PARTS:
        watch.note(f"{len(parts):,} columns are too many to shuffle one by one (at most {IMPORTANCE_PARTS})")
        return []
    count = min(len(examples), IMPORTANCE_EXAMPLES)
    sample = examples.take([i * len(examples) // count for i in range(count)])
    evaluator = opened.recipe.evaluator

    def score(of: Examples) -> float:
        return float(evaluator.combine(evaluator.statistics(of, opened.predictions(of), state["task"]))[metric.name])

    watch.note(f"shuffling each of {len(parts)} columns, to see which the network leans on")
    found = permutation_importance(
        lambda part, order: score(entry.shuffled(sample, part, order, state["input"])),
        parts,
        count,
        baseline=score(sample),
        best=metric.best,
    )
    return [asdict(one) for one in found]


def shown(judged: Judged, examples: Examples, errors: Sequence[Error]) -> list[dict[str, Any]]:
    """Errors, each with its example's tags and, where it is text or a row of a table, what stands in it."""
    place = {one: row for row, one in enumerate(examples.ids)}
    result = []
    for error in errors:
        example = examples[place[error.id]]
        rendering = judged.input.show(example)
        readable = rendering.content if rendering.kind in ("table", "text") else None
        result.append({**error._asdict(), "tags": dict(example.tags), "shows": readable})
    return result


def _with_costs(
    kinds: list[dict[str, Any]], found: ceilings.Errors, cost: np.ndarray | None, metric: Metric
) -> list[dict[str, Any]]:
    """Kinds with their share of all costs and, where errors cost more or less than others, by what mending is worth."""
    if cost is None:
        return [{**one, "cost": None, "cost_share": None} for one in kinds]
    rows, result = dict(found.touched()), []
    for one in kinds:
        own = rows[one["kind"]]
        mean = float(cost[own].mean())
        result.append({**one, "cost": mean, "cost_share": float(cost[own].sum() / cost.sum()) if cost.any() else 0.0})
    if metric.name == "weighted_error":
        return result  # the gain has the costs in it already
    return sorted(result, key=lambda one: -np.nan_to_num(one["gain"] * one["cost"], nan=-np.inf))


def _kinds(found: Sequence[ceilings.Kind], metric: Metric, score: float) -> list[dict[str, Any]]:
    """Kinds as plain dicts, by what mending buys on the run's own metric."""
    sign = 1 if metric.best == "max" else -1
    kinds = []
    for one in found:
        ceiling = one.ceilings[metric.name]
        kinds.append({**asdict(one), "ceiling": ceiling, "gain": sign * (ceiling - score)})
    return sorted(kinds, key=lambda one: (-np.nan_to_num(one["gain"], nan=-np.inf), -one["count"], one["kind"]))


def _together(
    judged: Judged, statistics: Statistics, kinds: Sequence[dict[str, Any]], mending: Mending, found: ceilings.Errors
) -> str | None:
    """That ceilings do not add up, where the metric is of all examples together; None where they do."""
    share, metric = judged.evaluator.shares(statistics).get(judged.metric.name), judged.metric.name
    mean = share is not None and share.rows is not None and share.among is None and share.metric is None
    if len(kinds) < 2 or mean:
        return None
    gains, whole = sum(one["gain"] for one in kinds), mending.gain(found.wrong)
    if not (math.isfinite(gains) and math.isfinite(whole)) or math.isclose(gains, whole, rel_tol=SAME):
        return None
    return (
        f"ceilings do not add up, for {metric} of all {mending.n:,} together is not additive (no mean over examples): "
        f"mended one by one, these kinds gain {number(gains)} in sum, and all at once {number(whole)}"
    )


def _write_errors(file: Path, judged: Judged, examples: Examples, found: ceilings.Errors, seen: np.ndarray) -> None:
    """Every error, a row each: the part it is in (none where all may be looked at), the example's tags, and what it is,
    where it can be read."""
    with folders.writing(file) as text:
        writer = csv.writer(text, lineterminator="\n")
        parts, readable = not seen.all(), judged.input.kind not in SEEN_OR_HEARD
        more = (*(["part"] * parts), *examples.tag_names, *(["what"] * readable))
        writer.writerow(("id", "kind", "size", "truth", "guess", *more))
        for row in np.flatnonzero(found.wrong).tolist():
            what = [told(judged.input, examples[row]) or ""] * readable
            for error in found[row]:
                own = ["eyeball" if seen[row] else "black box"] * parts
                writer.writerow((*error, *own, *(str(tag) for tag in examples[row].tags.values()), *what))
