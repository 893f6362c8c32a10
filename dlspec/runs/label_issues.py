"""What wrong labels cost on a split, set against the other kinds of error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from dlspec.data.corrections import relabelled, with_tags
from dlspec.numeric.chunks import tags_of
from dlspec.runs.judged import Judged, Part
from dlspec.runs.labels import Audit, Suspicion, spelt
from dlspec.strategy.intervals import wilson
from dlspec.types import SPLITS

RIGHT_ANSWERS = 20
"""so many right answers are drawn to be looked at, too"""
DOUBTFUL = 0.2
"""share of labels; well-known data sets have up to 10 % of wrong ones, 3 % by the mean (Northcutt, Athalye & Mueller,
"Pervasive label errors in test sets", 2021)"""
LISTED = 20


def label_issues(judged: Judged, split: str, audit: Audit, kinds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What `error-analysis --json` says of wrong labels: counts, and what they cost on the split that is analyzed.

    kinds: the other kinds of error of that split, the most rewarding first.
    """
    part, metric, evaluator = judged.parts[split], judged.metric, judged.evaluator
    here = _here(part, split, audit, judged)
    score = evaluator.combine(part.statistics)[metric.name]
    ceiling = score
    if here:
        values = {part.examples.rows[row]: _mended(part.examples[row].y, some) for row, some in here.items()}
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
        "others": audit.others,
        "split": split,
        "count": sum(map(len, here.values())),
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


def _here(part: Part, split: str, audit: Audit, judged: Judged) -> dict[int, list[Suspicion]]:
    """The suspects of a split, by the place of their example; those whose label has been changed since are left out."""
    place = {one: row for row, one in enumerate(part.examples.ids)}
    truths = judged.evaluator.truth(part.examples, judged.state)
    found: dict[int, list[Suspicion]] = {}
    for one in audit.suspicions:
        row = place.get(one.id) if one.split == split else None
        if row is not None and _label(truths[row], one.word) == one.label:
            found.setdefault(row, []).append(one)
    return found


def _label(truth: Any, word: int | None) -> str | None:
    """A label as it is now: that of an example, or of one of its words."""
    if word is None:
        return spelt(truth)
    tags = tags_of(truth)
    return tags[word - 1] if word <= len(tags) else None


def _mended(label: Any, doubts: Sequence[Suspicion]) -> Any:
    """The label as it is suggested."""
    tags = {one.word - 1: str(one.value) for one in doubts if one.word is not None}
    return with_tags(label, tags) if tags else doubts[0].value


def _wrong(judged: Judged, part: Part) -> list[int]:
    examples, predictions = part.examples, part.predictions
    return [
        row for row in range(len(examples)) if judged.evaluator.errors(examples[row], predictions[row], judged.state)
    ]


def _right_answers(part: Part, wrong: Sequence[int], here: Mapping[int, Any]) -> list[str]:
    right = np.array(sorted(set(range(len(part.examples))) - set(wrong) - set(here)), np.int64)
    drawn = np.random.default_rng(0).permutation(right)[:RIGHT_ANSWERS]
    return [part.examples[int(row)].id for row in drawn]


def _listed(one: Suspicion) -> dict[str, Any]:
    return {name: value for name, value in asdict(one).items() if name != "value"}


def _verdict(issues: Mapping[str, Any], kinds: Sequence[Mapping[str, Any]]) -> list[str]:
    total = sum(one["suspects"] for one in issues["splits"].values())
    judged_labels = sum(one["examples"] for one in issues["splits"].values())
    if not total:
        return [f"none of {judged_labels:,} labels is likely wrong"]
    where = ", ".join(f"{name} {one['suspects']:,}" for name, one in issues["splits"].items())
    said = [f"{total:,} of {judged_labels:,} labels are likely wrong: {where}"]
    others = issues.get("others") or {"examples": 0, "suspects": 0}
    against = ""
    if total > DOUBTFUL * judged_labels:
        against = f"{total / judged_labels:.0%} of all labels"
    elif others["suspects"] > DOUBTFUL * others["examples"]:
        # Where nearly all labels are of one class (words outside of entities), a poor network contradicts few of all.
        against = f"{others['suspects'] / others['examples']:.0%} of the labels other than '{others['than']}'"
    if against:
        said.append(f"a network that contradicts {against} is likelier wrong itself: mend it first (dlspec evaluate)")
    split, metric = issues["split"], issues["metric"]
    first = next(iter(kinds), None)
    if issues["count"]:
        moved = f"{metric} on {split} would be {issues['ceiling']:.4f} instead of {issues['value']:.4f}"
        text = f"were the suggested labels right, {moved}"
        if first is not None:
            buys = f"mending '{first['kind']}' would take it to {first['ceiling']:.4f}"
            more = issues["gain"] > first["gain"]
            text += f"; {buys}"
            text += "" if against else f": look at the labels {'first' if more else 'later'}"
        said.append(text)
    else:
        said.append(f"none of them is in {split}, so wrong labels are not what its errors come from")
    if issues["splits"].get("train", {}).get("suspects"):
        said.append("what the wrong labels of train cost in training, training again on corrected ones tells")
    return said
