"""Several of some labels for each example, or none: a logistic function and a binary cross-entropy a label."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlspec.evaluators import label_sets
from dlspec.evaluators.labels import EXTRA, MISSING, Labels
from dlspec.models.base import Backbone, Model
from dlspec.numeric.class_names import plain
from dlspec.recipe.component import unknown
from dlspec.remedies import FIRST, Remedy, Situation
from dlspec.tasks.base import Aim, Task
from dlspec.types import Arrays, DataError, Examples, Place, RecipeError, State
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

FEWEST = 5
"""examples of dev with a label, below which its threshold stays as it is"""
RARE = 0.05
SHOWN = 12
"""labels whose counts a note names one by one"""
MOST = 10_000


class MultiLabel(Task):
    """Several of L labels are true of each example; none may be.

    Truths are texts with a separator between the labels (`cat;dog`), or a column a label with 0 and 1 (`data.target`
    lists the columns), of which some may be missing: those are left out of the loss and of the scores.  The network
    gives a logit a label; the loss is the mean binary cross-entropy over an example's known labels.  Predictions are
    probabilities (N, L), float64, in the order of the labels; a label is guessed where its probability reaches a
    threshold of its own.
    """

    summary: ClassVar[str] = "several of some labels for each example, or none of them"
    takes: ClassVar[type[Model]] = Backbone
    name: Literal["multi_label"] = "multi_label"
    labels: tuple[str, ...] | None = None
    """which labels (or columns of data.target) are asked, in which order; left out: all that train has"""
    separator: Literal["auto", ";", "|", ","] = "auto"
    """what stands between the labels of a text; auto: whichever of these stands in most of train's"""
    empty: Literal["none", "missing"] = "none"
    """what an example without a value says where labels are texts: that none is true, or that nothing is known.
    The data must keep such rows: data.keep_missing_target"""
    threshold: Literal["fitted"] | Annotated[float, Field(gt=0, lt=1)] = "fitted"
    """a label is guessed where its probability is at least this. fitted: one a label, that of the greatest F1 on dev,
    after training (0.5 until then, and where fewer than 5 examples of dev have the label): scores on dev are then a
    little too good, and test tells"""
    positive_weights: Literal["balanced"] | dict[str, Annotated[float, Field(gt=0)]] | None = None
    """how much a label counts in the loss where it is true, against 1 where it is not. balanced: as many times as it is
    more often false than true, for rare labels; or a number a label, 1 where none is given"""

    def remedies(self, of: Situation) -> list[Remedy]:
        """Weights of rare labels, where the network learns too little."""
        if of.cause == "class imbalance" and self.positive_weights is None:
            return [Remedy({"positive_weights": "balanced"}, "a rare label counts more where it is true", FIRST)]
        return []

    @property
    def evaluator(self) -> Labels:
        return Labels()

    def prepare(self, train: Examples) -> State:
        """`classes` (the labels: as columns come, else by alphabet), `counts`, `thresholds`, `separator`, `empty`,
        `initial_loss`; and `weights`, one a label, where they are asked for.

        Raises DataError where no label is known, where one of them is missing in every example, or all are the same
        everywhere; RecipeError where one of `labels` or `positive_weights` is none of train's.
        """
        import numpy as np

        values = [plain(one) for one in train.column("y")]
        columns = any(isinstance(one, Mapping) for one in values)
        texts = [one for one in values if not isinstance(one, Mapping) and one is not None and one == one]
        mark = label_sets.separator_of(texts) if self.separator == "auto" else self.separator
        if columns:
            there = dict.fromkeys(name for one in values if isinstance(one, Mapping) for name in one)
            mark = next((one for one in label_sets.SEPARATORS if not any(one in name for name in there)), ";")
        else:
            there = dict.fromkeys(sorted({name for one in texts for name in label_sets.held(one, mark)}))
        classes = self._asked(list(there), columns)
        state: State = {"classes": classes, "separator": mark, "empty": self.empty}
        truth = label_sets.truths(train, state)
        known, true = (~np.isnan(truth)).sum(axis=0), (truth == 1).sum(axis=0)
        self._check(classes, known, true, len(train))
        fixed = 0.5 if self.threshold == "fitted" else self.threshold
        state |= {"counts": true.tolist(), "thresholds": [fixed] * len(classes)}
        if self.positive_weights is not None:
            state["weights"] = self._weights(classes, known, true)
        weight = np.array(state.get("weights", [1.0] * len(classes)))
        each = np.where(np.isnan(truth), 0.0, np.where(truth == 1, weight, 1.0)).sum(axis=1)
        state["initial_loss"] = float(math.log(2) * (each / np.maximum((~np.isnan(truth)).sum(axis=1), 1)).mean())
        several = columns or any(mark in one for one in texts if isinstance(one, str))
        return {**state, "notes": _notes(classes, known, true, truth, several)}

    def _asked(self, there: list[str], columns: bool) -> list[str]:
        if not there:
            raise DataError("none of train's examples has a label; name the right target in the data section")
        for name in self.labels or ():
            if name not in there:
                what = "label column" if columns else "label"
                raise RecipeError(unknown(what, name, there), where=Place(key="task.labels"))
        if len(there) > MOST:
            raise DataError(f"the target holds {len(there):,} different labels; is it the right column?")
        return list(self.labels or there)

    def _check(self, classes: list[str], known: np.ndarray, true: np.ndarray, count: int) -> None:
        for name, many in zip(classes, known, strict=True):
            if not many:
                raise DataError(
                    f"the label '{name}' is missing in all {count} examples of train, so nothing can be learned of it; "
                    "take it out of data.target (or task.labels), or fill some of it in"
                )
        if ((true == 0) | (true == known)).all():
            raise DataError(
                f"every label is the same in all {count} examples of train, so there is nothing to learn: is the "
                "target the right column?"
            )

    def _weights(self, classes: list[str], known: np.ndarray, true: np.ndarray) -> list[float]:
        given = self.positive_weights
        if not isinstance(given, dict):
            return [float((k - t) / t) if 0 < t < k else 1.0 for k, t in zip(known, true, strict=True)]
        for name in given:
            if name not in classes:
                raise RecipeError(unknown("label", name, classes), where=Place(key=f"task.positive_weights.{name}"))
        return [given.get(name, 1.0) for name in classes]

    def outputs(self, state: State) -> int:
        return len(state["task"]["classes"])

    def target(self, examples: Examples, encoded: Arrays, state: State) -> Arrays:
        """`label`: float32 (N, L), 1, 0, or NaN where nothing is known; a label that train lacks is passed over."""
        import numpy as np

        return {"label": label_sets.truths(examples, state["task"]).astype(np.float32)}

    def compiled(self, state: State) -> Mapping[str, Any]:
        from dlspec.losses import masked

        loss = masked.MaskedBinaryCrossEntropy(state["task"].get("weights"))
        return {"loss": loss, "metrics": [masked.LabelAccuracy()]}

    def expected_initial_loss(self, state: State) -> float:
        """log 2 where nothing is weighed or missing: a network that knows nothing gives each label one half."""
        loss: float = state["task"]["initial_loss"]
        return loss

    def predict(self, network: Any, batches: Iterable[Arrays], state: State) -> np.ndarray:
        import numpy as np

        logits = [np.asarray(network(batch), np.float64) for batch in batches]
        scores = np.concatenate(logits) if logits else np.zeros((0, self.outputs(state)))
        return np.exp(-np.logaddexp(0, -scores))

    def aims(self, logits: np.ndarray, state: State, kinds: Sequence[str] | None = None) -> list[Aim]:
        """The label that is surest to be said, by its own threshold; or the one that is missing or extra."""
        import numpy as np

        classes = state["task"]["classes"]
        chosen = (np.exp(-np.logaddexp(0, -logits)) - np.asarray(state["task"]["thresholds"])).argmax(axis=1)
        if kinds is not None:
            wrong = {kind + name: i for i, name in enumerate(classes) for kind in (MISSING, EXTRA)}
            chosen = np.array([wrong.get(kind, one) for kind, one in zip(kinds, chosen.tolist(), strict=True)], int)
        return [Aim([classes[i] for i in chosen], np.eye(len(classes))[chosen])]

    def calibrate(self, predictions: Sequence[Any], dev: Examples, state: State) -> State:
        """The threshold of each label that has the greatest F1 on dev; of several, the nearest to one half."""
        import numpy as np

        task: State = state["task"]
        if self.threshold != "fitted":
            return task
        scores, truth = np.asarray(predictions, np.float64), label_sets.truths(dev, task)
        return {**task, "thresholds": [best_threshold(scores[:, i], truth[:, i]) for i in range(len(task["classes"]))]}


def best_threshold(score_N: np.ndarray, truth_N: np.ndarray) -> float:
    """The threshold of the greatest F1, half-way between two scores; 0.5 where none is better or positives are few."""
    import numpy as np

    known = ~np.isnan(truth_N) & ~np.isnan(score_N)
    scores, true = score_N[known], truth_N[known] == 1
    if true.sum() < FEWEST:
        return 0.5
    different = np.unique(scores)
    candidates = np.append((different[1:] + different[:-1]) / 2, 0.5)
    order = np.argsort(scores)
    under = np.searchsorted(scores[order], candidates, side="left")
    missed = np.append(0, np.cumsum(true[order]))[under]
    right, guessed = true.sum() - missed, len(scores) - under
    f1 = 2 * right / (true.sum() + guessed)
    best = candidates[f1 == f1.max()]
    return float(best[np.abs(best - 0.5).argmin()])


def _notes(classes: Sequence[str], known: np.ndarray, true: np.ndarray, truth: np.ndarray, several: bool) -> list[str]:
    import numpy as np

    count = len(truth)
    most, least = int(true.argmax()), int(true.argmin())
    if len(classes) <= SHOWN:
        listed = ", ".join(f"{name} ({many})" for name, many in zip(classes, true, strict=True))
        notes = [f"{plural(len(classes), 'label')}: {listed}"]
    else:
        notes = [
            f"{plural(len(classes), 'label')}, from {classes[least]} ({true[least]}) to {classes[most]} ({true[most]})"
        ]
    held = Counter((truth == 1).sum(axis=1).tolist())
    mean = float((truth == 1).sum(axis=1).mean())
    notes[0] += f"; {mean:.2f} an example on average, none in {held[0]:,} of {count:,}"
    if not several:
        notes.append("no example holds more than one label; where that is so of all data, write task: classification")
    gone = int(np.isnan(truth).sum())
    if gone:
        notes.append(f"{gone:,} of {truth.size:,} labels are not known: they count neither in the loss nor in scores")
    same = [name for name, k, t in zip(classes, known, true, strict=True) if t in (0, k)]
    if same:
        shown = ", ".join(same[:3]) + (", …" if len(same) > 3 else "")
        notes.append(
            f"{plural(len(same), 'label is', 'labels are')} the same in all of train, of which nothing "
            f"is learned: {shown}"
        )
    rare = [name for name, k, t in zip(classes, known, true, strict=True) if 0 < t < RARE * k]
    if rare:
        shown = ", ".join(rare[:3]) + (", …" if len(rare) > 3 else "")
        notes.append(
            f"{plural(len(rare), 'label is', 'labels are')} true of less than 5 % ({shown}); "
            "task.positive_weights may help"
        )
    return notes
