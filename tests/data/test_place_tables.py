"""Tables of boxes and of points: what they hold, every fault with file and row, and what `init` makes of them."""

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from dlspec.data.box_table import BoxTable
from dlspec.data.point_table import PointTable, pairs_of
from dlspec.numeric.places import Box, Point
from dlspec.recipe.load import load
from dlspec.runs.init import init
from dlspec.types import DataError


def pictures(folder, count=3, width=20, height=10):
    (folder / "p").mkdir(exist_ok=True)
    for i in range(count):
        Image.fromarray(np.full((height, width, 3), i, np.uint8)).save(folder / "p" / f"{i}.png")


def written(folder, *lines):
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    return str(folder / "t.csv")


def complaints(reader):
    with pytest.raises(DataError) as caught:
        reader.load()
    return [(one.where.line, one.message) for one in caught.value.complaints]


BOXES = "file,xmin,ymin,xmax,ymax,class"


def test_boxes_several_and_none(tmp_path):
    pictures(tmp_path)
    path = written(
        tmp_path, BOXES, "p/0.png,1,2,5.5,10,cat", "p/1.png,,,,,", "p/0.png,0,0,3,3,dog", "p/2.png,1,1,2,2,1"
    )
    splits = BoxTable(path=path).load()
    whole = splits.parts["all"]
    assert whole.ids == ["p/0.png", "p/1.png", "p/2.png"]
    assert whole.column("y") == [(Box("cat", 1, 2, 5.5, 10), Box("dog", 0, 0, 3, 3)), (), (Box("1", 1, 1, 2, 2),)]
    assert "3 pictures, 1 without boxes; 3 boxes: 1 (1), cat (1), dog (1)" in splits.notes
    assert BoxTable(path=path).load(truth=False).parts["all"].ids == whole.ids


@pytest.mark.parametrize(
    ("form", "numbers"), [("corner_and_size", "2,1,6,4"), ("middle_and_size", "5,3,6,4"), ("corners", "2,1,8,5")]
)
def test_forms_of_boxes(tmp_path, form, numbers):
    pictures(tmp_path)
    path = written(tmp_path, "file,a,b,c,d", f"p/0.png,{numbers}", "p/1.png,,,,")
    reader = BoxTable(path=path, columns=tuple("abcd"), form=form, label=None)
    assert reader.load().parts["all"].column("y") == [(Box("object", 2, 1, 8, 5),), ()]


def test_what_is_wrong_with_boxes_is_said_at_once_with_its_row(tmp_path):
    pictures(tmp_path, 8)
    path = written(
        tmp_path, BOXES, "p/0.png,5,2,1,9,cat", "p/1.png,1,2,1,9,cat", "p/2.png,1,2,21,9,cat", "p/3.png,1,2,,9,cat",
        "p/4.png,1,2,3,many,cat", "p/5.png,1,2,3,9,", "p/6.png,1,2,3,9,cat", "p/6.png,,,,,", "p/7.png,0,0,20.4,10,cat",
    )  # fmt: skip
    found = complaints(BoxTable(path=path, strict=True))
    wanted = {
        2: "turned inside out: left is right of right; are the corners swapped",
        3: "has no area",
        4: "is not within its picture, which is 20×10 (width × height)",
        5: "xmax missing; where nothing is in a picture, leave all empty",
        6: "column 'ymax' should hold numbers, got 'many'",
        7: "class missing",
        9: "says that nothing is in a picture that has other rows",
    }
    for line, said in wanted.items():
        assert any(one == line and said in message for one, message in found), (line, found)
    assert {line for line, _ in found} == set(wanted)
    splits = BoxTable(path=path).load()
    assert splits.parts["all"].column("y")[-2:] == [(Box("cat", 1, 2, 3, 9),), (Box("cat", 0, 0, 20, 10),)]
    assert not any(splits.parts["all"].column("y")[:-2])
    assert any(
        "left out 1 box turned inside out" in note and "t.csv:2: the box (xmin 5" in note for note in splits.notes
    )


def test_classes_of_tables(tmp_path):
    pictures(tmp_path)
    rows = ["p/0.png,1,2,5,9,cat", "p/1.png,1,2,5,9,cta", "p/1.png,1,2,5,9,cat", "p/1.png,1,2,5,9,cat"]
    path = written(tmp_path, BOXES, *rows)
    splits = BoxTable(path=path, classes=("cat",)).load()
    assert splits.parts["all"].column("y") == [(Box("cat", 1, 2, 5, 9),)] * 2
    assert any("t.csv:3" in note and "'cta', and the classes are cat" in note for note in splits.notes)
    assert any("t.csv:5" in note and "is in its picture twice" in note for note in splits.notes)
    (tmp_path / "dev.csv").write_text("\n".join([BOXES, "p/2.png,1,2,5,9,dog"]))
    with pytest.raises(DataError, match=r"dev.csv: dev has boxes of the class 'dog' \(1\), and train has none"):
        BoxTable(path={"train": path, "dev": str(tmp_path / "dev.csv")}).load()
    many = BoxTable(path=path, most=2).load()
    assert many.parts["all"].ids == ["p/0.png"] and any("this picture has 3 boxes" in note for note in many.notes)
    with pytest.raises(DataError, match="no box to learn from"):
        BoxTable(path=written(tmp_path, BOXES, "p/0.png,,,,,")).load()


def test_pictures_and_columns_that_are_not_there(tmp_path):
    pictures(tmp_path)
    path = written(tmp_path, BOXES, "p/0.png,1,2,5,9,cat", "p/9.png,1,2,5,9,cat", "q.png,,,,,")
    found = complaints(BoxTable(path=path))
    assert [line for line, _ in found] == [3, 4] and "there is no picture 'p/9.png'" in found[0][1]
    with pytest.raises(DataError, match=r"no column 'klass' .*did you mean 'class'"):
        BoxTable(path=written(tmp_path, BOXES, "p/0.png,1,2,5,9,cat"), label="klass").load()
    with pytest.raises(DataError, match=r"no column 'picture' \(data.file\)"):
        BoxTable(path=path, file="picture").load()


def test_a_broken_picture_is_left_out_by_name(tmp_path):
    pictures(tmp_path)
    (tmp_path / "p/1.png").write_bytes(b"nothing")
    path = written(tmp_path, BOXES, *(f"p/{i}.png,1,2,5,9,cat" for i in range(3)))
    splits = BoxTable(path=path).load()
    assert splits.parts["all"].ids == ["p/0.png", "p/2.png"] and "p/1.png" in splits.notes[-1]


POINTS = "file,nose_x,nose_y,tail_x,tail_y"


def test_points_some_of_which_cannot_be_seen(tmp_path):
    pictures(tmp_path)
    path = written(tmp_path, POINTS, "p/0.png,1,2,3.5,4", "p/1.png,1,2,,", "p/2.png,,,,")
    whole = PointTable(path=path).load().parts["all"]
    assert whole.column("y") == [(Point("nose", 1, 2), Point("tail", 3.5, 4)), (Point("nose", 1, 2),), ()]
    assert PointTable(path=path, points=("tail",)).load().parts["all"][0].y == (Point("tail", 3.5, 4),)


def test_how_columns_of_points_are_called():
    assert dict(pairs_of(["x1", "y1", "x2", "y2", "age"])) == {"1": ("x1", "y1"), "2": ("x2", "y2")}
    assert dict(pairs_of(["left_eye_x", "left_eye_y", "x_nose", "y_nose", "tailX", "tailY", "box", "x"])) == {
        "left_eye": ("left_eye_x", "left_eye_y"), "nose": ("x_nose", "y_nose"), "tail": ("tailX", "tailY"),
    }  # fmt: skip


def test_what_is_wrong_with_points_is_said_at_once_with_its_row(tmp_path):
    pictures(tmp_path, 4)
    path = written(
        tmp_path, POINTS, "p/0.png,1,2,25,4", "p/1.png,1,,3,4", "p/2.png,1,2,3,4", "p/2.png,1,2,3,4", "p/3.png,a,2,3,4"
    )
    found = complaints(PointTable(path=path))
    wanted = {
        2: "the point tail (25, 4) is not within its picture, which is 20×10",
        3: "nose_y is missing, and the other is not",
        5: "has a row already",
        6: "column 'nose_x' should hold numbers, got 'a'",
    }
    for line, said in wanted.items():
        assert any(one == line and said in message for one, message in found), (line, found)
    assert {line for line, _ in found} == set(wanted)
    good = written(tmp_path, POINTS, "p/0.png,1,2,3,4")
    with pytest.raises(DataError, match=r"of the point 'ear' .*nose, tail"):
        PointTable(path=good, points=("ear",)).load()


def test_group_and_time_are_not_asked_of_columns_here(tmp_path):
    pictures(tmp_path)
    with pytest.raises((ValidationError, DataError)):
        BoxTable(path=written(tmp_path, BOXES, "p/0.png,1,2,5,9,cat"), split={"group": "class"}).read()


@pytest.mark.parametrize(
    ("header", "row", "task", "settings"),
    [
        ("image,x,y,width,height,label", "1,2,5,6,{animal}", "localization", {"form": "corner_and_size"}),
        ("path,bbox_x1,bbox_y1,bbox_x2,bbox_y2,category", "1,2,5,6,{animal}", "localization", {"label": "category"}),
        ("filename,x1,y1,x2,y2", "1,2,5,6", "landmarks", {"points": ["1", "2"]}),
        ("file,left_eye_x,left_eye_y,right_eye_x,right_eye_y", "1,2,,", "landmarks", {}),
    ],
)
def test_init_tells_tables_of_boxes_from_those_of_points(tmp_path, monkeypatch, header, row, task, settings):
    pictures(tmp_path, 20)
    lines = [f"p/{i}.png,{row.format(animal='cat' if i % 2 else 'dog')}" for i in range(20)]
    if "landmarks" in task and ",," in row:
        lines[0] = "p/0.png,1,2,7,2"
    path = written(tmp_path, header, *lines)
    monkeypatch.chdir(tmp_path)
    result = init(path, out="r.yaml")
    assert result["task"] == task and result["model"]["name"]
    for key, value in settings.items():
        assert result["data"][key] == value
    recipe = load("r.yaml").recipe
    assert len(recipe.data.load().parts["all"]) == 20
    if "left_eye" in header:
        assert recipe.task.mirrored == (("left_eye", "right_eye"),)


def test_several_boxes_are_for_detection(tmp_path):
    pictures(tmp_path, 10)
    path = written(tmp_path, BOXES, *(f"p/{i % 10}.png,1,2,5,{7 + i // 10},cat" for i in range(12)))
    proposal = BoxTable.recognize(path)
    assert proposal.task[0].value == "detection" and "2 pictures have several, 2 at most" in proposal.seen[0]
