"""dlspec: train, evaluate and diagnose neural networks from YAML recipes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlspec.runs.opened import OpenedRun

__version__ = "0.1.0"

# Both must be settled before keras is first imported, and cost nothing here.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def open(run: Any) -> OpenedRun:
    """Open a run (a path, a name, or "last") to predict with it: `dlspec.open("runs/titanic/…").predict(rows)`."""
    from dlspec.runs.opened import open_run

    return open_run(run)
