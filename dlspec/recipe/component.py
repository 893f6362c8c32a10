"""The parsed section is the thing: settings declared once, as the typed fields of what uses them.

The file system is the registry.  `name: lenet5` is the class LeNet5 in models/vision/lenet5.py; `name: ./my_net.py`
is the user's own file.  Nothing is imported but the file that is named, and near misses are suggested before that.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

PACKAGE = Path(__file__).parent.parent
ROOMS = {"tasks": "Task", "data": "Reader", "inputs": "Input", "models": "Model", "evaluators": "Evaluator"}


class Section(BaseModel):
    """A mapping of the recipe with a fixed set of keys.  Strict (`"3"` is no number), frozen, no unknown keys."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )

    @model_validator(mode="wrap")
    @classmethod
    def _name_unknown_keys(cls, value: Any, handler: Any) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            if not any(one["type"] == "extra_forbidden" for one in error.errors()):
                raise
            details: list[InitErrorDetails] = []
            for one in error.errors(include_url=False):
                kind: str | PydanticCustomError = one["type"]
                if kind == "extra_forbidden" and len(one["loc"]) == 1:
                    message = unknown("key", str(one["loc"][0]), list(cls.model_fields))
                    kind = PydanticCustomError("unknown_key", "{message}", {"message": message})
                elif kind not in _STANDARD:
                    kind = PydanticCustomError(one["type"], "{message}", {"message": one["msg"]})
                details.append(InitErrorDetails(type=kind, loc=one["loc"], input=one["input"], ctx=one.get("ctx", {})))
            raise ValidationError.from_exception_data(cls.__name__, details) from None


class Component(Section):
    """Something that the recipe chooses by `name`: its fields are its settings, its methods do the work."""

    name: str
    """which one: a file of this room, or `./file.py` of your own"""
    summary: ClassVar[str] = ""


_STANDARD = set(get_args(core_schema.ErrorType)) - {"value_error", "assertion_error"}
"""pydantic's own kinds of error, which can be raised again as they are"""


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that `word` most likely meant."""
    lower = {k.lower(): k for k in known}
    match = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return lower[match[0]] if match else None


def unknown(what: str, word: str, known: Sequence[str]) -> str:
    """`unknown key 'dropuot'; did you mean 'dropout'?`, or the whole list where nothing is near."""
    guess = nearest(word, known)
    if guess:
        return f"unknown {what} '{word}'; did you mean '{guess}'?"
    return f"unknown {what} '{word}'; known: {', '.join(known) or 'none'}"


@functools.cache
def files(room: str) -> dict[str, Path]:
    """Name → file of every component in a room: the files that define a class of their own name."""
    found: dict[str, Path] = {}
    for file in sorted((PACKAGE / room).rglob("*.py")):
        plain = file.stem.replace("_", "")
        classes = re.findall(r"^class (\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE)
        if file.stem != "base" and any(name.lower() == plain for name in classes):
            found[file.stem] = file
    return found


def names(room: str) -> list[str]:
    return sorted(files(room))


def find(room: str, name: str, folders: Sequence[Path] = ()) -> type[Component]:
    """The class behind a name.

    Raises ValueError, with near misses, where there is none; only the named file is imported.
    """
    if name.endswith(".py") or "/" in name:
        return _own(room, name, folders)
    if name not in files(room):
        known = names(room)
        guess = nearest(name, known)
        hint = f"did you mean '{guess}'?" if guess else f"known: {', '.join(known)}"
        raise ValueError(f"no {room.rstrip('s')} named '{name}'; {hint} (your own file: ./{name}.py)")
    module = ".".join(files(room)[name].relative_to(PACKAGE.parent).with_suffix("").parts)
    return _class_of(importlib.import_module(module), name)


def every(room: str) -> list[type[Component]]:
    """Every component of a room that ships with dlspec.  Imports them all: for contract tests and the JSON Schema."""
    return [find(room, name) for name in names(room)]


def _class_of(module: ModuleType, name: str) -> type[Component]:
    plain = name.replace("_", "")
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__ and value.__name__.lower() == plain:
            return value
    raise ValueError(f"{module.__file__} defines no class {plain}")


def _own(room: str, name: str, folders: Sequence[Path]) -> type[Component]:
    file = Path(look_for(name, folders))
    if file.suffix != ".py":
        raise ValueError(f"'{name}' is not a Python file")
    base = getattr(importlib.import_module(f"dlspec.{room}.base"), ROOMS[room])
    module = _load(file)
    classes = [
        v
        for v in vars(module).values()
        if isinstance(v, type) and issubclass(v, base) and v.__module__ == module.__name__
    ]
    plain = file.stem.replace("_", "").lower()
    chosen = [c for c in classes if c.__name__.lower() == plain] or classes
    if len(chosen) != 1:
        have = ", ".join(c.__name__ for c in classes) or "none"
        raise ValueError(
            f"{file} should define one class over dlspec.{room}.base.{ROOMS[room]}, called like the file; it has {have}"
        )
    return chosen[0]


def _load(file: Path) -> ModuleType:
    """Import a user's own file once; what it imports from its folder is found, too."""
    key = "dlspec_own_" + re.sub(r"\W", "_", str(file.resolve()))
    if key in sys.modules:
        return sys.modules[key]
    spec = importlib.util.spec_from_file_location(key, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[key] = module
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[key]
        steps = [step for step in traceback.extract_tb(error.__traceback__) if step.filename == str(file)]
        line = error.lineno if isinstance(error, SyntaxError) else (steps[-1].lineno if steps else 1)
        raise ValueError(f"{file}:{line}: {type(error).__name__}: {error}") from None
    return module


class OneOf:
    """A choice by `name`: open over a room's files (and the user's own), or closed over given classes.

    A string is short for `{name: string}`.  Used as `Annotated[Any, OneOf("models")]`.
    """

    def __init__(self, room: str | None = None, *classes: type[Section], default: str | None = None) -> None:
        """default: what keys without a name speak of, as in `optimizer: {learning_rate: 0.1}`."""
        self.default = default
        self.room, self.classes = room, {str(c.model_fields["name"].default): c for c in classes}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self.validate, serialization=core_schema.plain_serializer_function_ser_schema(_dump)
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        classes = self.classes or {str(c.model_fields["name"].default): c for c in every(self.room or "")}
        short: list[dict[str, Any]] = [{"enum": sorted(classes)}]
        if self.room:
            short.append({"type": "string", "pattern": r"\.py$"})
        whole: list[dict[str, Any]] = []
        for name, cls in sorted(classes.items()):
            one = handler(cls.__pydantic_core_schema__)
            must = [] if name == self.default else ["name"]
            whole.append({"title": name, "allOf": [one], "properties": {"name": {"const": name}}, "required": must})
        if self.room:
            whole.append({"properties": {"name": {"type": "string", "pattern": r"\.py$"}}, "required": ["name"]})
        return {"anyOf": [*short, *whole]}

    def validate(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        if isinstance(value, Section):
            return value
        if isinstance(value, str):
            value = {"name": value}
        if not isinstance(value, Mapping):
            raise PydanticCustomError(
                "choice", "{message}", {"message": f"expected a name, or keys with a name, got {shown(value)}"}
            )
        if "name" not in value and self.default and not nearest("name", [str(key) for key in value]):
            value = {"name": self.default, **value}
        name = value.get("name")
        if not isinstance(name, str):
            known = sorted(self.classes) or names(self.room or "")
            message = (
                f"which one? give a name: {', '.join(known)}" if name is None else f"expected a name, got {shown(name)}"
            )
            near = nearest("name", [str(key) for key in value]) if name is None else None
            raise _at(near, unknown("key", near, ["name"]), value[near]) if near else _at("name", message, name)
        context = info.context or {}
        try:
            cls = self.choose(name, context.get("folders", ()))
        except ValueError as error:
            raise _at("name", str(error), name) from None
        if self.room and (name.endswith(".py") or "/" in name):
            value = {**value, "name": look_for(name, context.get("folders", ()))}
        return cls.model_validate(value, context=info.context)

    def choose(self, name: str, folders: Sequence[Path] = ()) -> type[Section]:
        if self.room:
            return find(self.room, name, folders)
        if name not in self.classes:
            raise ValueError(unknown("name", name, sorted(self.classes)))
        return self.classes[name]


def _dump(value: Any) -> Any:
    return value.model_dump(mode="python") if isinstance(value, BaseModel) else value


def _at(key: str, message: str, value: Any) -> ValidationError:
    kind = PydanticCustomError("choice" if key == "name" else "unknown_key", "{message}", {"message": message})
    return ValidationError.from_exception_data("name", [InitErrorDetails(type=kind, loc=(key,), input=value)])


def shown(value: Any) -> str:
    """A value as a person wrote it, cut short."""
    text = (
        {True: "true", False: "false", None: "nothing"}.get(value) if value is None or isinstance(value, bool) else None
    )
    if text is None:
        text = f"'{value}'" if isinstance(value, str) else "keys" if isinstance(value, Mapping) else repr(value)
        text = f"[{', '.join(shown(v) for v in value)}]" if isinstance(value, tuple | list) else text
    return text if len(text) <= 80 else text[:77] + "…"


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


class _DataPath:
    """A path that must exist, made absolute when the recipe is read (see look_for)."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_after_validator_function(self.resolve, handler(source))

    def resolve(self, value: str, info: core_schema.ValidationInfo) -> str:
        context = info.context or {}
        try:
            return look_for(value, context.get("folders", ()))
        except ValueError:
            if context.get("paths_may_be_missing"):
                return value
            raise


DataPath = Annotated[str, _DataPath()]
