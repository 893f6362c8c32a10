"""Non-maximum suppression by hand, against a slow version of its own, and against TensorFlow's."""

import math

import numpy as np
import pytest

from dlspec.decode.nms import detections, nms, overlaps
from dlspec.numeric.boxes import overlap
from dlspec.numeric.priors import encoded, priors

SQUARES = np.array([[0, 0, 10, 10], [0, 0, 10, 8], [0, 5, 10, 15], [50, 50, 60, 60.0]])
"""IoU of the first with the second 0.8, with the third 1/3; of the second with the third 3/15"""


def slowly(boxes, scores, how=0.5, least=0.0, most=100, kind="iou", across_classes=False, soft="off", sigma=0.5):
    """All candidates, one after the other."""
    if across_classes:
        waiting = [[row.max(), int(row.argmax()), i] for i, row in enumerate(scores)]
    else:
        waiting = [[score, label, i] for i, row in enumerate(scores) for label, score in enumerate(row)]
    found = []
    while len(found) < most:
        waiting = [one for one in waiting if one[0] > least]
        if not waiting:
            break
        best = max(waiting, key=lambda one: one[0])
        found.append([*boxes[best[2]], best[0], best[1]])
        waiting.remove(best)
        for one in waiting:
            if across_classes or one[1] == best[1]:
                much = float(overlap(boxes[one[2]], boxes[best[2]], kind))
                if soft == "gaussian":
                    one[0] *= math.exp(-(max(much, 0) ** 2) / sigma)
                elif much > how:
                    one[0] *= 1 - much if soft == "linear" else 0
    return np.array(found).reshape(-1, 6)


def crowded(seed, boxes=60, classes=3):
    random = np.random.default_rng(seed)
    middle = random.choice(random.uniform(20, 80, (8, 2)), boxes) + random.normal(0, 3, (boxes, 2))
    sides = random.uniform(15, 30, (boxes, 2))
    return np.concatenate([middle - sides / 2, middle + sides / 2], axis=1), random.uniform(0, 1, (boxes, classes))


def test_by_hand():
    scores = np.array([[0.9], [0.8], [0.7], [0.1]])
    assert nms(SQUARES, scores)[:, 4].tolist() == pytest.approx([0.9, 0.7, 0.1])
    assert nms(SQUARES, scores, overlap=0.3)[:, 4].tolist() == pytest.approx([0.9, 0.1])
    assert nms(SQUARES, scores, overlap=0.85)[:, 4].tolist() == pytest.approx([0.9, 0.8, 0.7, 0.1])
    assert nms(SQUARES, scores, least=0.2, most=1)[:, :4].tolist() == [[0, 0, 10, 10]]
    linear = nms(SQUARES, scores, soft="linear")[:, 4].tolist()
    assert linear == pytest.approx([0.9, 0.7, 0.8 * 0.2, 0.1])
    gaussian = nms(SQUARES, scores, soft="gaussian", sigma=0.5)[:, 4].tolist()
    third = 0.7 * math.exp(-(1 / 9) / 0.5)
    assert gaussian[:2] == pytest.approx([0.9, third])
    assert gaussian[2] == pytest.approx(0.8 * math.exp(-0.64 / 0.5) * math.exp(-0.04 / 0.5))


def test_classes_each_for_itself_or_together():
    scores = np.array([[0.9, 0.3], [0.2, 0.8], [0, 0], [0, 0]])
    each = nms(SQUARES, scores)
    assert each[:, 4:].tolist() == [pytest.approx([0.9, 0]), pytest.approx([0.8, 1])]
    together = nms(SQUARES, scores, across_classes=True)
    assert together[:, 4:].tolist() == [pytest.approx([0.9, 0])]


def test_diou_leaves_boxes_side_by_side_that_iou_drops():
    boxes, scores = np.array([[0, 0, 10, 10], [3, 0, 13, 10.0]]), np.array([[0.9], [0.8]])
    assert len(nms(boxes, scores, overlap=0.52)) == 1  # 7/13
    assert len(nms(boxes, scores, overlap=0.52, kind="diou")) == 2  # less 9/269


@pytest.mark.parametrize("kind", ["iou", "giou", "diou"])
@pytest.mark.parametrize("soft", ["off", "linear", "gaussian"])
@pytest.mark.parametrize("across", [False, True])
def test_against_a_slow_version(kind, soft, across):
    for seed in range(4):
        boxes, scores = crowded(seed)
        settings = {"kind": kind, "soft": soft, "across_classes": across, "least": 0.05, "most": 30}
        found, expected = nms(boxes, scores, overlap=0.4, **settings), slowly(boxes, scores, 0.4, **settings)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_the_same_set_as_tensorflow_keeps():
    import tensorflow as tf

    for seed in range(20):
        boxes, scores = crowded(seed, boxes=200, classes=1)
        kept = tf.image.non_max_suppression(boxes.astype("f4"), scores[:, 0].astype("f4"), 50, 0.5, 0.1).numpy()
        found = nms(boxes, scores, least=0.1, most=50)
        np.testing.assert_allclose(found[:, 4], scores[kept, 0], rtol=1e-6)
        np.testing.assert_allclose(found[:, :4], boxes[kept], rtol=1e-5)


@pytest.mark.parametrize("least", [0.0, 0.001, 0.5, 0.9])
def test_the_same_output_as_tensorflows_of_all_candidates(least, monkeypatch):
    """However few are looked at first."""
    import tensorflow as tf

    from dlspec.decode import nms as room

    monkeypatch.setattr(room, "AT_FIRST", 128)
    boxes, scores = crowded(5, boxes=700, classes=20)
    boxes, scores = boxes.astype(np.float32), scores.astype(np.float32) ** 2
    made = tf.image.combined_non_max_suppression(
        boxes[None, :, None], scores[None], 60, 60, 0.5, least, clip_boxes=False
    )
    count = int(made.valid_detections[0])
    expected = np.column_stack([one[0, :count].numpy() for one in made[:3]])
    np.testing.assert_array_equal(nms(boxes, scores, least=least, most=60), expected)
    loop = nms(boxes, scores, least=least, most=60, soft="linear")
    np.testing.assert_allclose(loop[0], expected[0])


@pytest.mark.parametrize("soft", ["linear", "gaussian"])
def test_what_was_not_looked_at_would_not_have_changed_soft_ones(soft, monkeypatch):
    from dlspec.decode import nms as room

    boxes, scores = crowded(6, boxes=300, classes=4)
    whole = nms(boxes, scores, most=40, soft=soft)
    monkeypatch.setattr(room, "AT_FIRST", 64)
    np.testing.assert_allclose(nms(boxes, scores, most=40, soft=soft), whole, rtol=1e-6)


def test_nothing_to_choose_from():
    for soft in ("off", "gaussian"):
        assert nms(np.zeros((0, 4)), np.zeros((0, 3)), soft=soft).shape == (0, 6)
        assert nms(SQUARES, np.zeros((4, 2)), least=0.5, soft=soft).shape == (0, 6)


@pytest.mark.parametrize("kind", ["iou", "giou", "diou"])
def test_overlaps_of_the_loop_are_those_of_numpy(kind):
    random = np.random.default_rng(0)
    low, sides = random.uniform(0, 5, (1_000, 2)), random.uniform(0, 3, (1_000, 2))
    boxes = np.concatenate([low, low + sides], axis=1).astype(np.float32)
    np.testing.assert_allclose(np.asarray(overlaps(boxes[7], boxes, kind)), overlap(boxes[7], boxes, kind), atol=2e-6)


def test_what_a_network_says_becomes_boxes():
    """One prior is sure of a box, another of the same one, less; the rest of none.  One class is 3 times the other."""
    own = priors((32, 32), (8,), [[[10, 10], [12, 12]]])
    box = np.array([4.0, 5, 15, 17])
    said = np.zeros((2, len(own), 7))
    said[..., 4] = -20
    for place, sure in ((10, 3.0), (11, 1.0)):
        said[0, place] = [*encoded(box, own[place]), sure, 0, math.log(3)]
    found, nothing = detections(said, own, least=0.01, overlap=0.5, most=10)
    assert nothing.shape == (0, 6)
    sure = 1 / (1 + math.exp(-3))
    np.testing.assert_allclose(found, [[*box, sure * 0.75, 1], [*box, sure * 0.25, 0]], rtol=1e-5)
