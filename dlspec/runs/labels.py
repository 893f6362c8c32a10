"""Labels that are likely wrong: found by networks that never saw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.data.corrections import Spot
from dlspec.data.joined import joined
from dlspec.evaluators.base import Evaluator
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs.folds import held_out
from dlspec.runs.judged import Judged, Shown
from dlspec.runs.opened import OpenedRun
from dlspec.runs.told import told
from dlspec.strategy.labels import Suspect, suspects
from dlspec.types import ArgumentError, ClassLabels, Examples, NumberLabels, State

FOLDS = 5


_Judged = tuple[ClassLabels | NumberLabels, int]
"""labels, and of how many examples they are"""


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
    word: int | None = None
    """the word that the label is of, from 1; None: it is of the whole example"""
    token: str = ""
    """that word"""
    file: str = ""
    line: int | None = None
    """where it stands in the user's data, as far as the reader says"""
    what: str | None = None
    """the example, where it can be read; the word in brackets"""

    @property
    def spot(self) -> Spot:
        return Spot(self.id, self.word)


@dataclass(frozen=True)
class Audit:
    """What an audit of labels found, the most doubtful first."""

    folds: int | None
    """None: the predictions were out of sample as given"""
    examples: Mapping[str, int]
    """how many labels of each split were judged"""
    suspicions: Sequence[Suspicion] = field(default_factory=list)
    unjudged: int = 0
    """labels that could not be judged: classes that are too rare, unreadable files, words that are cut off"""
    others: Mapping[str, Any] | None = None
    """where one class is the most frequent (`than`): the judged labels of all others (`examples`), and how many of them
    are doubted (`suspects`)"""


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
    known = evaluator.labels(few, opened.predictions(few), state)
    if known is None:
        raise ArgumentError(f"the truths of '{opened.recipe.task.name}' are no labels that could be audited one by one")
    of = [name for name, part in parts.items() for _ in range(len(part))]
    rows: list[int] = []
    found: list[_Judged] = []
    for held in held_out(opened, whole, folds, watch):
        labels = evaluator.labels(held.examples, held.predictions, held.state["task"])
        assert labels is not None
        rows += held.rows
        found.append((labels, len(held.examples)))
    examples, own = whole.take(rows), [of[row] for row in rows]
    result = _audit(_together(found, known), examples, own, evaluator, state, opened.recipe.input, folds)
    folders.write_json(opened.folder / "labels.json", asdict(result))
    return result


def audit_given(judged: Judged) -> Audit:
    """Doubt what predictions made elsewhere contradict, in every split but train, on which they were learned.

    Raises ArgumentError where there is no such split, or no labels that could be audited, or no probabilities.
    """
    parts = {name: part for name, part in judged.parts.items() if name != "train"}
    if not parts:
        raise ArgumentError("these predictions are of train alone, which the model has learned by heart; give dev, too")
    labels: list[_Judged] = []
    for part in parts.values():
        own = judged.evaluator.labels(part.examples, part.predictions, judged.state)
        labels += [] if own is None else [(own, len(part.examples))]
    if not labels:
        raise ArgumentError("the truths are no labels that could be audited one by one")
    if all(isinstance(one, ClassLabels) and not np.isfinite(one.probabilities).any() for one, _ in labels):
        raise ArgumentError(
            "guesses alone do not tell a wrong label from a wrong guess; give probabilities (p_<class>) as well, or "
            "audit a run"
        )
    of = [name for name, part in parts.items() for _ in range(len(part.examples))]
    whole = joined([part.examples for part in parts.values()])
    return _audit(_together(labels, labels[0][0]), whole, of, judged.evaluator, judged.state, judged.input, None)


def remembered(folder: Path) -> Audit | None:
    """What the last audit of a run has found; None where there was none."""
    file = folder / "labels.json"
    if not file.is_file():
        return None
    kept = folders.read_json(file)
    doubts = [Suspicion(**one) for one in kept["suspicions"]]
    return Audit(kept["folds"], kept["examples"], doubts, kept["unjudged"], kept.get("others"))


def spelt(value: Any) -> str:
    """A label as tables have it."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _audit(
    labels: ClassLabels | NumberLabels,
    whole: Examples,
    of: Sequence[str],
    evaluator: Evaluator,
    state: State,
    entry: Shown,
    folds: int | None,
) -> Audit:
    """of: the split of each example."""
    if isinstance(labels, ClassLabels):
        judged = (np.asarray(labels.given) >= 0) & np.isfinite(labels.probabilities).all(axis=1)
    else:
        judged = np.isfinite(labels.guess)
    rows = np.arange(len(whole)) if _parts(labels) is None else _parts(labels)[:, 0]
    counts = dict.fromkeys(of, 0)
    for row, count in enumerate(np.bincount(rows[judged], minlength=len(whole)).tolist()):
        counts[of[row]] += count
    truths = evaluator.truth(whole, state)
    found = suspects(labels)
    doubts = [_suspicion(one, labels, whole, of, truths, evaluator, entry) for one in found]
    return Audit(folds, counts, doubts, int((~judged).sum()), _others(labels, judged, [one.row for one in found]))


def _others(labels: ClassLabels | NumberLabels, judged: np.ndarray, doubted: Sequence[int]) -> dict[str, Any] | None:
    """See Audit.others."""
    if not isinstance(labels, ClassLabels) or not judged.any():
        return None
    given = np.asarray(labels.given)
    most = int(np.bincount(given[judged]).argmax())
    count = int((judged & (given != most)).sum())
    return {"than": str(labels.names[most]), "examples": count, "suspects": int((given[doubted] != most).sum())}


def _suspicion(
    one: Suspect,
    labels: ClassLabels | NumberLabels,
    whole: Examples,
    of: Sequence[str],
    truths: Sequence[Any],
    evaluator: Evaluator,
    entry: Shown,
) -> Suspicion:
    if isinstance(labels, ClassLabels):
        value: str | float = labels.names[int(one.suggested)]
        suggested, sure = str(value), one.probability
    else:
        value, sure = float(f"{one.suggested:.6g}"), None
        suggested = f"{value:.6g}"
    parts = _parts(labels)
    if parts is None:
        example, label = whole[one.row], spelt(truths[one.row])
        said = (example.id, of[one.row], label, suggested, value, sure, float(one.doubt))
        return Suspicion(*said, what=told(entry, example))
    assert isinstance(labels, ClassLabels)
    row, place = parts[one.row].tolist()
    example, [lines] = whole[row], whole.take([row]).column("lines")
    token, within = evaluator.part(example, place)
    return Suspicion(
        example.id, of[row], str(labels.names[int(labels.given[one.row])]), suggested, value, sure, float(one.doubt),
        word=place + 1, token=token, file=lines.file if lines else "", line=lines.numbers[place] if lines else None,
        what=within or None,
    )  # fmt: skip


def _parts(labels: ClassLabels | NumberLabels) -> Any:
    return labels.parts if isinstance(labels, ClassLabels) else None


def _together(found: Sequence[_Judged], known: ClassLabels | NumberLabels) -> ClassLabels | NumberLabels:
    """Those of all folds as one; known: has the names of the run, which come first.

    A fold's network may know fewer classes, and then gives the others no probability; or one that the run's train has
    not.
    """
    given = np.concatenate([one.given for one, _ in found])
    if isinstance(known, NumberLabels):
        return NumberLabels(given, np.concatenate([one.guess for one, _ in found if isinstance(one, NumberLabels)]))
    classes = [(one, size) for one, size in found if isinstance(one, ClassLabels)]
    names = list(dict.fromkeys([*known.names, *(name for one, _ in classes for name in one.names)]))
    place = {name: i for i, name in enumerate(names)}
    probabilities = np.zeros((len(given), len(names)))
    parts, row, examples = list[Any](), 0, 0
    for one, size in classes:
        many, own = len(one.given), np.array([place[name] for name in one.names], np.int64)
        probabilities[row : row + many, own] = one.probabilities
        given[row : row + many] = np.where(one.given >= 0, own[one.given], -1)
        row += many
        if one.parts is not None:
            parts.append(one.parts + np.array([examples, 0]))
        examples += size
    return ClassLabels(given, probabilities, names, np.concatenate(parts) if parts else None)
