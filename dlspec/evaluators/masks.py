"""A class for each pixel: mean IoU, Dice, pixel accuracy; errors are confused classes, and edges that are a bit off."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.truths import some
from dlspec.types import DataError, Error, Example, Examples, Figure, Marks, Metric, Mistakes, Share, State, Statistics

if TYPE_CHECKING:
    import numpy as np

EDGE = "edge"
LEAST = 1e-15


class Masks(Evaluator):
    """Predictions are a sequence of class indices, uint8 (H, W) each, of the size of the picture as it came.

    `state`: `names` of the classes; `edge`, how many pixels from another class a wrong pixel is one of the edge;
    `tolerance`, the share of a picture's pixels from which on what is wrong in it is an error.  Truths are
    dlspec.numeric.masks.Mask; pixels that nobody has judged are not scored.

    mean_iou: of each class the pixels that truth and guess have in common, by those that either has, summed over all
    pictures; the mean over the classes that occur.  mean_dice: the same of 2 × common by the sum of both.
    pixel_accuracy: how many pixels are right.

    Kinds of error: `edge`, wrong pixels near another class, and `cat → ground`, those that are farther away.
    """

    summary: ClassVar[str] = "a class for each pixel: IoU, Dice, pixel accuracy"
    name: Literal["masks"] = "masks"

    def metrics(self, state: State) -> list[Metric]:
        return [Metric(name, "max", 1.0) for name in ("mean_iou", "mean_dice", "pixel_accuracy")]

    def statistics(self, examples: Examples, predictions: Sequence[Any], state: State) -> Statistics:
        """counts (N, C, C + 1): pixels by truth and guess, the last of which is none of the classes; inner, the same
        of pixels away from edges; pixels (N,), those that are judged.

        Raises DataError that names examples without a truth, or where a mask is not of the size of its truth.
        """
        import numpy as np

        from dlspec.numeric.masks import near_edges

        classes = len(state["names"])
        counts = np.zeros((len(examples), classes, classes + 1))
        inner = np.zeros_like(counts)
        for row, (example, guess) in enumerate(zip(examples, predictions, strict=True)):
            truth, guess = _truth(example), np.minimum(guess, classes)
            if guess.shape != truth.shape:
                raise DataError(
                    f"the mask that was predicted of '{example.id}' is {guess.shape[0]}×{guess.shape[1]}, that of its "
                    f"truth {truth.shape[0]}×{truth.shape[1]} (height × width)"
                )
            judged = truth < classes
            cells = truth.astype(np.int64) * (classes + 1) + guess
            away = judged & ~near_edges(truth, state["edge"])
            for of, which in ((counts, judged), (inner, away)):
                of[row] = np.bincount(cells[which], minlength=classes * (classes + 1)).reshape(classes, classes + 1)
        return {"counts": counts, "inner": inner, "pixels": counts.sum(axis=(1, 2))}

    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        import numpy as np

        counts = statistics["counts"]
        table = counts.sum(axis=0) if weights is None else np.tensordot(weights, counts, 1)
        common, truth, guess = table.diagonal(), table.sum(axis=1), table[:, :-1].sum(axis=0)
        some = truth + guess > 0
        total = table.sum()
        if not total > 0:
            return {"mean_iou": math.nan, "mean_dice": math.nan, "pixel_accuracy": math.nan}
        return {
            "mean_iou": float((common / np.maximum(truth + guess - common, LEAST))[some].mean()),
            "mean_dice": float((2 * common / np.maximum(truth + guess, LEAST))[some].mean()),
            "pixel_accuracy": float(common.sum() / total),
        }

    def shares(self, statistics: Statistics) -> dict[str, Share]:
        """Shares of pixels, of which those of one picture are no rows of their own."""
        return {name: Share(None) for name in ("mean_iou", "mean_dice", "pixel_accuracy")}

    def errors(self, example: Example, prediction: Any, state: State) -> list[Error]:
        """One for each kind that concerns enough pixels; its size is their share of the picture."""
        one = Examples([example.id], [None], [example.y])
        mistakes = self.kinds_of(one, [prediction], self.statistics(one, [prediction], state), state)
        texts = [_spoken(mask, state) for mask in (_truth(example), prediction)] if len(mistakes.rows) else []
        return [
            Error(example.id, mistakes.names[code], size, texts[0], f"{texts[1]}; wrong {size:.1%}")
            for code, size in zip(mistakes.codes.tolist(), mistakes.sizes.tolist(), strict=True)
        ]

    def kinds_of(
        self, examples: Examples, predictions: Sequence[Any], statistics: Statistics, state: State
    ) -> Mistakes:
        import numpy as np

        classes = len(state["names"])
        right = np.eye(classes, classes + 1, dtype=bool)
        wrong, away = (np.where(right, 0, statistics[name]) for name in ("counts", "inner"))
        edge = (wrong - away).sum(axis=(1, 2))[:, None]
        pixels = np.maximum(statistics["pixels"], 1)[:, None]
        shares = np.concatenate([edge, away.reshape(len(examples), classes * (classes + 1))], axis=1) / pixels
        rows, codes = np.nonzero((shares >= state["tolerance"]) & (shares > 0))
        return Mistakes(rows, codes, shares[rows, codes], _kinds(state))

    def perfect(self, example: Example, state: State) -> np.ndarray:
        return _truth(example)

    def mend(self, example: Example, prediction: Any, kind: str, state: State) -> np.ndarray:
        """The pixels that the kind is of, where it concerns enough of them."""
        if all(error.kind != kind for error in self.errors(example, prediction, state)):
            return prediction  # type: ignore[no-any-return]
        return self._mended(example, prediction, kind, state)

    def mended(self, examples: Examples, predictions: Sequence[Any], kind: str, state: State) -> list[np.ndarray]:
        return [self._mended(one, guess, kind, state) for one, guess in zip(examples, predictions, strict=True)]

    def _mended(self, example: Example, prediction: Any, kind: str, state: State) -> np.ndarray:
        import numpy as np

        from dlspec.numeric.masks import near_edges

        classes, truth = len(state["names"]), _truth(example)
        guess, code = np.minimum(prediction, classes), _kinds(state).index(kind)
        edge = near_edges(truth, state["edge"])
        if code == 0:
            which = edge
        else:
            which = ~edge & (truth == (code - 1) // (classes + 1)) & (guess == (code - 1) % (classes + 1))
        return np.where(which, truth, prediction).astype(np.uint8)

    def columns(self, predictions: Sequence[Any], state: State) -> dict[str, Any]:
        """guess: runs of class indices (`2x3:0*4,1,0`, see numeric.masks.to_text); share_<class> of the pixels."""
        import numpy as np

        from dlspec.numeric.masks import to_text

        texts, shares = [], np.zeros((len(predictions), len(state["names"])))
        for row, mask in enumerate(predictions):
            texts.append(to_text(mask))
            shares[row] = np.bincount(mask.reshape(-1), minlength=256)[: len(state["names"])] / max(1, mask.size)
        return {"guess": texts, **{f"share_{name}": shares[:, k] for k, name in enumerate(state["names"])}}

    needs: ClassVar[str] = "guess as runs of class indices, '2x3:0*4,1,0'"

    def from_columns(self, columns: Mapping[str, Sequence[Any]], state: State) -> Sequence[np.ndarray]:
        """Out of `guess`.  Raises DataError where one is no mask."""
        from dlspec.numeric.masks import PackedMasks, from_text

        try:
            return PackedMasks(from_text(text) for text in columns["guess"])
        except (KeyError, ValueError, AttributeError):
            raise DataError(f"the table of predictions needs {self.needs}, in the column 'guess'") from None

    def recognize(self, columns: Mapping[str, Sequence[Any]], *, asked: bool = False) -> State | None:
        from dlspec.numeric.masks import IGNORED, from_text

        try:
            masks = [from_text(text) for name in ("truth", "guess") for text in columns[name] if text is not None]
        except (KeyError, ValueError, TypeError, AttributeError):
            return None
        given = [name.removeprefix("share_") for name in columns if name.startswith("share_")]
        most = max((int(mask[mask < IGNORED].max(initial=0)) for mask in masks), default=0)
        names = given if len(given) > most else [str(k) for k in range(most + 1)]
        return {"names": names, "edge": 2, "tolerance": 0.005} if masks else None

    def truth(self, examples: Examples, state: State) -> list[Any]:
        from dlspec.numeric.masks import mask_of, to_text

        return [None if y is None else to_text(mask_of(y)) for y in examples.column("y")]

    def classes(self, examples: Examples, state: State) -> list[tuple[str, ...]]:
        """The classes that a picture has pixels of."""
        import numpy as np

        names = state["names"]
        return [tuple(names[k] for k in np.unique(_truth(one)).tolist() if k < len(names)) for one in examples]

    def marks(self, example: Example, prediction: Any, state: State) -> tuple[Marks, Marks | None]:
        truth = Marks() if example.y is None else Marks(mask=_truth(example))
        return truth, None if prediction is None else Marks(mask=prediction)

    def figures(self, statistics: Statistics, state: State) -> list[Figure]:
        """IoU of each class, and which classes are taken for which."""
        import numpy as np

        table = statistics["counts"].sum(axis=0)
        truth, guess, common = table.sum(axis=1), table[:, :-1].sum(axis=0), table.diagonal()
        occurs = np.flatnonzero(truth + guess > 0)
        if not len(occurs):
            return []
        names = [state["names"][k] for k in occurs.tolist()]
        iou = (common / np.maximum(truth + guess - common, LEAST))[occurs]
        bars = {"names": names, "values": iou.round(4).tolist(), "x_title": "class", "y_title": "IoU"}
        cells = table[np.ix_(occurs, occurs)].astype(int).tolist()
        matrix = {"rows": names, "columns": names, "values": cells, "row_title": "truth", "column_title": "guess"}
        return [
            Figure("bars", "IoU of each class", bars, "over all pictures together"),
            Figure("matrix", "Pixels by class", matrix, "pixels that nobody has judged are not in it"),
        ]

    def stack(self, predictions: Sequence[Any]) -> Sequence[np.ndarray]:
        return list(predictions)


def _truth(example: Example) -> np.ndarray:
    """Raises DataError that names the example where it has no mask."""
    from dlspec.numeric.masks import mask_of

    if example.y is None:
        raise DataError(f"the target is missing in '{some([example.id])}': it has no mask")
    try:
        return mask_of(example.y)
    except ValueError:
        raise DataError(f"the target of '{example.id}' is no mask: integers (H, W), or a file of them") from None


def _kinds(state: State) -> list[str]:
    names = state["names"]
    return [EDGE, *(f"{one} → {other}" for one in names for other in (*names, "?"))]


def _spoken(mask: np.ndarray, state: State) -> str:
    """`ground 93.1%, cat 6.9%`: the classes by their shares of the pixels, the largest first."""
    import numpy as np

    counts = np.bincount(mask.reshape(-1), minlength=256)
    named = [(counts[k] / max(1, mask.size), name) for k, name in enumerate(state["names"]) if counts[k]]
    return ", ".join(f"{name} {share:.1%}" for share, name in sorted(named, reverse=True)[:6])
