"""What tasks over places in a picture share: places as the encoded picture has them, and refusals of those outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlspec.evaluators.truths import some
from dlspec.types import Arrays, DataError, Examples, State

if TYPE_CHECKING:
    import numpy as np

SLACK = 0.51
"""pixels that a place may lie outside of its picture: some count pixels from their middles, some from 1"""


def encoded_size(state: State) -> tuple[int, int]:
    """Width and height of the picture that the network sees."""
    height, width = state["shapes"]["picture"]["shape"][:2]
    return width, height


def frames_of(encoded: Arrays, count: int, state: State) -> np.ndarray:
    """float64 (count, 6): see dlspec.numeric.frames.  Where nothing tells, pictures came as they are encoded."""
    import numpy as np

    from dlspec.numeric.frames import frame

    if "frame" in encoded:
        return np.asarray(encoded["frame"])
    width, height = encoded_size(state)
    return np.tile(frame((height, width), (height, width), "stretch"), (count, 1))


def encoded_places(places: np.ndarray, encoded: Arrays, state: State) -> np.ndarray:
    """Points (N, K, 2) or corners (N, K, 4) of pictures as they came, as the encoded pictures have them."""
    from dlspec.numeric import frames

    return frames.into(places, frames_of(encoded, len(places), state))


def refuse_outside(examples: Examples, places: np.ndarray, encoded: Arrays, state: State, what: str) -> None:
    """Raise DataError that names the examples with places (N, K, 2 or 4) that are not in their picture."""
    import numpy as np

    from dlspec.numeric import frames

    sizes = frames.sizes(frames_of(encoded, len(places), state))
    most = np.tile(sizes, places.shape[2] // 2)[:, None]
    with np.errstate(invalid="ignore"):
        outside = ((places < -SLACK) | (places > most + SLACK)).any(axis=(1, 2))
    if outside.any():
        rows = np.flatnonzero(outside).tolist()
        width, height = sizes[rows[0]].astype(int).tolist()
        bad = places[rows[0]]
        with np.errstate(invalid="ignore"):
            first = bad[((bad < -SLACK) | (bad > most[rows[0]] + SLACK)).any(axis=1)][0]
        said = ", ".join(f"{one:g}" for one in first.tolist())
        raise DataError(
            f"{len(rows):,} of {len(examples):,} pictures have a {what} outside of them: "
            f"{some([examples[row].id for row in rows])}; that of '{examples[rows[0]].id}' is ({said}), the picture "
            f"{width}×{height} (width × height)"
        )
