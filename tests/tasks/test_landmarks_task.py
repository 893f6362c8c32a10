"""Points: targets in the encoded picture, those that are not marked cost nothing, mirrors change sides."""

import numpy as np
import pytest

from dlspec.inputs.augmentation import Augment
from dlspec.inputs.picture import Picture
from dlspec.losses.points import PointLoss, distance
from dlspec.numeric.places import Point
from dlspec.tasks.landmarks import Landmarks
from dlspec.types import DataError, Examples, RecipeError

PICTURES = [np.zeros((20, 40, 1), np.uint8), np.zeros((40, 20, 1), np.uint8)]
TRUTHS = [(Point("left", 4, 5), Point("right", 30, 15)), (Point("right", 10, 30),)]


def made(fit="stretch", **settings):
    data = Examples(["a", "b"], PICTURES, TRUTHS)
    entry, task = Picture(size=(32, 32), fit=fit), Landmarks(**settings)
    entered = entry.prepare(data)
    return data, entry, task, {"input": entered, "task": task.prepare(data), "shapes": entered["shapes"]}


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "pad"])
def test_a_network_that_says_the_target_predicts_the_truth(fit):
    data, entry, task, state = made(fit)
    encoded = entry.encode(data, state["input"])
    _, y, _ = task.finish(encoded, task.target(data, encoded, state), 0, state)
    assert y[:, :, 2].tolist() == [[1, 1], [0, 1]]
    predictions = task.predict(lambda batch: y[:, :, :2].reshape(2, 4), [encoded], state)
    np.testing.assert_allclose(predictions[0], [[4, 5], [30, 15]], atol=1e-3)
    np.testing.assert_allclose(predictions[1, 1], [10, 30], atol=1e-3)
    scores = task.evaluator.combine(task.evaluator.statistics(data, predictions, state["task"]))
    assert scores["nme"] < 1e-4 and scores["pck"] == 1


def test_losses_by_hand():
    """Off by (0.3, -0.05) at one point; the other is not known."""
    truth = np.array([[[1, 2, 1], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]], np.float32)
    logits = np.array([[1.3, 1.95, 9, 9], [5, 5, 5, 5]], np.float32)
    by_hand = {
        "squared": (0.09 + 0.0025) / 2,
        "absolute": (0.3 + 0.05) / 2,
        "huber": (0.1 * (0.3 - 0.05) + 0.0025 / 2) / 2,
    }
    for name, loss in by_hand.items():
        found = np.asarray(PointLoss(name, reduction="none")(truth, logits))
        np.testing.assert_allclose(found, [loss, 0], rtol=1e-4)
    np.testing.assert_allclose(np.asarray(distance(truth, logits, 2.0)), [2 * np.hypot(0.3, 0.05), 0], rtol=1e-4)


def test_a_mirror_changes_left_and_right():
    data, entry, task, state = made(mirrored=(("left", "right"),))
    encoded = entry.encode(data, state["input"])
    targets = task.target(data, encoded, state)
    seeds = np.arange(2, dtype=np.uint64) + 5
    batch = {**encoded, **targets}
    for flip in ("horizontal", "vertical", "both"):
        seen = set()
        for step in range(6):
            found = Augment(flip=flip).apply(batch, seeds + np.uint64(10 * step))["points"]
            for before, after in zip(targets["points"], found, strict=True):
                turned = np.array([32, 32]) - before
                ways = {
                    "as it was": before,
                    "left for right": np.stack([turned[:, 0], before[:, 1]], 1)[::-1],
                    "upside down": np.stack([before[:, 0], turned[:, 1]], 1)[::-1],
                    "turned": turned,
                }
                [way] = [name for name, one in ways.items() if np.allclose(one, after, equal_nan=True, atol=1e-4)]
                seen.add(way)
        wanted = {"horizontal": {"left for right"}, "vertical": {"upside down"}}.get(flip)
        assert seen == {"as it was", *(wanted or {"left for right", "upside down", "turned"})}


def test_the_state_and_refusals():
    _, _, _, state = made(normalizer=("left", "right"))
    assert state["task"]["names"] == ["left", "right"] and state["task"]["normalizer"] == ["left", "right"]
    assert state["task"]["notes"] == ["2 points: left, right; 1 of 4 are not marked"]
    with pytest.raises(RecipeError, match="unknown point 'lft'; did you mean 'left'"):
        made(normalizer=("lft", "right"))
    with pytest.raises(RecipeError, match="unknown point 'up'"):
        made(mirrored=(("left", "up"),))
    with pytest.raises(DataError, match="no point is marked in the 1 pictures"):
        Landmarks().prepare(Examples(["a"], PICTURES[:1], [()]))
    _, entry, task, state = made()
    far = Examples(["a", "b"], PICTURES, [(Point("left", 4, 25),), ()])
    with pytest.raises(DataError, match=r"point outside of them: a; that of 'a' is \(4, 25\), the picture 40×20"):
        task.target(far, entry.encode(far, state["input"]), state)
