"""Annotators' answers: both shapes of table say the same, and every fault is named with its line."""

import pytest

from dlspec.data.annotators import read_answers
from dlspec.types import DataError


def written(folder, text):
    file = folder / "answers.csv"
    file.write_text(text, encoding="utf-8")
    return str(file)


def texts(found):
    return {who: {one: answer.text for one, answer in of.items()} for who, of in found.items()}


def test_wide_and_long_say_the_same(tmp_path):
    wide = read_answers(written(tmp_path, "id,truth,ada,bob\na,x,x,y\nb,y,,y\n\nc,x,x,\n"))
    assert texts(wide) == {"ada": {"a": "x", "c": "x"}, "bob": {"a": "y", "b": "y"}}
    assert wide["bob"]["b"].line == 3 and wide["ada"]["c"].line == 5
    for head in ("id,annotator,answer", "rater,id,label"):
        swap = head.startswith("rater")
        rows = [("a", "ada", "x"), ("a", "bob", "y"), ("b", "bob", "y"), ("c", "ada", "x"), ("b", "ada", "")]
        lines = [",".join((who, one, what) if swap else (one, who, what)) for one, who, what in rows]
        assert texts(read_answers(written(tmp_path, "\n".join([head, *lines])))) == texts(wide)


def test_as_spreadsheets_write_them(tmp_path):
    found = read_answers(written(tmp_path, '\ufeffid;ada;bob\n1;"a;b"; c \n'))
    assert texts(found) == {"ada": {"1": "a;b"}, "bob": {"1": "c"}}


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("id,ada\na,x\n", "answers.csv: ", "two annotators at least, and this table has one alone, 'ada'"),
        ("id,annotator,answer\na,ada,x\n", "answers.csv: ", "one alone, 'ada'"),
        ("", "answers.csv:1: ", "a column 'id'; it has none"),
        ("ID,ada,bob\na,x,y\n", "answers.csv:1: ", "did you mean 'ID'?"),
        ("id,ada,bob\na,x,y\nb,x,y\na,x,x\n", "answers.csv:4: ", "'a' stands in line 2 already"),
        ("id,annotator,answer\na,ada,x\na,bob,x\na,ada,y\n", "answers.csv:4: ", "'ada' has answered 'a' in line 2"),
        ("id,ada,bob\na,x\n", "answers.csv:2: ", "2 cells, where the header has 3"),
        ("id,ada,bob\n,x,y\n", "answers.csv:2: ", "no id"),
        ("id,annotator,answer\na,,x\n", "answers.csv:2: ", "no annotator"),
        ("id,ada,ada\na,x,y\n", "answers.csv:1: ", "two columns are called 'ada'"),
    ],
)
def test_faults(tmp_path, text, place, said):
    with pytest.raises(DataError) as raised:
        read_answers(written(tmp_path, text))
    assert place in str(raised.value) and said in str(raised.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_answers(str(tmp_path / "none.csv"))
    (tmp_path / "latin.csv").write_bytes(b"id,ada,bob\na,\xe9,x\n")
    with pytest.raises(DataError, match="not UTF-8"):
        read_answers(str(tmp_path / "latin.csv"))
