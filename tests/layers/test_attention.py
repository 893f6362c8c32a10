"""Attention against NumPy written from the equations, and against Keras' own layer with the same weights."""

import keras
import numpy as np
import pytest

from dlspec.layers.attention import (
    AdditiveAttention,
    MultiHeadAttention,
    MultiplicativeAttention,
    attend,
    scaled_dot_product,
)

B, H, T, S, D = 3, 4, 5, 7, 8
NEAR = {"rtol": 1e-5, "atol": 1e-5}


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def numbers(tensor):
    return keras.ops.convert_to_numpy(tensor)


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def masks(seed=3):
    """Right-padded: of each example the first few places may be seen."""
    lengths = np.random.default_rng(seed).integers(1, S + 1, B)
    return np.arange(S) < lengths[:, None]


def layer_and_weights(causal=False, bias=True, seed=5):
    layer = MultiHeadAttention(H, causal=causal, use_bias=bias)
    layer.build((B, T, D), None if causal else (B, S, D))
    layer.set_weights([drawn(*w.shape, seed=seed + i) for i, w in enumerate(layer.weights)])
    return layer, {w.name: numbers(w).astype("float64") for w in layer.weights}


def by_equations(weights, queries, memory, allowed):
    """Vaswani et al., section 3.2.2, one head of one example after the other.  allowed: (B, T, S)."""
    out = np.zeros(queries.shape)
    for b in range(len(queries)):
        heads = []
        for h in range(H):
            own = slice(h * D // H, (h + 1) * D // H)
            q, k, v = (
                of[b] @ weights[f"{name}_kernel"][:, own] + weights[f"{name}_bias"][own]
                for of, name in ((queries, "query"), (memory, "key"), (memory, "value"))
            )
            scores = np.where(allowed[b], q @ k.T / np.sqrt(D / H), -np.inf)
            heads.append(softmax(scores) @ v)
        out[b] = np.concatenate(heads, axis=1) @ weights["output_kernel"] + weights["output_bias"]
    return out


def test_scaled_dot_product_by_hand():
    queries, keys = np.array([[[2.0, 0.0]]], "float32"), np.array([[[np.sqrt(0.5), 9.0], [0.0, 9.0]]], "float32")
    values = np.array([[[1.0, 0.0], [0.0, 1.0]]], "float32")
    # Scores are 2·√½ / √2 = 1 and 0: weights e / (e + 1) and 1 / (e + 1).
    found, weights = scaled_dot_product(queries, keys, values)
    expected = [np.e / (np.e + 1), 1 / (np.e + 1)]
    assert numbers(found).ravel() == pytest.approx(expected, abs=1e-6)
    assert numbers(weights).ravel() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("causal", [False, True])
def test_multi_head_by_the_equations(causal):
    layer, weights = layer_and_weights(causal)
    queries = drawn(B, T, D, seed=1)
    if causal:
        found = layer(queries)
        expected = by_equations(weights, queries, queries, np.tril(np.ones((B, T, T), bool)))
    else:
        memory, allowed = drawn(B, S, D, seed=2), masks()
        found = layer(queries, memory, allowed)
        expected = by_equations(weights, queries, memory, np.repeat(allowed[:, None], T, axis=1))
        np.testing.assert_allclose(numbers(layer(queries, memory, np.repeat(allowed[:, None], T, 1))), expected, **NEAR)
    np.testing.assert_allclose(numbers(found), expected, **NEAR)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_outputs_and_gradients_are_those_of_keras(causal, bias):
    import tensorflow as tf

    layer, _ = layer_and_weights(causal, bias)
    theirs = keras.layers.MultiHeadAttention(H, D // H, use_bias=bias)
    queries = tf.constant(drawn(B, T, D, seed=1))
    memory = queries if causal else tf.constant(drawn(B, S, D, seed=2))
    theirs.build(queries.shape, memory.shape)
    # Theirs: query kernel, bias, key, …, value, …, output; ours: four kernels, then four biases.
    order = [i + 4 * j for i in range(4) for j in range(1 + bias)]
    theirs.set_weights([numbers(layer.weights[i]).reshape(w.shape) for i, w in zip(order, theirs.weights, strict=True)])
    allowed = None if causal else masks()
    wanted = drawn(B, T, D, seed=9)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([queries, memory])
        own = layer(queries, None if causal else memory, allowed)
        seen = None if causal else np.repeat(allowed[:, None], T, axis=1)
        other = theirs(queries, memory, use_causal_mask=causal, attention_mask=seen)
        losses = [tf.reduce_sum(of * wanted) for of in (own, other)]
    np.testing.assert_allclose(numbers(own), numbers(other), **NEAR)
    mine = tape.gradient(losses[0], [queries, memory, *(w.value for w in layer.weights)])
    their = tape.gradient(losses[1], [queries, memory, *(w.value for w in theirs.weights)])
    for i, gradient in enumerate([*their[:2], *their[2:]]):
        ours = mine[i] if i < 2 else mine[2 + order[i - 2]]
        np.testing.assert_allclose(numbers(ours), numbers(gradient).reshape(ours.shape), rtol=1e-4, atol=2e-5)


def test_what_may_not_be_seen_changes_nothing():
    layer, _ = layer_and_weights()
    queries, memory, allowed = drawn(B, T, D, seed=1), drawn(B, S, D, seed=2), masks()
    other = np.where(allowed[..., None], memory, 1e3).astype("float32")
    np.testing.assert_array_equal(numbers(layer(queries, memory, allowed)), numbers(layer(queries, other, allowed)))
    nothing = layer(queries, memory, np.zeros_like(allowed))
    assert np.isfinite(numbers(nothing)).all()


def test_a_causal_prefix_does_not_hang_on_what_follows():
    layer, _ = layer_and_weights(causal=True)
    queries = drawn(B, T, D, seed=1)
    np.testing.assert_allclose(numbers(layer(queries))[:, :3], numbers(layer(queries[:, :3])), **NEAR)


def test_looking_at_kept_keys_and_values_is_the_call():
    """Place by place, as decoding does, with what earlier places left behind."""
    layer, _ = layer_and_weights(causal=True)
    queries = drawn(B, T, D, seed=1)
    whole = numbers(layer(queries))
    kept = []
    for t in range(T):
        kept.append(layer.keys_and_values(queries[:, t : t + 1]))
        keys, values = (keras.ops.concatenate([one[i] for one in kept], axis=2) for i in (0, 1))
        step, weights = layer.look(queries[:, t : t + 1], keys, values)
        np.testing.assert_allclose(numbers(step)[:, 0], whole[:, t], **NEAR)
        assert weights.shape == (B, H, 1, t + 1)


def test_dropout_is_for_training_and_of_the_share_that_is_told():
    layer = MultiHeadAttention(H, dropout=0.5)
    queries = drawn(B, T, D, seed=1)
    first, second = numbers(layer(queries, training=False)), numbers(layer(queries, training=False))
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, numbers(layer(queries, training=True)))
    weights = np.full((1, 1, 50, 100), 0.0, "float32")
    found, _ = attend(weights, np.ones((1, 1, 100, 1), "float32"), layer.silence, True)
    assert numbers(found).mean() == pytest.approx(1, abs=0.05) and numbers(found).std() > 0.05


def test_heads_that_do_not_divide_the_width_are_told():
    with pytest.raises(ValueError, match="a width of 10 does not divide among 4 heads"):
        MultiHeadAttention(4).build((None, 5, 10))


def test_additive_by_the_equation():
    layer = AdditiveAttention(6)
    queries, memory, allowed = drawn(B, T, D, seed=1), drawn(B, S, 5, seed=2), masks()
    found, weights = layer(queries, memory, allowed)
    of_query, of_memory, judging = (numbers(w).astype("float64") for w in layer.weights)
    expected = np.zeros((B, T, S))
    for b in range(B):
        for t in range(T):
            scores = [judging[:, 0] @ np.tanh(queries[b, t] @ of_query + memory[b, s] @ of_memory) for s in range(S)]
            expected[b, t] = softmax(np.where(allowed[b], scores, -np.inf))
    np.testing.assert_allclose(numbers(weights), expected, **NEAR)
    np.testing.assert_allclose(numbers(found), expected @ memory, **NEAR)
    again, _ = layer(queries, memory, allowed, keys=layer.keys(memory))
    np.testing.assert_array_equal(numbers(again), numbers(found))


@pytest.mark.parametrize("plain", [False, True])
def test_multiplicative_by_the_equation(plain):
    layer = MultiplicativeAttention(plain)
    queries, memory, allowed = drawn(B, T, D, seed=1), drawn(B, S, D if plain else 5, seed=2), masks()
    found, weights = layer(queries, memory, allowed)
    between = np.eye(D) if plain else numbers(layer.weights[0])
    scores = np.einsum("btq,mq,bsm->bts", queries, between, memory)
    expected = softmax(np.where(allowed[:, None], scores, -np.inf))
    np.testing.assert_allclose(numbers(weights), expected, **NEAR)
    np.testing.assert_allclose(numbers(found), expected @ memory, **NEAR)


def test_in_a_functional_model_that_is_saved_and_opened(tmp_path):
    import dlspec.layers

    assert dlspec.layers
    places, tokens = keras.Input((None, D), name="places"), keras.Input((None, D), name="tokens")
    seen = MultiHeadAttention(H, causal=True, dropout=0.1)(tokens)
    seen = MultiHeadAttention(2, width=3, use_bias=False)(seen, places)
    found, weights = AdditiveAttention(4)(seen, places)
    network = keras.Model([places, tokens], [found, MultiplicativeAttention()(seen, places)[0], weights])
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    arrays = [drawn(B, S, D, seed=1), drawn(B, T, D, seed=2)]
    for one, other in zip(network(arrays), again(arrays), strict=True):
        np.testing.assert_array_equal(numbers(one), numbers(other))
