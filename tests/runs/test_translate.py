"""dlspec translate: a line out for each line in, whatever stands in it."""

import gzip
import io
import json
import re
import sys

import numpy as np
import pytest
import small_translation
from small_training import Heard, left

from dlspec.runs.evaluate import evaluate
from dlspec.runs.opened import open_run
from dlspec.runs.sample import sample
from dlspec.runs.text_parts import parts
from dlspec.runs.translate import Counts, lines_of, translating
from dlspec.tasks.translation import Translation
from dlspec.types import ArgumentError


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What a small training left, which knows its numbers."""
    run, known = small_translation.shared(tmp_path_factory)
    assert known >= 0.8
    return run


def words(text):
    return " ".join(small_translation.WORDS.get(word, "?") for word in text.split())


def test_lines_in_are_lines_out_in_their_order(run):
    heard = Heard()
    work = translating(run, watch=heard)
    long = " ".join(["one two three four five"] * 2_000)
    given = ["seven one two\n", "\n", "   ", b"three \xff four\r\n", "🎉🎉", long, "five two"]
    found = list(work(given))
    assert [one.text for one in found[:5]] == ["seven one two", "", "   ", "three \ufffd four", "🎉🎉"]
    assert [one.guess for one in found[1:3]] == ["", ""] and found[4].guess == "🎉🎉"
    assert found[0].guess == "sieben eins zwei" and found[6].guess == "fünf zwei"
    assert found[4].parts == [] and found[1].score is None and found[0].score < 0
    assert work.opened.state["task"]["longest"] == 6 and len(found[5].parts) == 1_667  # of six words, 10,000 / 6
    assert " ".join(asked for asked, _ in found[5].parts) == long
    assert found[5].guess == " ".join(said for _, said in found[5].parts)
    right = [said == words(asked) for asked, said in found[5].parts]
    assert np.mean(right) > 0.2, np.mean(right)  # as it has learned sentences of six words
    assert work.counts == (7, 1, 1, 1)
    notes = " / ".join(work.counts.said())
    assert re.search("1 of 7 lines held bytes.*1 of 7 lines is longer.*1 of 7 lines has no letter", notes)


def test_together_and_one_by_one_is_the_same(run):
    given = small_translation.pairs(12, seed=5)[0]
    together, single = (list(translating(run)(given, size)) for size in (100, 1))
    assert [one.guess for one in together] == [one.guess for one in single]
    assert np.mean([one.guess == words(one.text) for one in together]) > 0.7
    predicted = open_run(run).predict(given)
    assert [one["guess"] for one in predicted] == [one.guess for one in together]


def test_several_guesses_the_best_first(run):
    [one] = translating(run, n_best=4)(["one two"])
    assert len(one.others) == 3 and one.guess == "eins zwei"
    scores = [one.score, *(other["score"] for other in one.others)]
    assert scores == sorted(scores, reverse=True) and len({one.guess, *(o["guess"] for o in one.others)}) == 4
    [greedy] = translating(run, beam=1)(["one two"])
    assert greedy.guess == "eins zwei" and greedy.others == []


def test_scores_are_those_that_the_network_gives_when_told(run):
    opened = translating(run).opened
    task, state = opened.recipe.task, opened.state
    examples = opened.recipe.input.outside(["one two three", "four five"], state["input"])
    said = opened.predictions(examples)
    force = task.forcing(opened.recipe.model, opened.network, state)
    forced = force(opened.encode(examples), [str(one) for one in said])
    assert [one.score for one in forced] == pytest.approx([one.score for one in said], abs=1e-4)
    other = force(opened.encode(examples), ["eins eins eins", "vier fünf"])
    assert other[0].score < forced[0].score - 1 and other[1].score == pytest.approx(forced[1].score)
    assert forced[1].heard == ["four", "five"] and forced[1].said == ["vier", "fünf", "(end)"]
    assert forced[1].attention.shape == (3, 2)
    np.testing.assert_allclose(forced[1].attention.sum(axis=1), 1, atol=1e-5)


def test_the_command(run, tmp_path, capsys, monkeypatch):
    file = tmp_path / "lines.txt"
    file.write_bytes(b"one two\n\nthree \xff\n")
    assert left(["translate", str(run), "--file", str(file)]) == 0
    out, err = capsys.readouterr()
    assert len(out.split("\n")) == 4 and out.startswith("eins zwei\n\n") and "1 of 3 lines held bytes" in err
    assert (
        left(["translate", str(run), "one two", "six", "--scores", "--attention", str(tmp_path / "new" / "a.png")]) == 0
    )
    out = capsys.readouterr().out
    assert re.match(r"-0\.\d{4}\teins zwei\n-\d\.\d{4}\tsechs", out)
    from PIL import Image

    with Image.open(tmp_path / "new" / "a.png") as picture:
        assert picture.height > 100
    assert left(["translate", str(run), "one two", "--n-best", "2"]) == 0
    assert re.match(r"1\t-0\.\d{4}\teins zwei\n1\t-\d\.\d{4}\t\S", capsys.readouterr().out)
    assert left(["translate", str(run), "one two", "--json"]) == 0
    [one] = json.loads(capsys.readouterr().out)["predictions"]
    assert (one["text"], one["guess"], one["parts"]) == ("one two", "eins zwei", 1)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"two one\nsix six\n")))
    assert left(["translate", str(run), "-", "--jsonl"]) == 0
    assert [json.loads(line)["guess"] for line in capsys.readouterr().out.splitlines()] == ["zwei eins", "sechs sechs"]


def test_predict_shows_texts_to_a_person_alone(run, tmp_path, capsys):
    (tmp_path / "lines.txt").write_text("one two\nsix seven five four\n")
    assert left(["predict", str(run), str(tmp_path / "lines.txt")]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["id", "text", "guess", "score"]
    assert first.startswith("1   one two              eins zwei") and second.startswith("2   six seven five four  ")
    assert left(["predict", str(run), str(tmp_path / "lines.txt"), "--jsonl"]) == 0
    for line in capsys.readouterr().out.splitlines():
        assert set(json.loads(line)) == {"file", "id", "guess", "score", "others"}


def test_what_is_typed_is_answered_line_by_line(run, capsys, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("one two\nfive one\n"))
    assert left(["translate", str(run)]) == 0
    out, err = capsys.readouterr()
    assert out == "eins zwei\nfünf eins\n" and err.count("> ") == 3


def test_what_cannot_be(run, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lines.txt").write_text("one\n")
    for arguments, says in (
        (["a", "--file", "b"], "not both"),
        (["a", "--attention", "map.pdf"], "writes .png or .svg"),
        (
            ["--file", "line.txt"],
            f"there is no file 'line.txt' (looked at {tmp_path}/line.txt); did you mean 'lines.txt'?",
        ),
        (["--file", "."], "cannot read .: Is a directory"),
        (["", "--attention", str(tmp_path / "b.png")], "nothing was translated"),
        (["a", "-"], "goes alone"),
        (["a", "--n-best", "3", "--beam", "2"], "--n-best 3 are more guesses than --beam 2 follows; give --beam 3"),
    ):
        assert left(["translate", str(run), *arguments]) == 2
        assert says in capsys.readouterr().err
    with pytest.raises(ArgumentError, match="; `dlspec translate` is for its runs"):
        sample(run)
    with pytest.raises(ArgumentError, match=", classification, translates nothing; `dlspec predict` is for its runs"):
        from dlspec.recipe.load import load
        from dlspec.runs.train import train

        (tmp_path / "flowers.yaml").write_text("task: classification\ndata: iris\nmodel: linear\ntrain: {epochs: 1}\n")
        translating(train(load(tmp_path / "flowers.yaml"), out=tmp_path / "runs").run)


def test_long_texts_part_where_sentences_end_then_between_words_then_within():
    def count(texts):
        return [len(one.replace(" ", "")) for one in texts]

    assert parts("ab cd.", 10, count) == ["ab cd."]
    assert parts("ab cd. ef! gh ij kl? m", 12, count) == ["ab cd. ef!", "gh ij kl? m"]
    assert parts("aaaa bbbb cccc", 9, count) == ["aaaa bbbb", "cccc"]
    assert parts("a " + "x" * 30 + " b c", 8, count) == ["a", "xxxxxxx", "xxxxxxxx", "xxxxxxx", "xxxxxxxx", "b c"]
    assert parts("ab cd ef. gh.", 6, count) == ["ab cd", "ef.", "gh."]
    assert parts("我是。你是！他", 3, count) == ["我是。", "你是！", "他"]


def test_of_train_a_part_is_scored_as_each_sentence_is_searched_for(run, monkeypatch):
    monkeypatch.setattr(Translation, "scored_of_train", 30)
    assert evaluate(run, splits=["train"])["scores"]["train"]["bleu"]["n"] == 30


def test_a_packed_file_that_was_cut_short_is_no_interruption(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"some lines of text\n" * 99)[:-20])
    with (
        pytest.raises(ArgumentError, match=r"cannot read .*a\.gz.*: .*was it copied whole\?"),
        lines_of(tmp_path / "a.gz") as lines,
    ):
        list(lines)


def test_one_line_is_told_as_one():
    one, two = (" / ".join(Counts(6, 0, many, many).said()) for many in (1, 2))
    assert one == (
        "1 of 6 lines is longer than train's and was said in parts / "
        "1 of 6 lines has no letter and no figure, and is as it was"
    )
    assert two == (
        "2 of 6 lines are longer than train's and were said in parts / "
        "2 of 6 lines have no letter and no figure, and are as they were"
    )
