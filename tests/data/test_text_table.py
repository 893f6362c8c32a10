"""Tables of texts: every form that they come in, and what is said of broken ones."""

import gzip
import json

import pytest

from dlspec.data.text_table import TextTable
from dlspec.types import DataError

ROWS = [("a fine film", "good"), ('"quoted" all through', "bad"), ("- none -", "good"), ("naïve, but fun", "bad")]


def loaded(path, truth=True, **settings):
    return TextTable(path=str(path), **settings).load(truth=truth)


def pairs(splits):
    return [(one.x, one.y) for one in splits.parts["all"]]


@pytest.mark.parametrize("ending", ["tsv", "txt", "csv", "jsonl", "json", "tsv.gz"])
def test_the_same_rows_in_every_form(tmp_path, ending):
    file = tmp_path / f"rows.{ending}"
    text = {
        "tsv": "text\tlabel\n" + "".join(f"{t}\t{y}\n" for t, y in ROWS),
        "txt": "".join(f"{t}\t{y}\n" for t, y in ROWS),
        "csv": "text,label\n" + "".join('"{}",{}\n'.format(t.replace('"', '""'), y) for t, y in ROWS),
        "jsonl": "".join(json.dumps({"text": t, "label": y}) + "\n" for t, y in ROWS),
        "json": json.dumps([{"text": t, "label": y} for t, y in ROWS]),
    }[ending.removesuffix(".gz")]
    file.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    assert pairs(loaded(file, target="last")) == ROWS


def test_labels_that_come_again_are_no_header(tmp_path):
    (tmp_path / "a.tsv").write_text("fine film\tgood\npoor film\tbad\nbest\tgood\n")
    assert len(loaded(tmp_path / "a.tsv", target="last").parts["all"]) == 3


def test_a_text_a_line_keeps_every_line(tmp_path):
    (tmp_path / "a.txt").write_text("one, two\n\n😀; three\n")
    found = loaded(tmp_path / "a.txt", truth=False)
    assert found.parts["all"].column("x") == ["one, two", "", "😀; three"]
    assert any("1 of 3 texts are empty" in note for note in found.notes)
    other = TextTable(path=str(tmp_path / "a.txt"), target="label", column="review").at(str(tmp_path / "a.txt"))
    assert other.load(truth=False).parts["all"].column("x") == ["one, two", "", "😀; three"]


def test_bytes_that_are_no_utf_8_are_replaced_and_counted(tmp_path):
    (tmp_path / "a.tsv").write_bytes("fine\tgood\ncafé\tbad\nnaïve\tgood\n".encode("latin-1"))
    found = loaded(tmp_path / "a.tsv", target="last")
    assert found.parts["all"].column("x") == ["fine", "caf�", "na�ve"]
    assert any("2 places in 2 lines that are not UTF-8 (the first in line 2)" in note for note in found.notes)
    assert loaded(tmp_path / "a.tsv", target="last", encoding="latin-1").parts["all"].column("x")[1] == "café"


def test_ragged_rows_are_named(tmp_path):
    (tmp_path / "a.tsv").write_text("fine\tgood\npoor\tbad\tvery\nbest\tgood\n")
    with pytest.raises(DataError, match=r"a\.tsv: row 2 has 3 cells where the first row has 2"):
        loaded(tmp_path / "a.tsv", target="last")
    (tmp_path / "a.jsonl").write_text('{"text": "x", "label": 1}\n{"text": \n')
    with pytest.raises(DataError, match=r"a\.jsonl:2: this line is no JSON"):
        loaded(tmp_path / "a.jsonl", target="label")
    (tmp_path / "b.jsonl").write_text('{"text": "x", "label": [1]}\n')
    with pytest.raises(DataError, match=r"b\.jsonl:1: 'label' holds a list"):
        loaded(tmp_path / "b.jsonl", target="label")


def test_new_data_without_the_run_s_column_of_texts(tmp_path):
    """The only column of words stands for it; among several none is guessed."""
    (tmp_path / "a.csv").write_text("n,body,stars\n1,a fine film,5\n2,a poor film,1\n")
    (tmp_path / "train.csv").write_text("review,stars\na fine film,5\n")
    run = TextTable(path=str(tmp_path / "train.csv"), target="stars", column="review")
    assert run.at(str(tmp_path / "a.csv")).load(truth=False).parts["all"].column("x") == ["a fine film", "a poor film"]
    (tmp_path / "b.csv").write_text("title,reveiw,stars\nUp,a fine film,5\nDown,a poor film,1\n")
    for truth in (True, False):
        near = r"no column 'review' \(data.column\); did you mean 'reveiw'\? columns: title"
        with pytest.raises(DataError, match=near):
            run.at(str(tmp_path / "b.csv")).load(truth=truth)
    (tmp_path / "c.csv").write_text("n,stars\n1,5\n2,1\n")
    with pytest.raises(DataError, match=r"no column 'review' \(data.column\)"):
        run.at(str(tmp_path / "c.csv")).load(truth=False)


def test_which_column_holds_the_texts(tmp_path):
    (tmp_path / "a.csv").write_text("id,title,review,stars\n1,Up,a fine film,5\n2,Down,a poor film,1\n")
    assert loaded(tmp_path / "a.csv", target="stars").parts["all"].column("x") == ["a fine film", "a poor film"]
    named = loaded(tmp_path / "a.csv", target="stars", column="title").parts["all"]
    assert named.column("x") == ["Up", "Down"] and named.column("y") == [5, 1]
    with pytest.raises(DataError, match=r"no column 'titel' \(data.column\); did you mean 'title'"):
        loaded(tmp_path / "a.csv", target="stars", column="titel")


def test_init_says_that_the_texts_are_the_input(tmp_path):
    lines = [f"this film number {k} was a {'fine' if k % 2 else 'poor'} one to see,{k % 2}" for k in range(60)]
    (tmp_path / "a.csv").write_text("\n".join(["review,good", *lines]) + "\n")
    seen = TextTable.recognize(str(tmp_path / "a.csv")).seen
    assert any(one.split()[:3] == ["review", "the", "input"] for one in seen)
    assert not any("names rows" in one for one in seen)
