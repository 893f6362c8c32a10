"""Numerical against automatic gradients: of functions whose slopes are known, with kinks, and with wrong ones."""

import numpy as np
import pytest

from dlspec.runs.backend import load_keras
from dlspec.runs.check_gradients import float64
from dlspec.runs.check_slopes import COORDINATES, compare


@pytest.fixture(scope="module")
def keras():
    return load_keras(seed=0)


@pytest.fixture
def variable(keras):
    def make(values):
        with float64():
            return keras.Variable(np.asarray(values, np.float64), dtype="float64")

    return make


def test_every_coordinate_of_a_small_variable_and_twenty_of_a_large_one(keras, variable):
    small, large, scalar = variable([1.0, 2.0, 3.0]), variable(np.linspace(-1, 1, 900).reshape(30, 30)), variable(0.5)
    ops = keras.ops

    def value():
        return ops.sum(small**3) + ops.sum(ops.sin(large.value)) + scalar.value**2

    before = [one.numpy() for one in (small, large, scalar)]
    found = compare(value, [small, large, scalar])
    assert [one.compared for one in found] == [3, COORDINATES, 1]
    assert all(one.wrong == one.kinks == 0 and one.error < 1e-6 and one.connected for one in found)
    assert all((a == b.numpy()).all() for a, b in zip(before, (small, large, scalar), strict=True))


def test_kinks_are_left_out_and_others_drawn(keras, variable):
    """A relu at 0 has the slope ½ by central differences, and 0 by TensorFlow: nobody is wrong."""
    values = np.ones(100)
    values[::2] = 0
    values[1::10] = 3e-6  # within the step
    one = variable(values)
    [found] = compare(lambda: keras.ops.sum(keras.ops.relu(one.value)), [one])
    assert found.wrong == 0 and found.kinks > 10 and found.compared == COORDINATES


def test_a_wrong_gradient_is_seen_however_small_the_fault(keras, variable):
    import tensorflow as tf

    @tf.custom_gradient
    def nearly(x):
        return x * x, lambda upstream: upstream * 2.002 * x

    one = variable([1.0, 2.0, -3.0])
    [found] = compare(lambda: tf.reduce_sum(nearly(tf.convert_to_tensor(one.value))), [one])
    assert found.wrong == 3 and found.error == pytest.approx(0.001, rel=0.01)
    assert found.automatic / found.numerical == pytest.approx(1.001, rel=1e-4)


def test_a_variable_that_does_not_matter_is_not_connected(keras, variable):
    used, unused, stopped = variable([1.0, 2.0]), variable([1.0]), variable([2.0])
    ops = keras.ops
    found = compare(lambda: ops.sum(used.value**2) + ops.sum(ops.stop_gradient(stopped.value)), [used, unused, stopped])
    assert [one.connected for one in found] == [True, False, True]
    assert [one.wrong for one in found] == [0, 0, 1]


def test_rows_that_no_example_uses_do_not_hide_the_others(keras, variable):
    """Of a table of 1,000 rows, two are looked up: half of what is compared is theirs."""
    import tensorflow as tf

    @tf.custom_gradient
    def wrong(x):
        return x * x, lambda upstream: upstream

    one = variable(np.full((1000, 4), 3.0))
    [found] = compare(lambda: tf.reduce_sum(wrong(tf.gather(one.value, [5, 7]))), [one])
    assert found.wrong >= 4
