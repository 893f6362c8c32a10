"""dlspec init --to: boxes from every format to every other and back, with their splits, classes and pictures."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from contracts import boxed
from contracts.samples import reader
from PIL import Image
from real_data import lacking

from dlspec.cli import main
from dlspec.proposals import taken
from dlspec.recipe.component import find
from dlspec.runs.convert import FORMATS, as_read, convert
from dlspec.runs.init import proposed
from dlspec.types import ArgumentError, DataError

BLOOD = Path(os.environ.get("DLSPEC_DATA", "")) / "bccd_voc"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(path):
    proposal = proposed(os.path.abspath(path))
    settings = as_read({"name": proposal.reader, **taken(proposal.data)})
    return find("data", proposal.reader).model_validate(settings).load()


def ran(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return ended.value.code


def facts(splits):
    """Part → hash of each picture → its boxes by class and corners, rounded; the pictures are what they were."""
    return {
        part: {
            hashlib.sha1(Path(one.x).read_bytes()).hexdigest(): sorted(
                (box.name, *(round(number, 3) + 0.0 for number in box.corners), box.crowd) for box in one.y
            )
            for one in own
        }
        for part, own in splits.parts.items()
    }


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("name", ["voc", "coco", "yolo", "box_table"])
def test_every_format_to_every_other(tmp_path, name, to):
    given = reader(name, tmp_path)
    made = convert(given.path, to, out="made")
    before = facts(given.load())
    assert facts(read(made["data"])) == before and facts(read("made")) == before
    assert (made["pictures"], made["reader"]) == (30, name)
    again = convert("made", name if name in FORMATS else "coco", out="again")
    assert facts(read("again")) == before and again["classes"] == made["classes"]


def test_what_formats_cannot_say_is_said(tmp_path):
    """Crowds have no word in YOLO; names that differ by folders alone are told apart where all are in one."""
    boxes = [("b", 1.234, 2, 5.5, 9.001), ("a", 0, 0, 19, 9, "<difficult>1</difficult>")]
    for i, part in enumerate(("train", "valid")):
        home = tmp_path / "set" / part
        for k, name in enumerate(("x/1.png", "x_1.png")):
            boxed.picture(home / "images" / name, 2 * i + k)
            boxed.write((home / "Annotations" / name).with_suffix(".xml"), boxed.xml(boxes, name))
    before = facts(read("set"))
    assert [len(own) for own in before.values()] == [2, 2]
    for to in ("coco", "voc"):
        convert("set", to)
        assert facts(read(f"set_{to}")) == before
    assert len(list((tmp_path / "set_voc/JPEGImages").iterdir())) == 4
    made = convert("set", "yolo", out="y")
    assert "4 boxes of crowds, or hard to tell, are left out" in made["notes"][-1]
    one = {part: {key: [box for box in own if not box[-1]] for key, own in all.items()} for part, all in before.items()}
    assert facts(read("y")) == one
    assert (tmp_path / "y/data.yaml").read_text() == "train: images/train\nval: images/val\nnames:\n  0: a\n  1: b\n"


def test_the_order_of_classes_is_kept(tmp_path):
    boxed.picture(tmp_path / "images/0.png", 0)
    whole = boxed.coco_of(
        [{"id": 1, "file_name": "0.png"}], [{"image_id": 1, "category_id": 8, "bbox": [1, 2, 3, 4]}], ["z", "m", "a"]
    )
    boxed.write(tmp_path / "b.json", json.dumps(whole))
    assert convert("b.json", "yolo")["classes"] == ["z", "m", "a"]
    assert "0: z\n  1: m\n  2: a" in (tmp_path / "b_yolo/data.yaml").read_text()
    assert (tmp_path / "b_yolo/labels/0.txt").read_text() == "1 0.12500000 0.40000000 0.15000000 0.40000000\n"
    assert convert("b_yolo", "coco", out="c")["classes"] == ["z", "m", "a"]


def test_what_cannot_be(tmp_path, capsys):
    path = boxed.voc(tmp_path / "v")
    with pytest.raises(ArgumentError, match="--to cocoo: expected coco, yolo, voc; did you mean 'coco'"):
        convert(path, "cocoo")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").touch()
    for out, message in {"full": "exists already", "no/where": "there is no folder", "v": "exists already"}.items():
        with pytest.raises(ArgumentError, match=message):
            convert(path, "coco", out=out)
    for i in range(20):
        boxed.picture(tmp_path / "photos" / "ab"[i % 2] / f"{i}.png", i)
    with pytest.raises(ArgumentError, match=r"'image_folder'\) has no boxes to write: it is for classification"):
        convert("photos", "coco")
    with pytest.raises(DataError):
        convert(str(tmp_path / "full"), "coco")
    assert ran("init", path, "--to", "coco", "--target", "x") == 2
    assert not [one for one in tmp_path.iterdir() if one.name not in ("v", "full", "photos")]
    capsys.readouterr()
    assert ran("init", path, "--to", "yolo", "--out", "y", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["splits"] == {"train": 24, "test": 6} and said["data"] == str(tmp_path / "y/data.yaml")
    assert ran("init", path, "--to", "voc") == 0
    assert "30 pictures (train 24, test 6) copied, 26 boxes of 3 classes written as voc" in capsys.readouterr().out
    Image.open(tmp_path / "y/images/train/train0.png").verify()


def test_what_is_written_is_what_another_reader_of_coco_reads(tmp_path):
    from faster_coco_eval import COCO

    given = reader("voc", tmp_path)
    convert(given.path, "coco", out="c")
    other = COCO(str(tmp_path / "c/annotations/instances_train.json"))
    train = {one.id: one.y for one in given.load()["train"]}
    assert len(other.imgs) == len(train) == 24
    for image in other.imgs.values():
        own = [(other.cats[one["category_id"]]["name"], *one["bbox"]) for one in other.imgToAnns[image["id"]]]
        boxes = train[image["file_name"]]
        assert own == [(box.name, box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0) for box in boxes]
        assert (image["width"], image["height"]) == (boxed.WIDTH, boxed.HEIGHT)


@pytest.mark.skipif(not BLOOD.is_dir(), reason=lacking("bccd_voc"))
def test_the_blood_cells_around():
    """VOC → COCO → YOLO → VOC: the same 4,886 boxes in the same splits, to a thousandth of a pixel."""
    before = facts(read(BLOOD))
    convert(str(BLOOD), "coco", out="c")
    convert("c", "yolo", out="y")
    made = convert("y", "voc", out="v")
    assert made["boxes"] == 4886 and made["splits"] == {"train": 205, "dev": 87, "test": 72}
    assert facts(read("v")) == before
