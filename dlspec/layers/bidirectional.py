"""Both directions of a recurrent layer, side by side: Schuster and Paliwal (1997)."""

from __future__ import annotations

from typing import Any

import keras

from dlspec.layers.recurrent import Recurrent


@keras.saving.register_keras_serializable("dlspec")
class Bidirectional(keras.layers.Layer):
    """Schuster and Paliwal (1997): one copy of a layer from the begin, one from the end, outputs concatenated.

    Gives the last output (B, 2 × units), of each direction where it ends, or (B, T, 2 × units); and where the layer
    gives its states, those of the forward, then of the backward copy.  Behind a sequence's end all is 0.
    Weights as Keras' Bidirectional has them: forward's first.
    """

    def __init__(self, layer: Recurrent, **settings: Any) -> None:
        super().__init__(**settings)
        facts = layer.get_config()
        self.layer = layer
        self.forward, self.backward = (
            type(layer).from_config(
                facts | {"name": f"{way}_{layer.name}", "backwards": way == "backward", "zero_behind": True}
            )
            for way in ("forward", "backward")
        )
        self.supports_masking = True

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        self.forward.build(sequences_shape)
        self.backward.build(sequences_shape)

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        states = [None, None]
        if initial_state is not None:
            states = [initial_state[: self.forward.carried], initial_state[self.forward.carried :]]
        forward, backward = (
            layer(sequences, initial_state=start, mask=mask, training=training)
            for layer, start in zip((self.forward, self.backward), states, strict=True)
        )
        if not self.forward.return_state:
            return keras.ops.concatenate([forward, backward], axis=-1)
        return keras.ops.concatenate([forward[0], backward[0]], axis=-1), *forward[1:], *backward[1:]

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        one = self.forward.compute_output_shape(sequences_shape)
        if not self.forward.return_state:
            return (*one[:-1], 2 * one[-1])
        return (*one[0][:-1], 2 * one[0][-1]), *one[1:], *one[1:]

    def compute_mask(self, sequences: Any, mask: Any = None) -> None:
        """Masks are handed on by name alone: one that rides on the outputs would, in Keras, act on the loss too."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layer": keras.saving.serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Bidirectional:
        return cls(**{**config, "layer": keras.saving.deserialize_keras_object(config["layer"])})
