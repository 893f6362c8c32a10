"""When a training is stopped early, told from what is seen of it epoch by epoch; no network is fitted."""

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest

from dlspec.recipe.load import load
from dlspec.report.watch import Watch
from dlspec.runs import observer as observers
from dlspec.runs.observer import Observer
from dlspec.types import Metric

FALLING = range(30, 0, -1)
UNKNOWN = float("nan")


def watched(tmp_path, monkeypatch, metric, watch):
    """An observer of a training of 30 epochs, and a network that stands for any."""
    monkeypatch.setattr(observers, "averaged", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(observers, "rate_of_last_step", lambda *_: 0.001)
    file = tmp_path / "r.yaml"
    file.write_text(
        "task: classification\ndata: iris\nmodel: linear\n"
        "train: {epochs: 30, tensorboard: false, early_stopping: {patience: 3}}\n"
    )
    observer = Observer(load(file).recipe, metric, tmp_path, watch)
    monkeypatch.setattr(observer, "save", lambda *_: None)
    network = SimpleNamespace(get_weights=lambda: [np.zeros(1)])
    observer.whole, observer.still, observer.examples, observer.steps = SimpleNamespace(weights=[]), {}, 100, 4
    return observer, network


@pytest.mark.parametrize(
    ("best", "of_dev", "losses", "stopped", "nothing"),
    [
        ("max", [0.0] * 8 + [0.1] * 22, FALLING, 12, False),
        ("max", [UNKNOWN] * 8 + [0.1] * 22, FALLING, 12, False),
        ("max", [0.0] * 30, [9, 8, 7, 7, 8, 6, *[7] * 24], 9, True),
        ("max", [0.0] * 30, FALLING, None, True),
        ("max", [0.1] * 30, FALLING, 4, False),
        ("min", [0.0] * 30, FALLING, 4, False),
    ],
)
def test_patience_begins_when_dev_has_something_to_show(tmp_path, monkeypatch, best, of_dev, losses, stopped, nothing):
    """At the bottom of its metric dev cannot tell whether training gets anywhere: while the loss falls, it goes on."""
    observer, network = watched(tmp_path, monkeypatch, Metric("f1", best, 1.0), Watch())
    for epoch in range(30):
        observer.dev = lambda _, epoch=epoch: {"f1": of_dev[epoch]}
        if observer.ended(network, epoch, 1.0, {"loss": losses[epoch]}):
            break
    assert (observer.stopped_at, observer.patience.nothing_yet) == (stopped, nothing)


def test_of_equally_good_epochs_the_last_is_the_best_and_is_said_to_be(tmp_path, monkeypatch):
    watch, heard = Watch(), []
    watch.epoch = lambda report: heard.append(report.best)
    observer, network = watched(tmp_path, monkeypatch, Metric("f1", "max", 1.0), watch)
    for epoch, score in enumerate([0.5, 0.4, 0.5, 0.4]):
        observer.dev = lambda _, score=score: {"f1": score}
        observer.ended(network, epoch, 1.0, {"loss": 1.0})
    assert heard == [True, False, True, False] and observer.best.epoch == 2
