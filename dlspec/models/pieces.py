"""The names of activations and initialisers, the same in every architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import keras

Activation = Literal["relu", "tanh", "sigmoid", "leaky_relu", "elu", "gelu", "silu"]
"""What follows a layer's weighted sum.  leaky_relu has the slope 0.2 below zero, elu is α = 1, gelu the exact one."""

Initializer = Literal[
    "auto",
    "zeros",
    "random_normal",
    "random_uniform",
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "orthogonal",
]
"""How weights start.  random_normal has the standard deviation 0.05, random_uniform the limits ±0.05."""


def initializer(name: Initializer, activation: str = "linear") -> keras.initializers.Initializer:
    """A new initialiser, to be used for one variable: each draws its own numbers, from the global Keras seed.

    "auto" is He et al. (2015) normal, variance 2 / fan-in, before the rectifier and its smooth relatives, and Glorot
    and Bengio (2010) uniform, variance 2 / (fan-in + fan-out), before tanh, sigmoid and the logits.
    """
    import keras

    if name == "auto":
        name = "glorot_uniform" if activation in {"tanh", "sigmoid", "linear"} else "he_normal"
    return keras.initializers.get(name)
