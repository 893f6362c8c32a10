"""Files of weights as Keras writes them, and where they do not fit a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.models.base import told
from dlspec.types import Place, RecipeError

if TYPE_CHECKING:
    import keras

KINDS = (".weights.h5", ".h5")
"""what `keras.Model.save_weights` writes today, and what `keras.applications` has for download"""


def read_into(network: keras.Model, file: str, key: str) -> None:
    """Put the weights of a file into a network.

    key: of the recipe, which complaints are about.  Raises RecipeError where the file is none of weights, or where the
    weights do not fit, with the first layer that differs and both shapes.
    """
    import h5py

    where = Place(key=key)
    if not file.endswith(KINDS):
        raise RecipeError(
            f"{Path(file).name} is no file of weights: expected one that ends in {' or '.join(KINDS)}, as Keras' "
            "save_weights writes; a whole run is started from by train.start_from",
            where=where,
        )
    try:
        with h5py.File(file, "r") as content:
            wrong = _misfit(network, content) if file.endswith(KINDS[0]) else _legacy_misfit(network, content)
    except OSError as error:
        raise RecipeError(f"{file} cannot be read as weights: {str(error).splitlines()[0]}", where=where) from None
    if wrong:
        raise RecipeError(f"the weights of {Path(file).name} do not fit: {wrong}", where=where)
    try:
        network.load_weights(file)
    except (ValueError, KeyError, OSError) as error:
        said = str(error).splitlines()[0][:200]
        raise RecipeError(f"the weights of {Path(file).name} do not fit: {said}", where=where) from None


def _misfit(network: keras.Model, content: Any) -> str | None:
    """In Keras' own format, layers lie in order under the names of their classes: conv2d, conv2d_1, …"""
    from keras.src.utils import naming

    counts: dict[str, int] = {}
    for layer in network.layers:
        kind = naming.to_snake_case(type(layer).__name__)
        number = counts[kind] = counts.get(kind, -1) + 1
        variables = [*layer._trainable_variables, *layer._non_trainable_variables]
        if not variables:
            continue
        group = content.get(f"layers/{kind}_{number}/vars" if number else f"layers/{kind}/vars")
        here = [tuple(one.shape) for one in variables]
        there = None if group is None else [tuple(group[str(i)].shape) for i in range(len(group))]
        if here != there:
            return told(layer.name, here, there)
    return None


def _legacy_misfit(network: keras.Model, content: Any) -> str | None:
    """In the older format, layers lie in order under their own names, those without weights among them."""
    groups = content.get("model_weights", content)
    if "layer_names" not in groups.attrs:
        return "the file holds no layers"
    found = []
    for name in groups.attrs["layer_names"]:
        group = groups[_text(name)]
        shapes = [tuple(group[_text(one)].shape) for one in group.attrs["weight_names"]]
        found += [shapes] if shapes else []
    own = [layer for layer in network.layers if layer.weights]
    for layer, there in zip(own, [*found, *[None] * len(own)], strict=False):
        here = [tuple(one.shape) for one in layer.weights]
        if here != there:
            return told(layer.name, here, there)
    return None


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
