import numpy as np
import pytest
from PIL import Image

from dlspec.numeric.picture_facts import picture_facts
from dlspec.numeric.picture_paths import PictureFiles
from dlspec.types import Examples


def test_arrays_worked_by_hand():
    pictures = np.zeros((3, 2, 4), np.uint8)
    pictures[1] = 200
    pictures[2, 0] = 100
    facts = picture_facts(Examples(list("abc"), pictures))
    assert list(facts) == ["brightness", "contrast", "width", "height", "aspect"]
    assert facts["brightness"].tolist() == [0, 200, 50] and facts["contrast"].tolist() == [0, 0, 50]
    assert facts["width"].tolist() == [4] * 3 and facts["height"].tolist() == [2] * 3
    assert facts["aspect"].tolist() == [2] * 3


def test_colours_count_as_a_person_sees_them():
    pictures = np.zeros((2, 3, 3, 3), np.float32)
    pictures[0, ..., 1] = pictures[1, ..., 2] = 1.0
    assert picture_facts(Examples(["g", "b"], pictures))["brightness"] == pytest.approx([0.587, 0.114])


def test_files_of_several_sizes_and_a_broken_one(tmp_path):
    for name, size, grey in (("dark", (30, 10), 20), ("light", (10, 20), 220)):
        Image.new("L", size, grey).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    files = PictureFiles(str(tmp_path), ["dark.png", "broken.png", "light.png"])
    facts = picture_facts(Examples(["dark", "broken", "light"], files).take([2, 1, 0]))
    assert facts["brightness"][[0, 2]].tolist() == pytest.approx([220, 20])
    assert facts["width"][[0, 2]].tolist() == [10, 30] and facts["aspect"][[0, 2]].tolist() == [0.5, 3]
    assert all(np.isnan(values[1]) for values in facts.values())
