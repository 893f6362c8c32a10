"""One box a picture, or none: mean IoU, accuracy of box and class; errors are of presence, class and place."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.tables import number_column
from dlspec.evaluators.truths_of_places import boxes
from dlspec.numeric.places import Box, boxes_of, boxes_text
from dlspec.types import Error, Example, Examples, Figure, Marks, Metric, Mistakes, Share, State, Statistics

if TYPE_CHECKING:
    import numpy as np

CORNERS = ("xmin", "ymin", "xmax", "ymax")
KINDS = ("background", "missed", "class", "location", "class and location")
NO_CLASS = "?"
"""what a box is called that is of none of train's classes"""
OBJECT, BOX, CLASSES = 0, slice(1, 5), slice(5, None)
"""where in a prediction what stands"""
HISTOGRAM_BINS = 20


class OneBox(Evaluator):
    """Predictions are a float array (N, 5 + C): how probable an object is, its corners in the picture's own pixels
    (x0, y0, x1, y1), and the probabilities of the classes.

    `state`: `names` of the classes; `threshold`, from which probability on an object is said; `overlap`, from which IoU
    on a box is at the right place.  A truth is a tuple of boxes, none or one (see dlspec.numeric.places).

    mean_iou: of the pictures that have an object or where one is said, intersection over union of the two boxes, 0
    where one of them is missing.  accuracy: how many pictures are right: nothing said where nothing is, or the right
    class with enough overlap.  class_accuracy: of the pictures with an object, how many have its class as the most
    probable.  object_error: how many pictures have an object that is not said, or one said that is not there.

    Kinds of error: background (said where nothing is), missed, class, location (the wrong place), class and location.
    """

    summary: ClassVar[str] = "one box a picture or none: IoU, accuracy, missed and false ones"
    name: Literal["one_box"] = "one_box"

    def metrics(self, state: State) -> list[Metric]:
        found = [Metric(name, "max", 1.0) for name in ("mean_iou", "accuracy", "class_accuracy")]
        return [*found, Metric("object_error", "min", 0.0)]

    def statistics(self, examples: Examples, predictions: Sequence[Any], state: State) -> Statistics:
        """there and said (bool), iou, same (the class), p (of what is true, for the size of errors), right; each (N,).

        Raises DataError that names examples without a truth, or with several boxes.
        """
        import numpy as np

        from dlspec.numeric.boxes import overlap

        rows = np.asarray(predictions, np.float64).reshape(-1, 5 + len(state["names"]))
        truths = boxes(examples, most=1)
        place = {name: i for i, name in enumerate(state["names"])}
        there = np.array([bool(own) for own in truths], bool)
        box = np.array([own[0].corners if own else (0, 0, 0, 0) for own in truths], np.float64).reshape(-1, 4)
        label = np.array([place.get(own[0].name, -1) if own else -1 for own in truths], np.int64)
        said = rows[:, OBJECT] >= state["threshold"]
        iou = np.where(there & said, np.nan_to_num(overlap(rows[:, BOX], box)), 0.0)
        same = there & (_classes(rows) == label)
        known = np.take_along_axis(rows[:, CLASSES], np.maximum(label, 0)[:, None], axis=1)[:, 0]
        placed = iou >= state["overlap"]
        return {
            "there": there,
            "said": said,
            "iou": iou,
            "same": same,
            "p_object": rows[:, OBJECT],
            "p_class": np.where(label >= 0, known, 0.0),
            "placed": placed,
            "right": np.where(there, said & same & placed, ~said),
        }

    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        import numpy as np

        there, said = statistics["there"], statistics["said"]
        weights = np.ones(len(there)) if weights is None else np.asarray(weights, np.float64)

        def mean(values: Any, among: Any) -> float:
            total = weights @ among
            return float(weights @ (values * among) / total) if total > 0 else math.nan

        every = np.ones(len(there), bool)
        return {
            "mean_iou": mean(statistics["iou"], there | said),
            "accuracy": mean(statistics["right"], every),
            "class_accuracy": mean(statistics["same"], there),
            "object_error": mean(there != said, every),
        }

    def shares(self, statistics: Statistics) -> dict[str, Share]:
        there = statistics["there"]
        return {
            "accuracy": Share(statistics["right"]),
            "class_accuracy": Share(statistics["same"], there),
            "object_error": Share(there != statistics["said"]),
        }

    def errors(self, example: Example, prediction: Any, state: State) -> list[Error]:
        """At most one.  Its size is from 0 to 2: how sure what is wrong is said, and how little the boxes overlap."""
        one = Examples([example.id], [None], [example.y])
        statistics = self.statistics(one, [prediction], state)
        mistakes = self.kinds_of(one, [prediction], statistics, state)
        if not len(mistakes.rows):
            return []
        kind, size = mistakes.names[int(mistakes.codes[0])], float(mistakes.sizes[0])
        guess = self._boxes([prediction], state)[0]
        sure = float(prediction[OBJECT])
        said = f"{boxes_text(guess)}, {sure:.2g}" if guess else f"{boxes_text(guess)} (an object: {sure:.2g})"
        overlapped = f", IoU {float(statistics['iou'][0]):.2f}" if kind.endswith("location") else ""
        return [Error(example.id, kind, size, boxes_text(boxes(one)[0]), said + overlapped)]

    def kinds_of(
        self, examples: Examples, predictions: Sequence[Any], statistics: Statistics, state: State
    ) -> Mistakes:
        import numpy as np

        there, said, same, placed = (statistics[name] for name in ("there", "said", "same", "placed"))
        sure, of_class = statistics["p_object"], statistics["p_class"]
        which = [said & ~there, there & ~said, there & said & ~same & placed, there & said & same & ~placed]
        code = np.select([*which, there & said & ~same & ~placed], range(len(KINDS)), -1)
        apart = 1 - statistics["iou"]
        size = np.select([code == k for k in range(len(KINDS))], [sure, 1 - sure, 1 - of_class, apart, 0], 0.0)
        size = np.where(code == 4, apart + 1 - of_class, size)
        rows = np.flatnonzero(code >= 0)
        # A class that is right at last has a size, too: of two that are equally probable, the first is taken.
        sizes = np.maximum(np.where(np.isnan(size), math.inf, size)[rows], 1e-9)
        return Mistakes(rows, code[rows], sizes, list(KINDS))

    def perfect(self, example: Example, state: State) -> np.ndarray:
        """The box and class that are true; zeros alone where there is no object.  Of an unknown class all have 0."""
        import numpy as np

        row = np.zeros(5 + len(state["names"]))
        for box in boxes(Examples([example.id], [None], [example.y]), most=1)[0]:
            row[OBJECT], row[BOX] = 1.0, box.corners
            row[CLASSES] = [float(box.name == name) for name in state["names"]]
        return row

    def mend(self, example: Example, prediction: Any, kind: str, state: State) -> np.ndarray:
        """Of class or location that alone; otherwise all."""
        import numpy as np

        if not any(error.kind == kind for error in self.errors(example, prediction, state)):
            return np.asarray(prediction)
        perfect = self.perfect(example, state)
        row = np.array(prediction, np.float64)
        mended = {"class": CLASSES, "location": BOX}.get(kind, slice(None))
        row[mended] = perfect[mended]
        return row

    def columns(self, predictions: Sequence[Any], state: State) -> dict[str, Any]:
        """guess (`cat (10, 20, 50, 60)` or `nothing`), object (its probability), xmin, ymin, xmax, ymax, p_<class>."""
        import numpy as np

        rows = np.asarray(predictions, np.float64).reshape(-1, 5 + len(state["names"]))
        found: dict[str, Any] = {
            "guess": [boxes_text(own) for own in self._boxes(rows, state)],
            "object": rows[:, OBJECT],
        }
        found |= {name: rows[:, 1 + i] for i, name in enumerate(CORNERS)}
        return found | {f"p_{name}": rows[:, 5 + i] for i, name in enumerate(state["names"])}

    finds: ClassVar[bool] = True

    def found(self, prediction: Any, state: State) -> np.ndarray:
        """The one box, however sure."""
        import numpy as np

        row = np.asarray(prediction, np.float64)
        return np.array([[*row[BOX], row[OBJECT], _classes(row[None])[0]]])

    def said(self, predictions: Sequence[Any], state: State) -> list[dict[str, Any]]:
        """The row of `columns`, and `objects`: the one that is said, if any; its confidence is that it is there."""
        found = super().said(predictions, state)
        for one, own in zip(found, self._boxes(predictions, state), strict=True):
            sure = one["object"]
            one["objects"] = [{"class": box.name, "confidence": sure, "box": list(box.corners)} for box in own]
        return found

    needs: ClassVar[str] = "guess as 'cat (x0, y0, x1, y1)' or 'nothing'"

    def from_columns(self, columns: Mapping[str, Sequence[Any]], state: State) -> np.ndarray:
        """Out of the columns of numbers; of a table that has `guess` alone, out of that."""
        import numpy as np

        if "xmin" not in columns:
            guesses = [Example("", None, boxes_of(text)) for text in columns["guess"]]
            return self.stack([self.perfect(one, state) for one in guesses])
        wanted = ["object", *CORNERS, *(f"p_{name}" for name in state["names"])]
        return np.stack([number_column(columns, name) for name in wanted], axis=1)

    def recognize(self, columns: Mapping[str, Sequence[Any]], *, asked: bool = False) -> State | None:
        try:
            said = [[boxes_of(text) for text in columns[name] if text is not None] for name in ("truth", "guess")]
        except (KeyError, ValueError, TypeError, AttributeError):
            return None
        several = any(len(own) > 1 for column in said for own in column)
        names = sorted({box.name for column in said for own in column for box in own} - {NO_CLASS})
        given = [name.removeprefix("p_") for name in columns if name.startswith("p_")] if "xmin" in columns else []
        if several or "boxes" in columns or not (names or asked):  # those hold any number of boxes
            return None
        return {"names": given or names, "threshold": 0.5, "overlap": 0.5}

    def truth(self, examples: Examples, state: State) -> list[Any]:
        known = examples.take([i for i, y in enumerate(examples.column("y")) if y is not None])
        texts = iter([boxes_text(own) for own in boxes(known)])
        return [None if y is None else next(texts) for y in examples.column("y")]

    def classes(self, examples: Examples, state: State) -> list[tuple[str, ...]]:
        """The class of the object, or `nothing`."""
        return [tuple(box.name for box in own) or (boxes_text(()),) for own in boxes(examples)]

    def marks(self, example: Example, prediction: Any, state: State) -> tuple[Marks, Marks | None]:
        known = example.y is not None
        [truth] = boxes(Examples([example.id], [None], [example.y]), most=1) if known else [()]
        return Marks(truth), None if prediction is None else Marks(self._boxes([prediction], state)[0])

    def remarks(self, examples: Examples, state: State) -> list[str]:
        unknown = {box.name for own in boxes(examples) for box in own} - set(state["names"])
        if not unknown:
            return []
        return [
            f"objects of classes that train has not ({', '.join(sorted(unknown)[:3])}) count as errors of the class"
        ]

    def figures(self, statistics: Statistics, state: State) -> list[Figure]:
        """How the IoU of objects that were found is spread, and how often something is said where something is."""
        import numpy as np

        there, said = statistics["there"], statistics["said"]
        if not len(there):
            return []
        cells = [[int((row & column).sum()) for column in (said, ~said)] for row in (there, ~there)]
        table = {
            "rows": ["an object", "nothing"],
            "columns": ["an object", "nothing"],
            "values": cells,
            "row_title": "truth",
            "column_title": "guess",
        }
        found = [Figure("matrix", "Whether there is an object", table, "pictures")]
        both = there & said
        if both.any():
            edges = np.linspace(0, 1, HISTOGRAM_BINS + 1).round(6).tolist()
            values = np.histogram(statistics["iou"][both], edges)[0].tolist()
            bars = {"edges": edges, "values": values, "x_title": "IoU", "y_title": "pictures"}
            middle = float(np.median(statistics["iou"][both]))
            caption = f"of {int(both.sum()):,} objects that were found; half of them overlap by {middle:.2f} or more"
            found.append(Figure("bars", "How well boxes overlap", bars, caption))
        return found

    def stack(self, predictions: Sequence[Any]) -> np.ndarray:
        import numpy as np

        return np.array([np.asarray(one, np.float64) for one in predictions])

    def _boxes(self, predictions: Sequence[Any], state: State) -> list[tuple[Box, ...]]:
        """What is said of each picture: one box, or none."""
        import numpy as np

        rows = np.asarray(predictions, np.float64)
        names = [*state["names"], NO_CLASS]
        chosen = zip(rows[:, OBJECT] >= state["threshold"], _classes(rows), rows[:, BOX].tolist(), strict=True)
        return [(Box.at(names[code], box),) if said else () for said, code, box in chosen]


def _classes(rows: np.ndarray) -> np.ndarray:
    """The most probable class of each; −1 where all have the probability 0."""
    import numpy as np

    of = np.nan_to_num(rows[:, CLASSES])
    return np.where((of > 0).any(axis=1), of.argmax(axis=1), -1)
