"""The Transformer: its size to the weight, what may see what, and decoding step by step against the whole network."""

import keras
import numpy as np
import pytest
from keras import ops

from dlspec.decode.beam import BEGIN, END, Search, search
from dlspec.models.translation.transformer import Transformer
from dlspec.proposals import Facts
from dlspec.types import RecipeError

SMALL = {"layers": 2, "width": 16, "heads": 4, "feed_forward": 24}
V = 30


def shapes(source=V, target=V):
    return {
        name: {"shape": [None], "dtype": "int32", "vocabulary": size}
        for name, size in (("tokens", source), ("target", target))
    }


def built(seed=1, outputs=V, source=V, **settings):
    keras.utils.set_random_seed(seed)
    model = Transformer(**{**SMALL, **settings})
    network = model.build(shapes(source, outputs), outputs)
    random = np.random.default_rng(seed)
    for weight in network.weights:  # layer norms and biases too, so that none is overlooked
        if weight.name in ("gamma", "beta", "bias") or "bias" in weight.name:
            weight.assign(weight + 0.3 * random.normal(size=weight.shape))
    return model, network


def sentences(count=5, longest=7, seed=0, size=V):
    """Right-padded, at least one token each; the first is the longest."""
    random = np.random.default_rng(seed)
    tokens = random.integers(4, size, (count, longest)).astype("int32")
    lengths = np.array([longest, *random.integers(1, longest + 1, count - 1)])
    return np.where(np.arange(longest) < lengths[:, None], tokens, 0).astype("int32")


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize(("vocabulary", "millions"), [(37_000, 63.1), (1000, None)])
def test_the_base_model_has_the_papers_parameters(vocabulary, millions):
    network = Transformer().build(shapes(vocabulary, vocabulary), vocabulary)
    assert network.count_params() == 44_138_496 + 512 * vocabulary
    if millions:
        assert round(network.count_params() / 1e6, 1) == millions


def test_weights_by_hand():
    """Kernels and biases of attention, of the dense layers, and of normalisation."""
    attention, dense, norm = 4 * (16 * 16 + 16), 16 * 24 + 24 + 24 * 16 + 16, 2 * 16
    layers = 2 * (attention + dense + 2 * norm) + 2 * (2 * attention + dense + 3 * norm)
    assert built()[1].count_params() == layers + V * 16
    assert built(tied="target", source=20)[1].count_params() == layers + V * 16 + 20 * 16
    assert built(tied="none")[1].count_params() == layers + 2 * V * 16 + V * 16 + V
    assert built(norm="pre")[1].count_params() == layers + V * 16 + 2 * norm
    assert built(positions="learned", longest=9)[1].count_params() == layers + V * 16 + 2 * 9 * 16


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_padding_and_what_is_said_later_change_nothing(norm):
    _, network = built(norm=norm)
    source, target = sentences(seed=1), sentences(seed=2, longest=6)
    target[:, 0] = BEGIN
    logits = numbers(network({"tokens": source, "target": target}))
    assert logits.shape == (5, 6, V)
    longer = np.pad(source, ((0, 0), (0, 4)))
    np.testing.assert_allclose(numbers(network({"tokens": longer, "target": target})), logits, atol=1e-5)
    np.testing.assert_allclose(numbers(network({"tokens": source, "target": target[:, :3]})), logits[:, :3], atol=1e-5)
    other = target.copy()
    other[:, 4] = 7
    changed = np.abs(numbers(network({"tokens": source, "target": other})) - logits).max(axis=(0, 2))
    assert changed[:4].max() < 1e-6 and changed[4] > 1e-3
    for i, row in enumerate(source):
        alone = network({"tokens": row[None, row != 0], "target": target[i : i + 1]})
        np.testing.assert_allclose(numbers(alone)[0], logits[i], atol=1e-5)


SETTINGS = [
    {},
    {"norm": "pre", "positions": "learned", "longest": 5},
    {"tied": "none", "activation": "gelu", "source": 20},
    {"tied": "target", "source": 20, "layers": 1},
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("how", [Search(width=1), Search(width=3, best=2), Search(width=4, coverage=0.2)])
def test_decoding_with_what_is_kept_is_the_whole_network_again_and_again(settings, how):
    """Every hypothesis through the whole network at each step, against keys and values that are kept."""
    model, network = built(seed=3, **settings)
    source, longest = sentences(seed=4, size=settings.get("source", V)), 8
    limits = np.array([8, 8, 5, 8, 3], "int32")
    course = model.course(network, {"tokens": source}, how.width, longest)
    found = search(course.step, course.cache, limits, longest, how, moved=course.moved, places=course.places)

    kept = {}

    def again(tokens, time, cache, ancestors):
        cache = ops.where(ops.equal(ops.arange(longest), time), tokens[..., None], cache)
        flat = ops.reshape(cache, (-1, longest))
        logits = network({"tokens": ops.repeat(source, how.width, axis=0), "target": flat})
        # The network does not tell its attention: a course of its own does, that is handed the same tokens.
        before = kept["cache"] if int(time) else course.cache
        _, kept["cache"], seen = course.step(tokens, time, before, ancestors)
        return ops.reshape(ops.take(logits, time, axis=1), (5, how.width, -1)), cache, seen

    start = ops.zeros((5, how.width, longest), "int32")
    slowly = search(again, start, limits, longest, how, places=course.places)
    np.testing.assert_array_equal(numbers(found.tokens), numbers(slowly.tokens))
    np.testing.assert_allclose(numbers(found.scores), numbers(slowly.scores), atol=1e-5)
    tokens = numbers(found.tokens)[:, 0]
    assert ((tokens == END).sum(axis=1) == 1).all() and ((tokens != 0).sum(axis=1) <= limits).all()


def test_the_score_is_the_log_probability_that_the_network_gives():
    model, network = built(seed=5)
    source = sentences(seed=6)
    course = model.course(network, {"tokens": source}, 2, 6)
    limits, how = np.full(5, 6, "int32"), Search(width=2)
    found = search(course.step, course.cache, limits, 6, how, moved=course.moved)
    said = numbers(found.tokens)[:, 0]
    target = np.concatenate([np.full((5, 1), BEGIN), said[:, :-1]], axis=1)
    chances = numbers(ops.log_softmax(network({"tokens": source, "target": target})))
    forced = np.take_along_axis(chances, said[..., None], axis=2)[..., 0] * (said != 0)
    np.testing.assert_allclose(numbers(found.log_probabilities)[:, 0], forced.sum(axis=1), atol=1e-4)


def test_a_batch_is_decoded_as_one_by_one_within_a_graph():
    import tensorflow as tf

    model, network = built(seed=7)
    source = sentences(seed=8)

    @tf.function(input_signature=[tf.TensorSpec((None, None), "int32")])
    def decoded(tokens):
        course = model.course(network, {"tokens": tokens}, 3, 6)
        limits = ops.full((ops.shape(tokens)[0],), 6, "int32")
        return search(course.step, course.cache, limits, 6, Search(width=3, best=2), moved=course.moved)

    whole = decoded(source)
    for i, row in enumerate(source):
        one = decoded(row[None, row != 0])
        np.testing.assert_array_equal(numbers(one.tokens)[0], numbers(whole.tokens)[i])
        np.testing.assert_allclose(numbers(one.scores)[0], numbers(whole.scores)[i], atol=1e-5)


def test_what_cannot_be_is_told():
    with pytest.raises(RecipeError, match="30 tokens and the target's 40"):
        Transformer(**SMALL).build(shapes(30, 40), 40)
    with pytest.raises(RecipeError, match="3 heads do not divide a width of 16; take 2"):
        Transformer(**{**SMALL, "heads": 3}).build(shapes(), V)


def test_it_is_saved_and_opened(tmp_path):
    import dlspec.layers

    assert dlspec.layers
    _, network = built(norm="pre", dropout=0.3, attention_dropout=0.1, inner_dropout=0.1)
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    batch = {"tokens": sentences(), "target": sentences(seed=1)}
    np.testing.assert_array_equal(numbers(network(batch)), numbers(again(batch)))
    assert not np.allclose(numbers(network(batch, training=True)), numbers(network(batch)))


@pytest.mark.parametrize("tied", ["all", "none"])
def test_in_float64_nothing_is_rounded(tied):
    """Or gradients could not be told from differences of the loss, as `check --run` compares them."""
    from dlspec.runs.check_gradients import float64

    with float64():
        _, network = built(tied=tied)
        logits = network({"tokens": sentences(), "target": sentences(seed=1)})
    assert keras.backend.standardize_dtype(logits.dtype) == "float64"


@pytest.mark.parametrize(("pairs", "steps", "momentum"), [(1_050, 110, 0.991), (29_000, 1000, 0.999), (20, 20, 0.95)])
def test_a_first_recipe_grows_and_averages_over_what_the_pairs_allow(pairs, steps, momentum):
    suggested = Transformer.suggest(Facts("text", 2 * pairs, 1, (11,), alike=False, train=pairs))
    train = {line.key: {one.key: one.value for one in line.value} for line in suggested.train}
    assert train["schedule"] == {"name": "noam", "steps": steps}
    assert train["average"] == {"momentum": momentum}
