"""Texts as a language model reads them: bits by hand, kinds of tokens, and what mending a kind is worth."""

import json

import numpy as np
import pytest

from dlspec.evaluators.token_kinds import BANDS, KINDS, bands_of, kinds_of
from dlspec.evaluators.tokens import ANOTHER, Read, Tokens
from dlspec.types import DataError, Examples

TEXTS = ["the cat sat", "on 2 mats"]


def read(text, bits, wrong=()):
    said = tuple("#" if place in wrong else one for place, one in enumerate(text))
    return Read(tuple(text), np.array(bits, np.float64), said)


READS = [read(TEXTS[0], [3, 1, 1, 0, 2, 1, 1, 0, 4, 1, 2], wrong=(0, 8)), read(TEXTS[1], [2] * 9, wrong=(3, 8))]
EXAMPLES = Examples(["a", "b"], TEXTS, TEXTS)


def test_figures_by_hand():
    evaluator = Tokens()
    statistics = evaluator.statistics(EXAMPLES, READS, {})
    scores = evaluator.combine(statistics)
    assert scores["bits_per_character"] == scores["bits_per_token"] == pytest.approx(34 / 20)
    assert scores["perplexity"] == pytest.approx(2 ** (34 / 20)) and scores["token_accuracy"] == pytest.approx(16 / 20)
    assert evaluator.combine(statistics, np.array([1, 0]))["bits_per_character"] == pytest.approx(16 / 11)
    words = [Read(("the", "cat", "sat"), np.array([1.0, 5, 3]), ("the", "dog", "sat"))]
    of_words = evaluator.combine(evaluator.statistics(EXAMPLES.take([0]), words, {"glue": " "}))
    assert of_words["bits_per_character"] == pytest.approx(9 / 11) and of_words["perplexity"] == pytest.approx(8)
    certain = [Read(("x",), np.array([np.inf]), ("y",))]
    assert evaluator.combine(evaluator.statistics(EXAMPLES.take([0]), certain, {}))["perplexity"] == np.inf


def test_kinds_of_characters_and_words():
    text = "12345678ab, 3c\nq⁇"
    assert [KINDS[code] for code in kinds_of(tuple(text), frozenset("abc, \n3⁇"))[8:]] == [
        "first letter of a word",
        "letter inside a word",
        "sign",
        "blank or line end",
        "digits",
        "first letter of a word",
        "blank or line end",
        "rare letter",
        "unknown",
    ]
    pieces = ("-",) * 8 + (" the", "zebra", "1905", "…", "I", " x")
    assert [KINDS[code] for code in kinds_of(pieces, frozenset([" the", "I"]))[8:]] == [
        "word or piece",
        "rare word or piece",
        "digits",
        "sign",
        "first letter of a word",
        "rare word or piece",
    ]
    assert len(kinds_of((), frozenset())) == 0
    assert [KINDS[code] for code in kinds_of(("z",) * 9, frozenset())][8] == "letter inside a word"


def test_bands_of_places():
    assert [BANDS[one] for one in bands_of(300)[[0, 1, 2, 3, 4, 8, 15, 16, 255, 256, 299]]] == [
        1, 2, 3, 3, 5, 9, 9, 17, 129, 257, 257,
    ]  # fmt: skip


def test_what_surprised_is_an_error_of_its_kind_and_can_be_mended():
    evaluator = Tokens()
    begin, letter = KINDS[0], "first letter of a word"
    errors = evaluator.errors(EXAMPLES[0], READS[0], {})
    assert [(one.kind, one.size) for one in errors] == [(begin, 3.0), (letter, 4.0)]
    assert errors[1].truth == "…the cat [s]" and errors[1].guess == "…the cat [#]"
    mended = evaluator.mend(EXAMPLES[0], READS[0], letter, {})
    assert mended.bits.sum() == 12 and [one.kind for one in evaluator.errors(EXAMPLES[0], mended, {})] == [begin]
    both = [evaluator.mend(example, one, begin, {}) for example, one in zip(EXAMPLES, READS, strict=True)]
    scores = evaluator.combine(evaluator.statistics(EXAMPLES, both, {}))
    assert scores["bits_per_character"] == pytest.approx((34 - 3 - 2) / 20)


def test_another_text_is_no_perfect_one_and_case_does_not_make_it_another():
    evaluator = Tokens()
    [error] = evaluator.errors(EXAMPLES[0], evaluator.perfect(EXAMPLES[1], {}), {})
    assert error.kind == ANOTHER
    assert evaluator.mend(EXAMPLES[0], evaluator.perfect(EXAMPLES[1], {}), ANOTHER, {}).pieces == (TEXTS[0],)
    lower = Examples(["a"], ["The CAT sat!"], ["The CAT sat!"])
    assert evaluator.errors(lower[0], read("the cat sat!", [0] * 12), {}) == []


def test_figures_say_where_the_bits_are():
    evaluator = Tokens()
    line, bars = evaluator.figures(evaluator.statistics(EXAMPLES, READS, {}), {})
    assert line.data["series"][0]["x"] == [1, 2, 3, 5, 9]
    assert line.data["series"][0]["y"] == pytest.approx([2.5, 1.5, (1 + 0 + 2 + 2) / 4, (2 + 1 + 1 + 0 + 8) / 8, 9 / 4])
    assert bars.data["names"][0] == KINDS[0] and sum(bars.data["values"]) == pytest.approx(100)
    assert evaluator.figures(evaluator.statistics(EXAMPLES.take([]), [], {}), {}) == []


def test_a_table_of_any_tool_is_read_and_a_broken_one_is_named():
    evaluator = Tokens()
    columns = {"truth": TEXTS, "pieces": [json.dumps([["the cat sat", 9.5, "?"]]), "[]"]}
    assert evaluator.recognize(columns) == {}
    first, second = evaluator.from_columns(columns, {})
    assert first.bits.tolist() == [9.5] and first.said == ("?",) and second.pieces == ()
    assert evaluator.recognize({"truth": TEXTS}) is None
    for broken in ("the cat", "[[1]]", None):
        with pytest.raises(DataError, match="pieces: "):
            evaluator.from_columns({"pieces": [broken]}, {})
    [said] = evaluator.said(READS[:1], {})
    assert said["bits"] == 16 and said["tokens"] == 11 and said["pieces"][0] == ["t", 3.0, "#"]
