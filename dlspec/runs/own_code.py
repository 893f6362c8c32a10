"""The user's own code, copied into the run that it made."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from dlspec.recipe.places import helpers
from dlspec.recipe.schema import Recipe


def copy_own_code(recipe: Recipe, run: Path) -> Recipe:
    """The recipe as the run keeps it: the user's own files lie in the run, with what they have imported so far."""
    changed: dict[str, Any] = {}
    homes: dict[Path, str] = {}
    for key in ("task", "data", "input", "model"):
        component = getattr(recipe, key)
        source = Path(component.name)
        if source.suffix != ".py":
            continue
        home = source.parent
        name = homes.setdefault(home, f"code-{len(homes) + 1}" if homes else "code")
        for file in {source, *helpers(home.resolve())}:
            target = run / name / (file.relative_to(home.resolve()) if file != source else source.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.resolve() != target.resolve():  # a run that goes on has its own already
                shutil.copyfile(file, target)
        changed[key] = component.model_copy(update={"name": f"./{name}/{source.name}"})
    return recipe.model_copy(update=changed) if changed else recipe
