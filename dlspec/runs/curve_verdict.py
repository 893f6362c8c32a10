"""What a learning curve says: points, the fitted curve, what more data would buy, in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlspec.report.terminal import number
from dlspec.strategy.learning_curve import LEAST_SIZES, Curve, Value, fit, still_falling
from dlspec.types import DataError, Metric

FACTORS = (2, 10)
"""times as many examples as there are: what is foretold"""
DRAWN = 60
"""points that the curve is drawn through"""
UNLEARNED = 1.5
"""times the error on train with all of it: a few examples are learned better than many, if training is long enough"""
ABSURD = 1_000
"""times as many examples as there are: beyond, a number says nothing"""


def conclusions(
    trainings: Sequence[Mapping[str, Any]],
    metric: Metric,
    *,
    examples: int,
    dev: int,
    resolution: float = 0.0,
    human: float | None = None,
    score: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What learning_curve.json holds.

    trainings: n, seed, run, and the errors on dev and train (None: it failed).  examples, dev: how many there are.
    human: how well people do, in the metric.  score: of the run on dev, with its interval if that is known.
    Raises DataError where too few trainings succeeded.
    """
    sizes = [_size(n, trainings, examples) for n in sorted({one["n"] for one in trainings})]
    seen = [one for one in sizes if one["dev"]["values"]]
    points = [one["n"] for one in seen], [one["dev"]["values"] for one in seen]
    if len(seen) < LEAST_SIZES:
        raise DataError(
            f"the trainings with {len(seen)} sizes of train gave an error on dev; a curve takes {LEAST_SIZES} sizes"
        )
    curve = fit(*points, resolution=resolution)
    now = seen[-1]["dev"]["value"]
    at = np.geomspace(curve.sizes[0], max(FACTORS) * examples, DRAWN)
    result: dict[str, Any] = {
        "metric": metric.name,
        "best": metric.best,
        "error": f"{metric.perfect:g} − {metric.name}" if metric.best == "max" else metric.name,
        "examples": examples,
        "dev": dev,
        "sizes": sizes,
        "trainings": [dict(one) for one in trainings],
        "fit": {
            **{name: curve.read(lambda *of, i=i: of[i])._asdict() for i, name in enumerate("abc")},
            "from": int(curve.sizes[0]),
            "left_out": curve.left_out,
            "misfit": curve.misfit,
        },
        "line": [{"n": float(n), **curve.at(float(n))._asdict()} for n in at],
        "predictions": [_prediction(curve, factor, examples, metric) for factor in FACTORS],
        "gain": curve.gained(2)._asdict(),
        "human": human,
        "needed": _needed(curve, now, metric, human),
        "verdict": curve.says,
    }
    if curve.says == "unknown" and still_falling(*points, resolution=resolution):
        result["verdict"] = "likely"
    return {**result, "says": _says(result, seen, curve, metric, score)}


def _size(n: int, trainings: Sequence[Mapping[str, Any]], examples: int) -> dict[str, Any]:
    mine = [one for one in trainings if one["n"] == n]
    return {
        "n": n,
        "share": n / examples,
        **{split: _seeds([one[split] for one in mine]) for split in ("dev", "train")},
    }


def _seeds(errors: Sequence[float | None]) -> dict[str, Any]:
    """The mean over seeds, the least and the greatest of them."""
    values = [one for one in errors if one is not None]
    if not values:
        return {"value": math.nan, "low": math.nan, "high": math.nan, "values": []}
    return {"value": float(np.mean(values)), "low": min(values), "high": max(values), "values": values}


def _prediction(curve: Curve, factor: int, examples: int, metric: Metric) -> dict[str, Any]:
    error = curve.at(factor * examples)
    ends = [metric.perfect - one if metric.best == "max" else metric.perfect + one for one in error]
    score = {"value": ends[0], "low": min(ends[1:]), "high": max(ends[1:])}
    return {"factor": factor, "n": factor * examples, **error._asdict(), "score": score}


def _needed(curve: Curve, now: float, metric: Metric, human: float | None) -> list[dict[str, Any]]:
    """How many examples would do, for what one may aim at."""
    targets = {"half the error": now / 2}
    if human is not None:
        people = abs(metric.perfect - human)
        targets = {"half the gap to the human level": (now + people) / 2, "the human level": people}
        targets = {what: error for what, error in targets.items() if people < now}
    return [{"what": what, "error": error, **curve.needed(error)._asdict()} for what, error in targets.items()]


def _says(
    result: Mapping[str, Any],
    seen: Sequence[Mapping[str, Any]],
    curve: Curve,
    metric: Metric,
    score: Mapping[str, Any] | None,
) -> list[str]:
    gain, (twice, ten) = Value(**result["gain"]), result["predictions"]
    before, now = (number(one["dev"]["value"]) for one in seen[-2:])
    said = []
    foretold = f"with {twice['n']:,} examples the error would be {_within(twice)} instead of {now}"
    if result["verdict"] == "helps":
        said.append(
            f"more data would help: {foretold}, {_share(gain.value)} of it gone ({_share(gain.low)} to "
            f"{_share(gain.high)}); with {ten['n']:,}, {_within(ten)}"
        )
    elif result["verdict"] == "flat":
        said.append(
            f"more data of this kind would hardly help: twice as many examples take away {_share(gain.high)} of the "
            f"error ({now}) at most; what is left is for another network, other inputs, or cleaner labels"
        )
    elif result["verdict"] == "likely":
        said.append(
            f"more data is likely to help: from {seen[-2]['n']:,} to {seen[-1]['n']:,} examples the error fell from "
            f"{before} to {now}, beyond chance; how much more would bring cannot be told: {foretold}"
        )
    else:
        said.append(
            f"whether more data would help cannot be told: {foretold}, so that between {_share(gain.low)} and "
            f"{_share(gain.high)} of it would be gone; more seeds (--seeds), or a larger dev, would tell"
        )
    if result["verdict"] != "flat":
        said += [_reach(one, result["examples"]) for one in result["needed"]]
    if result["human"] is not None and not result["needed"]:
        said.append(f"the human level, {metric.name} {number(result['human'])}, is reached already")
    if curve.left_out:
        many = "size is" if curve.left_out == 1 else f"{curve.left_out} sizes are"
        said.append(f"the smallest {many} left out of the fit: there the error does not fall yet as it does later")
    if curve.misfit < 0.01:
        said.append("the points do not lie on a power law, so the bounds are wide, and may still be too narrow")
    first, last = seen[0]["train"]["value"], seen[-1]["train"]["value"]
    if first > UNLEARNED * last and first > 0.5 * seen[0]["dev"]["value"]:
        said.append(
            f"with {seen[0]['n']:,} examples even train is not learned (error {number(first)} on it, {number(last)} "
            "with all): the recipe's epochs make too few steps of so few, and part of the fall is longer training"
        )
    if max(len(one["dev"]["values"]) for one in result["sizes"]) == 1:
        said.append("one seed a size does not show what chance does; its share is guessed from how the points scatter")
    of_dev = f"all of it is of these {result['dev']:,} examples of dev"
    if score and score.get("low") is not None and score.get("high") is not None:
        of_dev += f", on which {metric.name} is known to {number(score['low'])} to {number(score['high'])}"
    return [*said, of_dev]


def _reach(one: Mapping[str, Any], examples: int) -> str:
    """How many examples one aim takes."""
    what = f"{one['what']} ({number(one['error'])})"
    low, high = (max(float(examples), one[end]) for end in ("low", "high"))
    if low > ABSURD * examples:
        return f"{what} is out of reach of more data: even {ABSURD:,} times as much would not do"
    if one["value"] > ABSURD * examples:
        return f"{what} may be out of reach of more data; if it is not, it takes {_examples(low)} examples at least"
    most = f"to {_examples(high)}" if high <= ABSURD * examples else "on, with no end that is known"
    return f"{what} takes some {_examples(one['value'])} examples, from {_examples(low)} {most}"


def _examples(n: float) -> str:
    """A number of examples to two places: what is foretold is not known to more."""
    return f"{float(f'{n:.2g}'):,.0f}"


def _within(one: Mapping[str, Any]) -> str:
    return f"{number(one['value'])} ({number(one['low'])} to {number(one['high'])})"


def _share(value: float) -> str:
    return f"{100 * max(0.0, value):.0f} %"
