"""Recurrent layers: against the equations in NumPy, and against Keras' own layers; what padding, masks, states do."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlspec.layers import recurrence, recurrent
from dlspec.layers.bidirectional import Bidirectional
from dlspec.layers.gru import GRU
from dlspec.layers.lstm import LSTM
from dlspec.layers.recurrence import block_of
from dlspec.layers.simple_rnn import SimpleRNN

PAIRS = {SimpleRNN: keras.layers.SimpleRNN, GRU: keras.layers.GRU, LSTM: keras.layers.LSTM}
BATCH, LENGTH, FEATURES, UNITS = 5, 13, 3, 4
LENGTHS = [13, 1, 7, 12, 0]


@pytest.fixture(autouse=True)
def shared_out_for_the_smallest_batch(monkeypatch):
    monkeypatch.setattr(recurrence, "ROWS", 1)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def mask_of(lengths, length):
    return np.arange(length)[None] < np.array(lengths)[:, None]


def with_weights(layer, seed=1):
    """Every weight at random, biases too: those that start at 0 or 1 would hide what is wrong with them."""
    layer.build((None, None, FEATURES))
    layer.set_weights([0.5 * numbers(*one.shape, seed=seed + n) for n, one in enumerate(layer.weights)])
    return layer


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def equations(layer, x, states):
    """Each cell as its docstring says it, step by step, in float64; layer normalisation left out."""
    w, u, b = (one.astype("float64") for one in layer.get_weights())
    outputs = []
    for t in range(x.shape[1]):
        now, h = x[:, t].astype("float64"), states[0]
        if isinstance(layer, SimpleRNN):
            states = [np.tanh(now @ w + h @ u + b)]
        elif isinstance(layer, GRU):
            of_z, of_r, of_g = np.split(now @ w + b[0], 3, axis=1)
            by_z, by_r, by_g = np.split(h @ u + b[1], 3, axis=1)
            z, r = sigmoid(of_z + by_z), sigmoid(of_r + by_r)
            states = [z * h + (1 - z) * np.tanh(of_g + r * by_g)]
        else:
            i, f, g, o = np.split(now @ w + h @ u + b, 4, axis=1)
            c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
            states = [sigmoid(o) * np.tanh(c), c]
        outputs.append(states[0])
    return np.stack(outputs, axis=1), states


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("length", [1, 5, 13])
def test_a_cell_is_its_equations(kind, length):
    layer = with_weights(kind(UNITS, return_sequences=True, return_state=True))
    x, starts = numbers(BATCH, length, FEATURES), [numbers(BATCH, UNITS, seed=8 + n) for n in range(kind.carried)]
    outputs, *states = layer(x, initial_state=starts)
    expected, last = equations(layer, x, [one.astype("float64") for one in starts])
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    for found, wanted in zip(states, last, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("kind", PAIRS)
def test_step_by_step_is_all_at_once(kind):
    layer = with_weights(kind(UNITS, return_sequences=True, return_state=True))
    x = numbers(BATCH, 6, FEATURES)
    outputs, *last = layer(x)
    states = layer.first_states(BATCH)
    for t in range(6):
        output, states = layer.step(x[:, t], states)
        np.testing.assert_allclose(output, outputs[:, t], atol=1e-6)
    for found, wanted in zip(states, last, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def stepped(layer, x, mask, length=None, rate=0.1):
    """One step of gradient descent on a loss that weighs every output: loss, gradients, weights after it.

    length: of sequences, where the graph knows it.
    """
    inputs = keras.Input((None, FEATURES))
    mask_in = keras.Input((None,), dtype="bool")
    found = layer(inputs, mask=mask_in if mask is not None else None)
    given = [inputs, mask_in] if mask is not None else [inputs]
    network = keras.Model(given, found)
    values = [x, mask] if mask is not None else [x]

    kinds = [tf.TensorSpec((len(x), length, *one.shape[2:]), tf.as_dtype(one.dtype)) for one in values]

    def weights(one, number):
        shape = [LENGTH if size is None else size for size in one.shape]
        return numbers(*shape, seed=30 + number)

    @tf.function(input_signature=kinds)
    def step(*values):
        with tf.GradientTape() as tape:
            outputs = tf.nest.flatten(network(list(values), training=True))
            loss = tf.add_n([tf.reduce_sum(one * tf.constant(weights(one, n))) for n, one in enumerate(outputs)])
        return loss, tape.gradient(loss, [one.value for one in network.trainable_variables])

    loss, gradients = step(*values)
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        variable.assign_sub(rate * gradient)
    return [np.asarray(loss), *map(np.asarray, gradients), *layer.get_weights()]


def agree(ours, theirs, scale=1e-5):
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=scale)


def step_alike(layer, other, masked, length=None):
    """With the same weights, both come to the same loss, gradients and weights after a training step."""
    with_weights(layer)
    other.build((None, None, FEATURES))
    other.set_weights(layer.get_weights())
    x, mask = numbers(BATCH, LENGTH, FEATURES), mask_of(LENGTHS, LENGTH) if masked else None
    agree(stepped(layer, x, mask, length), stepped(other, x, mask, length))


@pytest.mark.parametrize("length", [None, LENGTH])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kept", ["last", "all", "all and states"])
@pytest.mark.parametrize("kind", PAIRS)
def test_one_training_step_is_that_of_keras(kind, kept, masked, length):
    settings = {"return_sequences": kept != "last", "return_state": "states" in kept}
    step_alike(kind(UNITS, **settings), PAIRS[kind](UNITS, **settings), masked, length)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("all_steps", [False, True])
@pytest.mark.parametrize("kind", PAIRS)
def test_both_directions_are_those_of_keras(kind, all_steps, masked):
    layer = Bidirectional(kind(UNITS, return_sequences=all_steps))
    other = keras.layers.Bidirectional(PAIRS[kind](UNITS, return_sequences=all_steps))
    step_alike(layer, other, masked)


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("kind", PAIRS)
def test_padding_changes_nothing(kind, backwards, normalized):
    layer = with_weights(
        kind(UNITS, return_sequences=True, return_state=True, backwards=backwards, normalized=normalized)
    )
    x, wide = numbers(1, 6, FEATURES), np.full((1, 11, FEATURES), 99, "float32")
    wide[:, :6] = x
    alone, padded = layer(x), layer(wide, mask=mask_of([6], 11))
    np.testing.assert_allclose(padded[0][:, :6], alone[0], atol=1e-6)
    for one, other in zip(padded[1:], alone[1:], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("batch", [4, 5])
@pytest.mark.parametrize("kind", PAIRS)
def test_shares_of_a_batch_side_by_side_give_what_the_whole_gives(kind, batch, monkeypatch):
    x, mask = numbers(batch, LENGTH, FEATURES), mask_of(LENGTHS[:batch], LENGTH)
    settings = {"return_sequences": True, "return_state": True, "recurrent_dropout": 0.5}
    drawn = keras.ops.cast(2 * (numbers(batch, UNITS, seed=5) > 0), "float32")
    found = {}
    for parts in (1, 2):
        layer = with_weights(kind(UNITS, **settings))
        monkeypatch.setattr(layer, "_kept", lambda *_: drawn)
        monkeypatch.setattr(recurrent, "parts_of", lambda size, parts=parts: parts)
        found[parts] = stepped(layer, x, mask)
    agree(found[1], found[2])


@pytest.mark.parametrize("length", [None, LENGTH])
@pytest.mark.parametrize("kind", PAIRS)
def test_shapes_may_be_unknown_until_the_step_is_taken(kind, length):
    """As with batches of texts: neither how many there are is known to the graph, nor how long they are.

    Of series the length is known: the loop is compiled.
    """
    layer, whole = (with_weights(kind(UNITS, return_sequences=True, return_state=True)) for _ in range(2))
    x, mask = numbers(BATCH, LENGTH, FEATURES), mask_of(LENGTHS, LENGTH)
    shapes = [tf.TensorSpec((None, length, FEATURES)), tf.TensorSpec((None, length), tf.bool)]

    @tf.function(input_signature=shapes)
    def gradients(x, mask):
        with tf.GradientTape() as tape:
            total = tf.add_n([tf.reduce_sum(one * one) for one in layer(x, mask=mask)])
        return [total, *tape.gradient(total, [one.value for one in layer.trainable_weights])]

    total = sum(float(keras.ops.sum(one * one)) for one in whole(x, mask=mask))
    found = gradients(x, mask)
    assert float(found[0]) == pytest.approx(total, rel=1e-5)
    with tf.GradientTape() as tape:
        again = tf.add_n([tf.reduce_sum(one * one) for one in whole(x, mask=mask)])
    for one, other in zip(found[1:], tape.gradient(again, [one.value for one in whole.trainable_weights]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", PAIRS)
def test_the_loop_of_any_backend_gives_the_same(kind, monkeypatch):
    x, mask = numbers(BATCH, LENGTH, FEATURES), mask_of(LENGTHS, LENGTH)
    settings = {"return_sequences": True, "return_state": True, "recurrent_dropout": 0.5}
    layer, other = (with_weights(kind(UNITS, **settings)) for _ in range(2))
    drawn = keras.ops.cast(2 * (numbers(BATCH, UNITS, seed=5) > 0), "float32")
    for one in (layer, other):
        monkeypatch.setattr(one, "_kept", lambda *_: drawn)

    def scanned(inputs, states, kept, batch):
        return other._scanned(other.projected(keras.ops.transpose(inputs, (1, 0, 2))), states, kept)

    monkeypatch.setattr(other, "_in_parts", scanned)
    agree(stepped(layer, x, mask), stepped(other, x, mask))


@pytest.mark.parametrize("kind", PAIRS)
def test_the_start_gets_its_gradient(kind):
    layer = with_weights(kind(UNITS, return_state=True))
    x, starts = numbers(BATCH, 7, FEATURES), [numbers(BATCH, UNITS, seed=8 + n) for n in range(kind.carried)]

    def loss(values):
        return float(sum(keras.ops.sum(one * one) for one in layer(x, initial_state=values)))

    given = [tf.constant(one) for one in starts]
    with tf.GradientTape() as tape:
        tape.watch(given)
        total = tf.add_n([tf.reduce_sum(one * one) for one in layer(x, initial_state=given)])
    for n, gradient in enumerate(tape.gradient(total, given)):
        for place in ((0, 0), (3, 2)):
            ends = []
            for way in (1e-2, -1e-2):
                moved = [one.copy() for one in starts]
                moved[n][place] += way
                ends.append(loss(moved))
            assert float(gradient[place]) == pytest.approx((ends[0] - ends[1]) / 2e-2, rel=2e-2, abs=2e-3)


def test_layer_normalisation_by_hand():
    layer = LSTM(2, normalized=True)
    layer.build((None, None, 1))
    by_name = {one.name: one for one in layer.weights}
    assert [tuple(one.shape) for one in layer.weights] == [(1, 8), (2, 8), (8,), (8,), (8,), (2,), (2,)]
    by_name["kernel"].assign(np.arange(8, dtype="float32")[None])
    by_name["recurrent_kernel"].assign(np.zeros((2, 8)))
    by_name["bias"].assign(np.zeros(8))
    sums = (np.arange(8) - 3.5) / np.std(np.arange(8))
    i, _, g, o = np.split(sums, 4)
    c = sigmoid(i) * np.tanh(g)
    expected = sigmoid(o) * np.tanh((c - c.mean()) / np.sqrt(c.var() + 1e-5))
    np.testing.assert_allclose(layer(np.ones((1, 1, 1)))[0], expected, atol=1e-5)


def test_dropout_silences_the_same_at_every_step():
    keras.utils.set_random_seed(3)
    layer = SimpleRNN(1, dropout=0.5, return_sequences=True)
    layer.build((None, None, 400))
    layer.set_weights([np.full((400, 1), 1e-3), np.zeros((1, 1)), np.zeros(1)])
    x = np.ones((2, 6, 400), "float32")
    trained, plain = np.asarray(layer(x, training=True)), np.asarray(layer(x))
    assert np.ptp(trained, axis=1).max() < 1e-6 and abs(trained[0, 0] - trained[1, 0]) > 1e-6
    assert trained.mean() == pytest.approx(plain.mean(), rel=0.2) and np.ptp(plain) < 1e-6


def test_starts_are_those_of_keras():
    layer, other = LSTM(6), keras.layers.LSTM(6)
    layer.build((None, None, 3)), other.build((None, None, 3))
    kernel, recurrent, bias = layer.get_weights()
    assert np.array_equal(bias, other.get_weights()[2]) and np.abs(kernel).max() <= np.sqrt(6 / 27)
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(6), atol=1e-5)


@pytest.mark.parametrize("kind", PAIRS)
def test_saved_and_read_back(kind, tmp_path):
    inputs = keras.Input((None, FEATURES))
    x = Bidirectional(kind(UNITS, return_sequences=True, dropout=0.1, recurrent_dropout=0.2))(inputs)
    network = keras.Model(inputs, kind(2, backwards=True, normalized=True, name="last")(x))
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    series = numbers(3, 9, FEATURES)
    assert np.array_equal(network(series), again(series))
    assert again.get_layer("last").normalized and network.output_shape == (None, 2)


@pytest.mark.parametrize("kind", PAIRS)
def test_sequences_of_nothing_give_the_start(kind):
    series, mask = keras.Input((None, FEATURES)), keras.Input((None,), dtype="bool")
    network = keras.Model([series, mask], kind(UNITS, return_state=True)(series, mask=mask))
    for found in network.predict_on_batch([np.zeros((2, 0, FEATURES)), np.zeros((2, 0), bool)]):
        assert found.shape == (2, UNITS) and not np.asarray(found).any()


def test_blocks_leave_few_steps_in_vain():
    found = [block_of(length, "float32") for length in (1, 7, 10, 11, 12, 97, 100, None)]
    assert found == [1, 7, 10, 6, 6, 7, 10, 4]
