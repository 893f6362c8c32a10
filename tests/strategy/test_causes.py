"""What holds a network back: illness before gaps, only what is sure, each cause once; and imbalance that dev shows."""

import numpy as np

from dlspec.strategy.causes import Named, causes, imbalance, possible, without_test
from dlspec.types import Outcomes


def gap(name, above, below, value, low, high):
    return {"name": name, "above": above, "below": below, "value": value, "low": low, "high": high}


def ledger(*gaps, largest=None):
    return {"gaps": list(gaps), "largest": largest}


BIAS = gap("avoidable bias", "human", "train", 0.05, 0.03, 0.07)
VARIANCE = gap("variance", "train", "dev", 0.10, 0.06, 0.14)


def test_the_largest_first_then_what_is_surely_there():
    found = causes(ledger(BIAS, VARIANCE, largest="variance"))
    assert [one.cause for one in found] == ["variance", "avoidable bias"]
    assert found[0].says == "variance is the largest gap: 0.1, between train and dev"
    unsure = gap("data mismatch", "train_dev", "dev", 0.02, -0.01, 0.05)
    assert [one.cause for one in causes(ledger(BIAS, unsure))] == ["avoidable bias"]


def test_an_illness_comes_before_all_and_health_is_none():
    ill = {"verdict": "vanishing", "says": "gradients vanish"}
    found = causes(ledger(VARIANCE, largest="variance"), ill, [Named("class imbalance", "rare")])
    assert [one.cause for one in found] == ["vanishing", "class imbalance", "variance"]
    for verdict in ("healthy", "unknown"):
        assert causes(None, {"verdict": verdict, "says": ""}) == []


def test_a_gap_of_two_names_is_two_causes():
    both = gap("variance + data mismatch", "train", "dev", 0.10, 0.06, 0.14)
    found = causes(ledger(both, largest="variance + data mismatch"))
    assert [one.cause for one in found] == ["variance", "data mismatch"]


def test_train_that_scores_worse_than_dev_has_wrong_labels():
    turned = gap("variance", "train", "dev", -0.1, -0.13, -0.07)
    assert [one.cause for one in causes(ledger(turned))] == ["wrong labels"]


def test_where_dev_scores_better_than_train_and_test_it_was_fitted():
    turned = gap("variance", "train", "dev", -0.1, -0.13, -0.07)
    fitted = gap("overfitting to dev", "dev", "test", 0.11, 0.05, 0.17)
    assert [one.cause for one in causes(ledger(turned, fitted))] == ["overfitting to dev"]


def test_what_test_shows_can_be_left_out():
    fitted = gap("overfitting to dev", "dev", "test", 0.2, 0.15, 0.25)
    held = {**ledger(VARIANCE, fitted, largest="overfitting to dev"), "levels": [{"name": "dev"}, {"name": "test"}]}
    assert [one.cause for one in causes(held)] == ["overfitting to dev", "variance"]
    left = without_test(held)
    assert [one.cause for one in causes(left)] == ["variance"] and left["levels"] == [{"name": "dev"}]
    assert without_test(None) is None


def test_an_interval_that_is_not_known_names_nothing():
    assert causes(ledger(gap("variance", "train", "dev", 0.1, None, None))) == []


def test_bias_cannot_be_ruled_out_where_nobody_says_how_well_people_do():
    levels = [{"name": "train", "value": 0.8}, {"name": "dev", "value": 0.79}]
    [found] = possible({"metric": "accuracy", "levels": levels})
    assert found.cause == "avoidable bias" and "better than accuracy 0.8" in found.says and not found.sure
    assert possible({"metric": "accuracy", "levels": [{"name": "human", "value": 0.9}, *levels]}) == []
    assert possible(None) == possible({"metric": "accuracy", "levels": levels[1:]}) == []


def outcomes(**rows):
    """rare_hit=3 …: how many of which class were found or missed."""
    truth, guess = [], []
    for name, many in rows.items():
        of = {"rare": 1, "common": 0}[name.split("_")[0]]
        truth += [of] * many
        guess += [of if name.endswith("hit") else 1 - of] * many
    return Outcomes(np.array(truth), np.array(guess), ["common", "rare"])


def test_imbalance_is_named_where_dev_shows_it():
    train = outcomes(common_hit=980, rare_hit=15, rare_miss=5)
    [found] = imbalance(train, outcomes(common_hit=390, common_miss=10, rare_hit=1, rare_miss=7))
    assert found.cause == "class imbalance"
    assert found.says == (
        "'rare' is rare in train (20 examples; 'common' has 980), and 12% of it are found on dev, of all else 98%"
    )
    assert imbalance(train, outcomes(common_hit=390, common_miss=10, rare_hit=7, rare_miss=1)) == []
    assert imbalance(train, outcomes(common_hit=390, rare_miss=1)) != []
    assert imbalance(train, outcomes(common_hit=9, rare_miss=1)) == []  # too few to say
    even = outcomes(common_hit=100, rare_hit=20)
    assert imbalance(even, outcomes(common_hit=390, common_miss=10, rare_hit=1, rare_miss=7)) == []


def test_what_is_no_class_is_in_nobodys_way():
    train = Outcomes(np.array([0] * 100 + [1] * 2 + [-1] * 50), np.zeros(152, int), ["a", "b"])
    dev = Outcomes(np.array([0] * 100 + [-1] * 9), np.array([0] * 109), ["a", "b"])
    assert imbalance(train, dev) == []
