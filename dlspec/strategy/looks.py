"""A look into a network in training, and the verdict that many of them lead to: what both hold, also as JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

Name = Literal[
    "healthy",
    "vanishing",
    "exploding",
    "dead",
    "saturated",
    "learning_rate_too_high",
    "learning_rate_too_low",
    "diverged",
    "unknown",
]


class Sample(NamedTuple):
    """One look into the network: at which step, and what was seen, an entry a layer (NaN where there is none).

    ratio: Euclidean norm of one step's update over that of the weights before.  The others as in a Look.
    """

    step: int
    epoch: float
    loss: float
    rate: float
    gradient: np.ndarray
    weight: np.ndarray
    size: np.ndarray
    output: np.ndarray
    dead: np.ndarray
    saturated: np.ndarray
    ratio: np.ndarray


@dataclass(frozen=True)
class Verdict:
    """name: in a word.  says: in a sentence.  layers: the places of those it is about.  rate: a learning rate that
    suits better, where that is what is wrong.  also: what was seen besides, gravest first."""

    name: Name
    says: str
    layers: tuple[int, ...] = ()
    rate: float | None = None
    also: tuple[Verdict, ...] = field(default=())


def as_json(sample: Sample) -> dict[str, Any]:
    """A sample as plain numbers and lists."""
    return {name: value.tolist() if hasattr(value, "tolist") else value for name, value in sample._asdict().items()}


def from_json(held: dict[str, Any]) -> Sample:
    """A sample that was written as JSON, where null is NaN."""
    arrays = set(Sample._fields) - {"step", "epoch", "loss", "rate"}
    given = {
        name: np.array([math.nan if one is None else one for one in value], float)
        if name in arrays
        else (math.nan if value is None else value)
        for name, value in held.items()
    }
    return Sample(**given)
