"""Whether a network can learn at all: one batch by heart, and which of its weights take no part in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.runs.check_trial import Batch, best_guess, compiled, inference, loss_of
from dlspec.types import Finding, State

EXAMPLES = 16
RATES = (3e-3, 1e-2, 1e-3)
"""of Adam, tried one after another with fresh weights"""
STEPS, LOOK = 300, 25
"""at most so many steps, with a look at the loss after every few"""
LEFT = 0.1
"""of the loss that the best constant guess has above the least possible one, what may be left"""


def by_heart(
    recipe: Recipe, state: State, fresh: Callable[[], Any], batch: Batch
) -> tuple[str, float | None, list[Finding]]:
    """Let fresh networks learn one small batch by heart: what was measured, the rate that did it, and findings.

    Random layers are off.  A network too simple for the batch (a linear one) must learn two examples of it.
    """
    frozen = _frozen(fresh())
    if not fresh().trainable_variables:
        return "not tried: no weight is trained", None, [_none_trained(frozen)]
    said = ""
    for some in (batch, batch.take(_pair(batch))):
        rate, told = _attempts(recipe, state, fresh, some)
        said = f"{said}; {told}" if said else told
        if rate is not None:
            break
    findings = []
    if frozen:
        findings.append(_frozen_finding(frozen, learned=rate is not None))
    elif rate is None:
        findings.append(_cannot(fresh(), said))
    return said, rate, findings


def different(batch: Batch, most: int = EXAMPLES) -> list[int]:
    """Places of so many examples whose inputs all differ, with targets that differ as early as can be."""
    seen: set[bytes] = set()
    places = []
    for place in range(batch.size):
        key = b"".join(np.ascontiguousarray(values[place]).tobytes() for values in batch.x.values())
        if key not in seen:
            places.append(place)
        seen.add(key)
    kinds: dict[bytes, int] = {}
    order = [(kinds.setdefault(_target(batch, place), 0), place) for place in places]
    turns = []
    for _, place in order:
        turns.append((kinds[_target(batch, place)], place))
        kinds[_target(batch, place)] += 1
    return [place for _, place in sorted(turns)][:most]


def _target(batch: Batch, place: int) -> bytes:
    import keras

    return b"".join(np.ascontiguousarray(values[place]).tobytes() for values in keras.tree.flatten(batch.y))


def _pair(batch: Batch) -> list[int]:
    """The first example, and the one that differs most from it, in its input times in its target."""
    import keras

    def apart(arrays: Any) -> Any:
        flat = np.concatenate([np.reshape(one, (batch.size, -1)) for one in arrays], axis=1, dtype=np.float64)
        return ((flat - flat[0]) ** 2).sum(axis=1)

    return [0, int(np.argmax(apart(batch.x.values()) * apart(keras.tree.flatten(batch.y))))]


def _attempts(recipe: Recipe, state: State, fresh: Callable[[], Any], batch: Batch) -> tuple[float | None, str]:
    """The rate with which a fresh network learned these by heart (None: none did), and how far it came."""
    loss = loss_of(recipe, state)
    outputs = fresh().predict_on_batch(batch.x)
    constant, least = (
        float(loss(best_guess(recipe, state, outputs, batch, constant=one), batch)) for one in (True, False)
    )
    enough = least + LEFT * (constant - least)
    best = np.inf
    for rate in RATES:
        network = compiled(inference(fresh()), recipe, state, rate)
        for step in range(1, STEPS + 1):
            network.train_on_batch(batch.x, batch.y, batch.weights)
            if step % LOOK == 0:
                now = float(loss(network.predict_on_batch(batch.x), batch))
                best = min(best, now)
                if now <= enough:
                    return rate, _told(batch, constant, now, enough) + f" after {step} steps of Adam at {rate:g}"
    return None, _told(batch, constant, best, enough) + f" at best, in {STEPS} steps of Adam"


def _told(batch: Batch, constant: float, reached: float, enough: float) -> str:
    return f"{batch.size} examples: loss {reached:.3g} (a constant guess has {constant:.3g}, learned is {enough:.3g})"


def _frozen(network: Any) -> list[Any]:
    return [layer for layer in network.layers for layer in _within(layer) if layer.weights and not layer.trainable]


def _within(layer: Any) -> list[Any]:
    """A layer, or those of a model within the model."""
    inner = getattr(layer, "layers", None)
    return [one for each in inner for one in _within(each)] if inner else [layer]


def _names(layers: list[Any]) -> str:
    return ", ".join(f"'{one.name}'" for one in layers[:5]) + (", …" if len(layers) > 5 else "")


def _frozen_finding(frozen: list[Any], *, learned: bool) -> Finding:
    many = len(frozen) > 1
    tail = "the others cannot make up for it" if not learned else "only the others learn"
    return Finding(
        "warning" if learned else "error",
        "frozen_weights",
        f"layer{'s' * many} {_names(frozen)}",
        f"{'their' if many else 'its'} weights are frozen (trainable=False) and stay as they start, at random; {tail}. "
        "Take trainable=False away; if they are weights that were trained elsewhere, load them in build",
    )


def _none_trained(frozen: list[Any]) -> Finding:
    message = "no weight of the network is trained, so that nothing can be learned"
    if frozen:
        message += f": layers {_names(frozen)} are frozen. Take trainable=False away"
    else:
        message += ". Give it a layer with weights, as keras.layers.Dense"
    return Finding("error", "frozen_weights", f"layers {_names(frozen)}" if frozen else "model", message)


def _cannot(network: Any, said: str) -> Finding:
    hint = ""
    if named := _activation(network):
        hint = (
            f"Its last layer ends in {named}, where the loss takes logits: take that activation away, dlspec applies "
            "what is needed. "
        )
    message = (
        f"the network cannot learn two examples by heart ({said}): something keeps it from learning. {hint}Look "
        "whether the input reaches the output, for activations that are saturated or dead from the start, and at the "
        "model's own loss or constraints"
    )
    return Finding("error", "cannot_learn", "model", message)


def _activation(network: Any) -> str:
    """What follows the last layer's weights, where that is not nothing."""
    last = network.layers[-1]
    named = getattr(getattr(last, "activation", None), "__name__", "linear")
    if named == "linear" and type(last).__name__ in ("Softmax", "ReLU"):
        named = type(last).__name__.lower()
    return "" if named == "linear" else str(named)
