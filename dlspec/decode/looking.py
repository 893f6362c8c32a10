"""Where a network looks while it says what it is told to say."""

from __future__ import annotations

from typing import Any

import numpy as np


def looked(course: Any, said: np.ndarray) -> np.ndarray:
    """The weights of the attention to the source at each step, (B, T, S).

    course: of a Translator, for one hypothesis and T tokens (see dlspec.models.base).  said: int32 (B, T), the
    begin first: row t is where it looks while it says what stands at t + 1, the last what comes after all.
    """
    from keras import ops

    count, length = said.shape
    cache, found = course.cache, []
    ancestors = ops.zeros((count, 1, length), "int32")
    for time in range(length):
        _, cache, seen = course.step(ops.convert_to_tensor(said[:, time : time + 1]), time, cache, ancestors)
        found.append(ops.convert_to_numpy(seen)[:, 0])
    return np.stack(found, axis=1)
