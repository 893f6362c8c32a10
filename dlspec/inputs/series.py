"""Series of numbers: the same steps of the same channels for each example, standardised by train or each by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.inputs.base import Input
from dlspec.recipe.component import Section
from dlspec.remedies import LATE, USUAL, Remedy, Situation
from dlspec.types import Arrays, DataError, Example, Examples, Finding, Place, Rendering, State
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

SHOWN = 12
"""steps that are shown of an example, the last of it"""
MOST_CHANNELS = 8
"""channels of which facts are told"""
LEAST_SPREAD = 0.01
"""of train's deviation, of several series that of the smallest: what a window that hardly moves is divided by"""
FAR = 6.0
"""deviations from train's mean from which on a value is strange"""


class Augment(Section):
    """Random changes of series in training: drawn anew for each example and epoch; nothing is on unless given."""

    noise: float = Field(0.0, ge=0)
    """add normal noise to each step, of so many standard deviations of its channel"""


class Series(Input):
    """Series of L steps and F channels each: arrays (L, F), or (L,); rows of a table are series of one channel, whose
    steps are the columns of numbers, in their order.  The network takes `series`, float32 (B, L, F)."""

    name: Literal["series"] = "series"
    kind: ClassVar[str] = "series"
    summary: ClassVar[str] = "series of numbers over time, of one channel or several"

    scale: Literal["standard", "window", "none"] = "standard"
    """standard: each channel with mean 0 and deviation 1 over train; window: over each example itself, so that level
    and size do not matter, but shape; none: as they are"""
    log: bool = False
    """take logarithms first, of values that are all above 0: of what grows by so many percent, seasons too, those are
    the same at any level"""
    length: int | None = Field(None, ge=1)
    """steps that the network sees, the last of each example; left out: all.  Forecasts may look further back, to the
    season before"""
    missing: Literal["fail", "last", "linear", "mean"] = "fail"
    """what stands for a missing value: the value before it (last), a line between its neighbours (linear), or train's
    mean; fail: it is an error that names example, step and channel"""
    augment: Augment = Augment()
    """random changes of series in training"""

    def remedies(self, of: Situation) -> list[Remedy]:
        """Noise: against variance; none against bias."""
        if of.cause == "avoidable bias" and self.augment.noise:
            return [Remedy({"augment.noise": 0.0}, "noise makes series harder to learn than those of dev", USUAL)]
        if of.cause == "variance" and self.augment.noise < 0.2:
            more = 0.05 if self.augment.noise < 0.05 else 0.2
            return [Remedy({"augment.noise": more}, "no series is seen twice, so that none is learned by heart", LATE)]
        return []

    def prepare(self, train: Examples) -> State:
        """`length` (steps of an example), `channels` (names), `mean`, `deviation`, `low`, `high` of each over train,
        `least`: the smallest deviation of a series that moves, where there are several (the tag `series`);
        `order`: the columns, where examples are rows of a table.

        Raises DataError where lengths differ, a value is missing or infinite, or a column of a table holds words.
        """
        import numpy as np

        from dlspec.inputs.stacking import channels_of, is_table, known, whole

        values = known(train, self.missing, log=self.log)
        missing = int(np.isnan(whole(train)).sum())
        names = channels_of(train, values.shape[2])
        seen = min(self.length or values.shape[1], values.shape[1])
        if self.length is not None and self.length > values.shape[1]:
            message = (
                f"the series of train have {values.shape[1]} steps each, fewer than so many; give them, or less here"
            )
            raise DataError(message, where=Place(key="input.length"))
        how = {"standard": "standardised by train", "window": "each standardised by itself", "none": "as they are"}
        of = f" of {values.shape[1]:,} given" if seen < values.shape[1] else ""
        channels = f"{len(names)} channel{'s' * (len(names) > 1)} ({', '.join(names[:8])}{', …' * (len(names) > 8)})"
        notes = [f"series: {plural(seen, 'step')}{of}, {channels}, {how[self.scale]}{', as logarithms' * self.log}"]
        if missing:
            share = missing / values.size
            notes.append(
                f"{missing:,} values of train ({share:.1%}) are missing; for each stands {_MEND[self.missing]}"
            )
        return {
            "length": int(values.shape[1]),
            "channels": names,
            "mean": _by_channel(np.nanmean, values),
            "deviation": _by_channel(np.nanstd, values),
            "least": _least(train, values),
            "low": _by_channel(np.nanmin, values),
            "high": _by_channel(np.nanmax, values),
            "scaled": self.scale == "standard",
            "log": self.log,
            "order": list(train.columns["x"].columns) if is_table(train) else None,
            "shapes": {"series": {"shape": [int(seen), len(names)], "dtype": "float32"}},
            "notes": notes,
        }

    def encode(self, examples: Examples, state: State) -> Arrays:
        """`series` float32 (N, L, F), scaled, all steps that are given.  Where each is scaled by itself, `centre` and
        `spread`, float32 (N, F): what was taken away, and what divided by.

        Raises DataError that names an example of another length or with a missing value.
        """
        import numpy as np

        values = self._like_train(examples, state, log=self.log)
        mean, deviation = np.array(state["mean"]), np.array(state["deviation"])
        deviation = np.where(deviation > 0, deviation, 1.0)
        values = np.where(np.isnan(values), mean, values)
        if self.scale == "none":
            return {"series": values.astype(np.float32)}
        if self.scale == "standard":
            return {"series": ((values - mean) / deviation).astype(np.float32)}
        seen = values[:, -state["shapes"]["series"]["shape"][0] :]
        centre = seen.mean(axis=1)
        least = LEAST_SPREAD * np.array(state.get("least", deviation))
        spread = np.maximum(seen.std(axis=1), np.where(least > 0, least, LEAST_SPREAD))
        found = ((values - centre[:, None]) / spread[:, None]).astype(np.float32)
        return {"series": found, "centre": centre.astype(np.float32), "spread": spread.astype(np.float32)}

    @property
    def augments(self) -> bool:
        return self.augment != Augment() or type(self).augmented is not Series.augmented

    def augmented(self, batch: Arrays, seeds: np.ndarray, state: State) -> Arrays:
        """Noise, a function of the example's seed, step and channel; in deviations of the channel over train where
        `scale` is none."""
        import numpy as np

        from dlspec.numeric.draws import normal

        if not self.augment.noise:
            return batch
        values = batch["series"]
        unit = np.array(state["input"]["deviation"]) if self.scale == "none" else np.ones(values.shape[2])
        shape = values.shape[1:]
        draws = np.stack([normal(seeds, place) for place in range(int(np.prod(shape)))], axis=1)
        noise = draws.reshape(-1, *shape) * (self.augment.noise * unit)
        return {**batch, "series": values + noise.astype(np.float32)}

    def finish(self, batch: Arrays, state: State) -> Arrays:
        """`series`, its last steps, as many as the network sees; `whole`: all of them, where that is more."""
        seen = state["shapes"]["series"]["shape"][0]
        whole = batch["series"]
        if whole.shape[1] == seen:
            return batch
        return {**batch, "series": whole[:, -seen:], "whole": whole}

    def show(self, example: Example) -> Rendering:
        """The last steps of each channel, or the columns of a row of a table."""
        import numpy as np

        if isinstance(example.x, Mapping):
            return Rendering("table", dict(example.x))
        values = np.asarray(example.x, np.float64)
        values = values[:, None] if values.ndim == 1 else values
        more = "… " if len(values) > SHOWN else ""
        lines = [more + ", ".join(f"{one:.5g}" for one in values[-SHOWN:, k]) for k in range(values.shape[1])]
        return Rendering(
            "table", {f"channel {k + 1}" if len(lines) > 1 else "series": one for k, one in enumerate(lines)}
        )

    def facts(self, examples: Examples, state: State) -> dict[str, Any]:
        """Of the first channels: mean, deviation, last value, and the change from the first step to it."""
        import numpy as np

        values = self._like_train(examples, state, log=False)
        mean = np.exp(state["mean"]) if self.log else np.array(state["mean"])
        values = np.where(np.isnan(values), mean, values)
        seen = values[:, -state["shapes"]["series"]["shape"][0] :]
        found = {}
        for place, name in enumerate(state["channels"][:MOST_CHANNELS]):
            own, head = seen[:, :, place], f"{name}: " if len(state["channels"]) > 1 else ""
            found[f"{head}mean"] = own.mean(axis=1)
            found[f"{head}deviation"] = own.std(axis=1)
            found[f"{head}last value"] = own[:, -1].copy()
            found[f"{head}change"] = own[:, -1] - own[:, 0]
        return found

    def parts(self, state: State) -> list[str]:
        """The channels, where there are several."""
        return list(state["channels"]) if len(state["channels"]) > 1 else []

    def shuffled(self, examples: Examples, part: str, order: np.ndarray, state: State) -> Examples:
        """The same examples, with one channel taken from example order[i]."""
        from dlspec.inputs.stacking import whole

        values, place = whole(examples).copy(), state["channels"].index(part)
        values[:, :, place] = values[order][:, :, place]
        x: list[Any] = [None] * len(examples.columns["x"])
        for row, own in zip(examples.rows, values, strict=True):
            x[row] = own
        return examples.replace(x=x)

    def findings(self, train: Examples, state: State) -> list[Finding]:
        """Channels that never move."""
        still = [name for name, one in zip(state["channels"], state["deviation"], strict=True) if one == 0]
        if not still:
            return []
        which = ", ".join(f"'{one}'" for one in still[:8])
        message = f"{which} is the same at all steps of all of train, and tells nothing; leave it out"
        return [Finding("warning", "constant_channel", still[0], message)]

    def remarks(self, examples: Examples, state: State) -> list[str]:
        """Values far beyond all that train has: another unit looks like that, and a level that has drifted."""
        import numpy as np

        values, found = self._like_train(examples, state, log=self.log), []
        told = np.exp if self.log else float
        for place, name in enumerate(state["channels"]):
            low, high, deviation = (state[key][place] for key in ("low", "high", "deviation"))
            far = (values[..., place] > high + FAR * deviation) | (values[..., place] < low - FAR * deviation)
            if deviation > 0 and far.any():
                worst = values[..., place][far]
                most = worst[np.abs(worst - state["mean"][place]).argmax()]
                found.append(
                    f"'{name}' reaches {told(most):.4g} in {int(far.any(axis=1).sum()):,} series; in train it goes "
                    f"from {told(low):.4g} to {told(high):.4g}: is it of the same unit?"
                )
        return found

    def outside(self, rows: Any, state: State) -> Examples:
        """Arrays (N, L, F) or (N, L), a list of arrays (L, F) or (L,), or rows of a table.  Ids are "0", "1", …"""
        import numpy as np

        if state["order"] is not None and not hasattr(rows, "dtype"):
            from dlspec.numeric.tables import rows_of

            table = rows_of(rows, state["order"], state["order"])
            return Examples([str(i) for i in range(len(table))], table)
        x: Any = rows if hasattr(rows, "dtype") else [np.asarray(one, np.float64) for one in rows]
        if state["order"] is not None:
            x = [np.asarray(one, np.float64).reshape(-1, 1) for one in x]
        return Examples([str(i) for i in range(len(x))], x)

    def _like_train(self, examples: Examples, state: State, *, log: bool) -> np.ndarray:
        """(N, L, F) as `known` gives it.  Raises DataError where it is not of the shape that train has."""
        from dlspec.inputs.stacking import known, shape_of

        values = known(examples, self.missing, log=log)
        wanted = (state["length"], len(state["channels"]))
        if len(values) and values.shape[1:] != wanted:
            raise DataError(
                f"example '{examples[0].id}' has {shape_of(values.shape[1:])}; those of train have {shape_of(wanted)}"
            )
        return values.reshape(len(values), *wanted)


_MEND = {"last": "the value before it", "linear": "a line between its neighbours", "mean": "the mean of train"}


def _by_channel(of: Any, values: np.ndarray) -> list[float]:
    """Of each channel one number; 0 where nothing of it is known."""
    import numpy as np

    channels = [values[..., k] for k in range(values.shape[2])]
    return [float(of(own)) if not np.isnan(own).all() else 0.0 for own in channels]


def _least(train: Examples, values: np.ndarray) -> list[float]:
    """Of each channel the deviation of the series that moves the least, 0 of none; of one series, its own."""
    import numpy as np

    if "series" not in train.tag_names:
        return _by_channel(np.nanstd, values)
    names = np.array(train.tag("series"))
    each = np.array([_by_channel(np.nanstd, values[names == one]) for one in dict.fromkeys(names.tolist())])
    least = np.where(each > 0, each, np.inf).min(axis=0)
    return np.where(np.isfinite(least), least, 0.0).tolist()
