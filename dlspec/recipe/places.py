"""Where the files that a recipe names are looked for, and how the user's own Python among them is loaded."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
import sysconfig
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

PREFIX = "dlspec_own_"
"""what the modules of the user's own files are called, before a hash of path and content"""


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that `word` most likely meant."""
    lower = {k.lower(): k for k in known}
    match = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return lower[match[0]] if match else None


def folders_of(text: str, context: Mapping[str, Any]) -> tuple[Path, ...]:
    """Where a path in a recipe is looked up: first beside the file that says it."""
    home = context.get("homes", {}).get(text)
    return (*([home] if home else []), *context.get("folders", ()))


def look_for(path: str, folders: Sequence[Path]) -> str:
    """The absolute path of a file or folder: beside the recipe, then under $DLSPEC_DATA.

    Raises ValueError that names every place that was looked at, and the nearest name that is there.
    """
    if not path or "\0" in path:
        raise ValueError(f"{path!r} is not a path")
    places = [Path(os.path.abspath(folder / Path(path).expanduser())) for folder in (*(folders or (Path.cwd(),)),)]
    if os.environ.get("DLSPEC_DATA"):
        places.append(Path(os.environ["DLSPEC_DATA"]).absolute() / Path(path).expanduser())
    places = list(dict.fromkeys(places))
    for place in places:
        if os.path.exists(place):
            return str(place)
    near = None
    for place in places:
        if place.parent.is_dir() and near is None:
            near = nearest(place.name, [entry.name for entry in place.parent.iterdir()])
    hint = f"; did you mean '{near}'?" if near else ""
    unset = "" if os.environ.get("DLSPEC_DATA") or Path(path).is_absolute() else " ($DLSPEC_DATA is not set)"
    raise ValueError(f"there is no '{path}'; looked at {', '.join(map(str, places))}{unset}{hint}")


def own_class(room: str, file: str, base_name: str) -> type[Any]:
    """The class in a user's own file that is to serve in a room: the only one over its base, or called like the file.

    Raises ValueError where there is none, or it lacks what its room asks of every class.
    """
    path = Path(file)
    if path.suffix != ".py":
        raise ValueError(f"'{file}' is not a Python file")
    base = getattr(importlib.import_module(f"dlspec.{room}.base"), base_name)
    module = load(path)
    defined = [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__]
    classes = [cls for cls in defined if issubclass(cls, base)]
    plain = path.stem.replace("_", "").lower()
    chosen = [c for c in classes if c.__name__.lower() == plain] or classes
    if len(chosen) != 1:
        have = ", ".join(c.__name__ for c in classes) or "none"
        raise ValueError(
            f"{file} should define one class over dlspec.{room}.base.{base_name}, called like the file; it has {have}"
        )
    [cls] = chosen
    for needed in ("accepts", "takes", "kind"):
        if needed in getattr(base, "__annotations__", {}) and not hasattr(cls, needed):
            raise ValueError(f"{file}: class {cls.__name__} must say `{needed}` (see dlspec.{room}.base.{base_name})")
    if inspect.isabstract(cls):
        lacking = ", ".join(f"{one}()" for one in sorted(getattr(cls, "__abstractmethods__", ())))
        raise ValueError(f"{file}: class {cls.__name__} lacks {lacking} (see dlspec.{room}.base.{base_name})")
    return cls


def load(file: Path) -> ModuleType:
    """Import a user's own file, anew where it or its path has changed; what it imports from its folder is found.

    Raises ValueError with file and line where it cannot be imported.
    """
    content = file.read_bytes()
    key = PREFIX + hashlib.blake2b(str(file.resolve()).encode() + b"\0" + content, digest_size=8).hexdigest()
    if key in sys.modules:
        return sys.modules[key]
    # Helpers are found by their bare names: those of another folder, or of this one before a change, must not serve.
    for name in _HELPERS:
        sys.modules.pop(name, None)
    _HELPERS.clear()
    spec = importlib.util.spec_from_file_location(key, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[key] = module
    home = str(file.parent.resolve())
    sys.path[:] = [home, *(one for one in sys.path if one not in _HOMES)]
    _HOMES.add(home)
    importlib.invalidate_caches()
    before = set(sys.modules)
    try:
        exec(compile(content, str(file), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[key]
        steps = [step for step in traceback.extract_tb(error.__traceback__) if step.filename == str(file)]
        line = error.lineno if isinstance(error, SyntaxError) else (steps[-1].lineno if steps else 1)
        raise ValueError(f"{file}:{line}: {type(error).__name__}: {error}") from None
    finally:
        for name in set(sys.modules) - before:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin and own_file(origin) and Path(origin).is_relative_to(home):
                _HELPERS.add(name)
                _HELPING.add(Path(origin))
    return module


_HOMES: set[str] = set()
"""folders of users' own files that were loaded"""
_HELPERS: set[str] = set()
"""modules that the own file loaded last has imported from its folder"""
_HELPING: set[Path] = set()
"""the files of all that any own file has imported from its folder"""


def own_file(file: str) -> bool:
    """Whether a Python file is neither the standard library's nor an installed package's nor dlspec's."""
    theirs = {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), sys.prefix}
    path = Path(file)
    packages = [Path(__file__).parent.parent, *(Path(one) for one in theirs if one)]
    return path.suffix == ".py" and not any(path.is_relative_to(one) for one in packages)


def helpers(home: Path) -> list[Path]:
    """The files under a folder that own code has imported so far."""
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    known = {Path(f) for f in files if f and own_file(f)} | {file for file in _HELPING if file.is_file()}
    return sorted(file for file in known if file.is_relative_to(home))


def in_own_code(file: str) -> bool:
    """Whether a Python file lies beside own code that was loaded."""
    return own_file(file) and any(Path(file).is_relative_to(home) for home in _HOMES)


class PathOr:
    """A path that must exist, made absolute when the recipe is read (see look_for), or one of some words.

    Used as `Annotated[str, PathOr("imagenet")]`.  to_begin: only the beginning of a training needs what lies there.
    """

    def __init__(self, *words: str, to_begin: bool = False) -> None:
        self.words, self.to_begin = words, to_begin

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_after_validator_function(self.resolve, handler(source))

    def resolve(self, value: str, info: core_schema.ValidationInfo) -> str:
        context = info.context or {}
        if value in self.words:
            return value
        try:
            return look_for(value, folders_of(value, context))
        except ValueError:
            if context.get("paths_may_be_missing") or (self.to_begin and context.get("begun")):
                return value
            raise


DataPath = Annotated[str, PathOr()]
