import math

import numpy as np
import pytest
import sklearn.metrics

from dlspec.evaluators.classes import Classes
from dlspec.types import DataError, Examples

DIGITS = {"classes": ["0", "1", "2", "3"], "positive": None, "threshold": None}
SICK = {"classes": ["sick", "well"], "positive": "sick", "threshold": 0.5}


def labelled(values):
    return Examples([f"row {i + 1}" for i in range(len(values))], list(values), values)


def probabilities(random, n, classes, decimals):
    """Rounded, so that there are many ties; each row sums to 1."""
    raw = np.round(random.dirichlet(np.ones(classes), n), decimals)
    raw[:, 0] += 1 - raw.sum(axis=1)
    return np.clip(raw, 0.001, None) / np.clip(raw, 0.001, None).sum(axis=1, keepdims=True)


def sklearn_many(truth, rows):
    guess = rows.argmax(axis=1)
    average = {"average": "macro", "zero_division": 0}
    return {
        "accuracy": sklearn.metrics.accuracy_score(truth, guess),
        "precision": sklearn.metrics.precision_score(truth, guess, **average),
        "recall": sklearn.metrics.recall_score(truth, guess, **average),
        "f1": sklearn.metrics.f1_score(truth, guess, **average),
        "log_loss": sklearn.metrics.log_loss(truth, rows, labels=range(rows.shape[1])),
        "roc_auc": sklearn.metrics.roc_auc_score(truth, rows, multi_class="ovr"),
    }


def sklearn_two(truth, score, threshold):
    guess = score >= threshold
    return {
        "accuracy": sklearn.metrics.accuracy_score(truth, guess),
        "precision": sklearn.metrics.precision_score(truth, guess),
        "recall": sklearn.metrics.recall_score(truth, guess),
        "f1": sklearn.metrics.f1_score(truth, guess),
        "log_loss": sklearn.metrics.log_loss(truth, score),
        "roc_auc": sklearn.metrics.roc_auc_score(truth, score),
        "false_positive_rate": 1 - sklearn.metrics.recall_score(~truth, ~guess),
        "false_negative_rate": 1 - sklearn.metrics.recall_score(truth, guess),
    }


@pytest.mark.parametrize("decimals", [1, 8])
def test_many_classes_agree_with_scikit_learn_also_weighted(decimals):
    random = np.random.default_rng(1)
    truth, rows = random.integers(0, 4, 200), probabilities(random, 200, 4, decimals)
    evaluator = Classes()
    statistics = evaluator.statistics(labelled(truth.tolist()), rows, DIGITS)
    assert evaluator.combine(statistics) == pytest.approx(sklearn_many(truth, rows), abs=1e-9)
    for _ in range(3):  # the second asks the kept ranking
        counts = random.multinomial(200, np.full(200, 1 / 200))
        again = sklearn_many(np.repeat(truth, counts), np.repeat(rows, counts, axis=0))
        assert evaluator.combine(statistics, counts) == pytest.approx(again, abs=1e-9)


@pytest.mark.parametrize("positive", ["sick", "well"])
@pytest.mark.parametrize("threshold", [0.3, 0.5])
def test_two_classes_agree_with_scikit_learn_also_weighted(positive, threshold):
    random = np.random.default_rng(2)
    rows = probabilities(random, 150, 2, 2)
    truth = np.where(random.random(150) < rows[:, 0], "sick", "well")
    state = {**SICK, "positive": positive, "threshold": threshold}
    evaluator, at = Classes(), SICK["classes"].index(positive)
    statistics = evaluator.statistics(labelled(truth.tolist()), rows, state)
    counts = random.multinomial(150, np.full(150, 1 / 150))
    for weights in (np.ones(150, int), counts):
        expected = sklearn_two(np.repeat(truth == positive, weights), np.repeat(rows[:, at], weights), threshold)
        assert evaluator.combine(statistics, weights) == pytest.approx(expected, abs=1e-9)


def test_worked_by_hand():
    """Of 5: three sick, two well; guesses sick, sick, well / sick, well."""
    rows = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.6, 0.4], [0.1, 0.9]])
    evaluator = Classes()
    statistics = evaluator.statistics(labelled(["sick", "sick", "sick", "well", "well"]), rows, SICK)
    found = evaluator.combine(statistics)
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["precision"] == found["recall"] == found["f1"] == pytest.approx(2 / 3)
    assert found["false_positive_rate"] == pytest.approx(1 / 2)
    assert found["false_negative_rate"] == pytest.approx(1 / 3)
    assert found["log_loss"] == pytest.approx(-math.log(0.9 * 0.6 * 0.2 * 0.4 * 0.9) / 5)
    # pairs (sick, well): .9 beats both; .6 ties .6, beats .1; .2 beats .1 alone: 2 + 1.5 + 1 of 6
    assert found["roc_auc"] == pytest.approx(4.5 / 6)
    assert evaluator.confusion(statistics, SICK["classes"]).tolist() == [[2, 1], [1, 1]]
    assert evaluator.shares(statistics)["accuracy"].rows.tolist() == [1, 1, 0, 0, 1]


def test_confusion_agrees_with_scikit_learn():
    random = np.random.default_rng(3)
    truth, rows = random.integers(0, 4, 300), probabilities(random, 300, 4, 8)
    evaluator = Classes()
    statistics = evaluator.statistics(labelled(truth.tolist()), rows, DIGITS)
    expected = sklearn.metrics.confusion_matrix(truth, rows.argmax(axis=1))
    assert (evaluator.confusion(statistics, DIGITS["classes"]) == expected).all()


def test_a_metric_without_what_it_needs_is_nan():
    evaluator, rows = Classes(), np.array([[0.2, 0.8], [0.3, 0.7]])
    found = evaluator.combine(evaluator.statistics(labelled(["well", "well"]), rows, SICK))
    assert found["accuracy"] == 1
    assert all(math.isnan(found[name]) for name in ("precision", "recall", "f1", "roc_auc"))
    never = evaluator.combine(evaluator.statistics(labelled(["well", "sick"]), rows, SICK))
    assert (never["precision"], never["recall"], never["f1"]) == (0, 0, 0)
    nothing = evaluator.combine(evaluator.statistics(labelled([]), np.zeros((0, 2)), SICK))
    assert all(math.isnan(value) for value in nothing.values())


def test_rates_are_of_two_classes_and_count_unknown_classes_as_negatives():
    """Four are not sick: one of two well ones and one of two with another class are taken for sick."""
    evaluator = Classes()
    assert not {"false_positive_rate", "false_negative_rate"} & {one.name for one in evaluator.metrics(DIGITS)}
    rows = np.array([[0.9, 0.1], [0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [np.nan, np.nan]])
    found = evaluator.combine(evaluator.statistics(labelled(["well", "well", "flu", "flu", "sick"]), rows, SICK))
    assert (found["false_positive_rate"], found["false_negative_rate"]) == (1 / 2, 1)
    only = evaluator.combine(evaluator.statistics(labelled(["sick"]), rows[:1], SICK))
    assert math.isnan(only["false_positive_rate"]) and only["false_negative_rate"] == 0


def test_macro_averages_are_over_the_classes_in_truth_or_guess():
    """Guesses 0, 1, 1, 2 of the truths 0, 0, 1, 1: class 2 is guessed alone, class 3 occurs nowhere."""
    evaluator = Classes()
    rows = np.array([[0.7, 0.1, 0.1, 0.1], [0.4, 0.6, 0, 0], [0.1, 0.8, 0.1, 0], [0.2, 0.3, 0.5, 0]])
    found = evaluator.combine(evaluator.statistics(labelled([0, 0, 1, 1]), rows, DIGITS))
    assert found["precision"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert found["recall"] == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    assert found["f1"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    # of class 0: .7, .4 over .1, .2; of class 1: .8, .3 over .1, and .8 alone over .6; of 2 and 3 there are no rows
    assert found["roc_auc"] == pytest.approx((1 + 3 / 4) / 2)


def test_perfect_predictions_are_perfect_and_have_no_errors():
    for state, truths in ((DIGITS, [3, 1.0, "0", 2, 1]), (SICK, ["sick", "well", "well"]), (DIGITS, [0, 1, "x"])):
        evaluator, examples = Classes(), labelled(truths)
        perfect = evaluator.stack([evaluator.perfect(example, state) for example in examples])
        found = evaluator.combine(evaluator.statistics(examples, perfect, state))
        assert found == {metric.name: metric.perfect for metric in evaluator.metrics(state)}
        assert not any(evaluator.errors(e, p, state) for e, p in zip(examples, perfect, strict=True))


def test_an_error_is_a_confused_pair():
    evaluator, [example] = Classes(), labelled([3])
    [error] = evaluator.errors(example, np.array([0.0, 0.75, 0.0, 0.25]), DIGITS)
    assert (error.id, error.kind, error.truth, error.guess) == ("row 1", "3 → 1", "3 (0.25)", "1 (0.75)")
    assert error.size == pytest.approx(-math.log(0.25))
    assert evaluator.mend(example, [0, 0.75, 0, 0.25], "3 → 1", DIGITS).tolist() == [0, 0, 0, 1]
    assert evaluator.mend(example, [0, 0.75, 0, 0.25], "1 → 3", DIGITS) == [0, 0.75, 0, 0.25]


def test_the_threshold_decides_what_is_an_error():
    evaluator, [example] = Classes(), labelled(["well"])
    assert not evaluator.errors(example, [0.4, 0.6], SICK)
    assert [error.kind for error in evaluator.errors(example, [0.4, 0.6], {**SICK, "threshold": 0.4})] == [
        "well → sick"
    ]


def test_a_class_that_train_lacks_is_counted_wrong_and_named():
    evaluator, examples = Classes(), labelled([0, "x", 1])
    rows = np.array([[0.9, 0.1, 0, 0], [0.2, 0.7, 0.1, 0], [0, 1, 0, 0]])
    statistics = evaluator.statistics(examples, rows, DIGITS)
    found = evaluator.combine(statistics)
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["log_loss"] == pytest.approx((-math.log(0.9) - math.log(1e-15)) / 3)
    assert found["precision"] == pytest.approx((1 + 1 / 2) / 2)
    assert found["recall"] == 1
    assert found["roc_auc"] == 1
    [error] = evaluator.errors(examples[1], rows[1], DIGITS)
    assert (error.kind, error.truth, error.guess) == ("unknown class 'x'", "x (0)", "1 (0.7)")
    assert error.size == pytest.approx(-math.log(1e-15))
    assert evaluator.confusion(statistics, DIGITS["classes"]).sum() == 2


def test_rows_that_are_no_numbers_are_wrong():
    evaluator, examples = Classes(), labelled([0, 1])
    rows = np.array([[np.nan] * 4, [0.1, 0.9, 0, 0]])
    found = evaluator.combine(evaluator.statistics(examples, rows, DIGITS))
    assert found["accuracy"] == 1 / 2
    assert math.isnan(found["log_loss"])
    assert math.isnan(found["roc_auc"])
    [error] = evaluator.errors(examples[0], rows[0], DIGITS)
    assert (error.kind, error.size) == ("0 → not a number", math.inf)
    assert evaluator.columns(rows, DIGITS)["guess"] == [None, "1"]


def test_columns_and_truth_speak_the_same_words():
    evaluator, examples = Classes(), labelled([3, 0.0])
    columns = evaluator.columns(np.array([[0.1, 0.2, 0.3, 0.4], [1, 0, 0, 0]]), DIGITS)
    assert columns["guess"] == evaluator.truth(examples, DIGITS) == ["3", "0"]
    assert list(columns) == ["guess", "p_0", "p_1", "p_2", "p_3"]
    assert columns["p_3"].tolist() == [0.4, 0]
    assert evaluator.truth(Examples(["a"], [0]), DIGITS) == [None]


def test_a_missing_truth_is_named():
    with pytest.raises(DataError, match="missing in 1 of 2 examples: row 2"):
        Classes().statistics(labelled(["sick", None]), np.full((2, 2), 0.5), SICK)
