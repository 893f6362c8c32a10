"""Several series in one table, a column of which names them: windows never go from one to another, all cut at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dlspec.data.along_time import Timeline, laid_out
from dlspec.data.columns import Joined
from dlspec.data.regular import SEASONS, Clock, clock_of, season_of, steps_of
from dlspec.data.roles import complete
from dlspec.data.sources import some
from dlspec.data.splits import counted
from dlspec.data.windowing import FEWEST_BLOCKS, block_length, season_note, tags_of, too_short, untouched, with_calendar
from dlspec.numeric.forecasts import in_sample_error
from dlspec.numeric.windows import Windows
from dlspec.types import Complaint, DataError, Examples, Place, Splits
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.time_series import TimeSeries

SHOWN = 3
"""series that are named of those that something is said of"""
MOST_FAULTS = 20
"""faults that are told one by one"""


class One(NamedTuple):
    """A series of several: its name, its steps, and at which of all steps it begins."""

    name: str
    line: Timeline
    offset: int


def lines_of(
    reader: TimeSeries, data: Joined, time: str, times: Sequence[Any], columns: Mapping[str, np.ndarray]
) -> tuple[list[One], Clock, list[str]]:
    """Each series laid out by itself, in the order of the file; the clock of all; what there is to say.

    A step is what most series have.  Those of a single time are left out, and told.  Raises DataError that tells of
    every series what is wrong with it.
    """
    import numpy as np
    import pyarrow as pa

    parts = [complete(data, one) for one in reader.series_columns]
    names = [" ".join(row) for row in zip(*parts, strict=True)]
    rows: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        rows.setdefault(name, []).append(place)
    single = [name for name, own in rows.items() if len({times[row] for row in own}) < 2]
    rows = {name: own for name, own in rows.items() if name not in set(single)}
    if not rows:
        raise DataError(
            f"each of the {len(single):,} series that '{' '.join(reader.series_columns)}' names has one time alone; is "
            "this the column that names the series (data.series)?",
            where=Place(reader.path),
        )
    clocks = {name: clock_of([times[row] for row in own], reader.frequency) for name, own in rows.items()}
    usual = Counter({(one.unit, one.every): 0 for one in clocks.values()})
    for name, one in clocks.items():
        usual[one.unit, one.every] += len(rows[name])
    (unit, every), _ = usual.most_common(1)[0]
    found, faults, said = list[tuple[str, Timeline]](), list[Complaint](), dict[str, list[str]]()
    for name, own in rows.items():
        places = np.array(own)
        part = Joined(
            {key: column.take(pa.array(places)) for key, column in data.columns.items()},
            data.files, [0, len(own)], data.rows[places],
        )  # fmt: skip
        values = {key: column[places] for key, column in columns.items()}
        clock = clocks[name]._replace(unit=unit, every=every)
        settings: dict[str, Any] = {"frequency": reader.frequency, "duplicates": reader.duplicates, "gaps": reader.gaps}
        try:
            line = laid_out(part, time, values, moments=[times[row] for row in own], clock=clock, **settings)
        except DataError as error:
            faults += [Complaint(one.where, f"series '{name}': {one.message}") for one in error.complaints]
            continue
        found.append((name, line))
        for note in line.notes:
            said.setdefault(note, []).append(name)
    if faults:
        left = len(faults) - MOST_FAULTS
        more = [Complaint(Place(reader.path), f"{left:,} more such faults in other rows")] if left > 0 else []
        raise DataError([*faults[:MOST_FAULTS], *more])
    base = min((line.clock for _, line in found), key=lambda one: one.first)
    offsets = steps_of([line.clock.first for _, line in found], base, between=True)[0].tolist()
    notes = [f"{note} ({_those(whose, len(found))})" for note, whose in said.items()]
    if single:
        notes.append(f"left out, as each has one time alone: {_count(single)} ({_named(single)})")
    return [One(name, line, at) for (name, line), at in zip(found, offsets, strict=True)], base, notes


def parts_of(
    reader: TimeSeries, several: Sequence[One], base: Clock, names: list[str], targets: int, *, whole: bool, truth: bool
) -> Splits:
    """The splits of several series: all are cut at the same moments, as what moves one may move the others.

    A series without a window in train, or that stands still there, is in no split, as nothing is known to scale its
    errors by; it is told.  `whole`: one part with all windows.  Without truth: of each the window that ends with its
    last step.  Raises DataError where there is no window, in all or in a split.
    """
    import numpy as np

    count = max(one.offset + len(one.line.values) for one in several)
    dev, test = (counted(one, count) for one in (reader.split.dev, reader.split.test))
    ends = {"all": count} if whole or not truth else {"train": count - dev - test, "dev": count - test, "test": count}
    ends = {name: end for name, end in ends.items() if name in ("train", "all") or {"dev": dev, "test": test}[name]}
    first_end = next(iter(ends.values()))
    season, why = _season(several, first_end, base, reader.season)
    notes = [] if whole else season_note(season, why, reader, base, first_end)
    channels = [with_calendar(one.line, names, reader) for one in several]
    bases = np.cumsum([0, *(len(values) for values, _ in channels)])[:-1].tolist()
    values = np.concatenate([own for own, _ in channels])
    settings = {"names": channels[0][1], "season": season}
    if not truth:
        return _ahead(reader, several, values, bases, settings, notes)
    origins: dict[str, list[np.ndarray]] = {}
    begin, bare = 0, 0
    for name, end in ends.items():
        origins[name] = []
        for one, (own, _) in zip(several, channels, strict=True):
            first, last = max(begin - one.offset, reader.window), min(end - one.offset, len(own))
            found = np.arange(first, last - reader.horizon + 1, reader.stride)
            kept = untouched(found, ~np.isnan(own).any(axis=1), reader.window, reader.horizon)
            bare += len(found) - int(kept.sum())
            origins[name].append(found[kept])
        begin = end
    if "train" in ends:
        notes += _left_out(several, origins, ends["train"], targets)
    parts, begin = {}, 0
    for name, end in ends.items():
        if not any(map(len, origins[name])):
            raise DataError(too_short(name, end - begin, count, reader, bare), where=Place(reader.path))
        parts[name] = _examples(several, base, origins[name], values, bases, reader, targets, settings)
        begin = end
    if bare:
        notes.append(
            f"{plural(bare, 'window is', 'windows are')} left out, as a step without a value is in a window or in "
            "what is asked of it"
        )
    if "train" in parts:
        notes.append(_division(parts, base, ends))
    return Splits(parts, notes=tuple(notes))


def _season(several: Sequence[One], end: int, base: Clock, given: int | None) -> tuple[int, str]:
    """What of train's steps of all series comes again: each in its own deviations, with a gap between any two."""
    import numpy as np

    room = np.full(max(SEASONS.get(base.unit, (1,))) + 1, np.nan)
    rows, longest = [room], 0
    for one in several:
        own = one.line.values[: max(0, end - one.offset), 0]
        spread = np.nanstd(own) if np.isfinite(own).any() else 0.0
        if spread > 0:
            rows += [own / spread, room]
            longest = max(longest, len(own))
    return season_of(np.concatenate(rows), base, given, longest=longest)


def _left_out(several: Sequence[One], origins: dict[str, list[np.ndarray]], end: int, targets: int) -> list[str]:
    """Takes the windows of series away that train knows too little of, and says which."""
    import numpy as np

    short, still = list[str](), list[str]()
    for place, one in enumerate(several):
        known = one.line.values[: max(0, end - one.offset), :targets]
        if not len(origins["train"][place]):
            short.append(one.name)
        elif not (in_sample_error(known) > 0).all():
            still.append(one.name)
        else:
            continue
        for name in origins:
            origins[name][place] = np.zeros(0, np.int64)
    why = {
        "a window in train, so that nothing is known to scale its errors by": short,
        "a change in train, so that there is nothing to forecast": still,
    }
    return [
        f"in no split, as none has {what}: {_count(names)} ({_named(names)})" for what, names in why.items() if names
    ]


def _examples(
    several: Sequence[One],
    base: Clock,
    origins: Sequence[np.ndarray],
    values: np.ndarray,
    bases: Sequence[int],
    reader: TimeSeries,
    targets: int,
    settings: dict[str, Any],
) -> Examples:
    import numpy as np

    window, horizon = reader.window, reader.horizon
    at = [own + one.offset for own, one in zip(origins, several, strict=True) if len(own)]
    first, last = min(int(one[0]) for one in at), max(int(one[-1]) for one in at)
    block = block_length(last - first + horizon, horizon)
    alone = (last - first) // block + 1 < FEWEST_BLOCKS
    ids, groups, whose, starts = list[str](), list[str](), list[str](), list[np.ndarray]()
    tags: dict[str, list[str]] = {}
    for one, own, begin in zip(several, origins, bases, strict=True):
        ids += [f"{one.name} {one.line.labels[step]}" for step in own.tolist()]
        whose += [one.name] * len(own)
        blocks = (own + one.offset - first) // block * block + first
        groups += [f"{one.name}, " * alone + f"from {base.told(step)}" for step in blocks.tolist()]
        for key, found in tags_of(one.line.clock, own.tolist()).items():
            tags.setdefault(key, []).extend(found)
        starts.append(own + begin)
    places = np.concatenate(starts)
    ahead: Any = values[places[:, None] + np.arange(horizon), :targets]
    x = Windows(values, places - window, window, **settings)
    return Examples(ids, x, ahead, tags={"series": whose, **tags}, groups=groups)


def _ahead(
    reader: TimeSeries,
    several: Sequence[One],
    values: np.ndarray,
    bases: Sequence[int],
    settings: dict[str, Any],
    notes: list[str],
) -> Splits:
    import numpy as np

    window = reader.window
    short = [one.name for one in several if len(one.line.values) < window]
    bare = [one.name for one in several if np.isnan(one.line.values[-window:]).any() and one.name not in short]
    lacks = {
        f"fewer than the {window:,} steps that a forecast looks back (data.window)": short,
        f"no value at some of the last {window:,} steps (give them, or set data.gaps: last)": bare,
    }
    faults = [f"{what}: {_count(names)} ({_named(names)})" for what, names in lacks.items() if names]
    able = [place for place, one in enumerate(several) if one.name not in {*short, *bare}]
    if not able:
        raise DataError("; ".join(faults), where=Place(reader.path))
    several, bases = [several[place] for place in able], [bases[place] for place in able]
    notes = [*notes, *(f"not forecast, {fault}" for fault in faults)]
    counts = [len(one.line.values) for one in several]
    firsts = [one.line.clock.told(count) for one, count in zip(several, counts, strict=True)]
    ids = [f"{one.name} {first}" for one, first in zip(several, firsts, strict=True)]
    starts = [begin + count - window for begin, count in zip(bases, counts, strict=True)]
    tags: dict[str, list[str]] = {"series": [one.name for one in several]}
    for one, count in zip(several, counts, strict=True):
        for key, found in tags_of(one.line.clock, [count]).items():
            tags.setdefault(key, []).extend(found)
    between = firsts[0] if len(set(firsts)) == 1 else f"{min(firsts)} to {max(firsts)}"
    notes = [*notes, f"what comes after the last row of each of {len(ids):,} series is forecast, from {between} on"]
    return Splits({"all": Examples(ids, Windows(values, starts, window, **settings), tags=tags)}, notes=tuple(notes))


def _division(parts: Mapping[str, Examples], base: Clock, ends: Mapping[str, int]) -> str:
    said, begin = [], 0
    for name, end in ends.items():
        many = len(set(parts[name].tag("series")))
        times = f"{base.told(begin)} to {base.told(end - 1)}"
        said.append(f"{name} {len(parts[name]):,} windows of {many:,} series ({times})")
        begin = end
    return f"split by time, all series at the same moments: {', '.join(said)}"


def _count(names: Sequence[str]) -> str:
    return f"{len(names):,} series"


def _named(names: Sequence[str]) -> str:
    return some("series", [f"'{one}'" for one in names], SHOWN).removeprefix("series").removeprefix("s").strip()


def _those(names: Sequence[str], of: int) -> str:
    return "all series" if len(names) == of else f"{_count(names)}: {_named(names)}"
