"""Entities of tagged sentences by hand, and written back."""

import itertools

import numpy as np
import pytest

from dlspec.numeric.chunks import PLAIN, SCHEMES, Chunk, broken, chunks, scheme_of, written


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O O", []),
        ("B-a I-a O B-b", [(0, 2, "a"), (3, 4, "b")]),
        ("I-a I-a B-a", [(0, 2, "a"), (2, 3, "a")]),  # broken in BIO, and right in IOB1
        ("B-a I-b I-b", [(0, 1, "a"), (1, 3, "b")]),
        ("O I-a I-b O", [(1, 2, "a"), (2, 3, "b")]),
        ("B-a E-a S-b S-b", [(0, 2, "a"), (2, 3, "b"), (3, 4, "b")]),
        ("E-a I-a", [(0, 1, "a"), (1, 2, "a")]),
        ("B-creative-work I-creative-work", [(0, 2, "creative-work")]),
        ("B I O I", [(0, 2, ""), (3, 4, "")]),
        ("", []),
    ],
)
def test_by_hand(tags, expected):
    assert chunks(tags.split(), "bio") == [Chunk(*one) for one in expected]


def test_tags_without_letters_are_words_of_their_own():
    assert chunks(["DET", "NOUN", "NOUN"], PLAIN) == [(0, 1, "DET"), (1, 2, "NOUN"), (2, 3, "NOUN")]
    assert written([Chunk(1, 2, "NOUN"), Chunk(0, 1, "DET")], 2, PLAIN) == ["DET", "NOUN"]


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("bio", "B-a I-a B-a O B-b"),
        ("iob1", "I-a I-a B-a O I-b"),
        ("bioes", "B-a E-a S-a O S-b"),
        ("bilou", "B-a L-a U-a O U-b"),
    ],
)
def test_schemes_by_hand(scheme, tags):
    entities = [Chunk(0, 2, "a"), Chunk(2, 3, "a"), Chunk(4, 5, "b")]
    assert written(entities, 5, scheme) == tags.split() and chunks(tags.split(), scheme) == entities
    assert broken(tags.split(), scheme) == [] and scheme_of([tags.split()] * 2) == scheme


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_written_is_read_again(scheme):
    random = np.random.default_rng(0)
    for _ in range(200):
        cuts = np.unique(random.integers(0, 12, 6)).tolist()
        spans = [(a, b) for a, b in itertools.pairwise(cuts) if random.random() < 0.7]
        if scheme == PLAIN:
            spans = [(i, i + 1) for i in range(12)]
        entities = [Chunk(a, b, "xy"[random.integers(2)]) for a, b in spans]
        tags = written(entities, 12, scheme)
        assert chunks(tags, scheme) == entities and not broken(tags, scheme)


def test_broken_ones_are_counted():
    assert broken(["O", "I-a", "B-b", "I-b", "I-a"], "bio") == [(1, 2, "a"), (4, 5, "a")]
    assert broken(["B-a", "I-a", "O", "S-b"], "bioes") == [(0, 2, "a")]
    assert scheme_of([["O", "I-a"], ["B-a"], ["B-a"]]) == "bio" and scheme_of([["NOUN", "O"]]) == PLAIN
    assert scheme_of([["O"]]) == "bio"
