"""`init` of tables that ask several things of an example; what it writes trains."""

import numpy as np
import pytest
from PIL import Image

from dlspec.recipe.load import load
from dlspec.report.watch import Watch
from dlspec.runs.init import init
from dlspec.runs.prepare import prepare
from dlspec.types import DataError

random = np.random.default_rng(0)


def written(folder, name, header, rows):
    file = folder / name
    file.write_text("\n".join([header, *rows]) + "\n")
    return file


def learned(found):
    return prepare(load(found["recipe"]).recipe, Watch()).state["task"]


@pytest.mark.parametrize("mark", [";", "|"])
def test_cells_with_several_labels(tmp_path, mark):
    rows = []
    for _ in range(120):
        a, b = random.normal(size=2)
        rows.append(
            f"{a:.3f},{b:.3f}," + mark.join(name for name, v in (("cat", a), ("dog", b), ("eel", a - b)) if v > 0.5)
        )
    found = init(str(written(tmp_path, "pets.csv", "size,fur,tags", rows)), out=tmp_path)
    assert found["task"] == "multi_label" and found["target"] == "tags"
    assert found["data"]["target"] == "tags" and found["data"]["keep_missing_target"] is True
    assert found["goal"] == {"optimize": "micro_f1"}
    assert learned(found)["classes"] == ["cat", "dog", "eel"]


def test_columns_of_0_and_1_that_are_called_labels(tmp_path):
    rows = [f"{i / 9:.2f},{i % 2},{i % 3 % 2},{'' if i % 7 == 0 else int(i > 50)}" for i in range(100)]
    path = written(tmp_path, "t.csv", "size,male,label_a,label_b", rows)
    found = init(str(path), out=tmp_path)
    assert found["task"] == "multi_label" and found["data"]["target"] == ["label_a", "label_b"]
    assert learned(found)["classes"] == ["label_a", "label_b"]
    other = init(str(path), out=tmp_path / "other.yaml", target="male")
    assert other["task"] == "classification" and other["data"]["target"] == "male"


def test_several_columns_that_are_asked_for(tmp_path):
    rows = [f"{i / 9:.2f},{'ab'[i % 2]},{i % 13 + 0.5},{'x' * (i % 3) or 'y'}" for i in range(100)]
    path = written(tmp_path, "t.csv", "size,kind,price,colour", rows)
    found = init(str(path), out=tmp_path, target="kind, price")
    assert found["task"] == "multi_task" and found["data"]["target"] == ["kind", "price"]
    heads = learned(found)["heads"]
    assert {name: one["evaluator"] for name, one in heads.items()} == {"kind": "classes", "price": "numbers"}
    with pytest.raises(DataError, match="there is no column 'prise' \\(--target\\); did you mean 'price'"):
        init(str(path), out=tmp_path / "other.yaml", target="kind,prise")


def test_pictures_with_columns_of_0_and_1(tmp_path):
    rows = []
    for i in range(40):
        Image.fromarray(random.integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(tmp_path / f"{i}.png")
        rows.append(f"{i}.png,{i % 2},{i % 3 % 2}")
    written(tmp_path, "labels.csv", "file,bright,round", rows)
    found = init(str(tmp_path), out=tmp_path / "r.yaml")
    assert found["task"] == "multi_label" and found["data"]["target"] == ["bright", "round"]
    assert learned(found)["counts"] and len(learned(found)["classes"]) == 2
