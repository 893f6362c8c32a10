"""The recipes of forecasts, three seeds each: MASE on test beside the naive and the seasonal naive forecast.

Needs $DLSPEC_DATA/timeseries.  Intervals of 95 % are over blocks of windows, which overlap; a difference is of both
forecasts over the same windows.
Figures: on at least two of the three series, for each seed, MASE below 1 and both differences surely below 0.

    DLSPEC_DATA=… python tests/benchmarks/forecasting_seeds.py [temperatures_gru] [airline_linear] [sunspots_gru]
"""

from __future__ import annotations

import sys
from pathlib import Path

from figures import Figures, require_data, runs, spoken

from dlspec.recipe.load import load
from dlspec.runs.opened import open_run
from dlspec.runs.train import train
from dlspec.strategy.intervals import intervals
from dlspec.strategy.paired import Side, differences

SERIES = ("temperatures_gru", "airline_linear", "sunspots_gru")
NAIVE = {"naive": "naive", "seasonal": "seasonal naive"}


def judged(name: str, seed: int, out: Path) -> tuple[float, bool]:
    """MASE on test of one training, printed beside the others; and whether it is below 1 and surely the best."""
    opened = open_run(train(load(f"forecasting/{name}", [f"train.seed={seed}"]), out=out).run)
    test, state, evaluator = opened.splits()["test"], opened.state["task"], opened.recipe.evaluator
    statistics = evaluator.statistics(test, opened.predictions(test), state)
    groups, count = test.column("groups"), len(test)
    shares = evaluator.shares(statistics)
    found = intervals(evaluator.combine, statistics, count, groups=groups, shares=shares, only={"mase"})["mase"]
    blocks = len(set(groups))
    said = [f"{name}, seed {seed}: MASE {found.value:.4f} ({found.low:.4f} to {found.high:.4f}), {blocks} blocks"]
    best = found.value < 1
    for of, words in NAIVE.items():
        other = {**statistics, "guess": statistics[of]}
        sides = Side(evaluator.combine, statistics), Side(evaluator.combine, other)
        apart = differences(*sides, count, groups=groups)["mase"]
        mase = evaluator.combine(other)["mase"]
        said.append(f"{words} {mase:.4f}, difference {apart.value:+.4f} ({apart.low:+.4f} to {apart.high:+.4f})")
        best = best and apart.high < 0
    print("; ".join(said), flush=True)
    return found.value, best


require_data()
figures, reached = Figures(), 0
with runs() as folder:
    for one in sys.argv[1:] or SERIES:
        results = [judged(one, seed, folder) for seed in (1, 2, 3)]
        print(f"{one}: mean MASE {spoken([mase for mase, _ in results])}\n", flush=True)
        reached += all(best for _, best in results)
figures.check(f"below 1, and below both naive forecasts for each seed: {reached} series, at least 2", reached >= 2)
figures.leave()
