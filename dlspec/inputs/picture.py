"""Pictures: brought to one size, one number of channels and one range of values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlspec.inputs.augmentation import Augment
from dlspec.inputs.base import Input
from dlspec.remedies import EARLY, FIRST, USUAL, Remedy, Situation
from dlspec.types import Arrays, DataError, Example, Examples, Rendering, State, UnreadableError
from dlspec.wording import plural

MOMENTS, MOMENTS_BLOCK = 10_000, 256
"""pictures of which `scale: standard` learns mean and deviation, and how many of them are held at a time"""

if TYPE_CHECKING:
    import numpy as np


class Picture(Input):
    """Pictures as arrays, (H, W) or (H, W, C), uint8 or float; all in one array, or a list of different sizes."""

    name: Literal["picture"] = "picture"
    kind: ClassVar[str] = "picture"
    summary: ClassVar[str] = "pictures: size, channels, range of values"

    files: ClassVar[tuple[str, ...]] = (".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".gif", ".webp")
    moving: ClassVar[tuple[str, ...]] = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm")

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
    augment: Augment = Augment()
    """random changes of training pictures; nothing given: none"""

    def remedies(self, of: Situation) -> list[Remedy]:
        """Augmentation: mild against variance, of many kinds against a dev of other pictures, none against bias."""
        if of.cause == "avoidable bias" and not self.augment.off:
            usual = sorted((type(self.augment).model_fields.keys()) - {"fill", "keep_boxes"})
            calm = {name: None for name in usual if getattr(self.augment, name) != getattr(Augment(), name)}
            return [Remedy({"augment": calm}, "augmented pictures are harder to learn than those of dev", USUAL)]
        if not self.augment.off:
            return []
        if of.cause == "variance":
            mild = {"augment": {"shift": 0.1, "rotate": 10.0, "zoom": 0.1}}
            return [Remedy(mild, "no picture is seen twice, so that none can be learned by heart", FIRST)]
        if of.cause == "data mismatch":
            strong = {"shift": 0.1, "rotate": 45.0, "zoom": 0.2, "blur": 2.0, "brightness": 0.2, "contrast": 0.3}
            return [Remedy({"augment": strong}, "pictures of many kinds are likelier to be like those of dev", EARLY)]
        return []

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
        ends, seen = (state["low"], state["high"]), list(zip(state["shift"], state["factor"], strict=True))
        state["shapes"]["picture"]["range"] = [[(end - s) * f for s, f in seen] for end in ends]
        state["notes"] = self._notes(state)
        return state

    def encode(self, examples: Examples, state: State) -> Arrays:
        """`picture` (N, H, W, C) of the wanted size, in the data's own range: uint8 where train was, else float32.

        And `frame` (N, 6): where each picture as it came lies in that (see dlspec.numeric.frames).  Files are read
        here.  Raises DataError that names the example where a picture cannot be read, or is not like those of train.
        """
        import numpy as np

        from dlspec.numeric.frames import frame
        from dlspec.numeric.picture_bytes import fit_block, fit_bytes
        from dlspec.numeric.picture_files import read
        from dlspec.numeric.picture_paths import PictureFiles
        from dlspec.numeric.pictures import blocks
        from dlspec.numeric.resize import fit_numbers

        shape = state["shapes"]["picture"]["shape"]
        encoded = np.empty((len(examples), *shape), np.uint8 if state["bytes"] else np.float32)
        frames = np.empty((len(examples), 6))
        # Grey becomes three channels by broadcasting, here and below.
        files = examples.columns["x"]
        if isinstance(files, PictureFiles) and state["bytes"]:
            # One by one: pictures of several sizes, held all at once, would take more memory than what is made.
            for place, row in enumerate(examples.rows):
                picture = read(files[row])
                self._check(examples, place, picture.shape, state)
                encoded[place] = fit_bytes(picture, shape, self.fit)
                frames[place] = frame(picture.shape, shape, self.fit)
            return {"picture": encoded, "frame": frames}
        for places, pictures in blocks(examples, one_by_one=isinstance(files, PictureFiles)):
            self._check(examples, int(places[0]), pictures.shape[1:], state)
            self._check_range(examples, places, pictures, state)
            frames[places] = frame(pictures.shape[1:], shape, self.fit)
            if state["bytes"] and pictures.dtype == np.uint8:
                encoded[places] = fit_block(pictures, shape, self.fit)
                continue
            fitted = fit_numbers(pictures, shape, self.fit, state["low"])
            encoded[places] = np.rint(fitted).clip(0, 255) if state["bytes"] else fitted
        return {"picture": encoded, "frame": frames}

    def frames(self, examples: Examples, state: State) -> np.ndarray:
        """Of files, the heads alone are read; where all pictures of train are of one size, not even those."""
        import numpy as np

        from dlspec.numeric.frames import frames
        from dlspec.numeric.pictures import sizes

        height, width, _ = state["data"]
        given = np.tile((width, height), (len(examples), 1)) if height else sizes(examples)
        return frames(given, state["shapes"]["picture"]["shape"], self.fit)

    @property
    def augments(self) -> bool:
        return type(self).augmented is not Picture.augmented or self.augment != Augment()

    def augmented(self, batch: Arrays, seeds: np.ndarray, state: State) -> Arrays:
        """Changed as `augment` says; boxes, points and masks move along, mixup and cutmix mix `label`."""
        entered = state["input"]
        classes = state["task"].get("classes")
        return self.augment.apply(
            batch, seeds, low=entered["low"], high=entered["high"], classes=len(classes) if classes else None
        )

    def finish(self, batch: Arrays, state: State) -> Arrays:
        """The same pictures in the range that the network sees, float32."""
        import numpy as np

        pictures = batch["picture"]
        count, height, width, channels = pictures.shape
        shift, factor = (np.array(state[key], np.float32) for key in ("shift", "factor"))
        if len(set(state["shift"])) == len(set(state["factor"])) == 1:
            shift, factor = shift[0], factor[0]
        else:
            # A row at a time: over the last axis alone NumPy would work on a handful of numbers at once.
            shift, factor = np.tile(shift, width), np.tile(factor, width)
        ready = np.multiply(pictures.reshape(count, height, width * channels), factor, dtype=np.float32)
        if np.any(shift):
            ready -= shift * factor
        return {**batch, "picture": ready.reshape(pictures.shape)}

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

    facts_of: ClassVar[int | None] = 5_000

    def facts(self, examples: Examples, state: State) -> dict[str, Any]:
        """Brightness, contrast, width, height and aspect of the picture as it came; NaN where it cannot be read."""
        from dlspec.numeric.picture_facts import picture_facts

        return dict(picture_facts(examples))

    def likeness(self, train: Examples, state: State) -> Callable[[Examples, Arrays], np.ndarray]:
        """Small grey thumbnails of equal brightness and contrast."""
        from dlspec.numeric.near_duplicates import thumbnails

        return lambda examples, encoded: thumbnails(encoded["picture"])

    def outside(self, rows: Any, state: State) -> Examples:
        """One picture (H, W) or (H, W, C), an array of many, a path, or a list of pictures or of paths.

        Ids are the paths as given, of arrays "0", "1", …  An array of three axes is one picture where the last axis is
        1 or 3 channels.
        """
        from dlspec.numeric.pictures import handed

        return handed(rows)

    def _seen(self, train: Examples) -> State:
        from dlspec.numeric.picture_survey import survey

        seen = survey(train)
        if self.size is None and len(seen.sizes) > 1:
            (one, a), (two, b) = list(seen.sizes.items())[:2]
            raise DataError(
                f"the pictures differ in size: '{a}' is {_by(one)}, '{b}' is {_by(two)}; "
                f"give one size, as input: {{size: [{one[0]}, {one[1]}]}}"
            )
        if self.channels is None and len(seen.channels) > 1:
            (c, a), (d, b) = list(seen.channels.items())[:2]
            raise DataError(
                f"the pictures differ in channels: '{a}' has {c}, '{b}' has {d}; "
                "give one number, as input: {channels: 3}"
            )
        low, high = seen.low, seen.high
        if seen.types == {"uint8"}:
            low, high = 0.0, 255.0
        elif low >= 0 and high <= 1:
            low, high = 0.0, 1.0
        else:
            low = min(low, 0.0)
            high = high if high > low else low + 1
        sizes = next(iter(seen.sizes)) if len(seen.sizes) == 1 else (None, None)
        data = [*sizes, next(iter(seen.channels))]
        return {"data": data, "low": low, "high": high, "bytes": seen.types == {"uint8"}}

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
        """Mean and deviation of each channel of what is encoded of at most MOMENTS pictures, evenly spread."""
        import numpy as np

        count, channels = len(train), state["shapes"]["picture"]["shape"][2]
        chosen = range(count) if count <= MOMENTS else [i * count // MOMENTS for i in range(MOMENTS)]
        pixels, sums, squares = 0, np.zeros(channels), np.zeros(channels)
        for start in range(0, len(chosen), MOMENTS_BLOCK):
            pictures = self._readable(train.take(chosen[start : start + MOMENTS_BLOCK]), state)
            values = pictures.reshape(-1, channels).astype(np.float64) - state["low"]
            pixels += len(values)
            sums += values.sum(axis=0)
            squares += (values**2).sum(axis=0)
        mean = sums / max(1, pixels)
        deviation = np.sqrt(np.maximum(0, squares / max(1, pixels) - mean**2))
        return (mean + state["low"]).tolist(), deviation.tolist()

    def _readable(self, examples: Examples, state: State) -> np.ndarray:
        """What is encoded of those that can be read; whether the others may be left out is not decided here."""
        import numpy as np

        try:
            return self.encode(examples, state)["picture"]
        except UnreadableError:
            if len(examples) == 1:
                return np.zeros((0, *state["shapes"]["picture"]["shape"]))
            return np.concatenate([self._readable(examples[i : i + 1], state) for i in range(len(examples))])

    def _check(self, examples: Examples, place: int, shape: Sequence[int], state: State) -> None:
        height, width, channels = state["data"]
        if self.size is None and tuple(shape[:2]) != (height, width):
            raise DataError(
                f"picture '{examples[place].id}' is {_by(shape)}, expected {_by((height, width))} as in train"
            )
        if self.channels is None and shape[2] != channels:
            raise DataError(
                f"picture '{examples[place].id}' has {plural(shape[2], 'channel')}, expected {channels} as in train"
            )

    def _check_range(self, examples: Examples, places: np.ndarray, pictures: np.ndarray, state: State) -> None:
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
