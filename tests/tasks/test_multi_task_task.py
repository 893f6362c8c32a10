import json
import math

import numpy as np
import pytest

from dlspec.tasks.multi_task import MultiTask
from dlspec.types import DataError, Examples, RecipeError

HEADS = {"kind": {"name": "classification"}, "size": "regression", "old": "classification"}
ROWS = [
    {"kind": "a", "size": 1.0, "old": "no"},
    {"kind": "b", "size": None, "old": "yes"},
    {"kind": "c", "size": 3.0, "old": None},
    {"kind": None, "size": 2.0, "old": None},
]


def labelled(values):
    return Examples([f"row {i + 1}" for i in range(len(values))], [None] * len(values), values)


def prepared(rows=ROWS, **settings):
    task = MultiTask.model_validate({"heads": HEADS, **settings})
    return task, {"task": json.loads(json.dumps(task.prepare(labelled(rows)))), "input": {}, "shapes": {}}


def test_what_is_learned_is_what_each_head_learns_of_the_examples_that_it_knows():
    _, state = prepared()
    heads = state["task"]["heads"]
    assert [(h["evaluator"], h["width"], h["flat"], h["outputs"]) for h in heads.values()] == [
        ("classes", 3, False, 3),
        ("numbers", 1, True, 1),
        ("classes", 2, False, 1),
    ]
    assert heads["kind"]["state"]["counts"] == [1, 1, 1] and heads["kind"]["share"] == 0.75
    assert heads["size"]["state"]["mean"] == 2 and heads["old"]["share"] == 0.5
    assert "old: known of 2 of 4 examples of train" in state["task"]["notes"]


def test_targets_are_side_by_side_and_nan_where_nothing_is_known():
    task, state = prepared(heads={**HEADS, "old": {"name": "classification", "class_weights": {"yes": 3.0}}})
    label = task.target(labelled(ROWS), {}, state)["label"]
    none, sd = np.nan, math.sqrt(2 / 3)
    expected = [
        [1, 0, 0, -1 / sd, 0, 1, 1, 0.5],
        [0, 1, 0, none, 1, 1, 1, 1.5],
        [0, 0, 1, 1 / sd, none, 1, 1, 1],
        [none, none, none, 0, none, 1, 1, 1],
    ]
    assert label.dtype == np.float32
    np.testing.assert_allclose(label, expected, rtol=1e-6)
    strange = task.target(labelled([{"kind": "d", "size": 2.0, "old": "maybe"}]), {}, state)["label"]
    np.testing.assert_array_equal(strange[0, :5], [none, none, none, 0, none])


def losses(logits):
    """The losses of each head and row by NumPy alone, (4, 3); NaN where the truth is not known."""
    z = logits.astype(float)
    log_softmax = z[:, :3] - np.log(np.exp(z[:, :3]).sum(axis=1, keepdims=True))
    found = np.full((4, 3), np.nan)
    found[[0, 1, 2], 0] = -log_softmax[[0, 1, 2], [0, 1, 2]]
    size = np.array([-1, np.nan, 1, 0]) / math.sqrt(2 / 3)
    found[:, 1] = (z[:, 3] - size) ** 2
    found[:2, 2] = np.log1p(np.exp([z[0, 4], -z[1, 4]]))
    return found


LOGITS = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)


def test_the_masked_loss_is_the_weighted_sum_of_the_heads_means():
    task, state = prepared(weights={"size": 0.25, "old": 2.0})
    label = task.target(labelled(ROWS), {}, state)["label"]
    loss = task.compiled(state)["loss"]
    own = losses(LOGITS)
    means = np.nanmean(own, axis=0)
    assert float(loss(label, LOGITS)) == pytest.approx(means @ [1, 0.25, 2], rel=1e-5)
    each = np.nan_to_num(own) @ (np.array([1, 0.25, 2]) / [0.75, 0.75, 0.5])
    assert np.asarray(loss.call(label, LOGITS)) == pytest.approx(each, rel=1e-5)


def test_what_is_not_known_has_no_gradient():
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the gradient is asked of TensorFlow's tape, which other backends have not")
    import tensorflow as tf

    task, state = prepared()
    label = task.target(labelled(ROWS), {}, state)["label"]
    logits = tf.Variable(LOGITS)
    with tf.GradientTape() as tape:
        loss = task.compiled(state)["loss"](label, logits)
    gradient = tape.gradient(loss, logits).numpy()
    assert np.isfinite(gradient).all()
    unknown = np.isnan(label[:, :5])
    assert (gradient[unknown] == 0).all() and (gradient[~unknown] != 0).all()


def test_uncertainty_weighs_as_the_paper_says():
    import keras

    task, state = prepared(weighting="uncertainty")
    label = task.target(labelled(ROWS), {}, state)["label"]
    entry = keras.Input((5,))
    network = keras.Model(entry, keras.layers.Dense(5, name="logits")(entry))

    class Model:
        def build(self, shapes, outputs):
            assert outputs == 5
            return network

    whole = task.build(Model(), state)
    np.testing.assert_array_equal(whole(LOGITS), network(LOGITS))
    layer = whole.layers[-1]
    assert [tuple(one.shape) for one in whole.trainable_variables] == [(5, 5), (5,), (3,)]
    loss = task.compiled_for(whole, state)["loss"]
    means = np.nanmean(losses(LOGITS), axis=0)
    for s in (np.zeros(3), np.array([0.5, -1.0, 2.0])):
        layer.log_variances.assign(s)
        expected = (np.exp(-s) * [1, 0.5, 1] * means).sum() + s.sum() / 2
        assert float(loss(label, LOGITS)) == pytest.approx(expected, rel=1e-5)
    plain = task.compiled(state)["loss"]
    assert float(plain(label, LOGITS)) == pytest.approx(means @ [1, 0.5, 1], rel=1e-5)
    # Trained by Keras' own fit, s goes to where its derivative is 0: the logarithm of the loss, of a squared one too.
    network.trainable = False
    whole.compile(optimizer=keras.optimizers.SGD(0.5), loss=loss, jit_compile=False)
    before = means_of(whole, label)
    whole.fit(LOGITS, label, epochs=60, batch_size=4, verbose=0)
    assert layer.log_variances.numpy() == pytest.approx(np.log(before * [2, 1, 2]), abs=0.02)


def means_of(network, label):
    return np.nanmean(losses(np.asarray(network(LOGITS))), axis=0)


def test_a_network_that_knows_nothing_has_the_expected_initial_loss():
    for settings in ({}, {"weights": {"size": 3.0}}, {"weighting": "uncertainty"}):
        task, state = prepared(**settings)
        label = task.target(labelled(ROWS), {}, state)["label"]
        loss = float(task.compiled(state)["loss"](label, np.zeros((4, 5), np.float32)))
        assert loss == pytest.approx(task.expected_initial_loss(state), rel=1e-6)


def test_metrics_of_training_are_over_what_is_known():
    task, state = prepared()
    label = task.target(labelled(ROWS), {}, state)["label"]
    found = {}
    for metric in task.compiled(state)["metrics"]:
        metric.update_state(label, LOGITS)
        found[metric.name] = float(metric.result())
    right = LOGITS[:3, :3].argmax(axis=1) == [0, 1, 2]
    assert found["kind_accuracy"] == pytest.approx(right.mean())
    assert found["size_rmse_in_sd"] == pytest.approx(math.sqrt(np.nanmean(losses(LOGITS)[:, 1])), rel=1e-5)
    assert found["old_accuracy"] == pytest.approx(((LOGITS[:2, 4] >= 0) == [False, True]).mean())


def test_predictions_and_scores_are_those_of_the_heads():
    task, state = prepared()
    predictions = task.predict(lambda batch: LOGITS, [{}], state)
    alone = [
        head.task.predict(lambda batch, head=head: LOGITS[:, head.start : head.end], [{}], head.state)
        for head in task._each(state)
    ]
    np.testing.assert_array_equal(predictions, np.concatenate([alone[0], alone[1][:, None], alone[2]], axis=1))
    evaluator = task.evaluator
    statistics = evaluator.statistics(labelled(ROWS), predictions, state["task"])
    scores = evaluator.combine(statistics)
    size = alone[1][[0, 2, 3]]
    assert scores["size.rmse"] == pytest.approx(math.sqrt(((size - [1, 3, 2]) ** 2).mean()))
    r2 = 1 - ((size - [1, 3, 2]) ** 2).sum() / 2
    assert scores["size.r2"] == pytest.approx(r2)
    assert scores["mean_score"] == pytest.approx((scores["kind.accuracy"] + r2 + scores["old.accuracy"]) / 3)
    assert evaluator.combine(statistics, only={"mean_score"})["mean_score"] == scores["mean_score"]
    twice = np.array([2.0, 0, 1, 1])
    size = alone[1][[0, 0, 2, 3]]
    assert evaluator.combine(statistics, twice)["size.mae"] == pytest.approx(np.abs(size - [1, 1, 3, 2]).mean())
    heads = evaluator.heads(statistics, state["task"])
    assert {name: head.rows.tolist() for name, head in heads.items()} == {
        "kind": [0, 1, 2], "size": [0, 2, 3], "old": [0, 1],
    }  # fmt: skip
    kinds = {
        error.kind
        for row in range(4)
        for error in evaluator.errors(labelled(ROWS)[row], predictions[row], state["task"])
    }
    assert kinds and all(kind.split(": ")[0] in HEADS for kind in kinds)


def test_a_head_of_several_columns():
    rows = [{"x": 1, "y": 0, "size": 1.0}, {"x": 0, "y": None, "size": 3.0}, {"x": None, "y": None, "size": 2.0}]
    task, state = prepared(rows, heads={"seen": {"name": "multi_label", "labels": ("x", "y")}, "size": "regression"})
    assert state["task"]["heads"]["seen"]["columns"] == ["x", "y"]
    label = task.target(labelled(rows), {}, state)["label"]
    np.testing.assert_array_equal(label[:, :2], [[1, 0], [0, np.nan], [np.nan, np.nan]])
    logits = np.array([[1, -1, 0], [2, 5, 0], [3, 3, 0]], np.float32)
    first, second = math.log1p(math.exp(-1)), math.log1p(math.exp(2))
    squares = np.array([1, 1, 0]) / (2 / 3)
    loss = np.asarray(task.compiled(state)["loss"].call(label, logits))
    assert loss == pytest.approx(np.array([first, second, 0]) * 1.5 + squares, rel=1e-5)
    truth = task.evaluator.truth(labelled(rows), state["task"])
    assert json.loads(truth[1]) == {"seen": "?y", "size": 3.0} and json.loads(truth[2]) == {"seen": None, "size": 2.0}
    again = task.evaluator.truth(labelled(truth), state["task"])
    assert again == truth


def test_what_cannot_be():
    with pytest.raises(DataError, match=r"as target: \[kind, size, old\]"):
        prepared(["a", "b"])
    with pytest.raises(
        RecipeError, match=r"task.heads.size: no column for head 'size': unknown column 'size'; did you mean 'sise'"
    ):
        prepared([{"kind": "a", "sise": 1.0, "old": "no"}])
    with pytest.raises(DataError, match="head 'size': its truth is missing in all 2 examples of train"):
        prepared([{"kind": "a", "size": None, "old": "no"}, {"kind": "b", "size": None, "old": "yes"}])
    with pytest.raises(DataError, match="head 'kind': all 2 examples of train have the class 'a'"):
        prepared([{"kind": "a", "size": 1.0, "old": "no"}, {"kind": "a", "size": 2.0, "old": "yes"}])
    with pytest.raises(RecipeError, match=r"task.heads.kind.class_weights.z: head 'kind': unknown class 'z'"):
        prepared(heads={**HEADS, "kind": {"name": "classification", "class_weights": {"z": 2.0}}})
    for settings, message in (
        ({"heads": {}}, "name at least one head"),
        ({"heads": {"a.b": "regression"}}, "a head's name may have none of"),
        ({"heads": HEADS, "weights": {"sise": 1.0}}, "unknown head 'sise'; did you mean 'size'"),
        ({"heads": HEADS, "weights": {"size": 1.0}, "weighting": "uncertainty"}, "uncertainty finds the weights"),
        ({"heads": {"a": "multi_task"}}, "unknown name 'multi_task'"),
    ):
        with pytest.raises(ValueError, match=message):
            MultiTask.model_validate(settings)
