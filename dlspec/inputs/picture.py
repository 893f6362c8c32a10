"""Pictures: brought to one size, one number of channels and one range of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlspec.inputs.base import Input
from dlspec.types import Arrays, DataError, Example, Examples, Rendering, State

if TYPE_CHECKING:
    import numpy as np

GREY = (0.299, 0.587, 0.114)
"""What red, green and blue add to brightness (ITU-R BT.601)."""


class Picture(Input):
    """Pictures as arrays, (H, W) or (H, W, C), uint8 or float; all in one array, or a list of different sizes."""

    name: Literal["picture"] = "picture"
    kind: ClassVar[str] = "picture"
    summary: ClassVar[str] = "pictures: size, channels, range of values"

    size: tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]] | None = None
    """height and width that the network sees; nothing given: as the data, which must then be of one size"""
    channels: Literal[1, 3] | None = None
    """1 (grey) or 3 (red, green, blue); nothing given: as the data.  Grey weighs them as ITU-R BT.601 does"""
    fit: Literal["stretch", "letterbox", "pad"] = "stretch"
    """how another size is reached.  stretch: each side on its own; letterbox: as large as fits with the same
    proportions, in the middle of a black ground; pad: the same, but never enlarged (28×28 in the middle of 32×32)"""
    scale: Literal["unit", "signed", "standard", "none"] = "unit"
    """range of values that the network sees.  unit: 0 to 1; signed: -1 to 1; standard: each channel with mean 0 and
    deviation 1 over train; none: as the data"""

    def prepare(self, train: Examples) -> State:
        """What train's pictures are like: `data` (height, width, channels), `low`, `high`, `bytes`.

        uint8 ranges from 0 to 255; other numbers from 0 to 1 where they lie in it, else from 0 (or the least value, if
        negative) to the greatest.  `shift` and `factor`, one a channel: the network sees (value - shift) * factor.
        Raises DataError where pictures differ in size or channels and the recipe gives none.
        """
        state = self._seen(train)
        shape = [*(self.size or state["data"][:2]), self.channels or state["data"][2]]
        state["shapes"] = {"picture": {"shape": shape, "dtype": "float32"}}
        if self.scale == "standard":
            mean, deviation = self._moments(train, state)
            state["shift"], state["factor"] = mean, [1 / d if d > 0 else 1.0 for d in deviation]
        else:
            low, span = state["low"], state["high"] - state["low"]
            shift, factor = {
                "unit": (low, 1 / span),
                "signed": (low + span / 2, 2 / span),
                "none": (0.0, 1.0),
            }[self.scale]
            state["shift"], state["factor"] = [shift] * shape[2], [factor] * shape[2]
        state["notes"] = self._notes(state)
        return state

    def encode(self, examples: Examples, state: State) -> Arrays:
        """`picture` (N, H, W, C) of the wanted size, in the data's own range: uint8 where train was, else float32.

        Raises DataError that names the example where a picture is not like those that the network was trained on.
        """
        import numpy as np

        from dlspec.numeric.pictures import blocks

        shape = state["shapes"]["picture"]["shape"]
        encoded = np.empty((len(examples), *shape), np.uint8 if state["bytes"] else np.float32)
        for places, pictures in blocks(examples):
            self._check(examples, places, pictures, state)
            # Grey becomes three channels by broadcasting.
            fitted = self._fitted(pictures, state)
            encoded[places] = np.rint(fitted).clip(0, 255) if state["bytes"] else fitted
        return {"picture": encoded}

    def finish(self, batch: Arrays, state: State) -> Arrays:
        """The same pictures in the range that the network sees, float32."""
        import numpy as np

        shift, factor = (np.array(state[key], np.float32) for key in ("shift", "factor"))
        return {**batch, "picture": (batch["picture"].astype(np.float32) - shift) * factor}

    def show(self, example: Example) -> Rendering:
        """The picture as it came, as uint8; other numbers are stretched, from 0 to 1 where they lie in it."""
        import numpy as np

        from dlspec.numeric.pictures import read_picture

        picture = read_picture(example.x, example.id)
        if picture.dtype != np.uint8:
            low, high = min(0.0, float(picture.min())), float(picture.max())
            high = 1.0 if high <= 1 else high
            picture = np.rint((picture - low) * (255 / (high - low))).astype(np.uint8)
        return Rendering("picture", picture)

    def likeness(self, train: Examples, state: State) -> Callable[[Examples, Arrays], np.ndarray]:
        """Small grey thumbnails of equal brightness and contrast."""
        from dlspec.numeric.near_duplicates import thumbnails

        return lambda examples, encoded: thumbnails(encoded["picture"])

    def outside(self, rows: Any, state: State) -> Examples:
        """One picture (H, W) or (H, W, C), an array of many, or a list of pictures, which may differ in size.

        Ids are "0", "1", …  An array of three axes is one picture where the last axis is 1 or 3 channels.
        """
        import numpy as np

        if isinstance(rows, list | tuple) and rows and np.ndim(rows[0]) > 1:
            pictures: Any = list(rows)
        else:
            pictures = np.asarray(rows)
            if pictures.ndim == 2 or (pictures.ndim == 3 and pictures.shape[-1] in (1, 3)):
                pictures = pictures[None]
        return Examples([str(i) for i in range(len(pictures))], pictures)

    def _seen(self, train: Examples) -> State:
        import numpy as np

        from dlspec.numeric.pictures import blocks

        sizes: dict[tuple[int, int], str] = {}
        channels: dict[int, str] = {}
        kinds: set[str] = set()
        low, high = np.inf, -np.inf
        for places, pictures in blocks(train):
            first = train[int(places[0])].id
            sizes.setdefault(pictures.shape[1:3], first)
            channels.setdefault(pictures.shape[3], first)
            kinds.add(str(pictures.dtype))
            low, high = min(low, float(pictures.min())), max(high, float(pictures.max()))
        if self.size is None and len(sizes) > 1:
            (one, a), (two, b) = list(sizes.items())[:2]
            raise DataError(
                f"the pictures differ in size: '{a}' is {_by(one)}, '{b}' is {_by(two)}; "
                f"give one size, as input: {{size: [{one[0]}, {one[1]}]}}"
            )
        if self.channels is None and len(channels) > 1:
            (c, a), (d, b) = list(channels.items())[:2]
            raise DataError(
                f"the pictures differ in channels: '{a}' has {c}, '{b}' has {d}; "
                "give one number, as input: {channels: 3}"
            )
        if kinds == {"uint8"}:
            low, high = 0.0, 255.0
        elif low >= 0 and high <= 1:
            low, high = 0.0, 1.0
        else:
            low = min(low, 0.0)
            high = high if high > low else low + 1
        data = [*(next(iter(sizes)) if len(sizes) == 1 else (None, None)), next(iter(channels))]
        return {"data": data, "low": low, "high": high, "bytes": kinds == {"uint8"}}

    def _notes(self, state: State) -> list[str]:
        height, width, channels = state["data"]
        shape = state["shapes"]["picture"]["shape"]
        size = _by((height, width)) if height else "of several sizes"
        values = "0 to 255" if state["bytes"] else f"numbers from {state['low']:g} to {state['high']:g}"
        note = f"pictures: {size}, {channels} channel{'s' * (channels > 1)}, {values}"
        if [height, width] != shape[:2]:
            note += f"; brought to {_by(shape)} ({self.fit})"
        if channels != shape[2]:
            note += f"; turned into {'grey' if shape[2] == 1 else 'three channels'}"
        return [note]

    def _moments(self, train: Examples, state: State) -> tuple[list[float], list[float]]:
        """Mean and deviation of each channel of what is fitted, in the data's own range."""
        import numpy as np

        from dlspec.numeric.pictures import blocks

        count, sums, squares = 0, np.zeros(1), np.zeros(1)
        for _, pictures in blocks(train):
            fitted = self._fitted(pictures, state).astype(np.float64) - state["low"]
            count += fitted[..., 0].size
            sums = sums + fitted.sum(axis=(0, 1, 2))
            squares = squares + (fitted**2).sum(axis=(0, 1, 2))
        channels = state["shapes"]["picture"]["shape"][2]
        mean = np.broadcast_to(sums / count, channels)
        deviation = np.sqrt(np.maximum(0, np.broadcast_to(squares / count, channels) - mean**2))
        return (mean + state["low"]).tolist(), deviation.tolist()

    def _fitted(self, pictures: np.ndarray, state: State) -> np.ndarray:
        """float32 (n, H, W, C) of the wanted size, in the data's own range; C is 1 where the data is grey."""
        import numpy as np

        from dlspec.numeric.resize import resize

        height, width, channels = state["shapes"]["picture"]["shape"]
        if channels == 1 and pictures.shape[3] == 3:
            pictures = pictures.astype(np.float32) @ np.array(GREY, np.float32)[:, None]
        if self.fit == "stretch":
            return resize(pictures, height, width)
        ratio = min(height / pictures.shape[1], width / pictures.shape[2])
        if self.fit == "pad":
            ratio = min(1.0, ratio)
        h, w = (max(1, round(ratio * side)) for side in pictures.shape[1:3])
        top, left = (height - h) // 2, (width - w) // 2
        ground = np.full((len(pictures), height, width, pictures.shape[3]), state["low"], np.float32)
        ground[:, top : top + h, left : left + w] = resize(pictures, h, w)
        return ground

    def _check(self, examples: Examples, places: np.ndarray, pictures: np.ndarray, state: State) -> None:
        height, width, channels = state["data"]
        first = examples[int(places[0])].id
        if self.size is None and pictures.shape[1:3] != (height, width):
            raise DataError(
                f"picture '{first}' is {_by(pictures.shape[1:])}, expected {_by((height, width))} as in train"
            )
        if self.channels is None and pictures.shape[3] != channels:
            raise DataError(f"picture '{first}' has {pictures.shape[3]} channel(s), expected {channels} as in train")
        bytes_now = pictures.dtype == "uint8"
        if bytes_now == state["bytes"]:
            return
        greatest = pictures.max(axis=(1, 2, 3))
        # The one mistake that would pass in silence: pictures of 0 to 1 where train had bytes, or the other way round.
        wrong = greatest > 4 * state["high"] if bytes_now else (greatest > 0) & (greatest <= 1)
        if wrong.any():
            place = wrong.argmax()
            raise DataError(
                f"picture '{examples[int(places[place])].id}' has values up to {greatest[place]:g}, "
                f"expected {state['low']:g} to {state['high']:g} as in train; bring it to that range"
            )


def _by(size: Any) -> str:
    return f"{size[0]}×{size[1]}"
