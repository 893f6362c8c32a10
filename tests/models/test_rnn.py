"""The recurrent architecture: what it is made of, its parameters, and what is proposed for it."""

import keras
import numpy as np
import pytest

from dlspec.layers.attention_pooling import AttentionPooling
from dlspec.models.sequence.rnn import RNN
from dlspec.remedies import Situation

WORDS = {"tokens": {"shape": [None], "dtype": "int32", "vocabulary": 50}}
SERIES = {"series": {"shape": [9, 3], "dtype": "float32"}}


def parameters(**settings):
    return RNN(**settings).build(SERIES, 2).count_params()


@pytest.mark.parametrize(("cell", "gates"), [("simple", 1), ("gru", 3), ("lstm", 4)])
def test_parameters_are_those_of_the_equations(cell, gates):
    biases = 2 if cell == "gru" else 1
    first, second = (gates * (inputs * 8 + 8 * 8 + biases * 8) for inputs in (3, 8))
    assert parameters(cell=cell, units=8) == first + 8 * 2 + 2
    assert parameters(cell=cell, units=8, layers=2) == first + second + 8 * 2 + 2
    assert parameters(cell=cell, units=8, bidirectional=True) == 2 * first + 16 * 2 + 2


def test_attention_by_hand():
    layer = AttentionPooling()
    x = np.array([[[1.0, 0], [0, 1], [7, 7]], [[5, 5], [6, 6], [7, 7]]], "float32")
    layer.build((x.shape, (2, 3)))
    layer.set_weights([np.eye(2), np.array([0.5, 0]), np.array([[2.0], [1.0]])])
    scores = np.array([2 * np.tanh(1.5), 2 * np.tanh(0.5) + np.tanh(1)])
    weights = np.exp(scores) / np.exp(scores).sum()
    found = layer([x, np.array([[True, True, False], [False, False, False]])])
    np.testing.assert_allclose(found, [weights, [0, 0]], atol=1e-6)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_words_and_series_give_logits_whatever_the_pooling(pooling):
    model = RNN(units=5, layers=2, bidirectional=True, pooling=pooling, dropout=0.2, recurrent_dropout=0.2)
    tokens = np.array([[4, 5, 6, 0], [7, 0, 0, 0]], "int32")
    network = model.build(WORDS, 3)
    found = np.asarray(network({"tokens": tokens}))
    assert found.shape == (2, 3) and np.ptp(found, axis=0).min() > 0
    np.testing.assert_allclose(network({"tokens": tokens[1:, :1]})[0], found[1], atol=1e-6)
    assert model.build(SERIES, 3)({"series": np.ones((2, 9, 3))}).shape == (2, 3)


def test_last_in_both_directions_is_both_ends():
    keras.utils.set_random_seed(0)
    network = RNN(cell="gru", units=4, bidirectional=True).build(SERIES, 2)
    read = keras.Model(network.inputs, network.get_layer("both_1").output)
    x = np.random.default_rng(0).normal(size=(1, 9, 3)).astype("float32")
    other = x.copy()
    other[0, 0] += 1e-2  # the backward half sees it last, and so feels it more
    change = np.abs(np.asarray(read({"series": other})) - np.asarray(read({"series": x})))[0]
    assert change[4:].max() > 3 * change[:4].max()


def test_sizes_have_an_end_and_remedies_fit_the_cause():
    model, sizes = RNN(cell="simple"), []
    while (more := model.larger()) is not None:
        model = model.model_copy(update=more)
        sizes.append((model.units, model.layers))
    assert sizes == [(256, 1), (512, 1), (512, 2), (512, 3), (512, 4)]
    while (less := model.smaller()) is not None:
        model = model.model_copy(update=less)
    assert (model.units, model.layers) == (8, 1)
    bias = RNN(cell="simple", recurrent_dropout=0.1).remedies(Situation("avoidable bias", 100, 10))
    assert {"cell": "lstm"} in [one.changes for one in bias] and {"recurrent_dropout": 0.0} in [
        one.changes for one in bias
    ]
    for kind, place in (("series", "step"), ("text", "word")):
        found = RNN().remedies(Situation("avoidable bias", 100, 10, kind=kind))
        [both] = [one.reason for one in found if one.changes == {"bidirectional": True}]
        assert both == f"what comes after a {place} tells about it too"
    variance = RNN().remedies(Situation("variance", 100, 10))
    assert {"recurrent_dropout": 0.2} in [one.changes for one in variance]
