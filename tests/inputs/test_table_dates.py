"""Dates of feature columns as people write them: what they begin with is learned of train, told, and kept."""

import numpy as np
import pytest

from dlspec.data.column_guesses import roles, told
from dlspec.inputs.table import Table
from dlspec.numeric.rows import Rows
from dlspec.types import DataError, Examples


def dated(*words, **more):
    columns = {"d": np.array(words, object), "n": np.arange(len(words)) % 2.0}
    return Examples([f"r{i}" for i in range(len(words))], Rows({**columns, **more}))


ISO = ("2020-12-31", "2021-02-01", None, "2021-02-03")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("31/12/2020", "1/2/2021", None, "03/02/2021"),
            "'d': dates are taken to begin with the day, as '31/12/2020' does",
        ),
        (
            ("31.12.2020", "1.2.2021", None, "3.2.2021"),
            "'d': dates are taken to begin with the day, as '31.12.2020' does",
        ),
        (
            ("12/31/2020", "2/1/2021", None, "2/3/2021"),
            "'d': dates are taken to begin with the month, as '12/31/2020' does",
        ),
        (("2020/12/31", "2021/2/1", None, "2021/2/3"), None),
    ],
)
def test_dates_are_as_iso_has_them(words, said):
    entry, train = Table(), dated(*words)
    state, plain = entry.prepare(train), entry.prepare(dated(*ISO))
    assert state["features"] == plain["features"] and "d sine" not in state["features"]
    np.testing.assert_array_equal(entry.encode(train, state)["numeric"], entry.encode(dated(*ISO), plain)["numeric"])
    assert [note for note in state["notes"] if "taken" in note] == ([said] if said else [])


def test_one_new_date_is_read_as_train_s():
    """No date of a single row tells day from month: train has."""
    entry = Table()
    for first, turned in (("31/12/2020", "2021-02-01"), ("12/31/2020", "2021-01-02")):
        state = entry.prepare(dated(first, "1/1/2021", "2/1/2021"))
        same = entry.encode(dated(turned), state)["numeric"]
        np.testing.assert_array_equal(entry.encode(dated("1/2/2021"), state)["numeric"], same)
    with pytest.raises(DataError, match=r"column 'd': expected a date, .*month first, as in train.* got '31/1/2021'"):
        entry.encode(dated("31/1/2021"), state)


def test_what_cannot_be_told_is_said():
    words = ("1/2/2021", "3/4/2021", "1/2/2021", "5/6/2021")
    note = Table().prepare(dated(*words))["notes"][-1]
    assert "column 'd' looks like dates" in note and "no date of them tells" in note
    with pytest.raises(
        DataError, match=r"expected a date.*got '1/2/2021' \(whether '1/2/2021' begins with the day or the"
    ):
        Table(date=("d",)).prepare(dated(*words))
    note = Table().prepare(dated("31/1/2021", "1/31/2021", "31/1/2021"))["notes"][-1]
    assert "'31/1/2021' begins with the day, but '1/31/2021' with the month" in note


def test_codes_are_no_dates():
    for words in (("2040-7", "2041-8", "2040-7"), ("1/2", "3/4", "1/2"), ("1.2.3", "31.2.3", "1.2.3")):
        state = Table().prepare(dated(*words))
        assert state["columns"][0]["kind"] == "categorical" and not any("date" in note for note in state["notes"])


def test_init_shows_from_when_to_when():
    [line, *_] = told({"d": np.array(["31/12/2020", "1/2/2021", "5/1/2019"] * 10, object)}, None)
    assert line.split() == ["d", "dates", "5/1/2019", "to", "1/2/2021"]


def test_slices_know_dates_as_train_does():
    """Of a part, no date need tell: train has."""
    entry = Table()
    state = entry.prepare(dated("31/12/2020", "1/1/2021", "2/1/2021"))
    found = entry.facts(dated("1/2/2021", None, "3/2/2021"), state)["d"]
    np.testing.assert_array_equal(found, np.array(["2021-02-01", "NaT", "2021-02-03"], "M8[D]"))


def test_init_says_of_dates_that_none_of_them_tells():
    """They name no row, and rows that share one are no group."""
    words = [f"{1 + i % 12:02}/{1 + i // 12:02}/20{10 + i % 7}" for i in range(140)]
    for texts in (words, words[:90] + words[:50]):
        table = {"d": np.array(texts, object), "n": np.arange(140) % 3.0, "y": np.arange(140) % 2.0}
        [line, *_] = told(table, "y")
        assert line.split()[:2] == ["d", "dates?"] and "no date of them tells; write 2024-03-31" in line
        found = roles(table, "y", divided=False, droppable=True)
        assert [one.key for one in found.data if one.key in ("id", "drop")] == ["drop"]
        assert "names rows" not in str(found) and not [one for one in found.split if one.key == "group"]


@pytest.mark.parametrize("as_written", ["{2:02}/{1:02}/{0}", "{1:02}/{2:02}/{0}", "{0}-{1:02}-{2:02}"])
def test_init_sees_that_rows_lie_in_the_order_of_their_dates(as_written):
    words = [as_written.format(2020 + i // 28, 1 + i % 28 // 3, 1 + i % 28 % 3 * 13) for i in range(56)]
    table = {"d": np.array(words, object), "n": np.arange(56) % 7.0, "y": np.arange(56) % 2.0}
    [line] = roles(table, "y", divided=False, droppable=True).split
    assert (line.key, line.value, line.sure) == ("time", "d", True)
    table["d"] = table["d"][::-1]
    assert not roles(table, "y", divided=False, droppable=True).split[0].sure


def test_check_does_not_say_of_dates_that_they_name_the_row():
    entry, train = Table(), dated(*(f"{1 + i % 12}/{1 + i // 12}/{2010 + i}" for i in range(40)))
    state = entry.prepare(train)
    assert state["left_out"] == {"dates that cannot be read": ["d"]}
    [found] = entry.findings(train, state)
    assert found.severity == "warning" and "looks like dates" in found.message and "names the row" not in found.message
