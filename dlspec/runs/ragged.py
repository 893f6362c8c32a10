"""Examples of different length on their way to a network: cut into pieces that fit, and put back in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.types import Arrays, Place, RecipeError, State

Finish = Callable[[Arrays], Arrays]
"""from encoded arrays to those that the network takes"""

TOKENS = 1 << 14
"""padded tokens that a network is given at a time, when nothing is trained"""


def varies(state: State) -> bool:
    """Whether what the network takes differs in size from batch to batch."""
    return any(None in spec["shape"] for spec in state["shapes"].values())


def check_compile(recipe: Recipe, state: State) -> None:
    """Raises RecipeError where the recipe wants every step compiled, and batches differ in size."""
    if recipe.train.compile == "xla" and varies(state):
        message = "sentences differ in length, and XLA would compile every length for itself; leave it at auto"
        raise RecipeError(message, where=Place(key="train.compile"))


def of_any_length(network: Any) -> bool:
    """Whether a network takes what differs in size from batch to batch."""
    doors = network.input
    return isinstance(doors, dict) and any(None in one.shape[1:] for one in doors.values())


def taken(values: Any, chosen: Any) -> Any:
    """Some rows of an array, or of a list of ragged ones."""
    return values[chosen] if isinstance(values, np.ndarray) else [values[int(i)] for i in chosen]


def cut(lengths: np.ndarray, most: int) -> Iterator[slice]:
    """Runs of at most `most` neighbours, and of no more than TOKENS tokens once they are padded."""
    start, longest = 0, 1
    for place, length in enumerate(lengths.tolist()):
        wider = max(longest, length)
        if place > start and (place - start >= most or (place - start + 1) * wider > TOKENS):
            yield slice(start, place)
            start, wider = place, max(1, length)
        longest = wider
    if start < len(lengths):
        yield slice(start, len(lengths))


def parts(arrays: Arrays, lengths: np.ndarray | None, finish: Finish, most: int) -> Iterator[Arrays]:
    """Encoded arrays as the network takes them, in the order given; in several parts where they are long together."""
    if lengths is None:
        yield finish(arrays)
        return
    for run in cut(lengths, most):
        yield finish({name: values[run] for name, values in arrays.items()})


def pieces(
    arrays: Arrays, lengths: np.ndarray | None, finish: Finish, most: int
) -> Iterator[tuple[np.ndarray, Arrays]]:
    """Encoded arrays as the network takes them, at most `most` at a time, and the places they had.

    Examples of about one length stand together; where lengths do not differ, all are in the order given.
    """
    if lengths is None:
        count = len(next(iter(arrays.values())))
        for at in range(0, count, most):
            some = {name: values[at : at + most] for name, values in arrays.items()}
            yield np.arange(at, min(at + most, count)), finish(some)
        return
    order = np.argsort(lengths, kind="stable")
    for run in cut(lengths[order], most):
        chosen = order[run]
        yield chosen, finish({name: taken(values, chosen) for name, values in arrays.items()})


def in_order(predictions: Any, places: Sequence[np.ndarray]) -> Any:
    """Predictions of pieces, one after another, in the order of the places that the pieces had."""
    order = np.concatenate([*places, []]).astype(np.int64)
    if np.array_equal(order, np.arange(len(order))):
        return predictions
    back = np.argsort(order)
    return predictions[back] if hasattr(predictions, "dtype") else [predictions[i] for i in back.tolist()]
