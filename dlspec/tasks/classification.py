"""One class of several for each example: softmax and cross-entropy, of two classes the logistic function."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlspec.evaluators.classes import Classes
from dlspec.evaluators.truths import class_name, class_names
from dlspec.models.base import Backbone, Model
from dlspec.recipe.component import unknown
from dlspec.remedies import FIRST, LAST, Remedy, Situation
from dlspec.tasks.base import Aim, Task
from dlspec.types import Arrays, DataError, Examples, Place, RecipeError, State

if TYPE_CHECKING:
    import numpy as np

FEW = 10
"""so many classes may always be; more are refused where they are more than half of the examples"""
SHOWN = 12
"""classes whose counts a note names one by one"""
IMBALANCE = 5
"""how many times more examples the largest class has than the smallest, before a note says so"""


class Classification(Task):
    """One of several classes for each example.

    The network gives one logit where there are two classes (of the positive one), else one logit a class; the loss is
    the cross-entropy.  Predictions are probabilities (N, C), float64, in the order of the class names.
    """

    summary: ClassVar[str] = "one of two or more classes for each example"
    takes: ClassVar[type[Model]] = Backbone
    name: Literal["classification"] = "classification"
    positive: str | bool | int | float | None = None
    """of two classes, the one that precision, recall, F1, ROC AUC and the threshold speak of; by default the last"""
    threshold: float = Field(0.5, gt=0, lt=1)
    """of two classes, the positive one is guessed where its probability is at least this"""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """so much of each truth is spread evenly over the classes in training: less sure of itself, often right more often
    (Szegedy et al. 2016)"""
    class_weights: Literal["balanced"] | dict[str, Annotated[float, Field(gt=0)]] | None = None
    """how much examples count in the loss. balanced: each class the same as a whole; or a number a class, 1 where none
    is given, as if its examples were repeated so often.  Scaled to be 1 on average over train.  Scores do not weigh"""

    def remedies(self, of: Situation) -> list[Remedy]:
        """Weights of classes where they are uneven, softer labels against variance."""
        if of.cause == "class imbalance" and self.class_weights is None:
            reason = "a rare class weighs as much as a frequent one, so that it pays to tell it apart"
            return [Remedy({"class_weights": "balanced"}, reason, FIRST)]
        if of.cause in ("variance", "wrong labels") and not self.label_smoothing:
            return [Remedy({"label_smoothing": 0.1}, "labels that are not quite sure are not learned by heart", LAST)]
        return []

    @property
    def evaluator(self) -> Classes:
        return Classes()

    def prepare(self, train: Examples) -> State:
        """`classes` (names: by number where all are numbers, else by alphabet), `counts`, `positive`, `threshold`; and
        `weights`, one a class, where they are asked for.

        Raises DataError where a target is missing, where there is one class only, and where nearly every example has
        a class of its own; RecipeError where `positive` or one of `class_weights` is no class of train, or where
        `positive` or `threshold` is given for more than two classes.
        """
        counts = Counter(class_names(train))
        classes = sorted(counts) if any(_number(name) is None for name in counts) else sorted(counts, key=_by_number)
        if len(classes) == 1:
            raise DataError(
                f"all {len(train)} examples of train have the class '{classes[0]}'; there must be two classes or more: "
                "is the target the right column, and does the split leave every class in train?"
            )
        if len(classes) > max(FEW, len(train) / 2):
            raise DataError(_too_many(classes, len(train)))
        positive = self._positive(classes)
        return {
            "classes": classes,
            "counts": [counts[name] for name in classes],
            "positive": positive,
            "threshold": self.threshold if len(classes) == 2 else None,
            **({"weights": self._weights(classes, counts)} if self.class_weights else {}),
            "notes": _notes(classes, counts, positive),
        }

    def _weights(self, classes: list[str], counts: Mapping[str, int]) -> list[float]:
        """One a class, 1 on average over train."""
        given = self.class_weights
        if not isinstance(given, dict):
            given = {name: 1 / counts[name] for name in classes}
        for name in given:
            if name not in counts:
                raise RecipeError(unknown("class", name, classes), where=Place(key=f"task.class_weights.{name}"))
        scale = sum(counts.values()) / sum(counts[name] * given.get(name, 1.0) for name in classes)
        return [scale * given.get(name, 1.0) for name in classes]

    def _positive(self, classes: list[str]) -> str | None:
        if len(classes) > 2:
            for key, given in (("positive", self.positive is not None), ("threshold", self.threshold != 0.5)):
                if given:
                    message = f"{key} is for two classes, and this data has {len(classes)}; leave it out"
                    raise RecipeError(message, where=Place(key=f"task.{key}"))
            return None
        positive = classes[-1] if self.positive is None else str(class_name(self.positive))
        if positive not in classes:
            raise RecipeError(unknown("class", positive, classes), where=Place(key="task.positive"))
        return positive

    def outputs(self, state: State) -> int:
        classes = len(state["task"]["classes"])
        return 1 if classes == 2 else classes

    def target(self, examples: Examples, encoded: Arrays, state: State) -> Arrays:
        """`label`: class indices, int32 (N,); of two classes, float32 (N, 1): 1 for the positive one, 0 for the other.

        A class that train lacks is −1, which no loss takes: it can occur outside of train alone.
        Raises DataError that names the examples without a target.
        """
        import numpy as np

        task = state["task"]
        names = class_names(examples)
        if task["positive"] is None:
            index = {name: i for i, name in enumerate(task["classes"])}
            return {"label": np.array([index.get(name, -1) for name in names], np.int32)}
        of = {name: float(name == task["positive"]) for name in task["classes"]}
        return {"label": np.array([of.get(name, -1.0) for name in names], np.float32)[:, None]}

    def strata(self, examples: Examples, state: State) -> np.ndarray:
        """The class of each example, as an index."""
        import numpy as np

        index = {name: i for i, name in enumerate(state["task"]["classes"])}
        return np.array([index[name] for name in class_names(examples)])

    def weigh(self, targets: Arrays, state: State) -> np.ndarray | None:
        """That of the class; of a mixed picture, the mean of those of its classes, by their shares."""
        import numpy as np

        task = state["task"]
        if not task.get("weights"):
            return None
        weights, label = np.array(task["weights"], np.float32), targets["label"]
        if task["positive"] is not None:
            place = task["classes"].index(task["positive"])
            of_positive, of_other = weights[place], weights[1 - place]
            return of_other + (of_positive - of_other) * label[:, 0].astype(np.float32)
        return weights[label] if label.ndim == 1 else label.astype(np.float32) @ weights

    def compiled(self, state: State) -> Mapping[str, Any]:
        import keras

        from dlspec.losses import cross_entropy

        task = state["task"]
        if task["positive"] is None:
            return {
                "loss": cross_entropy.CrossEntropy(self.label_smoothing),
                "metrics": [keras.metrics.MeanMetricWrapper(cross_entropy.right, name="accuracy")],
            }
        # keras.metrics.BinaryAccuracy refuses thresholds of logits in some versions, and it asks for "more than".
        cut = math.log(task["threshold"] / (1 - task["threshold"]))

        def right(labels: Any, logits: Any) -> Any:
            # Mixed pictures (mixup, cutmix) are of the class of which they hold more.
            return keras.ops.cast(keras.ops.equal(labels >= 0.5, logits >= cut), "float32")

        return {
            "loss": keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=self.label_smoothing),
            "metrics": [keras.metrics.MeanMetricWrapper(right, name="accuracy")],
        }

    def expected_initial_loss(self, state: State) -> float:
        """log C: a network that knows nothing gives each of C classes the same probability."""
        return math.log(len(state["task"]["classes"]))

    def predict(self, network: Any, batches: Iterable[Arrays], state: State) -> np.ndarray:
        import numpy as np

        task = state["task"]
        logits = [np.asarray(network(batch), np.float64) for batch in batches]
        scores = np.concatenate(logits) if logits else np.zeros((0, self.outputs(state)))
        if task["positive"] is None:
            powers = np.exp(scores - scores.max(axis=1, keepdims=True))
            return powers / powers.sum(axis=1, keepdims=True)
        of_positive, of_other = _logistic(scores), _logistic(-scores)
        last = task["positive"] == task["classes"][1]
        return np.concatenate([of_other, of_positive] if last else [of_positive, of_other], axis=1)

    def aims(self, logits: np.ndarray, state: State, kinds: Sequence[str] | None = None) -> list[Aim]:
        """The logit of the class that is guessed; of two classes, the one logit, turned round for the other one."""
        import numpy as np

        task = state["task"]
        classes, positive = task["classes"], task["positive"]
        if positive is None:
            guess = logits.argmax(axis=1)
            return [Aim([classes[i] for i in guess], np.eye(len(classes))[guess])]
        said = _logistic(logits[:, 0]) >= task["threshold"]
        [other] = [one for one in classes if one != positive]
        return [Aim([positive if one else other for one in said], np.where(said, 1.0, -1.0)[:, None])]


def _logistic(scores: np.ndarray) -> np.ndarray:
    """1 / (1 + e⁻ᶻ) without overflow, and to full relative precision where it is nearly 0."""
    import numpy as np

    return np.exp(-np.logaddexp(0, -scores))


def _number(name: str) -> float | None:
    try:
        number = float(name)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _by_number(name: str) -> tuple[float, str]:
    return float(name), name


def _too_many(classes: Sequence[str], examples: int) -> str:
    message = f"the target has {len(classes)} different values in {examples} examples of train, too many for classes"
    if all(_number(name) is not None for name in classes):
        return f"{message}; they are all numbers, so write task: regression"
    shown = ", ".join(f"'{name}'" for name in classes[:3])
    return f"{message} ({shown}, …): is the target the right column?"


def _notes(classes: Sequence[str], counts: Mapping[str, int], positive: str | None) -> list[str]:
    most, least = max(classes, key=counts.__getitem__), min(classes, key=counts.__getitem__)
    if len(classes) <= SHOWN:
        listed = ", ".join(f"{name} ({counts[name]})" for name in classes)
        notes = [f"{len(classes)} classes: {listed}"]
    else:
        notes = [f"{len(classes)} classes, from {least} ({counts[least]}) to {most} ({counts[most]})"]
    if positive is None:
        notes.append("precision, recall and F1 are macro averages over the classes")
    else:
        notes.append(f"precision, recall and F1 are those of '{positive}' (task.positive)")
    if counts[most] >= IMBALANCE * counts[least]:
        share = counts[most] / sum(counts.values())
        notes.append(
            f"the classes are imbalanced: '{most}' has {counts[most] / counts[least]:.0f} times the examples of "
            f"'{least}', and always guessing '{most}' scores an accuracy of {share:.3f}; look at F1 and ROC AUC as well"
        )
    return notes
