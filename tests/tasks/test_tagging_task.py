"""Tags on the first pieces of words, the loss over them alone, and a small network that learns."""

import numpy as np
import pytest

from dlspec.inputs.text import Text
from dlspec.losses.tags import TagLoss, tags_right
from dlspec.models.sequence.tagger_rnn import TaggerRNN
from dlspec.recipe.component import find
from dlspec.runs.backend import load_keras
from dlspec.tasks.tagging import Tagging
from dlspec.types import DataError, Examples, RecipeError

X = [("Ann", "Lee", "sleeps"), ("no", "one"), ("Bob",)]
Y = [("B-per", "I-per", "O"), ("O", "O"), ("B-per",)]


def prepared(entry, x=X, y=Y):
    data = Examples([f"s{i}" for i in range(len(x))], x, y)
    entered = entry.prepare(data)
    state = {"input": entered, "task": Tagging().prepare(data), "shapes": entered["shapes"]}
    state["task"] = Tagging().join(data, entry, TaggerRNN(), state)
    return data, state


def test_what_is_learned_of_truths():
    _, state = prepared(Text(minimum_count=1))
    assert state["task"]["names"] == ["B-per", "I-per", "O"] and state["task"]["types"] == ["per"]
    assert state["task"]["scheme"] == "bio" and Tagging().outputs(state) == 3
    assert state["task"]["notes"] == ["2 entities of 1 type (bio): per 2"]
    with pytest.raises(DataError, match="there is one tag alone, 'O'"):
        Tagging().prepare(Examples(["a"], [("x",)], [("O",)]))
    plain = Tagging().prepare(Examples(["a"], [("x", "y")], [("DET", "NOUN")]))
    assert plain["outside"] == "DET" and plain["notes"] == ["2 tags: DET 1, NOUN 1"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (Text(minimum_count=1), [[1, 2, 3], [3, 3], [1]]),
        (Text(tokenizer="character", minimum_count=1), [[1, 0, 0, 2, 0, 0, 3, *[0] * 5], [3, 0, 3, 0, 0], [1, 0, 0]]),
        (Text(minimum_count=1, maximum_length=2), [[1, 2], [3, 3], [1]]),
        (Text(minimum_count=1, maximum_length=2, keep="end"), [[2, 3], [3, 3], [1]]),
    ],
)
def test_the_first_piece_has_the_tag(entry, expected):
    data, state = prepared(entry)
    encoded = entry.encode(data, state["input"])
    targets = Tagging().target(data, encoded, state)
    assert [one.tolist() for one in targets["tags"]] == expected
    batch = entry.finish(encoded, state["input"])
    _, y, weights = Tagging().finish(batch, targets, 0, state)
    assert y.shape == batch["tokens"].shape and weights is None
    # A network that says what is true there is heard right, and of words that are cut off it has said nothing.
    logits = np.eye(4)[np.where(y > 0, y, 2)][..., 1:]
    found = Tagging().predict(lambda batch: logits, [batch], state)
    cut = {"start": [("B-per", "I-per", "O"), *Y[1:]], "end": [("O", "I-per", "O"), *Y[1:]]}
    assert found == (cut[entry.keep] if entry.maximum_length == 2 else Y)


def test_what_does_not_fit_is_refused():
    entry = Text(minimum_count=1)
    _, state = prepared(entry)
    other = Examples(["s0", "s1"], [("a", "b"), ("c",)], [("O",), ("O",)])
    with pytest.raises(DataError, match=r"1 sentence has not a tag for each word: s0 \(1 tag, 2 words\)"):
        Tagging().target(other, entry.encode(other, state["input"]), state)
    strings = Examples(["a", "b"], ["Ann sleeps", "Bob"], ["B-per O", "B-per"])
    state = {"input": Text(minimum_count=1).prepare(strings), "task": Tagging().prepare(strings)}
    with pytest.raises(DataError, match="nobody says where words end"):
        Tagging().join(strings, Text(), TaggerRNN(), state)
    _, state = prepared(Text(minimum_count=1, words="blanks"), strings.column("x"), strings.column("y"))
    assert state["task"]["names"] == ["B-per", "O"]


def test_words_outside_of_entities_may_count_less():
    load_keras(seed=0)
    _, state = prepared(Text(minimum_count=1))
    assert Tagging(outside_weight=0.5).compiled(state)["loss"].weights == [1.0, 1.0, 0.5]
    assert Tagging().compiled(state)["loss"].weights is None
    with pytest.raises(DataError, match="no word of train has the tag 'O'"):
        Tagging(outside_weight=0.5).prepare(Examples(["a"], [("x", "y")], [("DET", "NOUN")]))


@pytest.mark.parametrize(("smoothing", "weights"), [(0.0, None), (0.2, None), (0.1, [1.0, 1.0, 0.25, 2.0])])
def test_the_loss_by_numpy(smoothing, weights):
    load_keras(seed=0)
    random = np.random.default_rng(0)
    logits, marks = random.normal(size=(3, 5, 4)), random.integers(0, 5, (3, 5))
    marks[2] = 0
    logged = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    costs, right, counts = [], [], []
    for row, place in zip(*np.nonzero(marks), strict=True):
        wanted = np.full(4, smoothing / 4)
        wanted[marks[row, place] - 1] += 1 - smoothing
        costs.append(-(wanted * logged[row, place]).sum())
        counts.append(1.0 if weights is None else weights[marks[row, place] - 1])
        right.append(logits[row, place].argmax() == marks[row, place] - 1)
    loss = TagLoss(smoothing, weights)(marks.astype("int32"), logits.astype("float32"))
    assert float(loss) == pytest.approx(np.average(costs, weights=counts), rel=1e-5)
    assert np.asarray(tags_right(marks.astype("int32"), logits.astype("float32"))).mean() == pytest.approx(
        np.mean(right)
    )


def test_characters_are_filtered_by_numpy():
    load_keras(seed=0)
    from dlspec.layers.spelling import Spelling

    layer = Spelling(9, filters=4, size=3, window=3)
    characters = np.random.default_rng(0).integers(1, 9, (2, 3, 5)).astype("int32")
    characters[0, 1, 2:] = 0
    characters[1, 2] = 0
    found = np.asarray(layer(characters))
    table, kernel, bias = (np.asarray(one) for one in layer.weights)
    for row in range(2):
        for word in range(3):
            seen = [table[one] if one else np.zeros(3) for one in characters[row, word]]
            around = [np.zeros(3), *seen, np.zeros(3)]
            answers = [
                sum(around[i + k] @ kernel[k] for k in range(3)) + bias for i in range(5) if characters[row, word, i]
            ]
            expected = np.max(answers, axis=0) if answers else np.zeros(4)
            np.testing.assert_allclose(found[row, word], expected, atol=1e-6)


@pytest.mark.parametrize("name", ["bag_of_embeddings", "rnn", "tagger_rnn", "text_cnn", "transformer_encoder"])
def test_every_network_over_words_sees_their_characters_or_says_that_it_does_not(name):
    load_keras(seed=0)
    entry = Text(minimum_count=1, characters=4)
    data, state = prepared(entry)
    batch = entry.finish(entry.encode(data, state["input"]), state["input"])
    batch = {one: batch[one] for one in state["shapes"]}
    network = find("models", name)().build(state["shapes"], 3)
    other = {**batch, "characters": np.where(batch["characters"] > 1, 2, batch["characters"])}
    assert not np.allclose(np.asarray(network(batch)), np.asarray(network(other)))
    with pytest.raises(RecipeError, match="does not see how words are spelled"):
        find("models", "transformer_decoder")().build(state["shapes"], 3)


def test_a_network_with_characters_is_the_same_alone_and_together():
    load_keras(seed=0)
    entry = Text(minimum_count=1, characters=4)
    data, state = prepared(entry)
    network = TaggerRNN(units=5, bidirectional=True).build(state["shapes"], 3)

    def said(some):
        batch = entry.finish(entry.encode(some, state["input"]), state["input"])
        return np.asarray(network({name: batch[name] for name in state["shapes"]}))

    together = said(data)
    for row in range(len(data)):
        [alone] = said(data.take([row]))
        np.testing.assert_allclose(alone, together[row, : len(alone)], atol=1e-5)
    assert network.count_params() == sum(
        (
            len(state["input"]["vocabulary"]) * 100,  # words
            (len(state["input"]["alphabet"]) + 2) * 30 + 3 * 30 * 30 + 30,  # characters
            2 * 4 * 5 * (130 + 5 + 1),  # LSTM, both ways
            10 * 3 + 3,
        )
    )


def test_shuffled_tags_are_as_many_as_there_are_words():
    """Those of another sentence would be too many or too few, and `check --run` would call sound data wrong."""
    data, state = prepared(Text(minimum_count=1))
    part = data.take([0, 2])
    shuffled = Tagging().shuffled(part, 1)
    assert [len(one) for one in shuffled.column("y")] == [3, 1] and shuffled.ids == ["s0", "s2"]
    of_all = [sorted(tag for tags in one.column("y") for tag in tags) for one in (part, shuffled)]
    assert of_all[0] == of_all[1]
    orders = {tuple(tag for tags in Tagging().shuffled(part, seed).column("y") for tag in tags) for seed in range(9)}
    assert len(orders) > 2
    Tagging().target(shuffled, Text(minimum_count=1).encode(shuffled, state["input"]), state)
