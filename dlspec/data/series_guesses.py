"""A table that nobody has described, looked at as a series: its times, what a step is, what may be forecast."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dlspec.proposals import Facts, Line, Proposal
from dlspec.types import DataError

if TYPE_CHECKING:
    from dlspec.data.time_series import TimeSeries

FEWEST_STEPS = 60
REGULAR = 0.9
"""share of the steps that have a row"""
HORIZONS = {"hour": 24, "day": 7, "week": 4, "month": 6, "quarter": 4}
"""how far ahead is proposed"""
LONGEST_SEEN = 60


def proposed(reader: type[TimeSeries], path: str, target: str | None) -> Proposal | None:
    """None where it is no table of a time, in equal steps, and one column of numbers; more are features of rows."""
    import numpy as np

    from dlspec.data.columns import typed
    from dlspec.data.regular import clock_of, season_of, steps_of
    from dlspec.data.roles import times as times_of
    from dlspec.data.table_guesses import is_table

    if os.path.isdir(path) or not is_table(reader, path):  # type: ignore[arg-type]
        return None
    own = reader(path=path)
    try:
        data = own._data()
        time = own._time(data)
        if len(data) < FEWEST_STEPS or len(data.columns) != 2 or str(data.columns[time].type) != "string":
            return None
        times = times_of(data, time, decimal=".")
        clock = clock_of(times)
    except DataError:
        return None
    steps, off = steps_of(times, clock, between=False)
    count = int(steps.max()) + 1
    once = len(np.unique(steps)) == len(steps)
    if off.any() or not once or len(steps) < REGULAR * count or (np.diff(steps) < 0).any():
        return None
    [name] = [one for one in data.columns if one != time]
    values = typed(data, name, decimal=own.decimal, strict=False)
    if values.dtype == object or target not in (None, name):
        return None
    season, why = season_of(values, clock, None)
    horizon = min(HORIZONS.get(clock.unit, 1), max(1, count // 40))
    seen = min(LONGEST_SEEN, max(2 * horizon, 2 * season if season <= LONGEST_SEEN // 2 else 28), count // 4)
    window = season if seen < season <= count // 4 else seen
    data_lines = [Line("path", path, path=True), Line("time", time, f"a row a {clock.words}")]
    data_lines.append(Line("target", name, "to be forecast"))
    gaps = len(steps) < count or bool(np.isnan(values).any())
    if gaps:
        missing = f"{count - len(steps):,} steps have no row" if len(steps) < count else "values are missing"
        data_lines.append(
            Line("gaps", "last", f"{missing}; the value before stands for them (skip: no window goes over them)")
        )
    reach = f"a season ({why})" if window == season else "steps that an example looks back"
    data_lines.append(Line("window", window, reach))
    data_lines.append(
        Line("horizon", horizon, f"how far ahead is forecast, in steps of a {clock.words}; say what you need")
    )
    if clock.unit in ("day", "week", "hour", "minute"):
        data_lines.append(Line("calendar", ["year"], "where in the year a step is", sure=False))
    entered = (Line("length", seen, "steps that the network sees"),) if window > seen else ()
    doubts = (f"horizon {horizon}: how far ahead you need to see, only you know",)
    seen_lines = (
        f"{os.path.basename(path)}: {len(data):,} rows, a step is a {clock.words}; {count - len(steps):,} have no row",
        f"season: {season} steps, {why}" if season > 1 else "no season is known of such steps",
    )
    facts = Facts("series", count - window - horizon, horizon, (seen, 1))
    task = (Line("name", "forecasting", "MASE against the naive forecasts"),)
    goal = (Line("optimize", "mase", "below 1: better than saying the last value again is one step ahead, in train"),)
    return Proposal(
        facts, task, tuple(data_lines), (), entered, goal, seen_lines, doubts, name, special=1,
    )  # fmt: skip
