"""Event files for TensorBoard, by tensorboard's own writer: no TensorFlow needed, so any backend can be watched."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BY_EPOCH = ("train", "dev")
"""curves whose points count epochs; those of all others count steps"""
RATE_SECONDS = 0.1
"""the learning rate is a point no more often than this"""
FLUSH_SECONDS = 10


class Board:
    """Curves (train, dev, steps, health, …) under one folder, a subfolder a curve; buffered, written by a thread.

    Where nothing can be written any more, the curves end and training goes on: what it must not lose is in checkpoints.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writers: dict[str, Any] = {}
        self.done = (0, 0)
        self.said = 0.0
        self.failed: Exception | None = None

    def go_on(self, epochs: int, steps: int) -> None:
        """A training goes on after so many epochs and steps: later points of before are not shown any more."""
        self.done = (epochs, steps)

    def scalars(self, curve: str, values: Mapping[str, float], step: int) -> None:
        """One point of each named value."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._write(curve, [Summary.Value(tag=name, simple_value=value) for name, value in values.items()], step)

    def learning_rate(self, optimizer: Any, step: int) -> None:
        """The optimizer's learning rate as it is now, be it a number or a schedule; called as often as one likes."""
        now = time.monotonic()
        if now - self.said >= RATE_SECONDS:
            self.said = now
            optimizer = getattr(optimizer, "inner_optimizer", optimizer)
            self.scalars("steps", {"learning_rate": float(optimizer.learning_rate)}, step)

    def text(self, curve: str, name: str, markdown: str) -> None:
        """A text, which TensorBoard reads as Markdown."""
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.types_pb2 import DT_STRING
        from tensorboard.plugins.text.metadata import create_summary_metadata

        content = TensorProto(dtype=DT_STRING, string_val=[markdown.encode("utf-8", "replace")])
        metadata = create_summary_metadata(display_name=None, description=None)
        self._write(curve, [Summary.Value(tag=name, tensor=content, metadata=metadata)], 0)

    def picture(self, curve: str, name: str, png: bytes, width: int, height: int) -> None:
        """A picture as PNG."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        image = Summary.Image(width=width, height=height, colorspace=3, encoded_image_string=png)
        self._write(curve, [Summary.Value(tag=name, image=image)], 0)

    def hyperparameters(self, curve: str, values: Mapping[str, str | bool | float], name: str) -> None:
        """What the HParams tab compares runs by; its metrics are all scalars of the same curve.  name: of the run."""
        from tensorboard.plugins.hparams import summary_v2

        self._write(curve, summary_v2.hparams_pb(dict(values), trial_id=name).value, 0)

    def _write(self, curve: str, values: Any, step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        if not values or self.failed:
            return
        try:
            event = Event(wall_time=time.time(), step=step, summary=Summary(value=values))
            self._writer(curve).add_event(event)
        except Exception as error:  # TensorFlow's file system, where it is there, has errors of its own
            self.failed = error

    def _writer(self, curve: str) -> Any:
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if curve not in self.writers:
            _wait_for_later_name(self.folder / curve)
            writer = self.writers[curve] = EventFileWriter(str(self.folder / curve), flush_secs=FLUSH_SECONDS)
            # From this step on, what an earlier process has written (past its last checkpoint) does not count.
            first = self.done[0 if curve in BY_EPOCH else 1] + 1
            start = SessionLog(status=SessionLog.START)
            writer.add_event(Event(wall_time=time.time(), step=first, session_log=start))
        return self.writers[curve]

    def close(self) -> None:
        for writer in self.writers.values():
            try:
                writer.close()
            except Exception as error:
                self.failed = error
        self.writers.clear()


def _wait_for_later_name(folder: Path) -> None:
    """Event files are read in the order of their names, which tell seconds: one of this very second must pass."""
    names = [file.name.split(".") for file in folder.glob("events.out.tfevents.*")]
    newest = max((int(name[3]) for name in names if name[3].isdigit()), default=0)
    if newest == int(time.time()):
        time.sleep(newest + 1 - time.time())
