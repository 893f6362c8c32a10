"""What holds for every component of every room: names, settings, documentation, the JSON Schema."""

import importlib
import json

import pytest
from pydantic import ValidationError

from dlspec.recipe.component import PACKAGE, ROOMS, Component, documentation, every, files, names
from dlspec.recipe.schema import Recipe

ALL = [(room, name) for room in ROOMS for name in names(room)]


def test_every_room_has_components():
    assert {room for room, _ in ALL} == set(ROOMS)
    assert len(ALL) >= 16


@pytest.mark.parametrize(("room", "name"), ALL)
def test_name_is_file_is_class(room, name):
    from dlspec.recipe.component import find

    cls = find(room, name)
    base = getattr(importlib.import_module(f"dlspec.{room}.base"), ROOMS[room])
    assert issubclass(cls, base) and issubclass(cls, Component)
    assert cls.model_fields["name"].default == name
    assert cls.__name__.lower() == name.replace("_", "")
    assert cls.__doc__ and len(cls.__doc__.strip()) > 15


@pytest.mark.parametrize(("room", "name"), ALL)
def test_every_setting_is_documented_and_frozen(room, name):
    cls = next(c for c in every(room) if c.model_fields["name"].default == name)
    said = documentation(cls)
    for key, field in cls.model_fields.items():
        assert key == "name" or said.get(key), f"{name}.{key} says nothing of what it is"
        assert key == key.lower() and "list[" not in str(field.annotation), "sequences are tuples"
    assert cls.model_config["frozen"] and cls.model_config["extra"] == "forbid"
    with pytest.raises(ValidationError, match="unknown key 'nonsense_key'"):
        cls.model_validate({"name": name, "nonsense_key": 1})


def test_files_of_a_room_are_components_or_helpers_beside_them():
    for room in ROOMS:
        assert all(PACKAGE in file.parents for file in files(room).values())


def test_the_json_schema_knows_every_component_and_setting():
    schema = json.dumps(Recipe.model_json_schema())
    for room, name in ALL:
        if room != "evaluators":
            assert f'"{name}"' in schema
    for setting in ("early_stopping", "activation", "stratify", "missing_indicator", "beta_1"):
        assert f'"{setting}"' in schema
