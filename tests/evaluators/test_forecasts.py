"""Forecasts: MASE as Hyndman and Koehler have it, naive forecasts by hand, kinds of error, intervals over blocks."""

import math

import numpy as np
import pytest

from dlspec.evaluators.forecasts import Forecasts
from dlspec.numeric.forecasts import clustered_mean, in_sample_error, naive, numbers_of, seasonal_naive, text_of
from dlspec.numeric.windows import Windows
from dlspec.strategy.intervals import intervals
from dlspec.types import DataError, Examples

STATE = {"horizon": 2, "targets": ["level"], "season": 3, "scale": [2.0]}
FORECASTS = Forecasts()


def of(x, y, **more):
    x = [np.array(one, float)[:, None] for one in x]
    return Examples([f"e{i}" for i in range(len(y))], x, np.array(y, float)[:, :, None], **more)


def test_naive_forecasts_by_hand():
    past = np.array([[[1.0], [2], [3], [4]]])
    assert naive(past, 3)[0, :, 0].tolist() == [4, 4, 4]
    assert seasonal_naive(past, 5, 3)[0, :, 0].tolist() == [2, 3, 4, 2, 3]
    assert seasonal_naive(past, 2, 4)[0, :, 0].tolist() == [1, 2]
    assert np.isnan(seasonal_naive(past, 2, 5)).all()


def test_the_in_sample_error_is_the_mean_step():
    values = np.array([[3.0, 0], [5, 10], [4, 30]])
    assert in_sample_error(values).tolist() == [1.5, 15.0]
    assert in_sample_error(np.array([[3.0], [np.nan], [5], [9]])).tolist() == [4.0]


def test_scores_by_hand():
    examples = of([[7, 1, 2, 3], [0, 5, 5, 5]], [[4, 5], [5, 9]])
    statistics = FORECASTS.statistics(examples, np.array([[4, 3], [6, 9.0]])[:, :, None], STATE)
    assert statistics["naive"][:, :, 0].tolist() == [[3, 3], [5, 5]]
    assert statistics["seasonal"][:, :, 0].tolist() == [[1, 2], [5, 5]]
    found = FORECASTS.combine(statistics)
    assert found["mae"] == pytest.approx((0 + 2 + 1 + 0) / 4)
    assert found["rmse"] == pytest.approx(math.sqrt((4 + 1) / 4))
    assert found["mase"] == pytest.approx(0.75 / 2)
    assert found["skill_naive"] == pytest.approx(1 - 3 / (1 + 2 + 0 + 4))
    assert found["skill_seasonal"] == pytest.approx(1 - 3 / (3 + 3 + 0 + 4))
    first = FORECASTS.combine(statistics, np.array([1, 0]))
    assert first["mase"] == pytest.approx(0.5) and first["skill_naive"] == pytest.approx(1 - 2 / 3)
    assert [one.name for one in FORECASTS.metrics({**STATE, "season": 1})] == ["mase", "mae", "rmse", "skill_naive"]


def test_naive_forecasts_score_no_skill_and_mase_one_in_their_own_sample():
    values = np.random.default_rng(0).normal(size=(400, 1)).cumsum(axis=0)
    x = Windows(values, np.arange(396), 3, ["level"])
    examples = Examples([str(i) for i in range(396)], x, values[np.arange(396)[:, None] + 3])
    state = {"horizon": 1, "targets": ["level"], "season": 2, "scale": in_sample_error(values).tolist()}
    guess = values[np.arange(396)[:, None] + 2]
    found = FORECASTS.combine(FORECASTS.statistics(examples, guess, state))
    assert found["mase"] == pytest.approx(1, abs=0.02) and found["skill_naive"] == 0 and found["skill_seasonal"] > 0


def test_several_targets_weigh_alike_whatever_their_unit():
    state = {"horizon": 1, "targets": ["a", "b"], "season": 1, "scale": [1.0, 100.0]}
    examples = Examples(["e"], [np.zeros((2, 2))], np.array([[[1.0, 100.0]]]))
    found = FORECASTS.combine(FORECASTS.statistics(examples, np.array([[[2.0, 300.0]]]), state))
    assert found["mase"] == pytest.approx((1 + 2) / 2) and found["mae"] == pytest.approx((1 + 200) / 2)
    assert found["skill_naive"] == pytest.approx(1 - 1.5)


@pytest.mark.parametrize(("guess", "kind", "size"), [
    ([10, 10], None, None),
    ([12, 11.9], None, None),
    ([13, 12], "too high by 1 to 2 naive errors", 1.25),
    ([4, 5], "too low by more than 2 naive errors", 2.75),
    ([13, 7], "moves otherwise, off by 1 to 2 naive errors", 1.5),
    ([math.nan, 10], "not a number", math.inf),
])  # fmt: skip
def test_kinds_of_error(guess, kind, size):
    examples = of([[1, 2, 3]], [[10, 10]])
    prediction = np.array(guess, float)[:, None]
    found = FORECASTS.errors(examples[0], prediction, STATE)
    assert [(one.kind, one.size) for one in found] == ([] if kind is None else [(kind, pytest.approx(size))])
    if kind and size < 9:
        assert found[0].truth == "10; 10" and found[0].guess == text_of(prediction)


def test_tables_of_predictions_there_and_back():
    state = {"horizon": 2, "targets": ["a", "b"], "season": 1, "scale": [1.0, 1.0]}
    rows = np.random.default_rng(1).normal(size=(5, 2, 2))
    columns = FORECASTS.columns(rows, state)
    assert list(columns) == ["guess", "a_1", "a_2", "b_1", "b_2"]
    np.testing.assert_array_equal(FORECASTS.from_columns(columns, state), rows)
    np.testing.assert_allclose(FORECASTS.from_columns({"guess": columns["guess"]}, state), rows, rtol=1e-5)
    assert numbers_of("1; 2 | 3; 4.5") == [[1, 2], [3, 4.5]]
    assert FORECASTS.said(rows[:1], state)[0]["forecast"]["b"] == rows[0, :, 1].tolist()


def test_another_tools_table_is_known_when_asked():
    columns = {"truth": ["1; 2", "3; 4", "7; 8"], "guess": ["1; 1", "3; 3", "7; 7"], "split": ["dev"] * 3}
    assert FORECASTS.recognize(columns) is None
    state = FORECASTS.recognize(columns, asked=True)
    assert state == {"horizon": 2, "targets": ["target_1"], "season": 1, "scale": [3.0]}
    examples = Examples(["a", "b", "c"], [{}] * 3, columns["truth"])
    found = FORECASTS.combine(FORECASTS.statistics(examples, FORECASTS.from_columns(columns, state), state))
    assert found["mae"] == pytest.approx(0.5) and math.isnan(found["skill_naive"])
    assert FORECASTS.recognize({**columns, "guess": ["1", "2", "x"]}, asked=True) is None


def test_another_tools_table_is_known_by_its_steps_where_nothing_else_looks_so(tmp_path):
    """Numbers that are not whole are no labels; whole ones may be (`1; 3`), and then one has to say what they are."""
    from small_training import Heard

    from dlspec.runs.predictions import judged_tables

    (tmp_path / "steps.csv").write_text(
        "id,truth,guess\n" + "".join(f"{i},{i}.5; {i}; {i + 1},{i}; {i}.25; {i}\n" for i in range(12))
    )
    judged = judged_tables([str(tmp_path / "steps.csv")], watch=Heard())
    assert judged.evaluator.name == "forecasts" and judged.state["horizon"] == 3
    mae = judged.evaluator.combine(judged.parts["dev"].statistics)["mae"]
    assert mae == pytest.approx((0.5 + 0.25 + 1) / 3)
    whole = {"truth": ["1; 3"] * 3, "guess": ["1; 2"] * 3}
    assert FORECASTS.recognize(whole) is None and FORECASTS.recognize(whole, asked=True)["horizon"] == 2
    assert FORECASTS.recognize({"truth": ["1.5"], "guess": ["2.5"]}) is None


def test_truths_that_do_not_fit_are_named():
    with pytest.raises(DataError, match=r"example 'e1' has a truth of 3 numbers; expected 2, 2 steps of 1 target"):
        FORECASTS.statistics(Examples(["e0", "e1"], [None] * 2, [[1, 2], [1, 2, 3]]), np.zeros((2, 2, 1)), STATE)
    with pytest.raises(DataError, match="the target is missing in 1 of 2 examples: e1"):
        FORECASTS.statistics(Examples(["e0", "e1"], [None] * 2, [[1, 2], None]), np.zeros((2, 2, 1)), STATE)


def test_figures_show_steps_and_the_worst_windows_of_different_blocks():
    random = np.random.default_rng(0)
    examples = of(random.normal(size=(40, 6)), random.normal(size=(40, 2)), groups=[str(i // 5) for i in range(40)])
    guess = random.normal(size=(40, 2, 1))
    steps, *worst = FORECASTS.figures(FORECASTS.statistics(examples, guess, STATE), STATE)
    assert [one["name"] for one in steps.data["series"]] == [
        "guess", "the last value again", "the season before again"
    ]  # fmt: skip
    assert all(len(one["low"]) == 2 for one in steps.data["series"]) and "MASE over all steps" in steps.caption
    assert len(worst) == 6 and all(one.data["series"][1]["x"] == [0, 1, 2] for one in worst)
    single = {**STATE, "horizon": 1, "season": 1}
    one = Examples(examples.ids, examples.columns["x"], random.normal(size=(40, 1, 1)))
    assert FORECASTS.figures(FORECASTS.statistics(one, guess[:, :1], single), single)[0].kind == "bars"


def covered(block):
    """How often the 95 % interval of MASE holds its expectation, for errors of windows that overlap."""
    random, hits, rounds = np.random.default_rng(0), 0, 200
    for _ in range(rounds):
        each = np.abs(np.convolve(random.normal(size=346), np.ones(7) / 7, "valid"))  # seven steps in common
        statistics = {
            "truth": np.zeros((len(each), 1, 1)),
            "guess": each[:, None, None],
            "naive": np.ones((len(each), 1, 1)),
            "unit": np.ones((len(each), 1)),
        }
        groups = [str(i // block) for i in range(len(each))]
        shares = FORECASTS.shares(statistics)
        found = intervals(FORECASTS.combine, statistics, len(each), groups=groups, shares=shares, only={"mase"})
        hits += found["mase"].low <= math.sqrt(2 / math.pi / 7) <= found["mase"].high
    return hits / rounds


def test_blocks_of_two_horizons_cover_and_single_windows_do_not():
    assert covered(block=14) >= 0.88 and covered(block=1) <= 0.75


def test_the_mean_over_blocks_by_hand():
    mean, half = clustered_mean(np.array([[1.0], [3], [5], [7]]), np.array([0, 0, 9, 9]))
    # Blocks of means 2 and 6: deviation 2 √2 of the mean of two, t of one degree of freedom.
    assert mean[0] == 4 and half[0] == pytest.approx(12.7062 * 2, rel=1e-4)
    assert np.isnan(clustered_mean(np.ones((3, 1)), np.zeros(3))[1]).all()


def test_mase_of_series_of_several_lengths_has_an_interval_though_it_is_above_one():
    random = np.random.default_rng(0)
    names = ["long"] * 60 + ["short"] * 20
    y = random.normal(0, 3, (80, 2))
    examples = of([[0.0]] * 80, y, tags={"series": names}, groups=[f"{one} {i // 4}" for i, one in enumerate(names)])
    state = {**STATE, "season": 1, "scale": [1.0], "scales": {"long": [1.0], "short": [2.0]}}
    statistics = FORECASTS.statistics(examples, np.zeros((80, 2, 1)), state)
    shares = FORECASTS.shares(statistics)
    found = intervals(FORECASTS.combine, statistics, 80, groups=examples.column("groups"), shares=shares)["mase"]
    of_each = np.abs(y).mean(axis=1) / np.repeat([1.0, 2.0], [60, 20])
    assert found.value == pytest.approx((of_each[:60].mean() + of_each[60:].mean()) / 2) and found.value > 1
    # Each half's standard error is of its own blocks, and the mean of two halves has half the root of their squares.
    blocks = of_each.reshape(20, 4).mean(axis=1)
    error = math.hypot(blocks[:15].std() / math.sqrt(15), blocks[15:].std() / math.sqrt(5)) / 2
    assert found.low < found.value < found.high and found.high - found.low == pytest.approx(4 * error, rel=0.5)
