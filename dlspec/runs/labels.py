"""Labels that are likely wrong: found by networks that never saw them, written down for a person to judge."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.data.corrections import relabelled
from dlspec.data.joined import joined
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs.folds import held_out
from dlspec.runs.judged import Judged, Part
from dlspec.runs.opened import OpenedRun
from dlspec.strategy.intervals import wilson
from dlspec.strategy.labels import suspects
from dlspec.types import SPLITS, ArgumentError, ClassLabels, Examples, NumberLabels, State

FOLDS = 5
RIGHT_ANSWERS = 20
"""so many right answers are drawn to be looked at, too"""
DOUBTFUL = 0.2
"""share of labels; well-known data sets have up to 10 % of wrong ones, 3 % by the mean (Northcutt, Athalye & Mueller,
"Pervasive label errors in test sets", 2021)"""
LISTED = 20
COLUMNS = ("id", "split", "label", "suggested", "probability", "new", "why")


@dataclass(frozen=True)
class Suspicion:
    """A label that is likely wrong, in words."""

    id: str
    split: str
    label: str
    suggested: str
    value: str | float
    """what is suggested, as an example's y"""
    probability: float | None
    """of the suggested class; None for a number"""
    doubt: float


@dataclass(frozen=True)
class Audit:
    """What an audit of labels found, the most doubtful first."""

    folds: int | None
    """None: the predictions were out of sample as given"""
    examples: Mapping[str, int]
    """how many labels of each split were judged"""
    suspicions: Sequence[Suspicion] = field(default_factory=list)
    unjudged: int = 0
    """labels that could not be judged: classes that are too rare, unreadable files"""


def audit(opened: OpenedRun, parts: Mapping[str, Examples], folds: int, watch: Watch) -> Audit:
    """Train the run's recipe `folds` times, each time without a part of these splits, and doubt what it contradicts.

    Remembered in labels.json.  Raises ArgumentError where the task has no labels that could be audited, or there are
    too few examples.
    """
    evaluator, state = opened.recipe.evaluator, opened.state["task"]
    unlabelled = [name for name, part in parts.items() if not part.labelled]
    if unlabelled:
        raise ArgumentError(f"{' and '.join(unlabelled)} has no labels")
    whole = joined(list(parts.values()))
    few = whole.take(range(min(2, len(whole))))
    if evaluator.labels(few, opened.predictions(few), state) is None:
        raise ArgumentError(f"the truths of '{opened.recipe.task.name}' are no labels that could be audited one by one")
    of = [name for name, part in parts.items() for _ in range(len(part))]
    rows: list[int] = []
    found: list[ClassLabels | NumberLabels] = []
    for held in held_out(opened, whole, folds, watch):
        labels = evaluator.labels(held.examples, held.predictions, held.state["task"])
        assert labels is not None
        rows += held.rows
        found.append(_aligned(labels, state))
    result = _audit(_together(found), whole.take(rows), [of[row] for row in rows], evaluator, state, folds)
    folders.write_json(opened.folder / "labels.json", asdict(result))
    return result


def audit_given(judged: Judged) -> Audit:
    """Doubt what predictions made elsewhere contradict, in every split but train, on which they were learned.

    Raises ArgumentError where there is no such split, or no labels that could be audited, or no probabilities.
    """
    if "classes" in judged.state and not judged.state.get("probabilities", True):
        raise ArgumentError(
            "guesses alone do not tell a wrong label from a wrong guess; give probabilities (p_<class>) as well"
        )
    parts = {name: part for name, part in judged.parts.items() if name != "train"}
    if not parts:
        raise ArgumentError("these predictions are of train alone, which the model has learned by heart; give dev, too")
    found = [judged.evaluator.labels(one.examples, one.predictions, judged.state) for one in parts.values()]
    labels = [one for one in found if one is not None]
    if not labels:
        raise ArgumentError("the truths are no labels that could be audited one by one")
    of = [name for name, part in parts.items() for _ in range(len(part.examples))]
    whole = joined([part.examples for part in parts.values()])
    return _audit(_together(labels), whole, of, judged.evaluator, judged.state, None)


def remembered(folder: Path) -> Audit | None:
    """What the last audit of a run has found; None where there was none."""
    file = folder / "labels.json"
    if not file.is_file():
        return None
    kept = folders.read_json(file)
    return Audit(kept["folds"], kept["examples"], [Suspicion(**one) for one in kept["suspicions"]], kept["unjudged"])


def label_issues(judged: Judged, split: str, audit: Audit, kinds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What `error-analysis --json` says of wrong labels: counts, and what they cost on the split that is analyzed.

    kinds: the other kinds of error of that split, the most rewarding first.
    """
    part, metric, evaluator = judged.parts[split], judged.metric, judged.evaluator
    here = _here(part, split, audit, judged)
    score = evaluator.combine(part.statistics)[metric.name]
    ceiling = score
    if here:
        values = {part.examples.rows[row]: one.value for row, one in here.items()}
        again = evaluator.statistics(relabelled(part.examples, values), part.predictions, judged.state)
        ceiling = evaluator.combine(again)[metric.name]
    wrong = _wrong(judged, part)
    doubted = sum(row in here for row in wrong)
    low, high = wilson(doubted, len(wrong))
    by_split = {}
    for name, many in sorted(audit.examples.items(), key=lambda one: (*SPLITS, one[0]).index(one[0])):
        count = sum(one.split == name for one in audit.suspicions)
        bounds = wilson(count, many)
        share = count / many if many else 0.0
        by_split[name] = {"examples": many, "suspects": count, "share": share, "low": bounds[0], "high": bounds[1]}
    sign = 1 if metric.best == "max" else -1
    issues = {
        "folds": audit.folds,
        "splits": by_split,
        "unjudged": audit.unjudged,
        "split": split,
        "count": len(here),
        "errors": doubted,
        "share": doubted / len(wrong) if wrong else 0.0,
        "low": low if wrong else 0.0,
        "high": high,
        "metric": metric.name,
        "value": score,
        "ceiling": ceiling,
        "gain": sign * (ceiling - score),
        "suspects": [_listed(one) for one in audit.suspicions[:LISTED]],
        "right_answers": _right_answers(part, wrong, here),
        "file": None,
    }
    return {**issues, "verdict": _verdict(issues, kinds)}


def write_relabel(file: Path, audit: Audit, judged: Judged, split: str, issues: dict[str, Any]) -> None:
    """Write relabel.csv: the suspects and some right answers; what a person wrote into it before stays.

    issues: what `label_issues` says; it is told where the file is.
    """
    issues["file"] = str(file)
    kept: dict[str, str] = {}
    if file.is_file():
        from dlspec.data.corrections import read

        kept = read(str(file))
    part = judged.parts[split]
    labels = dict(zip(part.examples.ids, judged.evaluator.truth(part.examples, judged.state), strict=True))
    rows: list[tuple[Any, ...]] = []
    for one in audit.suspicions:
        sure = "" if one.probability is None else f"{one.probability:.4f}"
        rows.append((one.id, one.split, one.label, one.suggested, sure, kept.pop(one.id, ""), "suspect"))
    for name in issues["right_answers"]:
        rows.append((name, split, labels[name], "", "", kept.pop(name, ""), "a right answer, drawn by chance"))
    rows += [(name, "", "", "", "", label, "of an earlier audit") for name, label in kept.items()]
    with folders.writing(file) as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def _audit(
    labels: ClassLabels | NumberLabels,
    whole: Examples,
    of: Sequence[str],
    evaluator: Any,
    state: State,
    folds: int | None,
) -> Audit:
    truths = evaluator.truth(whole, state)
    doubts = []
    for one in suspects(labels):
        if isinstance(labels, ClassLabels):
            value: str | float = labels.names[int(one.suggested)]
            suggested, sure = str(value), one.probability
        else:
            value, sure = float(f"{one.suggested:.6g}"), None
            suggested = f"{value:.6g}"
        row = one.row
        doubts.append(Suspicion(whole[row].id, of[row], _text(truths[row]), suggested, value, sure, float(one.doubt)))
    judged = np.asarray(labels.given) >= 0 if isinstance(labels, ClassLabels) else np.isfinite(labels.guess)
    counts = {name: int(sum(judged[i] for i, own in enumerate(of) if own == name)) for name in dict.fromkeys(of)}
    return Audit(folds, counts, doubts, int((~judged).sum()))


def _aligned(labels: ClassLabels | NumberLabels, state: State) -> ClassLabels | NumberLabels:
    """With the run's classes: a fold's network may know fewer, and cannot judge the labels that it does not know."""
    if isinstance(labels, NumberLabels):
        return labels
    names = list(state["classes"])
    place = [names.index(name) for name in labels.names]
    probabilities = np.zeros((len(labels.given), len(names)))
    probabilities[:, place] = labels.probabilities
    given = np.array([place[one] if one >= 0 else -1 for one in labels.given], np.int64)
    return ClassLabels(given, probabilities, names)


def _together(found: Sequence[ClassLabels | NumberLabels]) -> ClassLabels | NumberLabels:
    given = np.concatenate([one.given for one in found])
    if isinstance(found[0], NumberLabels):
        return NumberLabels(given, np.concatenate([one.guess for one in found if isinstance(one, NumberLabels)]))
    classes = [one for one in found if isinstance(one, ClassLabels)]
    return ClassLabels(given, np.concatenate([one.probabilities for one in classes]), classes[0].names)


def _here(part: Part, split: str, audit: Audit, judged: Judged) -> dict[int, Suspicion]:
    """The suspects of a split, by their place in it; those whose label has been changed since are left out."""
    place = {one: row for row, one in enumerate(part.examples.ids)}
    truths = judged.evaluator.truth(part.examples, judged.state)
    mine = [(place[one.id], one) for one in audit.suspicions if one.split == split and one.id in place]
    return {row: one for row, one in mine if _text(truths[row]) == one.label}


def _wrong(judged: Judged, part: Part) -> list[int]:
    examples, predictions = part.examples, part.predictions
    return [
        row for row in range(len(examples)) if judged.evaluator.errors(examples[row], predictions[row], judged.state)
    ]


def _right_answers(part: Part, wrong: Sequence[int], here: Mapping[int, Suspicion]) -> list[str]:
    right = np.array(sorted(set(range(len(part.examples))) - set(wrong) - set(here)), np.int64)
    drawn = np.random.default_rng(0).permutation(right)[:RIGHT_ANSWERS]
    return [part.examples[int(row)].id for row in drawn]


def _listed(one: Suspicion) -> dict[str, Any]:
    return {name: value for name, value in asdict(one).items() if name != "value"}


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _verdict(issues: Mapping[str, Any], kinds: Sequence[Mapping[str, Any]]) -> list[str]:
    total = sum(one["suspects"] for one in issues["splits"].values())
    judged_labels = sum(one["examples"] for one in issues["splits"].values())
    if not total:
        return [f"none of {judged_labels:,} labels is likely wrong"]
    where = ", ".join(f"{name} {one['suspects']:,}" for name, one in issues["splits"].items())
    said = [f"{total:,} of {judged_labels:,} labels are likely wrong: {where}"]
    doubtful = total > DOUBTFUL * judged_labels
    if doubtful:
        share = f"{total / judged_labels:.0%} of all labels"
        said.append(f"a network that contradicts {share} is likelier wrong itself: mend it first (dlspec evaluate)")
    split, metric = issues["split"], issues["metric"]
    first = next(iter(kinds), None)
    if issues["count"]:
        moved = f"{metric} on {split} would be {issues['ceiling']:.4f} instead of {issues['value']:.4f}"
        text = f"were the suggested labels right, {moved}"
        if first is not None:
            buys = f"mending '{first['kind']}' would take it to {first['ceiling']:.4f}"
            more = issues["gain"] > first["gain"]
            text += f"; {buys}"
            text += "" if doubtful else f": look at the labels {'first' if more else 'later'}"
        said.append(text)
    else:
        said.append(f"none of them is in {split}, so wrong labels are not what its errors come from")
    if issues["splits"].get("train", {}).get("suspects"):
        said.append("what the wrong labels of train cost in training, training again on corrected ones tells")
    return said
