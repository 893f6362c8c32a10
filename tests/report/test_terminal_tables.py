"""Tables of a terminal: however long the names of their columns are, nothing is cut off."""

import pytest

from dlspec.report.terminal import broken, table

NAMES = ["tag", "value", "examples", "error rate", "95 % interval", "share of errors"]
ROW = ["file", "part4.txt", "8", "100.0 %", "67.6 % to 100.0 %", "18.2 %"]


@pytest.mark.parametrize("metric", ["f1", "bits_per_character", "a_metric_with_a_very_long_name_of_its_own"])
def test_nothing_is_cut_off_in_a_pipe(capsys, metric):
    table([*NAMES, metric, f"{metric} if mended"], [[*ROW, "4.8680", "4.0001"]], left=2, title="errors by tag")
    out = capsys.readouterr().out
    words = out.split()
    for name in (*NAMES, metric, metric, "if", "mended"):
        assert all(word in words for word in name.split()), (name, out)
    assert words.count(metric) == 2 and next(line for line in out.splitlines() if "part4.txt" in line).split() == [
        word for cell in (*ROW, "4.8680", "4.0001") for word in cell.split()
    ]


def test_long_words_fold_and_the_line_stays_as_wide_as_a_page(capsys):
    table(["example", "truth", "guess"], [["1", "t" * 200, "a b " * 50]], left=3)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 110 and "".join(lines[3:]).count("t") == 200


def test_names_are_broken_at_blanks():
    assert (
        broken("share of errors", 8) == "share of\nerrors" and broken("bits_per_character", 3) == "bits_per_character"
    )
