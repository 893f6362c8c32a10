"""Texts: hand-worked pieces, what is unknown, what is cut, what is replaced; and what a person is told."""

import numpy as np
import pytest

from dlspec.inputs.text import Text
from dlspec.inputs.tokenizing import SPECIALS, decoded
from dlspec.types import DataError, Examples


def of(*texts):
    return Examples([f"e{i}" for i in range(len(texts))], list(texts))


def state_of(entry, *texts):
    return entry.prepare(of(*texts))


def test_words_by_hand():
    entry = Text(minimum_count=1, lowercase=True)
    state = state_of(entry, "a a a b b c", "It's bad.")
    assert state["vocabulary"] == [*SPECIALS, "a", "b", ".", "bad", "c", "it's"]
    assert state["counts"] == [0, 0, 0, 0, 3, 2, 1, 1, 1, 1] and state["unknown"] == 0
    [first, second, third] = entry.encode(of("b A ｃ", "d? it's", ""), state)["tokens"]
    assert first.tolist() == [5, 4, 8] and first.dtype == np.int32  # NFKC: a wide c is a c
    assert second.tolist() == [1, 1, 9] and third.tolist() == []


def test_rare_words_are_unknown_in_train_too():
    state = state_of(Text(), "a a b", "a c")
    assert state["vocabulary"] == [*SPECIALS, "a"] and state["unknown"] == pytest.approx(2 / 5)


def test_batches_are_padded_with_zero_to_their_longest():
    entry = Text(minimum_count=1)
    state = state_of(entry, "a b c")
    batch = entry.encode(of("c", "a b", ""), state)
    assert entry.finish(batch, state)["tokens"].tolist() == [[6, 0], [4, 5], [0, 0]]
    assert entry.lengths(batch).tolist() == [1, 2, 0]
    assert entry.finish(entry.encode(of("", ""), state), state)["tokens"].tolist() == [[0], [0]]


@pytest.mark.parametrize(("keep", "left"), [("start", [4, 5]), ("end", [5, 6])])
def test_long_texts_are_cut_at_one_end_and_counted(keep, left):
    entry = Text(minimum_count=1, maximum_length=2, keep=keep)
    state = state_of(entry, "a b c", "a")
    assert "1 of 2 texts of train are longer than 2 words" in state["notes"][1]
    assert entry.encode(of("a b c"), state)["tokens"][0].tolist() == left
    assert entry.remarks(of("a b c", "a"), state) == [f"1 of 2 are longer than 2 pieces, of which the {keep} is seen"]


@pytest.mark.parametrize("tokenizer", ["word", "character", "byte_pair", "unigram"])
def test_specials_are_no_words_of_a_text(tokenizer):
    entry = Text(tokenizer=tokenizer, minimum_count=1)
    state = state_of(entry, f"some text {SPECIALS[2]} here", "more text here")
    assert state["vocabulary"][:4] == list(SPECIALS)
    for row in entry.encode(of(*SPECIALS), state)["tokens"]:
        assert len(row) and not np.isin(row, (0, 2, 3)).any()


@pytest.mark.parametrize("tokenizer", ["character", "byte_pair", "unigram"])
def test_pieces_are_joined_to_the_text_again(tokenizer):
    entry = Text(tokenizer=tokenizer, minimum_count=1)
    state = state_of(entry, "the cat sat on the mat", "a cat ate the rat")
    [row] = entry.encode(of("the rat ate a mat"), state)["tokens"]
    assert decoded(row.tolist(), state) == "the rat ate a mat"


def test_bytes_leave_nothing_out_and_half_characters_are_replaced():
    entry = Text(tokenizer="byte_pair")
    state = state_of(entry, "some text", "more text")
    rows = entry.encode(of("привет 😀", "\ud800x"), state)["tokens"]
    assert [decoded(row.tolist(), state) for row in rows] == ["привет 😀", "�x"]


@pytest.mark.parametrize("tokenizer", ["word", "character", "byte_pair", "unigram"])
def test_another_script_is_told(tokenizer):
    entry = Text(tokenizer=tokenizer, minimum_count=1)
    state = state_of(entry, *["the cat sat on the mat"] * 5)
    assert entry.remarks(of("the cat sat", "on the mat"), state) == []
    said = " ".join(entry.remarks(of("Это ужасный фильм", ""), state))
    assert "none that train had" in said and "1 of 2 texts is empty" in said


def test_the_same_training_gives_the_same_pieces():
    texts = [f"word{i % 7} and word{i % 5} of {i % 3}" for i in range(60)]
    for tokenizer in ("word", "byte_pair", "unigram"):
        entry = Text(tokenizer=tokenizer, vocabulary=300)
        assert state_of(entry, *texts) == state_of(entry, *texts)


def test_words_are_made_unknown_by_the_seed_alone():
    entry = Text(minimum_count=1, augment={"unknown": 0.3})
    state = state_of(entry, "a b c d e f g h")
    batch = entry.encode(of(*["a b c d e f g h" * 50, "a b", ""]), state)
    seeds = np.array([5, 6, 7], np.uint64)
    one = entry.augmented(batch, seeds, {"input": state, "task": {}})["tokens"]
    other = entry.augmented({"tokens": batch["tokens"][::-1]}, seeds[::-1], {"input": state, "task": {}})["tokens"]
    assert all(np.array_equal(a, b) for a, b in zip(one, other[::-1], strict=True))
    assert np.mean(one[0] == 1) - np.mean(batch["tokens"][0] == 1) == pytest.approx(0.3, abs=0.08)
    assert [len(row) for row in one] == [len(row) for row in batch["tokens"]]


def test_facts_by_hand():
    entry = Text(minimum_count=1)
    state = state_of(entry, "a a a a b", "a")
    facts = entry.facts(of("a b x x", ""), state)
    assert facts["length"].tolist() == [4, 0]
    assert facts["share of unknown words"].tolist()[0] == 0.5 and np.isnan(facts["share of unknown words"][1])
    assert facts["share of rare words"].tolist()[0] == 0.75  # b once, x never


def test_what_is_no_text_is_refused():
    with pytest.raises(DataError, match="'e0' is float"):
        Text().prepare(of(1.5))
    with pytest.raises(DataError, match="all texts of train are empty"):
        Text().prepare(of("", " "))
    entry = Text(minimum_count=1)
    with pytest.raises(DataError, match="text 1 is int"):
        entry.outside(["a", 2], state_of(entry, "a"))


def test_likeness_tells_copies_from_other_texts():
    entry = Text(minimum_count=1)
    texts = of("A fine film!", "a fine film", "a fine book", "a fine", " ".join(map(str, range(100))))
    near = entry.likeness(texts, {})(texts, {})
    distance = np.linalg.norm(near[:, None] - near, axis=2)
    assert distance[0, 1] < 1e-5 and distance[0, 2] > 1 and distance[0, 3] > 1
    changed = of(" ".join(map(str, [*range(99), 1000])))
    assert np.linalg.norm(entry.likeness(texts, {})(changed, {})[0] - near[4]) < 1
