"""What the columns of a table are for, besides predicting: ids, groups, times, weights, tags, and what to leave out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

from dlspec.numeric.columns import ISO, kind_of, moments, names_a_row, spelt, undecided
from dlspec.numeric.printable import shown
from dlspec.numeric.written_dates import first_of
from dlspec.proposals import Line, Lines

if TYPE_CHECKING:
    import numpy as np

MOST = 50
"""categories of a column, as inputs/table pools them"""
GROUPS = re.compile(
    r"(customer|patient|user|subject|person|client|member|student|employee|player|speaker|writer|author|session|"
    r"household|family|site|hospital|clinic|shop|store|device|machine|vehicle|group)s?([_ ]?(id|no|nr|number|code))?$",
    re.IGNORECASE,
)
"""columns that say who or where an example comes from"""
FEWEST_GROUPS = 10
LONG = 60
"""characters from which words are no names"""
WEIGHTS = re.compile(r"(sample|instance|example|case|observation)[_ ]?weights?$", re.IGNORECASE)
CODES = re.compile(r"(class|type|code|kind|category|zip|region|month|weekday|status|group)(_?id)?$", re.IGNORECASE)
"""columns of whole numbers that may be names"""
TAGS, TAG_CLASSES = 3, (2, 8)
"""columns to slice by at most, and how many different values they have"""


class Roles(NamedTuple):
    """Settings of the reader, of its split and of the input; and what is left to predict from."""

    data: Lines
    split: Lines
    input: Lines
    features: int
    """numbers that the network is given, about"""
    why_not: Mapping[str, str]
    """columns that are no features, and why"""


def roles(columns: Mapping[str, np.ndarray], target: str, *, divided: bool, droppable: bool) -> Roles:
    """columns: every one, typed, with the target.  divided: the files are the splits.  droppable: columns are features.

    droppable=False: what goes in are pictures, and no column.
    """
    kinds = {name: _kind(name, values) for name, values in columns.items() if name != target}
    data: list[Line] = []
    split: list[Line] = []
    used: set[str] = set()
    group = None if divided else _group(columns, kinds)
    if group is not None:
        split.append(group)
        if group.sure:
            used.add(group.value)
    own = _id(columns, kinds) if droppable else None
    if own is not None:
        data.append(own)
        used.add(own.value)
    time = None if divided or (group is not None and group.sure) else _time(columns, kinds)
    if time is not None:
        split.append(time)
    weight = next((name for name in kinds if WEIGHTS.search(name) and _weighs(columns[name])), None)
    if weight is not None:
        data.append(Line("weight", weight, "how much each example counts, by its name"))
        used.add(weight)
    given_up = [name for name, kind in kinds.items() if kind == "identifier" and name not in used] if droppable else []
    if given_up:
        why = "; ".join(f"{shown(name)} ({_why_dropped(columns[name])})" for name in given_up[:6])
        data.append(Line("drop", given_up, f"left out: {why}"))
    tags = [name for name in kinds if name not in used and _slices(columns[name], kinds[name])][:TAGS]
    if tags:
        stay = "; they stay features" if droppable else ""
        data.append(Line("tags", tags, f"scores and errors are shown for each of their values as well{stay}"))
    codes = [name for name, kind in kinds.items() if kind == "numeric" and name not in used and _coded(name, columns)]
    lines: list[Line] = []
    if codes and droppable:
        why = "whole numbers of few values, read as amounts; take this where they are names (3 is not more than 1)"
        lines.append(Line("categorical", codes, why, sure=False))
    left = [name for name in kinds if name not in used and kinds[name] in ("numeric", "categorical", "date")]
    why_not = {name: _why_dropped(columns[name], kinds[name], name in used) for name in kinds if name not in left}
    return Roles(tuple(data), tuple(split), tuple(lines), sum(_width(columns[n], kinds[n]) for n in left), why_not)


def _kind(name: str, values: np.ndarray) -> str:
    """What a column holds as train will see it, which has fewer rows: a name of rows there is one here."""
    import numpy as np

    some = kind_of(name, values[np.arange(len(values)) % 10 < 7], MOST)
    return some if some == "identifier" else kind_of(name, values, MOST)


def told(
    columns: Mapping[str, np.ndarray], target: str | None, limit: int = 40, *, entered: Collection[str] = ()
) -> list[str]:
    """A line a column for people: its name, what it holds, and some of it.  entered: the columns that alone go in."""
    names = list(columns)[:limit]
    rows = [(shown(name)[:40], *_told(name, columns[name], name == target)) for name in names]
    uses = ["the input" if own in entered else kind for own, (_, kind, _) in zip(names, rows, strict=True)]
    rows = [(name, use, what) for use, (name, _, what) in zip(uses, rows, strict=True)]
    wide = [max(len(row[i]) for row in rows) for i in (0, 1)]
    lines = [f"  {name:{wide[0]}}  {kind:{wide[1]}}  {what}".rstrip() for name, kind, what in rows]
    more = len(columns) - limit
    return lines + ([f"  … and {more:,} more"] if more > 0 else [])


def _told(name: str, values: np.ndarray, is_target: bool) -> tuple[str, str]:
    import numpy as np

    kind, absent = _kind(name, values), missing(values)
    numbers = values.dtype != object
    present = values[~absent]
    lost = f"; {absent.sum():,} missing ({absent.mean():.0%})" if absent.any() else ""
    if not len(present):
        return "empty", ""
    if numbers:
        span = f"{_short_number(float(present.min()))} to {_short_number(float(present.max()))}"
        many = f", {len(np.unique(present))} different" if len(np.unique(present)) <= 20 else ""
        return _word(kind, is_target), span + many + lost
    counts = Counter(present.tolist())
    if kind == "date":
        when = dict(zip(counts, moments(np.array([*counts], object), first_of(counts)[0])[0].tolist(), strict=True))
        return _word(
            kind, is_target
        ), f"{min(counts, key=when.__getitem__)} to {max(counts, key=when.__getitem__)}{lost}"
    some = ", ".join(f"{shown(word)[:24]} ({many:,})" for word, many in counts.most_common(4))
    if not is_target and (doubt := undecided(values)):
        return "dates?", f"{doubt}; write 2024-03-31{lost}"
    if kind == "identifier":
        some = f"as '{shown(next(iter(counts)))[:40]}'"
    return _word(kind, is_target), f"{len(counts):,} different: {some}{', …' if len(counts) > 4 else ''}{lost}"


def _short_number(value: float) -> str:
    return spelt(value) if value.is_integer() else f"{value:.5g}"


def _word(kind: str, is_target: bool) -> str:
    words = {"numeric": "numbers", "categorical": "categories", "date": "dates", "identifier": "names rows"}
    return "the target" if is_target else words.get(kind, kind)


def missing(values: np.ndarray) -> np.ndarray:
    """Where a typed column has nothing."""
    import numpy as np

    return np.isnan(values) if values.dtype != object else np.equal(values, None).astype(bool)


def _id(columns: Mapping[str, np.ndarray], kinds: Mapping[str, str]) -> Line | None:
    """The column that names each row: complete, each value once; by its name, else the first."""
    found = [
        name
        for name, kind in kinds.items()
        if kind == "identifier" and _each_once(columns[name]) and not undecided(columns[name])
    ]
    found.sort(key=lambda name: not names_a_row(name))
    if not found:
        return None
    return Line("id", found[0], "names each example, in reports and in the split; it is no feature")


def _each_once(values: np.ndarray) -> bool:
    return not missing(values).any() and len(set(values.tolist())) == len(values) and _short(values)


def _short(values: np.ndarray) -> bool:
    """Words of a name's length, and not sentences."""
    return values.dtype != object or max(map(len, values.tolist())) <= LONG


def _group(columns: Mapping[str, np.ndarray], kinds: Mapping[str, str]) -> Line | None:
    """A column that says who an example comes from and comes again; not sure where only its values look so."""
    found = []
    for name, values in columns.items():
        if name not in kinds or missing(values).any() or (values.dtype != object and (values % 1).any()):
            continue
        distinct = len(set(values.tolist()))
        called = GROUPS.search(name) is not None or names_a_row(name)
        if not FEWEST_GROUPS <= distinct < len(values) or not (called or kinds[name] == "identifier"):
            continue
        if undecided(values):
            continue
        if called and len(values) >= 1.2 * distinct:
            found.append((0, name, distinct))
        elif kinds[name] == "identifier" and values.dtype == object and _short(values):
            found.append((1, name, distinct))
    if not found:
        return None
    unsure, name, distinct = min(found)
    why = f"{distinct:,} different in {len(columns[name]):,} rows"
    if unsure:
        why += ": some rows share it; take this where those belong together, so that no group is divided"
    else:
        why += ": rows of one are alike, so that each is kept in one split, and is no feature"
    return Line("group", name, why, sure=not unsure)


def _time(columns: Mapping[str, np.ndarray], kinds: Mapping[str, str]) -> Line | None:
    """Dates to order by; sure where the rows lie in their order."""
    for name, kind in kinds.items():
        values = columns[name]
        if values.dtype != object or missing(values).any() or not _dated(values, kind):
            continue
        texts = values.tolist()
        when = moments(values, first_of(texts)[0])[0].tolist() if kind == "date" else texts
        if when == sorted(when) and len(set(when)) > 0.5 * len(when):
            why = "rows lie in the order of this: the latest are test, those before them dev, as in use"
            return Line("time", name, why)
        why = "take this where the network is to judge later examples than it learned from: the latest become test"
        return Line("time", name, why, sure=False)
    return None


def _dated(values: np.ndarray, kind: str) -> bool:
    if kind == "date":
        return True
    return all(re.fullmatch(r"\d{4}[-/]\d{1,2}([-/]\d{1,2})?", one) or ISO.fullmatch(one) for one in values.tolist())


def _weighs(values: np.ndarray) -> bool:
    return values.dtype != object and bool((values >= 0).all()) and bool(values.max() > 0)


def _slices(values: np.ndarray, kind: str) -> bool:
    """Whether scores by each of its values tell something: few values, none of them rare."""
    if kind != "categorical" or values.dtype != object:
        return False
    counts = Counter(one for one in values.tolist() if one is not None)
    return TAG_CLASSES[0] <= len(counts) <= TAG_CLASSES[1] and min(counts.values()) >= max(5, 0.02 * len(values))


def _coded(name: str, columns: Mapping[str, np.ndarray]) -> bool:
    import numpy as np

    values = columns[name]
    if values.dtype == object:
        return False
    present = values[~np.isnan(values)]
    distinct = len(np.unique(present))
    few = 3 <= distinct <= (MOST if CODES.search(name) else 0)
    return few and bool((present % 1 == 0).all())


def _why_dropped(values: np.ndarray, kind: str = "identifier", used: bool = False) -> str:
    words = [one for one in values.tolist() if one is not None]
    if kind != "identifier" and not used:
        return "the same everywhere" if kind == "constant" else kind
    if values.dtype == object and max(map(len, words)) > LONG:
        return f"texts of up to {max(map(len, words)):,} characters, which a table cannot use"
    if doubt := undecided(values):
        return f"dates, but {doubt}; write 2024-03-31"
    return f"{len(set(words)):,} different in {len(words):,}: it names rows"


def _width(values: np.ndarray, kind: str) -> int:
    """Numbers that it becomes for the network."""
    if kind == "numeric":
        return 1
    return 7 if kind == "date" else min(MOST, len(set(values.tolist())))
