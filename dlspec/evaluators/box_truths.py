"""True boxes of pictures as arrays, and what was predicted of them matched with these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dlspec.evaluators.truths_of_places import boxes
from dlspec.numeric.places import Box
from dlspec.types import Examples, State

if TYPE_CHECKING:
    import numpy as np

    from dlspec.numeric.found_boxes import FoundBoxes


def true_boxes(examples: Examples) -> list[tuple[Box, ...]]:
    """The boxes of each picture.  Raises DataError that names the examples without a truth."""
    return boxes(examples)


def found_boxes(examples: Examples, predictions: Sequence[Any], state: State) -> FoundBoxes:
    """Truths and predictions, matched.  Raises DataError that names the examples without a truth."""
    from dlspec.numeric.detection_records import stacked
    from dlspec.numeric.found_boxes import FoundBoxes

    truths = [true_rows(own, state) for own in true_boxes(examples)]
    return FoundBoxes(stacked(predictions), truths, state["overlap"], state["threshold"], examples.ids)


def true_rows(truths: Sequence[Box], state: State) -> np.ndarray:
    """Float64 (G, 6): corners, class index, 1 for a crowd.  A class that train has not is one more, after the names."""
    import numpy as np

    place = {name: i for i, name in enumerate(state["names"])}
    rows = [(*box.corners, place.get(box.name, len(place)), box.crowd) for box in truths]
    return np.array(rows, np.float64).reshape(-1, 6)


def perfect_rows(truths: Sequence[Box], state: State) -> np.ndarray:
    """What is to be predicted, (K, 6)."""
    import numpy as np

    rows = true_rows([box for box in truths if not box.crowd], state)
    return np.concatenate([rows[:, :4], np.ones((len(rows), 1)), rows[:, 4:5]], axis=1)
