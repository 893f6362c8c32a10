"""What holds for every task and every evaluator: perfect predictions are perfect, and have no errors."""

import json

import numpy as np
import pytest
from contracts.samples import SMALL, examples
from contracts.samples import task as made

from dlspec.evaluators.base import Evaluator
from dlspec.models.base import Detector, Model, Segmenter, Tagger, Translator
from dlspec.recipe.component import every, find, names
from dlspec.runs.ragged import taken
from dlspec.types import Metric

INPUTS = [find("inputs", name)() for name in names("inputs")]
OF_A_SIZE = {f"{kind}_{size}" for kind in ("map", "ar") for size in ("small", "medium", "large")}
"""metrics of objects of a size that small pictures may not hold: then they are NaN"""
CASES = [
    (task, entry)
    for task in names("tasks")
    for entry in INPUTS
    if entry.kind in (find("tasks", task).asks_of or (entry.kind,))
]


def prepared(name, entry):
    task, data = made(name), examples(entry.kind, name)
    entered = entry.prepare_with(data, task.read_too(data))
    state = {"input": entered, "task": task.prepare(data), "shapes": entered["shapes"]}
    model = find("models", "yolo")(**SMALL["yolo"]) if issubclass(task.takes, Detector) else None
    state["task"] = task.join(data, entry, model, state)
    return task, data, json.loads(json.dumps(state))


def shape_of(task, state, batch):
    """Of what a network gives, without the batch axis."""
    size, outputs = state["shapes"].get("picture", {}).get("shape"), task.outputs(state)
    if issubclass(task.takes, Detector):
        cells = [(size[0] // stride) * (size[1] // stride) for stride in state["task"]["strides"]]
        return np.dot(cells, outputs.anchors), 5 + outputs.classes
    if issubclass(task.takes, Tagger):
        return batch["tokens"].shape[1], outputs
    return (*size[:2], outputs) if issubclass(task.takes, Segmenter) else (outputs,)


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1].name}")
def case(request):
    name, entry = request.param
    return (*prepared(name, entry), entry)


def test_every_evaluator_belongs_to_a_task():
    used = {made(name).evaluator.name for name in names("tasks")}
    assert used == set(names("evaluators"))
    assert all(issubclass(cls, Evaluator) for cls in every("evaluators"))


def test_targets_and_plans(case):
    task, data, state, entry = case
    assert issubclass(task.takes, Model) and task.outputs(state)
    encoded = entry.encode(data, state["input"])
    targets = task.target(data, encoded, state)
    assert targets and all(len(one) == len(data) for one in targets.values())
    some = task.target(data.take([3, 1]), {k: taken(v, [3, 1]) for k, v in encoded.items()}, state)
    for name, array in targets.items():
        for one, other in zip(some[name], taken(array, [3, 1]), strict=True):
            np.testing.assert_array_equal(one, other)
    plans = [task.plan(data, state, epoch=e, seed=s, batch_size=5) for e, s in ((0, 0), (0, 0), (1, 0), (0, 1))]
    flat = [np.concatenate(plan).tolist() for plan in plans]
    assert flat[0] == flat[1] and flat[0] != flat[2] and flat[0] != flat[3]
    assert sorted(flat[0]) == list(range(len(data))) and max(map(len, plans[0])) <= 5
    whole = entry.finish(encoded, state["input"])
    batch = {name: whole[name] for name in state["shapes"]}
    x, y, weights = task.finish(batch, targets, 0, state)
    assert (
        set(x) == {*state["shapes"], *task.given(state)}
        and len(y) == len(data)
        and (weights is None or len(weights) == len(data))
    )


def test_perfect_predictions_are_perfect(case):
    task, data, state, _ = case
    evaluator, state = task.evaluator, state["task"]
    metrics = evaluator.metrics(state)
    assert metrics and all(isinstance(m, Metric) for m in metrics)
    assert [m for m in evaluator.metrics({}) if m in metrics] == metrics  # a recipe is checked before the data is known
    perfect = evaluator.stack([evaluator.perfect(e, state) for e in data])
    statistics = evaluator.statistics(data, perfect, state)
    scores = evaluator.combine(statistics)
    assert set(scores) == {m.name for m in metrics}
    for metric in metrics:
        if not (metric.name in OF_A_SIZE and np.isnan(scores[metric.name])):
            assert scores[metric.name] == pytest.approx(metric.perfect, abs=1e-9), metric
    assert all(evaluator.errors(e, p, state) == [] for e, p in zip(data, perfect, strict=True))
    assert all(len(array) == len(data) for array in statistics.values())
    twice = evaluator.combine(statistics, np.full(len(data), 2.0))
    assert twice == pytest.approx(scores, nan_ok=True)


def test_wrong_predictions_have_errors_that_mending_removes(case):
    task, data, state, _ = case
    evaluator, state = task.evaluator, state["task"]
    perfect = [evaluator.perfect(e, state) for e in data]
    wrong = [evaluator.swapped(one, e, state) for one, e in zip(perfect[1:] + perfect[:1], data, strict=True)]
    found = [evaluator.errors(e, p, state) for e, p in zip(data, wrong, strict=True)]
    assert any(found)
    for example, prediction, errors in zip(data, wrong, found, strict=True):
        for error in errors:
            assert error.id == example.id and error.kind and error.size > 0
            mended = evaluator.mend(example, prediction, error.kind, state)
            assert error.kind not in [e.kind for e in evaluator.errors(example, mended, state)]
    columns = evaluator.columns(evaluator.stack(wrong), state)
    assert "guess" in columns and all(len(c) == len(data) for c in columns.values())
    assert len(evaluator.truth(data, state)) == len(data)
    assert list(evaluator.columns(evaluator.stack(perfect), state)["guess"]) == evaluator.truth(data, state)


def test_no_predictions_break_nothing(case):
    task, data, state, entry = case
    none, evaluator = data.take([]), task.evaluator
    statistics = evaluator.statistics(none, evaluator.mended(none, [], "", state["task"]), state["task"])
    assert all(len(array) == 0 for array in statistics.values()) and evaluator.combine(statistics)

    def network(batch):
        count = len(next(iter(batch.values())))
        if issubclass(task.takes, Translator):  # tokens and scores of the best sentence
            return np.zeros((count, 1, 5), int), np.zeros((count, 1))
        return np.zeros((count, *shape_of(task, state, batch)))

    assert len(task.predict(network, [], state)) == 0
    four = entry.finish(entry.encode(data.take([0, 1, 2, 3]), state["input"]), state["input"])
    shapes = {name: np.zeros_like(values) if name in state["shapes"] else values for name, values in four.items()}
    assert len(task.predict(network, [shapes, shapes], state)) == 8
    calibrated = task.calibrate(task.predict(network, [shapes], state), data.take([0, 1, 2, 3]), state)
    if issubclass(task.takes, Detector):  # boxes are found at every cell, some of them right
        calibrated["threshold"] = state["task"]["threshold"]
    assert calibrated == state["task"]
