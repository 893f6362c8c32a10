"""Dates in many formats: the texts mean their truths, nothing comes twice, and the seed decides."""

import datetime
import sys

import pytest

from dlspec.data.dates import FORMATS, Dates
from dlspec.types import DataError

PATTERNS = {
    "short": "%m/%d/%y", "medium": "%b %d, %Y", "long": "%B %d, %Y", "full": "%A, %B %d, %Y",
    "d MMM y": "%d %b %Y", "dd MMM y": "%d %b %Y", "d MMM, y": "%d %b, %Y", "MMM d y": "%b %d %Y",
    "EEE, d MMM y": "%a, %d %b %Y", "d MMMM y": "%d %B %Y", "d. MMMM y": "%d. %B %Y", "d MMMM, y": "%d %B, %Y",
    "MMMM d y": "%B %d %Y", "EEEE d MMMM y": "%A %d %B %Y", "d MM yy": "%d %m %y", "dd.MM.yy": "%d.%m.%y",
    "d.M.y": "%d.%m.%Y", "y/MM/dd": "%Y/%m/%d",
}  # fmt: skip


def test_texts_mean_what_the_truth_says():
    """Read back by Python's own parser, whose two digits of a year mean 1969 to 2068: a century is set right."""
    examples = Dates().load().parts["all"]
    assert len(examples) == 10_000 and set(PATTERNS) == set(FORMATS)
    for one in examples:
        day = datetime.datetime.strptime(one.x, PATTERNS[one.tags["format"]]).date()
        if "%y" in PATTERNS[one.tags["format"]]:
            day = day.replace(year=1950 + (day.year - 1950) % 100)
        assert day.isoformat() == one.y
    used = list(examples.columns["tags"]["format"])
    assert all(used.count(how) > 400 for how in FORMATS)
    assert examples[0].x and int(min(examples.column("y"))[:4]) >= 1950 and max(examples.column("y")) < "2050"


def test_no_day_is_in_two_splits():
    splits = Dates(examples=3_000).read()
    days = [y for part in splits.parts.values() for y in part.column("y")]
    assert len(set(days)) == len(days) == 3_000
    assert {name: len(part) for name, part in splits.parts.items()} == {"train": 2100, "dev": 450, "test": 450}
    assert len(set(Dates(examples=36_525).load().parts["all"].column("y"))) == 36_525


def test_the_seed_decides():
    def texts(**settings):
        return list(Dates(examples=50, **settings).load().parts["all"].column("x"))

    assert texts() == texts() != texts(seed=1)
    assert any("März" in one or "Mai" in one for one in texts(locale="de_DE"))


def test_what_is_missing_is_told(monkeypatch):
    with pytest.raises(DataError, match="no locale that Babel knows"):
        Dates(locale="xx_YY").load()
    monkeypatch.setitem(sys.modules, "babel", None)
    with pytest.raises(DataError, match=r"pip install 'dlspec\[dates\]'"):
        Dates().load()
