"""Checkpoints: all that a training needs to go on to the same bits, written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dlspec.runs import folder as folders
from dlspec.types import ArgumentError

KEPT = 2
"""the newest, and the one before it in case the newest is damaged"""
_NAME = re.compile(r"step-(\d+)\.npz")


class Checkpoint(NamedTuple):
    """A moment of a training.

    arrays: every variable, by a name that says its place (`network/3`, `optimizer/0`, …).  facts: epoch, step and what
    else is watched, as JSON.  best: the best weights so far, where there are any.
    """

    step: int
    arrays: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]
    best: Sequence[np.ndarray] | None = None


def variables(network: Any, whole: Any = None) -> dict[str, Any]:
    """Every variable of a compiled network that has been trained: weights, seeds of dropout, optimizer, metrics.

    whole: the network that it is a part of, whose weights are meant then.  The first step must have been taken (or the
    optimizer and the metrics been built), so that all are there.
    """
    if hasattr(network, "jax_state_sync"):
        network.jax_state_sync()
    groups = {
        "network": _own(whole or network),
        "optimizer": network.optimizer.variables,
        "metrics": network.metrics_variables,
    }
    return {f"{group}/{place}": one for group, found in groups.items() for place, one in enumerate(found)}


def captured(found: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The values of variables, copied."""
    return {name: np.array(_whole(one)) for name, one in found.items()}


def finite(values: np.ndarray) -> bool:
    """Whether no entry is infinite or NaN; what is not made of floats is finite."""
    if values.dtype.name == "bfloat16":  # NumPy takes it for raw bytes
        values = values.astype(np.float32)
    return values.dtype.kind not in "fc" or bool(np.isfinite(values).all())


def sound(arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether training can go on from these: every weight, and every moment of the optimizer, is finite.

    (With mixed_float16 a gradient that is not is passed over, and never comes into them.)
    """
    return all(finite(one) for name, one in arrays.items() if not name.startswith("metrics/"))


def restore(found: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Put values back.  Raises ArgumentError where the checkpoint is of another network or optimizer."""
    check(found, arrays)
    for name, one in found.items():
        one.assign(arrays[name])


def _own(network: Any) -> list[Any]:
    """The variables of a network, those of its metrics aside."""
    of_metrics = {id(one) for one in getattr(network, "metrics_variables", ())}
    return [one for one in network.variables if id(one) not in of_metrics]


def restore_weights(network: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """Put back the network's own variables alone: it need not be compiled.  Raises ArgumentError as `restore`."""
    names = {f"network/{place}": one for place, one in enumerate(_own(network))}
    restore(names, {name: values for name, values in arrays.items() if name.startswith("network/")})


def check(found: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Raises ArgumentError where the checkpoint is of another network or optimizer."""
    mine = {name: tuple(one.shape) for name, one in found.items()}
    theirs = {name: values.shape for name, values in arrays.items()}
    if mine != theirs:
        differ = [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
        raise ArgumentError(
            f"the checkpoint holds other variables than this recipe makes ({len(differ)} differ, as {differ[0]}: "
            f"{theirs.get(differ[0], 'not there')} instead of {mine.get(differ[0], 'not there')}); train a new run"
        )


def _whole(variable: Any) -> Any:
    import keras

    return keras.ops.convert_to_numpy(variable)


def save(home: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint into a folder; older ones go, but for the one before.  Raises OSError where it cannot."""
    facts = dict(checkpoint.facts)
    if checkpoint.best is not None:
        name = f"best-{facts['best_epoch']}-{facts['best_step']}.npz"
        if not (home / name).exists():
            _write(home / name, {str(place): values for place, values in enumerate(checkpoint.best)}, {})
        facts["best_file"] = name
    _write(home / f"step-{checkpoint.step}.npz", checkpoint.arrays, {**facts, "step": checkpoint.step})
    numbered = _numbered(home)
    for old in numbered[KEPT:]:
        old.unlink(missing_ok=True)
    wanted = {_facts(one).get("best_file") for one in numbered[:KEPT]}
    for file in home.glob("best-*.npz"):
        if file.name not in wanted:
            file.unlink(missing_ok=True)


def newest(home: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest checkpoint of a folder that is whole and finite, and what is to be said of those that are not."""
    said = []
    for file in _numbered(home):
        try:
            arrays = dict(_read(file))
            facts = json.loads(arrays.pop("facts").tobytes())
            best = None
            if facts.get("best_file"):
                kept = _read(home / facts["best_file"])
                best = [kept[str(place)] for place in range(len(kept) - 1)]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            said.append(f"the checkpoint {file.name} is damaged ({str(error)[:80] or type(error).__name__})")
            continue
        if not sound(arrays):
            said.append(f"the checkpoint {file.name} holds weights that are no finite numbers")
            continue
        return Checkpoint(facts["step"], arrays, facts, best), said
    return None, said


def _numbered(home: Path) -> list[Path]:
    """The checkpoints of a folder, the newest first."""
    found = [(int(match.group(1)), file) for file in home.glob("step-*.npz") if (match := _NAME.fullmatch(file.name))]
    return [file for _, file in sorted(found, reverse=True)]


def _write(file: Path, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
    text = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    with folders.replacing(file) as new, open(new, "wb") as content:
        np.savez(content, facts=text, **arrays)  # type: ignore[arg-type]


def _read(file: Path) -> dict[str, np.ndarray]:
    """Every array; each is checked against its own sum (CRC-32) on the way, as zip files are."""
    with open(file, "rb") as opened, np.load(opened, allow_pickle=False) as content:
        return {name: content[name] for name in content.files}


def _facts(file: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile), open(file, "rb") as opened:
        found: dict[str, Any] = json.loads(np.load(opened)["facts"].tobytes())
        return found
    return {}
