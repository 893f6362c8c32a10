"""Gradients over time: by hand, against a tape over the network itself, and simple cells beside gates."""

import json

import numpy as np
import pytest

from dlspec.recipe.component import find
from dlspec.recipe.load import load
from dlspec.report.health import view
from dlspec.runs import probe
from dlspec.runs.backend import load_keras
from dlspec.runs.time_gradients import as_json, by_distance
from dlspec.runs.train import train


def test_distances_by_hand():
    norms = np.array([[1.0, 2, 4], [8, 16, 99]])  # the second sequence has two steps
    assert by_distance(norms[:1]).tolist() == [4, 2, 1]
    assert by_distance(norms, [3, 2]).tolist() == [(4 + 16) / 2, (2 + 8) / 2, 1]
    assert by_distance(norms, [3, 2], backwards=True).tolist() == [(1 + 8) / 2, (2 + 16) / 2, 4]
    assert np.isnan(by_distance(norms, [2, 2])[2])
    held = as_json("a", np.array([3.0, np.nan, 1]))
    assert held == {"layer": "a", "back": [0, 2], "gradient": [3.0, 1.0]}


def network(**settings):
    keras = load_keras(seed=3)
    model = find("models", "rnn")(units=6, **settings)
    made = model.build({"series": {"shape": [20, 2], "dtype": "float32"}}, 1)
    made.compile(loss="mse", optimizer="sgd")
    random = np.random.default_rng(0)
    x = {"series": keras.ops.convert_to_tensor(random.normal(size=(8, 20, 2)).astype("float32"))}
    return made, (x, keras.ops.convert_to_tensor(random.normal(size=(8, 1)).astype("float32")))


@pytest.mark.parametrize("cell", ["simple", "gru", "lstm"])
def test_it_is_the_gradient_of_what_entered(cell):
    import tensorflow as tf

    made, batch = network(cell=cell)
    layers = probe.ordered(made, batch)
    [found] = probe.look(layers, batch).over_time
    with tf.GradientTape() as tape:
        tape.watch(batch[0]["series"])
        loss = made.compute_loss(y=batch[1], y_pred=made(batch[0], training=True))
    slope = np.linalg.norm(tape.gradient(loss, batch[0]["series"]).numpy(), axis=2).mean(axis=0)
    assert found["layer"] == f"{cell}_1" and found["back"] == list(range(20))
    np.testing.assert_allclose(found["gradient"], slope[::-1], rtol=1e-4)


def test_of_both_directions_each_has_its_own_end():
    made, batch = network(cell="gru", bidirectional=True)
    found = probe.look(probe.ordered(made, batch), batch).over_time
    assert len(found) == 2 and len({one["layer"] for one in found}) == 2
    assert all(one["gradient"][0] > 3 * one["gradient"][-1] for one in found)


def test_gates_that_stay_open_carry_gradients_back_where_a_shrinking_cell_loses_them():
    """A simple cell whose recurrent kernel is half of a rotation: at most half is left a step.  An LSTM whose forget
    gates are open hands on all of it."""
    small, batch = network(cell="simple")
    [layer] = [one for one in small.layers if one.name == "simple_1"]
    layer.recurrent_kernel.assign(0.5 * np.array(layer.recurrent_kernel))
    [found] = probe.look(probe.ordered(small, batch), batch).over_time
    assert found["gradient"][19] < 2 * 0.5**19 * found["gradient"][0]
    wide, batch = network(cell="lstm")
    [layer] = [one for one in wide.layers if one.name == "lstm_1"]
    bias = np.array(layer.bias)
    bias[6:12] = 10.0  # of the forget gates, as Keras lays them out
    layer.bias.assign(bias)
    [found] = probe.look(probe.ordered(wide, batch), batch).over_time
    assert found["gradient"][19] > 0.05 * found["gradient"][0]


def test_a_run_keeps_the_first_and_the_last_look_and_the_report_draws_them(tmp_path):
    random = np.random.default_rng(1)
    x = random.normal(size=(200, 12, 1))
    np.savez(tmp_path / "signs.npz", x=x, y=(x[:, -1, 0] > 0).astype(int))
    (tmp_path / "r.yaml").write_text(
        "task: classification\ndata: {name: arrays, path: signs.npz, holds: series}\n"
        "model: {name: rnn, cell: gru, units: 4}\ntrain: {epochs: 3, batch_size: 16, compile: 'off'}\n"
    )
    done = train(load(tmp_path / "r.yaml"), out=tmp_path / "runs")
    held = json.loads((done.run / "health.json").read_text())
    assert [one["step"] == 0 for one in held["over_time"]] == [True, False]
    figure = view(held)["figures"][-1]
    assert figure.title == "Gradient over time" and len(figure.data["series"]) == 2
    assert max(figure.data["series"][0]["y"]) == 0 and "in 'gru_1', fresh, " in figure.caption
    assert "Gradient over time" in (done.run / "report.html").read_text()
