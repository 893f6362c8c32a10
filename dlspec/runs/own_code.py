"""The user's own code, copied into the run that it made."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from dlspec.recipe.places import helpers
from dlspec.recipe.schema import Recipe
from dlspec.recipe.space_paths import own_files, renamed


def copy_own_code(recipe: Recipe, run: Path) -> Recipe:
    """The recipe as the run keeps it: the user's own files lie in the run, with what they have imported so far.

    Those that its `tune` would choose from, too.
    """
    changed: dict[str, Any] = {}
    homes: dict[Path, str] = {}
    for key in ("task", "data", "input", "model"):
        component = getattr(recipe, key)
        if Path(component.name).suffix == ".py":
            changed[key] = component.model_copy(update={"name": _copied(Path(component.name), run, homes)})
    if recipe.tune is not None:
        names = {name: _copied(Path(name), run, homes) for name in own_files(recipe.tune.space)}
        if names:
            space = renamed(recipe.tune.space, lambda text: names.get(text, text))
            changed["tune"] = recipe.tune.model_copy(update={"space": space})
    return recipe.model_copy(update=changed) if changed else recipe


def _copied(source: Path, run: Path, homes: dict[Path, str]) -> str:
    """Copy a file and its helpers into a folder of the run, one for each folder they come from; its name there."""
    home = source.parent
    name = homes.setdefault(home, f"code-{len(homes) + 1}" if homes else "code")
    for file in {source, *helpers(home.resolve())}:
        target = run / name / (file.relative_to(home.resolve()) if file != source else source.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.resolve() != target.resolve():  # a run that goes on has its own already
            shutil.copyfile(file, target)
    return f"./{name}/{source.name}"
