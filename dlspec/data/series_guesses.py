"""A table that nobody has described, looked at as a series: its times, what a step is, what may be forecast."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dlspec.numeric.printable import shown
from dlspec.proposals import Facts, Line, Proposal
from dlspec.types import DataError
from dlspec.wording import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from dlspec.data.columns import Joined
    from dlspec.data.regular import Clock
    from dlspec.data.time_series import TimeSeries

FEWEST_STEPS = 60
FEWEST_VALUES = 10
"""different values of what is forecast, where other columns might tell it"""
MOST_NAMED = 4
REGULAR = 0.9
"""share of the steps that have a row"""
HORIZONS = {"hour": 24, "day": 7, "week": 4, "month": 6, "quarter": 4}
"""how far ahead is proposed"""
LONGEST_SEEN = 60
SEEN = "steps that the network sees, the last of the window; more make it slower, and may help"


def proposed(reader: type[TimeSeries], path: str, target: str | None) -> Proposal | None:
    """None where it is no table of a time, in equal steps, and one column of numbers; more are features of rows.  A
    column of words besides may name the series that a row is of."""
    import numpy as np

    from dlspec.data.along_time import moments_of
    from dlspec.data.columns import typed
    from dlspec.data.regular import clock_of, season_of, steps_of
    from dlspec.data.splits import counted
    from dlspec.data.table_guesses import is_table

    if os.path.isdir(path) or not is_table(reader, path):  # type: ignore[arg-type]
        return None
    own = reader(path=path)
    try:
        data = own._data()
        time = own._time(data)
        if len(data) < FEWEST_STEPS or str(data.columns[time].type) != "string":
            return None
        if len(data.columns) >= 3:
            return _several(reader, path, data, time, target)
        if len(data.columns) != 2:
            return None
        times = moments_of(data, time)
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
    kept = len(values) - counted(own.split.dev, len(values)) - counted(own.split.test, len(values))
    season, why = season_of(values[:kept], clock, None)  # of train alone, as training will find it
    horizon, seen, window = _reach(clock, season, count)
    data_lines = [Line("path", path, path=True), Line("time", time, f"a row a {clock.words}")]
    data_lines.append(Line("target", name, "to be forecast"))
    gaps = len(steps) < count or bool(np.isnan(values).any())
    if gaps:
        missing = (
            f"{plural(count - len(steps), 'step has', 'steps have')} no row"
            if len(steps) < count
            else "values are missing"
        )
        data_lines.append(
            Line("gaps", "last", f"{missing}; the value before stands for them (skip: no window goes over them)")
        )
    reach = "steps that an example looks back"
    if window == season:
        reach = f"a season ({why})"
    if window > seen:
        reach += "; so that the season before is known, against which forecasts are judged"
    data_lines.append(Line("window", window, reach))
    data_lines.append(
        Line("horizon", horizon, f"how far ahead is forecast, in steps of a {clock.words}; say what you need")
    )
    if clock.unit in ("day", "week", "hour", "minute"):
        data_lines.append(Line("calendar", ["year"], "where in the year a step is", sure=False))
    entered = (Line("length", seen, SEEN),) if window > seen else ()
    doubts = (f"horizon {horizon}: how far ahead you need to see, only you know",)
    seen_lines = (
        f"{os.path.basename(path)}: {plural(len(data), 'row')}, a step is a {clock.words}; "
        f"{count - len(steps):,} {'has' if count - len(steps) == 1 else 'have'} no row",
        f"season: {season} steps, {why}" if season > 1 else "no season is known of such steps",
    )
    facts = Facts("series", count - window - horizon, horizon, (seen, 1))
    task = (Line("name", "forecasting", "MASE against the naive forecasts"),)
    goal = (Line("optimize", "mase", "below 1: better than saying the last value again is one step ahead, in train"),)
    return Proposal(
        facts, task, tuple(data_lines), (), entered, goal, seen_lines, doubts, name, special=1,
    )  # fmt: skip


def _reach(clock: Clock, season: int, count: int) -> tuple[int, int, int]:
    """Steps ahead, steps that the network sees, and steps that an example looks back, of so many."""
    horizon = min(HORIZONS.get(clock.unit, 1), max(1, count // 40))
    seen = min(LONGEST_SEEN, max(2 * horizon, 2 * season if season <= LONGEST_SEEN // 2 else 28), count // 4)
    return horizon, seen, season if seen < season <= count // 4 else seen


def _several(reader: type[TimeSeries], path: str, data: Joined, time: str, target: str | None) -> Proposal | None:
    """A column of times, one that names the series, and numbers: several series, where the times of each are regular.

    Words name them, or whole numbers, few of them.  Raises DataError where times are none.
    """
    import numpy as np

    from dlspec.data.along_time import moments_of
    from dlspec.data.columns import typed

    others = [one for one in data.columns if one != time]
    kinds = {one: typed(data, one, strict=False) for one in others}
    words = [one for one in others if kinds[one].dtype == object]
    keys = words if words else [one for one in others if _may_name(kinds[one])]
    if len(words) > 1 or not keys:
        return None
    times = np.array(moments_of(data, time), object)
    for name in keys:
        values = [one for one in others if one != name]
        if not values or target not in (None, *values):
            continue
        found = _by(kinds[name], times)
        if found is not None:
            value = target or values[-1]
            if len(values) > 1 and len(np.unique(kinds[value])) < FEWEST_VALUES:
                return None  # a class, which is asked of the rest of its row
            return _of_several(reader, path, data, time, name, value, kinds[value], *found, values)
    return None


def _may_name(values: np.ndarray) -> bool:
    """Whether whole numbers may name series: so few that each has rows enough."""
    import numpy as np

    if np.isnan(values).any() or (values != np.round(values)).any():
        return False
    return 2 <= len(np.unique(values)) <= len(values) / FEWEST_STEPS


def _by(whose: np.ndarray, times: np.ndarray) -> tuple[list[int], int, Clock] | None:
    """Steps of each series that has some, how many have one row alone, what a step is; None: these are no series."""
    import numpy as np

    from dlspec.data.regular import clock_of, steps_of

    if any(one is None for one in whose.tolist()):
        return None
    rows = {one: np.flatnonzero(whose == one) for one in dict.fromkeys(whose.tolist())}
    lengths = list[int]()
    clocks: list[Clock] = []
    for own in rows.values():
        if len(own) < 2:
            continue  # it is left out, and told
        if len(set(times[own].tolist())) < len(own):
            return None
        clock = clock_of(times[own].tolist())
        steps, off = steps_of(times[own].tolist(), clock, between=False)
        count = int(steps.max()) + 1
        if off.any() or len(own) < REGULAR * count:
            return None
        lengths.append(count)
        clocks.append(clock)
    if len(lengths) < 2 or np.median(lengths) < FEWEST_STEPS or len({one.words for one in clocks}) > 1:
        return None
    return lengths, len(rows) - len(lengths), clocks[0]


def _of_several(
    reader: type[TimeSeries], path: str, data: Joined, time: str, name: str, value: str, numbers: np.ndarray,
    lengths: list[int], alone: int, clock: Clock, values: Sequence[str],
) -> Proposal:  # fmt: skip
    """What is proposed of series of such lengths; values: the columns that may be forecast."""
    import numpy as np

    count = int(np.median(lengths))
    gaps = sum(lengths) + alone > len(data) or bool(np.isnan(numbers).any())
    settings = {"time": time, "series": name, "target": value, "gaps": "last" if gaps else "fail"}
    horizon, seen, window = _reach(clock, 1, count)
    loaded = reader(path=path, window=window, horizon=horizon, **settings).load()  # type: ignore[arg-type]
    season = loaded["train"].columns["x"].season
    horizon, seen, window = _reach(clock, season, count)
    lines = [
        Line("path", path, path=True),
        Line("time", time, f"a row a {clock.words} of each series"),
        Line("series", name, f"names the {len(lengths):,} series; no window goes from one to another"),
        Line("target", value, "to be forecast"),
        *([Line("gaps", "last", "steps or values are missing; the value before stands for them")] if gaps else []),
        Line("window", window, "steps that an example looks back"),
        Line("horizon", horizon, f"how far ahead is forecast, in steps of a {clock.words}; say what you need"),
    ]
    entered = [Line("scale", "window", "each window by itself, so that large and small series count alike")]
    if window > seen:
        entered.append(Line("length", seen, SEEN))
    told = (
        f"{os.path.basename(path)}: {plural(len(data), 'row')} of {len(lengths):,} series, a step is a {clock.words}",
        *(one for one in loaded.notes if one.startswith(("season", "no season", "in no split", "left out"))),
    )
    task = (Line("name", "forecasting", "MASE against the naive forecasts"),)
    goal = (Line("optimize", "mase", "the mean over series; below 1: better than the last value again, in train"),)
    doubts = [f"horizon {horizon}: how far ahead you need to see, only you know"]
    rest = [one for one in values if one != value]
    if rest:
        known = ", ".join(map(shown, rest[:MOST_NAMED])) + ", …" * (len(rest) > MOST_NAMED)
        doubts.append(
            f"'{shown(value)}' alone is forecast, from what it was; of {known} nothing is read (another: --target "
            "NAME; as inputs: data.features)"
        )
    facts = Facts("series", sum(max(0, one - window - horizon) for one in lengths), horizon, (seen, 1))
    return Proposal(facts, task, tuple(lines), (), tuple(entered), goal, told, tuple(doubts), value, special=1)
