"""Whether the targets belong to their examples: told from neighbours that are alike, without a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from dlspec.numeric.neighbours import Agreement, agreement, explained, neighbours, recalled
from dlspec.recipe.schema import Recipe
from dlspec.runs.check_leaks import Seen, rolled
from dlspec.runs.material import fixed_sample
from dlspec.types import DataError, Examples, Finding, State
from dlspec.wording import plural

SAMPLE = 2_000
"""examples whose neighbours are looked at"""
FEWEST = 40
"""examples of train below which neighbours tell nothing"""
NEIGHBOURS = 10
MOST_CLASSES = 1_000
COARSE = (500, 2_000)
"""examples, and numbers of each, that are looked at as they are encoded"""
DRAWS = 5
"""parts of train, as small as dev, that dev is compared with"""
NOTHING, CHANCE, SURE = 2.33, 3.0, 6.0
"""deviations of chance: below the first nothing is there (99 % of shuffled targets), below the second
perhaps little, above the third much"""
BETTER = 0.2
"""by how much the correlation must grow where targets are shifted, to say that they are"""
SHIFTS = (1, -1, 2, -2)
ALONE = 0.985
"""what a single column recalls (mean over the classes) or explains (R²), above which it gives the target away"""
COMPLETE = 0.9995
COLUMNS = 300
COLUMN_SAMPLE = 1_000
COLUMN_NEIGHBOURS = 5


class Targets(NamedTuple):
    """Targets as numbers (N, M), and the classes (N,) where they are classes of one kind."""

    numbers: np.ndarray
    classes: np.ndarray | None


def labels(recipe: Recipe, state: State, seen: Mapping[str, Seen]) -> list[Finding]:
    """Targets that are shuffled or shifted against their examples, of train and of dev; where neighbours can tell."""
    train = seen["train"]
    if train.likeness is None or len(train.examples) < FEWEST:
        return []
    chosen = _spread(len(train.examples), SAMPLE)
    some, vectors = train.examples.take(chosen), train.likeness[chosen]
    targets = targets_of(recipe, state, some)
    if targets is None:
        return []
    near = neighbours(vectors, NEIGHBOURS)
    straight = agreement(targets.numbers, near)
    shifted = _shifted(recipe, state, some, near, straight)
    if shifted:
        return [shifted]
    if straight.deviations < CHANCE:
        return [] if _seen_otherwise(recipe, state, some) else [_nothing(straight, len(some))]
    return _dev(recipe, state, seen)


def _seen_otherwise(recipe: Recipe, state: State, some: Examples) -> bool:
    """Whether targets follow from the encoded numbers as they are: likeness may pass over what tells them (brightness).

    A part of the examples and of the numbers is looked at, for pictures are large.
    """
    few = some.take(_spread(len(some), COARSE[0]))
    targets = targets_of(recipe, state, few)
    encoded: dict[str, Any] = recipe.input.encode(few, state["input"])
    arrays = [encoded[name] for name in state["shapes"]]
    if targets is None or not all(isinstance(values, np.ndarray) for values in arrays):
        return False
    rows = [values.reshape(len(few), -1) for values in arrays]
    flat = np.concatenate([one[:, _spread(one.shape[1], COARSE[1])] for one in rows], axis=1, dtype=np.float64)
    return agreement(targets.numbers, neighbours(flat, NEIGHBOURS)).deviations >= SURE


def targets_of(recipe: Recipe, state: State, examples: Examples) -> Targets | None:
    """The targets of these examples; None where they are not one array of numbers, or not known."""
    try:
        encoded = recipe.input.encode(examples, state["input"])
        made = recipe.task.target(examples, encoded, state)
    except DataError:
        return None
    if len(made) != 1:
        return None
    [values] = made.values()
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf" or len(values) != len(examples):
        return None
    flat = values.reshape(len(values), -1)
    if values.dtype.kind in "iu" or (flat.shape[1] == 1 and len(np.unique(flat)) == 2):
        if flat.shape[1] > 1:
            return None
        names, codes = np.unique(flat[:, 0], return_inverse=True)
        return Targets(np.eye(len(names))[codes], flat[:, 0]) if len(names) <= MOST_CLASSES else None
    return Targets(flat.astype(np.float64), None) if np.isfinite(flat).all() else None


def _shifted(recipe: Recipe, state: State, some: Examples, near: np.ndarray, straight: Agreement) -> Finding | None:
    best, by = straight, 0
    for shift in SHIFTS:
        targets = targets_of(recipe, state, rolled(some, shift))
        found = agreement(targets.numbers, near) if targets is not None else straight
        if found.correlation > best.correlation:
            best, by = found, shift
    clear = best.deviations > SURE and best.deviations > straight.deviations + SURE
    if not clear or best.correlation < straight.correlation + BETTER:
        return None
    side = "further down" if by > 0 else "further up"
    rows = f"{abs(by)} row{'s' * (abs(by) > 1)}"
    forecast = recipe.data.split.time is not None
    tail = (
        "The data is ordered by time, where the last value may well resemble the next one: look whether that is so"
        if forecast
        else f"Move the targets {'up' if by > 0 else 'down'} by {rows} in the file"
    )
    return Finding(
        "note" if forecast else "error",
        "shifted_labels",
        "train",
        f"the targets do not fit their examples, but those {rows} {side} do: with them, examples that are alike agree "
        f"(correlation {best.correlation:.2f} instead of {straight.correlation:.2f}). Labels are off by {rows}, as "
        f"when a header or a first row was lost on one side, and little can be learned from them. {tail}",
    )


def _nothing(straight: Agreement, count: int) -> Finding:
    return Finding(
        "warning" if straight.deviations < NOTHING else "note",
        "no_information",
        "train",
        f"examples that are alike agree in their targets hardly more than if these were shuffled ({count:,} seen): "
        "either targets and examples have been mixed up, or what makes the target is not easily seen in the input. "
        "Look at a few examples and their targets; dlspec check --run tries it with the network",
    )


def _dev(recipe: Recipe, state: State, seen: Mapping[str, Seen]) -> list[Finding]:
    """dev's targets, where train's follow from likeness, must follow from it as well."""
    if "dev" not in seen or seen["dev"].likeness is None or not seen["dev"].examples.labelled:
        return []
    chosen = _spread(len(seen["dev"].examples), SAMPLE)
    some, vectors = seen["dev"].examples.take(chosen), seen["dev"].likeness[chosen]
    if len(some) < FEWEST:
        return []
    targets = targets_of(recipe, state, some)
    if targets is None:
        return []
    near = neighbours(vectors, NEIGHBOURS)
    own = agreement(targets.numbers, near)
    shifted = _shifted(recipe, state, some, near, own)
    if shifted:
        return [shifted._replace(where="dev")]
    if own.deviations >= _usual(recipe, state, seen["train"], len(some)) - SURE:
        return []
    message = (
        "examples of dev that are alike agree in their targets no more than if these were shuffled, while those of "
        "train do: a score on dev says nothing. Look at a few examples of dev and their targets; were they read from "
        "another file, or in another order?"
    )
    return [Finding("error", "no_information", "dev", message)]


def _usual(recipe: Recipe, state: State, train: Seen, count: int) -> float:
    """By how many deviations of chance parts of train as small as dev agree: the mean, less what it varies.

    Fewer examples have neighbours that are further off: what holds of train as a whole need not show in so few.
    """
    draws = np.random.default_rng(0)
    found = []
    for _ in range(DRAWS):
        part = np.sort(draws.permutation(len(train.examples))[:count]).tolist()
        targets = targets_of(recipe, state, train.examples.take(part))
        if targets is None or train.likeness is None:
            return 0.0
        found.append(agreement(targets.numbers, neighbours(train.likeness[part], NEIGHBOURS)).deviations)
    return float(np.mean(found)) - SURE * max(0.0, float(np.std(found)) - 1)


def given_away(recipe: Recipe, state: State, train: Examples) -> list[Finding]:
    """Parts of the input (columns) that alone tell the target: what was only known after the fact, most often.

    Which encoded numbers a part makes is seen by shuffling it; then the neighbours in these numbers vote.
    """
    parts = recipe.input.parts(state["input"])[:COLUMNS]
    some = fixed_sample(train, COLUMN_SAMPLE)
    targets = targets_of(recipe, state, some) if parts and len(some) >= FEWEST else None
    if targets is None or (targets.classes is None and targets.numbers.shape[1] > 1):
        return []
    if targets.classes is not None and np.unique(targets.classes, return_counts=True)[1].min() < COLUMN_NEIGHBOURS:
        return []
    encoded = _flat(recipe, state, some)
    order = np.random.default_rng(0).permutation(len(some))
    found = []
    for part in parts:
        other = _flat(recipe, state, recipe.input.shuffled(some, part, order, state["input"]))
        own = encoded[:, (encoded != other).any(axis=0)]
        if not own.shape[1]:
            continue
        near = neighbours(own / np.maximum(own.std(axis=0), 1e-12), COLUMN_NEIGHBOURS)
        told = (
            recalled(targets.classes, near) if targets.classes is not None else explained(targets.numbers[:, 0], near)
        )
        if told >= ALONE:
            found.append(_gives_away(part, told, targets.classes is not None, len(some)))
    return found


def _gives_away(part: str, told: float, classes: bool, count: int) -> Finding:
    if classes:
        much = f"tells the right class in {told:.1%} (mean over the classes, {plural(count, 'example')} of train)"
    else:
        much = f"explains {told:.1%} of the target's variance ({plural(count, 'example')} of train)"
    return Finding(
        "error" if told >= COMPLETE else "warning",
        "gives_target_away",
        f"column '{part}'",
        f"it alone {much}: is it made from the target, or written down after the fact? New examples will not have it, "
        f"and the network would look at little else. If so, say input: {{drop: ['{part}']}}",
    )


def _flat(recipe: Recipe, state: State, examples: Examples) -> np.ndarray:
    encoded: dict[str, Any] = recipe.input.encode(examples, state["input"])
    arrays = [np.asarray(encoded[name], np.float64).reshape(len(examples), -1) for name in state["shapes"]]
    return np.concatenate(arrays, axis=1)


def _spread(count: int, most: int) -> list[int]:
    return list(range(count)) if count <= most else [i * count // most for i in range(most)]
