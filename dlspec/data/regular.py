"""Rows with a time as a series of equal steps: which step, who comes twice, what is missing; said with row and time."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from dlspec.types import DataError

if TYPE_CHECKING:
    import numpy as np

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
SEASONS = {
    "second": (60,),
    "minute": (60, 1440),
    "hour": (24, 168),
    "day": (7, 365),
    "week": (52,),
    "month": (12,),
    "quarter": (4,),
}
"""steps after which things may come again, where a step is one of its unit"""


class Clock(NamedTuple):
    """What a step is: so many of a unit, from a first moment on.  unit "step": times are plain numbers."""

    unit: str
    every: float
    first: Any

    @property
    def words(self) -> str:
        """`day`, `10 minutes`, `0.5`."""
        if self.unit == "step":
            return f"{self.every:g}"
        return self.unit if self.every == 1 else f"{self.every:g} {self.unit}s"

    def at(self, step: int) -> Any:
        """The moment of a step."""
        if self.unit == "step":
            return self.first + self.every * step
        if self.unit in SECONDS:
            return self.first + timedelta(seconds=SECONDS[self.unit] * self.every * step)
        month = self.first.year * 12 + self.first.month - 1 + int(MONTHS[self.unit] * self.every * step)
        return self.first.replace(year=month // 12, month=month % 12 + 1, day=1)

    def told(self, step: int) -> str:
        """The same, as a person writes it."""
        moment = self.at(step)
        if self.unit == "step":
            return f"{moment:g}"
        if self.unit in MONTHS:
            return moment.strftime("%Y-%m")
        midnight = self.unit in ("day", "week") and not (moment.hour or moment.minute or moment.second)
        return moment.strftime("%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M:%S" if moment.second else "%Y-%m-%d %H:%M")


def clock_of(times: Sequence[Any], unit: str | None = None) -> Clock:
    """What a step of these times is, by what lies between most of them; unit: the user says it.

    Raises DataError where all are the same.
    """
    ordered = sorted(set(times))
    if len(ordered) < 2:
        raise DataError(f"all rows have the same time, {times[0]}; a series needs several (data.time)")
    first = ordered[0]
    if not isinstance(first, datetime):
        between = Counter(round(b - a, 9) for a, b in itertools.pairwise(ordered))
        return Clock("step", between.most_common(1)[0][0], first)
    if unit in MONTHS:
        start = first.month - 1 - (first.month - 1) % MONTHS[unit]
        return Clock(unit, 1, datetime(first.year, start + 1, 1, tzinfo=UTC))
    if unit is not None:
        seconds = SECONDS[unit]
        since = (first - datetime(1970, 1, 5, tzinfo=UTC)).total_seconds()  # a Monday
        return Clock(unit, 1, first - timedelta(seconds=since % seconds))
    if _monthly(ordered):
        months = [one.year * 12 + one.month for one in ordered]
        every = Counter(b - a for a, b in itertools.pairwise(months)).most_common(1)[0][0]
        unit = next(one for one in ("year", "quarter", "month") if every % MONTHS[one] == 0)
        return Clock(unit, every // MONTHS[unit], first)
    gaps = Counter((b - a).total_seconds() for a, b in itertools.pairwise(ordered))
    every = gaps.most_common(1)[0][0]
    unit = next((one for one in ("week", "day", "hour", "minute") if every % SECONDS[one] == 0), "second")
    return Clock(unit, every / SECONDS[unit], first)


def steps_of(times: Sequence[Any], clock: Clock, *, between: bool) -> tuple[np.ndarray, np.ndarray]:
    """The step of each time, int (N,), and which lie on none, bool (N,).  between: those belong to the step before."""
    import numpy as np

    if clock.unit == "step":
        exact = (np.array(times) - clock.first) / clock.every
    elif clock.unit in SECONDS:
        seconds = np.array([(one - clock.first).total_seconds() for one in times])
        exact = seconds / (SECONDS[clock.unit] * clock.every)
    else:
        start = clock.first.year * 12 + clock.first.month
        months = np.array([one.year * 12 + one.month - start for one in times])
        exact = months / (MONTHS[clock.unit] * clock.every)
    steps = np.floor(exact) if between else np.round(exact)
    return steps.astype(np.int64), (np.abs(exact - steps) > 1e-6) & (not between)


def season_of(values: np.ndarray, clock: Clock, given: int | None, *, longest: int | None = None) -> tuple[int, str]:
    """After how many steps things come again, and why; values (n,), of train alone; of several series one after the
    other, with gaps between, and the steps of the `longest`.

    Of the lengths that the unit offers, the one at which values are most alike, against half of it.
    """
    import numpy as np

    if given is not None:
        return given, "as data.season says"
    steps = len(values) if longest is None else longest
    offered = [round(one / clock.every) for one in SEASONS.get(clock.unit, ()) if one / clock.every >= 2]

    def apart(lag: int) -> float:
        with np.errstate(invalid="ignore"):
            return float(np.nanmean(np.abs(values[lag:] - values[:-lag])))

    known = {one: apart(one) / max(apart(max(1, one // 2)), 1e-12) for one in offered if steps >= 2 * one}
    if not known:
        return 1, ""
    best = min(known, key=known.__getitem__)
    if known[best] >= 1:
        return best, f"by the calendar; values {best} steps apart are no more alike than those half as far"
    return best, f"values that are {best} steps apart differ by {known[best]:.0%} of what those half as far do"


def _monthly(ordered: Sequence[datetime]) -> bool:
    """Whether all are of one day of the month, or its last, at the same time of day; of more than one month."""
    if len({(one.year, one.month) for one in ordered}) < len(ordered) or len({one.time() for one in ordered}) > 1:
        return False
    return len({one.day for one in ordered}) == 1 or all((one + timedelta(days=1)).day == 1 for one in ordered)
