"""The arithmetic that `check --run` prints: what it comes to is what Keras makes."""

import re

import keras
import pytest

from dlspec.runs.check_arithmetic import arithmetic

L = keras.layers


def told(layer, height, width=None):
    entry = keras.Input((height, width or height, 3))
    made = layer(entry)
    return arithmetic(layer, entry.shape, made.shape), made.shape


@pytest.mark.parametrize(
    ("layer", "size", "said"),
    [
        (L.Conv2D(6, 5), 28, "conv 5x5, stride 1, valid: (28 + 2*0 - 5)/1 + 1 = 24"),
        (L.Conv2D(6, 5, padding="same"), 28, "conv 5x5, stride 1, same: (28 + 2*2 - 5)/1 + 1 = 28"),
        (L.Conv2D(6, 3, strides=2, padding="same"), 28, "conv 3x3, stride 2, same: (28 + 1 - 3)/2 + 1 = 14"),
        (L.Conv2D(6, 3, strides=2), 28, "conv 3x3, stride 2, valid: floor((28 + 2*0 - 3)/2) + 1 = 13"),
        (L.MaxPooling2D(2), 24, "max pool 2x2, stride 2, valid: (24 + 2*0 - 2)/2 + 1 = 12"),
        (L.AveragePooling2D(3, 2), 24, "average pool 3x3, stride 2, valid: floor((24 + 2*0 - 3)/2) + 1 = 11"),
        (L.DepthwiseConv2D(3), 8, "conv of each map 3x3, stride 1, valid: (8 + 2*0 - 3)/1 + 1 = 6"),
        (L.Conv2D(6, 3, dilation_rate=2), 9, "conv 3x3, stride 1, dilation 2, valid: (9 + 2*0 - 5)/1 + 1 = 5"),
        (L.ZeroPadding2D(3), 8, "zeros around it: 8 + 2*3 = 14"),
        (L.ZeroPadding2D(((0, 1), (0, 1))), 8, "zeros around it: 8 + 0 + 1 = 9"),
        (L.ReLU(), 8, None),
    ],
)
def test_by_hand(layer, size, said):
    assert told(layer, size)[0] == said


def test_sides_that_differ_are_both_said():
    said, _ = told(L.Conv2D(2, (1, 7)), 9, 12)
    assert said == "conv 1x7, stride 1, valid: (9 + 2*0 - 1)/1 + 1 = 9 high, (12 + 2*0 - 7)/1 + 1 = 6 wide"


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5, 7])
def test_it_comes_to_what_keras_makes(kernel, stride, padding):
    for size in range(7, 20):
        for layer in (L.Conv2D(1, kernel, strides=stride, padding=padding), L.MaxPooling2D(kernel, stride, padding)):
            said, made = told(layer, size)
            left, right = said.partition(": ")[2].split(" = ")
            assert int(right) == made[1]
            assert eval(re.sub(r"floor\((.*)\)", r"(\1)", left).replace("/", "//")) == int(right)
