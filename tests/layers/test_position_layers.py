"""Positions in a sequence: the paper's sinusoids, and learned vectors."""

import math

import keras
import numpy as np
import pytest

from dlspec.layers.positions import LearnedPositions, SinusoidalPositions, sinusoids


def numbers(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("width", [6, 7, 512])
def test_sinusoids_are_the_papers(width):
    layer, table = SinusoidalPositions(), np.zeros((2, 60, width), "float32")
    for place in range(60):
        for i in range(width):
            angle = place / 10_000 ** ((i - i % 2) / width)
            table[:, place, i] = math.cos(angle) if i % 2 else math.sin(angle)
    np.testing.assert_allclose(sinusoids(60, width), table[0], atol=1e-6)
    np.testing.assert_allclose(numbers(layer(np.zeros((2, 60, width), "float32"))), table, atol=1e-5)
    assert not layer.weights


@pytest.mark.parametrize("layer", [SinusoidalPositions(), LearnedPositions(40)])
def test_pieces_of_a_sequence_add_up_to_the_whole(layer):
    x = np.random.default_rng(0).normal(size=(2, 30, 8)).astype("float32")
    whole = numbers(layer(x))
    parts = [numbers(layer(x[:, start : start + 7], start=start)) for start in range(0, 30, 7)]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-6)
    added = whole - x
    np.testing.assert_allclose(added[0], added[1], atol=1e-6)
    assert np.abs(added[0, 3] - added[0, 4]).max() > 1e-3


def test_learned_positions_end_with_the_last_one():
    layer = LearnedPositions(5)
    added = numbers(layer(np.zeros((1, 9, 4), "float32")))[0]
    np.testing.assert_allclose(added[:5], numbers(layer.table), atol=1e-7)
    np.testing.assert_allclose(added[5:], np.repeat(added[4:5], 4, axis=0))


def test_learned_positions_learn_the_places_that_were_used():
    import tensorflow as tf

    layer = LearnedPositions(5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(np.zeros((3, 2, 4), "float32")))
    gradient = numbers(tape.gradient(loss, layer.table.value))
    np.testing.assert_allclose(gradient, [[3.0] * 4, [3.0] * 4, *[[0.0] * 4] * 3])


def test_lengths_that_are_not_known_before(tmp_path):
    tokens = keras.Input((None, 8))
    network = keras.Model(tokens, LearnedPositions(40)(SinusoidalPositions()(tokens)))
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    for length in (3, 11):
        x = np.ones((2, length, 8), "float32")
        np.testing.assert_array_equal(numbers(network(x)), numbers(again(x)))
