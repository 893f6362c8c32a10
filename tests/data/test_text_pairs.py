"""Pairs of texts: two files of aligned lines, one with tabs; where they part is said."""

import gzip
import re

import numpy as np
import pytest

from dlspec.data.aligned_lines import parted
from dlspec.data.text_pairs import TextPairs
from dlspec.runs.init import init
from dlspec.types import DataError

ENGLISH = ["A dog runs.", "Two men sing.", "It rains."]
GERMAN = ["Ein Hund läuft.", "Zwei Männer singen.", "Es regnet."]


def write(folder, name, lines):
    data = ("\n".join(lines) + "\n").encode()
    (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return str(folder / name)


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_line_n_belongs_to_line_n(tmp_path, packed):
    reader = TextPairs(path=write(tmp_path, f"a.en{packed}", ENGLISH), target=write(tmp_path, f"a.de{packed}", GERMAN))
    part = reader.load().parts["all"]
    assert part.ids == ["1", "2", "3"] and part.column("x") == ENGLISH and part.column("y") == GERMAN
    assert reader.load(truth=False).parts["all"].column("x") == ENGLISH


def test_a_file_for_each_part(tmp_path):
    files = {
        kind: {part: write(tmp_path, f"{part}.{kind}", lines[:n]) for part, n in (("train", 3), ("dev", 1))}
        for kind, lines in (("en", ENGLISH), ("de", GERMAN))
    }
    reader = TextPairs.model_validate({"path": files["en"], "target": files["de"]})
    splits = reader.read()
    assert splits["train"].ids == ["train:1", "train:2", "train:3"] and splits["dev"].column("y") == GERMAN[:1]
    other = write(tmp_path, "new.en", ENGLISH[:2])
    assert reader.at(other).load(truth=False).parts["all"].column("y") == [None, None]
    write(tmp_path, "new.de", GERMAN[:2])
    assert reader.at(other).load().parts["all"].column("y") == GERMAN[:2]
    with pytest.raises(ValueError, match=r"targets are given for train, sources for train, dev"):
        TextPairs.model_validate({"path": files["en"], "target": {"train": files["de"]["train"]}})


def test_tabs_between(tmp_path):
    lines = [f"{i}\t{a}\t{b}" for i, (a, b) in enumerate(zip(ENGLISH, GERMAN, strict=True))]
    reader = TextPairs(path=write(tmp_path, "pairs.tsv", lines), columns=(3, 2))
    part = reader.load().parts["all"]
    assert part.column("x") == GERMAN and part.column("y") == ENGLISH
    alone = reader.at(write(tmp_path, "new.txt", GERMAN)).load(truth=False).parts["all"]
    assert alone.column("x") == GERMAN and not alone.labelled
    with pytest.raises(DataError, match=r"lines 2 and 3 have no column 2.*data.target"):
        TextPairs(path=write(tmp_path, "broken.tsv", ["a\tb", "c", "d"])).load()
    with pytest.raises(ValueError, match="two different columns"):
        TextPairs(path=write(tmp_path, "b.tsv", ["a\tb"]), columns=(1, 1))


def test_where_files_part_is_said(tmp_path):
    english = write(tmp_path, "a.en", [*ENGLISH[:1], "", *ENGLISH[1:]])
    german = write(tmp_path, "a.de", GERMAN)
    with pytest.raises(DataError, match=r"has 4 lines, and .*a\.de has 3.*part at line 2, which is empty in .*a\.en"):
        TextPairs(path=english, target=german).load()
    with pytest.raises(DataError, match="the shorter ends before line 3"):
        TextPairs(path=write(tmp_path, "b.en", ENGLISH), target=write(tmp_path, "b.de", GERMAN[:2])).load()


def test_a_lost_line_is_found_by_the_lengths_of_those_around_it(tmp_path):
    random = np.random.default_rng(0)
    lengths = random.integers(5, 60, 300)
    english = ["e" * k for k in lengths]
    german = ["d" * round(1.2 * k + one) for k, one in zip(lengths, random.normal(0, 2, 300), strict=True)]
    for lost in (40, 150, 299):
        said = parted("a.en", english, "a.de", german[:lost] + german[lost + 1 :])
        if lost == 299:
            assert f"the shorter ends before line 300, which is '{english[-1][:40]}" in said
            continue
        found = re.search(r"at about line (\d+) \('(e+)…?' beside '(d+)…?'\)", said)
        assert found and abs(int(found[1]) - lost - 1) <= 2 and found[2] == english[int(found[1]) - 1][:40]
    assert "at about line" in parted("a.de", german[:99] + german[100:], "a.en", english)


def test_what_is_empty_or_no_utf8_is_counted(tmp_path):
    (tmp_path / "a.en").write_bytes(b"caf\xe9\n\nfine\n")
    reader = TextPairs(path=str(tmp_path / "a.en"), target=write(tmp_path, "a.de", ["x", "y", "z"]))
    loaded = reader.load()
    assert loaded.parts["all"].column("x") == ["caf\ufffd", "", "fine"]
    assert any("1 place in 1 line" in one and one.endswith("write the file as UTF-8") for one in loaded.notes)
    assert "a.en: 1 of 3 sources are empty (line 2)" in loaded.notes
    turned = TextPairs(path=str(tmp_path / "a.de"), target=str(tmp_path / "a.en")).load()
    assert "a.en: 1 of 3 targets are empty (line 2)" in turned.notes


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "this file is empty"),
        (b"\n \n\t\n", "holds no {} at all: every line is empty"),
        ("\n".join(ENGLISH).encode("utf-16"), "is no UTF-8 (byte 0xff in line 1); write it as UTF-8"),
    ],
)
def test_a_file_that_holds_nothing_is_told_by_its_own_name(tmp_path, packed, data, said):
    bad, good = tmp_path / f"bad.de{packed}", write(tmp_path, "good.en", ENGLISH)
    bad.write_bytes(gzip.compress(data) if packed else data)
    for what, reader in (
        ("source", TextPairs(path=str(bad), target=good)),
        ("target", TextPairs(path=good, target=str(bad))),
    ):
        with pytest.raises(DataError) as found:
            reader.load()
        [one] = found.value.complaints
        assert (one.where.file, one.message) == (str(bad), said.format(what))
    bad.write_bytes(gzip.compress(b"a\nb\nc\n")[:-9])
    with pytest.raises(DataError, match=r"bad\.de.*was it copied whole" if packed else r"bad\.de"):
        reader.load()


def test_init_knows_which_files_belong_together(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    folder.mkdir()
    for part, times in (("train", 20), ("val", 4)):
        for ending, lines in (("en", ENGLISH), ("de", GERMAN)):
            write(folder, f"{part}.{ending}", [f"{line} {i} and {i * i}" for i in range(times) for line in lines])
    write(folder, "test_2016.en", ENGLISH)
    write(folder, "test_2016.de", GERMAN)
    made = init("data/train.en", out="-")
    assert made["task"] == "translation" and made["model"]["name"]
    assert made["input"]["tokenizer"] == "byte_pair"
    assert {part: path[-6:] for part, path in made["data"]["path"].items()} == {"train": "ain.en", "dev": "val.en"}
    assert made["data"]["target"]["dev"].endswith("val.de")
    assert any("test_2016" in one for one in made["doubts"]) and any("en to de" in one for one in made["seen"])
    turned = init("data", out="-", target="en")
    assert turned["data"]["path"]["train"].endswith("train.de")
    tabs = [f"{a} {i * i}\t{b} {i}" for i in range(20) for a, b in zip(ENGLISH, GERMAN, strict=True)]
    write(folder, "both.tsv", tabs)
    assert init("data/both.tsv", out="-")["data"]["name"] == "text_pairs"
