"""True boxes of pictures as arrays, and what was predicted of them matched with these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dlspec.evaluators.truths_of_places import boxes
from dlspec.numeric.places import Box
from dlspec.types import Examples, State

if TYPE_CHECKING:
    import numpy as np

    from dlspec.numeric.found_boxes import FoundBoxes

MOST_CLASSES = 30
"""that are facts of their own"""


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


def facts(truths: Sequence[Sequence[Box]]) -> dict[str, Any]:
    """See Boxes.facts."""
    import numpy as np

    from dlspec.numeric.boxes import areas
    from dlspec.numeric.found_boxes import crowding

    corners = [np.array([box.corners for box in own]).reshape(-1, 4) for own in truths]
    sides = [np.sqrt(areas(own)) for own in corners]
    found: dict[str, Any] = {
        "objects": np.array([len(own) for own in truths], np.float64),
        "smallest object": np.array([own.min(initial=np.inf) if len(own) else np.nan for own in sides]),
        "largest object": np.array([own.max(initial=0) if len(own) else np.nan for own in sides]),
        "crowding": np.array([crowding(own).max(initial=0) for own in corners], np.float64),
    }
    held = [{box.name for box in own} for own in truths]
    for name, _ in Counter(name for own in held for name in own).most_common(MOST_CLASSES):
        found[f"has {name}"] = np.array(["yes" if name in own else "no" for own in held], object)
    return found


def perfect_rows(truths: Sequence[Box], state: State) -> np.ndarray:
    """What is to be predicted, (K, 6)."""
    import numpy as np

    rows = true_rows([box for box in truths if not box.crowd], state)
    return np.concatenate([rows[:, :4], np.ones((len(rows), 1)), rows[:, 4:5]], axis=1)
