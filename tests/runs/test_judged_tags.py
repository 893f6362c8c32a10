"""`evaluate` and `error-analysis` over what any tagger said: tables, and files as conlleval takes them; and a sheet."""

import csv
import random

import pytest
from evaluators.conlleval import conlleval

from dlspec.runs.analyze import analyze_predictions
from dlspec.runs.evaluate import evaluate_predictions
from dlspec.types import DataError

TYPES = ("person", "place")


def sentences(count=40, seed=0):
    """Words, true tags and said tags of each sentence."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        words = [draw.choice(["Ann", "Rome", "sleeps", "in", "."]) for _ in range(draw.randint(2, 9))]
        truth = [{"Ann": "B-person", "Rome": "B-place"}.get(word, "O") for word in words]
        guess = [draw.choice([tag, tag, tag, "O", f"I-{draw.choice(TYPES)}"]) for tag in truth]
        found.append((words, truth, guess))
    return found


def as_conll(file, rows, columns=lambda word, truth, guess: f"{word} NN {truth} {guess}"):
    blocks = ["\n".join(columns(*one) for one in zip(*row, strict=True)) for row in rows]
    file.write_text("\n\n".join(blocks) + "\n")
    return str(file)


def scores(found):
    return {name: one["value"] for name, one in found["scores"]["dev"].items()}


def test_a_file_as_conlleval_takes_it(tmp_path):
    rows = sentences()
    expected, _ = conlleval([" ".join(one[1]) for one in rows], [" ".join(one[2]) for one in rows])
    files = [as_conll(tmp_path / "out.conll", rows)]
    found = evaluate_predictions(files)
    assert {name: scores(found)[name] for name in expected} == pytest.approx(expected)
    f1 = found["scores"]["dev"]["f1"]
    assert f1["low"] < f1["value"] < f1["high"] and f1["n"] == 40
    tags = [as_conll(tmp_path / "tags.bio", rows, lambda word, truth, guess: f"{truth}\t{guess}")]
    assert scores(evaluate_predictions(tags)) == pytest.approx(scores(found), nan_ok=True)
    plain = [as_conll(tmp_path / "pos.conll", [(["a", "b"], ["DET", "NOUN"], ["DET", "VERB"])])]
    assert scores(evaluate_predictions(plain))["token_accuracy"] == 1 / 2


def test_a_table_says_by_itself_what_it_holds(tmp_path):
    rows = sentences()
    with open(tmp_path / "out.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "truth", "prediction"))
        writer.writerows((i, " ".join(truth), " ".join(guess)) for i, (_, truth, guess) in enumerate(rows))
    found = evaluate_predictions([str(tmp_path / "out.csv")])
    assert scores(found) == pytest.approx(scores(evaluate_predictions([as_conll(tmp_path / "o.conll", rows)])))


def test_errors_have_kinds_ceilings_and_the_words(tmp_path):
    rows = [(["Ann", "sleeps"], ["B-person", "O"], ["O", "O"]), (["in", "Rome"], ["O", "B-place"], ["O", "B-person"])]
    rows += [(["Rome"], ["B-place"], ["B-place"])] * 18
    found = analyze_predictions([as_conll(tmp_path / "out.conll", rows)], out=tmp_path / "errors")
    kinds = {one["kind"]: (one["count"], one["ceiling"]) for one in found["kinds"]}
    assert kinds == {"missed": (1, pytest.approx(2 * 19 / 40)), "wrong type": (1, pytest.approx(2 * 19 / 39))}
    worst = {one["id"]: (one["truth"], one["guess"], one["shows"]) for one in found["worst"]}
    assert worst["1"] == ("person: Ann (word 1)", "nothing", "Ann sleeps")
    assert worst["2"] == ("place: Rome (word 2)", "person: Rome (word 2)", "in Rome")


def test_what_does_not_fit_is_refused(tmp_path):
    rows = [(["a", "b"], ["O", "B-x"], ["O", "NOUN"])]
    for task in (None, "tagging"):
        with pytest.raises(DataError, match="'NOUN' of '1' is no tag of an entity"):
            evaluate_predictions([as_conll(tmp_path / "out.conll", rows)], task=task)
    one = as_conll(tmp_path / "out.conll", rows, lambda word, truth, guess: word)
    with pytest.raises(DataError, match="has one column, 'a'; expected a word, its true tag"):
        evaluate_predictions([one])
    (tmp_path / "out.conll").write_text("a O O\nb O\nc O O\n")
    with pytest.raises(DataError, match=r"out.conll:2: has 2 columns, expected 3"):
        evaluate_predictions([one])
