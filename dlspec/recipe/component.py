"""The parsed section is the thing: settings declared once, as the typed fields of what uses them.

The file system is the registry.  `name: lenet5` is the class LeNet5 in models/vision/lenet5.py; `name: ./my_net.py`
is the user's own file.  Nothing is imported but the file that is named, and near misses are suggested before that.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import itertools
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from dlspec.recipe.places import DataPath as DataPath
from dlspec.recipe.places import PathOr as PathOr
from dlspec.recipe.places import folders_of, look_for, own_class
from dlspec.recipe.places import nearest as nearest
from dlspec.remedies import Remedy, Situation

PACKAGE = Path(__file__).parent.parent
ROOMS = {"tasks": "Task", "data": "Reader", "inputs": "Input", "models": "Model", "evaluators": "Evaluator"}


class Section(BaseModel):
    """A mapping of the recipe with a fixed set of keys.  Strict (`"3"` is no number), frozen, no unknown keys."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        protected_namespaces=(),
        defer_build=True,  # what a recipe does not name is never built: half the time of checking one
    )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        found = handler(schema)
        properties = handler.resolve_ref_schema(found).get("properties", {})
        for key, text in documentation(cls).items():
            properties.get(key, {}).setdefault("description", text)
        return found

    @model_validator(mode="wrap")
    @classmethod
    def _name_unknown_keys(cls, value: Any, handler: Any) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            if not any(one["type"] == "extra_forbidden" for one in error.errors()):
                raise
            details = again(error)
            for one in details:
                if one["type"] == "extra_forbidden" and len(one["loc"]) == 1:
                    message = unknown("key", str(one["loc"][0]), list(cls.model_fields))
                    one["type"] = PydanticCustomError("unknown_key", "{message}", {"message": message})
            raise ValidationError.from_exception_data(cls.__name__, details) from None


class Component(Section):
    """Something that the recipe chooses by `name`: its fields are its settings, its methods do the work."""

    name: str
    """which one: a file of this room, or `./file.py` of your own"""
    summary: ClassVar[str] = ""

    def remedies(self, of: Situation) -> list[Remedy]:
        """Changes of its own settings that narrow a cause of error, none that is so already; by default none.

        A setting that is at its limit is not among them.
        """
        return []


def documentation(cls: type[BaseModel]) -> dict[str, str]:
    """What stands under each field, in quotes.  Reads the source, so not for checking a recipe."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not issubclass(base, Section) or base is Section:
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in itertools.pairwise(body.body):
            said = text.value.value if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) else None
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(said, str):
                found[field.target.id] = inspect.cleandoc(said).strip()
    return found


_STANDARD = set(get_args(core_schema.ErrorType)) - {"value_error", "assertion_error"}
"""pydantic's own kinds of error, which can be raised again as they are"""


def again(error: ValidationError) -> list[InitErrorDetails]:
    """What was complained of, in the form in which it can be raised together with more."""
    found: list[InitErrorDetails] = []
    for e in error.errors(include_url=False):
        own = PydanticCustomError(e["type"], "{message}", {"message": e["msg"]})
        kind = e["type"] if e["type"] in _STANDARD else own
        found.append(InitErrorDetails(type=kind, loc=e["loc"], input=e["input"], ctx=e.get("ctx", {})))
    return found


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
        return own_class(room, look_for(name, folders), ROOMS[room])
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


ANY = "*"
"""a default of OneOf: which one it is, follows from something else"""


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
            must = [] if self.default in (name, ANY) else ["name"]
            named = {"properties": {"name": {"const": name}}, "required": must}
            whole.append({"title": name, "type": "object", "allOf": [one], **named})
        if self.room:
            own = {"properties": {"name": {"type": "string", "pattern": r"\.py$"}}, "required": ["name"]}
            whole.append({"type": "object", **own})
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
        if "name" not in value and self.default not in (None, ANY) and not nearest("name", [str(key) for key in value]):
            value = {"name": self.default, **value}
        name = value.get("name")
        if not isinstance(name, str):
            known = sorted(self.classes) or names(self.room or "")
            message = (
                f"which one? give a name: {', '.join(known)}" if name is None else f"expected a name, got {shown(name)}"
            )
            near = nearest("name", [str(key) for key in value]) if "name" not in value else None
            raise _at(near, unknown("key", near, ["name"]), value[near]) if near else _at("name", message, name)
        context = info.context or {}
        try:
            cls = self.choose(name, folders_of(name, context))
        except ValueError as error:
            raise _at("name", str(error), name) from None
        if self.room and (name.endswith(".py") or "/" in name):
            value = {**value, "name": look_for(name, folders_of(name, context))}
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


def blame(message: str, *keys: str, value: Any) -> ValidationError:
    """What a validator of a section raises where something further in is wrong: `keys` lead there."""
    kind = PydanticCustomError("unfit", "{message}", {"message": message})
    return ValidationError.from_exception_data(keys[-1], [InitErrorDetails(type=kind, loc=keys, input=value)])


S = TypeVar("S", bound=Section)


def one_of(section: S, *keys: str) -> S:
    """The section, where exactly one of these is given.  Raises ValueError otherwise."""
    given = [key for key in keys if getattr(section, key) is not None]
    if len(given) == 1:
        return section
    if given:
        raise ValueError(f"{' and '.join(given)} exclude each other; keep one")
    raise ValueError(f"give one of {', '.join(keys)}")


def shown(value: Any) -> str:
    """A value as a person wrote it, cut short."""
    text = (
        {True: "true", False: "false", None: "nothing"}.get(value) if value is None or isinstance(value, bool) else None
    )
    if text is None:
        text = f"'{value}'" if isinstance(value, str) else "keys" if isinstance(value, Mapping) else repr(value)
        text = f"[{', '.join(shown(v) for v in value)}]" if isinstance(value, tuple | list) else text
    return text if len(text) <= 80 else text[:77] + "…"
