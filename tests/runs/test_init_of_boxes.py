"""dlspec init on pictures with several boxes: a recipe for detection that builds as it is, whatever the format."""

import random

import pytest
from contracts import boxed

from dlspec.recipe.load import load
from dlspec.report.watch import Watch
from dlspec.runs import precision
from dlspec.runs.convert import convert
from dlspec.runs.init import init
from dlspec.runs.prepare import prepare


@pytest.fixture
def scenes(tmp_path, monkeypatch):
    """30 pictures with two boxes each, but for some without any, in YOLO's format and undivided."""
    monkeypatch.chdir(tmp_path)
    draw = random.Random(0)
    for i in range(30):
        boxed.picture(tmp_path / "set/images" / f"{i}.png", i)
        places = [(draw.randrange(2), x, 1, x + draw.randint(4, 9), 9) for x in (0, 10)] if i % 5 else []
        boxed.write(tmp_path / "set/labels" / f"{i}.txt", "\n".join(boxed.shares(*one) for one in places))
    boxed.write(tmp_path / "set/classes.txt", "ant\nbee\n")
    return "set"


def test_several_boxes_make_a_recipe_for_detection_that_builds(scenes):
    result = init(scenes, out="r.yaml")
    assert (result["task"], result["data"]["name"], result["model"]["name"]) == ("detection", "yolo", "yolo")
    assert result["input"]["size"] == [32, 32] and result["goal"] == {"optimize": "map_50_95"}
    recipe = load("r.yaml", ["model.backbone.filters=4", "model.width=8"]).recipe
    prepared = prepare(recipe, Watch())
    train = prepared.splits["train"]
    encoded = recipe.input.encode(train, prepared.state["input"])
    targets = recipe.task.target(train, encoded, prepared.state)
    network = precision.build(recipe, prepared.state)
    x, y, _ = recipe.task.finish(encoded, targets, 0, prepared.state)
    found = network({"picture": x["picture"]})
    assert found.shape[0] == len(train) == 18 and found.shape[2] == 5 + 2 and y is not None


def test_every_format_gives_the_same_but_for_where_it_is(scenes):
    first = init(scenes, out="-")
    for to in ("coco", "voc"):
        convert(scenes, to, out=to)
        other = init(to, out="-")
        assert other["data"]["name"] == to and other["seen"] == first["seen"]
        assert {key: other[key] for key in ("task", "model", "input", "train", "goal")} == {
            key: first[key] for key in ("task", "model", "input", "train", "goal")
        }
