"""Series: standardised by train or by themselves, missing values named, rows of a table as series; learned from."""

import json

import numpy as np
import pytest

from dlspec.data.arrays import Arrays
from dlspec.data.csv import CSV
from dlspec.inputs.series import Series
from dlspec.numeric.windows import Windows, filled
from dlspec.types import DataError, Examples

LINE = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])


def of(*x):
    return Examples([f"e{i}" for i in range(len(x))], [np.array(one, float) for one in x])


def test_standardised_by_train_by_hand():
    entry = Series()
    state = json.loads(json.dumps(entry.prepare(of([0, 2], [4, 6]))))
    assert state["mean"] == [3.0] and state["deviation"] == [pytest.approx(5**0.5)]
    assert state["shapes"] == {"series": {"shape": [2, 1], "dtype": "float32"}}
    found = entry.encode(of([3, 8]), state)["series"]
    assert found.dtype == np.float32 and found.tolist() == [[[0.0], [pytest.approx(5**0.5)]]]
    raw = Series(scale="none")
    assert raw.encode(of([3, 8]), raw.prepare(of([0, 2], [4, 6])))["series"].tolist() == [[[3.0], [8.0]]]


def test_by_itself_level_and_size_do_not_matter():
    entry = Series(scale="window")
    state = entry.prepare(of(LINE, LINE[::-1]))
    found = entry.encode(of(LINE, 100 + 7 * LINE), state)
    np.testing.assert_allclose(found["series"][0], found["series"][1], atol=1e-5)
    np.testing.assert_allclose(found["centre"], [[3.5], [124.5]])
    np.testing.assert_allclose(found["spread"], [[LINE.std()], [7 * LINE.std()]], rtol=1e-6)
    still = entry.encode(of(np.full(6, 9.0)), state)
    assert not still["series"].any() and still["spread"][0, 0] == pytest.approx(0.01 * LINE.std())


def test_the_network_sees_the_last_steps_and_the_rest_is_kept_beside():
    entry = Series(length=2, scale="window")
    state = entry.prepare(of(LINE, LINE + 1))
    batch = entry.finish(entry.encode(of(LINE), state), state)
    assert state["shapes"]["series"]["shape"] == [2, 1] and batch["series"].shape == (1, 2, 1)
    np.testing.assert_allclose(batch["series"][0, :, 0], [-1, 1])  # of 5 and 6 alone
    np.testing.assert_allclose(batch["whole"][0, :, 0], 2 * (LINE - 5.5))
    with pytest.raises(DataError, match="have 6 steps each"):
        Series(length=7).prepare(of(LINE, LINE))


def test_what_is_missing_is_named_and_filled_as_told():
    gap = [1, np.nan, np.nan, 4, 5, np.nan]
    with pytest.raises(
        DataError, match=r"example 'e1', step 1 \(from 0\), 'channel_1' is missing \(3 values in 1 of 2"
    ):
        Series().prepare(of(LINE, gap))
    with pytest.raises(DataError, match=r"step 2 .* is infinite"):
        Series(missing="last").prepare(of([1, 2, np.inf]))
    seen = {}
    for how in ("last", "linear", "mean"):
        entry = Series(missing=how, scale="none")
        state = entry.prepare(of(LINE, gap))
        seen[how] = entry.encode(of(gap), state)["series"][0, :, 0].tolist()
        assert "3 values of train (25.0%) are missing" in state["notes"][1]
    assert seen["last"] == [1, 1, 1, 4, 5, 5] and seen["linear"] == [1, 2, 3, 4, 5, 5]
    mean = pytest.approx(np.nanmean([LINE, gap]))
    assert seen["mean"] == [1, mean, mean, 4, 5, mean]
    late = filled(np.array([[[np.nan], [7.0]], [[np.nan], [np.nan]]]), "last")
    assert late[0, :, 0].tolist() == [7, 7] and np.isnan(late[1]).all()


def test_lengths_that_differ_and_channels_that_do_not_fit():
    with pytest.raises(DataError, match="'e1' has 2 steps, and 'e0' has 3 steps; all series must be of one length"):
        Series().prepare(of([1, 2, 3], [1, 2]))
    state = Series().prepare(of([1, 2, 3], [2, 3, 5]))
    with pytest.raises(DataError, match="'e0' has 2 steps; those of train have 3 steps"):
        Series().encode(of([1, 2]), state)


def test_windows_share_the_series():
    values = np.arange(20.0).reshape(10, 2)
    windows = Windows(values, [0, 3, 3, 6], 4, ["a", "b"], season=2)
    assert windows[1].base is not None and windows[1][:, 0].tolist() == [6, 8, 10, 12]
    np.testing.assert_array_equal(windows.stacked([3, 0])[1], values[:4])
    some = windows[[3, 1]]
    assert some[0][0, 0] == 12 and some.names == ("a", "b") and some.season == 2
    first, second, third, _ = windows.digests()
    assert second == third != first and windows.digests_of([2]) == [third]
    both = Windows.joined([windows[[0]], Windows(values + 100, [1], 4, ["a", "b"])])
    assert both[1][0].tolist() == [102, 103] and both[0][0].tolist() == [0, 1]
    state = Series().prepare(Examples(["x", "y"], windows[[0, 3]]))
    assert state["channels"] == ["a", "b"] and state["mean"] == [9.0, 10.0]


def test_channels_that_stand_still_and_values_from_elsewhere_are_told():
    x = np.stack([np.stack([LINE, np.ones(6)], axis=1)] * 2)
    examples = Examples(["a", "b"], x)
    state = Series().prepare(examples)
    [finding] = Series().findings(examples, state)
    assert finding.kind == "constant_channel" and "'channel_2'" in finding.message
    assert Series().remarks(examples, state) == []
    [said] = Series().remarks(Examples(["a"], 100 * x[:1]), state)
    assert "'channel_1' reaches 600 in 1 series; in train it goes from 1 to 6" in said


def test_logarithms_are_of_what_goes_in_and_people_see_values():
    entry = Series(log=True)
    examples = of([1, 10, 100], [10, 100, 1000])
    state = entry.prepare(examples)
    found = entry.encode(examples, state)["series"][:, :, 0]
    np.testing.assert_allclose(found[1] - found[0], found[0][1] - found[0][0], rtol=1e-5)
    assert state["mean"] == [pytest.approx(np.log(10**1.5))] and "as logarithms" in state["notes"][0]
    assert entry.facts(examples, state)["last value"].tolist() == [100, 1000]
    [said] = entry.remarks(of([1, 10, 10**9]), state)
    assert "reaches 1e+09 in 1 series; in train it goes from 1 to 1000" in said
    with pytest.raises(DataError, match=r"example 'e0', step 1 \(from 0\), 'channel_1' is not above 0"):
        entry.prepare(of([1, 0, 2]))


def test_noise_depends_on_the_seed_of_each_example():
    entry = Series(augment={"noise": 0.1})
    x = np.zeros((3, 500, 2), np.float32)
    seeds = np.array([1, 2, 1], np.uint64)
    found = entry.augmented({"series": x}, seeds, {"input": {"deviation": [1, 1]}})["series"]
    np.testing.assert_array_equal(found[0], found[2])
    assert not np.array_equal(found[0], found[1]) and found.std() == pytest.approx(0.1, rel=0.05)


def written(folder, count=120):
    """Waves, slow and quick, at any phase: `kind` says which; `speed` how quick."""
    random = np.random.default_rng(0)
    speed = np.where(np.arange(count) % 2, 0.9, 0.3) + 0.05 * random.normal(size=count)
    phase = random.uniform(0, 7, count)[:, None]
    x = np.sin(speed[:, None] * np.arange(24) + phase)
    np.savez(folder / "waves.npz", x=x[:, :, None], y=np.where(np.arange(count) % 2, "quick", "slow"))
    head = ",".join([*(f"t{i}" for i in range(24)), "speed"])
    lines = [",".join(f"{one:.4f}" for one in (*row, s)) for row, s in zip(x, speed, strict=True)]
    (folder / "waves.csv").write_text("\n".join([head, *lines]) + "\n")


def test_arrays_hold_series_and_so_do_rows_of_a_table(tmp_path):
    written(tmp_path)
    reader = Arrays(path=str(tmp_path / "waves.npz"), holds="series")
    assert reader.kind == "series" and reader.read()["train"][0].x.shape == (24, 1)
    assert "series of shape (24, 1)" in reader.read().notes[0]
    table = CSV(path=str(tmp_path / "waves.csv"), target="speed").read()
    entry = Series()
    state = entry.prepare(table["train"])
    assert state["length"] == 24 and state["order"][0] == "t0"
    encoded = entry.encode(table["dev"], state)["series"]
    again = entry.outside([table["dev"][i].x for i in range(3)], state)
    np.testing.assert_allclose(entry.encode(again, state)["series"], encoded[:3])
    with_words = CSV(path=str(tmp_path / "waves.csv"), target="t0", text=("speed",)).read()
    with pytest.raises(DataError, match="column 'speed' holds words, and each column is a step"):
        entry.prepare(with_words["train"])


@pytest.mark.parametrize(("task", "data", "model", "metric", "at_least"), [
    ("classification", "{name: arrays, path: waves.npz, holds: series}", "{name: rnn, cell: gru, units: 8}",
     "accuracy", 0.9),
    ("regression", "{name: csv, path: waves.csv, target: speed}",
     "{name: text_cnn, windows: [5], filters: 16, dropout: 0}", "r2", 0.8),
])  # fmt: skip
def test_classification_and_regression_of_series(tmp_path, task, data, model, metric, at_least):
    from dlspec.recipe.load import load
    from dlspec.runs.train import train

    written(tmp_path)
    text = f"task: {task}\ndata: {data}\ninput: {{name: series}}\nmodel: {model}\n"
    train_ = "train: {epochs: 30, batch_size: 16, optimizer: {name: adam, learning_rate: 0.01}, compile: 'off'}\n"
    (tmp_path / "r.yaml").write_text(text + train_)
    done = train(load(tmp_path / "r.yaml"), out=tmp_path / "runs")
    assert done.scores["dev"][metric]["value"] >= at_least
