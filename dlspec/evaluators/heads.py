"""Several things said of an example at once, each judged by an evaluator of its own."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from dlspec.evaluators.base import Evaluator, Head
from dlspec.evaluators.head_statistics import KNOWN, MARK, each, made, spread
from dlspec.evaluators.head_truths import known_rows, of_head
from dlspec.types import Error, Example, Examples, Figure, Metric, Mistakes, Share, State, Statistics

if TYPE_CHECKING:
    import numpy as np

MEAN = "mean_score"


class Part(NamedTuple):
    """A head: its name, its evaluator, its part of the state, and its columns in the array of predictions."""

    name: str
    evaluator: Evaluator
    record: Mapping[str, Any]
    columns: slice

    @property
    def state(self) -> State:
        state: State = self.record["state"]
        return state

    def taken(self, predictions: np.ndarray) -> np.ndarray:
        """Its predictions, as its evaluator takes them."""
        own = predictions[:, self.columns]
        return own[:, 0] if self.record["flat"] else own


class Heads(Evaluator):
    """Predictions are a float array (N, K): those of every head side by side, in the order of the heads.

    `state`: `heads`, name → `evaluator` (its name), `state` (its own part), `width` (its columns) and `flat` (whether
    it takes its one column as (N,)), `columns` (of the target, where these are several labels) or None.

    Metrics are those of every head, as `digit.accuracy`, over the examples whose truth is known; before them
    `mean_score`, the mean over the heads of the first metric of each that is 1 at best: accuracy, R², micro F1.
    Kinds of error begin with the head, as `digit: 3 → 8`.
    """

    summary: ClassVar[str] = "several things at once, each with its own metrics: head.metric, and their mean"
    name: Literal["heads"] = "heads"

    of: dict[str, str] = {}
    """the evaluator of each head; where it is empty, the state tells"""

    def metrics(self, state: State) -> list[Metric]:
        found = [Metric(MEAN, "max", 1.0)]
        known = state.get("heads", {})
        for name, evaluator in self._evaluators(state).items():
            own = evaluator.metrics(known[name]["state"] if name in known else {})
            found += [one._replace(name=f"{name}.{one.name}") for one in own]
        return found

    def statistics(self, examples: Examples, predictions: Sequence[Any], state: State) -> Statistics:
        """Those of each head, as `head|evaluator|name`, zeros where its truth is not known; `known` says where."""
        import numpy as np

        array, found = self._array(predictions, state), Statistics()
        for part in self._parts(state):
            rows = known_rows(examples, part.name, part.record)
            some = of_head(examples, part.name, part.record).take(rows)
            own = part.evaluator.statistics(some, part.taken(array)[rows], part.state)
            mask = np.zeros(len(examples), bool)
            mask[rows] = True
            head = f"{part.name}{MARK}{part.evaluator.name}{MARK}"
            found[head + KNOWN] = mask
            for name, values in own.items():
                found[head + name] = spread(values, mask)
        return found

    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        import numpy as np

        found: dict[str, float] = {}
        means = []
        for name, evaluator, own, mask in each(statistics):
            wanted, head = None, _headline(evaluator)
            if only is not None:
                wanted = {one.removeprefix(f"{name}.") for one in only if one.startswith(f"{name}.")}
                wanted |= {head} if MEAN in only else set()
                if not wanted:
                    continue
            some = weights if weights is None or mask.all() else np.asarray(weights)[mask]
            values = evaluator.combine(own, some, only=wanted)
            found |= {f"{name}.{metric}": value for metric, value in values.items()}
            means.append(values.get(head, math.nan))
        if only is None or MEAN in only:
            found = {MEAN: float(np.mean(means)) if means else math.nan, **found}
        return found

    def shares(self, statistics: Statistics) -> dict[str, Share]:
        found = {MEAN: Share(None)}
        for name, evaluator, own, mask in each(statistics):
            for metric, share in evaluator.shares(own).items():
                if share.rows is not None:
                    among = mask if share.among is None else spread(share.among, mask).astype(bool)
                    share = share._replace(rows=spread(share.rows, mask), among=among)
                found[f"{name}.{metric}"] = share
        return found

    def errors(self, example: Example, prediction: Any, state: State) -> list[Error]:
        """Those of every head whose truth is known, of the kind `head: kind`."""
        import numpy as np

        single = Examples([example.id], [None], [example.y])
        row = np.asarray(prediction, np.float64)[None]
        found = []
        for part in self._parts(state):
            if known_rows(single, part.name, part.record):
                one = of_head(single, part.name, part.record)[0]
                own = part.evaluator.errors(one, part.taken(row)[0], part.state)
                found += [
                    error._replace(
                        kind=f"{part.name}: {error.kind}",
                        truth=f"{part.name} {error.truth}",
                        guess=f"{part.name} {error.guess}",
                    )
                    for error in own
                ]
        return found

    def kinds_of(
        self, examples: Examples, predictions: Sequence[Any], statistics: Statistics, state: State
    ) -> Mistakes:
        import numpy as np

        array = self._array(predictions, state)
        held = {name: (own, mask) for name, _, own, mask in each(statistics)}
        rows, codes, sizes, names = [], [], [], list[str]()
        for part in self._parts(state):
            own, mask = held[part.name]
            places = np.flatnonzero(mask)
            some = of_head(examples, part.name, part.record).take(places.tolist())
            found = part.evaluator.kinds_of(some, part.taken(array)[places], own, part.state)
            rows.append(places[found.rows])
            codes.append(found.codes + len(names))
            sizes.append(found.sizes)
            names += [f"{part.name}: {kind}" for kind in found.names]
        order = np.argsort(np.concatenate(rows), kind="stable")
        return Mistakes(np.concatenate(rows)[order], np.concatenate(codes)[order], np.concatenate(sizes)[order], names)

    def mended(self, examples: Examples, predictions: Sequence[Any], kind: str, state: State) -> np.ndarray:
        import numpy as np

        array = self._array(predictions, state).copy()
        for part in self._parts(state):
            if kind.startswith(f"{part.name}: "):
                rows = known_rows(examples, part.name, part.record)
                some = of_head(examples, part.name, part.record).take(rows)
                own = kind.removeprefix(f"{part.name}: ")
                mended = part.evaluator.mended(some, part.taken(array)[rows], own, part.state)
                array[rows, part.columns] = np.asarray(mended, np.float64).reshape(len(rows), -1)
        return array

    def mend(self, example: Example, prediction: Any, kind: str, state: State) -> np.ndarray:
        single = Examples([example.id], [None], [example.y])
        wrong = any(error.kind == kind for error in self.errors(example, prediction, state))
        row: np.ndarray = self.mended(single, [prediction], kind if wrong else "", state)[0]
        return row

    def perfect(self, example: Example, state: State) -> np.ndarray:
        """Zeros for a head whose truth is not known."""
        import numpy as np

        single = Examples([example.id], [None], [example.y])
        found = []
        for part in self._parts(state):
            own = np.zeros(part.record["width"])
            if known_rows(single, part.name, part.record):
                own = np.atleast_1d(part.evaluator.perfect(of_head(single, part.name, part.record)[0], part.state))
            found.append(own)
        return np.concatenate(found)

    def columns(self, predictions: Sequence[Any], state: State) -> dict[str, Any]:
        """`guess`: those of all heads as JSON; of each head `guess.head`, `p_head.class` and what else it has."""
        import numpy as np

        array = np.asarray(predictions, np.float64)
        own = {part.name: part.evaluator.columns(part.taken(array), part.state) for part in self._parts(state)}
        found: dict[str, Any] = {"guess": _texts({head: columns["guess"] for head, columns in own.items()})}
        for head, columns in own.items():
            found |= {_column(head, name): values for name, values in columns.items()}
        return found

    def from_columns(self, columns: Mapping[str, Sequence[Any]], state: State) -> np.ndarray:
        import numpy as np

        found = []
        for part in self._parts(state):
            names = part.evaluator.columns(part.taken(np.zeros((0, part.columns.stop))), part.state)
            own = {name: columns[_column(part.name, name)] for name in names if _column(part.name, name) in columns}
            array = np.asarray(part.evaluator.from_columns(own, part.state), np.float64)
            found.append(array.reshape(len(array), part.record["width"]))
        return np.concatenate(found, axis=1)

    needs: ClassVar[str] = "what dlspec itself wrote of several heads"

    def truth(self, examples: Examples, state: State) -> list[Any]:
        """As JSON: the truth of every head, null where it is not known."""
        found: list[dict[str, Any]] = [dict.fromkeys(state["heads"]) for _ in range(len(examples))]
        for part in self._parts(state):
            rows = known_rows(examples, part.name, part.record)
            some = of_head(examples, part.name, part.record).take(rows)
            for row, value in zip(rows, part.evaluator.truth(some, part.state), strict=True):
                found[row][part.name] = value
        return [json.dumps(one, ensure_ascii=False) for one in found]

    def classes(self, examples: Examples, state: State) -> list[tuple[str, ...]]:
        """Those of every head, as `parity: odd`."""
        found: list[tuple[str, ...]] = [()] * len(examples)
        for part in self._parts(state):
            rows = known_rows(examples, part.name, part.record)
            own = part.evaluator.classes(of_head(examples, part.name, part.record).take(rows), part.state)
            for row, several in zip(rows if own else (), own, strict=True):
                found[row] = (*found[row], *(f"{part.name}: {one}" for one in several))
        return found

    def heads(self, statistics: Statistics, state: State) -> dict[str, Head]:
        import numpy as np

        own = {name: (values, mask) for name, _, values, mask in each(statistics)}
        return {
            part.name: Head(part.evaluator, own[part.name][0], part.state, np.flatnonzero(own[part.name][1]))
            for part in self._parts(state)
        }

    def remarks(self, examples: Examples, state: State) -> list[str]:
        said = []
        for part in self._parts(state):
            rows = known_rows(examples, part.name, part.record)
            if not rows:
                said.append(
                    f"{part.name}: none of {len(examples):,} examples has a truth, so that nothing is known of it"
                )
                continue
            some = of_head(examples, part.name, part.record).take(rows)
            said += [f"{part.name}: {one}" for one in part.evaluator.remarks(some, part.state)]
        return said

    def figures(self, statistics: Statistics, state: State) -> list[Figure]:
        own = {name: values for name, _, values, _ in each(statistics)}
        return [
            figure._replace(title=f"{part.name}: {figure.title}")
            for part in self._parts(state)
            for figure in part.evaluator.figures(own[part.name], part.state)
        ]

    def stack(self, predictions: Sequence[Any]) -> np.ndarray:
        import numpy as np

        return np.stack([np.asarray(one, np.float64) for one in predictions])

    def _evaluators(self, state: State) -> dict[str, Evaluator]:
        of = self.of or {name: one["evaluator"] for name, one in state.get("heads", {}).items()}
        return {name: made(kind) for name, kind in of.items()}

    def _array(self, predictions: Sequence[Any], state: State) -> np.ndarray:
        import numpy as np

        width = sum(record["width"] for record in state["heads"].values())
        return np.asarray(predictions, np.float64).reshape(-1, width)

    def _parts(self, state: State) -> list[Part]:
        found, start = [], 0
        for name, record in state["heads"].items():
            end = start + record["width"]
            found.append(Part(name, made(record["evaluator"]), record, slice(start, end)))
            start = end
        return found


def _headline(evaluator: Evaluator) -> str:
    """The first of its metrics that is 1 at best."""
    return next(one.name for one in evaluator.metrics({}) if one.best == "max" and one.perfect == 1)


def _column(head: str, name: str) -> str:
    """`guess.digit`, `p_digit.3`."""
    kind = "p_" if name.startswith("p_") else ""
    return f"guess.{head}" if name == "guess" else f"{kind}{head}.{name.removeprefix(kind)}"


def _texts(columns: Mapping[str, Sequence[Any]]) -> list[str]:
    rows = zip(*(values.tolist() if hasattr(values, "tolist") else values for values in columns.values()), strict=True)
    return [json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) for row in rows]
