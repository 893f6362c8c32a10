"""Several series in one table: none sees another, all are cut at once, each is measured by its own errors in train."""

import itertools

import numpy as np
import pytest
from pydantic import ValidationError

from dlspec.data.time_series import TimeSeries
from dlspec.evaluators.forecasts import Forecasts
from dlspec.inputs.series import Series
from dlspec.numeric.forecasts import in_sample_error
from dlspec.tasks.forecasting import Forecasting
from dlspec.types import DataError

DAYS = [str(np.datetime64("2021-01-01") + k) for k in range(400)]
SHOPS = {"Oslo": (0, 60, 1000), "Rome": (0, 60, 2000), "Late": (20, 40, 3000), "Early": (0, 30, 4000)}
"""first day, how many, and what day 0 has: the value tells series and day"""


def rows_of(shops):
    return [
        f"{DAYS[k]},{name},{level + k + k % 3}"
        for name, (first, n, level) in shops.items()
        for k in range(first, first + n)
    ]


@pytest.fixture
def written(tmp_path):
    def write(rows, head="date,shop,sold"):
        (tmp_path / "s.csv").write_text("\n".join([head, *rows]) + "\n")
        return str(tmp_path / "s.csv")

    return write


def read(path, **settings):
    return TimeSeries(path=path, series="shop", **{"window": 4, "horizon": 2, **settings}).read()


def test_windows_never_go_from_one_series_to_another_and_all_are_cut_at_the_same_day(written):
    rows = rows_of(SHOPS)
    np.random.default_rng(0).shuffle(rows)
    splits = read(written(rows), split={"dev": 10, "test": 12})
    bounds = {"train": (0, 38), "dev": (38, 48), "test": (48, 60)}
    for part, (begin, end) in bounds.items():
        shops, count = splits[part].tag("series"), 0
        for name, (first, n, level) in SHOPS.items():
            asked = [one.y[:, 0] - level for one in splits[part] if one.tags["series"] == name]
            wanted = range(max(begin, first + 4), min(end, first + n) - 1)
            assert [one[0] for one in asked] == [k + k % 3 for k in wanted]
            count += len(asked)
        assert count == len(shops) > 0
        for one in splits[part]:
            first, n, level = SHOPS[one.tags["series"]]
            steps = [k + k % 3 for k in range(first, first + n)]
            seen = [*(one.x[:, 0] - level), *(one.y[:, 0] - level)]
            at = steps.index(seen[0])
            assert seen == steps[at : at + 6] and one.id == f"{one.tags['series']} {DAYS[first + at + 4]}"
    assert (
        "all series at the same moments: train 104 windows of 4 series (2021-01-01 to 2021-02-07)" in splits.notes[-1]
    )


def test_what_is_left_out_is_told(written):
    flat = [f"{day},Flat,7" for day in DAYS[:60]]
    new = [f"{day},New,{k}" for k, day in enumerate(DAYS[45:60])]
    splits = read(written([*rows_of(SHOPS), *flat, *new, f"{DAYS[3]},Once,4"]))
    said = "\n".join(splits.notes)
    assert "left out, as each has one time alone: 1 series ('Once')" in said
    assert "in no split, as none has a change in train, so that there is nothing to forecast: 1 series ('Flat')" in said
    assert "in no split, as none has a window in train, so that nothing is known to scale" in said and "('New')" in said
    assert {one for part in splits.parts.values() for one in part.tag("series")} == set(SHOPS)
    reader = TimeSeries(path=written(rows_of({**SHOPS, "New": (57, 3, 0)})), series="shop", window=4, horizon=2)
    ahead = reader.at(reader.path).load(truth=False)
    assert ahead["all"].ids == [f"{name} {DAYS[SHOPS[name][0] + SHOPS[name][1]]}" for name in SHOPS]
    assert any("fewer than the 4 steps that a forecast looks back (data.window): 1 series ('New')" in one
               for one in ahead.notes)  # fmt: skip
    with pytest.raises(DataError, match="fewer than the 99 steps"):
        reader.model_copy(update={"window": 99, "_elsewhere": True}).load(truth=False)


def test_faults_of_all_series_are_told_at_once(written):
    rows = rows_of({"Oslo": (0, 60, 0), "Rome": (0, 60, 0), "Bonn": (0, 60, 0)})
    with pytest.raises(DataError) as found:
        read(written([*rows[:10], *rows[11:70], rows[65], *rows[70:]]))
    first, second = found.value.complaints
    assert "series 'Oslo': between rows 11 and 12 a step of day is missing: '2021-01-11'" in first.message
    assert "series 'Rome': '2021-01-06' stands in rows 66 and 71; 1 time comes more" in second.message
    with pytest.raises(DataError) as found:
        read(written([*rows[:10], *rows[11:30], "2021-01-31,Oslo,many", *rows[31:65], *rows[64:]]))
    told = [one.message[:43] for one in found.value.complaints]
    assert told == [
        "column 'sold' holds numbers, but not in row",
        "series 'Oslo': between rows 11 and 12 a ste",
        "series 'Rome': '2021-01-05' stands in rows ",
    ]
    with pytest.raises(DataError, match="column 'shop' is missing in row 4"):
        read(written([*rows[:2], f"{DAYS[2]},,3", *rows[3:]]))
    with pytest.raises(DataError, match=r"no column 'stor' \(data.series\)"):
        TimeSeries(path=written(rows), series="stor").load()
    with pytest.raises(DataError, match="that 'date' names has one time alone"):
        path = written([f"{k},{day},{k}" for k, day in enumerate(DAYS)], "no,date,x")
        TimeSeries(path=path, series="date", time="no", target="x").load()
    with pytest.raises(ValidationError, match="column 'shop' is named twice among time, series, target"):
        TimeSeries(path=written(rows), series="shop", target="shop")


def test_two_columns_may_name_a_series_and_plain_numbers_be_times(written):
    rows = [f"{k},{a},{b},{k % 5}" for k, a, b in itertools.product(range(40), "xy", "12")]
    splits = TimeSeries(path=written(rows, "t,a,b,v"), series=("a", "b"), target="v", window=5, horizon=1).read()
    assert set(splits["train"].tag("series")) == {"x 1", "x 2", "y 1", "y 2"} and splits["train"][0].id == "x 1 5"


def test_the_season_is_that_of_all_series(written):
    rows = [f"{DAYS[k]},{a},{k % 7 * size}" for a, size in (("p", 1), ("q", 1000)) for k in range(100)]
    splits = read(written(rows))
    assert splits["train"].columns["x"].season == 7


def test_mase_is_scaled_by_series_and_the_mean_over_them(written):
    """By hand: Hyndman & Koehler's q of each series, its mean, and the mean of these."""
    random = np.random.default_rng(1)
    sizes = {"small": (1, 90), "large": (500, 90), "ended": (20, 75)}
    values = {name: size * random.normal(size=n).cumsum() for name, (size, n) in sizes.items()}
    rows = [f"{DAYS[k]},{name},{v!r}" for name, own in values.items() for k, v in enumerate(own.tolist())]
    splits = read(written(rows), split={"dev": 20, "test": 0}, season=1)
    state = Forecasting().prepare(splits["train"])
    for name in sizes:
        assert state["scales"][name] == pytest.approx(np.abs(np.diff(values[name][:70])).mean())
    assert state["scale"] == pytest.approx(np.mean(list(state["scales"].values()), axis=0))
    dev = splits["dev"]
    guess = np.repeat(dev.columns["x"].stacked(dev.rows)[:, -1:], 2, axis=1)
    found = Forecasts().combine(Forecasts().statistics(dev, guess, state))
    q = {name: [] for name in sizes}
    for name, (_, n) in sizes.items():
        for k in range(70, n - 1):
            ahead = values[name][k : k + 2] - values[name][k - 1]
            q[name].append(np.abs(ahead).mean() / np.abs(np.diff(values[name][:70])).mean())
    assert [len(one) for one in q.values()] == [19, 19, 4]
    assert found["mase"] == pytest.approx(np.mean([np.mean(one) for one in q.values()]))
    assert found["skill_naive"] == pytest.approx(0)
    sizes_of_errors = [one.size for k, one in enumerate(dev) for one in Forecasts().errors(one, guess[k], state)]
    assert max(sizes_of_errors) == pytest.approx(max(itertools.chain(*q.values())))


def test_one_series_by_name_is_the_same_as_without(written):
    values = np.random.default_rng(2).normal(size=80).cumsum()
    named = read(written([f"{day},a,{v}" for day, v in zip(DAYS, values, strict=False)]))
    alone = TimeSeries(
        path=written([f"{day},{v}" for day, v in zip(DAYS, values, strict=False)], "date,sold"), window=4, horizon=2
    ).read()
    for part in alone.parts:
        assert [f"a {one}" for one in alone[part].ids] == named[part].ids
        np.testing.assert_array_equal(alone[part].columns["y"], named[part].columns["y"])
        groups = [one.removeprefix("a, ") for one in named[part].column("groups")]
        assert groups == alone[part].column("groups")
    task = Forecasting()
    assert task.prepare(named["train"])["scale"] == task.prepare(alone["train"])["scale"]
    assert in_sample_error(values[:56, None]).tolist() == pytest.approx(task.prepare(alone["train"])["scale"])


def test_a_window_of_a_small_series_is_not_flattened_by_a_large_one(written):
    rows = [f"{DAYS[k]},{a},{size * (k % 7)}" for a, size in (("p", 1), ("q", 1e6)) for k in range(100)]
    train = read(written(rows))["train"]
    entry = Series(scale="window")
    encoded = entry.encode(train, entry.prepare(train))["series"]
    spread = {name: encoded[np.array(train.tag("series")) == name].std(axis=1).mean() for name in "pq"}
    assert spread["p"] == pytest.approx(spread["q"], rel=1e-3) == pytest.approx(1, rel=1e-3)


def test_init_knows_a_table_of_several_series(written):
    path = written([f"{DAYS[k]},{a},{size * (k % 7) + k % 3}" for a, size in (("p", 1), ("q", 99)) for k in range(120)])
    proposal = TimeSeries.recognize(path)
    settings = {line.key: line.value for line in proposal.data}
    assert settings | {"path": path} == {
        "path": path, "time": "date", "series": "shop", "target": "sold", "window": 14, "horizon": 3,
    }  # fmt: skip
    assert {line.key: line.value for line in proposal.input} == {"scale": "window"}
    assert "240 rows of 2 series, a step is a day" in proposal.seen[0] and "season: 7 steps" in proposal.seen[1]
    twice = written([f"{DAYS[k // 2]},{a},{k}" for a in "pq" for k in range(120)])
    assert TimeSeries.recognize(twice) is None


def test_init_knows_series_that_numbers_name_and_those_with_columns_beside(written):
    def value(a, k):
        return a * (k % 7) + k % 3 + k / 8

    rows = [(DAYS[k], a, value(a, k)) for a in (1, 2) for k in range(120)]
    numbered = TimeSeries.recognize(written([f"{day},{a},{sold}" for day, a, sold in rows]))
    assert {"series": "shop", "target": "sold"}.items() <= {line.key: line.value for line in numbered.data}.items()
    wide = written([f"{day},s{a},{sold},{a + k / 9}" for k, (day, a, sold) in enumerate(rows)], "date,shop,sold,price")
    for target in (None, "sold"):
        proposal = TimeSeries.recognize(wide, target)
        said = {line.key: line.value for line in proposal.data}
        other = {"price": "sold", "sold": "price"}[target or "price"]
        assert said["series"] == "shop" and said["target"] == (target or "price")
        assert f"of {other} nothing is read" in proposal.doubts[1]
    classes = written([f"{day},s{a},{sold},{k % 2}" for k, (day, a, sold) in enumerate(rows)], "date,shop,sold,back")
    assert TimeSeries.recognize(classes) is None, "a class is told by its row"
    assert TimeSeries.recognize(wide, "shop") is None
