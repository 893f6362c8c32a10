"""Texts for language models: windows that cover all of it, whole chapters held out, bytes that are no UTF-8."""

import gzip
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from dlspec.data import chapters
from dlspec.data.prose_guesses import is_prose
from dlspec.data.text_file import HEADING, TextFile
from dlspec.inputs.text import Text
from dlspec.inputs.tokenizing import encoded
from dlspec.recipe.load import check_text
from dlspec.runs.init import init
from dlspec.types import DataError, RecipeError

WORDS = ["whale", "sea", "the", "of", "ship", "captain", "naïve", "a", "white"]


def prose(words, seed=0):
    random = np.random.default_rng(seed)
    text = " ".join(random.choice(WORDS, words)) + "."
    return re.sub(r"(.{60,75}) ", r"\1\n", text)


def novel(count=30, words=600):
    return "".join(f"CHAPTER {i}. Of it\n\n{prose(words, i)}\n\n" for i in range(count))


def written(folder, text, name="novel.txt"):
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_windows_lie_side_by_side_and_end_before_blanks():
    text = prose(500)
    found = list(chapters.windows(text, 7, len(text), 64))
    assert found[0][0] == 7 and found[-1][1] == len(text)
    assert all(one[1] == after[0] for one, after in pairwise(found))
    assert max(end - start for start, end in found) <= 64 and min(end - start for start, end in found) > 24
    assert all(text[end].isspace() and not text[end - 1].isspace() for _, end in found[:-1])
    assert list(chapters.windows("x" * 100, 0, 100, 40)) == [(0, 34), (34, 67), (67, 100)]
    assert list(chapters.windows("a b", 0, 3, 40)) == [(0, 3)]


@pytest.mark.parametrize(("tokenizer", "excess"), [("byte_pair", 0), ("unigram", 1), ("word", 0)])
def test_pieces_of_windows_are_those_of_the_whole_text(tokenizer, excess):
    text = re.sub(r"\s+", " ", prose(3000)) if tokenizer == "unigram" else prose(3000)
    cut = [text[start:end] for start, end in chapters.windows(text, 0, len(text), 64)]
    state = Text(tokenizer=tokenizer, normalize="none", vocabulary=300).learned(cut)
    whole = np.concatenate(encoded([text], state))
    pieces = encoded(cut, state)
    assert len(cut) > 200
    if not excess:  # unigram finds another division here and there, as the most probable of all
        assert np.concatenate(pieces).tolist() == whole.tolist()
    assert sum(map(len, pieces)) <= len(whole) * (1 + 0.01 * excess)


def test_chapters_are_all_of_the_text_and_a_table_of_contents_is_none():
    heading = re.compile(rf"^(?:{HEADING})", re.MULTILINE)
    contents = "NOVEL\n\n" + "\n\n".join(f"CHAPTER {i}" for i in range(30)) + "\n\n"
    text = contents + novel(30) + "CHAPTER the last\n\nshort."
    found = chapters.chapters(text, heading)
    assert found[0][0] == 0 and found[-1][1] == len(text)
    assert all(one[1] == after[0] for one, after in pairwise(found))
    assert len(found) == 30 and all(text[start:].startswith("CHAPTER") for start, _ in found[1:])
    assert chapters.chapters("short", heading) == [(0, 5)]


def test_all_of_the_text_is_in_the_examples_and_chapters_stay_whole(tmp_path):
    text = novel()
    reader = TextFile(path=written(tmp_path, text), length=100)
    whole = reader.load()["all"]
    assert "".join(whole.column("x")) == text and whole.column("y") == whole.column("x")
    assert whole.ids[0] == f"novel.txt:{0:0{len(str(len(text)))}d}"
    splits = reader.read()
    groups = {name: set(part.column("groups")) for name, part in splits.parts.items()}
    assert set(groups) == {"train", "dev", "test"} and len(set.union(*groups.values())) == 30
    assert sum(map(len, groups.values())) == 30, "a chapter is in two splits"
    assert len(splits["dev"]) == pytest.approx(0.15 * len(whole), rel=0.3)
    assert "30 chapters" in splits.notes[0]


@pytest.mark.parametrize("settings", [{"held_out": "end"}, {"heading": None}])
def test_without_chapters_the_end_is_held_out(tmp_path, settings):
    splits = TextFile(path=written(tmp_path, novel()), length=100, **settings).read()
    places = {name: [int(one.split(":")[1]) for one in part.ids] for name, part in splits.parts.items()}
    assert max(places["train"]) < min(places["dev"]) and max(places["dev"]) < min(places["test"])
    assert any("by place in the text: train" in note for note in splits.notes), "no reader knows a time 'place'"
    assert splits["dev"].columns["groups"] is None, "the chapter that the end is of also stands in train"


def test_folders_packed_files_and_files_of_their_own(tmp_path):
    folder = tmp_path / "texts"
    (folder / "deep").mkdir(parents=True)
    written(folder, prose(300, 1), "one.txt")
    (folder / "deep" / "two.txt.gz").write_bytes(gzip.compress(prose(300, 2).encode()))
    (folder / "notes.csv").write_text("a,b")
    whole = TextFile(path=str(folder)).load()["all"]
    assert set(whole.tag("file")) == {"one.txt", "deep/two.txt.gz"}
    assert set(TextFile(path=str(folder), files_like="*.txt").load()["all"].column("groups")) == {"one.txt:0"}
    ends = TextFile(path=str(folder), held_out="end").read()
    assert set(ends["test"].tag("file")) == {"one.txt", "deep/two.txt.gz"}, "of each file the last part"
    parts = {name: written(tmp_path, prose(900, i), f"{name}.txt") for i, name in enumerate(("train", "dev", "test"))}
    given = TextFile.model_validate({"path": parts}).read()
    assert {name: part[0].x for name, part in given.parts.items()} == {
        name: Path(file).read_text(encoding="utf-8")[: len(given[name][0].x)] for name, file in parts.items()
    }


def test_what_is_no_utf8_is_replaced_and_counted(tmp_path):
    (tmp_path / "old.txt").write_bytes(b"caf\xe9 and na\xefve\r\n" + prose(300).encode())
    splits = TextFile(path=str(tmp_path / "old.txt")).load()
    assert splits["all"][0].x.startswith("caf� and na�ve\n")
    assert any("2 places" in note and "not UTF-8" in note for note in splits.notes)
    latin = TextFile(path=str(tmp_path / "old.txt"), encoding="latin-1").load()
    assert latin["all"][0].x.startswith("café and naïve\n")


def test_what_cannot_be_is_said(tmp_path):
    with pytest.raises(DataError, match="this file is empty"):
        TextFile(path=written(tmp_path, " \n\n", "empty.txt")).load()
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="no text file"):
        TextFile(path=str(tmp_path / "none")).load()
    with pytest.raises(DataError, match="no file like"):
        TextFile(path=str(tmp_path), files_like="*.tex").load()
    file = written(tmp_path, novel())
    for settings, says in (
        ("heading: '(CHAP'", "no regular expression"),
        ("heading: 'x*'", "matches an empty line"),
        ("split: {group: book}", "names a column, and a text has none"),
        ("encoding: utf-9", "unknown encoding 'utf-9'"),
        ("held_out: end, split: {folds: 3}", "folds cannot hold for the end"),
    ):
        text = f"task: language_model\ndata: {{name: text_file, path: {file}, {settings}}}\nmodel: tagger_rnn\n"
        with pytest.raises(RecipeError, match=says):
            check_text(text, tmp_path / "r.yaml")


def test_init_knows_prose_from_lists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_prose(written(tmp_path, novel()))
    paragraphs = "\n\n".join(prose(40, i).replace("\n", " ") for i in range(100))
    assert is_prose(written(tmp_path, paragraphs, "paragraphs.txt"))
    assert not is_prose(written(tmp_path, paragraphs.replace("\n\n", "\n"), "list_of_long.txt"))
    lines = "\n".join(f"{prose(8, i)}".replace("\n", " ") for i in range(900))
    assert not is_prose(written(tmp_path, lines, "list.txt"))
    assert not is_prose(written(tmp_path, lines.replace(".", ".\t1"), "labelled.txt"))
    assert not is_prose(written(tmp_path, "1,2,3\n" * 5000, "numbers.txt"))
    made = init(written(tmp_path, novel()), out="r.yaml")
    assert made["task"] == "language_model" and made["data"]["name"] == "text_file"
    assert made["model"] == {"name": "tagger_rnn", "units": 256} and made["input"]["tokenizer"] == "character"
