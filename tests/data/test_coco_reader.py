"""COCO: categories, crowds, polygons, several files; what is wrong by file and line; a large file in good time."""

import json
import random

import pytest
from contracts import boxed
from contracts.boxed import coco_of

from dlspec.data.coco import Coco, starts_of
from dlspec.numeric.places import Box
from dlspec.types import DataError


def image(i, **more):
    return {"id": i, "file_name": f"{i}.png", "width": 20, "height": 10, **more}


def box(i, category=7, numbers=(1, 2, 3, 4), **more):
    return {"id": 90 + i, "image_id": i, "category_id": category, "bbox": list(numbers), **more}


def written(folder, whole, name="boxes.json", pictures=3):
    for i in range(pictures):
        boxed.picture(folder / "images" / f"{i}.png", i)
    boxed.write(folder / name, json.dumps(whole, indent=1))
    return str(folder / name)


def test_boxes_crowds_polygons_and_pictures_without_any(tmp_path):
    polygon = {"id": 1, "image_id": 0, "category_id": 8, "segmentation": [[2, 3, 6, 3, 4, 7.5], [1, 4, 2, 4, 2, 5]]}
    whole = coco_of([image(0), image(1), image(2)], [box(0), polygon, box(2, 9, iscrowd=1)])
    splits = Coco(path=written(tmp_path, whole)).load()
    assert splits.parts["all"].ids == ["0.png", "1.png", "2.png"]
    truths = [(Box("ant", 1, 2, 4, 6), Box("bee", 1, 3, 6, 7.5)), (), (Box("cat", 1, 2, 4, 6, True),)]
    assert splits.parts["all"].column("y") == truths
    assert "3 pictures, 1 without boxes; 3 boxes: ant (1), bee (1), cat (1); 1 of them crowds" in splits.notes[0]
    questions = written(tmp_path, {"images": whole["images"]}, "questions.json")
    assert Coco(path=questions).load(truth=False).parts["all"].ids == ["0.png", "1.png", "2.png"]


def test_what_is_wrong_is_said_with_file_line_and_place(tmp_path):
    images = [image(0), image(1, width=99), image(2), image(0), {"id": 5}, image(9)]
    numbers = {"lies": (1, 2, 30, 4), "inside out": (1, 2, -3, 4), "no area": (1, 2, 3, 0), "words": (1, 2, "x", 4)}
    boxes = [box(2), *(box(2, numbers=one) for one in numbers.values()), box(2, 99), box(77), box(1)]
    boxes += [{"id": 3, "image_id": 2, "category_id": 7}, box(2, numbers=(1, 2, float("nan"), 4))]
    path = written(tmp_path, coco_of(images, boxes))
    splits = Coco(path=path).load()
    assert splits.parts["all"].ids == ["0.png", "2.png"]
    assert splits.parts["all"].column("y") == [(), (Box("ant", 1, 2, 4, 6),)]
    lines = (tmp_path / "boxes.json").read_text().splitlines()

    def said(place, message):
        [found] = [one for note in splits.notes for one in note.split("boxes.json:") if f": {place}: " in one]
        assert message in found, found
        return lines[int(found.partition(":")[0]) - 1 + 1]

    assert said("annotations[1]", "is not within its picture, which is 20×10") == '   "id": 92,'
    said("annotations[2]", "left is right of right")
    said("annotations[3]", "has no area")
    said("annotations[4]", "should have four finite numbers")
    said("annotations[5]", "has no class, and the classes are ant, bee, cat")
    assert said("annotations[6]", "no image with the id 77") == '   "id": 167,'
    assert said("images[1]", "this says that 1.png is 99×10, and it is 20×10") == '   "id": 1,'
    said("images[3]", "the id 0 is there already")
    said("images[4]", "expected file_name and id")
    said("images[5]", "there is no picture 9.png")
    note = next(note for note in splits.notes if "without numbers" in note)
    assert "left out 3 boxes without numbers" in note
    with pytest.raises(DataError) as caught:
        Coco(path=path, strict=True).load()
    assert len(caught.value.complaints) == 12


def test_files_of_several_splits_have_the_same_categories(tmp_path):
    for i, part in enumerate(("train", "val")):
        boxed.picture(tmp_path / f"{part}2017" / "0.png", i)
        boxed.write(tmp_path / "annotations" / f"instances_{part}2017.json", json.dumps(coco_of([image(0)], [box(0)])))
    boxed.write(tmp_path / "annotations/captions_val2017.json", json.dumps({"images": [], "annotations": []}))
    proposal = Coco.recognize(str(tmp_path))
    assert set(proposal.data[0].value) == {"train", "dev"}
    assert Coco.recognize(proposal.data[0].value["train"]).data == proposal.data
    assert Coco.recognize(proposal.data[0].value["dev"]).data[0].value == proposal.data[0].value["dev"]
    splits = Coco(path=proposal.data[0].value).load()
    assert {part: own.ids for part, own in splits.parts.items()} == {"train": ["train/0.png"], "dev": ["dev/0.png"]}
    assert splits["dev"][0].x == str(tmp_path / "val2017/0.png")
    other = coco_of([image(0)], [box(0)], names=("ant", "bee", "cow"))
    boxed.write(tmp_path / "annotations/instances_val2017.json", json.dumps(other))
    with pytest.raises(DataError, match=r"val2017.json: categories: this has the categories cow and lacks cat"):
        Coco(path=proposal.data[0].value).load()


def test_a_json_beside_the_pictures_of_each_split(tmp_path):
    """As annotation services export it; and another set of the same kind, for evaluate --data."""
    for i, part in enumerate(("train", "valid", "test")):
        boxed.picture(tmp_path / part / "0.png", i)
        boxed.write(tmp_path / part / "_annotations.coco.json", json.dumps(coco_of([image(0)], [box(0)])))
    [line] = Coco.recognize(str(tmp_path)).data
    assert list(line.value) == ["train", "dev", "test"]
    assert Coco(path=line.value).load()["test"][0].x == str(tmp_path / "test/0.png")
    with pytest.raises(DataError, match=r"dev/0.png stands in train and in dev"):
        Coco(path=line.value, folder=str(tmp_path / "train")).load()
    homes = {"train": "valid", "dev": "train", "test": "test"}
    reader = Coco(path=line.value, folder={part: str(tmp_path / home) for part, home in homes.items()})
    assert reader.load()["dev"][0].x == str(tmp_path / "train/0.png")
    other = reader.at(str(tmp_path / "test/_annotations.coco.json")).load().parts["all"]
    assert (other.ids, other[0].x) == (["0.png"], str(tmp_path / "test/0.png"))
    boxed.write(tmp_path / "train/more.json", json.dumps(coco_of([image(0)], [box(0)])))
    with pytest.raises(DataError, match=r"4 JSON files of COCO's kind lie here, .*train/more.json"):
        Coco.recognize(str(tmp_path))


def test_what_is_no_coco(tmp_path):
    boxed.write(tmp_path / "a.json", '{"images": [],\n "x"}')
    with pytest.raises(DataError, match=r"a.json:2:5: this is no JSON"):
        Coco(path=str(tmp_path / "a.json")).load()
    boxed.write(tmp_path / "b.json", '{"images": [], "licenses": []}')
    with pytest.raises(DataError, match=r"expected lists annotations, categories .*it has images, licenses"):
        Coco(path=str(tmp_path / "b.json")).load()
    whole = coco_of([image(0)], [box(0)])
    whole["categories"].append({"id": 7, "name": "other"})
    with pytest.raises(DataError, match=r"categories\[3\]: the id 7 is ant, and other"):
        Coco(path=written(tmp_path, whole)).load()
    assert Coco.recognize(str(tmp_path / "b.json")) is None


def test_a_picture_that_is_listed_twice_keeps_all_its_boxes(tmp_path):
    boxes = [box(0), box(1, 8), box(1, 7)]
    splits = Coco(path=written(tmp_path, coco_of([image(0), image(1, file_name="./0.png")], boxes))).load()
    assert splits.parts["all"].ids == ["0.png"]
    assert splits.parts["all"][0].y == (Box("ant", 1, 2, 4, 6), Box("bee", 1, 2, 4, 6))
    assert any("images[1]: the picture ./0.png is listed again" in note for note in splits.notes)
    assert any("annotations[2]: the box (1, 2, 4, 6) is in its picture twice" in note for note in splits.notes)


def test_where_items_of_lists_begin():
    text = '{"a": 1, "b": [ {"c": [1, "]"]}, 2 ,"x"], "d": [], "e": {"b": [3]}}'
    found = starts_of(text)
    assert [text[i] for i in found["b"]] == ["{", "2", '"'] and found["d"] == [] and set(found) == {"b", "d"}


def test_a_hundred_thousand_boxes(tmp_path):
    draw = random.Random(0)
    boxes = [box(i % 500, 7 + i % 3, (draw.uniform(0, 9), draw.uniform(0, 4), 5, 5)) for i in range(100_000)]
    whole = coco_of([image(i) for i in range(500)], boxes)
    splits = Coco(path=written(tmp_path, whole, pictures=500)).load()
    assert sum(map(len, splits.parts["all"].column("y"))) == 100_000
