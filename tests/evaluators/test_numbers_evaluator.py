import math

import numpy as np
import pytest
import sklearn.metrics

from dlspec.evaluators.numbers import Numbers
from dlspec.types import DataError, Examples

STATE = {"mean": 100_000.0, "scale": 40_000.0}


def labelled(values):
    return Examples([f"row {i + 1}" for i in range(len(values))], list(values), values)


def combined(truth, guess, weights=None):
    evaluator = Numbers()
    return evaluator.combine(evaluator.statistics(labelled(list(truth)), guess, STATE), weights)


@pytest.mark.parametrize("offset", [0, 1e6])
def test_agrees_with_scikit_learn_also_weighted(offset):
    random = np.random.default_rng(1)
    truth = offset + random.normal(size=100)
    guess = truth + random.normal(size=100)
    counts = random.multinomial(100, np.full(100, 1 / 100))
    for weights in (None, counts):
        rows = {"sample_weight": weights}
        expected = {
            "rmse": sklearn.metrics.root_mean_squared_error(truth, guess, **rows),
            "mae": sklearn.metrics.mean_absolute_error(truth, guess, **rows),
            "r2": sklearn.metrics.r2_score(truth, guess, **rows),
        }
        assert combined(truth, guess, weights) == pytest.approx(expected, abs=1e-9)
    assert combined(truth, guess, counts) == pytest.approx(
        combined(np.repeat(truth, counts), np.repeat(guess, counts)), abs=1e-9
    )


def test_worked_by_hand():
    assert combined([1, 2, 3, 6], [2, 2, 3, 3]) == pytest.approx(
        {"rmse": math.sqrt(10 / 4), "mae": 1, "r2": 1 - 10 / 14}
    )


def test_r2_of_equal_truths_is_nan():
    assert math.isnan(combined([0.1] * 3, [0.1, 0.2, 0.3])["r2"])
    assert math.isnan(combined([0.1, 0.1, 5], [0, 0, 0], np.array([2, 1, 0]))["r2"])
    assert all(math.isnan(value) for value in combined([], []).values())


def test_a_network_that_diverged_crashes_nothing():
    found = combined([1, 2], [math.inf, 1e200], np.array([0, 2]))
    assert math.isnan(found["mae"])
    evaluator, [example] = Numbers(), labelled([1.0])
    assert evaluator.errors(example, math.inf, STATE)[0].kind.startswith("too high by more than 2 sd")
    [error] = evaluator.errors(example, math.nan, STATE)
    assert (error.kind, error.size) == ("not a number", math.inf)


@pytest.mark.parametrize(
    ("residual", "kind"),
    [
        (10_000, None),
        (-10_000, None),
        (10_001, "too high by 0.25 to 0.5 sd (10,000 to 20,000)"),
        (-20_000, "too low by 0.25 to 0.5 sd (10,000 to 20,000)"),
        (20_001, "too high by 0.5 to 1 sd (20,000 to 40,000)"),
        (-60_000, "too low by 1 to 2 sd (40,000 to 80,000)"),
        (80_001, "too high by more than 2 sd (more than 80,000)"),
    ],
)
def test_errors_are_bands_of_size_with_a_direction(residual, kind):
    [example] = labelled([50_000.0])
    errors = Numbers().errors(example, 50_000.0 + residual, STATE)
    assert [(error.kind, error.size) for error in errors] == ([] if kind is None else [(kind, abs(residual))])


def test_truth_and_guess_as_a_person_reads_them():
    evaluator, [example] = Numbers(), labelled([1_234_567.89])
    [error] = evaluator.errors(example, 0.00123456789, STATE)
    assert (error.truth, error.guess) == ("1,234,570", "0.00123457")
    [small] = evaluator.errors(labelled([0])[0], 0.0007, {"mean": 0, "scale": 0.001234})
    assert small.kind == "too high by 0.5 to 1 sd (0.000617 to 0.00123)"


def test_perfect_predictions_are_perfect_and_have_no_errors():
    evaluator, examples = Numbers(), labelled([1, 2.5, np.float32(7)])
    perfect = evaluator.stack([evaluator.perfect(example, STATE) for example in examples])
    found = evaluator.combine(evaluator.statistics(examples, perfect, STATE))
    assert found == {metric.name: metric.perfect for metric in evaluator.metrics(STATE)}
    for state in (STATE, {"mean": 0.0, "scale": 0.0}):
        assert not any(evaluator.errors(e, p, state) for e, p in zip(examples, perfect, strict=True))


def test_columns_and_truth():
    evaluator = Numbers()
    assert evaluator.columns([1.0, 2.0], STATE)["guess"].tolist() == [1, 2]
    assert evaluator.truth(labelled([1, math.nan, None]), STATE) == [1.0, None, None]


def test_a_truth_that_is_no_number_is_named():
    with pytest.raises(DataError, match=r"row 2 \('blue'\)"):
        Numbers().statistics(labelled([1.0, "blue"]), np.zeros(2), STATE)
