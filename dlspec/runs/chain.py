"""Runs that work one after another, judged as a whole; and what it would buy to have one of them perfect."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.evaluators.boxes import Boxes
from dlspec.evaluators.classes import Classes
from dlspec.evaluators.truths_of_places import boxes
from dlspec.numeric.boxes import pairwise
from dlspec.recipe.chain import Chain, Stage, load_chain
from dlspec.recipe.component import unknown
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs.detected import cropped, wider
from dlspec.runs.judged import Judged, Part, chosen
from dlspec.runs.opened import OpenedRun, open_run
from dlspec.strategy.paired import Difference, Side, differences
from dlspec.types import SPLITS, ArgumentError, Examples, Metric, State

AT_ONCE = 1_000
"""crops that are predicted together: they are held as they were cut out"""
OVERLAP = 0.5
"""IoU from which a box is taken to be of an object"""


@dataclass(frozen=True)
class Joined:
    """A chain with its runs opened."""

    chain: Chain
    runs: tuple[OpenedRun, ...]
    state: State
    """as the evaluator of boxes takes it: names of the last stage"""
    metric: Metric

    @property
    def names(self) -> list[str]:
        """What each stage is called: its run."""
        return [f"{run.folder.parent.name}/{run.folder.name}" for run in self.runs]


@dataclass(frozen=True)
class Component:
    """What a stage's perfection would buy: the metric with it alone perfect, and with all up to it."""

    stage: str
    run: str
    alone: float
    gain: Difference
    together: float
    gain_together: Difference


def join(path: str | Path, root: str | Path, watch: Watch) -> tuple[Joined, dict[str, Examples]]:
    """A chain and the splits of its data.  Raises RecipeError, ArgumentError, DataError."""
    chain = load_chain(path)
    runs = tuple(_opened(stage, place, path, root) for place, stage in enumerate(chain.stages, 1))
    first, last = runs[0], runs[-1]
    if not first.recipe.evaluator.finds:
        raise ArgumentError(f"{path}: the first stage finds boxes; {first.folder} is of {first.recipe.task.name}")
    for stage, run in zip(chain.stages[1:], runs[1:], strict=True):
        if run.recipe.evaluator.name != Classes().name or run.recipe.input.kind != "picture":
            raise ArgumentError(
                f"{path}: a later stage tells classes of pictures; {run.folder} is {run.recipe.task.name} of a "
                f"{run.recipe.input.kind}"
            )
        for name in stage.keep or ():
            if name not in run.state["task"]["classes"]:
                raise ArgumentError(f"{path}: keep: {unknown('class', name, run.state['task']['classes'])}")
    own = first.state["task"]
    names = [
        one for one in last.state["task"]["classes"] if chain.stages[-1].keep is None or one in chain.stages[-1].keep
    ]
    state = {"names": names, "threshold": own["threshold"], "overlap": own.get("overlap", OVERLAP)}
    known = [one.name for one in Boxes().metrics(state)]
    if chain.metric is not None and chain.metric not in known:
        raise ArgumentError(f"{path}: metric: {unknown('metric', chain.metric, known)}")
    metric = next(one for one in Boxes().metrics(state) if chain.metric in (None, one.name))
    splits = chain.data.read()
    for note in splits.notes:
        watch.note(note)
    _warn_of_leaks(runs, splits.parts, splits.fingerprint, watch)
    return Joined(chain, runs, state, metric), dict(splits.parts)


def _opened(stage: Stage, place: int, path: str | Path, root: str | Path) -> OpenedRun:
    try:
        return open_run(stage.run, root)
    except ArgumentError as error:
        raise ArgumentError(f"{path}: stage {place}: {error}") from None


def judged_chain(
    path: str | Path,
    *,
    wanted: Sequence[str] = (),
    home: Path | None = None,
    root: str | Path = folders.RUNS,
    watch: Watch,
) -> tuple[Judged, dict[str, list[Component]]]:
    """What a chain says of its data, and by split what each stage's perfection would buy.

    wanted: splits; none means dev.  Raises RecipeError, ArgumentError, DataError.
    """
    joined, parts = join(path, root, watch)
    have = [name for name in SPLITS if name in parts and len(parts[name])]
    splits = chosen(have, wanted or (["dev"] if "dev" in have else []), "the chain's data")
    evaluator = Boxes()
    found: dict[str, Any] = {}
    for split in splits:
        for remark in evaluator.remarks(parts[split], joined.state):
            watch.warn(f"{split}: {remark}")
        found[split] = _Work(joined, *_detected(joined, parts[split], watch, split))
    state = joined.state
    if "dev" in found:
        work = found["dev"]
        threshold = evaluator.fitted_threshold(work.examples, work.said(()), state)
        state = {**state, "threshold": threshold}
        watch.note(f"objects are said from confidence {threshold:.3g} on, where F1 on dev is highest")
    judged = {}
    components = {}
    for split, work in found.items():
        said = work.said(())
        judged[split] = Part(work.examples, said, evaluator.statistics(work.examples, said, state))
        watch.note(f"{split}: what each stage's perfection would buy")
        components[split] = _components(joined, work, judged[split], state)
    return Judged(evaluator, state, joined.metric, judged, joined.runs[0].recipe.input, home), components


def _detected(joined: Joined, examples: Examples, watch: Watch, split: str) -> tuple[Examples, list[np.ndarray]]:
    run = joined.runs[0]
    units, predictions = run.scored(examples, watch, f"examples of {split}")
    evaluator, state = run.recipe.evaluator, run.state["task"]
    rows = [evaluator.found(predictions[i], state) for i in range(len(units))]
    sure = [own[own[:, 4] >= joined.chain.stages[1].least] for own in rows]
    return units, [_one_each(own, joined.chain.overlap) for own in sure]


def _one_each(rows: np.ndarray, overlap: float) -> np.ndarray:
    """Of boxes that overlap more than that, the surest, whatever their classes."""
    rows = rows[np.argsort(-rows[:, 4], kind="stable")]
    close = pairwise(rows[:, :4], rows[:, :4]) > overlap
    left = np.ones(len(rows), bool)
    for place in range(len(rows)):
        if left[place]:
            left[place + 1 :] &= ~close[place, place + 1 :]
    return rows[left]


class _Work:
    """The predictions of a chain on some pictures, with some of its stages perfect; what was worked out is kept."""

    def __init__(self, joined: Joined, examples: Examples, rows: list[np.ndarray]) -> None:
        self.joined, self.examples, self.rows = joined, examples, rows
        self.truths = [[box for box in own if not box.crowd] for own in boxes(examples)]
        self.said = functools.cache(self._said)
        self._classified = functools.cache(self._classify)

    def _said(self, perfect: tuple[int, ...]) -> list[np.ndarray]:
        """(K, 6) of each picture; perfect: the places of the stages that make no error."""
        names = self.joined.state["names"]
        found = self._boxes(0 in perfect)
        alive = [np.ones(len(own), bool) for own in found]
        final = [own.copy() for own in found]
        for place, stage in enumerate(self.joined.chain.stages[1:], 1):
            last = place == len(self.joined.runs) - 1
            told = self._classified(place, 0 in perfect)
            for picture, (labels, sure) in enumerate(told):
                if place in perfect:
                    labels, sure = self._mended(picture, found[picture], labels, sure, stage)
                if stage.keep is not None:
                    alive[picture] &= np.isin(labels, list(stage.keep))
                if last:
                    index = {name: i for i, name in enumerate(names)}
                    final[picture][:, 5] = [index.get(one, -1) for one in labels]
                    final[picture][:, 4] = found[picture][:, 4] * sure
                    alive[picture] &= final[picture][:, 5] >= 0
        kept = [own[which] for own, which in zip(final, alive, strict=True)]
        return [own[np.argsort(-own[:, 4], kind="stable")] for own in kept]

    def _boxes(self, perfect: bool) -> list[np.ndarray]:
        if not perfect:
            return self.rows
        return [np.array([[*box.corners, 1.0, 0.0] for box in own]).reshape(-1, 6) for own in self.truths]

    def _classify(self, place: int, on_truth: bool) -> list[tuple[np.ndarray, np.ndarray]]:
        """The class and its probability of each box of each picture."""
        run, stage = self.joined.runs[place], self.joined.chain.stages[place]
        found = self._boxes(on_truth)
        entry = self.joined.runs[0].recipe.input
        names: list[np.ndarray] = []
        sures: list[np.ndarray] = []
        crops: list[np.ndarray] = []

        def tell() -> None:
            if crops:
                rows = np.asarray(run.predictions(run.recipe.input.outside(list(crops), run.state["input"])))
                labels = np.array(run.state["task"]["classes"], object)
                best = rows.argmax(axis=1)
                names.append(labels[best])
                sures.append(rows[np.arange(len(rows)), best])
                crops.clear()

        for example, own in zip(self.examples, found, strict=True):
            if not len(own):
                continue
            picture = entry.show(example).content
            for row in own:
                crops.append(cropped(picture, wider(row[:4].tolist(), stage.margin)))
                if len(crops) == AT_ONCE:
                    tell()
        tell()
        bounds = np.cumsum([len(own) for own in found])[:-1]
        labels = np.concatenate([np.zeros(0, object), *names])
        return list(zip(np.split(labels, bounds), np.split(np.concatenate([np.zeros(0), *sures]), bounds), strict=True))

    def _mended(
        self, picture: int, found: np.ndarray, labels: np.ndarray, sure: np.ndarray, stage: Stage
    ) -> tuple[np.ndarray, np.ndarray]:
        """What a stage without error says: the class of the object that a box is of; of none, it is not kept, where the
        stage drops anything, or else what it said."""
        truths = self.truths[picture]
        labels, sure = labels.copy(), sure.copy()
        best = np.zeros(len(found))
        about = np.zeros(len(found), int)
        if truths and len(found):
            overlaps = pairwise(found[:, :4], np.array([box.corners for box in truths]))
            best, about = overlaps.max(axis=1), overlaps.argmax(axis=1)
        for row in range(len(found)):
            if best[row] >= self.joined.state["overlap"]:
                labels[row], sure[row] = truths[about[row]].name, 1.0
            elif stage.keep is not None:
                labels[row] = None
        return labels, sure


def _components(joined: Joined, work: _Work, part: Part, state: State) -> list[Component]:
    evaluator = Boxes()
    before = Side(combined_by(evaluator, joined.metric), part.statistics)

    def with_perfect(which: tuple[int, ...]) -> tuple[float, Difference]:
        statistics = evaluator.statistics(work.examples, work.said(which), state)
        side = Side(before.combine, statistics)
        value = float(side.combine(statistics, None)[joined.metric.name])
        return value, differences(side, before, len(work.examples), groups=part.groups)[joined.metric.name]

    found = []
    for place, run in enumerate(joined.runs):
        alone, gain = with_perfect((place,))
        together, gain_together = with_perfect(tuple(range(place + 1)))
        name = f"{place + 1}: {run.recipe.task.name}"
        found.append(Component(name, str(run.folder), alone, gain, together, gain_together))
    return found


def combined_by(evaluator: Boxes, metric: Metric) -> Callable[[Any, Any], dict[str, float]]:
    return lambda statistics, weights: {
        metric.name: evaluator.combine(statistics, weights, only={metric.name})[metric.name]
    }


def _warn_of_leaks(runs: Sequence[OpenedRun], parts: dict[str, Examples], fingerprint: str, watch: Watch) -> None:
    """Of the same data, what a run was trained on must not be what the chain is judged by."""
    for run in runs:
        if folders.read_json(run.folder / "machine.json", {}).get("data_fingerprint") != fingerprint:
            continue
        manifest = folders.read_manifest(run.folder / "manifest.csv")
        for split in ("dev", "test"):
            both = sum(manifest.get(one) == "train" for one in parts[split].ids) if split in parts else 0
            if both:
                watch.warn(
                    f"{both:,} of {len(parts[split]):,} examples of {split} are of the train split of {run.folder}"
                )


def told(components: Sequence[Component], metric: Metric) -> dict[str, Any]:
    """Which stage holds the chain back, as JSON: the greatest gain alone; `sure` where its interval leaves out 0."""
    best = max(components, key=lambda one: np.nan_to_num(one.gain.value, nan=-np.inf))
    sure = bool(best.gain.low > 0)
    gain = f"{metric.name} {best.gain.value:+.4f} ({best.gain.low:+.4f} to {best.gain.high:+.4f})"
    says = (
        f"stage {best.stage} holds the chain back: were it perfect, {gain}"
        if sure
        else f"no stage surely holds the chain back; the most that perfection would buy is {gain}, of {best.stage}"
    )
    return {"stage": best.stage if sure else None, "run": best.run if sure else None, "says": says}
