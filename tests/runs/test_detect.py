"""Objects in new pictures and videos: what is said, drawn, cut out, and written as others have it."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image
from small_training import Heard

from dlspec.recipe.load import load
from dlspec.runs.detect import detect
from dlspec.runs.detected import cropped
from dlspec.runs.opened import open_run
from dlspec.runs.predict import predict
from dlspec.runs.train import train
from dlspec.types import ArgumentError, DataError


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A run that finds a digit or none, and a folder of pictures for it; one of them is broken."""
    folder = tmp_path_factory.mktemp("detect")
    (folder / "find.yaml").write_text("""
task: {name: localization, threshold: 0.01}
data: {name: digit_scenes, count: 300, size: [32, 32], side: [12, 20], split: {dev: 0.2, test: 0}}
input: {channels: 1}
model: {name: convnet, layers: [{filters: 8, pooling: max}], head: flat}
train: {epochs: 2, batch_size: 16}
""")
    run = train(load(folder / "find.yaml"), out=folder / "runs").run
    splits = open_run(run).splits()
    (folder / "new" / "more").mkdir(parents=True)
    for i in range(4):
        Image.fromarray(splits["dev"][i].x[..., 0]).save(folder / "new" / f"{i}.png")
    Image.fromarray(splits["dev"][4].x[..., 0]).save(folder / "new" / "more" / "1.jpg", quality=95)
    (folder / "new" / "broken.png").write_bytes((folder / "new" / "0.png").read_bytes()[:200])
    return folder


@pytest.fixture(scope="module")
def run(home):
    return open_run("find", home / "runs")


def all_of(found):
    return [one for some in found for one in some]


def test_it_says_what_predict_says_and_where_it_is(home, run, tmp_path):
    heard = Heard()
    to = {name: tmp_path / name for name in ("out", "crops", "yolo")}
    found = all_of(detect(run, [str(home / "new")], **to, coco=tmp_path / "results.json", watch=heard))
    names = [one["file"].removeprefix(str(home / "new") + "/") for one in found]
    assert names == ["0.png", "1.png", "2.png", "3.png", "broken.png", "more/1.jpg"]
    assert "broken or cut short" in found[4]["error"] and "objects" not in found[4]
    good = [one for one in found if "error" not in one]
    plain = {one["file"]: one for one in predict(run, [str(home / "new")])["predictions"]}
    for one in good:
        [found_one] = one["objects"]
        x0, y0, x1, y1 = found_one["box"]
        assert plain[one["file"]]["objects"][0]["box"] == found_one["box"]
        assert 0 <= x0 <= x1 <= 32 and 0 <= y0 <= y1 <= 32 and found_one["class"] in run.state["task"]["names"]
        picture, drawn = (np.asarray(Image.open(file).convert("RGB"), int) for file in (one["file"], one["drawn"]))
        assert picture.shape == drawn.shape and np.abs(picture - drawn).max() > 100
        crop = np.asarray(Image.open(found_one["crop"]))
        assert crop.shape == (np.ceil(y1) - np.floor(y0), np.ceil(x1) - np.floor(x0))
        if one["file"].endswith("png"):
            whole = np.asarray(Image.open(one["file"]))
            assert np.array_equal(crop, cropped(whole, found_one["box"]))
    assert [one["drawn"].rpartition("/")[2] for one in good] == ["0.png", "1.png", "2.png", "3.png", "1.jpg"]
    results = json.loads((tmp_path / "results.json").read_text())
    assert [one["image_id"] for one in results] == [0, 1, 2, 3, 1]
    x0, y0, x1, y1 = good[0]["objects"][0]["box"]
    assert results[0]["bbox"] == pytest.approx([x0, y0, x1 - x0, y1 - y0], abs=0.006)
    assert run.state["task"]["names"][results[0]["category_id"] - 1] == good[0]["objects"][0]["class"]
    lines = (tmp_path / "yolo" / "0.txt").read_text().split()
    assert [float(one) for one in lines[1:5]] == pytest.approx(
        [(x0 + x1) / 64, (y0 + y1) / 64, (x1 - x0) / 32, (y1 - y0) / 32], abs=1e-5
    )
    names = (tmp_path / "yolo" / "classes.txt").read_text().split()
    assert names == run.state["task"]["names"] and names[int(lines[0])] == good[0]["objects"][0]["class"]
    assert sorted(one.name for one in (tmp_path / "yolo").iterdir() if one.name != "classes.txt") == [
        "0.txt", "1-2.txt", "1.txt", "2.txt", "3.txt",
    ]  # fmt: skip
    assert heard.said[-1].startswith("6 pictures, 5 objects: ")


def test_crops_may_be_wider_than_their_boxes(home, run, tmp_path):
    file = str(home / "new" / "0.png")
    [[one]] = detect(run, [file], crops=tmp_path / "crops", margin=0.5)
    [found] = one["objects"]
    x0, y0, x1, y1 = found["box"]
    across, down = (x1 - x0) / 2, (y1 - y0) / 2
    whole = np.asarray(Image.open(file))
    expected = cropped(whole, [x0 - across, y0 - down, x1 + across, y1 + down])
    assert np.array_equal(np.asarray(Image.open(found["crop"])), expected)


def test_a_picture_that_goes_while_it_is_worked_on_is_one_line(home, run, tmp_path, monkeypatch):
    """What the network has seen is said; what cannot be drawn any more is a warning; the others are drawn."""
    from dlspec.runs import detect as detecting
    from dlspec.runs import predict as predicting

    monkeypatch.setattr(detecting, "HELD", 0)  # as where more pictures wait than are held
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.png").write_bytes((home / "new" / "0.png").read_bytes())
    encoded = predicting._encoded

    def gone(opened, chunk):
        found = encoded(opened, chunk)
        (tmp_path / "b.png").unlink()
        return found

    monkeypatch.setattr(predicting, "_encoded", gone)
    heard = Heard()
    to = {"out": tmp_path / "out", "crops": tmp_path / "crops", "yolo": tmp_path / "yolo"}
    found = all_of(detect(run, [str(tmp_path / f"{name}.png") for name in "abc"], **to, watch=heard))
    assert [len(one["objects"]) for one in found] == [1, 1, 1]
    assert sorted(one.name for one in to["out"].iterdir()) == ["a.png", "c.png"]
    assert {"a.txt", "c.txt"} <= {one.name for one in to["yolo"].iterdir()}
    lines = [one for one in heard.said if "not written" in one]
    assert len(lines) == 3 and all("b.png" in one for one in lines)


def test_a_video_is_a_picture_a_frame(home, run, tmp_path):
    scenes = run.splits()["dev"]
    file = tmp_path / "clip.avi"
    video = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 10, (32, 32))
    for i in range(20):
        video.write(np.repeat(scenes[i].x, 3, axis=2))
    video.release()
    found = all_of(detect(run, [str(file), str(home / "new" / "0.png")], out=tmp_path / "out"))
    assert [one["id"] for one in found[:2]] == [f"{file}#000000", f"{file}#000001"] and len(found) == 21
    assert {one["drawn"] for one in found[:20]} == {str(tmp_path / "out" / "clip.mp4")}
    written = cv2.VideoCapture(str(tmp_path / "out" / "clip.mp4"))
    assert (written.get(cv2.CAP_PROP_FRAME_COUNT), written.get(cv2.CAP_PROP_FPS)) == (20, 10)
    cut = tmp_path / "cut.avi"
    cut.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    found = all_of(detect(run, [str(cut), str(home / "new" / "0.png")]))
    assert "error" not in found[0] and "error" not in found[-1]
    assert "cut short or broken" in found[-2]["error"] and 3 < len(found) < 20


def test_threshold_and_classes(home, run):
    new = [str(home / "new" / "0.png"), str(home / "new" / "1.png")]
    found = all_of(detect(run, new, threshold=1.0))
    assert [one["objects"] for one in found] == [[], []] and found[0]["guess"] == "nothing"
    own = all_of(detect(run, new))[0]["objects"][0]["class"]
    others = [name for name in run.state["task"]["names"] if name != own]
    assert all_of(detect(run, new[:1], classes=others))[0]["objects"] == []
    assert all_of(detect(run, new[:1], classes=[own]))[0]["objects"] != []


def test_what_cannot_be(home, run, tmp_path):
    new = [str(home / "new" / "0.png")]
    with pytest.raises(ArgumentError, match="unknown class 'eight'"):
        detect(run, new, classes=["eight"])
    with pytest.raises(ArgumentError, match="--nms-iou is for several objects a picture"):
        detect(run, new, overlap=0.4)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("kept")
    with pytest.raises(ArgumentError, match="exists already, and nothing is overwritten"):
        all_of(detect(run, new, out=tmp_path / "full"))
    with pytest.raises(ArgumentError, match="exists already, and nothing is overwritten"):
        all_of(detect(run, new, coco=tmp_path / "full" / "a"))
    with pytest.raises(DataError, match="broken or cut short"):
        all_of(detect(run, [str(home / "new" / "broken.png")]))
    (home / "tell.yaml").write_text("task: classification\ndata: digits\nmodel: linear\ntrain: {epochs: 1}\n")
    other = train(load(home / "tell.yaml"), out=home / "runs").run
    with pytest.raises(ArgumentError, match="'classification' finds no boxes"):
        detect(other, new)


def test_the_command(home, run, monkeypatch, capsys):
    from dlspec.cli import main

    monkeypatch.chdir(home)

    def said(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["detect", "find", "new", *arguments])
        assert ended.value.code == 2  # new/broken.png cannot be read; all else is done
        return capsys.readouterr()

    answer = json.loads(said("--json").out)
    assert answer["run"] == str(run.folder) and len(answer["predictions"]) == 6
    lines = said("--jsonl", "--threshold", "0.9").out.splitlines()
    assert len(lines) == 6 and json.loads(lines[0])["id"].endswith("0.png")
    heard = said()
    assert "guess" in heard.out and "broken" in heard.out and "6 pictures" in heard.err
    assert "[{" not in heard.out  # a person reads the text
