"""Detection: targets in the encoded picture, boxes back in the picture's own pixels, what is fitted on train."""

from pathlib import Path

import numpy as np
import pytest

from dlspec.inputs.picture import Picture
from dlspec.models.detection.yolo import Yolo
from dlspec.numeric.places import Box
from dlspec.numeric.priors import Grids, encoded
from dlspec.recipe.load import check_text
from dlspec.tasks.detection import Detection
from dlspec.types import DataError, Examples

PICTURES = [np.zeros((48, 96, 1), np.uint8), np.zeros((96, 48, 1), np.uint8), np.zeros((64, 64, 1), np.uint8)]
TRUTHS = [
    (Box("cat", 4, 5, 30, 15), Box("ant", 60, 20, 90, 44), Box("cat", 50, 2, 58, 12)),
    (),
    (Box("ant", 0, 0, 64, 64), Box("cat", 10, 12, 20, 26, True)),
]


def made(fit="stretch", truths=TRUTHS, **settings):
    data = Examples(["a", "b", "c"], PICTURES, truths)
    entry, task = Picture(size=(64, 64), fit=fit), Detection(**settings)
    model = Yolo(strides=(8, 16), backbone={"name": "darknet", "filters": 4})
    entered = entry.prepare(data)
    state = {"input": entered, "task": task.prepare(data), "shapes": entered["shapes"]}
    state["task"] = task.join(data, entry, model, state)
    return data, entry, task, state


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "pad"])
@pytest.mark.parametrize("assign", ["best", "ratio"])
def test_a_network_that_says_the_target_predicts_the_truth(fit, assign):
    data, entry, task, state = made(fit, assign=assign)
    arrays = entry.encode(data, state["input"])
    _, y, _ = task.finish(arrays, task.target(data, arrays, state), 0, state)
    grids = Grids((64, 64), state["task"]["strides"], state["task"]["anchors"], assign)
    said = np.zeros((3, len(grids.priors), 7))
    said[..., 4] = -30
    for row, own in enumerate(y):
        for box in own[own[:, 4] >= 0]:
            for place in box[5:][box[5:] >= 0].astype(int):
                numbers = encoded(box[:4], grids.priors[place])
                if np.isfinite(numbers).all():
                    said[row, place, :4], said[row, place, 4], said[row, place, 5 + int(box[4])] = numbers, 20, 30
    predictions = task.predict(lambda batch: said, [arrays], state)
    assert [len(one) for one in predictions] == [3, 0, 1]
    names = state["task"]["names"]
    for truth, own in zip(TRUTHS, predictions, strict=True):
        expected = {(box.name, *box[1:5]) for box in truth if not box.crowd}
        found = {(names[int(row[5])], *row[:4].round(3).tolist()) for row in own}
        assert found == expected
    scores = task.evaluator.combine(task.evaluator.statistics(data, predictions, state["task"]))
    assert scores["map_50_95"] == pytest.approx(1)


def test_what_is_learned_of_train():
    _, _, task, state = made()
    own = state["task"]
    assert own["names"] == ["ant", "cat"] and own["most"] == 3 and own["strides"] == [8, 16]
    assert [len(scale) for scale in own["anchors"]] == [3, 3] and own["anchor_fit"] > 0.9
    areas = [w * h for scale in own["anchors"] for w, h in scale]
    assert areas == sorted(areas)
    said = " ".join(own["notes"])
    assert "6 anchors" in said and "0 of 4 boxes collide" in said
    assert task.outputs(state).anchors == (3, 3) and task.outputs(state).classes == 2


def test_collisions_are_counted():
    twice = [(Box("ant", 4, 4, 20, 20), Box("cat", 4, 4, 20, 20)), (Box("ant", 10, 10, 30, 28),), ()]
    state = made(truths=twice, assign="best")[3]
    assert state["task"]["collisions"] == 1 and "1 of 3 boxes collide" in state["task"]["notes"][1]


@pytest.mark.parametrize("assign", ["best", "ratio"])
@pytest.mark.parametrize("loss", ["squared", "ciou"])
def test_the_loss_at_the_start_is_the_expected_one(assign, loss):
    from dlspec.runs.backend import load_keras

    load_keras(seed=0)
    data, entry, task, state = made(assign=assign, loss=loss, ignore=1.0)
    arrays = entry.encode(data, state["input"])
    _, y, _ = task.finish(arrays, task.target(data, arrays, state), 0, state)
    said = np.zeros((3, len(Grids((64, 64), [8, 16], state["task"]["anchors"]).priors), 7), np.float32)
    said[..., 4] = task.outputs(state).start
    loss = float(np.mean(task.compiled(state)["loss"].call(y, said)))
    assert loss == pytest.approx(task.expected_initial_loss(state), rel=0.02)


def test_boxes_that_augmentation_has_moved_away_are_not_trained_on():
    data, entry, task, state = made()
    arrays = entry.encode(data, state["input"])
    targets = task.target(data, arrays, state)
    assert targets["box_classes"].tolist() == [[1, 0, 1], [-1, -1, -1], [0, -2, -1]]
    targets["boxes"][0, 0] = np.nan
    _, y, _ = task.finish(arrays, targets, 0, state)
    assert y.shape[:2] == (3, 3) and y[:, :, 4].tolist() == [[0, 1, -1], [-1, -1, -1], [0, -2, -1]]
    assert (y[0, :2, 5:] >= 0).any(axis=1).all() and (y[2, 1, 5:] == -1).all()
    # As a mosaic makes them: more rows, mostly empty.
    more = {name: np.concatenate([one, one[::-1]], axis=1) for name, one in targets.items()}
    assert task.finish(arrays, more, 0, state)[1].shape[1] == 6


def test_the_threshold_is_fitted_on_dev_where_none_is_given():
    data, _, task, state = made()
    guesses = [np.array([[4, 5, 30, 15, 0.9, 1], [0, 0, 9, 9, 0.6, 1.0]]), np.zeros((0, 6)), np.zeros((0, 6))]
    assert 0.6 < task.calibrate(guesses, data, state)["threshold"] <= 0.9
    assert made(threshold=0.3)[2].calibrate(guesses, data, state)["threshold"] == state["task"]["threshold"]


def test_pictures_with_very_many_boxes_are_trained_on_the_largest():
    from dlspec.tasks import detection

    truths = [tuple(Box("ant", 1, 1, 3 + i % 40, 4) for i in range(1_000)), (), ()]
    state = made(truths=truths)[3]
    assert state["task"]["most"] == detection.MOST
    assert "1 picture has more than 400 boxes" in made(truths=truths)[2].prepare(made(truths=truths)[0])["notes"][1]


def test_refusals():
    with pytest.raises(DataError, match="none of the 3 pictures of train has a box"):
        made(truths=[(), (), (Box("ant", 1, 1, 4, 4, True),)])
    with pytest.raises(DataError, match="1 of 3 pictures have a box outside of them: c"):
        made(truths=[*TRUTHS[:2], (Box("ant", 10, 10, 70, 20),)])
    loaded = check_text("task: {name: detection, nms: {soft: linear}}\ndata: digit_scenes\nmodel: yolo", Path("r.yaml"))
    assert loaded.recipe.task.nms.soft == "linear"
