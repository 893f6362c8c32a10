"""Forecasts that know nothing, and what errors are measured by: the last value again, the season before again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def naive(history: np.ndarray, horizon: int) -> np.ndarray:
    """The last value again at each step: history (N, L, T) → (N, horizon, T)."""
    return np.repeat(history[:, -1:], horizon, axis=1)


def seasonal_naive(history: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The value a season before each step, or as many seasons as it takes: (N, L, T) → (N, horizon, T).

    NaN where the history does not reach back so far.
    """
    length = history.shape[1]
    if season > length:
        return np.full((len(history), horizon, history.shape[2]), np.nan)
    return history[:, length - season + np.arange(horizon) % season]


def in_sample_error(values: np.ndarray) -> np.ndarray:
    """How wrong it is on average to say the last value again, one step ahead: (…, L, T) → (T,).

    What MASE divides by (Hyndman & Koehler 2006, "Another look at measures of forecast accuracy", equation of q_t).
    """
    steps = np.abs(np.diff(values, axis=-2)).reshape(-1, values.shape[-1])
    known = ~np.isnan(steps)
    return np.where(known, steps, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def clustered_mean(values: np.ndarray, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of values (N, K) over rows, and how far the ends of a 95 % interval are from them, (K,) each.

    Rows of one block (N,) are alike: the error is that of whole blocks (Student's t over them); NaN of fewer than two.
    """
    from scipy.special import stdtrit

    mean = values.mean(axis=0)
    _, place = np.unique(block, return_inverse=True)
    many = int(place.max()) + 1 if len(place) else 0
    if many < 2:
        return mean, np.full(values.shape[1], np.nan)
    left = np.zeros((many, values.shape[1]))
    np.add.at(left, place, values - mean)
    error = np.sqrt((left**2).sum(axis=0) * many / (many - 1)) / len(values)
    return mean, float(stdtrit(many - 1, 0.975)) * error


def numbers_of(text: str) -> list[list[float]]:
    """`18.2; 17.5 | 3; 4`: of each target (between bars) the steps of a forecast.  Raises ValueError."""
    return [[float(one) for one in own.split(";")] for own in str(text).split("|")]


def text_of(forecast: Sequence[Sequence[float]]) -> str:
    """A forecast (horizon, T) as such a text, to six digits."""
    return " | ".join("; ".join(f"{one:.6g}" for one in own) for own in np.asarray(forecast).T)
