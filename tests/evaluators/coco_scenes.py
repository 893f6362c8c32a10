"""Generated scenes of boxes, and what pycocotools and faster-coco-eval make of them."""

import contextlib
import io

import numpy as np

from dlspec.numeric.places import Box
from dlspec.types import Examples

ORDER = (
    "map_50_95", "map_50", "map_75", "map_small", "map_medium", "map_large", "ar_1", "ar_10", "ar_100", "ar_small",
    "ar_medium", "ar_large",
)  # fmt: skip
"""how COCO lists them"""


def scenes(count, classes, seed, objects=12, boxes=60):
    """Truths (name, x0, y0, x1, y1, crowd) and predictions (K, 6) of pictures.

    Among them are empty pictures, crowds, objects of all sizes, edges on whole pixels, and confidences that are tied.
    """
    random = np.random.default_rng(seed)
    truths, predictions = [], []
    for i in range(count):
        many = random.integers(0, objects) if i % 7 else 0
        size = np.exp(random.uniform(np.log(8), np.log(250), (many, 2)))
        corner = random.uniform(0, 300, (many, 2))
        true = np.concatenate([corner, corner + size], axis=1).round(1 if i % 2 else 0)
        label, crowd = random.integers(0, classes, many), random.random(many) < 0.1
        truths.append(
            [(f"c{k}", *row, bool(c)) for k, row, c in zip(label.tolist(), true.tolist(), crowd, strict=True)]
        )
        said = random.integers(0, boxes) if i % 5 else 0
        if many and said:
            of = random.integers(0, many, said)
            near = true[of] + random.normal(0, 0.1, (said, 4)) * np.tile(size[of], 2)
            near[:, :2] = np.minimum(near[:, :2], near[:, 2:] - 1)
            guess = np.where(random.random(said) < 0.8, label[of], random.integers(0, classes, said))
        else:
            corner = random.uniform(0, 300, (said, 2))
            near = np.concatenate([corner, corner + random.uniform(5, 200, (said, 2))], axis=1)
            guess = random.integers(0, classes, said)
        sure = random.random(said).round(2 if i % 3 else 6)
        rows = np.concatenate([near, sure[:, None], guess[:, None]], axis=1)
        predictions.append(rows[np.argsort(-sure, kind="stable")])
    return truths, predictions


def examples(truths):
    return Examples([str(i) for i in range(len(truths))], [None] * len(truths), [boxes(own) for own in truths])


def boxes(own):
    return tuple(Box(*one) for one in own)


def as_coco(truths, predictions, classes):
    """The same as COCO's ground truth and results."""
    held = [
        {
            "image_id": i + 1,
            "category_id": int(name[1:]) + 1,
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "area": (x1 - x0) * (y1 - y0),
            "iscrowd": int(crowd),
        }
        for i, own in enumerate(truths)
        for name, x0, y0, x1, y1, crowd in own
    ]
    truth = {
        "images": [{"id": i + 1, "file_name": f"{i + 1}.png", "width": 600, "height": 600} for i in range(len(truths))],
        "annotations": [{"id": k + 1, **one} for k, one in enumerate(held)],
        "categories": [{"id": k + 1, "name": f"c{k}"} for k in range(classes)],
    }
    results = [
        {
            "image_id": i + 1,
            "category_id": int(label) + 1,
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "score": score,
        }
        for i, rows in enumerate(predictions)
        for x0, y0, x1, y1, score, label in rows.tolist()
    ]
    return truth, results


def evaluated(truth, results, faster=False):
    """The evaluation of pycocotools or of faster-coco-eval, silently; `stats` are in the order of ORDER."""
    if faster:
        from faster_coco_eval import COCO
        from faster_coco_eval import COCOeval_faster as Evaluation
    else:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval as Evaluation
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = truth
        known.createIndex()
        made = Evaluation(known, known.loadRes(results), "bbox")
        made.evaluate()
        made.accumulate()
        made.summarize()
    return made
