"""Where the points of a thing are: the corners of a mouth, the joints of a hand; some of them may not be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.evaluators.points import Points
from dlspec.evaluators.truths_of_places import points
from dlspec.models.base import Backbone, Model
from dlspec.recipe.component import unknown
from dlspec.tasks.base import Aim, Task
from dlspec.tasks.geometry import encoded_places, encoded_size, frames_of, refuse_outside
from dlspec.types import Arrays, DataError, Examples, Place, RecipeError, State
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

OFFSET, SCALE = 0.5, 0.25
"""the network gives (place − 0.5) / 0.25 of places in shares of the picture: numbers around 0, of deviation around 1"""


class Landmarks(Task):
    """K points a picture, each with a name.

    The network gives x and y of each, and learns their distance; a point that is not marked in a picture costs nothing
    there.  Predictions are float64 (N, K, 2), in the picture's own pixels.  Truths are tuples of points (see
    dlspec.numeric.places).
    """

    summary: ClassVar[str] = "the places of points with names: corners of a mouth, joints of a hand"
    takes: ClassVar[type[Model]] = Backbone
    asks_of: ClassVar[tuple[str, ...]] = ("picture",)
    name: Literal["landmarks"] = "landmarks"
    normalizer: Literal["diagonal", "box"] | tuple[str, str] = "diagonal"
    """what distances are divided by. diagonal: that of the picture; box: that of the box around the marked points; or
    two points, as [left_eye, right_eye]: their distance"""
    threshold: float = Field(0.05, gt=0)
    """a point is correct up to this distance, normalised"""
    loss: Literal["squared", "huber", "absolute"] = "squared"
    """of each coordinate, in quarters of the picture's side: squared; huber (squared up to 1/10, linear beyond), or
    absolute, where some points are marked badly"""
    mirrored: tuple[tuple[str, str], ...] = ()
    """pairs of points that change places in a mirror, as [[left_eye, right_eye]]; input.augment.flip needs them"""

    @property
    def evaluator(self) -> Points:
        return Points()

    def prepare(self, train: Examples) -> State:
        """`names` in the order of their first appearance, `threshold`, `normalizer`.

        Raises DataError where a truth is missing or nothing is marked; RecipeError where a name is none of the points.
        """
        own = points(train)
        counts = Counter(point.name for found in own for point in found)
        names = list(counts)
        if not names:
            raise DataError(f"no point is marked in the {len(train):,} pictures of train, so there is nothing to learn")
        two = self.normalizer if isinstance(self.normalizer, tuple) else ()
        given = [("normalizer", name) for name in two] + [("mirrored", one) for pair in self.mirrored for one in pair]
        for key, name in given:
            if name not in counts:
                raise RecipeError(unknown("point", name, names), where=Place(key=f"task.{key}"))
        listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        lacking = len(train) * len(names) - counts.total()
        note = f"{plural(len(names), 'point')}: {listed}; {lacking:,} of {len(train) * len(names):,} are not marked"
        normalizer = list(two) if two else self.normalizer
        return {"names": names, "threshold": self.threshold, "normalizer": normalizer, "notes": [note]}

    def outputs(self, state: State) -> int:
        return 2 * len(state["task"]["names"])

    def target(self, examples: Examples, encoded: Arrays, state: State) -> Arrays:
        """`points` float32 (N, K, 2) in the encoded picture, NaN where not marked; `mirror` (N, K): whose place each
        takes in a mirror, where that is known.

        Raises DataError that names the examples without a truth, and those with points outside of the picture.
        """
        import numpy as np

        place = {name: k for k, name in enumerate(state["task"]["names"])}
        found = np.full((len(examples), len(place), 2), np.nan)
        for row, own in enumerate(points(examples)):
            for point in own:
                if point.name in place:
                    found[row, place[point.name]] = point[1:]
        refuse_outside(examples, found, encoded, state, "point")
        targets = {"points": encoded_places(found, encoded, state).astype(np.float32)}
        if self.mirrored:
            partner = np.arange(len(place))
            for one, other in self.mirrored:
                partner[place[one]], partner[place[other]] = place[other], place[one]
            targets["mirror"] = np.tile(partner, (len(examples), 1))
        return targets

    def finish(self, batch: Arrays, targets: Arrays, seed: int, state: State) -> tuple[Any, Any, Any]:
        """The truth as the loss takes it: (N, K, 3), place in the network's units, and 1 where it is known."""
        import numpy as np

        places = (targets["points"] / np.array(encoded_size(state)) - OFFSET) / SCALE
        known = ~np.isnan(places).any(axis=2, keepdims=True)
        y = np.concatenate([np.where(known, places, 0.0), known], axis=2).astype(np.float32)
        return batch, y, None

    def compiled(self, state: State) -> Mapping[str, Any]:
        """The loss, and `distance`: the mean distance of the known points, in sides of the picture."""
        import keras

        from dlspec.losses.points import PointLoss, distance

        metric = keras.metrics.MeanMetricWrapper(distance, name="distance", scale=SCALE)
        return {"loss": PointLoss(self.loss), "metrics": [metric]}

    def predict(self, network: Any, batches: Iterable[Arrays], state: State) -> np.ndarray:
        import numpy as np

        from dlspec.numeric import frames

        count = len(state["task"]["names"])
        found = [np.zeros((0, count, 2))]
        for batch in batches:
            logits = np.asarray(network(batch), np.float64).reshape(-1, count, 2)
            places = (logits * SCALE + OFFSET) * np.array(encoded_size(state))
            found.append(frames.back(places, frames_of(batch, len(places), state)))
        return np.concatenate(found)

    def aims(self, logits: np.ndarray, state: State, kinds: Sequence[str] | None = None) -> list[Aim]:
        """Where the points are."""
        import numpy as np

        return [Aim(["where the points are"] * len(logits), np.ones(logits.shape), moves=True)]
