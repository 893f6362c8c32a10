"""Whether the best trial of a study leads beyond chance, and the simplest that does as well within a standard error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dlspec.report.terminal import number
from dlspec.strategy.leading import Candidate, adjusted, chance_over_examples, chance_over_folds, simplest
from dlspec.tuning.trainings import Scored, by_fold

if TYPE_CHECKING:
    from dlspec.tuning.outcome import Tried
    from dlspec.tuning.study import Study

CERTAIN = 0.05
COMPARED = 30
"""of the next best, so many are held against the best one by one"""


def lead(study: Study, order: Sequence[Tried]) -> dict[str, Any]:
    """Whether the first of these (the best first) leads; the numbers of those that cannot be told from it; a sentence.

    leads: None where there is nothing to be told from it, or what decides is how far limits are missed.
    """
    best = order[0]
    if best.standing.limits and not best.standing.feasible:
        return {"leads": None, "tied": [], "says": f"no trial keeps every limit; trial {best.number} is the nearest"}
    rivals = [one for one in order[1:] if one.standing.feasible]
    if not rivals:
        return {"leads": None, "tied": [], "says": ""}
    near = rivals[:COMPARED]
    scored = None if by_fold(_rows(best)) else Scored.of(study, _rows(best))
    # As many comparisons as there are trials, though those far behind are not looked at.
    chances = [_chance(study, best, one, scored) for one in near] + [0.0] * (len(rivals) - len(near))
    found = list(zip(near, adjusted(chances), strict=False))
    tied = [one.number for one, p in found if p >= CERTAIN]
    return {"leads": not tied, "tied": tied, "says": _said(study, best, found, len(rivals), scored)}


def frugal(order: Sequence[Tried], highest: bool) -> Tried:
    """The simplest trial within one standard error of the best, of those that keep the limits as it does."""
    best = order[0]
    error = best.noted.get("error")
    alike = [one for one in order[1:] if one.standing.feasible == best.standing.feasible]
    if best.standing.limits and not best.standing.feasible:
        alike = []
    found = simplest(
        _candidate(best), math.nan if error is None else error, [_candidate(one) for one in alike], highest=highest
    )
    return next(one for one in order if one.number == found.number)


def _candidate(one: Tried) -> Candidate:
    return Candidate(one.number, one.standing.value, one.noted.get("parameters"), one.noted.get("seen"))


def _rows(one: Tried) -> Sequence[Any]:
    rows: Sequence[Any] = one.noted.get("trainings", ())
    return rows


def _chance(study: Study, best: Tried, rival: Tried, scored: Scored | None) -> float:
    """The p of the best against a rival; NaN where they have not been scored on the same examples."""
    folds = by_fold(_rows(best)), by_fold(_rows(rival))
    if folds[0] or folds[1]:
        return chance_over_folds(*folds) if len(folds[0]) == len(folds[1]) > 1 else math.nan
    other = Scored.of(study, _rows(rival))
    if scored is None or other is None or scored.ids != other.ids:
        return math.nan
    seeds = [one["value"] for one in _rows(best)], [one["value"] for one in _rows(rival)]
    return chance_over_examples(
        scored.side, other.side, study.metric.name, len(scored.ids), groups=scored.tied, seeds=seeds
    )


def _said(study: Study, best: Tried, found: Sequence[tuple[Tried, float]], rivals: int, scored: Scored | None) -> str:
    metric, tune = study.metric, study.tune
    judged = [f"{tune.folds} folds"] if tune.folds else []
    judged += [f"{tune.seeds} seeds"] if tune.seeds > 1 else []
    if not tune.folds and scored is not None:
        judged.append(f"the same {len(set(scored.ids)):,} dev examples")
    over = f" over {' and '.join(judged)}" if judged else ""
    corrected = f", corrected for {rivals} comparisons" if rivals > 1 else ""
    tied = [one.number for one, p in found if p >= CERTAIN]
    if not tied:
        highest = max(p for _, p in found)
        chance = "p < 0.001" if highest < 0.001 else f"p = {highest:.2g} at most"
        side = "higher" if metric.best == "max" else "lower"
        others = f"each of the {rivals} others" if rivals > 1 else f"trial {found[0][0].number}"
        return (
            f"trial {best.number} leads: its {metric.name} {number(best.value)} is {side} than that of {others} "
            f"beyond chance{over} ({chance}{corrected})"
        )
    if rivals == 1:
        return f"trial {best.number} is not the best beyond chance: trial {tied[0]} cannot be told from it{over}"
    few = ", ".join(map(str, tied[:5])) + (", …" if len(tied) > 5 else "")
    return (
        f"trial {best.number} is not the best beyond chance: {len(tied)} of the {rivals} others cannot be told from it"
        f"{over} (trial{'s' * (len(tied) > 1)} {few}{corrected})"
    )
