"""Event files for TensorBoard, by tensorboard's own writer: no TensorFlow needed, so any backend can be watched."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Board:
    """Scalars of several curves (train, dev) under one folder, a subfolder a curve."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writers: dict[str, Any] = {}

    def scalars(self, curve: str, values: Mapping[str, float], step: int) -> None:
        """One point of each named value."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if not values:
            return
        writer = self.writers.get(curve)
        if writer is None:
            writer = self.writers[curve] = EventFileWriter(str(self.folder / curve))
        points = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=points)))

    def close(self) -> None:
        for writer in self.writers.values():
            writer.close()
