"""Suspected labels: planted ones are found, clean ones left alone, and what cannot be judged is passed over."""

import subprocess
import sys

import numpy as np

from dlspec.strategy.labels import suspects
from dlspec.types import ClassLabels, NumberLabels

NAMES = ("a", "b", "c", "d")


def judged(n=2000, wrong=0.05, accuracy=0.95, seed=0):
    """Labels of which a share is wrong, beside what a model of some accuracy finds probable."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 4, n)
    flipped = random.random(n) < wrong
    given = np.where(flipped, (truth + random.integers(1, 4, n)) % 4, truth)
    guess = np.where(random.random(n) < accuracy, truth, random.integers(0, 4, n))
    logits = random.normal(0, 1, (n, 4))
    logits[np.arange(n), guess] += np.where(guess == truth, 5, 1)  # unsure where it errs
    p = np.exp(logits)
    return ClassLabels(given, p / p.sum(axis=1, keepdims=True), NAMES), truth, flipped


def test_planted_wrong_labels_are_found():
    labels, truth, flipped = judged()
    found = suspects(labels)
    rows = [one.row for one in found]
    assert flipped[rows].mean() >= 0.8 and len(rows) >= 0.6 * flipped.sum()
    assert np.mean([truth[one.row] == one.suggested for one in found if flipped[one.row]]) >= 0.95
    doubts = [one.doubt for one in found]
    assert doubts == sorted(doubts, reverse=True) and all(0 < one.probability <= 1 for one in found)


def test_clean_labels_of_a_sure_model_are_left_alone():
    labels, _, _ = judged(wrong=0, accuracy=1)
    sure = ClassLabels(labels.given, np.eye(4)[labels.given] * 0.96 + 0.01, NAMES)
    assert suspects(sure) == []


def test_what_cannot_be_judged_is_passed_over():
    labels, _, _ = judged(200)
    p = labels.probabilities.copy()
    p[3] = np.nan
    given = labels.given.copy()
    given[5] = -1
    given[given == 3] = 0  # nobody was given d: it is suggested nowhere
    found = suspects(ClassLabels(given, p, NAMES))
    assert not {3, 5} & {one.row for one in found} and all(one.suggested != 3 for one in found)
    assert suspects(ClassLabels(np.zeros(9, int), p[:9], NAMES)) == []


def test_numbers_far_out():
    random = np.random.default_rng(0)
    given = random.normal(50, 10, 400)
    guess = given + random.normal(0, 2, 400)
    given[[7, 9]] += (60, -90)
    given[11] = np.nan
    found = suspects(NumberLabels(given, guess))
    assert [one.row for one in found] == [9, 7] and found[0].suggested == guess[9]
    assert np.isnan(found[0].probability)
    assert suspects(NumberLabels(given[:5], guess[:5])) == [] and suspects(NumberLabels(guess, guess)) == []


def test_no_network_is_loaded_for_it():
    code = (
        "import sys; import numpy as np; from dlspec.strategy.labels import suspects; from dlspec.types import *;"
        "assert not {'cleanlab', 'pandas', 'sklearn'} & set(sys.modules);"
        "suspects(ClassLabels(np.array([0, 1] * 20), np.tile([[.9, .1], [.2, .8]], (20, 1)), 'ab'));"
        "assert 'cleanlab' in sys.modules and not {'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
