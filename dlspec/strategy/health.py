"""What looks into a network in training say of its health: one verdict in words, from arrays alone.

After Glorot and Bengio (2010) and He et al. (2015), who follow gradients and activations from layer to layer, and the
rule of thumb that a step moves a weight by about a thousandth of its size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dlspec.strategy.looks import Name, Sample, Verdict

USUAL_RATIO = 3e-3
"""update-to-weight ratio of a first step that trains well: between a thousandth and a hundredth"""
VANISHES = 1e-4
"""gradient of a weight in a layer, relative to the layer where it is largest, below which the layer does not learn"""
HUGE = 30.0
"""root mean square of a fresh network's outputs from which on it explodes: about 1 is right"""
LARGE_STEP = 0.1
"""update-to-weight ratio from which on a step undoes what the weights were"""
WORSE = 1.5
"""times by which the loss of the same examples may rise in the first steps before it counts as getting worse"""
MOST, NEARLY_ALL = 0.75, 0.95
"""share of a layer's units that are dead, or of its values that are saturated, from which on it is ill: the first
where the network learns badly, the second even where it does not"""
BADLY = 0.5
"""of the loss of a network that knows nothing, how much is left where a network learns badly"""
STILL = 0.02
"""sum of all update-to-weight ratios below which the weights have hardly moved in a whole training"""


def verdict(
    samples: Sequence[Sample],
    names: Sequence[str],
    kernels: Sequence[bool],
    *,
    rate: float,
    expected: float | None = None,
    losses: Sequence[float] = (),
    diverged: bool = False,
    accumulate: int = 1,
) -> Verdict:
    """The health of a training, from looks at it.

    names: of the layers with weights, in the order of work.  kernels: whether each multiplies what enters it (not
    merely scales and shifts it).  rate: the learning rate it began with.  expected: the loss of a network that knows
    nothing, where theory gives it.  losses: mean training loss of each epoch.  diverged: the loss became no number.
    accumulate: steps an update.
    """
    if not samples or not any(kernels):
        return Verdict("unknown", "nothing was looked at, so that nothing can be said of the network's health")
    seen = _Seen(samples, names, np.array(kernels, bool), rate, expected, losses, diverged, accumulate)
    found = [one for one in (check(seen) for check in _CHECKS) if one is not None]
    if not found:
        return Verdict("healthy", _healthy(seen))
    first, *others = found
    return Verdict(first.name, first.says, first.layers, first.rate, tuple(others))


class _Seen(NamedTuple):
    samples: Sequence[Sample]
    names: Sequence[str]
    kernels: np.ndarray
    rate: float
    expected: float | None
    losses: Sequence[float]
    diverged: bool
    accumulate: int

    @property
    def settled(self) -> Sequence[Sample]:
        """The later half of the looks, the start never among them where there are others."""
        return self.samples[max(1, len(self.samples) // 2) :] or self.samples

    @property
    def knows_nothing(self) -> float:
        """The loss of a network that knows nothing: theory's, or that of the fresh one."""
        return self.samples[0].loss if self.expected is None else self.expected

    @property
    def final(self) -> float:
        """The loss at the end: of the last epoch, or of the last look."""
        return float(self.losses[-1] if len(self.losses) else self.samples[-1].loss)

    @property
    def early(self) -> Sequence[Sample]:
        """The looks at the earliest steps; where the learning rate rises from there (a warm-up), all of them."""
        rates = [one.rate for one in self.samples[1:]]
        return self.samples if rates and max(rates) > 1.01 * rates[0] else self.samples[:5]

    def ratios(self, samples: Sequence[Sample], full: bool = False) -> list[float]:
        """Of each look, the median over the layers: layers whose weights start at 0 do not count.

        full: what it were with the learning rate the recipe has, of which a schedule may leave a share; else what it
        was, or what it were, where training goes on with a lower one.
        """
        found = []
        for one in samples:
            known = self.kernels & np.isfinite(one.ratio)
            if known.any():
                share = self.rate / one.rate if one.rate > 0 else 1.0
                found.append(float(np.median(one.ratio[known])) * (share if full else min(1.0, share)))
        return found

    @property
    def first_ratio(self) -> tuple[float, float]:
        """The largest of the earliest steps; and what that were with the whole of the recipe's learning rate."""
        each = zip(self.ratios(self.early), self.ratios(self.early, full=True), strict=True)
        return max(each, default=(math.nan, math.nan))


def _exploding(seen: _Seen) -> Verdict | None:
    """At the start, before any step: the outputs, or the gradients, are far from the size of 1."""
    start = seen.samples[0]
    outputs = np.where(seen.kernels, start.output, np.nan)
    if not np.isfinite(outputs).any() and np.isfinite(start.loss):
        return None
    last = _last(outputs)
    unbounded = not np.isfinite(start.loss) or not np.isfinite(start.gradient[seen.kernels]).all()
    worse = start.loss > 10 * max(abs(seen.knows_nothing), 1e-3) + 10 or not np.isfinite(start.loss)
    if not unbounded and not (last > HUGE and worse):
        return None
    begins = next((int(i) for i in np.flatnonzero(seen.kernels) if not start.output[i] <= HUGE), None)
    where = "" if begins is None else f"; layer '{seen.names[begins]}' is the first to give more than {HUGE:g}"
    return Verdict(
        "exploding",
        f"exploding: the fresh network's outputs have a root mean square of {last:.3g}, where about 1 is right, and "
        f"its loss is {start.loss:.3g} instead of {seen.knows_nothing:.3g}{where}. Gradients are as large, and "
        "training only undoes that",
        () if begins is None else (begins,),
    )


def _last(outputs: np.ndarray) -> float:
    known = outputs[~np.isnan(outputs)]
    return float(known[-1]) if len(known) else math.nan


def _vanishing(seen: _Seen) -> Verdict | None:
    """In every look: the gradient of a weight is smaller by orders of magnitude than in another layer."""
    if seen.kernels.sum() < 3:
        return None
    shares = []
    for one in seen.samples:
        each = np.where(seen.kernels, one.gradient / np.sqrt(np.maximum(1, one.size)), np.nan)
        most = np.nanmax(each, initial=0.0, where=~np.isnan(each))
        if np.isfinite(most) and most > 0:
            shares.append(each / most)
    if not shares:
        return None
    # A layer that starts at zero stops the gradient for the first step alone; what has been learned lets it fade.
    best = np.nanmax(np.array(shares), axis=0, initial=0.0)
    small = np.flatnonzero(seen.kernels & (best < VANISHES))
    if not len(small):
        return None
    place = int(small[np.argmin(best[small])])
    count = f"{len(small)} of {int(seen.kernels.sum())} layers"
    return Verdict(
        "vanishing",
        f"vanishing gradients: in {count} a weight gets less than {VANISHES:g} of the gradient that it gets in the "
        f"layer where it is largest (in '{seen.names[place]}' {best[place]:.1e} of it): these layers hardly learn",
        tuple(map(int, small)),
    )


def _too_high(seen: _Seen) -> Verdict | None:
    """The start was fine; then steps were so large that the loss rose, or the network was destroyed."""
    start = seen.samples[0].loss
    ratio, full = seen.first_ratio
    after = [one.loss for one in seen.early if one.step > 0]
    nothing = max(start, seen.knows_nothing)
    rose = any(not np.isfinite(one) or one > WORSE * nothing for one in after)
    final = seen.final
    lost = not np.isfinite(final) or final >= 0.98 * min(start, seen.knows_nothing)
    large = ratio > LARGE_STEP
    if seen.diverged and not large and not rose:
        step = f", though a first step moved weights by {100 * ratio:.2g} % of their size" if np.isfinite(ratio) else ""
        return Verdict("diverged", f"diverged: the loss, or a weight, became no finite number{step}")
    if not seen.diverged and not (large and (rose or lost)):
        return None
    how = f"one step moves weights by {100 * ratio:.2g} % of their size" if np.isfinite(ratio) else "steps are too long"
    if seen.diverged:
        what = "the loss, or a weight, became no finite number"
    elif rose:
        what = f"the loss of the same examples rose from {start:.3g} to {max(after):.3g} in the first steps"
    else:
        what = f"the loss ({final:.3g}) is no better than that of a network that knows nothing"
    return Verdict(
        "learning_rate_too_high",
        f"learning rate too high: {what}; {how} (about {100 * USUAL_RATIO:.1g} % is usual)",
        (),
        _rate(seen.rate, full, 1e-4, 1 / 3, 0.1),
    )


def _dead(seen: _Seen) -> Verdict | None:
    found = np.array([one.dead for one in seen.settled])
    return _most(
        seen, found, "dead", "dead units: of the rectifiers after '{name}' {share:.0%} give 0 for every example"
    )


def _saturated(seen: _Seen) -> Verdict | None:
    found = np.array([one.saturated for one in seen.settled])
    return _most(
        seen, found, "saturated", "saturation: of what follows '{name}' {share:.0%} lies at a bound of its activation"
    )


def _most(seen: _Seen, found: np.ndarray, name: Name, says: str) -> Verdict | None:
    known = ~np.isnan(found).all(axis=0)
    if not known.any():
        return None
    share = np.full(found.shape[1], np.nan)
    share[known] = np.nanmedian(found[:, known], axis=0)
    ill = np.flatnonzero(np.nan_to_num(share) > (MOST if seen.final > BADLY * seen.knows_nothing else NEARLY_ALL))
    if not len(ill):
        return None
    place = int(ill[np.argmax(share[ill])])
    more = f"; {len(ill)} layers are like that" if len(ill) > 1 else ""
    said = says.format(name=seen.names[place], share=share[place])
    return Verdict(name, f"{said}: these get no gradient{more}", tuple(map(int, ill)))


def _too_low(seen: _Seen) -> Verdict | None:
    """In a whole training the weights have hardly moved, and the loss was still falling, by little."""
    ratios = seen.ratios(seen.samples)
    if not ratios or len(seen.losses) < 2:
        return None
    ratio, full = float(np.median(ratios)), float(np.median(seen.ratios(seen.samples, full=True)))
    steps = max(one.step for one in seen.samples) // seen.accumulate
    first, last = seen.losses[0], seen.losses[-1]
    start = max(first, seen.samples[0].loss)
    falls = last < seen.losses[-2] and last > 0.5 * start
    little = ratio * steps < STILL or (ratio < USUAL_RATIO / 300 and ratio * steps < 0.2)
    # A training of a few usual steps is short, and nothing else.
    if not (little and falls and full < USUAL_RATIO / 3):
        return None
    return Verdict(
        "learning_rate_too_low",
        f"learning rate too low: one step moves weights by {100 * ratio:.1e} % of their size (about "
        f"{100 * USUAL_RATIO:.1g} % is usual), {steps:,} updates have moved them by at most "
        f"{100 * ratio * steps:.1g} %, and the loss was still falling, from {start:.3g} to {last:.3g}",
        (),
        _rate(seen.rate, full, 3, 1e4, 10),
    )


_CHECKS = (_exploding, _vanishing, _too_high, _dead, _saturated, _too_low)
"""in the order in which one explains the next"""


def _rate(rate: float, ratio: float, least: float, most: float, otherwise: float) -> float:
    """A learning rate with which a step is of the usual size, at one significant digit."""
    factor = USUAL_RATIO / ratio if np.isfinite(ratio) and ratio > 0 else otherwise
    return float(f"{rate * min(max(factor, least), most):.0e}")


def _healthy(seen: _Seen) -> str:
    ratios = seen.ratios(seen.settled)
    said = f"one step moves weights by {100 * float(np.median(ratios)):.2g} % of their size; " if ratios else ""
    dead = np.array([one.dead for one in seen.settled])
    most = f"{np.nanmax(dead):.0%}" if not np.isnan(dead).all() else "0%"
    units = f", at most {most} of a layer's units are dead" if most != "0%" else ""
    return f"healthy: {said}gradients reach every layer{units}"
