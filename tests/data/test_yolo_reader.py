"""YOLO: data.yaml, folders and lists, names; what is wrong by file and line."""

import pytest
from contracts import boxed

from dlspec.data.yolo import Yolo
from dlspec.data.yolo_layout import label_of
from dlspec.numeric.places import Box
from dlspec.types import DataError

WHOLE = "0 0.5 0.5 1 1"


def scene(folder, name, *lines, labels="labels"):
    boxed.picture(folder / "images" / f"{name}.png", sum(map(ord, name)))
    if lines:
        boxed.write(folder / labels / f"{name}.txt", "\n".join(lines) + "\n")


def settings(folder, text="train: images/train\nval: images/val\nnames: [cat, dog]\n"):
    boxed.write(folder / "data.yaml", text)
    return str(folder / "data.yaml")


def ids(splits):
    return {part: own.ids for part, own in splits.parts.items()}


def test_folders_of_data_yaml_and_pictures_without_a_text_file(tmp_path):
    scene(tmp_path, "train/a", "1 0.25 0.5 0.2 0.4", "", "0 0.1 0.2 0.3 0.2 0.3 0.8")
    scene(tmp_path, "train/deep/b")
    scene(tmp_path, "val/a", WHOLE)
    splits = Yolo(path=settings(tmp_path)).load()
    assert ids(splits) == {"train": ["train/a.png", "train/deep/b.png"], "dev": ["dev/a.png"]}
    [first, second], empty = splits["train"].column("y")
    assert first.name == "dog" and first.corners == pytest.approx((3, 3, 7, 7))
    assert second.name == "cat" and second.corners == pytest.approx((2, 2, 6, 8)) and empty == ()
    assert splits["dev"][0].y == (Box("cat", 0, 0, 20, 10),)
    assert Yolo(path=str(tmp_path)).load().parts["train"].ids == splits["train"].ids
    assert Yolo(path=str(tmp_path / "images")).load(truth=False).parts["all"].ids[0] == "train/a.png"


def test_lists_of_files_and_paths_as_they_are_moved(tmp_path):
    home = tmp_path / "set"
    scene(home, "a", WHOLE)
    scene(home, "b", WHOLE)
    boxed.write(home / "train.txt", "./images/a.png\n")
    text = "path: .\ntrain: train.txt\nval: ../images/b.png\ntest: null\nnames:\n  0: cat\n  1: dog\nnc: 2\n"
    assert ids(Yolo(path=settings(home, text)).load()) == {"train": ["train/a.png"], "dev": ["dev/b.png"]}
    same = settings(home, "train: images\nval: images\nnames: [cat]\n")
    splits = Yolo(path=same).load()
    assert ids(splits) == {"all": ["a.png", "b.png"]} and "same pictures as train and as val" in splits.notes[1]
    same = settings(home, "train: images/a.png\nval: images/b.png\ntest: images/b.png\nnames: [cat]\n")
    assert set(Yolo(path=same).load().parts) == {"train", "dev"}
    both = settings(home, "train: images\nval: images/b.png\nnames: [cat]\n")
    with pytest.raises(DataError, match=r"the picture dev/b.png stands in train and in dev"):
        Yolo(path=both).load()


def test_names_in_a_file_and_text_files_beside_pictures(tmp_path):
    scene(tmp_path, "a", WHOLE, "1 0.5 0.5 0.5 0.5", labels="images")
    assert label_of(str(tmp_path / "images/a.png")) == str(tmp_path / "images/a.txt")
    with pytest.raises(DataError, match=r"there is no data.yaml in it, nor classes.txt"):
        Yolo(path=str(tmp_path)).load()
    boxed.write(tmp_path / "images/classes.txt", "cat\nbig dog\n")
    assert Yolo(path=str(tmp_path)).load().parts["all"][0].y[1] == Box("big dog", 5, 2.5, 15, 7.5)
    assert Yolo(path=str(tmp_path), classes=("x", "y")).load().parts["all"][0].y[0].name == "x"
    assert Yolo.recognize(str(tmp_path)).task[0].value == "detection"


def test_what_is_wrong_is_said_with_file_and_line(tmp_path):
    wrong = {
        2: ("2 0.5 0.5 0.5 0.5", "class 2 is past the 2 names (0 to 1: cat, dog)"),
        3: ("cat 0.5 0.5 0.5 0.5", "expected the number of a class, from 0, got 'cat'"),
        4: ("0 0.5 0.5 0.5", "expected a class and four numbers, or a polygon, got 4"),
        5: ("0 0.5 nan 0.5 0.5", "should have four finite numbers"),
        6: ("0 5 5 2 2", "the box (80, 40, 120, 60) is not within its picture, which is 20×10"),
        7: ("0 0.5 0.5 -0.5 0.5", "turned inside out"),
        8: ("0 0.5 0.5 0 0.5", "has no area"),
        9: ("0 0.5 0.5 x 0.5", "expected numbers, got '0 0.5 0.5 x 0.5'"),
        10: (WHOLE, "is in its picture twice"),
        11: ("-1 0.5 0.5 0.5 0.5", "expected the number of a class"),
    }
    scene(tmp_path, "train/a", WHOLE, *(line for line, _ in wrong.values()))
    path = settings(tmp_path, "train: images/train\nnames: [cat, dog]\n")
    splits = Yolo(path=path).load()
    assert splits["train"].column("y") == [(Box("cat", 0, 0, 20, 10),)]
    for line, (_, message) in wrong.items():
        assert any(f"a.txt:{line}: " in note and message in note for note in splits.notes), (line, splits.notes)
    with pytest.raises(DataError) as caught:
        Yolo(path=path, strict=True).load()
    assert sorted(one.where.line for one in caught.value.complaints) == list(wrong)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: images/train\n", r"data.yaml: names: expected a list of the classes' names"),
        ("train: images/train\nnames: [a, b]\nnc: 3\n", r"names: there are 2 names, and nc says 3"),
        ("train: images/train\nnames: {0: a, 2: b}\n", r"names: expected the numbers 0 to 1 as keys"),
        ("train: images/train\nnames: [a, a]\n", r"names: 'a' is the name of several classes"),
        ("train: images/tran\nnames: [a]\n", r"train: there is no images/tran; looked at .*images/tran"),
        ("names: [a]\n", r"data.yaml: names no pictures: expected train and val"),
        ("names: [a\ntrain: x\n", r"data.yaml:2: this is no YAML"),
        ("hello\n", r"expected train, val and names in it"),
        ("train: images/none\nnames: [a]\n", r"none of the 1 pictures has a text file .*labels/none/b.txt"),
    ],
)
def test_what_is_wrong_with_data_yaml(tmp_path, text, message):
    scene(tmp_path, "train/a", WHOLE)
    scene(tmp_path, "none/b")
    with pytest.raises(DataError, match=message):
        Yolo(path=settings(tmp_path, text)).load()


def test_where_nothing_is_left_it_is_said_why(tmp_path):
    scene(tmp_path, "train/a", "0 100 50 30 20")
    with pytest.raises(DataError) as caught:
        Yolo(path=settings(tmp_path, "train: images/train\nnames: [cat]\n")).load()
    first, second = map(str, caught.value.complaints)
    assert (
        "no box in train to learn from" in first and "a.txt:1: the box (1700, 400, 2300, 600) is not within" in second
    )


def test_no_objects_in_the_whole_set_and_a_text_file_of_nothing(tmp_path):
    scene(tmp_path, "train/a", "")
    with pytest.raises(DataError, match="there is no box in train to learn from"):
        Yolo(path=settings(tmp_path, "train: images/train\nnames: [cat]\n")).load()
