"""Tags: hand-worked sentences, an independent conlleval, kinds of error and what mending them leaves, tables."""

import math

import numpy as np
import pytest
from conlleval import conlleval

from dlspec.evaluators.tag_figures import by_type
from dlspec.evaluators.tag_pairs import BOTH, BOUNDARY, BROKEN, MISSED, SPURIOUS, TYPE
from dlspec.evaluators.tag_truths import learned
from dlspec.evaluators.tags import Tags
from dlspec.numeric.chunks import tags_of
from dlspec.strategy import ceilings
from dlspec.types import DataError, Examples

KINDS = (TYPE, BOUNDARY, BOTH, MISSED, SPURIOUS, BROKEN)


def of(*truths, x=None):
    return Examples([f"s{i}" for i in range(len(truths))], x or [None] * len(truths), list(truths))


def judged(truths, guesses, state=None):
    examples, said = of(*truths), [tags_of(one) for one in guesses]
    state = state or learned([tags_of(one) for one in truths])
    return Tags().combine(Tags().statistics(examples, said, state)), examples, said, state


def test_by_hand():
    truths = ["B-per I-per O B-loc", "O O", "B-loc I-loc I-loc O"]
    guesses = ["B-per I-per O B-per", "O B-loc", "B-loc I-loc O O"]
    scores, *_ = judged(truths, guesses)
    # 3 true, 4 said, 1 right; of 10 words 7 right.  per: 1 right of 2 said and 1 true; loc: none.
    assert scores == pytest.approx(
        {
            "precision": 1 / 4,
            "recall": 1 / 3,
            "f1": 2 / 7,
            "token_accuracy": 7 / 10,
            "macro_f1": (2 / 3 + 0) / 2,
            "exact_match": 0,
            "broken": 0,
        }
    )


def test_broken_tags_are_read_as_conlleval_does_and_counted():
    """`O I-x` begins an entity, and so does another type."""
    scores, examples, said, state = judged(["O B-a I-a O", "B-a O B-b O"], ["O I-a I-a O", "B-a I-b I-b O"])
    assert scores["f1"] == pytest.approx(2 * 2 / (3 + 3)) and scores["broken"] == pytest.approx(2 / 3)
    kinds = [[one.kind for one in Tags().errors(e, p, state)] for e, p in zip(examples, said, strict=True)]
    assert kinds == [[BROKEN], [BOUNDARY, BROKEN]]
    assert Tags().mend(examples[0], said[0], BROKEN, state) == tags_of("O B-a I-a O")


def test_a_truth_that_is_broken_itself_is_perfect():
    truths = ["O I-a I-a", "B-a B-a O", "B-a O B-b"]
    scores, examples, _, state = judged(truths, truths)
    assert state["scheme"] == "bio" and scores["f1"] == 1 and scores["broken"] == 0
    assert Tags().remarks(examples, state) == [
        "1 of 5 entities are not written as bio has it (as O I-person for O B-person); they are read as conlleval "
        "reads them"
    ]
    scores, *_ = judged(["B-a I-a O", "B-a O O"], ["O I-a O", "B-a O O"])
    assert scores["broken"] == 1 / 2  # the truth has I there, but no entity that begins so


def sentences(random, count, types="xyz", letters="BI"):
    """Tags by chance, broken ones among them, and guesses that have much in common with them."""
    truths, guesses = [], []
    for _ in range(count):
        length = int(random.integers(1, 14))
        tags = [f"{random.choice(list(letters))}-{random.choice(list(types))}" for _ in range(length)]
        truth = [tag if random.random() < 0.5 else "O" for tag in tags]
        guess = [one if random.random() < 0.7 else str(random.choice([*tags, "O"])) for one in truth]
        truths.append(" ".join(truth))
        guesses.append(" ".join(guess))
    return truths, guesses


@pytest.mark.parametrize("letters", ["BI", "I", "BIES"])
def test_agrees_with_conlleval(letters):
    random = np.random.default_rng(len(letters))
    for _ in range(30):
        truths, guesses = sentences(random, 12, letters=letters)
        scores, examples, said, state = judged(truths, guesses)
        expected, types = conlleval(truths, guesses)
        for name, value in expected.items():
            assert scores[name] == pytest.approx(value, nan_ok=True), name
        found = by_type(Tags().statistics(examples, said, state), state)
        assert {name: (one["true"], one["said"], one["right"]) for name, one in found.items()} == types


def test_each_kind_by_hand():
    words = ("Ann", "Lee", "saw", "New", "York", "and", "Bob", "at", "Acme")
    truth = "B-per I-per O B-loc I-loc O B-per O B-org"
    cases = {
        TYPE: (
            "B-org I-org O B-loc I-loc O B-per O B-org",
            "per: Ann Lee (words 1 to 2)",
            "org: Ann Lee (words 1 to 2)",
        ),
        BOUNDARY: ("B-per I-per O O B-loc O B-per O B-org", "loc: New York (words 4 to 5)", "loc: York (word 5)"),
        BOTH: ("B-per I-per O B-loc I-loc O O B-per I-per", "org: Acme (word 9)", "per: at Acme (words 8 to 9)"),
        MISSED: ("B-per I-per O B-loc I-loc O O O B-org", "per: Bob (word 7)", "nothing"),
        SPURIOUS: ("B-per I-per B-loc B-loc I-loc O B-per O B-org", "nothing", "loc: saw (word 3)"),
    }
    examples = of(truth, x=[words])
    state = learned([tags_of(truth)])
    for kind, (guess, true, said) in cases.items():
        found = {one.kind: one for one in Tags().errors(examples[0], tags_of(guess), state)}
        assert (found[kind].truth, found[kind].guess) == (true, said), kind
        wrong = sum(map(str.__ne__, truth.split(), guess.split()))
        assert found[kind].size == wrong
        rest = [one for one in found if one != kind]
        assert rest == ([MISSED] if kind == BOTH else [])  # Bob is gone, too
        again = Tags().mend(examples[0], tags_of(guess), kind, state)
        assert again == tags_of(truth) if not rest else Tags().errors(examples[0], again, state)[0].kind == MISSED
    assert Tags().errors(examples[0], tags_of(truth), state) == []
    assert Tags().errors(of(truth)[0], tags_of(cases[MISSED][0]), state)[0].truth == "per (word 7)"


@pytest.mark.parametrize("letters", ["BI", "I", "BIES"])
def test_mending_a_kind_leaves_none_of_it_and_worsens_nothing(letters):
    random = np.random.default_rng(7)
    truths, guesses = sentences(random, 250, types="xy", letters=letters)
    _, examples, said, state = judged(truths, guesses)
    evaluator, met = Tags(), set()
    for example, guess in zip(examples, said, strict=True):
        some = [one.kind for one in evaluator.errors(example, guess, state)]
        met |= set(some)
        for kind in set(some):
            again = evaluator.mend(example, guess, kind, state)
            assert kind not in [one.kind for one in evaluator.errors(example, again, state)]
            right = [evaluator.statistics(of(example.y), [one], state)["right"].sum() for one in (guess, again)]
            assert right[1] >= right[0]
        whole = guess
        for kind in KINDS * 2:  # mending one may leave another; in the end every entity is right
            whole = evaluator.mend(example, whole, kind, state)
        assert (
            evaluator.combine(evaluator.statistics(of(example.y), [whole], state))["f1"] in (1.0, pytest.approx(1))
            or not evaluator.statistics(of(example.y), [whole], state)["table"].any()
        )
    assert met == set(KINDS) - ({BROKEN} if letters == "I" else set())  # with I alone all is as IOB1 has it


def test_ceilings_and_the_worst_sentences():
    truths = ["B-a I-a O O", "B-b O B-a O", "O O O O"]
    guesses = ["B-b I-b O O", "O O B-a O", "B-a I-a I-a O"]
    scores, examples, said, state = judged(truths, guesses)
    kinds = {one.kind: one for one in ceilings.kinds(Tags(), examples, said, state)}
    assert scores["f1"] == pytest.approx(2 / 6)
    assert {name: one.ceiling for name, one in kinds.items()} == pytest.approx(
        {TYPE: 4 / 6, MISSED: 4 / 7, SPURIOUS: 2 / 5}
    )
    found = ceilings.find_errors(Tags(), examples, said, state)
    assert [(one.id, one.size) for one in ceilings.worst(found)] == [("s2", 3), ("s0", 2), ("s1", 1)]


def test_a_bootstrap_weighs_sentences():
    truths, guesses = sentences(np.random.default_rng(1), 40)
    _, examples, said, state = judged(truths, guesses)
    statistics = Tags().statistics(examples, said, state)
    weights = np.random.default_rng(2).integers(0, 3, 40)
    rows = np.repeat(np.arange(40), weights)
    again = Tags().statistics(examples.take(rows.tolist()), [said[i] for i in rows], state)
    assert Tags().combine(statistics, weights) == pytest.approx(Tags().combine(again))
    assert set(Tags().shares(statistics)) == set(Tags().combine(statistics))


def test_plain_tags_are_words_of_their_own():
    truths, guesses = ["DET NOUN VERB", "NOUN NOUN"], ["DET VERB VERB", "NOUN NOUN"]
    scores, examples, said, state = judged(truths, guesses)
    assert [one.name for one in Tags().metrics(state)] == list(scores)
    noun, verb = 2 * 2 / (3 + 2), 2 * 1 / (1 + 2)
    assert scores == pytest.approx({"token_accuracy": 4 / 5, "macro_f1": (1 + noun + verb) / 3, "exact_match": 1 / 2})
    [error] = Tags().errors(examples[0], said[0], state)
    assert (error.kind, error.truth, error.guess) == (TYPE, "NOUN (word 2)", "VERB (word 2)")
    assert Tags().said(said, state)[1] == {"guess": "NOUN NOUN", "tags": ["NOUN", "NOUN"]}


def test_types_that_train_has_not():
    state = learned([tags_of("B-a O")])
    scores, examples, *_ = judged(["B-new O", "B-a O"], ["B-a O", "B-a O"], state)
    assert scores["f1"] == pytest.approx(1 / 2) and math.isclose(scores["macro_f1"], (2 / 3 + 0) / 2)
    assert "1 entities of types that train has not (new 1)" in Tags().remarks(examples, state)[0]


def test_nothing_said_and_nothing_true():
    scores, *_ = judged(["B-a O"], ["O O"])
    assert scores["f1"] == 0 and scores["recall"] == 0 and math.isnan(scores["precision"])
    scores, examples, _, state = judged(["O O"], ["O O"], learned([tags_of("B-a O")]))
    assert math.isnan(scores["f1"]) and scores["exact_match"] == 1
    assert Tags().remarks(examples, state) == ["none of 1 sentences has an entity, so that there is no F1"]


def test_what_cannot_be_is_refused():
    state = learned([tags_of("B-a O")])
    with pytest.raises(DataError, match=r"1 of 2 guesses have not as many tags .*\(s1\): of 's1' 3, expected 2"):
        Tags().statistics(of("B-a O", "O O"), [("O", "O"), ("O", "O", "O")], state)
    with pytest.raises(DataError, match="'NOUN' of 's0' is no tag of an entity"):
        Tags().statistics(of("B-a O"), [("NOUN", "O")], state)
    with pytest.raises(DataError, match="the target is missing in 1 of 2 examples: s1"):
        Tags().statistics(of("B-a", None), [("O",), ("O",)], state)
    with pytest.raises(DataError, match="expected a tag for each word, got 3"):
        Tags().statistics(of(3), [("O",)], state)


def test_tables():
    truths, guesses = ["B-a O", "O"], ["O O", "O"]
    _, examples, said, state = judged(truths, guesses)
    columns = {**Tags().columns(said, state), "truth": Tags().truth(examples, state)}
    assert Tags().recognize(columns) == state and Tags().from_columns(columns, state) == said
    assert Tags().recognize({"truth": ["DET NOUN"], "guess": ["DET NOUN"]}) is None
    assert Tags().recognize({"truth": ["DET NOUN"], "guess": ["DET NOUN"]}, asked=True)["scheme"] == "plain"
    assert Tags().recognize({"truth": ["yes", "no"], "guess": ["yes", "no"]}) is None
    with pytest.raises(DataError, match="no column 'guess'"):
        Tags().from_columns({"truth": truths}, state)
    assert Tags().said([tags_of("B-a I-a")], state)[0]["entities"] == [{"type": "a", "start": 0, "end": 2}]


def test_facts_classes_and_what_was_sought():
    truths, guesses = ["B-a I-a B-b", "O"], ["B-a I-a B-a", "O"]
    _, examples, said, state = judged(truths, guesses)
    facts = Tags().facts(examples, state)
    assert facts["has a"].tolist() == ["yes", "no"] and facts["has b"].tolist() == ["yes", "no"]
    assert Tags().classes(examples, state) == [("a", "b"), ("no entity",)]
    statistics = Tags().statistics(examples, said, state)
    sought = Tags().sought(statistics, state)
    assert (sought.truth.tolist(), sought.guess.tolist(), sought.names) == ([0, 1], [0, 0], ["a", "b"])
    bars, matrix = Tags().figures(statistics, state)
    assert bars.data["names"] == ["a", "b"] and bars.data["values"] == pytest.approx([2 / 3, 0])
    assert matrix.data["values"] == [[1, 0], [1, 0]]
    assert bars.caption == "a: precision 0.5, recall 1, 1 true and 2 said; b: 1 true, and none said"
    assert matrix.caption == ""


def test_of_one_that_ends_elsewhere_one_is_spoken():
    _, examples, said, state = judged(["B-a I-a B-b", "O O B-a"], ["B-a O B-c", "O O B-a"])
    bars, matrix = Tags().figures(Tags().statistics(examples, said, state), state)
    assert matrix.caption == "of those on the diagonal 1 has other boundaries than it should"
    assert "types that train has not: none true, and 1 said" in bars.caption
