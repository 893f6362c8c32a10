"""What the ledger says in words: the named gap and its meaning, what is missing, what cannot be concluded."""

import re

import pytest

from dlspec.strategy.ledger import Level, lay_out
from dlspec.strategy.means import wilson
from dlspec.types import Metric

ACCURACY, MAE = Metric("accuracy", "max", 1.0), Metric("mae", "min", 0.0)
HUMAN = Level("human", 0, value=0.99)


def share(name, value, n):
    return Level(name, n, None, None, value, *wilson(value * n, n))


def sentences(text):
    return re.findall(r"[^.]+(?:\.\d[^.]*)*\.(?= |$)", text)


def test_the_largest_gap_with_its_interval_and_meaning():
    said = lay_out([HUMAN, share("train", 0.98, 1000), share("dev", 0.85, 500)], ACCURACY).verdict
    assert said == (
        "The largest gap is variance: 0.13 (95 % interval 0.0994 to 0.165) of accuracy, between train (0.98) and dev "
        "(0.85): what it learned of the examples it was shown does not carry over to others like them."
    )


@pytest.mark.parametrize(
    ("values", "named", "meaning"),
    [
        ((0.80, 0.79, 0.78, 0.78), "avoidable bias", "does not fit what it was shown as well as people do"),
        ((0.98, 0.80, 0.79, 0.78), "variance", "does not carry over"),
        ((0.98, 0.97, 0.80, 0.79), "data mismatch", "examples of dev's kind"),
        ((0.98, 0.97, 0.96, 0.80), "overfitting to dev", "look at dev less often, or gather a new one"),
    ],
)
def test_each_gap_has_a_meaning(values, named, meaning):
    names = ("train", "train_dev", "dev", "test")
    ledger = lay_out([HUMAN, *(share(n, v, 1000) for n, v in zip(names, values, strict=True))], ACCURACY)
    assert ledger.largest == named
    assert named in ledger.verdict and meaning in ledger.verdict and len(sentences(ledger.verdict)) == 1


def test_numbers_are_in_the_metrics_own_units():
    levels = [Level("train", 400, None, None, 1250.0, 1200.0, 1300.0), Level("dev", 90, None, None, 2300, 2100, 2500)]
    said = lay_out(levels, MAE).verdict
    assert "variance: 1,050 (95 % interval 844 to 1,260) of mae, between train (1,250) and dev (2,300)" in said


def test_of_two_that_cannot_be_told_apart_both_are_said_and_what_would_settle_it():
    ledger = lay_out([HUMAN, share("train", 0.96, 1000), share("dev", 0.9, 200)], ACCURACY)
    assert f"about {ledger.needed:,} more examples of dev would settle which is larger" in ledger.verdict
    assert ledger.verdict.startswith("Variance, 0.06 (95 %") and "and avoidable bias, 0.03" in ledger.verdict
    equal = lay_out([HUMAN, share("train", 0.9, 1000), share("dev", 0.81, 1000)], ACCURACY)
    assert "they look equal, and no number of examples in reach would settle it" in equal.verdict
    assert equal.needed is None


def test_where_no_gap_is_surely_there():
    ledger = lay_out([share("train", 0.92, 300), share("dev", 0.9, 300)], ACCURACY)
    assert "No gap is surely there: the widest, variance, is 0.02" in ledger.verdict
    assert f"about {ledger.needed:,} more examples of" in ledger.verdict
    better = lay_out([share("train", 0.90, 300), share("dev", 0.92, 300)], ACCURACY)
    assert "so dev scores no worse than train" in better.verdict and better.needed is None


def test_past_the_human_level():
    people = HUMAN._replace(value=0.9)
    said = lay_out([people, share("train", 0.99, 1000), share("dev", 0.96, 500)], ACCURACY).verdict
    assert "On dev the network is past the human level (0.96 against 0.9)" in said
    assert "no longer a proxy" in said and "by hand helps less" in said
    memorised = lay_out([people, share("train", 0.99, 1000), share("dev", 0.8, 500)], ACCURACY).verdict
    assert "On train the network is past the human level (0.99 against 0.9), so avoidable bias is not" in memorised
    assert "proxy" not in memorised
    about = lay_out([people, share("train", 0.905, 1000), share("dev", 0.8, 500)], ACCURACY).verdict
    assert "past the human" not in about


def test_a_dev_of_twenty_says_what_it_cannot_show():
    said = lay_out([HUMAN, share("train", 0.97, 1000), share("dev", 0.9, 20)], ACCURACY).verdict
    assert "Dev has 20 examples alone: its accuracy may lie anywhere from 0.699 to 0.972" in said
    assert re.search(r"a gap below 0\.\d+ does not show", said)


def test_what_is_missing_is_said_with_the_setting_that_gives_it():
    said = lay_out([share("train", 0.97, 1000), share("dev", 0.8, 500)], ACCURACY, apart=True).verdict
    assert "goal: {human: {accuracy: …}}" in said and "data: {train_dev: 0.05}" in said
    assert "either what it learned" in said and ", or it does worse on examples of dev's kind" in said
    alone = lay_out([HUMAN, share("train", 0.8, 1000)], ACCURACY)
    assert alone.largest == "avoidable bias" and "data: {split: {dev: 0.15}}" in alone.verdict
    assert "human level" not in alone.verdict


def test_never_more_than_three_sentences():
    for given in ([], [share("train", 0.9, 30)], [HUMAN._replace(value=0.5), share("train", 0.9, 40)]):
        for more in ([], [share("dev", 0.88, 20)], [share("train_dev", 0.9, 50), share("dev", 0.7, 50)]):
            assert 1 <= len(sentences(lay_out([*given, *more], ACCURACY, apart=True).verdict)) <= 3


def test_a_network_that_shows_nothing_is_to_be_trained_first():
    """An F1 of 0 has no interval; that is not for want of examples."""
    nothing = [Level(name, 500, value=0.0) for name in ("train", "dev")]
    said = lay_out(nothing, Metric("f1", "max", 1.0)).verdict
    assert "f1 is 0 on train, so the network has nothing to show" in said and "{epochs: …" in said
    assert "trained for longer" not in lay_out(nothing, MAE).verdict
    assert "do not tell how far chance" in lay_out([one._replace(value=0.4) for one in nothing], ACCURACY).verdict
