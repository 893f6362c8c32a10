"""How the learning rate changes over a training: for each step, a share of the optimizer's learning rate.

Shares are worked out in whatever array library is handed in as `ops` (keras.ops within the graph, numpy outside).
Epochs count from the end of the warm-up.
"""

from __future__ import annotations

import abc
import math
from typing import Any, Literal

from pydantic import Field, model_validator

from dlspec.recipe.component import Section, one_of


class Warmup(Section):
    """So long the share grows in a straight line: in step i of n (from 1) it is i / n.  One of the two."""

    epochs: float | None = Field(None, gt=0)
    """for so many epochs (0.5 is half of one)"""
    steps: int | None = Field(None, ge=1)
    """for so many steps"""

    @model_validator(mode="after")
    def _one(self) -> Warmup:
        return one_of(self, "epochs", "steps")

    def length(self, per_epoch: int) -> int:
        """In steps."""
        return self.steps or max(1, round((self.epochs or 0) * per_epoch))


class Schedule(Section, abc.ABC):
    """What every schedule has."""

    name: str
    """which one"""
    warmup: Warmup | None = None
    """grow from nothing to where the schedule begins, before it begins"""

    def share(self, step: Any, per_epoch: int, total: int, ops: Any) -> Any:
        """Of the learning rate, in a step.

        step: a number or array of floats, counted from 0.  per_epoch: steps an epoch.  total: steps of the training.
        """
        first = self.warmup.length(per_epoch) if self.warmup else 0
        shape = self.shape(ops.maximum(step - first, 0.0), per_epoch, max(1, total - first), ops)
        return shape * ops.minimum((step + 1.0) / first, 1.0) if first else shape

    @abc.abstractmethod
    def shape(self, step: Any, per_epoch: int, total: int, ops: Any) -> Any:
        """The same without the warm-up: step 0 is the first after it, and total what is left then."""

    @property
    def changes(self) -> bool:
        """Whether the share is ever another than 1."""
        return self.warmup is not None or not isinstance(self, Constant | ReduceOnPlateau)


class Constant(Schedule):
    """The same all the time."""

    name: Literal["constant"] = "constant"

    def shape(self, step: Any, per_epoch: int, total: int, ops: Any) -> Any:
        return ops.ones_like(step)


class Step(Schedule):
    """Multiplied by `factor` every so many epochs, or at certain ones.  Exactly one of the two; in whole steps."""

    name: Literal["step"] = "step"
    factor: float = Field(0.1, gt=0, lt=1)
    """what it is multiplied by each time"""
    every: float | None = Field(None, gt=0)
    """after every so many epochs"""
    at: tuple[float, ...] | None = Field(None, min_length=1)
    """after these many epochs, as [30, 60, 80]"""

    @model_validator(mode="after")
    def _one(self) -> Step:
        if self.at is not None and any(one <= 0 for one in self.at):
            raise ValueError("at: epochs must be > 0")
        return one_of(self, "every", "at")

    def shape(self, step: Any, per_epoch: int, total: int, ops: Any) -> Any:
        if self.every is not None:
            times = ops.floor(step / max(1, round(self.every * per_epoch)))
            return ops.power(self.factor, times)
        share = ops.ones_like(step)
        for one in self.at or ():
            share = share * ops.where(step >= round(one * per_epoch), self.factor, 1.0)
        return share


class Exponential(Schedule):
    """factor^t, t in epochs, bit by bit in every step."""

    name: Literal["exponential"] = "exponential"
    factor: float = Field(0.95, gt=0, lt=1)
    """what it is multiplied by over an epoch"""

    def shape(self, step: Any, per_epoch: int, total: int, ops: Any) -> Any:
        return ops.power(self.factor, step / per_epoch)


class InverseTime(Schedule):
    """1 / (1 + decay t), t in epochs."""

    name: Literal["inverse_time"] = "inverse_time"
    decay: float = Field(1.0, gt=0)
    """after 1 / decay epochs it is a half"""

    def shape(self, step: Any, per_epoch: int, total: int, ops: Any) -> Any:
        return 1.0 / (1.0 + self.decay * (step / per_epoch))


class Noam(Schedule):
    """Up in a straight line for `steps`, then down as 1 / √step (Vaswani et al. 2017, equation 3, by Noam Shazeer).

    The paper's learning rate d^-½ min(step^-½, step warmup^-1½) is greatest in step `warmup`, (d warmup)^-½: there the
    share is 1, and that is the optimizer's learning rate to be given: 7e-4 for the paper's d = 512 and 4,000 steps.
    Its warm-up is its own; steps count from 1.
    """

    name: Literal["noam"] = "noam"
    steps: int = Field(4000, ge=1)
    """it grows for so many"""

    @model_validator(mode="after")
    def _warms_up_by_itself(self) -> Noam:
        if self.warmup is not None:
            raise ValueError("it warms up by itself, for `steps`; leave warmup out")
        return self

    def shape(self, step: Any, per_epoch: int, total: int, ops: Any) -> Any:
        place = step + 1.0
        return ops.minimum(place / self.steps, ops.sqrt(self.steps / place))


class _Lasting(Schedule):
    """Schedules that end."""

    epochs: float | None = Field(None, gt=0)
    """after so many epochs it is at its end, and stays there; left out: when training ends (with `--epochs`, later)"""

    def progress(self, step: Any, per_epoch: int, total: int, ops: Any) -> Any:
        """From 0 at the start to 1 at the end."""
        return ops.minimum(step / (self.epochs * per_epoch if self.epochs else total), 1.0)


class Polynomial(_Lasting):
    """end + (1 - end) (1 - progress)^power: with power 1 a straight line."""

    name: Literal["polynomial"] = "polynomial"
    power: float = Field(1.0, gt=0)
    """1: a straight line; 2: a parabola, …"""
    end: float = Field(0.0, ge=0, le=1)
    """the share at the end"""

    def shape(self, step: Any, per_epoch: int, total: int, ops: Any) -> Any:
        left = 1.0 - self.progress(step, per_epoch, total, ops)
        return self.end + (1.0 - self.end) * ops.power(left, self.power)


class Cosine(_Lasting):
    """Half a wave from 1 to `end` (Loshchilov and Hutter 2017, without restarts)."""

    name: Literal["cosine"] = "cosine"
    end: float = Field(0.0, ge=0, le=1)
    """the share at the end"""

    def shape(self, step: Any, per_epoch: int, total: int, ops: Any) -> Any:
        return _wave(1.0, self.end, self.progress(step, per_epoch, total, ops), ops)


class OneCycle(_Lasting):
    """Up from `start` to 1 and down to `end`, half a wave each (Smith and Topin 2019, "Super-convergence").

    Their lines were straight; waves are what fast.ai and PyTorch made of them.  The momentum stays as it is.
    """

    name: Literal["one_cycle"] = "one_cycle"
    start: float = Field(0.04, ge=0, le=1)
    """the share at the start"""
    rise: float = Field(0.3, gt=0, lt=1)
    """how much of the cycle goes up"""
    end: float = Field(4e-6, ge=0, le=1)
    """the share at the end"""

    def shape(self, step: Any, per_epoch: int, total: int, ops: Any) -> Any:
        progress = self.progress(step, per_epoch, total, ops)
        up = _wave(self.start, 1.0, ops.minimum(progress / self.rise, 1.0), ops)
        down = _wave(1.0, self.end, ops.maximum(progress - self.rise, 0.0) / (1.0 - self.rise), ops)
        return ops.where(progress < self.rise, up, down)


class ReduceOnPlateau(Schedule):
    """Multiplied by `factor` whenever dev has not improved for `patience` epochs, by the goal's metric.

    Epochs of the warm-up do not count.  In contrast to the others it hangs on what has been scored; the share it has
    come to is kept with each checkpoint.
    """

    name: Literal["reduce_on_plateau"] = "reduce_on_plateau"
    factor: float = Field(0.1, gt=0, lt=1)
    """what it is multiplied by each time"""
    patience: int = Field(5, ge=1)
    """epochs without improvement on dev before it is"""
    minimum_change: float = Field(0.0, ge=0)
    """an improvement smaller than this does not count"""
    cooldown: int = Field(0, ge=0)
    """epochs after a reduction that do not count"""
    minimum: float = Field(0.0, ge=0, lt=1)
    """the smallest share of the learning rate that it comes to"""

    def shape(self, step: Any, per_epoch: int, total: int, ops: Any) -> Any:
        return ops.ones_like(step)


def _wave(first: float, last: float, progress: Any, ops: Any) -> Any:
    """Half a cosine wave from the first value to the last."""
    return last + (first - last) * 0.5 * (1.0 + ops.cos(math.pi * progress))


SCHEDULES: tuple[type[Section], ...] = (
    Constant,
    Step,
    Exponential,
    InverseTime,
    Noam,
    Polynomial,
    Cosine,
    OneCycle,
    ReduceOnPlateau,
)
