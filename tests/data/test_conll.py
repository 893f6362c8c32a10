"""A word a line: what is read, what is passed over and told, what is refused by file and line; and real tweets."""

import gzip
import os
from pathlib import Path

import pytest
from real_data import lacking

from dlspec.data.conll import Conll
from dlspec.runs.init import init
from dlspec.types import DataError

PLAIN = """-DOCSTART- -X- O

EU NNP B-ORG
rejects VBZ O

# a comment of several words
Peter NNP B-PER


-DOCSTART- -X- O
Yes UH O
"""


def written(tmp_path, text, name="a.conll"):
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(file)


def one(tmp_path, text, **settings):
    return Conll(path=written(tmp_path, text), **settings).load()


def test_sentences_documents_comments(tmp_path):
    loaded = one(tmp_path, PLAIN)
    [part] = loaded.parts.values()
    assert part.column("x") == [("EU", "rejects"), ("Peter",), ("Yes",)]
    assert part.column("y") == [("B-ORG", "O"), ("B-PER",), ("O",)]
    assert part.ids == ["1", "2", "3"] and part.column("groups") == ["1", "1", "2"]
    [note] = loaded.notes
    columns = "words in column 1, tags in column 3 of 3"
    assert note == f"a.conll: 3 sentences in 2 documents, 4 words, {columns}; comments passed over: 1"


def test_columns_by_setting(tmp_path):
    [part] = one(tmp_path, PLAIN, tag=2).parts.values()
    assert part.column("y")[0] == ("NNP", "VBZ")
    with pytest.raises(DataError, match=r"there is no column 4 \(data.tag\): there are 3 columns"):
        one(tmp_path, PLAIN, tag=4)
    with pytest.raises(DataError, match=r"there is no column 9 \(data.word\)"):
        one(tmp_path, PLAIN, word=9)


def test_tabs_keep_blanks_and_signs(tmp_path):
    [part] = one(tmp_path, "New York\tB-x\n#now\tO\n# \tO\n\u00a0a\tO\r\n\r\nb\tO").parts.values()
    assert part.column("x") == [("New York", "#now", "#", "\u00a0a"), ("b",)]
    [part] = one(tmp_path, "#tag O\n# O\n# a long comment\nb  O \n").parts.values()
    assert part.column("x") == [("#tag", "#", "b")]


def test_universal_dependencies(tmp_path):
    found = ["1-2 zum _ _ _ _ _ _ _ _", "1 zu zu ADP _ _ 3 case _ _", "2 dem der DET _ _ 3 det _ _"]
    rows = ["\t".join(one.split()) for one in found]
    [part] = (loaded := one(tmp_path, "# sent_id = 1\n" + "\n".join(rows) + "\n\n" + rows[1] + "\n")).parts.values()
    assert part.column("x") == [("zu", "dem"), ("zu",)] and part.column("y") == [("ADP", "DET"), ("ADP",)]
    assert "comments passed over: 1; lines passed over that stand for several words" in loaded.notes[0]


def test_ragged_lines_are_named(tmp_path):
    with pytest.raises(DataError) as caught:
        one(tmp_path, "a\tO\nb O\n\nc\tO\textra\nd\tO\n")
    assert [(one.where.line, one.message) for one in caught.value.complaints] == [
        (2, "has 1 column, expected 2 columns as on most lines (with tabs between them), got 'b O'"),
        (4, "has 3 columns, expected 2 columns as on most lines (with tabs between them), got 'c\tO\textra'"),
    ]
    assert all(str(one.where.file).endswith("a.conll") for one in caught.value.complaints)
    with pytest.raises(DataError, match="10 more lines are so"):
        one(tmp_path, "a\tO\n" * 60 + "b\n" * 30)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "this file is empty"),
        ("\n \n", "this file is empty"),
        ("# one\n", "comments alone"),
        ("a\nb\n", "there are words alone, one a line, and no tags"),
        ("a\tO\nb\t\n", "a tag .column 2. is nothing; expected one without blanks"),
        ("a\tO\n\n\tO\n", "a word .column 1. is nothing"),
        ("a\tB x\n", "a tag .column 2. is 'B x'"),
        (b"\x00\x01", "binary data"),
    ],
)
def test_what_is_refused(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        one(tmp_path, text)


def test_bytes_that_are_no_letters_are_counted(tmp_path):
    loaded = one(tmp_path, b"caf\xe9\tO\n\nb\tO\n")
    assert loaded.parts["all"].column("x")[0] == ("caf\ufffd",) and "1 place in 1 line" in loaded.notes[0]
    assert one(tmp_path, b"caf\xe9\tO\n", encoding="latin-1").parts["all"].column("x") == [("café",)]


def test_words_alone_are_enough_to_predict(tmp_path):
    reader = Conll(path=written(tmp_path, "a\tO\n"))
    other = reader.at(written(tmp_path, "a\nb\n\nc\n", "new.conll"))
    [part] = other.load(truth=False).parts.values()
    assert part.column("x") == [("a", "b"), ("c",)] and not part.labelled
    with pytest.raises(DataError, match="words alone"):
        other.load()


def test_parts_have_files_of_their_own_and_may_be_packed(tmp_path):
    files = {part: written(tmp_path, gzip.compress(b"a\tO\n\nb\tO\n"), f"{part}.conll.gz") for part in ("train", "dev")}
    parts = Conll(path=files).read().parts
    assert parts["train"].ids == ["train:1", "train:2"] and parts["dev"].ids == ["dev:1", "dev:2"]


def test_documents_are_whole_in_their_splits(tmp_path):
    text = "\n".join(f"-DOCSTART-\n\na{i}\tO\n\nb{i}\tO\n" for i in range(12))
    parts = Conll(path=written(tmp_path, text), split={"group": "document", "dev": 0.3, "test": 0}).read().parts
    assert not set(parts["train"].column("groups")) & set(parts["dev"].column("groups"))
    for split, said in (({"group": "writer"}, "`document` alone"), ({"time": "day"}, "have none")):
        with pytest.raises(ValueError, match=said):
            Conll(path=written(tmp_path, text), split=split)


def test_a_long_sentence_is_told(tmp_path):
    assert "are empty lines between sentences missing?" in one(tmp_path, "a\tO\n" * 1_000).notes[1]


def test_tables_and_prose_are_none_of_it(tmp_path):
    for text in ("a\tb\n1\t2\n3\t4\n", "Some text.\n\nMore of it here.\n\nAnd an end.\n", "x 1\n\ny 2\n\nz 3\n\nw 4\n"):
        assert Conll.recognize(written(tmp_path, text, "some.txt")) is None


@pytest.mark.skipif(not Path(os.environ.get("DLSPEC_DATA", "."), "wnut17_ner").is_dir(), reason=lacking("wnut17_ner"))
def test_tweets_of_wnut(tmp_path, monkeypatch):
    home = Path(os.environ["DLSPEC_DATA"], "wnut17_ner")
    monkeypatch.chdir(tmp_path)
    made = init(str(home), out="r.yaml")
    assert made["data"]["name"] == "conll" and made["task"] == "tagging" and made["model"]["name"] == "tagger_rnn"
    parts = Conll(path=made["data"]["path"]).read().parts
    # Derczynski et al. (2017), table 2; of train a sentence more than its empty lines.
    assert {name: len(part) for name, part in parts.items()} == {"train": 3394, "dev": 1009, "test": 1287}
    words = {name: sum(map(len, part.column("x"))) for name, part in parts.items()}
    assert words == {"train": 62730, "dev": 15733, "test": 23394}


@pytest.mark.parametrize("name", ["some.conll", "some.txt"])
def test_init_tells_which_lines_of_a_ragged_file_are_broken(tmp_path, name):
    sentence = "John B-PER\nlives O\nin O\nRome B-LOC\n\n"
    text = 3 * sentence + sentence.replace("in O", "in") + 3 * sentence
    with pytest.raises(DataError) as found:
        init(written(tmp_path, text, name), out="-")
    head, line, *_ = map(str, found.value.complaints)
    assert f"{name}: this looks like CoNLL" in head
    assert f"{name}:18: has 1 column, expected 2 columns as on most lines" in line
    with pytest.raises(DataError) as found:
        init(written(tmp_path, 40 * "a line\nof\nall sorts of words\n\n", name), out="-")
    assert not any("CoNLL (a word" in one.message for one in found.value.complaints)
