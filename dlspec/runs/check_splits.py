"""Whether the splits can say what is asked of them: classes that are there, and often enough; intervals of use."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import ValidationError

from dlspec.recipe.schema import Recipe
from dlspec.runs.prepare import headline
from dlspec.strategy.intervals import intervals, wilson
from dlspec.types import Examples, Finding, Metric, Splits, State

IMBALANCED = (5, 20)
"""how many times the smallest class the largest one is, for a note, and for a warning"""
FEWEST = {"train": 10, "dev": 5}
"""examples of a class below which it is hardly learned, or hardly judged"""
LEVEL = 0.9
"""what share is expected to be right, where nobody knows"""
WIDTHS = (0.05, 0.10)
"""half of an interval above which a split is noted as small, and warned of"""
LARGE = 3_000
"""examples that give a useful interval of any metric"""


def classes(recipe: Recipe, state: State, splits: Splits) -> list[Finding]:
    """Classes that a split lacks, that are rare, and how unequal they are; nothing where truths are no classes."""
    own_of = {
        name: recipe.evaluator.classes(part, state["task"]) for name, part in splits.parts.items() if part.labelled
    }
    counts = {name: Counter(one for several in own for one in several) for name, own in own_of.items()}
    if not counts.get("train"):
        return []
    train = counts["train"]
    found = []
    for name, own in counts.items():
        unknown = sorted(set(own) - set(train))
        if unknown:
            many = sum(own[one] for one in unknown)
            found.append(
                Finding(
                    "warning",
                    "unknown_class",
                    name,
                    f"{_named(unknown)} ({many:,} of its {sum(own.values()):,} examples) {_are(unknown)} not in train: "
                    f"no network can guess {_them(unknown)}, and each counts as wrong. Leave {_them(unknown)} out, or "
                    "let every class be in train: data: {split: {stratify: true}}",
                )
            )
        lacking = sorted(set(train) - set(own))
        if lacking:
            found.append(
                Finding(
                    "warning",
                    "missing_class",
                    name,
                    f"it has no example of {_named(lacking)}: how well {_they(lacking)} {_are(lacking)} recognised "
                    f"cannot be seen. Make it larger (data.split.{name}), or say data: {{split: {{stratify: true}}}}",
                )
            )
    found += _rare(counts)
    if any(len(several) != 1 for several in own_of["train"]):
        return found  # several labels, or several things: the frequency of one says nothing against another's
    most, least = max(train, key=train.__getitem__), min(train, key=train.__getitem__)
    ratio, share = train[most] / train[least], train[most] / sum(train.values())
    if ratio >= IMBALANCED[0]:
        metrics = [metric.name for metric in recipe.evaluator.metrics(state["task"])]
        found.append(
            Finding(
                "warning" if ratio >= IMBALANCED[1] else "note",
                "imbalance",
                "train",
                f"class '{most}' has {ratio:.0f} times the examples of '{least}' ({train[most]:,} and "
                f"{train[least]:,}), and always guessing '{most}' is right in {share:.0%}: "
                f"{headline(recipe, state).name} alone flatters. Judge by another metric as well (goal.optimize: "
                f"{' or '.join(metrics[1:])}), and collect more of '{least}'",
            )
        )
    return found


def _rare(counts: Mapping[str, Counter[str]]) -> list[Finding]:
    found = []
    for name, fewest in FEWEST.items():
        own = counts.get(name, Counter())
        rare = sorted((one for one in own if own[one] < fewest), key=lambda one: (own[one], one))
        if rare:
            listed = ", ".join(f"'{one}' ({own[one]})" for one in rare[:5]) + (", …" if len(rare) > 5 else "")
            why = "too few to learn from" if name == "train" else "too few to say how well they are recognised"
            found.append(
                Finding(
                    "warning" if name == "train" else "note",
                    "rare_class",
                    name,
                    f"fewer than {fewest} examples of {len(rare)} of {len(own)} classes: {listed}; {why}. Collect "
                    "more of them, or join them with others",
                )
            )
    return found


def sizes(recipe: Recipe, state: State, splits: Splits) -> list[Finding]:
    """How wide the 95 % interval of the headline metric would be on dev and on test, where that is too wide."""
    found = []
    if "dev" not in splits:
        found.append(
            Finding(
                "warning",
                "no_dev",
                "data.split.dev",
                "there is no dev split: nothing says when to stop, or which of two recipes is better, but test, which "
                "is then used up. Say data: {split: {dev: 0.15}}",
            )
        )
    for name, part in splits.parts.items():
        if name != "train" and part.labelled and 0 < len(part) < LARGE:
            found += _size(recipe, state, name, part)
    return found


def _size(recipe: Recipe, state: State, name: str, part: Examples) -> list[Finding]:
    metric = headline(recipe, state)
    plain, half = _half(recipe, state, part, metric)
    if not half > WIDTHS[0]:
        return []
    points = metric.best == "max"
    enough = _enough() if plain else math.ceil(len(part) * (half / WIDTHS[0]) ** 2)  # width goes with 1 / √n
    at = f"with {LEVEL:.0%} of them right" if points else "wherever it lies"
    wide = f"{100 * half:.0f} points" if points else f"{half:.0%} of its value"
    return [
        Finding(
            "warning" if half > WIDTHS[1] else "note",
            "small_split",
            name,
            f"with {len(part):,} examples, the 95 % interval of {metric.name} would be about ± {wide}, {at}: two "
            "recipes must differ by more than that before their scores tell them apart. ± 5 "
            f"{'points' if points else '%'} takes about {enough:,} examples: "
            f"raise data.split.{name}{', or judge by folds (data: {split: {folds: 5}})' * _folds(recipe)}",
        )
    ]


def _folds(recipe: Recipe) -> bool:
    """Whether the reader can divide by folds: what goes on in time it cannot."""
    try:
        type(recipe.data).model_validate({**recipe.data.model_dump(), "split": {"folds": 5}})
    except ValidationError:
        return False
    return True


def _half(recipe: Recipe, state: State, part: Examples, metric: Metric) -> tuple[bool, float]:
    """Whether the metric is a plain share, and half of its interval: in points, or, of an error, as part of its value.

    Of a metric that is no plain share, the interval is a bootstrap's: of a score, with the truths of other examples
    for a tenth of the guesses; of an error, which knows no upper bound, for all of them.  NaN where these cost nothing:
    of a language model the truth of another text says nothing of this one's bits.
    """
    evaluator, task = recipe.evaluator, state["task"]
    scored = evaluator.scored(part, recipe.train.seed)
    count = len(scored)
    perfect = [evaluator.perfect(one, task) for one in scored]
    share = evaluator.shares(evaluator.statistics(scored, evaluator.stack(perfect), task)).get(metric.name)
    if (
        share is not None
        and share.rows is not None
        and share.among is None
        and share.metric is None
        and metric.best == "max"
    ):
        low, high = wilson(LEVEL * count, count)
        return True, (high - low) / 2
    random = np.random.default_rng(0)
    others = random.permutation(count)
    wrong = random.random(count) > (LEVEL if metric.best == "max" else 0)
    guesses = [evaluator.swapped(perfect[others[i]], scored[i], task) if wrong[i] else perfect[i] for i in range(count)]
    statistics = evaluator.statistics(scored, evaluator.stack(guesses), task)
    found = intervals(evaluator.combine, statistics, count, replicates=200)[metric.name]
    unit = metric.perfect if metric.best == "max" else found.value
    return False, (found.high - found.low) / 2 / unit if unit else math.nan


def _enough() -> int:
    """Examples that bring the interval of a share of 0.9 to ± 5 points."""
    count = 10
    while wilson(LEVEL * count, count)[1] - wilson(LEVEL * count, count)[0] > 2 * WIDTHS[0]:
        count += 10
    return count


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{one}'" for one in names[:5]) + (", …" if len(names) > 5 else "")
    return f"class {shown}" if len(names) == 1 else f"{len(names)} classes ({shown})"


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _they(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "they"
