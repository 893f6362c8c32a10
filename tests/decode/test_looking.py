"""Where a network looks: weights of each step, the same whatever else is in the batch."""

import keras
import numpy as np
import pytest

from dlspec.decode.beam import BEGIN
from dlspec.decode.looking import looked
from dlspec.models.translation.attention_seq2seq import AttentionSeq2Seq
from dlspec.models.translation.transformer import Transformer

SOURCE = np.array([[5, 6, 7, 8], [9, 4, 0, 0]], "int32")
SAID = np.array([[BEGIN, 7, 9, 4, 6], [BEGIN, 4, 4, 0, 0]], "int32")
MODELS = [
    AttentionSeq2Seq(units=8, embedding=6),
    Transformer(layers=2, width=16, heads=2, feed_forward=8, positions="learned"),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda one: one.name)
def test_weights_of_each_step_over_the_real_places(model):
    keras.utils.set_random_seed(3)
    shapes = {name: {"shape": [None], "dtype": "int32", "vocabulary": 10} for name in ("tokens", "target")}
    network = model.build(shapes, 10)
    for weight in network.weights:
        weight.assign(2 * weight)
    weights = looked(model.course(network, {"tokens": SOURCE}, 1, 5), SAID)
    assert weights.shape == (2, 5, 4)
    np.testing.assert_allclose(weights.sum(axis=2), 1, atol=1e-5)
    assert not weights[1, :, 2:].any() and weights[0].std() > 1e-3
    alone = looked(model.course(network, {"tokens": SOURCE[1:, :2]}, 1, 3), SAID[1:, :3])
    np.testing.assert_allclose(alone[0], weights[1, :3, :2], atol=1e-5)
    # What is said later is not known yet; what was said before is.
    other = SAID.copy()
    other[0, 2] = 5
    changed = np.abs(looked(model.course(network, {"tokens": SOURCE}, 1, 5), other) - weights)[0].max(axis=1)
    assert changed[:2].max() < 1e-6 and changed[2] > 1e-5
