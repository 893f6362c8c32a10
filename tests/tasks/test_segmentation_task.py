"""A class for each pixel: targets in the encoded picture, predictions of the picture's size, losses by hand."""

import math

import numpy as np
import pytest

from dlspec.inputs.augmentation import Augment
from dlspec.inputs.picture import Picture
from dlspec.losses.masks import PixelLoss, pixels_right
from dlspec.numeric.masks import Mask
from dlspec.tasks.segmentation import Segmentation
from dlspec.types import DataError, Examples

SIZES = [(20, 40), (40, 20), (32, 32)]


def blocks(height, width):
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : height // 2, width // 4 : 3 * width // 4] = 1
    return mask


def made(fit, **settings):
    pictures = [np.repeat(blocks(*size)[..., None] * 200, 1, axis=2) for size in SIZES]
    data = Examples(list("abc"), pictures, [Mask(blocks(*size), ("ground", "cat")) for size in SIZES])
    entry, task = Picture(size=(32, 32), fit=fit), Segmentation(**settings)
    entered = entry.prepare(data)
    return data, entry, task, {"input": entered, "task": task.prepare(data), "shapes": entered["shapes"]}


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "pad"])
def test_a_network_that_says_the_target_predicts_the_truth(fit):
    data, entry, task, state = made(fit)
    encoded = entry.encode(data, state["input"])
    _, y, _ = task.finish(encoded, task.target(data, encoded, state), 0, state)
    assert y.shape == (3, 32, 32) and (fit == "stretch") == (not (y == 255).any())
    bright = encoded["picture"][..., 0] > 100
    assert ((y == 1) == bright).mean() > 0.97
    logits = np.stack([y == 0, y == 1], axis=-1).astype(np.float32)
    predictions = task.predict(lambda batch: logits, [encoded], state)
    assert [one.shape for one in predictions] == SIZES
    scores = task.evaluator.combine(task.evaluator.statistics(data, predictions, state["task"]))
    assert scores["mean_iou"] > 0.9


def test_augmentation_moves_masks_along():
    data, entry, task, state = made("stretch")
    encoded = entry.encode(data, state["input"])
    batch = {**encoded, **task.target(data, encoded, state)}
    moved = Augment(rotate=30, shift=0.2, flip="both").apply(batch, np.arange(3, dtype=np.uint64))
    assert not np.array_equal(moved["mask"], batch["mask"])
    assert ((moved["mask"] == 1) == (moved["picture"][..., 0] > 100)).mean() > 0.96


def test_losses_by_hand():
    """Two pixels of two classes, one of them not judged; the other's class has the probability 3/4."""
    truth = np.array([[[1, 255]]], np.uint8)
    logits = np.log(np.array([[[[1.0, 3], [9, 1]]]], np.float32))
    entropy = math.log(4 / 3)
    dice = 1 - ((0 + 1) / (0.25 + 1) + (2 * 0.75 + 1) / (0.75 + 1 + 1)) / 2
    for name, loss in (("cross_entropy", entropy), ("dice", dice), ("both", entropy + dice)):
        assert float(PixelLoss(name)(truth, logits)) == pytest.approx(loss, rel=1e-5)
    assert np.asarray(pixels_right(truth, logits)).tolist() == [1]
    nothing = np.full_like(truth, 255)
    assert float(PixelLoss("cross_entropy")(nothing, logits)) == 0


def test_the_state_and_refusals():
    data, entry, task, state = made("stretch", edge=3)
    assert state["task"]["names"] == ["ground", "cat"] and state["task"]["edge"] == 3
    assert task.expected_initial_loss(state) == pytest.approx(math.log(2))
    assert Segmentation(loss="both").expected_initial_loss(state) is None
    with pytest.raises(DataError, match="2 of 3 pictures have no mask, as b, c"):
        task.prepare(data.replace(y=[data[0].y, None, None]))
    with pytest.raises(DataError, match="one class alone, 'cat'"):
        task.prepare(data.replace(y=[Mask(np.zeros((2, 2), int), ("cat",))] * 3))
    with pytest.raises(DataError, match="no masks"):
        task.prepare(data.replace(y=[1, 2, 3]))
    other = data.replace(y=[data[1].y, data[1].y, data[2].y])
    with pytest.raises(DataError, match=r"the mask of 'a' is 40×20, its picture 20×40"):
        task.target(other, entry.encode(other, state["input"]), state)
