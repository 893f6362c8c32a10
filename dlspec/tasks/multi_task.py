"""Several questions of different kinds about each example, answered by one network with a head for each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator

from dlspec.evaluators.head_truths import known_rows, of_head
from dlspec.evaluators.heads import Heads
from dlspec.models.base import Backbone, Model, with_log_variances
from dlspec.recipe.component import OneOf, blame, unknown
from dlspec.tasks.base import Aim, Task
from dlspec.tasks.classification import Classification
from dlspec.tasks.multi_label import MultiLabel
from dlspec.tasks.regression import Regression
from dlspec.types import Arrays, Complaint, DataError, Examples, Place, RecipeError, State, UserError

if TYPE_CHECKING:
    import keras
    import numpy as np

LAYER = "uncertainty"
FORBIDDEN = ".:|[]"
"""what names of metrics, kinds of error and statistics are made with"""


class _Head(NamedTuple):
    """A head at work: its task, the whole state as that task takes it, and its places in the vector of logits."""

    name: str
    task: Any
    record: Mapping[str, Any]
    state: State
    start: int
    end: int


class MultiTask(Task):
    """Several heads over one network: classification, regression and multi_label, each with a column of the target.

    The network gives one vector of logits; each head takes its part of it, and is what its own task makes of that:
    target, loss, prediction.  An example may lack the truth of some heads: it counts 0 in their loss, and is not
    scored there.  Predictions are a float array (N, K), those of the heads side by side.
    """

    summary: ClassVar[str] = "several questions about each example at once: a head each, over one network"
    takes: ClassVar[type[Model]] = Backbone
    name: Literal["multi_task"] = "multi_task"
    heads: dict[str, Annotated[Any, OneOf(None, Classification, Regression, MultiLabel)]]
    """by the name of its column of data.target, what is asked: classification, regression or multi_label, with their
    settings ({name: classification, class_weights: balanced}); a head of several columns of 0 and 1 has a name of its
    own and lists them ({name: multi_label, labels: [a, b]})"""
    weighting: Literal["fixed", "uncertainty"] = "fixed"
    """how the heads' losses are added. fixed: as `weights` says; uncertainty: each by exp(-s) and s / 2 on top, where s
    is trained with the network, so that what is noisy counts less (Kendall, Gal and Cipolla 2018)"""
    weights: dict[str, Annotated[float, Field(gt=0)]] = {}
    """how much each head's loss counts, 1 where nothing is given"""

    @model_validator(mode="after")
    def _heads_fit(self) -> MultiTask:
        if not self.heads:
            raise blame("name at least one head, as {digit: classification}", "heads", value=self.heads)
        for name in self.heads:
            if not name or any(mark in name for mark in FORBIDDEN):
                message = f"a head's name may have none of {' '.join(FORBIDDEN)} in it, got '{name}'"
                raise blame(message, "heads", name, value=name)
        for name in self.weights:
            if name not in self.heads:
                raise blame(unknown("head", name, list(self.heads)), "weights", name, value=name)
        if self.weights and self.weighting == "uncertainty":
            raise blame("uncertainty finds the weights; leave them out, or write weighting: fixed", "weights", value=1)
        return self

    @property
    def evaluator(self) -> Heads:
        return Heads(of={name: task.evaluator.name for name, task in self.heads.items()})

    def prepare(self, train: Examples) -> State:
        """`heads`: name → `evaluator`, `state` (what its own task learns of the examples that it knows), `width`,
        `flat` and `columns` (see evaluators.heads), `outputs` (logits) and `share` (of train that is known).

        Raises DataError and RecipeError as the heads' tasks do, and where a head has no column.
        """
        import numpy as np

        there = self._columns(train)
        columns = {name: self._columns_of(name, there) for name in self.heads}
        heads, notes = {}, []
        for name, task in self.heads.items():
            several = columns[name] if columns[name] != [name] else None
            record: dict[str, Any] = {"evaluator": task.evaluator.name, "columns": several}
            record["state"] = {"empty": getattr(task, "empty", "missing")}
            rows = known_rows(train, name, record)
            if not rows:
                raise DataError(f"head '{name}': its truth is missing in all {len(train)} examples of train")
            some = of_head(train, name, record).take(rows)
            with _blaming(name):
                learned = task.prepare(some)
            notes += [f"{name}: {one}" for one in learned.pop("notes", ())]
            if len(rows) < len(train):
                notes.append(f"{name}: known of {len(rows):,} of {len(train):,} examples of train")
            record["state"] = learned
            perfect = np.asarray(task.evaluator.perfect(some[0], learned))
            record |= {"width": int(perfect.size), "flat": perfect.ndim == 0, "share": len(rows) / len(train)}
            record["outputs"] = task.outputs({"task": learned})
            heads[name] = record
        used = {column for own in columns.values() for column in own}
        left = [one for one in there if one not in used]
        if left:
            notes.append(f"of no head: {', '.join(left)} (data.target)")
        return {"heads": heads, "notes": notes}

    def _columns(self, train: Examples) -> list[str]:
        """The columns of the target.  Raises DataError where it is one alone."""
        values = train.column("y")
        if not all(isinstance(one, Mapping) for one in values):
            names = ", ".join(self.heads)
            raise DataError(
                f"multi_task asks several things of an example, and this data gives one; list the columns of the heads "
                f"in the data section, as target: [{names}]"
            )
        return list(dict.fromkeys(name for one in values for name in one))

    def _columns_of(self, name: str, there: list[str]) -> list[str]:
        """The columns of a head.  Raises RecipeError where one is not there."""
        task = self.heads[name]
        several = list(task.labels) if isinstance(task, MultiLabel) and task.labels and name not in there else [name]
        for column in several:
            if column not in there:
                hint = "; list it in data.target, or call the head as its column is called"
                message = f"no column for head '{name}': {unknown('column', column, there)}{hint}"
                raise RecipeError(message, where=Place(key=f"task.heads.{name}"))
        return several

    def _each(self, state: State) -> Iterator[_Head]:
        start = 0
        for name, record in state["task"]["heads"].items():
            end = start + record["outputs"]
            yield _Head(name, self.heads[name], record, {**state, "task": record["state"]}, start, end)
            start = end

    def outputs(self, state: State) -> int:
        return sum(record["outputs"] for record in state["task"]["heads"].values())

    def build(self, model: Model, state: State) -> keras.Model:
        """The model's network; with learned weights, the layer that holds them follows its logits."""
        network = super().build(model, state)
        return network if self.weighting == "fixed" else with_log_variances(network, len(self.heads), LAYER)

    def target(self, examples: Examples, encoded: Arrays, state: State) -> Arrays:
        """`label`: float32 (N, M + H), what losses.heads takes: each head's truths, then how much they count there.

        A class is 1 among zeros (of two, one number), a number is standardised; NaN where nothing is known.
        """
        import numpy as np

        label = np.full((len(examples), self.outputs(state) + len(self.heads)), np.nan, np.float32)
        for place, head in enumerate(self._each(state), self.outputs(state)):
            rows = known_rows(examples, head.name, head.record)
            some = of_head(examples, head.name, head.record).take(rows)
            own = {name: values[rows] for name, values in encoded.items() if not isinstance(values, list)}
            targets = head.task.target(some, own, head.state)
            [values] = targets.values()
            if "label" in targets:
                values = _shares(values, head.end - head.start)
            label[rows, head.start : head.end] = values
            label[:, place] = 1.0
            weights = head.task.weigh({name: np.nan_to_num(values) for name in targets}, head.state)
            if weights is not None:
                label[rows, place] = weights
        return {"label": label}

    def compiled(self, state: State) -> Mapping[str, Any]:
        return self._compiled(state, None)

    def compiled_for(self, network: Any, state: State) -> Mapping[str, Any]:
        """With the network's own log variances, where they are trained."""
        found = [one for one in network._flatten_layers() if one.name == LAYER]
        return self._compiled(state, found[0].log_variances if found and self.weighting == "uncertainty" else None)

    def _compiled(self, state: State, log_variances: Any) -> Mapping[str, Any]:
        from dlspec.losses.heads import HeadLoss, HeadMetric, HeadsLoss

        losses, metrics = [], []
        for head in self._each(state):
            own = head.task.compiled(head.state)
            gaussian = isinstance(head.task, Regression) and head.task.loss == "squared"
            weight = self.weights.get(head.name, 1.0) / head.record["share"]
            if self.weighting == "uncertainty" and log_variances is None and gaussian:
                weight /= 2  # as at the start of training, where all s are 0
            losses.append(HeadLoss(head.start, head.end, own["loss"], weight, gaussian))
            metrics += [HeadMetric(one, head.start, head.end, f"{head.name}_{one.name}") for one in own["metrics"]]
        return {"loss": HeadsLoss(losses, log_variances), "metrics": metrics}

    def expected_initial_loss(self, state: State) -> float | None:
        """The weighted sum of the heads'."""
        total = 0.0
        for head in self._each(state):
            own = head.task.expected_initial_loss(head.state)
            if own is None:
                return None
            gaussian = isinstance(head.task, Regression) and head.task.loss == "squared"
            halved = 0.5 if self.weighting == "uncertainty" and gaussian else 1.0
            total += halved * self.weights.get(head.name, 1.0) * own
        return total

    def predict(self, network: Any, batches: Iterable[Arrays], state: State) -> np.ndarray:
        import numpy as np

        logits = [np.asarray(network(batch), np.float64) for batch in batches]
        found = []
        for head in self._each(state):
            own = [one[:, head.start : head.end] for one in logits]
            predictions = np.asarray(head.task.predict(lambda part: part, own, head.state), np.float64)
            found.append(predictions.reshape(len(predictions), head.record["width"]))
        return np.concatenate(found, axis=1)

    def aims(self, logits: np.ndarray, state: State, kinds: Sequence[str] | None = None) -> list[Aim]:
        """One of each head, in their order; or that of the head that is wrong."""
        import numpy as np

        found = []
        for head in self._each(state):
            own = None if kinds is None else [one.removeprefix(f"{head.name}: ") for one in kinds]
            for aim in head.task.aims(logits[:, head.start : head.end], head.state, own):
                weights = np.zeros(logits.shape)
                weights[:, head.start : head.end] = aim.weights
                found.append(Aim([f"{head.name}: {one}" for one in aim.says], weights))
        if kinds is None:
            return found
        names = [head.name for head in self._each(state)]
        wrong = [next((i for i, name in enumerate(names) if one.startswith(f"{name}: ")), 0) for one in kinds]
        says = [found[i].says[row] for row, i in enumerate(wrong)]
        return [Aim(says, np.stack([found[i].weights[row] for row, i in enumerate(wrong)]))]

    def calibrate(self, predictions: Sequence[Any], dev: Examples, state: State) -> State:
        """Each head's own thresholds, by the examples of dev that it knows."""
        task: State = state["task"]
        heads = dict(task["heads"])
        for part, head in zip(self.evaluator._parts(task), self._each(state), strict=True):
            rows = known_rows(dev, head.name, head.record)
            if rows:
                own = part.taken(predictions)[rows]
                learned = head.task.calibrate(own, of_head(dev, head.name, head.record).take(rows), head.state)
                heads[head.name] = {**head.record, "state": learned}
        return {**task, "heads": heads}


@contextlib.contextmanager
def _blaming(head: str) -> Iterator[None]:
    """Name the head in whatever its own task complains of."""
    try:
        yield
    except UserError as error:
        found = []
        for where, message, excerpt in error.complaints:
            key = where.key and where.key.replace("task", f"task.heads.{head}", 1)
            found.append(Complaint(where._replace(key=key), f"head '{head}': {message}", excerpt))
        raise type(error)(found) from None


def _shares(label: np.ndarray, width: int) -> np.ndarray:
    """Class indices as 1 among zeros; a class that train lacks (below 0) is NaN."""
    import numpy as np

    if label.ndim == 1:
        shares = np.eye(width, dtype=np.float32)[np.maximum(label, 0)]
        return np.where(label[:, None] < 0, np.float32(np.nan), shares)
    return np.where(label < 0, np.float32(np.nan), label)
