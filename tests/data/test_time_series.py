"""Series over time: windows and splits by hand, none sees what a later split asks; gaps, doubles, what a step is."""

import os
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from real_data import lacking

from dlspec.data.regular import clock_of, season_of
from dlspec.data.time_series import TimeSeries
from dlspec.data.windowing import block_length
from dlspec.numeric.written_dates import moment
from dlspec.types import DataError

DATA = Path(os.environ.get("DLSPEC_DATA", "/nowhere")) / "timeseries"
REAL = pytest.mark.skipif(not DATA.is_dir(), reason=lacking("timeseries"))


@pytest.fixture
def written(tmp_path):
    def write(rows, head="date,level"):
        (tmp_path / "s.csv").write_text("\n".join([head, *rows]) + "\n")
        return str(tmp_path / "s.csv")

    return write


def days(count, start="2021-01-01"):
    return [str(np.datetime64(start) + k) for k in range(count)]


def numbered(count):
    """Day k has the value k, so that values tell steps."""
    return [f"{day},{k}" for k, day in enumerate(days(count))]


def test_windows_by_hand(written):
    path = written(numbered(20))
    splits = TimeSeries(path=path, window=3, horizon=2, split={"dev": 4, "test": 5}).read()
    train, dev, test = (splits[name] for name in ("train", "dev", "test"))
    assert [one.y[:, 0].tolist() for one in train] == [[k, k + 1] for k in range(3, 10)]
    assert [one.y[:, 0].tolist() for one in dev] == [[11, 12], [12, 13], [13, 14]]
    assert [one.y[:, 0].tolist() for one in test] == [[15, 16], [16, 17], [17, 18], [18, 19]]
    assert all(one.x[:, 0].tolist() == [one.y[0, 0] - 3, one.y[0, 0] - 2, one.y[0, 0] - 1] for one in [*dev, *test])
    assert train[0].id == "2021-01-04" and test[-1].id == "2021-01-19"
    assert train[0].tags == {"month": "January", "weekday": "Monday"}
    strided = TimeSeries(path=path, window=3, horizon=2, stride=3, split={"dev": 4, "test": 5}).read()
    assert strided["train"].ids == ["2021-01-04", "2021-01-07", "2021-01-10"]
    assert splits.apart == ()


@pytest.mark.parametrize(("window", "horizon", "stride"), [(1, 1, 1), (5, 3, 1), (14, 7, 2), (3, 4, 5)])
def test_no_window_sees_what_a_later_split_asks(written, window, horizon, stride):
    path = written(numbered(120))
    splits = TimeSeries(path=path, window=window, horizon=horizon, stride=stride).read()
    asked = {name: {int(v) for y in splits[name].column("y") for v in y[:, 0]} for name in ("train", "dev", "test")}
    seen = {name: {int(v) for x in splits[name].column("x") for v in x[:, 0]} for name in asked}
    assert asked["train"] and asked["dev"] and asked["test"]
    assert max(asked["train"]) < min(asked["dev"]) and max(asked["dev"]) < min(asked["test"])
    assert max(seen["train"]) < min(asked["dev"]) and max(seen["dev"]) < min(asked["test"])
    for part in splits.parts.values():
        for one in part:
            assert one.x[:, 0].max() < one.y[:, 0].min()


def test_windows_of_a_group_share_no_target_with_any_but_its_neighbours(written):
    splits = TimeSeries(path=written(numbered(300)), window=5, horizon=4).read()
    part = splits["train"]
    groups = part.column("groups")
    order = list(dict.fromkeys(groups))
    assert len(order) > 8 and groups == sorted(groups, key=order.index)
    asked = {one: {v for i, y in enumerate(part.column("y")) if groups[i] == one for v in y[:, 0]} for one in order}
    for place, one in enumerate(order):
        for other in order[place + 2 :]:
            assert not asked[one] & asked[other]
    assert block_length(1000, 7) == 14 and block_length(36, 6) == 6 and block_length(1000, 1) == 10


def test_a_missing_day_is_refused_filled_or_gone_round(written):
    rows = numbered(40)
    path = written(rows[:10] + rows[12:])
    said = r"between rows 11 and 12 a step of day is missing: '2021-01-11' \(2 missing in 1 place in all\)"
    with pytest.raises(DataError, match=said):
        TimeSeries(path=path).load()
    filled = TimeSeries(path=path, gaps="last", window=3).read()
    assert "2 steps have no row (times 2021-01-11 and 2021-01-12): the value before stands" in " ".join(filled.notes)
    by_id = {one.id: one for part in filled.parts.values() for one in part}
    assert by_id["2021-01-13"].x[:, 0].tolist() == [9, 9, 9] and by_id["2021-01-13"].y.tolist() == [[12]]
    skipped = TimeSeries(path=path, gaps="skip", window=3).read()
    ids = [one for part in skipped.parts.values() for one in part.ids]
    assert len(ids) == 37 - 5 and not {"2021-01-11", "2021-01-12", "2021-01-15"} & set(ids)
    assert "5 windows are left out" in " ".join(skipped.notes)


def test_a_missing_value_is_named_by_row_and_time(written):
    rows = numbered(30)
    rows[7] = rows[7].split(",")[0] + ",NA"
    with pytest.raises(DataError, match=r"column 'level' is missing in row 9 \('2021-01-08'; 1 value in all\)"):
        TimeSeries(path=written(rows)).load()
    one = TimeSeries(path=written(rows), gaps="last", window=2).read()["train"]
    assert one[6].x[:, 0].tolist() == [6, 6]
    rows[7] = rows[7].split(",")[0] + ",warm"
    with pytest.raises(DataError, match=r"column 'level' holds numbers, but not in row 9: value 'warm'"):
        TimeSeries(path=written(rows)).load()


def test_times_that_come_twice(written):
    rows = numbered(30)
    path = written([*rows[:5], "2021-01-05,10", *rows[5:], "2021-01-30,1"])
    said = r"'2021-01-05' stands in rows 6 and 7; 2 times come more than once in all"
    with pytest.raises(DataError, match=said):
        TimeSeries(path=path).load()
    got = {}
    for how in ("first", "last", "mean", "sum"):
        splits = TimeSeries(path=path, duplicates=how, window=1).read()
        got[how] = next(one.x[0, 0] for one in splits["train"] if one.id == "2021-01-06")
        assert any("2 times have several rows (2 at most)" in note for note in splits.notes)
    assert got == {"first": 4, "last": 10, "mean": 7, "sum": 14}


def test_rows_in_any_order_and_rows_between_steps(written):
    rows = numbered(30)
    splits = TimeSeries(path=written(rows[::-1]), window=2).read()
    assert splits["train"].ids[0] == "2021-01-03" and splits["train"][0].x[:, 0].tolist() == [0, 1]
    assert any("rows are not in order of 'date'" in note for note in splits.notes)
    with pytest.raises(DataError, match="'2021-01-09 07:30' in row 10 lies between two steps"):
        TimeSeries(path=written([*rows[:8], "2021-01-09 07:30,5", *rows[9:]])).load()
    said = r"column 'date' tells the time of every row \(data.time\)"
    with pytest.raises(DataError, match=f"{said}, and 'soon' in row 5 is no date; write dates as 2024"):
        TimeSeries(path=written([*rows[:3], "soon,5", *rows[4:]])).load()
    with pytest.raises(DataError, match=f"{said} and is missing in row 5"):
        TimeSeries(path=written([*rows[:3], ",5", *rows[4:]])).load()


def test_times_of_several_zones_are_told(written):
    rows = [f"{day}T00:00:00{('+01:00', '+02:00')[k % 2]},{k}" for k, day in enumerate(days(40))]
    with pytest.raises(DataError, match=r"rows do; times are of several zones: \+01:00, \+02:00\); mend these times"):
        TimeSeries(path=written(rows)).load()
    bare = TimeSeries(path=written([f"{day}T00:00:00{'Z' * (k % 2)},{k}" for k, day in enumerate(days(40))])).load()
    assert "zone Z, 20 of 40 have none and are taken for UTC" in bare.notes
    assert not any("zone" in one for one in TimeSeries(path=written(numbered(40))).load().notes)


@pytest.mark.parametrize(
    ("form", "first", "told"),
    [
        ("%d/%m/%Y", "day", "13/01/2021"),
        ("%m/%d/%Y", "month", "01/13/2021"),
        ("%d.%m.%Y 06:30", "day", "13.01.2021 06:30"),
        ("%m-%d-%Y", "month", "01-13-2021"),
    ],
)
def test_dates_that_end_with_the_year_are_read_where_a_day_above_12_tells(written, form, first, told):
    def rows(count):
        dates = [datetime.fromisoformat(one).strftime(form) for one in days(count)]
        return [f"{date},{k}" for k, date in enumerate(dates)]

    splits = TimeSeries(path=written(rows(40)), window=3, split={"dev": 4, "test": 5}).read()
    plain = TimeSeries(path=written(numbered(40)), window=3, split={"dev": 4, "test": 5}).read()
    for part in plain.parts:
        assert [one.x.tolist() for one in splits[part]] == [one.x.tolist() for one in plain[part]]
    assert f"'date': dates are taken to begin with the {first}, as '{told}' does" in splits.notes
    assert not any("taken to begin" in one for one in plain.notes)
    with pytest.raises(DataError, match=r"are no date; .*whether '.*' begins with the day or the month, no date of th"):
        TimeSeries(path=written(rows(12))).load()
    with pytest.raises(DataError, match=r"'31/12/2020' begins with the day, but '12/30/2020' with the month"):
        TimeSeries(path=written(["31/12/2020,1", "12/30/2020,2", "01/01/2021,3"])).load()


def test_all_faults_of_a_file_are_told_at_once(written):
    """A word, another in a feature, a time off the steps, one that comes twice, a gap, and no value."""
    rows = [f"{row},{k % 7}" for k, row in enumerate(numbered(40))]
    rows[3], rows[7], rows[30] = "2021-01-04,warm,3", "2021-01-08,7,mild", "2021-01-31,,2"
    rows[20] = "2021-01-21 06:00,20,6"
    rows[25:26] = []  # 2021-01-26, in row 27
    rows.append("2021-01-16,15,1")
    with pytest.raises(DataError) as found:
        TimeSeries(path=written(rows, "date,level,wind"), target="level", features=("wind",)).load()
    told = [one.message for one in found.value.complaints]
    wanted = [
        "column 'level' holds numbers, but not in row 5: value 'warm'",
        "column 'wind' holds words in row 9 (value 'mild')",
        "'2021-01-21 06:00' in row 22 lies between two steps",
        "'2021-01-16' stands in rows 17 and 41; 1 time comes more than once in all",
        "between rows 26 and 27 a step of day is missing: '2021-01-26' (1 missing in 1 place in all)",
        "column 'level' is missing in row 31 ('2021-01-31'; 1 value in all)",
    ]
    assert len(told) == len(wanted) and all(part in one for part, one in zip(wanted, told, strict=True)), told
    assert [one.where.line for one in found.value.complaints] == [5, 9, 22, 17, 26, 31]
    rows[3], rows[9] = "2021-01-04,warm,3", "soon,9,2"
    said = r"not in row 5: value 'warm'(.|\n)*'mild'(.|\n)*'soon' in row 11 is no date"
    with pytest.raises(DataError, match=said):
        TimeSeries(path=written(rows, "date,level,wind"), target="level", features=("wind",)).load()


def test_all_faults_of_times_are_told_at_once(written):
    rows = numbered(40)
    rows[3], rows[8], rows[20] = "2021-02-31,4", "soon,4", ",4"
    said = r"'2021-02-31' and 'soon' in rows 5 and 10 are no date; (.|\n)*is missing in row 22"
    with pytest.raises(DataError, match=said):
        TimeSeries(path=written(rows)).load()


def test_a_season_longer_than_train_and_words_are_told(written):
    long = TimeSeries(path=written(numbered(60)), season=50, window=4, target="level").load()
    assert any("no more than 42 steps to learn from" in one for one in long.notes)
    with pytest.raises(DataError, match=r"'level' holds words in rows 2, .*; a series is of numbers: take another"):
        TimeSeries(path=written([f"{day},warm" for day in days(40)]), target="level").load()
    with pytest.raises(DataError, match=r"not in row 12: value 'n\.d\.'; mend them, .* or leave the column out"):
        TimeSeries(path=written([*numbered(10), "2021-01-11,n.d.", *numbered(40)[11:]])).load()


def test_days_are_joined_to_weeks_and_months(written):
    path = written(numbered(90))
    weeks = TimeSeries(path=path, frequency="week", duplicates="mean", window=2).read()
    assert weeks["train"][0].id == "2021-01-11"  # Mondays: 28 December, 4 January
    assert weeks["train"][0].x[:, 0].tolist() == [1, 6]
    months = TimeSeries(path=path, frequency="month", duplicates="sum", window=1, split={"dev": 0, "test": 1}).read()
    assert months["train"][0].x[:, 0].tolist() == [sum(range(31))]
    assert months["train"].ids == ["2021-02"] and months["test"].ids == ["2021-03"]
    with pytest.raises(DataError, match="the month of 2021-01 stands in rows 2, 3, 4, 5, 6 and 26 more; 3 times"):
        TimeSeries(path=path, frequency="month").load()


@pytest.mark.parametrize(("texts", "words", "third"), [
    (["2020-01", "2020-02", "2020-03"], "month", "2020-03"),
    (["2020-01-31", "2020-02-29", "2020-03-31"], "month", "2020-03"),
    (["2019-10-01", "2020-01-01", "2020-04-01"], "quarter", "2020-04"),
    (["2019-03-01", "2020-03-01", "2021-03-01"], "year", "2021-03"),
    (["2020-01-01", "2020-01-08", "2020-01-15"], "week", "2020-01-15"),
    (["2020-01-01 00:00", "2020-01-01 01:00", "2020-01-01 02:00"], "hour", "2020-01-01 02:00"),
    (["2020-01-01 00:10", "2020-01-01 00:25", "2020-01-01 00:40"], "15 minutes", "2020-01-01 00:40"),
])  # fmt: skip
def test_what_a_step_is(texts, words, third):
    clock = clock_of([moment(one) for one in texts])
    assert clock.words == words and clock.told(2) == third


def test_plain_numbers_are_times_too(written):
    path = written([f"{k / 2},{k}" for k in range(40)], head="t,level")
    splits = TimeSeries(path=path, window=2, horizon=2).read()
    assert splits["train"][0].id == "1.0" and splits["train"][0].tags == {}
    assert "steps of 0.5 from 0.0 to 19.5" in splits.notes[0]
    with pytest.raises(DataError, match="times are plain numbers, which have no calendar"):
        TimeSeries(path=path, calendar=("year",)).load()


def test_the_season_is_the_one_that_is_seen():
    steps = np.arange(800)
    daily = clock_of([moment("2020-01-01"), moment("2020-01-02"), moment("2020-01-03")])
    random = np.random.default_rng(0).normal(size=800)
    assert season_of(np.sin(2 * np.pi * steps / 7) + 0.1 * random, daily, None)[0] == 7
    assert season_of(np.sin(2 * np.pi * steps / 365) + 0.1 * random, daily, None)[0] == 365
    assert season_of(random, daily, 30) == (30, "as data.season says")
    yearly = clock_of([moment("2020-01-01"), moment("2021-01-01")])
    assert season_of(random, yearly, None) == (1, "")


def test_features_and_calendar_are_channels_after_the_target(written):
    path = written([f"{day},{k % 7},{k}" for k, day in enumerate(days(60))], head="date,rain,level")
    with pytest.raises(DataError, match=r"which column is to be forecast\? set data.target; columns: rain, level"):
        TimeSeries(path=path).load()
    settings = {"features": ("rain",), "calendar": ("week",), "window": 8}
    one = TimeSeries(path=path, target="level", **settings).read()["train"]
    assert one.columns["x"].names == ("level", "rain", "sine of the week", "cosine of the week")
    assert one[0].x.shape == (8, 4) and one[0].y.tolist() == [[8]]
    np.testing.assert_allclose(one[0].x[0, 2:], one[0].x[7, 2:], atol=1e-9)
    assert one[3].x[0, 2:] == pytest.approx([0, 1], abs=1e-9)  # 4 January 2021 was a Monday
    both = TimeSeries(path=path, target=("level", "rain"), window=2, horizon=3).read()["train"]
    assert both[0].y.tolist() == [[2, 2], [3, 3], [4, 4]]


def test_new_data_as_a_whole_and_what_comes_next(written):
    reader = TimeSeries(path=written(numbered(40)), window=3, horizon=2)
    whole = reader.at(reader.path).load()
    assert list(whole.parts) == ["all"] and len(whole["all"]) == 36
    ahead = reader.at(reader.path).load(truth=False)["all"]
    assert ahead.ids == ["2021-02-10"] and not ahead.labelled and ahead[0].x[:, 0].tolist() == [37, 38, 39]


@pytest.mark.parametrize(("settings", "says"), [
    ({"split": {"folds": 3}}, "divided by its time alone; leave out folds"),
    ({"split": {"group": "a"}}, "leave out group"),
    ({"train_dev": 0.1}, "train_dev would let train see what is asked"),
    ({"target": "a", "features": ("a",)}, "named twice"),
])  # fmt: skip
def test_settings_that_cannot_be(written, settings, says):
    with pytest.raises(ValidationError, match=says):
        TimeSeries(path=written(numbered(30)), **settings)


def test_too_few_steps_are_said(written):
    path = written(numbered(30))
    with pytest.raises(DataError, match=r"train has 20 of 30 steps, and a window needs 24 before it .* and 1 after"):
        TimeSeries(path=path).load()
    with pytest.raises(DataError, match=r"dev has 5 of 30 steps, and a window asks for 6 of them"):
        TimeSeries(path=path, window=3, horizon=6).load()
    with pytest.raises(DataError, match=r"column 'levl' \(data.target\); did you mean 'level'"):
        TimeSeries(path=path, target="levl").load()


@REAL
def test_real_series():
    with pytest.raises(
        DataError, match=r"rows 1461 and 1462 a step of day is missing: '1984-12-31' \(2 missing in 2 p"
    ):
        TimeSeries(path=str(DATA / "daily-min-temperatures.csv")).load()
    days = TimeSeries(path=str(DATA / "daily-min-temperatures.csv"), gaps="last", window=365, horizon=7).read()
    assert days["train"].columns["x"].season == 365 and len(days["test"]) == 542
    months = TimeSeries(path=str(DATA / "airline-passengers.csv"), window=24, horizon=6).read()
    assert months["train"].columns["x"].season == 12 and months["train"][0].id == "1951-01"
    assert months["train"][0].x[0, 0] == 112 and months["test"][-1].y[-1, 0] == 432
    with pytest.raises(DataError, match="a step of month is missing: '1958-06'"):
        TimeSeries(path=str(DATA / "co2-concentration.csv"), target="CO2").load()
    rain = TimeSeries(path=str(DATA / "seattle-weather.csv"), target="temp_max", features=("wind",), window=365).read()
    assert rain["train"].columns["x"].season == 365
    spots = TimeSeries(path=str(DATA / "monthly-sunspots.csv"), window=12).read()
    assert len(spots["train"]) == 2820 - 2 * 423 - 12


def test_init_says_why_a_window_is_longer_than_what_the_network_sees(written):
    proposal = TimeSeries.recognize(
        written([f"{day},{np.sin(2 * np.pi * k / 365):.4f}" for k, day in enumerate(days(2200))])
    )
    assert proposal is not None
    [window] = [line for line in proposal.data if line.key == "window"]
    [length] = [line for line in proposal.input if line.key == "length"]
    assert (window.value, length.value) == (365, 28)
    assert window.why.endswith("; so that the season before is known, against which forecasts are judged")
    assert "the last of the window" in length.why


def test_the_season_of_train_is_what_init_finds_and_nothing_is_said_of_a_further_files(written):
    # Two whole years are there, but train has less.
    path = written([f"{day},{np.sin(2 * np.pi * k / 365):.4f}" for k, day in enumerate(days(740))])
    proposal = TimeSeries.recognize(path)
    assert proposal is not None
    [said] = [one for one in proposal.seen if "season" in one]
    loaded = TimeSeries(path=path, window=28, horizon=7).load()
    assert loaded["train"].columns["x"].season == 7 and said.startswith("season: 7 steps")
    assert any(one.startswith("season: 7") for one in loaded.notes)
    further = TimeSeries(path=path, window=28, horizon=7).at(path)
    assert not any("season" in one for truth in (True, False) for one in further.load(truth=truth).notes)
