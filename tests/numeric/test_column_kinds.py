"""Columns told apart, and read."""

from datetime import UTC, datetime

import numpy as np
import pytest

from dlspec.numeric import columns


def text(*values):
    column = np.empty(len(values), object)
    column[:] = values
    return column


def numbers(*values):
    return np.array([np.nan if v is None else v for v in values], np.float64)


@pytest.mark.parametrize(
    ("values", "expected", "kind"),
    [
        (text("2020-02-29", None, "1969-12-31"), ["2020-02-29", "NaT", "1969-12-31"], "D"),
        (text("2020-02-29", "", "2020-03-01 10:30"), ["2020-02-29T00:00", "NaT", "2020-03-01T10:30"], "s"),
        (text("2020-02-29T23:00:01.7+02:00"), ["2020-02-29T23:00:01"], "s"),  # as it is written
        (text("31/12/2020", "1/2/2021", None), ["2020-12-31", "2021-02-01", "NaT"], "D"),
        (text("12/31/2020", "1/2/2021"), ["2020-12-31", "2021-01-02"], "D"),
        (text("31.12.2020 10:30", "1.2.2021 00:00"), ["2020-12-31T10:30", "2021-02-01T00:00"], "s"),
        (text("2020/3/1", "2020/12/31"), ["2020-03-01", "2020-12-31"], "D"),
    ],
)
def test_dates_as_they_are_written(values, expected, kind):
    found = columns.dates(values)
    assert found.dtype == f"M8[{kind}]"
    np.testing.assert_array_equal(found, np.array(expected, f"M8[{kind}]"))


@pytest.mark.parametrize(
    "values", [text("2020-02-30"), text("2020-01-01", "x"), text(None, ""), text("1", "2"), text("1/2/2020")]
)
def test_what_is_no_date(values):
    assert columns.dates(values) is None
    assert np.isnat(columns.as_dates(values)[0]).sum() >= 1


SPREAD = np.random.default_rng(0).permutation(891)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("age", numbers(22, 38, None, 35), "numeric"),
        ("flag", numbers(0, 1, 1, 0), "numeric"),
        ("one", numbers(3, 3, 3), "constant"),
        ("one or nothing", numbers(3, None, 3), "numeric"),
        ("none", numbers(None, None), "empty"),
        ("none", text(None, None), "empty"),
        ("sex", text("male", "female", "male"), "categorical"),
        ("one", text("a", "a", "a"), "constant"),
        ("one or nothing", text("a", None, "a"), "categorical"),
        ("born", text("2001-02-03", None, "1999-12-31"), "date"),
        ("when", text("2001-02-03T10:20:30Z", "2001-02-03 11:00"), "date"),
        ("not quite", text("2001-02-30", "2001-02-03"), "categorical"),
        ("compact", text("20010203", "20010204"), "categorical"),
        ("name", text(*(f"n{i}" for i in range(40))), "identifier"),
        ("too few to tell", text(*(f"n{i}" for i in range(9))), "categorical"),
        ("ticket", text(*(f"t{i // 2}" if i < 60 else f"t{i}" for i in range(200))), "identifier"),
        ("town", text(*(f"t{i % 60}" for i in range(200))), "categorical"),
        ("row", numbers(*range(891)), "identifier"),
        ("a third of the rows", SPREAD[:297].astype(float), "identifier"),
        ("few of many", np.arange(0, 20_000, 700.0), "numeric"),
        ("user_id", np.arange(0, 20_000, 700.0), "identifier"),
        ("user_id", numbers(*[1, 2, 3, 4] * 5), "numeric"),
        ("halves", np.arange(100) / 2, "numeric"),
    ],
)
def test_kinds(name, values, kind):
    assert columns.kind_of(name, values, 50) == kind


@pytest.mark.parametrize("name", ["PassengerId", "user_id", "ID", "customerID", "Unnamed: 0", "row index", "IDNumber"])
def test_names_of_rows(name):
    assert columns.names_a_row(name)


@pytest.mark.parametrize("name", ["paid", "humidity", "width", "Acidity", "idea", "grid"])
def test_other_names(name):
    assert not columns.names_a_row(name)


def test_numbers_from_text():
    parsed, wrong = columns.numbers(text("1.5", None, "-2e3", "true", "abc", "inf", "1e999"))
    assert parsed[[0, 2, 3]].tolist() == [1.5, -2000, 1]
    assert np.isnan(parsed[[1, 4, 5, 6]]).all()
    assert wrong.tolist() == [False, False, False, False, True, True, True]


def test_moments_are_utc():
    parsed, wrong = columns.moments(text("1970-01-02", "1970-01-01T01:00:00+01:00", "1970-01-01 00:00:01.5", None, "x"))
    assert parsed[:3].tolist() == [86400, 0, 1.5]
    assert wrong.tolist() == [False, False, False, False, True]
    assert columns.moments(numbers(2001, None))[1].tolist() == [True, False]


def test_words_of_numbers():
    assert columns.words(numbers(3, 2.5, None, 1e300)) == ["3", "2.5", None, "1e+300"]
    assert columns.words(text("3.0", "a", None), numeric=True) == ["3", "a", None]
    assert columns.words(text("3.0", "a", None)) == ["3.0", "a", None]


def test_parts_of_a_date_by_hand():
    # The 3rd of January 2000 was a Monday; 6 o'clock is a quarter of the day, and Monday starts the week.
    moment = datetime(2000, 1, 3, 6, tzinfo=UTC)
    parts = columns.date_parts(np.array([moment.timestamp(), np.nan]))
    assert parts["days"][0] == 10959.25
    assert parts["week sine"][0] == pytest.approx(0) and parts["week cosine"][0] == pytest.approx(1)
    assert parts["day sine"][0] == pytest.approx(1) and parts["day cosine"][0] == pytest.approx(0, abs=1e-9)
    assert all(np.isnan(values[1]) for values in parts.values())
    year = columns.date_parts(np.array([datetime(y, 7, 1, tzinfo=UTC).timestamp() for y in (1975, 2020)]))
    assert np.ptp(year["year sine"]) < 0.02 and year["year cosine"][0] == pytest.approx(-1, abs=0.01)
