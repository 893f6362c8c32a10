"""One object a picture: targets in the encoded picture, predictions back in the picture's own pixels."""

import numpy as np
import pytest

from dlspec.inputs.picture import Picture
from dlspec.numeric.places import Box
from dlspec.recipe.load import check_text
from dlspec.tasks.localization import OFFSET, SCALE, Localization
from dlspec.types import DataError, Examples, RecipeError

PICTURES = [np.zeros((20, 40, 1), np.uint8), np.zeros((40, 20, 1), np.uint8), np.zeros((30, 30, 1), np.uint8)]
TRUTHS = [(Box("cat", 4, 5, 30, 15),), (), (Box("ant", 0, 0, 30, 30),)]


def made(fit="stretch", **settings):
    data = Examples(["a", "b", "c"], PICTURES, TRUTHS)
    entry, task = Picture(size=(32, 32), fit=fit), Localization(**settings)
    entered = entry.prepare(data)
    return data, entry, task, {"input": entered, "task": task.prepare(data), "shapes": entered["shapes"]}


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "pad"])
def test_a_network_that_says_the_target_predicts_the_truth(fit):
    data, entry, task, state = made(fit)
    encoded = entry.encode(data, state["input"])
    _, y, _ = task.finish(encoded, task.target(data, encoded, state), 0, state)
    assert y[:, 0].tolist() == [1, 0, 1] and y[:, 5].tolist() == [1, -1, 0]
    logits = np.zeros((3, task.outputs(state)))
    logits[:, 0] = np.where(y[:, 0], 20, -20)
    logits[:, 1:5] = (y[:, 1:5] - OFFSET) / SCALE
    logits[[0, 2], [6, 5]] = 30
    predictions = task.predict(lambda batch: logits, [encoded], state)
    scores = task.evaluator.combine(task.evaluator.statistics(data, predictions, state["task"]))
    assert scores["accuracy"] == 1 and scores["mean_iou"] == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(predictions[0, 1:5], (4, 5, 30, 15), atol=1e-3)


def test_boxes_stay_in_their_pictures():
    data, entry, task, state = made()
    logits = np.full((3, task.outputs(state)), 100.0)
    predictions = task.predict(lambda batch: logits, [entry.encode(data, state["input"])], state)
    assert predictions[:, 3].tolist() == [40, 20, 30] and predictions[:, 4].tolist() == [20, 40, 30]


def test_an_object_that_is_moved_out_of_the_picture_is_there_no_more():
    data, entry, task, state = made()
    encoded = entry.encode(data, state["input"])
    targets = task.target(data, encoded, state)
    targets["boxes"] = np.full_like(targets["boxes"], np.nan)
    _, y, _ = task.finish(encoded, targets, 0, state)
    assert (y[:, 0] == 0).all() and np.isfinite(y).all() and (y[:, 5] == -1).all()


def test_the_state():
    data, _, task, state = made(threshold=0.3)
    assert state["task"]["names"] == ["ant", "cat"] and state["task"]["threshold"] == 0.3
    assert state["task"]["notes"] == ["2 objects of 2 classes: ant (1), cat (1); 1 picture without any"]
    assert task.strata(data, state).tolist() == [1, 2, 0]


def test_refusals():
    with pytest.raises(DataError, match="none of the 1 pictures of train has a box"):
        Localization().prepare(Examples(["a"], PICTURES[:1], [()]))
    _, entry, task, state = made()
    far = Examples(["a", "b", "c"], PICTURES, [(Box("cat", 4, 5, 41, 15),), (), ()])
    with pytest.raises(DataError, match=r"box outside of them: a; that of 'a' is \(4, 5, 41, 15\), the picture 40×20"):
        task.target(far, entry.encode(far, state["input"]), state)


def test_it_is_asked_of_pictures_alone(tmp_path):
    text = "task: localization\ndata: iris\nmodel: mlp\n"
    with pytest.raises(RecipeError, match="'localization' is asked of a picture, but the input is a table"):
        check_text(text, tmp_path / "r.yaml")
