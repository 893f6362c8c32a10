"""The recipes that come with dlspec, and finding a recipe by its path or its name."""

from __future__ import annotations

from pathlib import Path

from dlspec.recipe.component import PACKAGE, nearest
from dlspec.types import RecipeError


def shipped() -> Path:
    """The folder of the recipes that come with dlspec."""
    packed = PACKAGE / "shipped_recipes"
    return packed if packed.is_dir() else PACKAGE.parent / "recipes"


def shipped_names() -> list[str]:
    return sorted(f.relative_to(shipped()).with_suffix("").as_posix() for f in shipped().rglob("*.yaml"))


def locate(path: str | Path) -> Path:
    """The file of a recipe given by path, or by the name of a shipped one.  Raises RecipeError."""
    file = Path(path).expanduser()
    if file.is_file():
        return file
    named = by_name(str(path))
    if named is not None:
        return named
    if file.is_dir():
        raise RecipeError(f"'{path}' is a folder; give a recipe, a .yaml file")
    here = [str(f) for f in file.parent.glob("*.y*ml")] if file.parent.is_dir() else []
    short = [full.rpartition("/")[2] for full in shipped_names()]
    guess = nearest(str(path), [*here, *shipped_names(), *short])
    hint = f"did you mean '{guess}'?" if guess else "`dlspec recipes list` shows those that come with dlspec"
    raise RecipeError(f"there is no recipe '{path}' (looked at {file.absolute()}); {hint}")


def by_name(name: str) -> Path | None:
    """A shipped recipe by its whole name or its last part."""
    for full in shipped_names():
        if name.removesuffix(".yaml") in (full, full.rpartition("/")[2]):
            return shipped() / f"{full}.yaml"
    return None
