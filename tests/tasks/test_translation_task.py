"""Translation: what the network is taught, how much may be said, and that what is decoded hangs on no batch."""

import json
import math

import keras
import numpy as np
import pytest

from dlspec.decode.beam import BEGIN, END, Search
from dlspec.evaluators.sentences import Said
from dlspec.inputs.text import Text
from dlspec.inputs.tokenizing import Tokenization
from dlspec.models.translation.transformer import Transformer
from dlspec.tasks.decoder import Decoder, decoder_of, rounded
from dlspec.tasks.translation import Translation
from dlspec.types import DataError, Examples, RecipeError

SOURCES = ["a b", "a b c", "b", "c a b a"]
TARGETS = ["x y", "x y z", "y", "z x y x"]
PAIRS = Examples(["1", "2", "3", "4"], SOURCES, TARGETS)


def learned(task=None, entry=None, data=PAIRS):
    task, entry = task or Translation(), entry or Text(minimum_count=1)
    entered = entry.prepare_with(data, task.read_too(data))
    state = {"input": entered, "task": task.prepare(data), "shapes": entered["shapes"]}
    state["task"] = task.join(data, entry, Transformer(), state)
    return task, entry, json.loads(json.dumps(state))


def test_one_vocabulary_holds_both_sides_and_two_hold_one_each():
    task, _, state = learned()
    assert set("abcxyz") <= set(state["input"]["vocabulary"]) and task.outputs(state) == 4 + 6
    assert state["input"]["counts"][4:] and sum(state["input"]["counts"]) == 10  # of the sources alone
    task, _, state = learned(Translation(output=Tokenization(minimum_count=1)))
    assert set(state["input"]["vocabulary"][4:]) == set("abc") and task.outputs(state) == 4 + 3
    assert set(state["task"]["output"]["vocabulary"][4:]) == set("xyz")
    assert task.given(state) == {"target": {"shape": [None], "dtype": "int32", "vocabulary": 7}}
    with pytest.raises(RecipeError, match="source's has 9 tokens and the target's 7; make it joint"):
        state["shapes"]["tokens"]["vocabulary"] = 9
        task.build(Transformer(layers=1, width=8, heads=2), state)


def test_what_is_said_is_shifted_by_one():
    task, entry, state = learned()
    encoded = entry.finish(entry.encode(PAIRS, state["input"]), state["input"])
    targets = task.target(PAIRS, encoded, state)
    piece = {word: i for i, word in enumerate(state["input"]["vocabulary"])}
    x, y, z = (piece[one] for one in "xyz")
    given, wanted, weights = task.finish({"tokens": encoded["tokens"]}, targets, 0, state)
    assert given["target"].tolist()[:3] == [[BEGIN, x, y, 0, 0], [BEGIN, x, y, z, 0], [BEGIN, y, 0, 0, 0]]
    assert wanted.tolist()[:3] == [[x, y, END, 0, 0], [x, y, z, END, 0], [y, END, 0, 0, 0]]
    assert weights is None and given["target"].dtype == wanted.dtype == np.int32
    assert task.lengths(np.array([9, 1, 1, 1]), targets).tolist() == [9, 4, 2, 5]
    assert task.expected_initial_loss(state) == pytest.approx(math.log(10))


@pytest.mark.parametrize(
    ("beams", "said"),
    [
        ((4, 1), "translated greedily (task.beam_in_training), in the end with a beam of 4"),
        ((4, 2), "translated with a beam of 2 (task.beam_in_training), in the end with a beam of 4"),
        ((2, 2), None),
    ],
)
def test_that_epochs_are_scored_by_another_beam_is_told(beams, said):
    _, _, state = learned(Translation(beam=beams[0], beam_in_training=beams[1]))
    told = [one for one in state["task"]["notes"] if "beam" in one]
    assert (said is None and not told) or said in told[0]


def test_a_long_target_is_cut_and_counted():
    task, _, state = learned(Translation(maximum_length=3))
    assert [len(one) for one in task.target(PAIRS, {}, state)["target"]] == [2, 2, 1, 2]
    entered = Text(minimum_count=1).prepare_with(PAIRS, task.read_too(PAIRS))
    before = {"input": entered, "task": task.prepare(PAIRS), "shapes": entered["shapes"]}
    notes = task.join(PAIRS, Text(minimum_count=1), Transformer(), before)["notes"]
    assert any("2 of 4 targets have more than 3 pieces" in one for one in notes)


def test_how_much_is_said_at_most():
    """14 tokens (with ends) are said of 10: a = 1.4; b is 5 at least, and 5 more."""
    task, _, state = learned()
    assert state["task"]["reach"] == pytest.approx([1.4, 10])
    tokens = np.array([[4, 5, 0, 0], [4, 4, 4, 4], [0, 0, 0, 0]])
    assert task.limits({"tokens": tokens}, state).tolist() == [13, 16, 0]  # ⌈2.8 + 10⌉, ⌈5.6 + 10⌉
    assert task.model_copy(update={"maximum_length": 6}).limits({"tokens": tokens}, state).tolist() == [6, 6, 0]


def test_what_cannot_be():
    with pytest.raises(DataError, match="all targets of train are empty"):
        Translation().prepare(Examples(["1"], ["a"], [" "]))
    with pytest.raises(DataError, match="2"):
        Translation().prepare(Examples(["1", "2"], ["a", "b"], ["x", None]))
    with pytest.raises(ValueError, match="a beam of 2 finds 2 sentences"):
        Translation(beam=2, n_best=3)


def test_dev_is_asked_greedily_in_passing():
    task = Translation(beam=5, n_best=2)
    assert (task.in_passing.beam, task.in_passing.n_best, task.in_passing.passing) == (1, 1, 2_000)
    whole = Translation(beam=2, beam_in_training=2, dev_in_training=None)
    assert whole.in_passing is whole and whole.passing is None


def test_predictions_are_sentences_with_scores_the_best_first():
    task, _, state = learned()
    piece = {word: i for i, word in enumerate(state["input"]["vocabulary"])}
    tokens = np.array([[[piece["x"], piece["y"], END, 0], [piece["z"], END, 0, 0]], [[END, 0, 0, 0], [0, 0, 0, 0]]])
    scores = np.array([[-0.5, -1.5], [-0.25, -np.inf]])
    said = task.predict(lambda batch: (tokens, scores), [{}], state)
    assert said == ["x y", ""] and isinstance(said[0], Said)
    assert (said[0].score, said[0].others) == (-0.5, (("z", -1.5),)) and said[1].others == ()


@pytest.fixture(scope="module", params=[1, 2])
def network(request):
    keras.utils.set_random_seed(3)
    model = Transformer(layers=request.param, width=16, heads=2, feed_forward=24, norm="pre")
    shapes = {name: {"shape": [None], "dtype": "int32", "vocabulary": 20} for name in ("tokens", "target")}
    return model, model.build(shapes, 20)


def sources(lengths, seed=0):
    tokens = np.random.default_rng(seed).integers(4, 20, (len(lengths), max(lengths))).astype("int32")
    return np.where(np.arange(max(lengths)) < np.array(lengths)[:, None], tokens, 0)


def test_the_order_of_sources_stays_and_parts_change_nothing(network, monkeypatch):
    """Also of networks of one layer, whose loops TensorFlow's pruning breaks."""
    lengths = [5, 0, 2, 9, 5, 1, 7, 3]
    tokens, limits = sources(lengths), np.array([0 if n == 0 else n + 3 for n in lengths])
    decode = Decoder(*network, Search(width=3, best=2))
    together = decode({"tokens": tokens, "else": tokens}, limits)
    assert together.tokens.shape == (8, 2, 12) and together.tokens.dtype == np.int32
    assert together.scores[1].tolist() == [0.0, -np.inf] and not together.tokens[1].any()
    ends = (together.tokens[:, 0] == END).sum(axis=1)
    assert ends.tolist() == [1, 0, 1, 1, 1, 1, 1, 1]
    assert ((together.tokens[:, 0] != 0).sum(axis=1) <= limits).all()
    monkeypatch.setattr("dlspec.tasks.decoder.TOKENS", 1)  # each by itself
    for i, length in enumerate(lengths):
        alone = decode({"tokens": tokens[i : i + 1, : max(1, length)]}, limits[i : i + 1])
        wide = alone.tokens.shape[2]
        np.testing.assert_array_equal(alone.tokens[0], together.tokens[i][:, :wide])
        np.testing.assert_allclose(alone.scores[0], together.scores[i], atol=1e-5)


def test_a_decoder_is_made_once_and_sizes_are_few(network):
    model, net = network
    assert decoder_of(model, net, Search()) is decoder_of(model, net, Search())
    assert decoder_of(model, net, Search()) is not decoder_of(model, net, Search(width=2))
    assert [rounded(n) for n in (1, 16, 17, 65, 1025)] == [16, 16, 32, 96, 2048]
