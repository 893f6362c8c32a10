"""What tests of a training share: a small table, what was said, and the weights that came out, to the bit."""

import contextlib

import numpy as np
import pytest

from dlspec.cli import main
from dlspec.report.watch import Watch


class Heard(Watch):
    """Keeps every sentence, notes and warnings alike."""

    def __init__(self):
        self.said = []

    def note(self, sentence):
        self.said.append(sentence)

    warn = note


def write_rows(folder, name="rows.csv"):
    """160 rows of a, b, c; y is 1 where a and b have the same sign."""
    x = np.random.default_rng(0).normal(size=(160, 3))
    lines = [",".join([f"{v:.4f}" for v in row] + [str(int(row[0] * row[1] > 0))]) for row in x]
    (folder / name).write_text("a,b,c,y\n" + "\n".join(lines) + "\n")


def weights(run):
    """The bytes of every weight of a run's network."""
    import keras

    return [w.tobytes() for w in keras.saving.load_model(run / "model.keras", compile=False).get_weights()]


def left(arguments):
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


class StopError(Exception):
    """Stands for the end of the process."""


@contextlib.contextmanager
def dying_at(step, monkeypatch):
    """Within, a training dies once so many steps are done, without a chance to save anything."""
    from dlspec.runs.observer import Observer

    stepped = Observer.stepped

    def die(self, network, done, logs, spent):
        result = stepped(self, network, done, logs, spent)
        if self.step >= step:
            raise StopError
        return result

    with monkeypatch.context() as patch, pytest.raises(StopError):
        patch.setattr(Observer, "stepped", die)
        yield
