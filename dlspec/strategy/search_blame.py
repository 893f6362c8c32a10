"""Whether the search or the model is to blame for a wrong sentence: the score of the truth against that of the guess.

Where the network gives the truth the better score, the search has missed it; where it gives the guess the better one,
the search did what it was asked, and the model prefers what is wrong (Ng, "Sequence models", week 3: error analysis in
beam search).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from dlspec.strategy.intervals import wilson

ALIKE = 1e-4
"""scores that are nearer than this are of the same sentence, written otherwise"""


class Blame(NamedTuple):
    """Sentences with an error, by who is to blame."""

    compared: int
    search: int
    model: int
    alike: int
    """score alike: the truth itself, or written so that the network cannot tell them apart"""
    low: float
    """of the search's share of those that are anybody's, with 95 % confidence from this …"""
    high: float
    """… to this"""

    @property
    def share(self) -> float:
        """The search's, of those that are the search's or the model's; NaN where there are none."""
        return self.search / (self.search + self.model) if self.search + self.model else float("nan")

    @property
    def verdict(self) -> Literal["search", "model", "unclear"]:
        """Who is to blame for most of them, where that is sure."""
        if self.low > 0.5:
            return "search"
        return "model" if self.high < 0.5 else "unclear"


def blame(truths: np.ndarray, guesses: np.ndarray) -> Blame:
    """Scores (N,) that the network gives truths, and those of its guesses, of sentences with an error."""
    apart = np.asarray(truths, np.float64) - np.asarray(guesses, np.float64)
    search, model = int((apart > ALIKE).sum()), int((apart < -ALIKE).sum())
    return Blame(len(apart), search, model, len(apart) - search - model, *wilson(search, search + model))


def groups(values: np.ndarray, most: int = 4) -> list[np.ndarray]:
    """Rows (N,) by what they are worth, in at most so many groups of about one size; equal values stay together.

    Rows without a value (NaN) are in none.
    """
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return []
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, most + 1)[1:-1]))
    place = np.searchsorted(edges, values[known], side="left")
    found = [known[place == one] for one in range(len(edges) + 1)]
    return [one for one in found if len(one)]
