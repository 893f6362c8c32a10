"""Keras' side of watching a training: what `fit` calls, handed on to the observer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlspec.runs.observer import Observer


def callback(observer: Observer, loop: Any = None) -> Any:
    """The Keras callback that calls an observer.  loop: what takes the steps, where it is not Keras alone."""
    import keras

    class Callback(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_begin(self, logs: Any = None) -> None:
            if observer.health:
                observer.health.begin(self.model, observer.step)

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            observer.begun(self.model, epoch, loop)
            self.began = time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            done = loop.done if loop else batch + 1 - observer.in_epoch
            self.model.stop_training = observer.stepped(self.model, done, logs or {}, self.spent)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            # Keras has none where no step was left of an epoch that a checkpoint had cut in two.
            logs = logs or self.model.get_metrics_result()
            self.model.stop_training = observer.ended(self.model, epoch, self.spent(), logs)

        def spent(self) -> float:
            return time.perf_counter() - self.began

    return Callback()
