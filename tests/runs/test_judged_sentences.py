"""`evaluate` and `error-analysis` over the output of any translator and its references, as files of lines."""

import gzip

import pytest
from sacrebleu.metrics import BLEU

from dlspec.report.terminal import print_evaluated
from dlspec.runs.analyze import analyze_predictions
from dlspec.runs.evaluate import evaluate_predictions
from dlspec.types import ArgumentError, DataError

TRUTHS = [f"The {word} dog of house number {i} runs over the green grass." for i, word in enumerate("abcdefghij")]
GUESSES = [
    *(one.replace("green grass", "grass") for one in TRUTHS[:3]),
    "",
    TRUTHS[4].lower(),
    TRUTHS[5] + " the grass." * 3,
    *TRUTHS[6:],
]
assert len(GUESSES) == len(TRUTHS)


def written(folder, guesses=GUESSES, truths=TRUTHS, ending="\n"):
    (folder / "out.txt").write_bytes(ending.join([*guesses, ""]).encode())
    (folder / "ref.de.gz").write_bytes(gzip.compress("\n".join(truths).encode("utf-8-sig")))
    return [str(folder / "out.txt")], str(folder / "ref.de.gz")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_are_scored_as_sacrebleu_does(tmp_path, ending):
    files, truth = written(tmp_path, ending=ending)
    found = evaluate_predictions(files, truth=truth)
    dev = found["scores"]["dev"]
    assert dev["bleu"]["value"] == BLEU().corpus_score(GUESSES, [TRUTHS]).score and dev["bleu"]["n"] == 10
    assert dev["bleu"]["low"] < dev["bleu"]["value"] < dev["bleu"]["high"]
    assert dev["exact_match"]["value"] == pytest.approx(0.4)


def test_the_signature_is_said(tmp_path, capsys):
    files, truth = written(tmp_path)
    result = evaluate_predictions(files, truth=truth)
    bleu = BLEU()
    bleu.corpus_score(GUESSES, [TRUTHS])
    assert result["signatures"]["bleu"] == str(bleu.get_signature())
    print_evaluated(result)
    assert f"bleu: {bleu.get_signature()}" in capsys.readouterr().out.splitlines()


def test_errors_have_kinds_and_ceilings(tmp_path):
    files, truth = written(tmp_path)
    found = analyze_predictions(files, truth=truth)
    kinds = {one["kind"]: one for one in found["kinds"]}
    assert {name: one["count"] for name, one in kinds.items()} == {
        "other words": 3,
        "nothing said": 1,
        "only case or punctuation": 1,
        "repetition": 1,
    }
    mended = [*GUESSES[:3], TRUTHS[3], *GUESSES[4:]]
    assert kinds["nothing said"]["ceiling"] == pytest.approx(BLEU().corpus_score(mended, [TRUTHS]).score)


@pytest.mark.parametrize(
    ("guesses", "said"),
    [
        (TRUTHS[:9], "has 9 lines, and .*ref.de.gz has 10; .*the shorter ends before line 10"),
        ([*TRUTHS[:4], "", *TRUTHS[4:]], "11 lines, .*they seem to part at line 5, which is empty in .*out.txt alone"),
    ],
)
def test_files_of_different_length_are_told(tmp_path, guesses, said):
    files, truth = written(tmp_path, guesses)
    with pytest.raises(DataError, match=said):
        evaluate_predictions(files, truth=truth)


def test_what_does_not_go_together_is_told(tmp_path):
    files, truth = written(tmp_path)
    with pytest.raises(ArgumentError, match="no truths of regression"):
        evaluate_predictions(files, truth=truth, task="regression")
    with pytest.raises(DataError, match="2 are given; join them"):
        evaluate_predictions(files * 2, truth=truth)
    (tmp_path / "out.txt").write_bytes(b"one\ntw\xff\n")
    with pytest.raises(DataError, match="byte 0xff in line 2"):
        evaluate_predictions(files, truth=truth)
    (tmp_path / "out.txt").write_bytes(b"")
    for nothing, how in ((b"", "it is empty"), (b"\n \n", "every line is empty")):
        (tmp_path / "none.txt").write_bytes(nothing)
        with pytest.raises(DataError, match=rf"none\.txt: holds no reference at all: {how}"):
            evaluate_predictions(files, truth=str(tmp_path / "none.txt"))
