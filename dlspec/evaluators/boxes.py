"""Any number of boxes a picture, each with a class and a confidence: mAP of COCO and VOC, errors as TIDE has them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.evaluators import box_tables
from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.box_truths import facts, found_boxes, perfect_rows, true_boxes
from dlspec.numeric.places import boxes_text
from dlspec.types import Error, Example, Examples, Figure, Marks, Metric, Mistakes, Share, State, Statistics

if TYPE_CHECKING:
    import numpy as np

SAYS = ("f1", "precision", "recall")


class Boxes(Evaluator):
    """Predictions are a float array (K, 6) a picture: corners in its own pixels (x0, y0, x1, y1), confidence, class
    index; by falling confidence; K may be 0.

    `state`: `names` of the classes; `threshold`, from which confidence on an object is said; `overlap`, from which IoU
    on a box is at the right place.  A truth is a tuple of boxes, or none (see dlspec.numeric.places); a crowd need not
    be found, and is not wrong when found.

    map_50_95 (COCO's AP, Lin et al. 2014): the mean over ten IoUs from 0.5 to 0.95 and over all classes that occur of
    the mean precision at 101 recalls; of every prediction, the 100 surest of a class and picture.  map_50 and map_75:
    at these IoUs; map_small, map_medium, map_large: of objects below 32², up to 96², and above, in squared pixels of
    the box; ar_1, ar_10, ar_100: the mean recall of so many boxes of a class and picture (so that pictures with more
    objects of a class keep ar_1 below 1).  voc_map: VOC's (Everingham et al. 2010) at IoU 0.5, the area under the
    curve, as since 2010; voc_map_11 at eleven recalls, as before.

    f1, precision, recall: of what is said, over all classes together.  Metrics of what does not occur are NaN.

    Kinds of error, of what is said: class, location, class and location, duplicate, background, missed (TIDE; Bolya et
    al. 2020).
    """

    summary: ClassVar[str] = "any number of boxes a picture: mAP as COCO and VOC have it, kinds of error"
    name: Literal["boxes"] = "boxes"

    def metrics(self, state: State) -> list[Metric]:
        from dlspec.numeric.detection_scores import NAMES

        return [Metric(name, "max", 1.0) for name in (*NAMES, *SAYS)]

    def statistics(self, examples: Examples, predictions: Sequence[Any], state: State) -> Statistics:
        """Matches of each picture, as records (see dlspec.numeric.detection_records).

        Raises DataError that names examples without a truth.
        """
        from dlspec.numeric.detection_records import records

        return records(found_boxes(examples, predictions, state))

    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        from dlspec.numeric.detection_scores import counted, scores

        found = scores(statistics["boxes"], statistics["truths"]).values(weights, only)
        return found | counted(statistics["counts"], weights)

    def shares(self, statistics: Statistics) -> dict[str, Share]:
        """Shares of objects and boxes, of which those of one picture are no rows of their own."""
        return {metric.name: Share(None) for metric in self.metrics({})}

    def by_class(
        self, statistics: Statistics, state: State, weights: np.ndarray | None = None
    ) -> dict[str, dict[str, float]]:
        """ap_50_95 and ap_50: COCO's AP of each class that occurs."""
        from dlspec.evaluators.box_figures import of_classes

        return of_classes(statistics, state, weights)

    def errors(self, example: Example, prediction: Any, state: State) -> list[Error]:
        """Boxes first, the surest of them first: the size is the confidence; of a missed object, 1 less that of the box
        that would find it, were it said."""
        one = Examples([example.id], [None], [example.y])
        found = found_boxes(one, [prediction], state)
        mistakes = box_tables.mistakes(found)
        truths, rows = true_boxes(one)[0], box_tables.rows_of(prediction)
        return [
            Error(example.id, kind, size, boxes_text(truth), guess)
            for kind, size, truth, guess in box_tables.told(found, mistakes, truths, rows, state)
        ]

    def kinds_of(
        self, examples: Examples, predictions: Sequence[Any], statistics: Statistics, state: State
    ) -> Mistakes:
        from dlspec.numeric.detection_records import MISTAKE, unpacked
        from dlspec.numeric.found_boxes import KINDS

        held, rows = unpacked(statistics["mistakes"], MISTAKE)
        return Mistakes(rows, held["kind"].astype("int64"), held["size"].copy(), list(KINDS))

    def perfect(self, example: Example, state: State) -> np.ndarray:
        """Every object but a crowd, in the order of the truth, with the confidence 1; of a class that train has not, it
        is none of the names."""
        [truths] = true_boxes(Examples([example.id], [None], [example.y]))
        return perfect_rows(truths, state)

    def mended(self, examples: Examples, predictions: Sequence[Any], kind: str, state: State) -> list[np.ndarray]:
        """A wrong box takes over what is wrong in it from the truth that it is about, or goes where that is found
        already; what is on the background or a duplicate goes; what is missed is added, with the confidence 1."""
        from dlspec.evaluators.box_mending import mended

        return mended(examples, predictions, kind, state)

    def mend(self, example: Example, prediction: Any, kind: str, state: State) -> np.ndarray:
        one = Examples([example.id], [None], [example.y])
        return self.mended(one, [prediction], kind, state)[0]

    def columns(self, predictions: Sequence[Any], state: State) -> dict[str, Any]:
        """guess (`cat (10, 20, 50, 60); dog (…)` or `nothing`: what is said), boxes (everything, as JSON: a list of
        [x0, y0, x1, y1, confidence, class])."""
        return box_tables.columns(predictions, state)

    finds: ClassVar[bool] = True

    def found(self, prediction: Any, state: State) -> np.ndarray:
        return box_tables.rows_of(prediction)

    def said(self, predictions: Sequence[Any], state: State) -> list[dict[str, Any]]:
        """guess, as text; objects: of each that is said its class, confidence and box ([x0, y0, x1, y1])."""
        return [box_tables.as_object(one, state) for one in predictions]

    needs: ClassVar[str] = "boxes, a list of [x0, y0, x1, y1, confidence, class] as JSON"

    def from_columns(self, columns: Mapping[str, Sequence[Any]], state: State) -> list[np.ndarray]:
        """Out of `boxes`; of a table that has `guess` alone, out of that, with the confidence 1."""
        return box_tables.from_columns(columns, state)

    def recognize(self, columns: Mapping[str, Sequence[Any]], *, asked: bool = False) -> State | None:
        return box_tables.recognize(columns, asked)

    def received(
        self, columns: Mapping[str, Sequence[Any]], ids: Sequence[str], state: State
    ) -> tuple[list[np.ndarray], list[str]]:
        """Raises DataError that names the pictures with a number that is none, a box that is turned inside out, or a
        class that there is not."""
        rows = self.from_columns(columns, state)
        return rows, box_tables.checked(rows, ids, state)

    def truth(self, examples: Examples, state: State) -> list[Any]:
        known = examples.take([i for i, y in enumerate(examples.column("y")) if y is not None])
        texts = iter([boxes_text(own) for own in true_boxes(known)])
        return [None if y is None else next(texts) for y in examples.column("y")]

    def classes(self, examples: Examples, state: State) -> list[tuple[str, ...]]:
        """The classes that are in each picture, or `nothing`."""
        return [tuple(sorted({box.name for box in own})) or (boxes_text(()),) for own in true_boxes(examples)]

    def facts(self, examples: Examples, state: State) -> dict[str, Any]:
        """How many objects there are, the sides of the smallest and the largest (√area), how much two of them overlap
        at most (IoU), and of each of the most frequent classes whether it is there."""
        return facts(true_boxes(examples))

    def marks(self, example: Example, prediction: Any, state: State) -> tuple[Marks, Marks | None]:
        true = Marks() if example.y is None else Marks(true_boxes(Examples([example.id], [None], [example.y]))[0])
        if prediction is None:
            return true, None
        return true, Marks(box_tables.said(box_tables.rows_of(prediction), state))

    def remarks(self, examples: Examples, state: State) -> list[str]:
        own = true_boxes(examples)
        unknown = {box.name for boxes in own for box in boxes} - set(state["names"])
        said = []
        if unknown:
            shown = ", ".join(sorted(unknown)[:3])
            said.append(f"objects of classes that train has not ({shown}) count as missed, as one class more")
        if len(own) and not any(own):
            said.append(f"none of {len(own):,} pictures has an object, so that there is no mAP")
        return said

    def figures(self, statistics: Statistics, state: State) -> list[Figure]:
        """AP of each class, precision and recall, confusions, kinds of error by class and size, calibration."""
        from dlspec.evaluators.box_figures import figures

        return figures(statistics, state)

    def fitted(self, examples: Examples, predictions: Sequence[Any], state: State) -> tuple[State, list[str]]:
        """The threshold, where it is None."""
        if state["threshold"] is not None:
            return state, []
        threshold = self.fitted_threshold(examples, predictions, {**state, "threshold": box_tables.THRESHOLD})
        says = f"objects are said from a confidence of {threshold:.3g} on, where F1 is highest on these pictures"
        return {**state, "threshold": threshold}, [says]

    def fitted_threshold(self, examples: Examples, predictions: Sequence[Any], state: State) -> float:
        """The confidence from which on F1 at IoU `overlap` is highest on these examples; the state's own threshold
        where nothing that was predicted is right."""
        from dlspec.numeric.detection_scores import best_threshold

        statistics = self.statistics(examples, predictions, state)
        best = best_threshold(statistics["boxes"], statistics["truths"])
        return float(state["threshold"]) if best is None or math.isnan(best) else best
