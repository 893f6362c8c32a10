"""Which metrics of classes are means over rows, so that their intervals are known without drawing rows again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlspec.types import Share, Statistics

if TYPE_CHECKING:
    import numpy as np


def shares(statistics: Statistics) -> dict[str, Share]:
    """Accuracy and log-loss; of two classes also both rates, precision, recall and F1 = 2J / (1 + J), with
    J = TP / (TP + FP + FN).

    Of more classes those last three are means of shares, and ROC AUC is a share of pairs.  Where every row is right, or
    every positive lies above every negative, they show no spread: then as many rows of each class as of the rarest say
    how sure that is, all of them hits.
    """
    import numpy as np

    truth, guess = statistics["truth"], statistics["guess"]
    right = truth == guess
    found = {"accuracy": Share(right)}
    if "positive" in statistics:
        true, guessed = truth == statistics["positive"], guess == statistics["positive"]
        found["precision"] = Share(right, guessed)
        found["recall"] = Share(right, true)
        found["f1"] = Share(right, true | guessed, _f1)
        found["false_positive_rate"] = Share(guessed, ~true)
        found["false_negative_rate"] = Share(~right, true)
    else:
        perfect = bool(len(truth)) and bool(right.all())
        share = Share(right, _as_many_of_each(truth)) if perfect else Share(None)
        found |= dict.fromkeys(("precision", "recall", "f1"), share)
    if "log_loss" in statistics:
        found["log_loss"] = Share(statistics["log_loss"])
        perfect = bool(len(truth)) and _separated(statistics["scores"], statistics["column"])
        found["roc_auc"] = (
            Share(np.ones(len(truth)), _as_many_of_each(statistics["column"])) if perfect else Share(None)
        )
    return found


def _f1(share: float) -> float:
    return 2 * share / (1 + share)


def _as_many_of_each(classes: np.ndarray) -> np.ndarray:
    """Rows (bool) that hold as many of each class as there are of the rarest."""
    import numpy as np

    _, codes, counts = np.unique(classes, return_inverse=True, return_counts=True)
    order = np.argsort(codes, kind="stable")
    place = np.empty(len(codes), np.int64)  # of a row among those of its class
    place[order] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen: np.ndarray = place < counts.min()
    return chosen


def _separated(scores: np.ndarray, column: np.ndarray) -> bool:
    """Whether in each column of scores every positive lies above every negative, and there is one of each."""
    for k in range(scores.shape[1]):
        positive = column == k
        if positive.all() or not positive.any() or not scores[positive, k].min() > scores[~positive, k].max():
            return False
    return True
