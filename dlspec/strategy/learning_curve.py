"""Error against the number of training examples: a power law with a floor, and what more data would buy.

error(n) = a·n^−b + c (Hestness et al. 2017, "Deep Learning Scaling is Predictable, Empirically", section 3: a falling
line on logarithmic axes, between the small sizes where nothing is learned yet and the floor c that data
does not lower).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

STEEPEST = 2.0
"""b is no larger; what Hestness et al. measured lies between 0.07 and 0.35, what theory knows is at most 1"""
LEAST_SIZES = 4
"""sizes that three unknowns take, and one to see whether they fit"""
LITTLE = 0.05
"""a share of the error: twice the data that lowers it by less is of little help"""
SLOWEST = 0.01
STEPS, ANGLES = 101, 60
"""of b, on the grid that is searched; and around the region of a and c that each allows"""
CELLS, ZOOMS = 8, 8
"""steps that the possible b span at least, or the grid is drawn anew around them, so often at most"""
REWEIGHED = 3
"""times that points are weighed anew by the curve fitted to them"""
PRIOR_SEEDS = 12.0
"""how many seeds' worth the spread of all sizes counts for that of one"""
MISFIT = 0.01
"""points that lie so far from a power law less often than this, by chance, do not follow it"""

Law = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""a, b, c of many possible curves → something that each says"""


class Value(NamedTuple):
    """A value, and the bounds of what the points allow; an infinite bound: no end is known."""

    value: float
    low: float
    high: float


class Curve(NamedTuple):
    """A fitted curve, and every curve of the grid that the points allow as well (95 %)."""

    a: float
    b: float
    c: float
    possible: np.ndarray
    """(M, 3): a, b, c, the fitted one first"""
    sizes: np.ndarray
    """of the points that it was fitted to, ascending"""
    left_out: int
    """of the smallest sizes, where the error had not begun to fall as it does later"""
    misfit: float
    """how likely points of a power law lie as far from one by chance; NaN where that is not known"""

    def read(self, of: Law) -> Value:
        """What the curve says, and between which bounds the possible ones."""
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            found = of(self.possible[:, 0], self.possible[:, 1], self.possible[:, 2])
        return Value(float(found[0]), float(found.min()), float(found.max()))

    def at(self, n: float) -> Value:
        """The error with so many training examples."""
        return self.read(lambda a, b, c: a * n**-b + c)

    def gained(self, factor: float) -> Value:
        """The share of the error at the largest size that `factor` times as many examples would take away."""
        n = float(self.sizes[-1])
        return self.read(lambda a, b, c: 1 - _ratio(a * (factor * n) ** -b + c, a * n**-b + c))

    def needed(self, error: float) -> Value:
        """How many examples take the error down to this; infinite where the floor lies above it."""

        def solve(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
            falls = (error > c) & (a > 0) & (b > 0)
            logarithm = np.log(a / np.where(falls, error - c, 1.0)) / np.where(falls, b, 1.0)
            return np.where(falls, np.exp(np.minimum(logarithm, 700.0)), np.where(error >= a + c, 1.0, np.inf))

        return self.read(solve)

    @property
    def says(self) -> str:
        """`helps`, `flat` or `unknown`: whether twice the data surely lowers the error by more than a little."""
        gained = self.gained(2)
        return "helps" if gained.low > LITTLE else "flat" if gained.high < LITTLE else "unknown"


def fit(sizes: Sequence[float], errors: Sequence[Sequence[float]], *, resolution: float = 0.0) -> Curve:
    """Fit error(n) = a·n^−b + c, a ≥ 0, 0 ≤ b ≤ 2, c ≥ 0, to the mean errors of each size.

    sizes: (K,) numbers of training examples.  errors: of each, those of its seeds (some at least, not all the same
    many; NaN: failed).  resolution: the least step that an error can take, 1/N for a share of N examples.

    Means are weighed by their relative variance, which is least squares on logarithmic axes, but holds at errors of
    0 too: the spread over seeds, drawn towards that of all sizes together, since three seeds say little.  The bounds
    are those of the profile likelihood (Bates & Watts 1988, chapter 6): every curve whose weighted squares exceed the
    least by no more than the square of Student's t.  A bootstrap of five sizes and three seeds would be too sure.

    Where the points do not follow a power law, the smallest sizes are left out, one by one, as long as 4 remain; where
    that does not help, the bounds are widened.  Raises ValueError where fewer than 4 sizes have an error.
    """
    order = np.argsort(np.asarray(sizes, np.float64))
    known = [np.asarray(errors[i], np.float64)[np.isfinite(errors[i])] for i in order]
    kept = [i for i, values in enumerate(known) if len(values)]
    if len(kept) < LEAST_SIZES:
        raise ValueError(f"{len(kept)} sizes; a curve takes {LEAST_SIZES}")
    n = np.asarray(sizes, np.float64)[order][kept]
    values = [known[i] for i in kept]
    found = _fit(n, values, resolution)
    for left_out in range(1, len(n) - LEAST_SIZES + 1):
        if not found.misfit < MISFIT:
            break
        found = _fit(n[left_out:], values[left_out:], resolution)._replace(left_out=left_out)
    return found


def still_falling(sizes: Sequence[float], errors: Sequence[Sequence[float]], *, resolution: float = 0.0) -> bool:
    """Whether the last step in size took away more than a little of the error, beyond chance (one-sided, 2.5 %).

    It takes no law of how errors fall.  As for `fit`; False where no size has two seeds.
    """
    from scipy import stats

    known = {n: np.asarray(of, np.float64)[np.isfinite(of)] for n, of in sorted(zip(sizes, errors, strict=True))}
    values = [of for of in known.values() if len(of)]
    means = np.array([of.mean() for of in values])
    relative = _spread(values, means)
    if relative is None or len(means) < 2:
        return False
    variance = _variance(means, relative, [len(of) for of in values], resolution)
    # The last error less what a little would have left of the one before.
    fall, deviation = (1 - LITTLE) * means[-2] - means[-1], math.sqrt((1 - LITTLE) ** 2 * variance[-2] + variance[-1])
    degrees = sum(len(of) - 1 for of in values)
    return bool(stats.t.sf(fall / deviation, degrees) < 0.025)


def _fit(n: np.ndarray, values: Sequence[np.ndarray], resolution: float) -> Curve:
    from scipy import stats

    means = np.array([one.mean() for one in values])
    relative = _spread(values, means)
    degrees = sum(len(one) - 1 for one in values) if relative is not None else len(n) - 3
    scale = float(n[-1])
    logarithms = np.log(n / scale)  # in units of the largest size, so that a is about an error
    # Between the limits for one and for two unknowns: a c of 0 lies at the end of what is allowed (Self & Liang 1987).
    limit = float(stats.f.ppf(0.95, 1, degrees) / 2 + stats.f.ppf(0.95, 2, degrees))
    level = means
    for _ in range(REWEIGHED):
        # Weighed by what the curve says, not by what was seen: else points that lie low by chance weigh more.
        variance = _variance(level, relative, [len(one) for one in values], resolution)
        points = Points(logarithms, means, variance)
        best = _search(points, SLOWEST, STEEPEST)
        level = best.a * np.exp(-best.b * logarithms) + best.c
    for _ in range(ZOOMS):
        misfit = float(stats.chi2.sf(best.squares, len(n) - 3)) if relative is not None else math.nan
        wider = best.squares / (len(n) - 3) if relative is None or misfit < MISFIT else 1.0
        most = best.squares + max(wider, 1e-12) * limit
        allowed = np.flatnonzero(best.tried_squares <= most)
        if len(allowed) >= CELLS:
            break
        step = best.tried[1] - best.tried[0]
        ends = [best.b, *best.tried[allowed]]
        best = _search(points, max(SLOWEST, min(ends) - step), min(STEEPEST, max(ends) + step))
    possible = points.within(best.tried[allowed], most)
    together = np.concatenate([[[best.a, best.b, best.c]], possible])
    together[:, 0] *= scale ** together[:, 1]
    return Curve(*map(float, together[0]), together, n, 0, misfit)


class Best(NamedTuple):
    """The best curve, the weighted squares that it leaves, and those that every b of a grid leaves."""

    a: float
    b: float
    c: float
    squares: float
    tried: np.ndarray
    tried_squares: np.ndarray


class Points(NamedTuple):
    """The means that a curve is fitted to.  Once b is given, a and c are those of a straight line, both ≥ 0."""

    logarithms: np.ndarray
    """of the sizes"""
    means: np.ndarray
    variance: np.ndarray
    """of the means"""

    def best(self, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """a, c and the weighted squares that they leave; each as many as b (B,)."""
        aa, ac, cc, a1, c1, whole = self._squares(b)
        determinant = aa * cc - ac**2
        a, c = (cc * a1 - ac * c1) / determinant, (aa * c1 - ac * a1) / determinant
        a = np.where(c < 0, a1 / aa, a)
        c = np.where(a < 0, c1 / cc, np.maximum(c, 0.0))
        a = np.maximum(a, 0.0)
        squares = whole - 2 * (a * a1 + c * c1) + aa * a**2 + 2 * ac * a * c + cc * c**2
        return a, c, np.maximum(squares, 0.0)

    def within(self, b: np.ndarray, most: float) -> np.ndarray:
        """(M, 3): a, b, c around the regions whose squares are at most `most`: ellipses, cut off where a or c is 0."""
        aa, ac, cc, a1, c1, whole = self._squares(b)
        determinant = aa * cc - ac**2
        a0, c0 = (cc * a1 - ac * c1) / determinant, (aa * c1 - ac * a1) / determinant
        radius = np.sqrt(np.maximum(0.0, most - (whole - a0 * a1 - c0 * c1)))
        # With the Cholesky factor L of the matrix, the ellipse is the circle times the inverse of L transposed.
        first, second = np.sqrt(aa), np.sqrt(cc - ac**2 / aa)
        turns = np.linspace(0, 2 * math.pi, ANGLES, endpoint=False)[:, None]
        c = c0 + radius * np.sin(turns) / second
        a = a0 + (radius * np.cos(turns) - ac / first * (c - c0)) / first
        nothing = np.zeros_like(b)
        ends = [(a, c), self.best(b)[:2]]
        for square, linear, place in ((aa, a1, 0), (cc, c1, 1)):  # where the other one is 0
            inside = linear**2 - square * (whole - most)
            for sign in (-1, 1):
                crossing = np.where(inside >= 0, (linear + sign * np.sqrt(np.maximum(inside, 0.0))) / square, -1.0)
                ends.append((crossing, nothing) if place == 0 else (nothing, crossing))
        found = np.concatenate([np.stack(np.broadcast_arrays(a, b, c), -1).reshape(-1, 3) for a, c in ends])
        kept: np.ndarray = found[(found >= 0).all(axis=1)]
        return kept

    def _squares(self, b: np.ndarray) -> tuple[np.ndarray, ...]:
        """The normal equations of each b: the sums of squares and products of n^−b, 1 and the means, weighed."""
        power, weight = np.exp(-np.multiply.outer(b, self.logarithms)), 1 / self.variance
        return (
            power**2 @ weight,
            power @ weight,
            weight.sum() + np.zeros_like(b),
            power @ (weight * self.means),
            weight @ self.means + np.zeros_like(b),
            weight @ self.means**2 + np.zeros_like(b),
        )


def _search(points: Points, low: float, high: float) -> Best:
    """The best curve with b between these."""
    from scipy.optimize import minimize_scalar

    slopes = np.linspace(low, high, STEPS)
    squares = points.best(slopes)[2]
    place, step = int(squares.argmin()), (high - low) / (STEPS - 1)
    near = (max(low, slopes[place] - step), min(high, slopes[place] + step))
    found = minimize_scalar(
        lambda b: float(points.best(np.array([b]))[2][0]), bounds=near, method="bounded", options={"xatol": 1e-9}
    )
    b = float(found.x) if found.fun < squares[place] else float(slopes[place])
    a, c, least = (float(one[0]) for one in points.best(np.array([b])))
    return Best(a, b, c, least, slopes, squares)


def _spread(values: Sequence[np.ndarray], means: np.ndarray) -> np.ndarray | None:
    """The variance of a seed's error relative to the square of the mean, of each size; None where no size has two."""
    own = np.array([one.var(ddof=1) if len(one) > 1 else 0.0 for one in values])
    free = np.array([len(one) - 1.0 if mean > 0 else 0.0 for one, mean in zip(values, means, strict=True)])
    if not free.sum():
        return None
    relative = own / np.where(means > 0, means, 1.0) ** 2
    together = (free * relative).sum() / free.sum()
    shrunk: np.ndarray = (PRIOR_SEEDS * together + free * relative) / (PRIOR_SEEDS + free)
    return shrunk


def _variance(level: np.ndarray, relative: np.ndarray | None, many: Sequence[int], resolution: float) -> np.ndarray:
    """Of each mean; where seeds do not tell it, up to a factor."""
    floor = max(resolution, 1e-6 * float(level.max()), 1e-12) ** 2
    found: np.ndarray = np.maximum((1.0 if relative is None else relative) * level**2, floor) / np.array(many)
    return found


def _ratio(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """One by other; 1 where both are 0."""
    return np.where(other > 0, one / np.where(other > 0, other, 1.0), 1.0)
