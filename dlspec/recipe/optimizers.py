"""The rules that turn gradients into steps, as Keras has them: every coefficient, and where they are not the paper's.

g is the gradient, w a weight, α the learning rate (times the schedule's share).  tests/runs/test_optimizers.py holds
each rule to a second implementation.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dlspec.recipe.component import Section

Share = Annotated[float, Field(ge=0, lt=1)]


class Optimizer(Section):
    """What every rule has.

    Before a step, w ← w - α weight_decay w (Loshchilov and Hutter 2019): taken apart from the gradient, so that neither
    momentum nor scaling touches it.  Only kernels and embeddings decay: variables of one axis (biases, scales and
    offsets of normalisation) are left alone.  As in Keras and PyTorch the learning rate multiplies it; in the paper the
    schedule alone does.
    """

    name: str
    """which rule"""
    learning_rate: float = Field(0.001, gt=0)
    """step size; where there is a schedule, the greatest that it comes to"""
    weight_decay: float = Field(0.0, ge=0)
    """share of every kernel taken off a step, times the learning rate; biases and normalisation do not decay"""


class SGD(Optimizer):
    """Gradient descent, with momentum where it is asked for.

    v ← momentum v - α g;  w ← w + v, with Nesterov w + momentum v - α g.  The learning rate is inside v, and g is not
    multiplied by 1 - momentum (as some courses do): with momentum 0.9 steps become ten times as large as without.
    Nesterov is Sutskever et al. 2013 rewritten so that the gradient is taken where the weights are.
    """

    name: Literal["sgd"] = "sgd"
    learning_rate: float = Field(0.01, gt=0)
    """step size; where there is a schedule, the greatest that it comes to"""
    momentum: Share = 0.0
    """how much of the last step is kept"""
    nesterov: bool = False
    """look ahead along the momentum before taking the gradient"""


class RMSprop(Optimizer):
    """Gradient divided by the root of a running mean of its square (Hinton, Coursera lecture 6e).

    s ← rho s + (1 - rho) g²;  w ← w - α g / √(s + epsilon).  Epsilon is inside the root, where courses have it outside:
    the default is as 3e-4 outside.  s begins at 0 and is not corrected for it, so that the first steps are up to
    1 / √(1 - rho) times as large.  Centered: s - (running mean of g)² instead of s.  Momentum adds up what would be
    taken off w.
    """

    name: Literal["rmsprop"] = "rmsprop"
    rho: Share = 0.9
    """decay of the running mean of squared gradients"""
    momentum: Share = 0.0
    """how much of the last step is kept"""
    epsilon: float = Field(1e-7, gt=0)
    """keeps the division away from zero; inside the root"""
    centered: bool = False
    """divide by the gradient's variance instead of its square"""


class Adam(Optimizer):
    """Momentum and RMSprop together, corrected for their start (Kingma and Ba 2015).

    m ← beta_1 m + (1 - beta_1) g;  v ← beta_2 v + (1 - beta_2) g²;
    w ← w - α √(1 - beta_2ᵗ) / (1 - beta_1ᵗ) m / (√v + epsilon).  That is the form before section 2.1 of the paper,
    whose epsilon is added before v is corrected; in its Algorithm 1 it is added after, and this one acts as one that is
    1 / √(1 - beta_2ᵗ) times as large there, 32 times in the first step.  amsgrad: the greatest v so far, taken before
    the correction.
    """

    name: Literal["adam"] = "adam"
    beta_1: Share = 0.9
    """decay of the running mean of gradients"""
    beta_2: Share = 0.999
    """decay of the running mean of squared gradients"""
    epsilon: float = Field(1e-7, gt=0)
    """keeps the division away from zero (Keras adds it before the correction of the start, the paper after)"""
    amsgrad: bool = False
    """never let the running mean of squared gradients shrink (Reddi et al. 2018)"""


class AdamW(Adam):
    """Adam with weight decay from the start (Loshchilov and Hutter 2019)."""

    name: Literal["adamw"] = "adamw"  # type: ignore[assignment]
    weight_decay: float = Field(0.004, ge=0)
    """share of every kernel taken off a step, times the learning rate; biases and normalisation do not decay"""


class Adagrad(Optimizer):
    """Gradient divided by the root of the sum of all its squares (Duchi, Hazan and Singer 2011).

    s ← s + g²;  w ← w - α g / √(s + epsilon).  In the paper s begins at 0 (so that the first step is α whatever the
    gradient), here at initial_accumulator_value; epsilon is inside the root.
    """

    name: Literal["adagrad"] = "adagrad"
    learning_rate: float = Field(0.01, gt=0)
    """step size; where there is a schedule, the greatest that it comes to (Keras has 0.001, the usual is 0.01)"""
    initial_accumulator_value: float = Field(0.1, ge=0)
    """what the sum of squared gradients begins at"""
    epsilon: float = Field(1e-7, gt=0)
    """keeps the division away from zero; inside the root"""


class Lion(Optimizer):
    """Steps of one size in the direction of the momentum's sign (Chen et al. 2023).

    w ← w - α sign(beta_1 m + (1 - beta_1) g);  m ← beta_2 m + (1 - beta_2) g, as in the paper.  Steps are larger than
    Adam's: a third to a tenth of its learning rate is usual, and so many times its weight decay.
    """

    name: Literal["lion"] = "lion"
    learning_rate: float = Field(1e-4, gt=0)
    """step size; where there is a schedule, the greatest that it comes to (Keras has 0.001, the paper 1e-4)"""
    beta_1: float = Field(0.9, gt=0, lt=1)
    """how much of the momentum there is in a step"""
    beta_2: Share = 0.99
    """decay of the momentum"""


OPTIMIZERS: tuple[type[Section], ...] = (SGD, RMSprop, Adam, AdamW, Adagrad, Lion)
