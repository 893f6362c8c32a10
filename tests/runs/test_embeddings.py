"""Embeddings as TensorBoard's projector takes them: its own plugin is asked what it serves."""

import csv
import io
import json
import urllib.parse

import numpy as np
import pytest
import shop
from PIL import Image
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin
from werkzeug.test import Client

from dlspec.cli import main
from dlspec.recipe.load import load
from dlspec.runs import embeddings
from dlspec.runs.analyze import analyze
from dlspec.runs.opened import open_run
from dlspec.runs.train import train


class Listed:
    """What TensorBoard knows of a log folder: each folder with event files is a run."""

    def __init__(self, home):
        self.home = home

    def list_runs(self, context, experiment_id):
        from tensorboard.data.provider import Run

        found = sorted({file.parent for file in self.home.rglob("events.out.tfevents.*")})
        return [Run(str(one), str(one.relative_to(self.home)), 0.0) for one in found]


def asked(logdir, run="embeddings"):
    """A function that asks the plugin: route, query → bytes."""
    plugin = ProjectorPlugin(TBContext(logdir=str(logdir), data_provider=Listed(logdir)))
    apps = plugin.get_plugin_apps()

    def ask(route, **query):
        answer = Client(apps[route]).get(f"{route}?{urllib.parse.urlencode({'run': run, **query})}")
        assert answer.status_code == 200, answer.get_data()
        return answer.get_data()

    return ask


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    home = tmp_path_factory.mktemp("embeddings")
    sets = ["train.epochs=1", "data.split.train=200", "train.tensorboard=false", "train.health=false"]
    return train(load("classification/digits_lenet5", sets), out=home).run


def test_the_plugin_serves_vectors_names_and_thumbnails(pictures, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["error-analysis", str(pictures), "--embeddings", "--eyeball", "0", "--json"])
    assert ended.value.code == 0
    result = json.loads(capsys.readouterr().out)
    told = result["embeddings"]
    home = pictures / "tensorboard"
    assert (told["folder"], told["layer"]) == (str(home / "embeddings"), "F6_relu")
    ask = asked(home)
    assert json.loads(ask("/runs")) == ["embeddings"]
    [one] = json.loads(ask("/info"))["embeddings"]
    dev = open_run(pictures).splits()["dev"]
    assert one["tensorShape"] == [len(dev), 84] == [told["examples"], told["numbers"]]

    network = open_run(pictures).network
    vectors = np.frombuffer(ask("/tensor", name="dev"), np.float32).reshape(len(dev), 84)
    last = network.layers[-1]
    logits = vectors @ np.asarray(last.kernel) + np.asarray(last.bias)
    rows = list(csv.DictReader(ask("/metadata", name="dev").decode().splitlines(), delimiter="\t"))
    assert [row["id"] for row in rows] == dev.ids
    assert [row["guess"] for row in rows] == [str(one) for one in logits.argmax(axis=1)]
    assert [row["truth"] for row in rows] == [str(one) for one in dev.column("y")]
    for row in rows:
        assert (row["right"] == "right") == (row["truth"] == row["guess"])
        assert row["error"] == ("" if row["right"] == "right" else f"{row['truth']} → {row['guess']}")
    assert sum(row["right"] == "wrong" for row in rows) == result["errors"]

    sprite = np.asarray(Image.open(io.BytesIO(ask("/sprite_image", name="dev"))).convert("L"))
    side = one["sprite"]["singleImageDim"][0]
    across = sprite.shape[1] // side
    for place in (0, across + 1, len(dev) - 1):
        top, left = place // across * side, place % across * side
        tile = sprite[top : top + side, left : left + side].astype(float)
        shown = open_run(pictures).recipe.input.show(dev[place]).content.squeeze()
        np.testing.assert_array_equal(tile, np.kron(shown, np.ones((side // 8, side // 8))))


def test_another_split_stands_beside_and_a_long_part_is_thinned(pictures, monkeypatch):
    monkeypatch.setattr(embeddings, "MOST", 50)
    analyze(pictures, embeddings=True, eyeball=0)
    analyze(pictures, split="train", embeddings=True)
    ask = asked(pictures / "tensorboard")
    found = {one["tensorName"]: one["tensorShape"] for one in json.loads(ask("/info"))["embeddings"]}
    assert found == {"dev": [50, 84], "train": [50, 84]}
    dev = open_run(pictures).splits()["dev"].ids
    rows = list(csv.DictReader(ask("/metadata", name="dev").decode().splitlines(), delimiter="\t"))
    assert [row["id"] for row in rows] == [dev[i * len(dev) // 50] for i in range(50)]


def test_what_may_not_be_looked_at_is_not_embedded(pictures):
    result = analyze(pictures, embeddings=True, eyeball=30)
    assert result["embeddings"]["examples"] == 30


def test_rows_of_a_table_have_no_thumbnails(tmp_path):
    shop.write(tmp_path / "shop.csv")
    (tmp_path / "shop.yaml").write_text(
        "task: classification\ndata: {name: csv, path: shop.csv, target: returned, tags: [city]}\n"
        "model: {name: mlp, hidden: [5]}\ntrain: {epochs: 1}\n"
    )
    run = train(load(tmp_path / "shop.yaml"), out=tmp_path / "runs").run
    assert analyze(run, eyeball=0)["embeddings"] is None and not (run / "tensorboard" / "embeddings").exists()
    told = analyze(run, embeddings=True, eyeball=0)["embeddings"]
    assert told["numbers"] == 5
    ask = asked(run / "tensorboard")
    [one] = json.loads(ask("/info"))["embeddings"]
    assert "sprite" not in one and one["tensorShape"][1] == 5
    rows = list(csv.DictReader(ask("/metadata", name="dev").decode().splitlines(), delimiter="\t"))
    assert {"yes", "no"} >= {row["truth"] for row in rows} and all(row["city"] for row in rows)


def test_maps_are_averaged_and_long_texts_cut(tmp_path):
    sets = ["train.epochs=1", "train.tensorboard=false", "train.health=false", "data.count=40"]
    run = train(load("segmentation/digit_scenes_unet", sets), out=tmp_path).run
    told = analyze(run, embeddings=True, eyeball=0)["embeddings"]
    ask = asked(run / "tensorboard")
    vectors = np.frombuffer(ask("/tensor", name="dev"), np.float32).reshape(told["examples"], told["numbers"])
    assert told["numbers"] < 64 and np.isfinite(vectors).all()
    rows = ask("/metadata", name="dev").decode().splitlines()
    assert len(rows) == told["examples"] + 1 and max(map(len, rows)) < 400


def test_of_several_grids_each_gives_its_part(tmp_path):
    scenes = (
        "data={name: digit_scenes, count: 40, size: [32, 32], digits: [1, 2], side: [12, 16], split: {dev: 8, test: 8}}"
    )
    sets = [
        "train.epochs=1",
        "train.tensorboard=false",
        "train.health=false",
        scenes,
        "model.width=4",
        "model.strides=[8, 16]",
    ]
    run = train(load("detection/digit_scenes_yolo", sets), out=tmp_path).run
    told = analyze(run, embeddings=True, eyeball=0)["embeddings"]
    network = open_run(run).network
    widths = [network.get_layer(name).output.shape[-1] for name in told["layer"].split(", ")]
    assert len(widths) == 2 and told["numbers"] == sum(widths)


def test_long_vectors_keep_their_distances():
    draws = np.random.default_rng(0)
    few = draws.normal(size=(40, 3)) @ draws.normal(size=(3, 700)) + 5
    short = embeddings.components(few)
    assert short.shape == (40, 40)
    before = np.linalg.norm(few[:, None] - few[None], axis=2)
    after = np.linalg.norm(short[:, None] - short[None], axis=2)
    np.testing.assert_allclose(after, before, atol=1e-4)
    assert np.abs(short[:, 3:]).max() < 1e-4 < np.abs(short[:, 2]).min() + 1
    assert embeddings.components(few[:, :256]) is not None and embeddings.components(few[:, :256]).shape == (40, 256)
