"""A study that narrows another: its recipe, written beside the trials it comes from, and what became of each axis."""

from __future__ import annotations

import functools
import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial

from dlspec.recipe.load import Dumper, load
from dlspec.runs import folder as folders
from dlspec.strategy.goals import ahead
from dlspec.tuning.narrowing import FEWEST, Narrowed, narrowed
from dlspec.tuning.outcome import Tried, ranked, tried
from dlspec.tuning.samplers import distribution, parameter
from dlspec.tuning.space import Drawn, Space
from dlspec.tuning.study import Study
from dlspec.tuning.trial import plain
from dlspec.types import ArgumentError, RecipeError

SHARE = 0.2
"""of the trials that have ended, so many are the best, where nobody says"""
_STAGE = re.compile(r"(.+)-zoom-(\d+)")


class Zoomed(NamedTuple):
    """A finer search: its recipe, which `dlspec tune` runs as it is, and what it is made of."""

    file: Path
    name: str
    """of the study, on a server"""
    best: int
    ended: int
    axes: list[Narrowed]

    def lines(self) -> list[str]:
        """What a person is told: each axis, old → new, and why."""
        head = f"narrowed to the best {self.best} of {self.ended} trials; {self.file}"
        return [head, *(f"{one.axis}: {one.old} → {one.new} ({one.why})" for one in self.axes)]

    def json(self) -> dict[str, Any]:
        return {
            "recipe": str(self.file),
            "best": self.best,
            "ended": self.ended,
            "axes": [one._asdict() for one in self.axes],
        }


def named(name: str) -> str:
    """What the next finer search is called: wide, wide-zoom-1, wide-zoom-2."""
    found = _STAGE.fullmatch(name)
    return f"{found[1]}-zoom-{int(found[2]) + 1}" if found else f"{name}-zoom-1"


def zoomed(
    study: Study, best: float = SHARE, trials: int | None = None, stages: Sequence[Mapping[str, Any]] = ()
) -> Zoomed:
    """Write the recipe of a finer search into a study's folder.

    best: how many of its trials are the best, or which share.  trials: of the finer search (None: as many).  stages:
    those that follow it.  Raises ArgumentError where too few trials have ended, or the study is a grid.
    """
    if study.tune.sampler == "grid":
        raise ArgumentError(
            f"{study.home} is a grid, between whose points nothing was tried; search with `sampler: random` or `qmc` "
            "to narrow it"
        )
    order = by_promise(tried(study))
    ended = len(order)
    count = max(FEWEST, math.ceil(best * ended - 1e-9) if isinstance(best, float) else best)
    least = max(2 * FEWEST, count + 1)
    if ended < least:
        raise ArgumentError(
            f"{study.home} has {ended} trials with a value; to narrow it to the best {count} takes {least} at least: "
            "give it more with --resume --trials, or take fewer as the best"
        )
    attempts = study.current()
    space, axes = narrowed(
        study.space, [drawn_by(study.space, attempts[one.number]) for one in order[:count]], _Takes(study)
    )
    name = named(Path(study.where.file).stem)
    zoom = Zoomed(study.home / f"{name}.yaml", named(study.where.name), count, ended, axes)
    tune = {"trials": trials or study.tune.trials, "seed": study.tune.seed + 1, "stages": list(stages), "space": space}
    head = "".join(f"# {line}\n" for line in [f"{name}: narrowed to the best {count} of {ended} trials",
                                              *zoom.lines()[1:]])  # fmt: skip
    held = {"extends": study.where.file, "tune": tune}
    folders.write_text(zoom.file, head + _dumped(held, study.home))
    return zoom


def by_promise(found: Sequence[Tried]) -> list[Tried]:
    """The best first; after those that came to their end, those that were given up, the latest of them first."""

    def order(one: Tried, other: Tried) -> int:
        if one.epochs != other.epochs:
            return (other.epochs or 0) - (one.epochs or 0)
        return -1 if ahead(one.standing, other.standing) else int(ahead(other.standing, one.standing))

    pruned = [one for one in found if one.state == "pruned" and one.value is not None]
    return [*ranked(found), *sorted(pruned, key=functools.cmp_to_key(order))]


def drawn_by(space: Space, trial: FrozenTrial) -> Drawn:
    """What a trial has drawn, by the axes' names; of a choice, the place."""
    found: Drawn = {}
    for axis in space.every():
        name = parameter(axis)
        if name not in trial.params:
            continue
        value, of = trial.params[name], distribution(axis)
        if isinstance(of, CategoricalDistribution):
            value = of.choices.index(value)
        found[axis.name] = 1 - value if axis.kind == "one_minus_log_uniform" else value
    return found


class _Takes:
    """Whether the study's recipe takes a space: asked by loading it, as `dlspec tune` will."""

    def __init__(self, study: Study) -> None:
        self.study = study

    def __call__(self, space: Mapping[str, Any]) -> bool:
        home = self.study.home
        held = {"extends": self.study.where.file, "tune": {"space": dict(space)}}
        with tempfile.NamedTemporaryFile("w", prefix=".zoom", suffix=".yaml", dir=home, encoding="utf-8") as file:
            file.write(_dumped(held, home))
            file.flush()
            try:
                load(file.name)
            except RecipeError:
                return False
        return True


def _dumped(held: Mapping[str, Any], home: Path) -> str:
    return str(yaml.dump(plain(held, home), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110))
