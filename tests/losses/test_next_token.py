"""The loss of the next token, against NumPy written from the equation."""

import keras
import numpy as np
import pytest

from dlspec.losses.next_token import NextToken, tokens_right

B, T, V = 3, 4, 7
LENGTHS = (4, 1, 2)


def drawn(seed=0):
    random = np.random.default_rng(seed)
    truths = np.where(np.arange(T) < np.array(LENGTHS)[:, None], random.integers(3, V, (B, T)), 0)
    return truths, random.normal(size=(B, T, V)).astype("float32")


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_by_the_equation(smoothing):
    truths, logits = drawn()
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    costs = []
    for b in range(B):
        for t in range(LENGTHS[b]):
            shares = np.full(V, smoothing / V)
            shares[truths[b, t]] += 1 - smoothing
            costs.append(-(shares * logs[b, t]).sum())
    loss = NextToken(smoothing)
    assert float(loss(truths, logits)) == pytest.approx(np.mean(costs), abs=1e-5)
    again = keras.losses.deserialize(keras.losses.serialize(loss), {"NextToken": NextToken})
    assert float(again(truths, logits)) == float(loss(truths, logits))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_padding_costs_nothing(smoothing):
    truths, logits = drawn()
    other = np.where((truths == 0)[..., None], 100 * logits, logits)
    longer = np.pad(truths, ((0, 0), (0, 3))), np.pad(logits, ((0, 0), (0, 3), (0, 0)))
    loss = NextToken(smoothing)
    assert float(loss(truths, other)) == float(loss(truths, logits))
    assert float(loss(*longer)) == pytest.approx(float(loss(truths, logits)), abs=1e-6)


def test_right_tokens_by_hand():
    truths, logits = np.array([[3, 4], [5, 0]]), np.zeros((2, 2, V), "float32")
    logits[0, 0, 3] = logits[0, 1, 3] = logits[1, 0, 5] = logits[1, 1, 0] = 1
    shares = keras.ops.convert_to_numpy(tokens_right(truths, logits))
    assert shares.tolist() == pytest.approx([1 / 1.5, 1 / 1.5]) and shares.mean() == pytest.approx(2 / 3)
