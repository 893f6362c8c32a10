"""What a network makes of sentences that it is told, and where it looks: the same whatever else is in the batch."""

import keras
import numpy as np
import pytest

from dlspec.decode.beam import BEGIN, END
from dlspec.decode.looking import followed
from dlspec.models.translation.attention_seq2seq import AttentionSeq2Seq
from dlspec.models.translation.transformer import Transformer

SOURCE = np.array([[5, 6, 7, 8], [9, 4, 0, 0]], "int32")
SAID = np.array([[7, 9, 4, 6, END], [4, 4, END, 0, 0]], "int32")
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
    chances, weights = follow(model, network, SOURCE, SAID)
    assert weights.shape == (2, 5, 4)
    np.testing.assert_allclose(weights.sum(axis=2), 1, atol=1e-5)
    assert not weights[1, :, 2:].any() and weights[0].std() > 1e-3
    few, alone = follow(model, network, SOURCE[1:, :2], SAID[1:, :3])
    np.testing.assert_allclose(alone[0], weights[1, :3, :2], atol=1e-5)
    np.testing.assert_allclose(few[0], chances[1, :3], atol=1e-5)
    # What is said later is not known yet; what was said before is.
    other = SAID.copy()
    other[0, 1] = 5
    changed = np.abs(follow(model, network, SOURCE, other)[1] - weights)[0].max(axis=1)
    assert changed[:2].max() < 1e-6 and changed[2] > 1e-5
    # The whole network at once says the same of how probable they are.
    told = np.concatenate([np.full((2, 1), BEGIN, "int32"), SAID[:, :-1]], axis=1)
    logits = network({"tokens": SOURCE, "target": told})
    whole = np.take_along_axis(np.asarray(keras.ops.log_softmax(logits)), SAID[..., None], axis=2)[..., 0]
    np.testing.assert_allclose(chances, whole * (SAID != 0), atol=1e-4)


def follow(model, network, source, said):
    found = followed(model.course(network, {"tokens": source}, 1, said.shape[1]), said)
    return [keras.ops.convert_to_numpy(one) for one in found]
