"""Networks that go on with a text, and the encoder: sizes to the weight, what may see what, step by step as at once."""

import keras
import numpy as np
import pytest
from keras import ops

from dlspec.models.base import Tagger
from dlspec.models.sequence.tagger_rnn import TaggerRNN
from dlspec.models.sequence.transformer_decoder import TransformerDecoder
from dlspec.models.sequence.transformer_encoder import TransformerEncoder
from dlspec.proposals import Facts
from dlspec.types import RecipeError

V, LENGTH = 23, 9
SHAPES = {"tokens": {"shape": [None], "dtype": "int32", "vocabulary": V}}
SERIES = {"series": {"shape": [9, 3], "dtype": "float32"}}
SMALL = {"layers": 2, "width": 16, "heads": 4, "feed_forward": 24}
CAUSAL = [
    TaggerRNN(cell="simple", units=5),
    TaggerRNN(cell="gru", units=5, layers=2),
    TaggerRNN(cell="lstm", units=5, layers=2, dropout=0.2, recurrent_dropout=0.2),
    TaggerRNN(cell="lstm", units=5, layer_norm=True),
    TransformerDecoder(**SMALL),
    TransformerDecoder(**SMALL, norm="post", tied=False),
    TransformerDecoder(**SMALL, positions="learned", longest=5, activation="relu"),
]


def built(model, outputs=V, shapes=SHAPES):
    """With every weight moved, so that none of those that start at 0 or 1 is overlooked."""
    keras.utils.set_random_seed(1)
    network = model.build(shapes, outputs)
    random = np.random.default_rng(1)
    for weight in network.trainable_weights:
        weight.assign(weight + 0.2 * random.normal(size=weight.shape))
    return network


def tokens(count=3, seed=0):
    return np.random.default_rng(seed).integers(2, V, (count, LENGTH)).astype("int32")


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize(("cell", "gates"), [("simple", 1), ("gru", 3), ("lstm", 4)])
def test_the_recurrent_one_has_a_logit_a_token_over_its_cells(cell, gates):
    biases = 2 if cell == "gru" else 1
    each = gates * (100 * 8 + 8 * 8 + biases * 8)
    assert built(TaggerRNN(cell=cell, units=8)).count_params() == V * 100 + each + 8 * V + V
    both = TaggerRNN(cell=cell, units=8, bidirectional=True)
    assert built(both).count_params() == V * 100 + 2 * each + 16 * V + V


def test_weights_of_decoder_and_encoder_by_hand():
    """Kernels and biases of attention, of the dense layers, and of normalisation, as the docstring counts them."""
    attention, dense, norm = 4 * (16 * 16 + 16), 16 * 24 + 24 + 24 * 16 + 16, 2 * 16
    block = attention + dense + 2 * norm
    assert block == 4 * (16**2 + 16) + 2 * 16 * 24 + 24 + 5 * 16
    assert built(TransformerDecoder(**SMALL)).count_params() == V * 16 + 2 * block + norm
    assert built(TransformerDecoder(**SMALL, norm="post")).count_params() == V * 16 + 2 * block
    assert built(TransformerDecoder(**SMALL, tied=False)).count_params() == V * 16 + 2 * block + norm + 16 * V + V
    learned = TransformerDecoder(**SMALL, positions="learned", longest=7)
    assert built(learned).count_params() == V * 16 + 2 * block + norm + 7 * 16
    assert built(TransformerEncoder(**SMALL), 3).count_params() == V * 16 + 2 * block + norm + 16 * 3 + 3
    words = TransformerEncoder(**SMALL, embedding={"size": 10}, pooling="attention")
    pooled = 16 * 16 + 16 + 16
    assert built(words, 3).count_params() == V * 10 + 10 * 16 + 16 + 2 * block + norm + pooled + 16 * 3 + 3
    assert built(TransformerEncoder(**SMALL), 2, SERIES).count_params() == 3 * 16 + 16 + 2 * block + norm + 16 * 2 + 2


@pytest.mark.parametrize("model", CAUSAL, ids=str)
def test_a_later_token_changes_no_earlier_logit(model):
    assert model.causal
    network, said = built(model), tokens()
    before = numbers(network({"tokens": said}))
    assert before.shape == (3, LENGTH, V)
    for place in (1, 5, LENGTH - 1):
        other = said.copy()
        other[:, place] = 2 + (other[:, place] - 1) % (V - 2)
        change = np.abs(numbers(network({"tokens": other})) - before).max(axis=(0, 2))
        assert change[:place].max() < 1e-6 < 1e-4 < change[place]


@pytest.mark.parametrize("model", CAUSAL, ids=str)
@pytest.mark.parametrize("width", [1, 2])
def test_what_is_kept_from_step_to_step_is_the_whole_pass(model, width):
    network, said = built(model), tokens(count=3 * width)
    whole = numbers(network({"tokens": said})).reshape(3, width, LENGTH, V)
    ancestors = np.broadcast_to(np.arange(width)[None, :, None], (3, width, LENGTH))
    for course in (model.course(network, 3, width, LENGTH), Tagger.course(model, network, 3, width, LENGTH)):
        cache = course.cache
        for time in range(LENGTH):
            now = said[:, time].reshape(3, width)
            logits, cache, _ = course.step(ops.convert_to_tensor(now), time, cache, ancestors)
            np.testing.assert_allclose(numbers(logits), whole[:, :, time], atol=1e-5)


def test_in_both_directions_it_is_not_causal():
    model = TaggerRNN(units=5, bidirectional=True)
    assert not model.causal
    network, said = built(model), tokens()
    other = said.copy()
    other[:, -1] = 2 + (other[:, -1] - 1) % (V - 2)
    assert np.abs(numbers(network({"tokens": other})) - numbers(network({"tokens": said})))[:, 0].max() > 1e-4


@pytest.mark.parametrize("pooling", ["mean", "max", "attention"])
def test_of_an_encoder_padding_changes_nothing_and_an_empty_text_has_an_answer(pooling):
    network = built(TransformerEncoder(**SMALL, pooling=pooling), 3)
    said = tokens()
    said[1, 4:], said[2] = 0, 0
    found = numbers(network({"tokens": said}))
    np.testing.assert_allclose(numbers(network({"tokens": said[1:2, :4]}))[0], found[1], atol=1e-5)
    np.testing.assert_allclose(numbers(network({"tokens": np.pad(said, [(0, 0), (0, 6)])})), found, atol=1e-5)
    assert np.isfinite(found).all() and np.ptp(found, axis=0).min() > 0
    turned = said[:1, ::-1].copy()
    assert np.abs(numbers(network({"tokens": turned})) - found[:1]).max() > 1e-4, "order does not matter"


def test_heads_must_divide_the_width():
    with pytest.raises(RecipeError, match="3 heads do not divide a width of 16; take 2"):
        TransformerDecoder(width=16, heads=3).build(SHAPES, V)


def test_sizes_have_an_end():
    model, sizes = TransformerDecoder(), []
    while (more := model.larger()) is not None:
        model = model.model_copy(update=more)
        sizes.append((model.width, model.layers))
    assert sizes == [(512, 4), (1024, 4), (1024, 8), (1024, 12)]
    while (less := model.smaller()) is not None:
        model = model.model_copy(update=less)
    assert (model.width, model.layers) == (32, 1)


def test_what_suits_a_text_that_is_to_be_gone_on_with():
    known = Facts("text", 1000, 90, (250,), alike=False)
    assert TransformerDecoder.suggest(known) is None
    causal = known._replace(causal=True)
    assert TaggerRNN.suggest(causal).suits > TransformerDecoder.suggest(causal).suits
    assert [line.key for line in TaggerRNN.suggest(known).model] == ["bidirectional", "dropout"]
    assert [line.key for line in TaggerRNN.suggest(causal).model] == ["units"]
