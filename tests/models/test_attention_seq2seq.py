"""The recurrent encoder-decoder: weights by hand, its decoder from the equations, decoding against teacher forcing."""

import keras
import numpy as np
import pytest
from keras import ops

from dlspec.decode.beam import BEGIN, END, Search, by_slot, search
from dlspec.layers.attentive_decoder import AttentiveDecoder
from dlspec.models.translation.attention_seq2seq import AttentionSeq2Seq
from dlspec.remedies import Situation
from dlspec.types import RecipeError

V, SOURCE = 30, 25
SMALL = {"units": 8, "embedding": 6}
KINDS = [
    {"attention": "general"},
    {"cell": "gru", "attention": "additive", "layers": 2},
    {"cell": "simple", "attention": "dot", "bidirectional": False},
    {"cell": "gru", "input_feeding": False, "layers": 2},
    {"attention": "additive", "layers": 3, "bidirectional": False, "units": 7},
]


def built(seed=1, **settings):
    keras.utils.set_random_seed(seed)
    model = AttentionSeq2Seq(**{**SMALL, **settings})
    shapes = {
        name: {"shape": [None], "dtype": "int32", "vocabulary": size}
        for name, size in (("tokens", SOURCE), ("target", V))
    }
    network = model.build(shapes, V)
    random = np.random.default_rng(seed)
    for weight in network.weights:  # larger than they start, and biases too, so that none is overlooked
        if "seed" not in weight.name:
            weight.assign(weight + 0.4 * random.normal(size=weight.shape))
    return model, network


def sentences(count=5, longest=9, seed=0, size=SOURCE):
    """Right-padded, at least one token each; the first is the longest."""
    random = np.random.default_rng(seed)
    tokens = random.integers(4, size, (count, longest)).astype("int32")
    lengths = np.array([longest, *random.integers(1, longest + 1, count - 1)])
    return np.where(np.arange(longest) < lengths[:, None], tokens, 0).astype("int32")


def said(count=5, longest=6, seed=9):
    target = sentences(count, longest, seed, V)
    target[:, 0] = BEGIN
    return target


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


def test_weights_by_hand():
    """Vocabularies of 25 and 30, vectors of 6, 8 units: cells see (x; h) and a bias."""
    tables, logits, joining = 25 * 6 + 30 * 6, 30 * 8 + 30, 16 * 8
    both = 2 * 4 * 4 * (6 + 4 + 1)
    decoder = 4 * 8 * (6 + 8 + 8 + 1)  # x, what is fed, h, the bias
    assert built(attention="general")[1].count_params() == tables + logits + joining + both + decoder + 8 * 8
    assert built(attention="dot")[1].count_params() == tables + logits + joining + both + decoder
    additive = 8 * 8 + 8 * 8 + 8
    assert built()[1].count_params() == tables + logits + joining + both + decoder + additive
    plain = {"cell": "simple", "attention": "dot", "input_feeding": False, "bidirectional": False, "layers": 2}
    stack = 8 * (6 + 8 + 1) + 8 * (8 + 8 + 1)
    assert built(**plain)[1].count_params() == tables + logits + joining + 2 * stack


def softmax(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def by_equations(decoder, x, memory, states, attention):
    """Luong et al., equations 5, 7 and 8 with input feeding, of one example and one layer of LSTM, float64."""
    weights = {w.path.split("/", 1)[-1]: numbers(w).astype("float64") for w in decoder.weights}
    kernel, recurrent = weights["lstm_1/kernel"], weights["lstm_1/recurrent_kernel"]
    h, c = states
    found, seen, fed = [], [], np.zeros(h.shape)
    for now in x:
        sums = now @ kernel + fed @ by_gates(weights["fed_kernel"]) + h @ recurrent + weights["lstm_1/bias"]
        i, f, g, o = np.split(sums, 4)
        i, f, o = (1 / (1 + np.exp(-one)) for one in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        scores = np.array([score(weights, attention, h, m) for m in memory])
        share = softmax(scores)
        fed = np.tanh(np.concatenate([share @ memory, h]) @ weights["joining/kernel"])
        found.append(fed)
        seen.append(share)
    return np.array(found), np.array(seen)


def score(weights, attention, h, m):
    """Luong et al., equation 8: dot and general; Bahdanau et al., appendix A.1.2: additive."""
    if attention == "dot":
        return h @ m
    if attention == "general":
        return m @ weights["attention/between"] @ h
    between = np.tanh(h @ weights["attention/of_query"] + m @ weights["attention/of_memory"])
    return weights["attention/judging"][:, 0] @ between


def by_gates(kernel):
    """What is fed enters the sums as they lie inside the LSTM, gates in the order i, f, o, g: here i, f, g, o."""
    i, f, o, g = np.split(kernel, 4, axis=1)
    return np.concatenate([i, f, g, o], axis=1)


@pytest.mark.parametrize("attention", ["additive", "general", "dot"])
def test_the_decoder_by_the_equations(attention):
    random = np.random.default_rng(3)
    decoder = AttentiveDecoder(5, cell="lstm", attention=attention)
    x, memory, h, c = (random.normal(size=shape).astype("float32") for shape in ((2, 7, 4), (2, 6, 5), (2, 5), (2, 5)))
    lengths = np.array([6, 4])
    allowed = np.arange(6) < lengths[:, None]
    found = numbers(decoder(x, memory, [h, c], allowed))
    states = decoder.first_states([h, c], 1)
    added = -1e9 * ~allowed[:, None]
    for b in range(2):
        expected, weights = by_equations(decoder, x[b], memory[b, : lengths[b]], (h[b], c[b]), attention)
        np.testing.assert_allclose(found[b], expected, atol=1e-5)
    for t in range(7):
        one, states, seen = decoder.step(x[:, t : t + 1], states, memory, decoder.looking.keys(memory), added)
        np.testing.assert_allclose(numbers(one)[:, 0], found[:, t], atol=1e-5)
    np.testing.assert_allclose(numbers(seen)[1, 0, :4], weights[-1], atol=1e-5)
    assert not numbers(seen)[1, 0, 4:].any()


@pytest.mark.parametrize("backend", ["tensorflow", "any other"])
def test_gradients_are_those_of_steps_written_one_after_the_other(monkeypatch, backend):
    """Both loops: several steps a turn on TensorFlow, and that which any backend takes."""
    import tensorflow as tf

    random = np.random.default_rng(4)
    decoder = AttentiveDecoder(5, cell="gru", attention="additive")
    x, memory = (tf.constant(random.normal(size=shape).astype("float32")) for shape in ((3, 5, 4), (3, 5, 5)))
    starts = [tf.constant(random.normal(size=(3, 5)).astype("float32")) for _ in range(1)]
    allowed, wanted = np.arange(5) < np.array([5, 2, 4])[:, None], random.normal(size=(3, 5, 5)).astype("float32")
    monkeypatch.setattr("dlspec.layers.attentive_decoder.keras.backend.backend", lambda: backend)
    decoder(x, memory, starts, allowed)
    given = [x, memory, *starts, *(w.value for w in decoder.weights)]

    @tf.function
    def whole(x, memory, *starts):
        return decoder(x, memory, list(starts), allowed)

    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, memory, *starts])
        first = tf.reduce_sum(whole(x, memory, *starts) * wanted)
        states, keys, second = decoder.first_states(starts, 1), decoder.looking.keys(memory), 0.0
        for t in range(5):
            h, states, _ = decoder.step(x[:, t : t + 1], states, memory, keys, -1e9 * ~allowed[:, None])
            second += tf.reduce_sum(h[:, 0] * wanted[:, t])
    for mine, theirs in zip(tape.gradient(first, given), tape.gradient(second, given), strict=True):
        np.testing.assert_allclose(numbers(mine), numbers(theirs), rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("settings", KINDS)
def test_decoding_step_by_step_is_teacher_forcing(settings):
    model, network = built(seed=2, **settings)
    source, target = sentences(), said()
    logits = numbers(network({"tokens": source, "target": target}))
    course = model.course(network, {"tokens": source}, 2, 6)
    cache = course.cache
    for t in range(6):
        found, cache, seen = course.step(np.repeat(target[:, t, None], 2, axis=1), t, cache, None)
        for slot in range(2):
            np.testing.assert_allclose(numbers(found)[:, slot], logits[:, t], atol=1e-5)
        assert numbers(seen).shape == (5, 2, 9)
        np.testing.assert_allclose(numbers(seen).sum(axis=2), 1, atol=1e-5)
        assert not (numbers(seen) * (source == 0)[:, None]).any()


@pytest.mark.parametrize("settings", KINDS)
def test_padding_and_what_is_said_later_change_nothing(settings):
    _, network = built(**settings)
    source, target = sentences(seed=1), said()
    logits = numbers(network({"tokens": source, "target": target}))
    assert logits.shape == (5, 6, V)
    longer = np.pad(source, ((0, 0), (0, 4)))
    np.testing.assert_allclose(numbers(network({"tokens": longer, "target": target})), logits, atol=1e-5)
    np.testing.assert_allclose(numbers(network({"tokens": source, "target": target[:, :3]})), logits[:, :3], atol=1e-5)
    for i, row in enumerate(source):
        alone = network({"tokens": row[None, row != 0], "target": target[i : i + 1]})
        np.testing.assert_allclose(numbers(alone)[0], logits[i], atol=1e-5)


def test_what_was_looked_at_is_known_with_input_feeding_alone():
    """Both cells are told the same; only one of them hears of the memory."""
    random = np.random.default_rng(5)
    x, memory, start = (random.normal(size=shape).astype("float32") for shape in ((1, 3, 4), (1, 5, 8), (1, 8)))
    for feeding in (True, False):
        decoder = AttentiveDecoder(8, cell="gru", feeding=feeding)
        decoder(x, memory, [start], np.ones((1, 5), bool))
        after = []
        for other in (memory, -memory):
            states = decoder.first_states([start], 1)
            for t in range(3):
                _, states, _ = decoder.step(x[:, t : t + 1], states, other, decoder.looking.keys(other), 0.0)
            after.append(numbers(states[1]))
        assert np.allclose(*after) is not feeding


def greedy(network, row, limit):
    """The whole network again and again, the greatest logit each time: (tokens, log-probability)."""
    target, total = [BEGIN], 0.0
    while True:
        logits = numbers(network({"tokens": row[None], "target": np.array([target], "int32")}))[0, -1]
        chances = logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())
        allowed = chances.copy()
        allowed[[0, BEGIN]] = -np.inf
        token = END if len(target) == limit else int(allowed.argmax())
        target.append(token)
        total += chances[token]
        if token == END:
            return target[1:], total


@pytest.mark.parametrize("settings", KINDS[:2])
def test_a_beam_of_one_is_greedy_and_of_more_finds_no_worse(settings):
    model, network = built(seed=3, **settings)
    source, limits, kept = sentences(seed=4), np.full(5, 5, "int32"), []
    for width in (1, 4):
        how = Search(width=width, length_penalty=0.0)
        course = model.course(network, {"tokens": source}, width, 5)
        kept.append(search(course.step, course.cache, limits, 5, how, moved=course.moved or by_slot))
    for i, row in enumerate(source):
        tokens, total = greedy(network, row[row != 0], 5)
        found = numbers(kept[0].tokens)[i, 0]
        assert found[found != 0].tolist() == tokens
        assert numbers(kept[0].log_probabilities)[i, 0] == pytest.approx(total, abs=1e-4)
    assert (numbers(kept[1].scores)[:, 0] >= numbers(kept[0].scores)[:, 0] - 1e-4).mean() >= 0.8
    said = numbers(kept[1].tokens)[:, 0]
    target = np.concatenate([np.full((5, 1), BEGIN), said[:, :-1]], axis=1)
    chances = numbers(ops.log_softmax(network({"tokens": source, "target": target})))
    forced = np.take_along_axis(chances, said[..., None], axis=2)[..., 0] * (said != 0)
    np.testing.assert_allclose(numbers(kept[1].log_probabilities)[:, 0], forced.sum(axis=1), atol=1e-4)


def test_a_batch_is_decoded_as_one_by_one_within_a_graph():
    import tensorflow as tf

    model, network = built(seed=7)
    source = sentences(seed=8)

    @tf.function(input_signature=[tf.TensorSpec((None, None), "int32")])
    def decoded(tokens):
        course = model.course(network, {"tokens": tokens}, 3, 6)
        limits = ops.full((ops.shape(tokens)[0],), 6, "int32")
        return search(course.step, course.cache, limits, 6, Search(width=3, best=2, coverage=0.1), places=course.places)

    whole = decoded(source)
    for i, row in enumerate(source):
        one = decoded(row[None, row != 0])
        np.testing.assert_array_equal(numbers(one.tokens)[0], numbers(whole.tokens)[i])
        np.testing.assert_allclose(numbers(one.scores)[0], numbers(whole.scores)[i], atol=1e-5)


def test_half_of_an_odd_number_is_told():
    with pytest.raises(RecipeError, match="take 8"):
        built(units=7)


@pytest.mark.parametrize("feeding", [True, False])
def test_it_is_saved_and_opened(tmp_path, feeding):
    import dlspec.layers

    assert dlspec.layers
    model, network = built(layers=2, dropout=0.3, input_feeding=feeding)
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    batch = {"tokens": sentences(), "target": said()}
    np.testing.assert_array_equal(numbers(network(batch)), numbers(again(batch)))
    assert not np.allclose(numbers(network(batch, training=True)), numbers(network(batch)))
    course = model.course(again, {"tokens": batch["tokens"]}, 1, 6)
    first, *_ = course.step(batch["target"][:, :1], 0, course.cache, None)
    np.testing.assert_allclose(numbers(first)[:, 0], numbers(network(batch))[:, 0], atol=1e-5)


def test_scores_by_a_product_that_do_not_fit_train_are_to_become_additive():
    def changes(**settings):
        return [
            one.changes
            for one in AttentionSeq2Seq(**settings).remedies(Situation("avoidable bias", train=2_000, dev=400))
        ]

    for scores in ("general", "dot"):
        assert {"attention": "additive"} in changes(attention=scores)
    assert not any("attention" in one for one in changes()), "it is so by itself"
