"""Sentences as sacreBLEU scores them, kinds of error, and tables of any system."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from real_data import lacking
from sacrebleu.metrics import BLEU, CHRF, TER

from dlspec.evaluators.classes import Classes
from dlspec.evaluators.labels import Labels
from dlspec.evaluators.sentences import Said, Sentences
from dlspec.types import DataError, Examples

TRUTHS = [
    "A man in an orange hat starring at something.",
    "A Boston Terrier is running on lush green grass in front of a white fence.",
    "A girl in karate uniform breaking a stick with a front kick.",
    "Five people wearing winter jackets and helmets stand in the snow.",
    "People are fixing the roof of a house.",
    'Ein Mann schläft, ein Hund "bellt" & läuft; 3,5 km weit!',
]
GUESSES = [
    "A man in an orange hat is looking at something.",
    "A Boston Terrier runs on green grass.",
    "",
    "Five people people wearing winter jackets and helmets stand in the snow.",
    "people are fixing the roof of a house",
    'Ein Mann schläft, ein <unk> "bellt" & läuft; 3,5 km weit!',
]
STATE = {"tokenize": "13a"}


def examples(truths=TRUTHS, x=None):
    return Examples([f"e{i}" for i in range(len(truths))], x or ["?"] * len(truths), list(truths))


def scores(guesses, truths=TRUTHS, weights=None, state=STATE):
    evaluator = Sentences()
    return evaluator.combine(evaluator.statistics(examples(truths), guesses, state), weights)


def theirs(guesses, truths, tokenize="13a"):
    return {
        "bleu": BLEU(tokenize=tokenize).corpus_score(guesses, [truths]).score,
        "chrf": CHRF().corpus_score(guesses, [truths]).score,
        "ter": TER().corpus_score(guesses, [truths]).score,
    }


def multi30k(count):
    """The first German sentences."""
    file = Path(os.environ.get("DLSPEC_DATA", "")) / "multi30k" / "test_2016_flickr.de"
    if not file.exists():
        pytest.skip(lacking("multi30k"))
    return file.read_text("utf-8").splitlines()[:count]


def broken(truths, seed=0):
    """Truths with words dropped, swapped and said twice."""
    random, guesses = np.random.default_rng(seed), []
    for truth in truths:
        words = truth.split()
        for _ in range(random.integers(0, 4)):
            at = int(random.integers(len(words)))
            how = random.integers(3)
            words[at : at + 2] = (words[at : at + 2][::-1], words[at : at + 1] * 2, words[at + 1 : at + 2])[how]
            words = words or ["nichts"]
        guesses.append(" ".join(words))
    return guesses


def test_figures_are_sacrebleus_to_the_last_digit():
    found = scores(GUESSES)
    for name, value in theirs(GUESSES, TRUTHS).items():
        assert found[name] == value
    assert found["exact_match"] == 0
    assert scores(TRUTHS) == {"bleu": pytest.approx(100, abs=1e-9), "chrf": 100, "ter": 0, "exact_match": 1}


def test_figures_of_real_sentences_and_of_their_bootstrap():
    truths = multi30k(200)
    guesses = broken(truths)
    found = scores(guesses, truths)
    expected = theirs(guesses, truths)
    assert {name: found[name] for name in expected} == expected and 20 < found["bleu"] < 95
    drawn = np.random.default_rng(1).integers(len(truths), size=len(truths))
    again = scores(guesses, truths, np.bincount(drawn, minlength=len(truths)))
    repeated = theirs([guesses[i] for i in drawn], [truths[i] for i in drawn])
    assert {name: again[name] for name in repeated} == repeated
    assert again["exact_match"] == np.mean([guesses[i] == truths[i] for i in drawn])


def test_another_way_to_part_words():
    state = {"tokenize": "char"}
    assert scores(GUESSES, state=state)["bleu"] == theirs(GUESSES, TRUTHS, "char")["bleu"]
    named = Sentences().signatures(state)
    assert "tok:char" in named["bleu"]
    bleu = BLEU()
    bleu.corpus_score(GUESSES, [TRUTHS])
    assert Sentences().signatures(STATE)["bleu"] == str(bleu.get_signature())
    assert Sentences().signatures(STATE)["ter"].startswith("nrefs:1|case:lc")


def test_only_what_is_wanted_is_computed_and_no_rows_are_no_value():
    evaluator = Sentences()
    statistics = evaluator.statistics(examples(), GUESSES, STATE)
    assert set(evaluator.combine(statistics, only=["chrf"])) == {"chrf", "exact_match"}
    assert all(np.isnan(list(evaluator.combine(statistics, np.zeros(6)).values())))
    none = evaluator.statistics(examples([]), [], STATE)
    assert all(len(of) == 0 for of in none.values()) and np.isnan(evaluator.combine(none)["bleu"])


@pytest.mark.parametrize(
    ("guess", "truth", "kind"),
    [
        ("", "a dog runs", "nothing said"),
        ("un chien court", "a dog runs", "not translated"),
        ("a dog a dog runs", "a dog runs", "repetition"),
        ("very very good", "very very bad", "other words"),
        ("a dog runs", "a dog runs over the wide green grass", "under-translation"),
        ("a dog runs over the wide green grass", "a dog runs", "over-translation"),
        ("a <unk> runs", "a dog runs", "unknown words"),
        ("A dog runs .", "a dog runs.", "only case or punctuation"),
        ("there is nobody", "a dog runs", "another sentence"),
        ("a cat runs", "a dog runs", "other words"),
        ("a  dog runs ", "a dog runs", None),
    ],
)
def test_kinds_of_error(guess, truth, kind):
    evaluator = Sentences()
    example = examples([truth], ["un chien court"])[0]
    errors = evaluator.errors(example, guess, STATE)
    assert [one.kind for one in errors] == ([kind] if kind else [])
    assert all(1 <= one.size <= 100 for one in errors)
    assert evaluator.errors(example, evaluator.mend(example, guess, kind, STATE), STATE) == []
    assert evaluator.mend(example, guess, "no such kind", STATE) == guess


def test_columns_come_back():
    evaluator = Sentences()
    guesses = [Said("a dog", -1.5, [("the dog", -2.0), ("dog", -3)]), Said("ein „Hund“"), Said("")]
    columns = evaluator.columns(guesses, STATE)
    assert json.loads(columns["others"][0]) == [["the dog", -2.0], ["dog", -3.0]]
    again = evaluator.from_columns(columns, STATE)
    assert again == ["a dog", "ein „Hund“", ""] and again[0].score == -1.5 and again[1].score is None
    assert [one.others for one in again] == [one.others for one in guesses]
    assert evaluator.columns(["a", "b"], STATE) == {"guess": ["a", "b"]}
    said = evaluator.said(guesses, STATE)  # as `predict --json` has it: lists, and no JSON within JSON
    assert said[0]["others"] == [{"guess": "the dog", "score": -2.0}, {"guess": "dog", "score": -3.0}]
    assert said[1] == {"guess": "ein „Hund“", "score": None, "others": []}
    written = {name: [json.dumps(one[name]) if name == "others" else one[name] for one in said] for name in said[0]}
    assert [one.others for one in evaluator.from_columns(written, STATE)] == [one.others for one in guesses]
    assert evaluator.from_columns({"guess": ["a", None]}, STATE) == ["a", ""]
    with pytest.raises(DataError, match="no column 'guess'"):
        evaluator.from_columns({"truth": ["a"]}, STATE)


def test_tables_are_told_from_those_of_classes():
    sentences = {"truth": TRUTHS, "guess": GUESSES, "split": ["dev"] * 6}
    classes = {"truth": ["ant", "bee", "red panda"] * 2, "guess": ["ant"] * 6, "split": ["dev"] * 6}
    assert Sentences().recognize(sentences) == STATE and Sentences().recognize(classes) is None
    assert Classes().recognize(sentences) is None and Labels().recognize(sentences) is None
    assert Classes().recognize(classes) is not None
    assert Sentences().recognize(classes, asked=True) == STATE
    assert Sentences().recognize({**sentences, "truth": [1.0] * 6}, asked=True) is None


def test_missing_truths_are_named_and_tokenised_ones_noticed():
    with pytest.raises(DataError, match="missing in 1 of 2 examples: e1"):
        Sentences().statistics(examples(["a", None]), ["a", "b"], STATE)
    assert Sentences().remarks(examples(), STATE) == []
    [said] = Sentences().remarks(examples(["a dog .", "a cat .", "no"]), STATE)
    assert "2 of 3 truths" in said and "tokenised" in said


def test_figures_say_that_corpus_bleu_is_no_sum():
    evaluator = Sentences()
    rows, lengths = evaluator.figures(evaluator.statistics(examples(), GUESSES, STATE), STATE)
    assert "no sum over sentences" in rows.caption and "tok:13a" in rows.caption
    assert rows.data["values"][0] == pytest.approx(BLEU().corpus_score(GUESSES, [TRUTHS]).precisions[0])
    assert sum(lengths.data["values"]) == 6
    assert evaluator.facts(examples(), STATE)["words of the truth"].tolist()[0] == 9


def test_perfect_predictions_are_perfect_and_wrong_ones_mended():
    """What tests/contracts holds the evaluators of tasks to."""
    evaluator, data = Sentences(), examples()
    perfect = [evaluator.perfect(one, STATE) for one in data]
    found = evaluator.combine(evaluator.statistics(data, perfect, STATE))
    assert found == pytest.approx({one.name: one.perfect for one in evaluator.metrics(STATE)}, abs=1e-9)
    assert evaluator.metrics({}) == evaluator.metrics(STATE)
    assert list(evaluator.columns(perfect, STATE)["guess"]) == evaluator.truth(data, STATE)
    statistics = evaluator.statistics(data, GUESSES, STATE)
    once, twice = evaluator.combine(statistics), evaluator.combine(statistics, np.full(6, 2.0))
    assert once == pytest.approx(twice)
    mistakes = evaluator.kinds_of(data, GUESSES, statistics, STATE)
    assert sorted(mistakes.names) == sorted(set(mistakes.names)) and len(mistakes.rows) == 6
    for kind in mistakes.names:
        rows = [row for row, code in zip(mistakes.rows, mistakes.codes, strict=True) if mistakes.names[code] == kind]
        mended = evaluator.mended(data.take(rows), [GUESSES[row] for row in rows], kind, STATE)
        assert list(mended) == [TRUTHS[row] for row in rows]
