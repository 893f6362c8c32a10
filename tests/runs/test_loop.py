"""The loop of steps: batches of a known size where all are whole, and the same bits however many steps a group has."""

import threading

import keras
import numpy as np
import pytest

from dlspec.recipe.load import load
from dlspec.runs.observer import Observer
from dlspec.runs.train import train

ROWS = """\
task: regression
data: {{name: arrays, path: rows.npz, holds: table, split: {{dev: 6, test: 0}}}}
model: {{name: mlp, hidden: [4], normalization: batch}}
train: {{epochs: 2, batch_size: 10, {}}}
"""


@pytest.fixture
def trained(tmp_path):
    """The weights that so many rows lead to, and the sizes of the batches for which a step was traced."""

    def trained(rows, settings="health: false"):
        draws = np.random.default_rng(0)
        np.savez(tmp_path / "rows.npz", x=draws.normal(size=(rows + 6, 3)), y=draws.normal(size=rows + 6))
        (tmp_path / "r.yaml").write_text(ROWS.format(settings), encoding="utf-8")
        sizes, step = [], keras.Model.train_step

        def looked(self, batch):
            sizes.append(next(iter(batch[0].values())).shape[0])
            return step(self, batch)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(keras.Model, "train_step", looked)
            run = train(load(tmp_path / "r.yaml"), out=tmp_path / "runs").run
        return keras.saving.load_model(run / "model.keras", compile=False).get_weights(), sizes

    return trained


def test_a_step_is_traced_once_and_knows_the_size_of_its_batches_where_all_are_whole(trained):
    assert trained(40)[1] == [10]
    assert trained(44)[1] == [None]


def test_batches_that_are_made_while_training_have_a_known_size_too(trained):
    held, _ = trained(40)
    made, sizes = trained(40, "cache: none")
    assert set(sizes) == {10}
    for one, other in zip(held, made, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("rows", [40, 44])
def test_the_bits_do_not_hang_on_how_many_steps_are_taken_at_a_time(rows, trained):
    alone, _ = trained(rows, "steps_per_execution: 1")
    grouped, _ = trained(rows, "steps_per_execution: 3")
    for one, other in zip(alone, grouped, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_thread_is_left_of_an_epoch_that_breaks_off(trained, monkeypatch):
    def broken_off(self, *of):
        assert threads(), "batches are made in a thread"
        raise KeyboardInterrupt

    def threads():
        return [one for one in threading.enumerate() if one.name == "dlspec-batches"]

    monkeypatch.setattr(Observer, "stepped", broken_off)
    with pytest.raises(KeyboardInterrupt):
        trained(400, "health: false, cache: none, steps_per_execution: 1")
    assert not threads()
