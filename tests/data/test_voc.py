"""Pascal VOC: lists, folders, what is wrong by file and line; the blood cells' own figures."""

import os
from collections import Counter
from pathlib import Path

import pytest
from contracts import boxed
from real_data import lacking

from dlspec.data.voc import Voc
from dlspec.numeric.places import Box
from dlspec.types import DataError

BLOOD = Path(os.environ.get("DLSPEC_DATA", "")) / "bccd_voc"


def scene(folder, name, boxes, **settings):
    boxed.picture(folder / "JPEGImages" / f"{name}.png", sum(map(ord, name)))
    boxed.write(folder / "Annotations" / f"{name}.xml", boxed.xml(boxes, f"{name}.png", **settings))


def notes(path, **settings):
    return "\n".join(Voc(path=str(path), **settings).load().notes)


def test_lists_are_the_splits_and_difficult_ones_are_crowds(tmp_path):
    scene(tmp_path, "a", [("cat", 1, 2, 5, 9), ("dog", 3, 3, 8, 8, "<difficult>1</difficult>")])
    scene(tmp_path, "b", [])
    scene(tmp_path, "c 1", [("cat", 0.5, 2, 5.25, 9)])
    scene(tmp_path, "unused", [("cat", 1, 2, 5, 9)])
    boxed.write(tmp_path / "ImageSets/Main/train.txt", "a\nb  -1\n\n")
    boxed.write(tmp_path / "ImageSets/Main/val.txt", "c 1\n")
    boxed.write(tmp_path / "ImageSets/Main/trainval.txt", "a\nb\nc 1\n")
    boxed.write(tmp_path / "ImageSets/Main/cat_train.txt", "a 1\n")
    splits = Voc(path=str(tmp_path)).load()
    assert {part: own.ids for part, own in splits.parts.items()} == {"train": ["a.png", "b.png"], "dev": ["c 1.png"]}
    assert splits["train"].column("y") == [(Box("cat", 1, 2, 5, 9), Box("dog", 3, 3, 8, 8, True)), ()]
    assert splits["dev"][0].y == (Box("cat", 0.5, 2, 5.25, 9),)
    assert "3 pictures, 1 without boxes; 3 boxes: cat (2), dog (1); 1 of them crowds" in splits.notes[0]
    assert "1 annotations in no list" in splits.notes[1]
    assert Voc(path=str(tmp_path)).load(truth=False).parts["all"].ids == ["a.png", "b.png", "c 1.png", "unused.png"]


def test_pixels_counted_from_one_as_in_the_challenges(tmp_path):
    scene(tmp_path, "a", [("cat", 1, 1, 20, 10), ("dog", 3, 4, 3, 4)])
    whole = Voc(path=str(tmp_path), counted_from=1).load().parts["all"]
    assert whole[0].y == (Box("cat", 0, 0, 20, 10), Box("dog", 2, 3, 3, 4))


def test_the_challenges_own_files_are_known_by_what_they_say(tmp_path):
    home = tmp_path / "VOCdevkit" / "VOC2007"
    for name in "abcdefghijkl":
        scene(home, name, [("cat", 1, 1, 20, 10)])
    assert [line.key for line in Voc.recognize(str(home)).data] == ["path"]
    for file in (home / "Annotations").iterdir():
        source = "<source><database>The VOC2007 Database</database></source>"
        file.write_text(file.read_text().replace("<size>", f"{source}<size>"))
    found = {line.key: line.value for line in Voc.recognize(str(tmp_path / "VOCdevkit")).data}
    assert found == {"path": str(home), "counted_from": 1}


def test_folders_are_the_splits_where_there_are_no_lists(tmp_path):
    for part in ("train", "valid"):
        boxed.picture(tmp_path / part / "1.png", 1)
        boxed.write(tmp_path / part / "1.xml", boxed.xml([("cat", 1, 2, 5, 9)], "/home/someone/1.jpg"))
    boxed.picture(tmp_path / "train" / "2.png", 2)
    parts = Voc(path=str(tmp_path)).load().parts
    assert {part: own.ids for part, own in parts.items()} == {"train": ["train/1.png"], "dev": ["dev/1.png"]}
    assert len(Voc(path=str(tmp_path / "train")).load(truth=False).parts["all"]) == 2


def test_what_is_wrong_is_said_with_file_and_line_and_left_out(tmp_path):
    right = ("cat", 1, 2, 5, 9)
    wrong = [("cat", 5, 2, 1, 9), ("cat", 5, 2, 5, 9), ("cat", 1, 2, 25, 9), ("cat", "nan", 2, 5, 9), ("", 1, 2, 5, 9)]
    scene(tmp_path, "a", [right, *wrong, right])
    scene(tmp_path, "b", [right], size=(10, 20))
    scene(tmp_path, "c", [right] * 9)
    scene(tmp_path, "d", [right], size=(0, 0))
    boxed.write(tmp_path / "Annotations/e.xml", boxed.xml([right], "e.png"))
    boxed.write(tmp_path / "Annotations/f.xml", "<annotation>\n<object>\n</annotation>")
    splits = Voc(path=str(tmp_path), most=8).load()
    assert splits.parts["all"].ids == ["a.png", "d.png"] and splits.parts["all"][0].y == (Box(*right),)
    said = "\n".join(splits.notes)
    for line, message in {
        8: "(5, 2, 1, 9) is turned inside out: left is right of right",
        12: "(5, 2, 5, 9) has no area",
        16: "(1, 2, 25, 9) is not within its picture, which is 20×10",
        20: "(nan, 2, 5, 9) should have four finite numbers",
        24: "(1, 2, 5, 9) has no class",
        28: "is in its picture twice",
    }.items():
        assert any(f"a.xml:{line}: the box " in note and message in note for note in splits.notes), (line, said)
    assert "b.xml: this says that b.png is 10×20, and it is 20×10 (width × height)" in said
    assert "c.xml: c.png has 9 boxes" in said and "e.xml: there is no picture e.png" in said
    assert "f.xml:3:2: this XML is broken: mismatched tag" in said
    with pytest.raises(DataError) as caught:
        Voc(path=str(tmp_path), strict=True, most=8).load()
    assert len(caught.value.complaints) == 10
    assert all(complaint.where.file for complaint in caught.value.complaints)


def test_many_faults_are_told_in_short(tmp_path):
    scene(tmp_path, "a", [("cat", 1, 2, 5, 9), *(("cat", i, 2, i, 9) for i in range(1000))])
    said = notes(tmp_path)
    assert "left out 1,000 boxes without area" in said and said.count("has no area") == 3
    with pytest.raises(DataError) as caught:
        Voc(path=str(tmp_path), strict=True).load()
    assert len(caught.value.complaints) == 21 and "1,000 boxes without area" in str(caught.value)


def test_a_hundred_thousand_boxes_on_one_picture(tmp_path):
    scene(tmp_path, "a", [("cat", 1, 2, 5, 9)])
    scene(tmp_path, "b", [("cat", 1, 2, 5, 9)] * 100_000)
    assert "left out 1 picture with more than 5,000 boxes" in notes(tmp_path) and "b.png has 100,000 boxes" in notes(
        tmp_path
    )


def test_a_class_that_train_has_not(tmp_path):
    scene(tmp_path, "a", [("cat", 1, 2, 5, 9)])
    scene(tmp_path, "b", [("cat", 1, 2, 5, 9), ("Cat", 1, 2, 6, 9)])
    boxed.write(tmp_path / "ImageSets/Main/train.txt", "a\n")
    boxed.write(tmp_path / "ImageSets/Main/test.txt", "b\n")
    with pytest.raises(DataError, match=r"b.xml:8: test has boxes of the class 'Cat' \(1\), and train has none"):
        Voc(path=str(tmp_path)).load()
    assert "b.xml:8: the box (1, 2, 6, 9) has the class 'Cat', and the classes are cat" in notes(
        tmp_path, classes=("cat",)
    )


def test_nothing_to_learn_from(tmp_path):
    scene(tmp_path, "a", [])
    with pytest.raises(DataError, match="there is no box in any picture to learn from"):
        Voc(path=str(tmp_path)).load()
    assert Voc(path=str(tmp_path)).at(str(tmp_path)).load().parts["all"].column("y") == [()]
    with pytest.raises(DataError, match="there is no XML file in it"):
        Voc(path=str(tmp_path / "JPEGImages")).load()
    boxed.write(tmp_path / "ImageSets/Main/train.txt", "a\n")
    boxed.write(tmp_path / "ImageSets/Main/test.txt", "a\nghost\n")
    with pytest.raises(DataError, match=r"test.txt:1: the picture a.png stands in train and in test"):
        Voc(path=str(tmp_path)).load()


@pytest.mark.skipif(not BLOOD.is_dir(), reason=lacking("bccd_voc"))
def test_the_blood_cells():
    """Counts of SOURCE.md; two boxes without area are of the original."""
    splits = Voc(path=str(BLOOD / "BCCD")).load()
    assert {part: len(own) for part, own in splits.parts.items()} == {"train": 205, "dev": 87, "test": 72}
    counts = Counter(box.name for own in splits.parts.values() for y in own.column("y") for box in y)
    assert counts == {"RBC": 4153, "WBC": 372, "Platelets": 361}
    [note] = [one for one in splits.notes if "left out" in one]
    assert "2 boxes without area" in note and "BloodImage_00338.xml:158" in note and "BloodImage_00343.xml:50" in note
    proposal = Voc.recognize(str(BLOOD))
    assert proposal.task[0].value == "detection" and proposal.facts.outputs == 8
    assert proposal.data[0].value == str(BLOOD / "BCCD") and len(proposal.data) == 1
