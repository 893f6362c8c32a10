"""Folders of pictures: classes, parts, what lies about, links, broken files, names of every kind."""

import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError
from real_data import lacking
from unprivileged import folder_of_another, unprivileged

from dlspec.data.fingerprint import duplicates
from dlspec.data.image_folder import ImageFolder
from dlspec.data.picture_folders import below
from dlspec.data.pictures import without_broken
from dlspec.numeric.picture_files import read
from dlspec.types import DataError, Examples


def put(folder, *names, colour=None):
    """Small pictures under these names."""
    for i, name in enumerate(names):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        shade = 7 * i % 256 if colour is None else colour
        kind = {"jpg": "JPEG", "jpeg": "JPEG"}.get(file.suffix[1:].lower(), file.suffix[1:].upper())
        Image.new("RGB", (4, 3), (shade, i % 256, 90)).save(file, kind)


def loaded(folder, **settings):
    return ImageFolder(path=str(folder), **settings).load()


def refusal(folder, **settings):
    with pytest.raises(DataError) as caught:
        loaded(folder, **settings)
    return str(caught.value)


def test_a_folder_a_class(tmp_path):
    put(tmp_path, "dog/b.JPG", "dog/a.jpeg", "cat/x.png", "cat/deeper/still/y.bmp", "cat/z.gif", "ant/w.webp")
    splits = loaded(tmp_path)
    whole = splits["all"]
    assert whole.ids == ["ant/w.webp", "cat/deeper/still/y.bmp", "cat/x.png", "cat/z.gif", "dog/a.jpeg", "dog/b.JPG"]
    assert whole.column("y") == ["ant", "cat", "cat", "cat", "dog", "dog"]
    assert whole.column("x") == [str(tmp_path / one) for one in whole.ids]
    assert splits.notes == ("6 pictures in 3 classes: ant (1), cat (3), dog (2)",)
    assert read(whole[0].x).shape == (3, 4, 3)


@pytest.mark.parametrize("dev", ["dev", "val", "valid", "validation", "Val"])
def test_parts_above_the_classes(tmp_path, dev):
    put(tmp_path, "train/a/1.png", "train/b/1.png", f"{dev}/a/1.png", "test/b/1.png", "test/b/in/2.png")
    splits = ImageFolder(path=str(tmp_path)).read()
    assert {name: part.ids for name, part in splits.parts.items()} == {
        "train": ["train/a/1.png", "train/b/1.png"],
        "dev": [f"{dev}/a/1.png"],
        "test": ["test/b/1.png", "test/b/in/2.png"],
    }
    assert splits["test"].column("y") == ["b", "b"]
    assert "parts as given: train 2, dev 1, test 2" in splits.notes


def test_dev_is_cut_off_train_where_there_is_none(tmp_path):
    put(tmp_path, *(f"train/{label}/{i}.png" for label in "ab" for i in range(20)), "test/a/1.png")
    splits = ImageFolder(path=str(tmp_path), split={"dev": 0.25}).read()
    assert {name: len(part) for name, part in splits.parts.items()} == {"train": 30, "dev": 10, "test": 1}


def test_classes_may_be_called_like_parts(tmp_path):
    put(tmp_path, "train/1.png", "bus/1.png", "car/1.png")
    assert loaded(tmp_path)["all"].column("y") == ["bus", "car", "train"]


def test_what_is_no_picture_is_counted_and_hidden_files_are_not(tmp_path):
    put(tmp_path, "a/1.png", "b/1.png", ".cache/c/1.png", "a/.thumbs/1.png", "stray.png", "other.png")
    (tmp_path / "a" / "._1.png").write_bytes(b"resource fork")
    for name in ("README.md", "a/notes.txt", "a/picture.tiff", "empty/x.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "void").mkdir()
    splits = loaded(tmp_path)
    assert splits["all"].ids == ["a/1.png", "b/1.png"]
    assert splits.notes[1:] == (
        "2 folders without pictures: empty, void",
        "2 pictures in no class folder left out: other.png, stray.png",
        "4 other files passed over: README.md, a/notes.txt, a/picture.tiff, …",
    )


def test_parts_with_what_belongs_to_no_class(tmp_path):
    """As competitions give them: a test without classes."""
    put(tmp_path, "train/a/1.png", "train/b/1.png", "test/1.png", "test/2.png")
    (tmp_path / "train" / "c").mkdir()
    splits = loaded(tmp_path)
    assert list(splits.parts) == ["train"]
    assert splits.notes[1:] == (
        "1 folder without pictures: train/c",
        "2 pictures in no class folder left out: test/1.png, test/2.png",
    )


def test_no_class_folders(tmp_path):
    assert f"{tmp_path}: no pictures below this folder: it has nothing; expected a folder a class" in refusal(tmp_path)
    (tmp_path / "list.csv").write_text("x")
    assert "it has 1 other file (list.csv); expected a folder a class, as cats/1.jpg" in refusal(tmp_path)
    put(tmp_path, *(f"{i}.jpg" for i in range(5)))
    said = refusal(tmp_path)
    assert "5 pictures lie directly in this folder (0.jpg, 1.jpg, 2.jpg, …), and no class folders" in said
    assert "take data.name: image_table" in said
    assert "this is a file; expected a folder a class" in refusal(tmp_path / "0.jpg")
    put(tmp_path, "train/1.jpg", "test/1.jpg")
    assert "7 pictures lie in 'test', 'train' (0.jpg, 1.jpg, 2.jpg, …), and no class folders" in refusal(tmp_path)


def test_unclear_layouts(tmp_path):
    put(tmp_path / "one", "train/a/1.png", "test/a/1.png", "more/a/1.png")
    assert "the folders 'test', 'train' look like parts and 'more' like classes" in refusal(tmp_path / "one")
    put(tmp_path / "two", "train/a/1.png", "train/b/1.png", "unlabelled/1.png")
    assert "the folders 'train' look like parts and 'unlabelled' like classes" in refusal(tmp_path / "two")
    put(tmp_path / "three", "train/a/1.png", "val/a/1.png", "valid/a/1.png")
    assert "the folders 'val' and 'valid' are both dev; keep one" in refusal(tmp_path / "three")
    put(tmp_path / "four", "images/a/1.png", "images/b/1.png")
    said = refusal(tmp_path / "four")
    assert f"'images', and that has the folders 'a', 'b'; if those are the classes, set data.path to {tmp_path}" in said


def test_links_are_followed_and_loops_are_not(tmp_path):
    put(tmp_path / "far", "1.png", "2.png")
    put(tmp_path / "data", "a/1.png", "b/1.png")
    root = tmp_path / "data"
    (root / "c").symlink_to(tmp_path / "far")
    (root / "a" / "up").symlink_to(root)
    (root / "a" / "self").symlink_to(root / "a")
    (root / "b" / "once").symlink_to(tmp_path / "far")
    (root / "b" / "twice").symlink_to(tmp_path / "far")
    (root / "b" / "file.png").symlink_to(root / "a" / "1.png")
    (root / "b" / "gone.png").symlink_to(root / "nowhere.png")
    splits = loaded(root)
    ids = ["a/1.png", "b/1.png", "b/file.png", "b/once/1.png", "b/once/2.png", "c/1.png", "c/2.png"]
    assert splits["all"].ids == ids
    assert f"{root}/b/gone.png: cannot be read: No such file or directory" in splits.notes[-1]


def test_a_folder_of_links_to_each_other_ends(tmp_path):
    for i in range(12):
        put(tmp_path, f"c/{i}/p.png")
    for i in range(12):
        for j in range(12):
            (tmp_path / "c" / str(i) / f"to{j}").symlink_to(tmp_path / "c" / str(j))
    assert len(below(str(tmp_path / "c")).pictures) == 12


def broken(folder):
    put(folder, *(f"{label}/{i}.png" for label in "ab" for i in range(4)))
    (folder / "a" / "1.png").write_bytes(b"")
    (folder / "a" / "2.png").write_bytes((folder / "a" / "2.png").read_bytes()[:-32])
    (folder / "b" / "0.jpg").write_text("not a picture")
    damaged = bytearray((folder / "b" / "3.png").read_bytes())
    damaged[damaged.index(b"IDAT") + 6] ^= 0xFF
    (folder / "b" / "3.png").write_bytes(damaged)


def test_broken_pictures_are_left_out_by_name(tmp_path):
    broken(tmp_path)
    splits = loaded(tmp_path)
    assert splits["all"].ids == ["a/0.png", "a/3.png", "b/0.png", "b/1.png", "b/2.png", "b/3.png"]
    assert splits["all"].column("y") == ["a"] * 2 + ["b"] * 4
    assert splits.notes[0] == "6 pictures in 2 classes: a (2), b (4)"
    said = splits.notes[-1]
    assert said.startswith(f"3 pictures of 9 cannot be read and left out: {tmp_path}/a/1.png: this file is empty")
    assert f"{tmp_path}/a/2.png: this PNG picture is broken or cut short" in said
    assert f"{tmp_path}/b/0.jpg: this is text ('not a picture…')" in said
    whole, notes = without_broken(splits["all"])
    assert whole.ids == ["a/0.png", "a/3.png", "b/0.png", "b/1.png", "b/2.png"]
    assert "1 picture of 6 cannot be read" in notes[0] and "b/3.png: this PNG picture is broken" in notes[0]
    assert without_broken(whole)[1] == [] and without_broken(whole)[0].ids == whole.ids
    arrays = Examples(["1"], np.zeros((1, 2, 2)))
    assert without_broken(arrays) == (arrays, [])


def test_strict_refuses_them_all_at_once(tmp_path):
    broken(tmp_path)
    lines = refusal(tmp_path, strict=True).splitlines()
    assert len(lines) == 3 and all(line.startswith(str(tmp_path)) for line in lines)
    with pytest.raises(DataError, match=r"b/3\.png"):
        without_broken(loaded(tmp_path)["all"], strict=True)
    for i in range(30):
        (tmp_path / "b" / f"bad{i:02d}.png").write_bytes(b"")
    lines = refusal(tmp_path, strict=True).splitlines()
    assert len(lines) == 21 and lines[-1] == "13 more pictures cannot be read"


def test_nothing_but_broken_pictures(tmp_path):
    for name in ("a/1.png", "b/1.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"")
    assert len(refusal(tmp_path).splitlines()) == 2


def test_what_may_not_be_read():
    with folder_of_another() as home:
        put(home, "a/1.png", "a/2.png", "b/1.png")
        assert loaded(home)["all"].ids == ["a/1.png", "a/2.png", "b/1.png"]
        (home / "a" / "1.png").chmod(0)
        with unprivileged():
            splits = loaded(home)
        assert splits["all"].ids == ["a/2.png", "b/1.png"] and "Permission denied" in splits.notes[-1]
        (home / "b").chmod(0)
        try:
            with unprivileged():
                assert "this folder cannot be read: Permission denied" in refusal(home)
        finally:
            (home / "b").chmod(0o700)


def test_names_of_every_kind(tmp_path):
    names = [
        b"caf\xe9/1.png",
        b"<script>/<b>.png",
        b"two\nlines/1.png",
        "größe/東京.png".encode(),
        b"back\\slash/1.png",
    ]
    for name in names:
        file = os.path.join(os.fsencode(tmp_path), name)
        os.makedirs(os.path.dirname(file))
        Image.new("RGB", (4, 3)).save(file)
    splits = ImageFolder(path=str(tmp_path), split={"dev": 1, "test": 1}).read()
    found = [example for part in splits.parts.values() for example in part]
    assert sorted(one.id for one in found) == [
        "<script>/<b>.png",
        "back\\\\slash/1.png",
        "caf\\xe9/1.png",
        "größe/東京.png",
        "two\\nlines/1.png",
    ]
    assert {one.y for one in found} == {"caf\\xe9", "<script>", "two\\nlines", "größe", "back\\\\slash"}
    for one in found:
        assert read(one.x).shape == (3, 4, 3) and f"{one.id}{one.y}".encode()
    " ".join(splits.notes).encode()


def test_accents_written_apart_are_the_same_name(tmp_path):
    put(tmp_path, "cafe\u0301/1.png", "b/1.png")
    splits = loaded(tmp_path)
    assert splits["all"].ids == ["b/1.png", "café/1.png"] and splits["all"].column("y") == ["b", "café"]
    put(tmp_path, "café/1.png")
    assert "two files are called 'café/1.png', and differ in how the accents are written" in refusal(tmp_path)


def test_the_same_on_every_machine(tmp_path):
    """Whatever order the system lists files in, and wherever the folder lies."""
    names = [f"{label}/{i}.png" for label in ("b", "a", "Z", "ä") for i in range(12)]
    put(tmp_path / "one", *names)
    shuffled = sorted(names, key=lambda name: random.Random(name).random())
    for name in shuffled:
        (tmp_path / "two" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / "one" / name, tmp_path / "two" / name)
    one, two = (ImageFolder(path=str(tmp_path / name)).read() for name in ("one", "two"))
    assert {n: p.ids for n, p in one.parts.items()} == {n: p.ids for n, p in two.parts.items()}
    assert one.fingerprint == two.fingerprint
    put(tmp_path / "two", "a/3.png", colour=250)
    assert ImageFolder(path=str(tmp_path / "two")).read().fingerprint != one.fingerprint


def test_copies_in_two_parts_are_found(tmp_path):
    put(tmp_path, "train/a/1.png", "train/b/1.png", "test/a/9.png")
    shutil.copy(tmp_path / "train/b/1.png", tmp_path / "test/a/copy.png")
    [found] = duplicates(ImageFolder(path=str(tmp_path), split={"dev": 0}).read())
    assert found.ids == {"train": ("train/b/1.png",), "test": ("test/a/copy.png",)} and found.labels_differ


def test_groups_out_of_the_path(tmp_path):
    put(tmp_path, *(f"{'ab'[p % 2]}/p{p:02d}_{i}.png" for p in range(20) for i in range(4)))
    reader = ImageFolder(path=str(tmp_path), group_pattern=r"(p\d+)_", split={"dev": 0.2, "test": 0.2})
    splits = reader.read()
    groups = {name: set(part.column("groups")) for name, part in splits.parts.items()}
    assert sum(map(len, groups.values())) == 20 and len(set.union(*groups.values())) == 20
    assert "by group" in splits.notes[-1] and all(len(one) >= 3 for one in groups.values())
    put(tmp_path, "a/odd.png")
    said = refusal(tmp_path, group_pattern=r"(p\d+)_")
    assert r"data.group_pattern '(p\d+)_' is not found in 1 of 81 paths, as a/odd.png" in said
    put(tmp_path / "new", "a/1.png", "b/1.png")
    assert reader.at(str(tmp_path / "new")).load()["all"].columns["groups"] is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"group_pattern": "p("}, "is no regular expression"),
        ({"group_pattern": "p"}, "expected one group in round brackets"),
        ({"group_pattern": "(a)(b)"}, "got 2"),
        ({"split": {"group": "patient"}}, "data.group_pattern takes the group out of the path"),
        ({"split": {"time": "date"}}, "a file's date changes when it is copied"),
    ],
)
def test_settings_that_cannot_hold(tmp_path, settings, said):
    with pytest.raises(ValidationError, match=said):
        ImageFolder(path=str(tmp_path), **settings)


def test_new_pictures_without_truth(tmp_path):
    put(tmp_path / "data", "a/1.png", "b/1.png")
    put(tmp_path / "new", "2.png", "sub/1.JPG", ".hidden.png")
    (tmp_path / "new" / "bad.png").write_bytes(b"")
    reader = ImageFolder(path=str(tmp_path / "data"))
    new = reader.at(str(tmp_path / "new")).load(truth=False)["all"]
    assert new.ids == ["2.png", "bad.png", "sub/1.JPG"] and not new.labelled
    assert new[2].x == str(tmp_path / "new/sub/1.JPG")
    single = reader.at(str(tmp_path / "new" / "2.png")).load(truth=False)["all"]
    assert single.ids == ["2.png"] and read(single[0].x).shape == (3, 4, 3)
    assert reader.at(str(tmp_path / "data")).load(truth=False)["all"].ids == ["a/1.png", "b/1.png"]
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="no pictures below this folder"):
        reader.at(str(tmp_path / "none")).load(truth=False)
    made = ImageFolder.for_kind("picture", str(tmp_path / "new" / "2.png"))
    assert made.load(truth=False)["all"].ids == ["2.png"] and ImageFolder.for_kind("table", "x.png") is None


@pytest.mark.skipif(not os.environ.get("DLSPEC_DATA"), reason=lacking("sign_digits"))
def test_sign_digits():
    splits = ImageFolder(path=str(Path(os.environ["DLSPEC_DATA"]) / "sign_digits")).read()
    counts = [sum(part.column("y").count(str(k)) for part in splits.parts.values()) for k in range(6)]
    assert counts == [205, 206, 206, 206, 207, 207]
    assert len(splits["dev"]) == len(splits["test"]) == 186 and read(splits["train"][0].x).shape == (100, 100, 3)
