"""Learning rates that grow from the first layer to the last: what was learned early is of use for most things.

"Discriminative fine-tuning" of Howard and Ruder (2018), "Universal language model fine-tuning for text classification".
"""

from __future__ import annotations

from typing import Any


def rates(network: Any, first: float) -> dict[str, float]:
    """The share of the learning rate for each variable, by its path: of n layers with weights, frozen ones counted,
    the i-th (from 0) learns with first^((n - 1 - i) / (n - 1))."""
    layers = [one for one in network.layers if one.weights]
    last = max(1, len(layers) - 1)
    found: dict[str, float] = {}
    for place, layer in enumerate(layers):
        for variable in layer.weights:
            found.setdefault(variable.path, first ** ((last - place) / last))
    return found


def graded(rule: Any, shares: dict[str, float]) -> Any:
    """The same rule (a Keras optimizer), in which each variable has its share of the learning rate; decay too."""

    class Graded(rule):  # type: ignore[misc]
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            # On TensorFlow it is the framework's variable that comes, which knows nothing of its path.
            path = self._trainable_variables[self._get_variable_index(variable)].path
            super().update_step(gradient, variable, learning_rate * shares[path])

        def _apply_weight_decay(self, variables: Any) -> None:
            if self.weight_decay is None:
                return
            for one in variables:
                if self._use_weight_decay(one):
                    share = self.weight_decay * self.learning_rate * shares[one.path]
                    one.assign_sub(one * share)

    Graded.__name__ = rule.__name__
    return Graded
