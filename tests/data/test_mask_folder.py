"""Folders of pictures and masks: every kind of mask, every fault by name, and what `init` makes of them."""

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from dlspec.data.mask_folder import MaskFolder
from dlspec.recipe.load import load
from dlspec.runs.init import init
from dlspec.types import DataError

random = np.random.default_rng(0)
TRUTHS = [random.choice([0, 1, 255], (10, 20)).astype(np.uint8) for _ in range(4)]
COLOURS = {0: (0, 0, 0), 1: (128, 0, 0), 255: (255, 255, 255)}


def made(folder, *, kind="grey", pictures="pictures", masks="masks", ending="", below=""):
    home = folder / below
    (home / pictures).mkdir(parents=True)
    (home / masks).mkdir()
    for i, truth in enumerate(TRUTHS):
        Image.fromarray(random.integers(0, 255, (10, 20, 3), dtype=np.uint8)).save(home / pictures / f"{i}.jpg")
        if kind == "colours":
            image = Image.fromarray(np.array([[COLOURS[v] for v in row] for row in truth.tolist()], np.uint8))
        else:
            image = Image.fromarray(truth)
        if kind == "palette":
            image = Image.frombytes("P", (20, 10), truth.tobytes())
            image.putpalette([255 - i // 3 for i in range(768)])
        image.save(home / masks / f"{i}{ending}.png")
    return str(folder)


@pytest.mark.parametrize("kind", ["grey", "palette", "colours"])
def test_masks_of_every_kind(tmp_path, kind):
    settings = {"classes": {"ground": (0, 0, 0), "cat": (128, 0, 0)}, "ignore": ((255, 255, 255),)}
    settings = settings if kind == "colours" else {"classes": {"ground": 0, "cat": 1}}
    splits = MaskFolder(path=made(tmp_path, kind=kind), **settings).load()
    whole = splits.parts["all"]
    assert whole.ids == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    for example, truth in zip(whole, TRUTHS, strict=True):
        assert np.array_equal(example.y.read(), truth) and example.y.names == ("ground", "cat")
    assert "4 pictures with masks of 2 classes: ground, cat" in splits.notes


def test_without_names_every_value_is_a_class(tmp_path):
    whole = MaskFolder(path=made(tmp_path)).load().parts["all"]
    assert whole[0].y.names == ("0", "1") and np.array_equal(whole[0].y.read(), TRUTHS[0])
    whole = MaskFolder(path=str(tmp_path), ignore=()).load().parts["all"]
    assert whole[0].y.names == ("0", "1", "255") and whole[0].y.read().max() == 2


def test_parts_other_names_and_endings(tmp_path):
    for part in ("train", "val", "test"):
        path = made(tmp_path, below=part, pictures="imgs", masks="gt", ending="_seg")
    splits = MaskFolder(path=path, pictures="imgs", masks="gt", ending="_seg").load()
    assert {name: len(part) for name, part in splits.parts.items()} == {"train": 4, "dev": 4, "test": 4}
    assert splits.parts["dev"].ids[0] == "dev/0.jpg"


def test_to_predict_no_masks_are_needed(tmp_path):
    path = made(tmp_path)
    reader = MaskFolder(path=path)
    assert reader.at(str(tmp_path / "pictures")).load(truth=False).parts["all"].ids == [f"{i}.jpg" for i in range(4)]
    assert len(reader.load(truth=False).parts["all"]) == 4


def test_faults_are_named_all_at_once(tmp_path):
    path = made(tmp_path)
    Image.fromarray(TRUTHS[0][:, :5]).save(tmp_path / "masks" / "0.png")
    (tmp_path / "masks" / "1.png").write_bytes(b"nothing")
    (tmp_path / "masks" / "2.png").unlink()
    Image.fromarray(TRUTHS[0]).save(tmp_path / "masks" / "9.png")
    Image.fromarray(np.full((10, 20), 77, np.uint8)).save(tmp_path / "masks" / "3.png")
    with pytest.raises(DataError) as caught:
        MaskFolder(path=path, classes={"ground": 0, "cat": 1}).load()
    said = "\n".join(map(str, caught.value.complaints))
    for wanted in (
        "pictures/2.jpg: has no mask", "9.png: is the mask of no picture",
        "0.png: this mask is 10×5, its picture, 0.jpg, 10×20 (height × width)", "1.png: this mask cannot be read",
    ):  # fmt: skip
        assert wanted in said, said
    assert said.count("\n") >= 3


def test_values_that_stand_for_nothing_are_named_with_their_files(tmp_path):
    path = made(tmp_path)
    with pytest.raises(DataError, match=r"0\.png: this mask has values of no class: 1; add them to data.classes"):
        MaskFolder(path=path, classes={"ground": 0, "cat": 7}).load()


def test_colours_must_be_named(tmp_path):
    with pytest.raises(DataError, match=r"masks have 3 colours, and nobody says .*\[0, 0, 0\]"):
        MaskFolder(path=made(tmp_path, kind="colours")).load()


def test_folders_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match="no folder 'pictures' in it"):
        MaskFolder(path=str(tmp_path)).load()
    (tmp_path / "pictures").mkdir()
    with pytest.raises(DataError, match="no folder 'masks' beside 'pictures'"):
        MaskFolder(path=str(tmp_path)).load()
    with pytest.raises(ValidationError, match="two or more"):
        MaskFolder(path=str(tmp_path), classes={"cat": 1})


@pytest.mark.parametrize("kind", ["palette", "colours"])
def test_init_finds_folders_endings_and_values(tmp_path, monkeypatch, kind):
    path = made(tmp_path / "d", kind=kind, pictures="images", masks="labels", ending="_mask")
    for i in range(4, 20):
        for folder, name in (("images", f"{i}.jpg"), ("labels", f"{i}_mask.png")):
            source = tmp_path / "d" / folder / name.replace(str(i), str(i % 4), 1)
            (tmp_path / "d" / folder / name).write_bytes(source.read_bytes())
    monkeypatch.chdir(tmp_path)
    result = init(path, out="r.yaml")
    assert result["task"] == "segmentation" and result["model"]["name"] == "unet"
    assert (result["data"]["pictures"], result["data"]["masks"], result["data"]["ending"]) == (
        "images",
        "labels",
        "_mask",
    )
    values = list(result["data"]["classes"].values())
    assert values == ([0, 1] if kind == "palette" else [[0, 0, 0], [128, 0, 0], [255, 255, 255]])
    assert len(load("r.yaml").recipe.data.load().parts["all"]) == 20
