"""Examples that are nearly the same, by their likeness: vectors that lie closer than 1; and how many chance would give.

In place of a hash, whose bits flip at their borders, all pairs within the distance are found: distances between
projections on the main axes are never larger than those between the vectors, so that a k-d tree (Bentley 1975) over a
few axes leaves few pairs to be measured, and misses none but those behind its eight nearest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dlspec.numeric.resize import resize

AXES = 8
"""main axes that the tree is built over"""
NEAREST = 8
"""rows that are measured for each row that is looked up"""
COLUMNS = 512
"""columns, those that vary most, that the axes are made of"""
SAMPLE = 4_000
"""rows that tell the axes, and what chance would give"""
HALVES = 8
"""ways of halving the columns that chance is estimated by"""
DOUBT = 3.0
"""columns of the two halves depend on each other, too; chance may be so many times what independence says"""
DIVISIONS, DEVIATIONS = 100, 3.0
"""random divisions that copies are told from twins by, and by how many of their deviations"""
SIDE = 16
"""side of the thumbnails that pictures are compared by"""
SAME = 0.06
"""distance of two thumbnails of length 1 that a person would call the same picture.  JPEG at quality 30, other
brightness, noise of 10 levels and another size stay below 0.03; the nearest of 20,000 different digits of MNIST are
0.11 apart"""


class Pair(NamedTuple):
    """A row that was looked up, the nearest row among the others, and their distance."""

    row: int
    other: int
    distance: float


def thumbnails(pictures_NHWC: np.ndarray) -> np.ndarray:
    """A vector of 256 numbers a picture (grey or red, green, blue): two closer than 1 show the same.

    A thumbnail of 16×16, less its mean, of length 1 / 0.06; 0 where the picture is of one colour.
    """
    small = resize(pictures_NHWC, SIDE, SIDE).mean(axis=3).reshape(len(pictures_NHWC), -1)
    bright = np.abs(small).max(axis=1, initial=0, keepdims=True)
    small = small - small.mean(axis=1, keepdims=True)
    length = np.linalg.norm(small, axis=1, keepdims=True)
    flat = length <= 1e-3 * bright
    return np.where(flat, 0, small / (SAME * np.where(flat, 1, length))).astype(np.float32)


def near_pairs(rows_NF: np.ndarray, others_MF: np.ndarray, within: float = 1.0) -> list[Pair]:
    """For every row that has another one within the distance, the nearest, the closest pairs first."""
    from scipy.spatial import cKDTree

    if not len(rows_NF) or not len(others_MF):
        return []
    axes = _axes(others_MF)
    tree = cKDTree(others_MF.astype(np.float64) @ axes, balanced_tree=False)
    _, found = tree.query(
        rows_NF.astype(np.float64) @ axes,
        k=[*range(1, min(NEAREST, len(others_MF)) + 1)],
        distance_upper_bound=within * 1.001 + 1e-6,  # rounding must lose none that is just within
        workers=-1,
    )
    best, distance = np.full(len(rows_NF), -1), np.full(len(rows_NF), np.inf)
    for column in found.T:
        rows = np.flatnonzero(column < len(others_MF))
        apart = np.linalg.norm(rows_NF[rows] - others_MF[column[rows]], axis=1)
        closer = apart < distance[rows]
        best[rows[closer]], distance[rows[closer]] = column[rows[closer]], apart[closer]
    near = np.flatnonzero(distance <= within)
    return [Pair(int(i), int(best[i]), float(distance[i])) for i in near[np.argsort(distance[near], kind="stable")]]


def expected_by_chance(rows_NF: np.ndarray, others_MF: np.ndarray, within: float = 1.0) -> float:
    """How many pairs would be this near if nothing had been copied, from how often half of the columns agree.

    Rows agree in columns where they are the same in steps of within / √F.  Were the two halves of the columns
    independent, a pair would agree in all of them with the product of the halves' frequencies: many pairs in a table
    of a few coarse columns, where twins are no copies, and none in one of many fine columns, or in pictures.  The
    largest product over several ways of halving counts, thrice, for the halves are not independent.  One column tells
    nothing: infinity.
    """
    sample = np.concatenate([_sample(rows_NF), _sample(others_MF)])
    width = sample.shape[1]
    if width < 2 or len(sample) < 2:
        return float("inf")
    steps = _steps(sample, within)
    products = []
    for way in range(HALVES):
        order = np.random.default_rng(way).permutation(width)
        products.append(_agreeing(steps[:, order[: width // 2]]) * _agreeing(steps[:, order[width // 2 :]]))
    return DOUBT * len(rows_NF) * len(others_MF) * max(products)


def beyond_chance(count: int, expected: float) -> bool:
    """Whether so many are more than chance would give (Poisson, 1 %)."""
    from scipy.special import pdtrc

    return count > 0 and bool(pdtrc(count - 1, expected) < 0.01)


def beyond_division(groups_N: np.ndarray, others_M: np.ndarray) -> bool:
    """Whether more rows have a twin on the other side than if both sides had been divided at random.

    groups: a number a row, the same for rows that are twins.  Twins by chance stand within a side as often as across;
    copies that were made from one side into the other stand across alone.  Permutation test.
    """
    whole = np.unique(np.concatenate([groups_N, others_M]), return_inverse=True)[1].ravel()
    count, kinds = len(groups_N), int(whole.max(initial=-1)) + 1

    def across(order: np.ndarray) -> int:
        there = np.bincount(whole[order[count:]], minlength=kinds) > 0
        return int(there[whole[order[:count]]].sum())

    found = across(np.arange(len(whole)))
    draws = np.random.default_rng(0)
    by_chance = np.array([across(draws.permutation(len(whole))) for _ in range(DIVISIONS)])
    return found > by_chance.mean() + DEVIATIONS * max(1.0, float(by_chance.std()))


def twins(rows_NF: np.ndarray, within: float = 1.0) -> np.ndarray:
    """A value a row, the same for rows that are the same in steps of within / √F."""
    return _as_one(_steps(rows_NF, within))


def _steps(rows: np.ndarray, within: float) -> np.ndarray:
    return np.rint(rows * (np.sqrt(rows.shape[1]) / within)) + 0.0  # one zero


def _as_one(steps: np.ndarray) -> np.ndarray:
    """Each row as one value, equal where all its numbers are."""
    rows = np.ascontiguousarray(steps, np.float64)
    return rows.view(f"V{rows.shape[1] * rows.itemsize}").ravel()


def _agreeing(steps: np.ndarray) -> float:
    """The share of pairs of rows that are equal."""
    _, counts = np.unique(_as_one(steps), return_counts=True)
    return float((counts * (counts - 1.0)).sum() / (len(steps) * (len(steps) - 1.0)))


def _axes(vectors: np.ndarray) -> np.ndarray:
    """(F, axes): orthonormal directions in which the vectors spread most."""
    sample = _sample(vectors).astype(np.float64)
    columns = np.sort(np.argsort(-sample.var(axis=0), kind="stable")[:COLUMNS])
    part = sample[:, columns] - sample[:, columns].mean(axis=0)
    _, directions = np.linalg.eigh(part.T @ part)
    axes = np.zeros((vectors.shape[1], min(AXES, len(columns))))
    axes[columns] = directions[:, ::-1][:, : axes.shape[1]]
    return axes


def _sample(vectors: np.ndarray) -> np.ndarray:
    count = len(vectors)
    return vectors if count <= SAMPLE else vectors[[i * count // SAMPLE for i in range(SAMPLE)]]
