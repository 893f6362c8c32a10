"""What the curve of a learning-rate range test says: where the loss falls, where it blows up, which rate to take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SMOOTHING = 0.9
FALLEN, FALLING = 0.9, 0.1
"""shares of the whole fall: where a rate is as large as pays, and where it begins to do anything"""
RISEN = 0.25
"""the loss has turned where it has risen again by this share of its fall"""
NOISE = 5.0
"""a fall counts from so many standard deviations of the smoothed loss on"""


class Reading(NamedTuple):
    """suggestion: the rate to train with.  low, high: between them the loss falls, and has not turned yet."""

    suggestion: float
    low: float
    high: float


class Smoother:
    """Exponentially weighted mean of the losses so far, corrected for its start: after t of them, m / (1 - β^t)."""

    def __init__(self, beta: float = SMOOTHING) -> None:
        self.beta, self.mean, self.count = beta, 0.0, 0

    def __call__(self, loss: float) -> float:
        self.count += 1
        self.mean = self.beta * self.mean + (1 - self.beta) * loss
        return self.mean / (1 - self.beta**self.count)


def read(rates: Sequence[float], losses: Sequence[float]) -> Reading | None:
    """The rate that the curve speaks for, of growing rates and the loss of each step; None where it never falls.

    It is the rate at which 90 % of the fall is done: a larger one gains nothing more, and smaller ones take longer.
    The place of steepest descent, which is often taken, lies lower than what trains best in few epochs, and with noisy
    losses anywhere; a tenth of the rate where the loss blows up is of no use where examples are few, for then nothing
    blows up once they are known by heart.  At most half of the rate where the loss turns is taken: on a quadratic of
    curvature λ, descent diverges from 2/λ on and is fastest at 1/λ (LeCun et al. 1998, "Efficient BackProp", 5).
    """
    finite = [i for i, loss in enumerate(losses) if math.isfinite(loss)]
    if len(finite) < 6:
        return None
    rate, raw = np.asarray(rates, float)[finite], np.asarray(losses, float)[finite]
    smoother = Smoother()
    smooth = np.array([smoother(loss) for loss in raw])
    early = max(3, len(raw) // 6)
    # The first values of a smoothed curve are as noisy as the losses are: nothing is read off them.
    start, lowest = float(np.mean(raw[:early])), early + int(np.argmin(smooth[early:]))
    fall = start - float(smooth[lowest])
    # Of neighbours, since the mean may move already.  A weighted mean varies by (1 - β) / (1 + β) of what each does.
    each = float(np.std(np.diff(raw[:early]))) / math.sqrt(2)
    noise = each * math.sqrt((1 - SMOOTHING) / (1 + SMOOTHING))
    if fall <= NOISE * noise or fall <= 1e-6 * abs(start):
        return None
    low, fallen = (rate[early + int(np.argmax(smooth[early:] <= start - part * fall))] for part in (FALLING, FALLEN))
    turned = np.flatnonzero(smooth[lowest:] > smooth[lowest] + RISEN * fall)
    if len(turned):
        high = rate[lowest + int(turned[0])]
    elif len(finite) < len(losses):
        high = rate[-1]
    else:
        return Reading(float(fallen), float(low), float(rate[-1]))
    suggestion = min(fallen, high / 2)
    return Reading(float(suggestion), float(min(low, suggestion)), float(high))
