"""Truth and guess as a person reads them: what of them is marked, by hand, and that no letter gets lost."""

import numpy as np
import pytest

from dlspec.evaluators.classes import Classes
from dlspec.evaluators.forecasts import Forecasts
from dlspec.evaluators.sentences import Sentences
from dlspec.evaluators.tag_truths import learned
from dlspec.evaluators.tags import Tags
from dlspec.evaluators.tokens import Read, Tokens
from dlspec.types import Example

TEXTS = [
    ("a dog ran.", "a cat ran."),
    ("", "nothing here"),
    ("مرحبا بالعالم", "مرحبا يا عالم"),
    ("这是一个句子。", "这是两个句子。"),
    ("<b>ein</b>  Hund\tläuft\n", "ein Hund läuft"),
    ("x" * 5_000, "y " * 5_000),
]


def whole(passage):
    return "".join(text for text, *_ in passage.parts)


def marked(passage):
    return [(text, mark) for text, mark, _ in passage.parts if mark]


def test_what_reference_and_translation_lack():
    source, reference, ours = Sentences().beside(Example("a", "ein Hund lief.", "a dog ran."), "a cat ran, too.", {})
    assert (source.name, reference.name, ours.name) == ("source", "reference", "ours")
    assert whole(source) == "ein Hund lief." and marked(source) == []
    assert marked(reference) == [("dog", "missed")] and marked(ours) == [("cat", "wrong"), (", too", "wrong")]
    chinese = Sentences().beside(Example("a", None, "这是一个句子。"), "这是两个句子。", {})
    assert [marked(one) for one in chinese] == [[("一", "missed")], [("两", "wrong")]]  # no blanks, yet not all of it


@pytest.mark.parametrize(("truth", "guess"), TEXTS)
def test_the_parts_are_the_text(truth, guess):
    found = {one.name: whole(one) for one in Sentences().beside(Example("a", truth, truth), guess, {})}
    assert found["source"] == found["reference"] and all(len(one) <= 3_000 for one in found.values())
    if len(truth) < 3_000:
        assert found == {"source": truth, "reference": truth, "ours": guess}
    [source, reference] = Sentences().beside(Example("a", truth, truth), None, {})
    assert reference.name == "reference" and not marked(reference) and not marked(source)


def test_entities_stand_in_their_sentence():
    truth = "B-person I-person O O B-place"
    state = learned([truth.split()])
    words = ("Anna", "Berg", "lives", "in", "Paris")
    evaluator, example = Tags(), Example("a", words, truth)
    gold, said = evaluator.beside(example, ("B-person", "I-person", "O", "B-place", "I-place"), state)
    assert gold.parts == [("Anna Berg", "right", "person"), (" ", "", ""), ("lives in ", "", ""),
                          ("Paris", "missed", "place"), (" ", "", "")]  # fmt: skip
    assert marked(said) == [("Anna Berg", "right"), ("in Paris", "wrong")] and gold.labelled and said.labelled
    assert whole(gold).strip() == whole(said).strip() == " ".join(words)
    [alone] = evaluator.beside(example, None, state)
    assert marked(alone) == [("Anna Berg", "named"), ("Paris", "named")]
    assert evaluator.beside(Example("a", {"row": 1}, truth), truth.split(), state) is None  # of a table without words


def test_of_plain_tags_what_is_wrong():
    truth = "DET NOUN VERB"
    state = learned([truth.split()])
    gold, said = Tags().beside(Example("a", ("the", "dog", "ran"), truth), ("DET", "VERB", "VERB"), state)
    assert marked(gold) == [("dog", "missed")] and marked(said) == [("dog", "wrong")]
    assert [one[2] for one in said.parts if one[1]] == ["VERB"]


def test_what_surprised_a_language_model():
    read = Read(("t", "h", "e", " ", "x"), np.array([0.5, 0.5, 7, 3, 2]), ("t", "h", "a", " ", "y"))
    [one] = Tokens().beside(Example("a", "the x", "the x"), read, {})
    assert one.parts == [("th", "", ""), ("e", "wrong", "7 bits; the most probable was 'a'"), (" x", "", "")]
    assert one.name == "perplexity 6.06"  # 2.6 bits a token, with a deviation of 2.4
    assert Tokens().beside(Example("a", "the x", "the x"), None, {}) is None
    [words] = Tokens().beside(
        Example("a", "a b", "a b"), Read(("a", "b"), np.array([1.0, np.inf]), ("a", "c")), {"glue": " "}
    )
    assert whole(words) == "a b "


def test_a_window_is_drawn_with_what_it_was_said_to_be():
    state = {"horizon": 2, "targets": ["a", "b"], "season": 2, "scale": [1.0, 1.0]}
    example = Example("e", np.array([[1.0, 9], [2, 8], [3, 7]]), np.array([[4.0, 6], [5, 5]]))
    figure = Forecasts().beside(example, np.array([[4.0, 6], [5, 9]]), state)
    drawn = {one["name"]: one["y"] for one in figure.data["series"]}
    assert figure.data["y_title"] == "b" and drawn["before"] == [9, 8, 7] and drawn["truth"] == [7, 6, 5]
    assert drawn["guess"] == [7, 6, 9] and drawn["the season before again"] == [7, 8, 7]
    assert figure.caption == "b alone has a mean error of 2 naive errors"
    alone = Forecasts().beside(example, None, state)
    assert [one["name"] for one in alone.data["series"]] == ["before", "truth"] and not alone.caption
    plain = Forecasts().beside(example, np.array([[4.0, 6], [5, 9]]), {**state, "season": 1})
    assert {one["name"]: one["y"] for one in plain.data["series"]}["the last value again"] == [7, 7, 7]


def test_classes_say_it_in_a_word():
    assert Classes().beside(Example("a", "text", "good"), np.array([0.5, 0.5]), {"classes": ["good", "bad"]}) is None
