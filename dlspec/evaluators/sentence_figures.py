"""What sacreBLEU counts in sentences, a row each, and the corpus figures that it makes of the sums (Post 2018)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

COLUMNS = {"bleu": 10, "chrf": 18, "ter": 2}
"""how many counts of each: lengths of guess and truth, and of 1- to 4-grams those that are right and all of the guess;
of 1- to 6-grams of characters those of the guess, of the truth and of both; edits, and words of the truth"""


@functools.cache
def scorer(metric: str, tokenize: str) -> Any:
    """sacreBLEU's own, with its usual settings.  `force`: whether texts look tokenised is said elsewhere."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

    if metric == "bleu":
        return BLEU(tokenize=tokenize, force=True)
    return CHRF() if metric == "chrf" else TER()


def counts(metric: str, guesses: Sequence[str], truths: Sequence[str], tokenize: str) -> np.ndarray:
    """float64 (N, COLUMNS[metric]): whole numbers, so that their sums are exact."""
    import numpy as np

    if not len(guesses):
        return np.zeros((0, COLUMNS[metric]))
    found = scorer(metric, tokenize)._extract_corpus_statistics(list(guesses), [list(truths)])
    return np.array(found, np.float64)


def figure(metric: str, sums: np.ndarray, tokenize: str) -> float:
    """What sacreBLEU makes of the summed counts, 0 to 100 (TER: 0 and more)."""
    of = scorer(metric, tokenize)
    if metric != "bleu":
        return float(of._compute_score_from_stats(sums.tolist()).score)
    guess, truth, *grams = sums.tolist()
    lengths = round(guess), round(truth)  # which it writes as whole numbers
    return float(of.compute_bleu(grams[:4], grams[4:], *lengths, smooth_method=of.smooth_method).score)


def signatures(tokenize: str) -> dict[str, str]:
    """Of each metric, how it was computed, in sacreBLEU's short hand; with it, others can compute the same."""
    found = {}
    for metric in COLUMNS:
        of = scorer(metric, tokenize)
        of._cache_references([[""]])  # the signature tells how many truths a sentence has
        found[metric] = str(of.get_signature())
    return found
