"""What in a recipe mends an illness of training: the knob that is for it, not another, as changes of keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dlspec.strategy.looks import Verdict

Recipe = Mapping[str, Any]
"""a filled recipe as plain values"""


class Mend(NamedTuple):
    """changes: dotted key of the recipe → its new value, with nothing that is so already.  reason: why that."""

    changes: dict[str, Any]
    reason: str


def mends(verdict: Verdict, recipe: Recipe) -> list[Mend]:
    """What mends an illness, the first choice first; empty for a healthy network, or where no setting is left.

    A setting is proposed only where the architecture has it, and has another value.
    """
    found = [make(verdict, recipe) for make in _FOR.get(verdict.name, ())]
    return [one for one in found if one is not None and one.changes]


def value(recipe: Recipe, key: str, default: Any = None) -> Any:
    """What stands under a dotted key."""
    held: Any = recipe
    for part in key.split("."):
        if not isinstance(held, Mapping) or part not in held:
            return default
        held = held[part]
    return held


def as_patch(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys as the nested mapping that a patch of a recipe holds."""
    nested: dict[str, Any] = {}
    for key, new in changes.items():
        *path, name = key.split(".")
        held = nested
        for part in path:
            held = held.setdefault(part, {})
        held[name] = new
    return nested


def _name(held: Any) -> Any:
    """A choice by its name, whatever its settings."""
    return held["name"] if isinstance(held, Mapping) and "name" in held else held


def _by_fan(recipe: Recipe) -> dict[str, Any]:
    """Weights start by the size of their layer and the activation, unless they do already."""
    held = value(recipe, "model.initializer")
    if held is None or (_name(held) == "auto" and value(recipe, "model.initializer.scale", 1.0) == 1.0):
        return {}
    # A patch that names the same choice leaves its settings as they are.
    return {"model.initializer": {"name": "auto", "scale": 1.0} if _name(held) == "auto" else "auto"}


def _start(verdict: Verdict, recipe: Recipe) -> Mend | None:
    reason = "weights that start by their fan-in keep signals and gradients at the same size from layer to layer"
    return Mend(_by_fan(recipe), f"{reason} (Glorot and Bengio 2010; He et al. 2015)")


def _rectify(verdict: Verdict, recipe: Recipe) -> Mend | None:
    if value(recipe, "model.activation") not in ("sigmoid", "tanh"):
        return None
    changes = {"model.activation": "relu", **_by_fan(recipe)}
    reason = "each sigmoid or tanh makes gradients smaller (at most to a quarter, or 1); a rectifier does not"
    source = "Glorot, Bordes and Bengio 2011"
    if verdict.name == "vanishing" and _name(value(recipe, "model.normalization")) == "none":
        changes["model.normalization"] = "batch"
        reason += ", and normalisation keeps what it is given at the same size"
        source += "; Ioffe and Szegedy 2015"
    return Mend(changes, f"{reason} ({source})")


def _normalize(verdict: Verdict, recipe: Recipe) -> Mend | None:
    if _name(value(recipe, "model.normalization")) != "none":
        return None
    reason = "normalising each layer keeps signals and gradients at the same size whatever the weights are"
    return Mend({"model.normalization": "batch"}, f"{reason} (Ioffe and Szegedy 2015)")


def _shallower(verdict: Verdict, recipe: Recipe) -> Mend | None:
    hidden = value(recipe, "model.hidden")
    if not isinstance(hidden, list | tuple) or len(hidden) < 4:
        return None
    return Mend({"model.hidden": list(hidden[: len(hidden) // 2])}, "half the layers, half the way for the gradient")


def _leak(verdict: Verdict, recipe: Recipe) -> Mend | None:
    if value(recipe, "model.activation") != "relu":
        return None
    reason = "a leaky rectifier has a gradient below zero as well, so that no unit dies"
    return Mend({"model.activation": "leaky_relu"}, f"{reason} (Maas et al. 2013)")


def _rate(verdict: Verdict, recipe: Recipe) -> Mend | None:
    key = "train.optimizer.learning_rate"
    now = value(recipe, key)
    ill = [one.rate for one in (verdict, *verdict.also) if one.rate is not None]
    if now is None or not ill or ill[0] == now:
        return None
    return Mend({key: ill[0]}, "with it one step moves weights by some thousandths of their size, as is usual")


def _lower(verdict: Verdict, recipe: Recipe) -> Mend | None:
    now = value(recipe, "train.optimizer.learning_rate")
    if now is None:
        return None
    lower = float(f"{now / 10:.0e}")
    dead = "units die where a step throws them far below zero"
    reason = dead if verdict.name == "dead" else "shorter steps do not throw the weights out of reach"
    return Mend({"train.optimizer.learning_rate": lower}, reason)


def _clip(verdict: Verdict, recipe: Recipe) -> Mend | None:
    if value(recipe, "train.clip", "no such key") is not None:
        return None
    return Mend({"train.clip": {"global_norm": 1.0}}, "a step is then never longer than that, whatever the gradient")


_FOR: dict[str, tuple[Callable[[Verdict, Recipe], Mend | None], ...]] = {
    "vanishing": (_rectify, _start, _normalize, _shallower),
    "exploding": (_start, _normalize, _clip, _shallower),
    "learning_rate_too_high": (_rate, _clip),
    "dead": (_start, _normalize, _leak, _lower),
    "saturated": (_normalize, _start, _rectify),
    "learning_rate_too_low": (_rate,),
    "diverged": (_lower, _clip),
}
