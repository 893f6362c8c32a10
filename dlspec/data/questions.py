"""What is asked of data whose truths are known: one of some classes, or a number; told from the truths alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from dlspec.numeric.printable import shown
from dlspec.proposals import Line, Lines
from dlspec.types import DataError

if TYPE_CHECKING:
    import numpy as np

FEW = 10
"""different values that may always be classes"""
MOST_NUMBERED = 20
"""classes that are numbered from 0 or 1 without gaps, at most"""
EACH = 5
"""examples of each class, on average, below which words are no classes (but for FEW of them)"""
IMBALANCE = 5
"""how many times the smallest class the largest one is, from which accuracy flatters"""
AMOUNT = re.compile(r"(quality|rating|ratings|score|stars|grade|points|count|number|amount|years|age|level|rank)$")
"""names of whole numbers of which 4 is more than 3"""
POSITIVE = (
    "1", "yes", "true", "y", "t", "positive", "pos", "present", "malignant", "abnormal", "fraud", "spam", "sick", "ill",
    "disease", "defect", "defective", "bad", "fail", "failed", "churn", "churned", "anomaly", "attack", "won", "good",
)  # fmt: skip
"""what the class of two is called that one is looking for"""
SHOWN = 12


class Asked(NamedTuple):
    """The task that truths ask for, and what a person should know of them."""

    task: Lines
    outputs: int
    goal: Lines
    seen: tuple[str, ...]
    doubts: tuple[str, ...]


def asked(values: np.ndarray, name: str) -> Asked:
    """Classification or regression.

    values: float64, or object with str; none of them missing.  name: the target's, "" where it has none.
    Raises DataError where nothing can be learned: all the same, or nearly all different words.
    """
    import numpy as np

    called = f"the target '{shown(name)}'" if name else "the target"
    numbers = values.dtype != object
    counts = Counter(_spelt(one) for one in values.tolist())
    if len(counts) == 1:
        raise DataError(
            f"{called} is '{next(iter(counts))}' in all {len(values):,} examples: there is nothing to learn"
        )
    if not numbers:
        if len(counts) > max(FEW, len(values) / EACH):
            some = ", ".join(f"'{shown(one)[:40]}'" for one in list(counts)[:3])
            raise DataError(
                f"{called} holds {len(counts):,} different words in {len(values):,} examples ({some}, …): too many to "
                "be classes, and no numbers; name the column to be predicted with --target"
            )
        return classes(counts)
    whole = bool((values == np.round(values)).all())
    distinct = np.unique(values)
    if len(distinct) == 2:
        return classes(counts)
    numbered = whole and distinct[0] in (0, 1) and len(distinct) == distinct[-1] - distinct[0] + 1
    many_each = len(values) >= EACH * len(distinct)
    if numbered and many_each and len(distinct) <= MOST_NUMBERED and not AMOUNT.search(name.lower()):
        found = classes(counts)
        why = f"{called} is numbered {distinct[0]:g} to {distinct[-1]:g}, so these were taken for classes"
        head = found.task[0].because(f"{why}; if 2 is twice as much as 1, write regression")
        return found._replace(task=(head, *found.task[1:]), doubts=(f"{why}; where they are amounts: regression",))
    return _regression(values, distinct, called, whole)


def _regression(values: np.ndarray, distinct: np.ndarray, called: str, whole: bool) -> Asked:
    low, high, mean = float(values.min()), float(values.max()), float(values.mean())
    seen = f"{called}: numbers from {low:.4g} to {high:.4g}, mean {mean:.4g}, standard deviation {values.std():.4g}"
    doubts: tuple[str, ...] = ()
    why = f"{called} is a number"
    if whole and len(distinct) <= MOST_NUMBERED:
        why = f"{called} is one of {len(distinct)} whole numbers, {low:g} to {high:g}, taken for amounts"
        doubts = (f"{why}; where they are names of classes: classification",)
        why += "; if they are names of classes, write classification"
    tail = (values > mean + 8 * values.std()).mean()
    loss = Line(
        "loss", "huber", "some targets lie very far out, and squared errors would follow them alone", sure=False
    )
    task = (Line("name", "regression", why), *([loss] if tail > 0 else []))
    goal = (Line("optimize", "rmse", "decides on dev which epoch is kept; or mae, r2"),)
    return Asked(task, 1, goal, (seen,), doubts)


def classes(counts: Mapping[str, int]) -> Asked:
    """Classification among classes of these names, each with how many examples it has."""
    most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    total, ratio = sum(counts.values()), counts[most] / counts[least]
    task = [Line("name", "classification", "one of several classes for each example")]
    if len(counts) == 2:
        task.append(_positive(counts))
    seen = [f"{len(counts)} classes: {_listed(counts)}"]
    doubts = []
    imbalanced = ratio >= IMBALANCE
    if imbalanced:
        seen.append(
            f"imbalanced: '{shown(most)}' has {ratio:.0f} times the examples of '{shown(least)}'; always guessing it "
            f"is right in {counts[most] / total:.0%}"
        )
    rare = [one for one in counts if counts[one] < EACH]
    if rare:
        named = ", ".join(f"'{shown(one)}' ({counts[one]})" for one in rare[:5]) + (", …" if len(rare) > 5 else "")
        many = "1 class has" if len(rare) == 1 else f"{len(rare)} classes have"
        doubts.append(f"{many} fewer than {EACH} examples: {named}; too few to learn from or to judge by")
    return Asked(tuple(task), len(counts), (_goal(imbalanced),), tuple(seen), tuple(doubts))


def _positive(counts: Mapping[str, int]) -> Line:
    """Of two classes the one that is looked for: by its name, else the rarer one where it is clearly rarer."""
    names = sorted(counts)
    called = [one for one in names if one.lower() in POSITIVE]
    rarer = min(names, key=counts.__getitem__)
    if len(called) == 1:
        chosen, why = called[0], "by its name"
    elif counts[rarer] < 0.4 * sum(counts.values()):
        chosen, why = rarer, "the rarer one"
    else:
        chosen, why = names[-1], "the last of the alphabet; nothing else tells"
    why = f"the class that precision, recall, F1 and the threshold speak of ({why})"
    return Line("positive", plain(chosen), why)


def plain(name: str) -> Any:
    """A class's name as it stands in a recipe: a number where it is one and is spelt so."""
    return int(name) if re.fullmatch(r"0|-?[1-9]\d{0,14}", name) else name


def _goal(imbalanced: bool) -> Line:
    if imbalanced:
        why = "decides on dev which epoch is kept; accuracy would flatter, as the classes are imbalanced"
        return Line("optimize", "f1", f"{why}. Or roc_auc, log_loss")
    return Line("optimize", "accuracy", "decides on dev which epoch is kept; or f1, log_loss, roc_auc")


def _listed(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    listed = ", ".join(f"{shown(name)[:60]} ({many:,})" for name, many in ordered[:SHOWN])
    return listed + (f", … {shown(ordered[-1][0])[:60]} ({ordered[-1][1]:,})" if len(ordered) > SHOWN else "")


def _spelt(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)
