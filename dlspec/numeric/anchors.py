"""Anchors: the few widths and heights that boxes mostly have, by k-means on how much they overlap."""

from __future__ import annotations

import numpy as np

ROUNDS, STARTS = 100, 4
MOST_SIZES = 20_000
"""boxes that are looked at, evenly spread over those that there are"""


def anchors(sizes_N2: np.ndarray, count: int) -> tuple[np.ndarray, float]:
    """`count` widths and heights (count, 2), the smallest area first, and the mean over boxes of the best IoU.

    k-means with the distance 1 − IoU of boxes that lie on one another (Redmon and Farhadi 2017, section 2, "Dimension
    clusters"); the middle of a cluster is its median, which a few large boxes do not pull.  The first start are
    quantiles of the areas; of several the best is taken.  The same boxes give the same anchors.  Boxes of fewer
    different sizes than `count`: some anchors are alike.
    """
    sizes = np.asarray(sizes_N2, np.float64)
    if len(sizes) > MOST_SIZES:
        sizes = sizes[np.linspace(0, len(sizes) - 1, MOST_SIZES).astype(int)]
    by_area = sizes[np.argsort(sizes.prod(axis=1), kind="stable")]
    random = np.random.default_rng(0)
    starts = [by_area[((np.arange(count) + 0.5) * len(sizes) / count).astype(int)]]
    starts += [_spread(sizes, count, random) for _ in range(STARTS - 1)]
    best, found = -1.0, starts[0]
    for middles in starts:
        middles, fit = _settled(sizes, middles)
        if fit > best + 1e-9:
            best, found = fit, middles
    return found[np.argsort(found.prod(axis=1), kind="stable")], best


def size_overlap(some_N2: np.ndarray, others_M2: np.ndarray) -> np.ndarray:
    """IoU (…, M) of widths and heights (…, 2) with others (M, 2), as if all boxes had one middle."""
    some, others = some_N2[..., None, :], others_M2
    common = np.minimum(some, others).prod(axis=-1)
    union = some.prod(axis=-1) + others.prod(axis=-1) - common
    return np.asarray(np.divide(common, union, out=np.zeros(np.shape(common)), where=union > 0))


def _settled(sizes: np.ndarray, middles: np.ndarray) -> tuple[np.ndarray, float]:
    of = np.full(len(sizes), -1)
    for _ in range(ROUNDS):
        nearest = size_overlap(sizes, middles).argmax(axis=1)
        if np.array_equal(nearest, of):
            break
        of = nearest
        own = [sizes[of == k] for k in range(len(middles))]
        middles = np.array([np.median(one, axis=0) if len(one) else old for one, old in zip(own, middles, strict=True)])
    return middles, float(size_overlap(sizes, middles).max(axis=1).mean())


def _spread(sizes: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Boxes as starts, each likelier the less it overlaps with those before (k-means++, Arthur and Vassilvitskii)."""
    found = [sizes[random.integers(len(sizes))]]
    while len(found) < count:
        apart = (1 - size_overlap(sizes, np.array(found)).max(axis=1)) ** 2
        total = apart.sum()
        found.append(sizes[random.choice(len(sizes), p=apart / total)] if total > 0 else found[0])
    return np.array(found)
