"""Texts that are cut into words already: every word keeps its place, whatever it becomes; and how words are spelled."""

import numpy as np
import pytest
from pydantic import ValidationError

from dlspec.inputs.text import Text
from dlspec.inputs.tokenizing import SPECIALS
from dlspec.types import DataError, Examples

SENTENCE = ("It's", "a.b", "New York", "\u200b", "", "\u00a8", "naïve")
"""a sign within, a blank within, what is invisible, nothing, what the normal form gives a blank"""


def of(*texts):
    return Examples([f"e{i}" for i in range(len(texts))], list(texts))


def test_words_stay_whole():
    entry = Text(minimum_count=1)
    state = entry.prepare(of(("It's", "a.b", "It's"), ("x",)))
    assert state["given"] and state["vocabulary"] == [*SPECIALS, "It's", "a.b", "x"]
    found = entry.encode(of(("x", "It's", "y"), "a.b x"), state)
    assert [one.tolist() for one in found["tokens"]] == [[6, 4, 1], [5, 6]]  # a string is cut at blanks then
    assert [one.tolist() for one in found["firsts"]] == [[0, 1, 2], [0, 1]]
    assert entry.show(of(("x", "y"))[0]).content == "x y"


@pytest.mark.parametrize("tokenizer", ["word", "character", "byte_pair", "unigram"])
def test_every_word_has_a_first_piece_that_is_its_own(tokenizer):
    entry = Text(tokenizer=tokenizer, minimum_count=1)
    state = entry.prepare(of(("It's", "a.b", "New York", "naïve"), ("banana", "bandana", "band")))
    found = entry.encode(of(SENTENCE, (), ("band",)), state)
    for words, tokens, firsts in zip((SENTENCE, (), ("band",)), found["tokens"], found["firsts"], strict=True):
        assert firsts.dtype == np.int32 and len(firsts) == len(words) and (np.diff(firsts) > 0).all()
        ends = [*firsts.tolist(), len(tokens)][1:]
        for word, start, end in zip(words, firsts.tolist(), ends, strict=True):
            alone = entry.encode(of((word,)), state)["tokens"][0]
            assert tokens[start:end].tolist() == alone.tolist() and len(alone)
    if tokenizer == "character":
        assert found["firsts"][0].tolist()[:3] == [0, 4, 7]


@pytest.mark.parametrize(("keep", "tokens", "firsts"), [("start", [4, 5], [0, 1, -1]), ("end", [5, 6], [-1, 0, 1])])
def test_words_that_are_cut_off_are_nowhere(keep, tokens, firsts):
    entry = Text(minimum_count=1, maximum_length=2, keep=keep, characters=3)
    state = entry.prepare(of(("a", "b", "cc"), ("aa", "bb", "cc")))
    found = entry.encode(of(("aa", "bb", "cc")), state)
    place = {"start": ["aa", "bb"], "end": ["bb", "cc"]}[keep]
    assert len(found["tokens"][0]) == 2 and found["firsts"][0].tolist() == firsts
    spelled = [[state["alphabet"].index(one) + 2 for one in word] + [0] for word in place]
    assert found["characters"][0].tolist() == spelled


def test_characters_by_hand():
    entry = Text(minimum_count=1, lowercase=True, characters=4)
    state = entry.prepare(of(("Bob", "bbo"), ("obo",)))
    assert state["alphabet"] == ["b", "o"] and state["shapes"]["characters"] == {
        "shape": [None, 4],
        "dtype": "int32",
        "vocabulary": 4,
    }
    batch = entry.encode(of(("Bob", "bobbo"), ("o",)), state)
    assert batch["characters"][0].tolist() == [[1, 3, 2, 0], [2, 3, 2, 3]]  # bo…bo
    finished = entry.finish(batch, state)
    assert finished["characters"].shape == (2, 2, 4) and finished["characters"][1].tolist() == [[3, 0, 0, 0], [0] * 4]


def test_characters_need_words():
    with pytest.raises(DataError, match=r"needs texts that are cut into words \(data: conll, or input.words: blanks\)"):
        Text(characters=5).prepare(of("a b", "a c"))
    assert Text(characters=5, words="blanks").prepare(of("a b", "a c"))["alphabet"] == ["a"]


def test_words_of_vectors_are_pieces(tmp_path):
    (tmp_path / "v.txt").write_text("4 2\nthe 1 2\nAnn 0 1\nnever 2 2\n, 1 1\n")
    entry = Text(minimum_count=2, lowercase=True, words_from=str(tmp_path / "v.txt"))
    state = entry.prepare(of(("the", "the", "Ann", "odd"), ("sky",)))
    assert state["vocabulary"] == [*SPECIALS, "the", "ann", "never", ","]
    assert state["counts"] == [0, 2, 0, 0, 2, 1, 0, 0]
    assert "2 of the vocabulary are words of" in " ".join(state["notes"])
    some = of(("never", "the", "sky", "ann"))
    assert entry.encode(some, state)["tokens"][0].tolist() == [6, 4, 1, 5]
    facts = entry.facts(some, state)
    assert facts["share of words that train has not"].tolist() == [0.5]
    assert facts["share of unknown words"].tolist() == [0.25]
    with pytest.raises(ValidationError, match="tokenizer: word alone"):
        Text(tokenizer="unigram", words_from=str(tmp_path / "v.txt"))
    with pytest.raises(DataError, match="expected vectors as text"):
        Text(words_from=str(tmp_path)).prepare(of("a a"))


def test_what_is_no_text_is_refused():
    entry = Text(minimum_count=1)
    state = entry.prepare(of(("a", "b")))
    with pytest.raises(DataError, match="example 'e0' is tuple, expected a text"):
        entry.encode(of(("a", 3)), state)
    with pytest.raises(DataError, match="text 1 is int, expected a string or a list of words"):
        entry.outside([["a"], 3], state)
    assert entry.outside([["a", "b"], "a b"], state).column("x") == [["a", "b"], "a b"]
    assert entry.remarks(of((), ("a",)), state) == ["1 of 2 texts is empty: what is said of it is a guess"]
    assert len(entry.likeness(of(("a",)), state)(of(("a", "b")), {})) == 1
