"""How the filled recipes of runs differ: the keys alone that do, by dotted path."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlspec.runs.opened import OpenedRun


def recipe_differences(runs: Mapping[str, OpenedRun]) -> list[dict[str, Any]]:
    """`[{key, values: {run: value}}]`, in the recipe's order; a run whose recipe has no such key is not in values."""
    filled = {name: _flat(run.recipe.model_dump(mode="json"), run.folder) for name, run in runs.items()}
    found = []
    for key in dict.fromkeys(key for settings in filled.values() for key in settings):
        values = {name: settings[key] for name, settings in filled.items() if key in settings}
        if len(values) < len(filled) or any(value != next(iter(values.values())) for value in values.values()):
            found.append({"key": key, "values": values})
    return found


def _flat(value: Any, folder: Path, path: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping) and value:
        inner = [_flat(one, folder, f"{path}.{key}".strip(".")) for key, one in value.items()]
        return {key: one for settings in inner for key, one in settings.items()}
    return {path: _by_content(value, folder)}


def _by_content(value: Any, folder: Path) -> Any:
    """The user's own code lies copied in each run: it is the same where its content is, whatever the path."""
    if isinstance(value, str) and value.endswith(".py") and Path(value).is_relative_to(folder):
        file = Path(value)
        digest = hashlib.blake2b(file.read_bytes(), digest_size=4).hexdigest()
        return f"./{file.name} ({digest})"
    return value
