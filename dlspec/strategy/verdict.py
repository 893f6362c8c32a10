"""What a ledger comes to, in one to three plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dlspec.types import Metric

if TYPE_CHECKING:
    from dlspec.strategy.ledger import Gap, Scored, Standing

FEW = 100
"""examples of a level below which its score is too rough to say much"""
MEANS = {
    "avoidable bias": "the network does not fit what it was shown as well as people do",
    "variance": "what it learned of the examples it was shown does not carry over to others like them",
    "data mismatch": "it does worse on examples of dev's kind than on those of train's kind",
    "overfitting to dev": "choices were made by dev until they fitted its very examples; look at dev less often, or "
    "gather a new one",
}


BY_RECIPE = {
    "dev": "data: {{split: {{dev: 0.15}}}}",
    "human": "goal: {{human: {{{metric}: …}}}}",
    "train_dev": "data: {{train_dev: 0.05}}",
}
"""what a person writes to have a level that is missing, where a recipe says what there is"""
BY_TABLE = {
    "dev": "rows whose split is dev",
    "human": "--human {metric}=…",
    "train_dev": "rows whose split is train_dev",
}
"""and where tables of predictions do"""


def verdict(
    levels: Sequence[Scored],
    gaps: Sequence[Gap],
    metric: Metric,
    standing: Standing | None,
    ways: Mapping[str, str] = BY_RECIPE,
) -> str:
    """Which gap is the largest and what that means, or why none can be named; and what these levels cannot say."""
    main = _main(levels, metric, standing)
    beside = "; ".join([*_past_human(levels, metric), *_rough(levels, gaps, metric, standing)])
    missing = "; ".join(_missing(levels, gaps, metric, ways))
    return " ".join(f"{one[0].upper()}{one[1:]}." for one in (main, beside, missing) if one)


def number(value: float) -> str:
    """To three significant digits, without an exponent where a person would not write one."""
    return f"{float(f'{value:.3g}'):,.12g}"


def _main(levels: Sequence[Scored], metric: Metric, standing: Standing | None) -> str:
    if standing is None:
        there = f"{levels[0].name} alone" if levels else "none"
        return f"a gap is between two levels, and of these there is {there}"
    top = standing.top
    if standing.sure:
        meant = "; and ".join(MEANS[name] for name in top.name.split(" + "))
        if " + " in top.name:
            meant = f"either {meant.replace('; and ', ', or ')}"
        score = {level.name: number(level.value) for level in levels}
        return (
            f"the largest gap is {top.name}: {_shown(top)} of {metric.name}, between {_called(top.above)} "
            f"({score[top.above]}) and {_called(top.below)} ({score[top.below]}): {meant}"
        )
    some = f"{standing.needed:,} more example{'s' * (standing.needed != 1)}" if standing.needed else ""
    more = f"about {some} of {_called(standing.needed_of or '')}" if some else ""
    if top.low != top.low:
        unknown = next(level for level in levels if level.low != level.low)
        if metric.best == "max" and unknown.value == 0:
            return (
                f"no gap can be named: {metric.name} is 0 on {_called(unknown.name)}, so the network has nothing to "
                "show yet; first it has to be trained for longer, or with a higher learning rate (train: {epochs: …, "
                "early_stopping: {patience: …}, optimizer: {learning_rate: …}})"
            )
        return (
            f"no gap can be named: the examples of {_called(unknown.name)} do not tell how far chance moves its score"
        )
    if standing.rival is None or not top.low > 0:
        first = f"no gap is surely there: the widest, {top.name}, is {_shown(top)} of {metric.name}"
        if top.value <= 0:
            return f"{first}, so {_called(top.below)} scores no worse than {_called(top.above)}"
        return f"{first}; " + (f"{more} would settle it" if more else "no number of examples in reach would settle it")
    first = (
        f"{top.name}, {_shown(top)} of {metric.name}, and {standing.rival.name}, {_shown(standing.rival)}, "
        "cannot be told apart"
    )
    if more:
        return f"{first}; {more} would settle which is larger"
    return f"{first}: they look equal, and no number of examples in reach would settle it"


def _past_human(levels: Sequence[Scored], metric: Metric) -> list[str]:
    """What it means that the network is surely past the human level; new examples count before those of train."""
    human = next((level for level in levels if level.name == "human"), None)
    if human is None:
        return []
    past = [level for level in levels if level is not human and _surely_better(level, human, metric)]
    if not past:
        return []
    fresh = [level for level in past if level.name != "train"]
    level = fresh[-1] if fresh else past[0]
    said = f"on {_called(level.name)} the network is past the human level ({number(level.value)} against "
    said += f"{number(human.value)})"
    if not fresh:
        return [f"{said}, so avoidable bias is not what holds it back"]
    return [
        f"{said}: how people score is no longer a proxy for the best that is possible (the Bayes error), so the bias "
        "that is left is not known, and looking through errors by hand helps less"
    ]


def _surely_better(one: Scored, other: Scored, metric: Metric) -> bool:
    if metric.best == "max":
        near = ((one.value - one.low) ** 2 + (other.high - other.value) ** 2) ** 0.5
        return one.value - other.value > near
    near = ((one.high - one.value) ** 2 + (other.value - other.low) ** 2) ** 0.5
    return other.value - one.value > near


def _rough(levels: Sequence[Scored], gaps: Sequence[Gap], metric: Metric, standing: Standing | None) -> list[str]:
    """What so few examples of a level cannot show, where nothing could be named."""
    if standing is None or standing.sure:
        return []
    few = [level for level in levels if level.name != "human" and level.n < FEW and level.low == level.low]
    if not few:
        return []
    level = min(few, key=lambda one: one.n)
    near = [gap for gap in gaps if level.name in (gap.above, gap.below)]
    widest = max(gap.value - gap.low for gap in near) if near else level.value - level.low
    return [
        f"{_called(level.name)} has {level.n:,} examples alone: its {metric.name} may lie anywhere from "
        f"{number(level.low)} to {number(level.high)}, and a gap below {number(widest)} does not show"
    ]


def _missing(levels: Sequence[Scored], gaps: Sequence[Gap], metric: Metric, ways: Mapping[str, str]) -> list[str]:
    """What is not known for want of a level, and how it is given."""
    have, said = {level.name for level in levels}, []
    how = {name: way.format(metric=metric.name) for name, way in ways.items()}
    if have and not have & {"train_dev", "dev", "test"}:
        said.append(f"without a dev split nothing is known of variance ({how['dev']})")
    if "human" not in have:
        said.append(f"without a human level, avoidable bias is not known ({how['human']})")
    if any("variance + data mismatch" in gap.name for gap in gaps):
        said.append(f"without a train-dev part, variance and data mismatch cannot be told apart ({how['train_dev']})")
    return said


def _shown(gap: Gap) -> str:
    return f"{number(gap.value)} (95 % interval {number(gap.low)} to {number(gap.high)})"


def _called(level: str) -> str:
    return {"human": "people", "train_dev": "train-dev"}.get(level, level)
