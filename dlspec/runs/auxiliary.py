"""Networks that learn with more outputs than they are used with: auxiliary heads, in training alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def assisted(network: Any, heads: Sequence[tuple[Any, float]]) -> Any:
    """The network as it is trained: the same layers, and beside its output those of the heads; without any, itself.

    heads: symbolic outputs of the network's shape, and what each counts in the loss.  In training its loss is that of
    the output and, so much of them, those of the heads; in inference, and for metrics, there is the output alone.
    """
    import keras

    if not heads:
        return network
    outputs, shares = [network.output, *[head for head, _ in heads]], [share for _, share in heads]

    class Assisted(keras.Model):  # type: ignore[misc]
        def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
            made = super().call(inputs, training=training, mask=mask)
            return made if training else made[0]

        def compute_loss(
            self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
        ) -> Any:
            first, *others = y_pred if isinstance(y_pred, list | tuple) else [y_pred]
            loss = super().compute_loss(x, y, first, sample_weight, training)
            # Not once more by the same method, which would count penalties again.
            for share, other in zip(shares, others, strict=False):
                loss = loss + share * self._compile_loss(y, other, sample_weight)
            return loss

        def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            first = y_pred[0] if isinstance(y_pred, list | tuple) else y_pred
            return super().compute_metrics(x, y, first, sample_weight)

    made = Assisted(network.input, outputs, name=network.name)
    made.losses_together = 1 + sum(shares)
    return made


def unassisted(network: Any) -> Any:
    """The network without its heads, of the same variables: what is counted, saved and used."""
    import keras

    return keras.Model(network.input, network.outputs[0], name=network.name) if is_assisted(network) else network


def is_assisted(network: Any) -> bool:
    """Whether it has heads for training."""
    return hasattr(network, "losses_together")


def losses_together(network: Any) -> float:
    """How many times the loss of its output alone a network's loss is, where nothing has been learned."""
    return float(getattr(network, "losses_together", 1.0))
