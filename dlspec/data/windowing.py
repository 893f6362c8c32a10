"""A series as examples: windows and what comes after each, divided by time so that none sees what a later one asks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dlspec.data.regular import Clock, season_of
from dlspec.data.splits import counted
from dlspec.types import DataError, Examples, Place, Splits
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.along_time import Timeline
    from dlspec.data.time_series import TimeSeries

FEWEST_BLOCKS = 8
"""blocks of two horizons that a split should have; of fewer, a block is one horizon long"""
CYCLES = {"year": 365.2425 * 86_400, "week": 7 * 86_400.0, "day": 86_400.0}
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def parts_of(reader: TimeSeries, line: Timeline, names: list[str], targets: int, *, whole: bool, truth: bool) -> Splits:
    """The splits of a series; `whole`: one part with all of its windows.  names: the columns, the first of them the
    `targets`.  Without truth: the window that ends with the last step, of which y is None.

    Raises DataError where there is no window, in all or in a split.
    """
    import numpy as np

    window, horizon, count = reader.window, reader.horizon, len(line.values)
    dev, test = (counted(one, count) for one in (reader.split.dev, reader.split.test))
    ends = {"all": count} if whole or not truth else {"train": count - dev - test, "dev": count - test, "test": count}
    ends = {name: end for name, end in ends.items() if name in ("train", "all") or {"dev": dev, "test": test}[name]}
    season, why = season_of(line.values[: next(iter(ends.values())), 0], line.clock, reader.season)
    notes = list(line.notes)
    if not whole:  # of a further file, the season is what train's was
        notes += season_note(season, why, reader, line.clock, next(iter(ends.values())))
    values, names = with_calendar(line, names, reader)
    known = ~np.isnan(values).any(axis=1)
    settings = {"names": names, "season": season}
    if not truth:
        return _ahead(line, values, known, window, settings, notes, reader.path)
    parts, begin, bare = {}, 0, 0
    for name, end in ends.items():
        first = max(begin, window)
        origins = np.arange(first, end - horizon + 1, reader.stride)
        kept = untouched(origins, known, window, horizon)
        bare += len(origins) - int(kept.sum())
        origins = origins[kept]
        if not len(origins):
            raise DataError(too_short(name, end - begin, len(line.values), reader, bare), where=Place(reader.path))
        parts[name] = _examples(line, values, origins, window, horizon, targets, settings)
        begin = end
    if bare:
        notes.append(
            f"{plural(bare, 'window is', 'windows are')} left out, as a step without a value is in a window or in "
            "what is asked of it"
        )
    if "train" in parts:
        notes.append(_division(parts, line, ends, horizon))
    return Splits(parts, notes=tuple(notes))


def _examples(
    line: Timeline,
    values: np.ndarray,
    origins: np.ndarray,
    window: int,
    horizon: int,
    targets: int,
    settings: dict[str, Any],
) -> Examples:
    import numpy as np

    from dlspec.numeric.windows import Windows

    labels = [line.labels[one] for one in origins.tolist()]
    ahead = values[origins[:, None] + np.arange(horizon), :targets]
    block = block_length(int(origins[-1] - origins[0]) + horizon, horizon)
    starts = origins[0] + (origins - origins[0]) // block * block
    groups = [f"from {line.labels[one]}" for one in starts.tolist()]
    tags = tags_of(line.clock, origins.tolist())
    return Examples(labels, Windows(values, origins - window, window, **settings), ahead, tags=tags, groups=groups)


def block_length(steps: int, horizon: int) -> int:
    """Steps of a block of windows that intervals draw together, of a split of so many.

    Two horizons, since windows a horizon apart have no target in common; one, where that left fewer than 8 blocks; and
    no fewer than the cube root of the steps (Künsch 1989), as errors far apart are alike, too.
    """
    block = 2 * horizon if steps >= FEWEST_BLOCKS * 2 * horizon else horizon
    return max(block, math.ceil(steps ** (1 / 3)))


def _ahead(
    line: Timeline,
    values: np.ndarray,
    known: np.ndarray,
    window: int,
    settings: dict[str, Any],
    notes: list[str],
    path: str,
) -> Splits:
    from dlspec.numeric.windows import Windows

    count = len(values)
    if count < window:
        message = f"there are {plural(count, 'step')}, and a forecast looks back {window:,} (data.window)"
        raise DataError(message, where=Place(path))
    if not known[-window:].all():
        message = f"a value is missing among the last {window:,} steps; set data.gaps: last, or give it"
        raise DataError(message, where=Place(path))
    x = Windows(values, [count - window], window, **settings)
    first = line.clock.told(count)
    notes = [*notes, f"what comes after the last row is forecast, from {first} on"]
    return Splits({"all": Examples([first], x, tags=tags_of(line.clock, [count]))}, notes=tuple(notes))


def untouched(origins: np.ndarray, known: np.ndarray, window: int, horizon: int) -> np.ndarray:
    """Whether all steps of a window and of what is asked of it are known, bool (N,)."""
    import numpy as np

    total = np.concatenate([[0], np.cumsum(known)])
    kept: np.ndarray = total[origins + horizon] - total[origins - window] == window + horizon
    return kept


def with_calendar(line: Timeline, names: list[str], reader: TimeSeries) -> tuple[np.ndarray, list[str]]:
    """The values with two channels more for each cycle."""
    import numpy as np

    if not reader.calendar:
        return line.values, names
    if line.clock.unit == "step":
        raise DataError(
            "times are plain numbers, which have no calendar; leave it out", where=Place(key="data.calendar")
        )
    seconds = np.array([line.clock.at(step).timestamp() for step in range(len(line.values))])
    seconds -= 4 * 86_400.0  # weeks begin on Monday, and 1970 began on a Thursday
    channels = [line.values]
    for one in reader.calendar:
        angle = 2 * np.pi * seconds / CYCLES[one]
        channels.append(np.stack([np.sin(angle), np.cos(angle)], axis=1))
    more = [f"{part} of the {one}" for one in reader.calendar for part in ("sine", "cosine")]
    return np.concatenate(channels, axis=1), [*names, *more]


def tags_of(clock: Clock, steps: Sequence[int]) -> dict[str, list[str]]:
    """What of the calendar may explain errors: slices of the error analysis."""
    if clock.unit in ("step", "year"):
        return {}
    moments = [clock.at(step) for step in steps]
    found = {"month": [MONTHS[one.month - 1] for one in moments]}
    if clock.unit in ("day", "hour", "minute", "second") and clock.words != "week":
        found["weekday"] = [WEEKDAYS[one.weekday()] for one in moments]
    if clock.unit in ("hour", "minute", "second"):
        found["hour"] = [f"{one.hour:02d}" for one in moments]
    return found


def season_note(season: int, why: str, reader: TimeSeries, clock: Clock, steps: int) -> list[str]:
    """What is to be said of a season, in train's so many steps, or where it is not known."""
    if season == 1:
        return [] if reader.season else ["no season is known of such steps; data.season says one"]
    said = f"season: {season} steps ({why})"
    if season >= steps:
        there = f"there are no more than {steps:,} steps to learn from" if steps else "there is nothing to learn from"
        return [
            f"{said}; {there}, no whole season, so that the seasonal naive forecast is not known: say a shorter one"
        ]
    if season > reader.window:
        length = (
            "" if reader.window < 2 else f" (and input.length: {reader.window}, where the network should see no more)"
        )
        said += (
            f"; the window of {reader.window} does not reach back so far, so that the seasonal naive forecast is not "
            f"known: set data.window: {season}{length}"
        )
    return [said]


def too_short(name: str, steps: int, count: int, reader: TimeSeries, bare: int) -> str:
    whose = f"{name} has {steps:,} of {count:,} steps" if name != "all" else f"there are {plural(steps, 'step')}"
    need = f"a window needs {reader.window:,} before it (data.window) and {reader.horizon:,} after (data.horizon)"
    need += "; make these smaller, or give more steps"
    if name not in ("train", "all"):
        need = f"a window asks for {reader.horizon:,} of them (data.horizon); give it more (data.split.{name})"
    return f"{whose}, and {need}" + (
        f"; {plural(bare, 'window has', 'windows have')} a step without a value (data.gaps)" if bare else ""
    )


def _division(parts: dict[str, Examples], line: Timeline, ends: dict[str, int], horizon: int) -> str:
    said, begin = [], 0
    for name, end in ends.items():
        said.append(f"{name} {len(parts[name]):,} windows ({line.labels[begin]} to {line.labels[end - 1]})")
        begin = end
    across = f"; {horizon - 1} at each border, asked across it, are in none" if horizon > 1 and len(ends) > 1 else ""
    return f"split by time: {', '.join(said)}{across}"
