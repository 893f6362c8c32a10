"""Slices of the data where error is surely high, found over every column, hardly ever a false one (LEVEL).

Candidates are the values of words, the ranges of numbers, and pairs of coarser ones.  Each is scored by the likelihood
ratio of its error rate against that of the rest, the scan statistic for Bernoulli data (Kulldorff 1997).  How high
scores get by luck is seen where errors are dealt out anew at random: the maximum over all candidates (Westfall & Young
1993), whatever their correlation.  Those of one kind (words, half-lines, ranges by length, pairs) are many or few, so
that each kind's scores are first set against what luck makes of that kind: no kind drowns another.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlspec.strategy.conditions import Column, Condition, column

LEVEL = 0.04
"""the chance that any slice is reported where error is everywhere the same"""
DEALS = 1_000
"""times that errors are dealt out at random"""
MOST_ROWS, MOST_ERRORS = 20_000, 2_000
"""rows that are searched, and errors (or rows without, where those are rarer) among them; more are thinned evenly"""
LEAST_ROWS, LEAST_SHARE, MOST_SHARE = 20, 0.01, 0.8
"""how many rows a slice has at least, and which share of all at least and at most"""
LEAST_UNITS = 10
"""how many groups a slice is of at least, where there are any"""
FEWEST_ERRORS = 10
"""with fewer, nothing could be told from luck"""
CELLS = ((16, 100), (50, 40), (200, 12))
"""up to so many columns, numbers are cut into so many cells; of more columns the first are looked at"""
PAIRED = 120
"""conditions that are paired"""
CUT_OFF = 0.9
"""a pair holds at most so much of each of its conditions"""
FAR_BETTER = 6.0
"""how much higher the log likelihood ratio of a pair is than that of one of its conditions, where both are said"""
KIND_LUCK = 0.95
"""of all deals, the share whose best score of a kind is no higher than what scores of that kind are set against"""
BLOCK = 4_000_000
"""scores held at a time"""


@dataclass(frozen=True)
class Found:
    """A slice: all its conditions hold.  p: the chance that luck alone shows any as clear, over all candidates."""

    conditions: tuple[Condition, ...]
    p: float

    def rows(self, facts: Mapping[str, np.ndarray]) -> np.ndarray:
        """(N,) whether each row of the facts belongs."""
        return np.logical_and.reduce([one.holds(facts[one.column]) for one in self.conditions])

    def __str__(self) -> str:
        return " and ".join(map(str, self.conditions))


def find_slices(
    facts: Mapping[str, np.ndarray],
    wrong: np.ndarray,
    *,
    units: np.ndarray | None = None,
    level: float = LEVEL,
    most: int = 10,
    seed: int = 0,
) -> list[Found]:
    """The slices where error is surely higher than elsewhere, the clearest first; what another explains is left out.

    facts: name → (N,) float64, dates or words (see `conditions.widened`).  wrong: (N,) bool.
    units: (N,) which rows belong together, as those of one patient: their errors are then dealt out together.
    level: the chance of any false one.  Deterministic by seed.
    """
    kept = searched(wrong)
    facts, wrong = {name: values[kept] for name, values in facts.items()}, wrong[kept]
    if min(wrong.sum(), (~wrong).sum()) < FEWEST_ERRORS:
        return []
    if units is not None:
        units = np.unique(units[kept], return_inverse=True)[1]
        units = units if units.max() + 1 < len(units) else None
    family = _Family(_columns(facts, len(wrong)), len(wrong))
    if not len(family.sizes):
        return []
    luck = np.sort(family.luck(wrong, units, seed))
    chosen: list[tuple[int, float]] = []
    active, few = np.ones(len(wrong), bool), np.zeros(len(family.sizes), bool)
    while len(chosen) < most:
        scores = np.where(few, -math.inf, family.scores(wrong, active))
        best = family.simplest(int(scores.argmax()), scores, float(np.quantile(luck, 1 - level)))
        p = _p(luck, scores[best])
        if p > level:
            break
        if units is not None and len(np.unique(units[family.rows(best)])) < LEAST_UNITS:
            few[best] = True  # what is so of a patient or two is said of them, not of their age
            continue
        chosen.append((best, p))
        active = active & ~family.rows(best)
    # A wider slice that was chosen later may hold all that an earlier one says.
    for one in list(chosen):
        others = [family.rows(at) for at, _ in chosen if at != one[0]]
        if others and _p(luck, family.scores(wrong, ~np.logical_or.reduce(others))[one[0]]) > level:
            chosen.remove(one)
    return [Found(family.conditions(at), p) for at, p in chosen]


def searched(wrong: np.ndarray) -> np.ndarray:
    """Which rows are searched: all, or so many evenly spread ones that the search stays quick."""
    rare = min(int(wrong.sum()), int((~wrong).sum()))
    share = min(1.0, MOST_ROWS / max(1, len(wrong)), MOST_ERRORS / max(1, rare))
    count = max(1, int(share * len(wrong)))
    return np.arange(len(wrong)) if share == 1 else np.arange(count) * len(wrong) // count


def _deals(wrong: np.ndarray, units: np.ndarray | None, rare: bool, seed: int) -> Iterator[np.ndarray]:
    """DEALS times, the rows that are wrong (or right, if not `rare`) where errors are dealt out anew.

    Errors of one unit stay together: each unit gets those of another, a row of it drawn for every one of its own.
    """
    random = np.random.default_rng(seed)
    n, count = len(wrong), int((wrong == rare).sum())
    if units is None:
        for _ in range(DEALS):
            yield random.choice(n, count, replace=False, shuffle=False)
        return
    order = np.argsort(units, kind="stable")
    sizes = np.bincount(units)
    starts = np.cumsum(sizes) - sizes
    held = wrong[order]
    for _ in range(DEALS):
        source = random.permutation(len(sizes))[units]
        yield np.flatnonzero(held[starts[source] + (random.random(n) * sizes[source]).astype(np.int64)] == rare)


def _p(luck: np.ndarray, score: float) -> float:
    """The share of deals whose best score is as high, the one at hand counted in."""
    return float(1 + len(luck) - np.searchsorted(luck, score, side="left")) / (1 + len(luck))


def _columns(facts: Mapping[str, np.ndarray], n: int) -> list[Column]:
    names = list(facts)[: CELLS[-1][0]]
    cells = next(cells for columns, cells in CELLS if len(names) <= columns)
    paired = PAIRED // max(1, len(names))
    made = [column(name, facts[name], cells, _least(n), paired) for name in names]
    return [one for one in made if one is not None]


def _least(n: int) -> int:
    return max(LEAST_ROWS, math.ceil(LEAST_SHARE * n))


class _Family:
    """All candidates over one set of rows: single conditions first, then pairs; each of a kind."""

    def __init__(self, columns: Sequence[Column], n: int) -> None:
        self.columns, self.n = columns, n
        self.offsets = np.cumsum([0, *(one.cells for one in columns)])
        self.codes = (
            np.stack([one.codes for one in columns], 1) + self.offsets[:-1] if columns else np.zeros((n, 0), int)
        )
        self.of = [(at, which) for at, one in enumerate(columns) for which in range(len(one.candidates))]
        flat = [columns[at].candidates[which] for at, which in self.of]
        self.starts = np.array([self.offsets[at] + one[0] for (at, _), one in zip(self.of, flat, strict=True)], int)
        self.stops = np.array([self.offsets[at] + one[1] for (at, _), one in zip(self.of, flat, strict=True)], int)
        sizes = self._within(np.bincount(self.codes.ravel(), minlength=self.offsets[-1]))
        kept = np.flatnonzero(self._sized(sizes))
        self.of, self.starts, self.stops = [self.of[at] for at in kept], self.starts[kept], self.stops[kept]
        coarse = {(at, which) for at, one in enumerate(columns) for which in one.coarse}
        self.pool = [one for one in self.of if one in coarse][:PAIRED]
        self.members = np.stack([self._rows_of(*one) for one in self.pool] or [np.zeros(n, bool)], 1).astype(np.float32)
        self.pairs, pair_sizes = self._paired()
        self.sizes = np.concatenate([sizes[kept], pair_sizes]).astype(np.int64)
        names = [*(flat[at][2] for at in kept), *["pair"] * len(pair_sizes)]
        kinds = list(dict.fromkeys(names))
        self.kind = np.array([kinds.index(one) for one in names], np.int64)
        self.order = np.argsort(self.kind, kind="stable")
        self.bounds = np.searchsorted(self.kind[self.order], np.arange(len(kinds)))
        self.luck_of = np.zeros(len(kinds))
        whole = np.arange(n + 1, dtype=float)
        self.entropy = whole * np.log(np.maximum(whole, 1))

    def _sized(self, sizes: np.ndarray) -> np.ndarray:
        return (sizes >= _least(self.n)) & (sizes <= MOST_SHARE * self.n)

    def _within(self, cells: np.ndarray) -> np.ndarray:
        """(…, cells) counts → (…, candidates)."""
        total = np.zeros((*cells.shape[:-1], cells.shape[-1] + 1), np.int64)
        np.cumsum(cells, axis=-1, out=total[..., 1:])
        return total[..., self.stops] - total[..., self.starts]

    def _paired(self) -> tuple[np.ndarray, np.ndarray]:
        """(2, M) two conditions of different columns, where they cut something off of both; and the rows of each."""
        both = np.rint(self.members.T @ self.members).astype(np.int64)
        own = np.array([at for at, _ in self.pool])
        one, other = np.triu_indices(len(self.pool), 1)
        size, alone = both[one, other], np.diag(both)
        fit = self._sized(size) & (size <= CUT_OFF * np.minimum(alone[one], alone[other]))
        if len(self.pool):
            fit &= own[one] != own[other]
        return np.stack([one[fit], other[fit]]), size[fit]

    def _rows_of(self, at: int, which: int) -> np.ndarray:
        start, stop, _ = self.columns[at].candidates[which]
        codes = self.columns[at].codes
        return (codes >= start) & (codes < stop)

    def _parts(self, at: int) -> list[tuple[int, int]]:
        if at < len(self.of):
            return [self.of[at]]
        return [self.pool[one] for one in self.pairs[:, at - len(self.of)]]

    def rows(self, at: int) -> np.ndarray:
        """(N,) whether each row belongs to a candidate."""
        return np.logical_and.reduce([self._rows_of(*one) for one in self._parts(at)])

    def conditions(self, at: int) -> tuple[Condition, ...]:
        return tuple(self.columns[where].conditions[which] for where, which in self._parts(at))

    def simplest(self, best: int, scores: np.ndarray, sure: float) -> int:
        """The best candidate; of a pair, the one condition that says it, too, unless both together fit far better."""
        ratio = scores + self.luck_of[self.kind]
        alone = [self.of.index(one) for one in self._parts(best)]
        said = [one for one in alone if scores[one] >= sure and ratio[one] > ratio[best] - FAR_BETTER]
        return max(said, key=lambda one: scores[one], default=best)

    def counted(self, rows: np.ndarray) -> np.ndarray:
        """How many of these rows (their numbers) each candidate holds."""
        single = self._within(np.bincount(self.codes[rows].ravel(), minlength=self.offsets[-1]))
        return np.concatenate([single, self._pairs_of(rows)])

    def _pairs_of(self, rows: np.ndarray) -> np.ndarray:
        some = self.members[rows]
        return np.rint((some.T @ some)[self.pairs[0], self.pairs[1]]).astype(np.int64)

    def scores(self, wrong: np.ndarray, active: np.ndarray) -> np.ndarray:
        """Of every candidate, over the active rows alone, against its kind's luck; -inf where too few are left."""
        sizes = self.counted(np.flatnonzero(active))
        errors = self.counted(np.flatnonzero(active & wrong))
        found = self._ratio(errors, sizes, int((active & wrong).sum()), int(active.sum())) - self.luck_of[self.kind]
        return np.where(sizes >= _least(self.n) / 2, found, -math.inf)

    def _ratio(self, errors: np.ndarray, sizes: np.ndarray, wrong: Any, n: int) -> np.ndarray:
        """The log likelihood ratio of two error rates against one; -inf where that of the slice is not the higher."""
        h = self.entropy
        inside = h[errors] + h[sizes - errors] - h[sizes]
        outside = h[wrong - errors] + h[n - wrong - sizes + errors] - h[n - sizes]
        ratio = inside + outside - (h[wrong] + h[n - wrong] - h[n])
        return np.where(errors * n > wrong * sizes, ratio, -math.inf)

    def luck(self, wrong: np.ndarray, units: np.ndarray | None, seed: int) -> np.ndarray:
        """(DEALS,) the best score over all candidates, each time that the errors are dealt out at random."""
        rare = bool(2 * wrong.sum() <= self.n)
        step = max(1, BLOCK // len(self.sizes))
        highest = []
        dealt = _deals(wrong, units, rare, seed)
        while some := list(itertools.islice(dealt, step)):
            held = np.stack([self.counted(rows) for rows in some])
            counts = np.array([[len(rows)] for rows in some])
            errors, wrongs = (held, counts) if rare else (self.sizes - held, self.n - counts)
            ratio = self._ratio(errors, self.sizes, wrongs, self.n)[:, self.order]
            highest.append(np.maximum.reduceat(ratio, self.bounds, axis=1))
        best = np.concatenate(highest)
        self.luck_of = np.maximum(0.0, np.quantile(best, KIND_LUCK, axis=0, method="lower"))
        best_of_all: np.ndarray = (best - self.luck_of).max(axis=1)
        return best_of_all
