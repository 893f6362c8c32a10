"""YAML text to values and positions: YAML 1.2's scalars, and PyYAML's traps closed."""

import math

import pytest

from dlspec.recipe.positions import parse, scalar
from dlspec.types import RecipeError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 0.0001),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("-2.", -2.0),
        ("+3", 3),
        ("012", 12),
        ("0o12", 10),
        ("0x1F", 31),
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2024-01-02", "2024-01-02"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("null", None),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ("e5", "e5"),
        (".", "."),
        ("=", "="),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(text, value):
    found = scalar(text)
    assert found == value and type(found) is type(value)


def test_quoted_scalars_are_text():
    assert parse("a: \"1\"\nb: 'true'\n", "f").value == {"a": "1", "b": "true"}


def test_every_key_and_value_has_its_place():
    document = parse("train:\n  epochs: 3\n  hidden: [32,\n    wide]\n", "f.yaml")
    assert document.value == {"train": {"epochs": 3, "hidden": (32, "wide")}}
    assert document.keys[("train", "epochs")][:3] == ("f.yaml", 2, 3)
    assert document.values[("train", "epochs")][:3] == ("f.yaml", 2, 11)
    assert document.values[("train", "hidden", 1)][:3] == ("f.yaml", 4, 5)
    assert document.values[("train", "hidden", 1)].excerpt == "    wide]"


def test_duplicate_keys_are_all_named_with_the_first():
    document = parse("a: 1\nb: 2\na: 3\nb: 4\n", "f.yaml")
    assert [(c.where.line, c.where.key) for c in document.complaints] == [(3, "a"), (4, "b")]
    assert "first on line 1" in document.complaints[0].message
    assert document.value == {"a": 1, "b": 2}


def test_anchors_work_and_bombs_do_not():
    assert parse("a: &x [1, 2]\nb: *x\n", "f").value == {"a": (1, 2), "b": (1, 2)}
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)
    )
    with pytest.raises(RecipeError, match="20,000"):
        parse(bomb, "f")
    with pytest.raises(RecipeError, match="60 levels"):
        parse("a: &a [1, *a]\n", "f")


@pytest.mark.parametrize("text", ["a: [1, 2", "a: 'x", "a: b: c", "\tb: 1", "a: *nothing", "a: 1\n---\nb: 2", "%bad"])
def test_what_is_no_yaml_is_said_with_line_and_column(text):
    with pytest.raises(RecipeError) as caught:
        parse(text, "f.yaml")
    [complaint] = caught.value.complaints
    assert complaint.where.file == "f.yaml" and complaint.where.line and "not YAML" in complaint.message


def test_very_deep_text_is_refused_quietly():
    with pytest.raises(RecipeError):
        parse("[" * 5000, "f")
    with pytest.raises(RecipeError):
        parse("a: " + "[" * 3000 + "]" * 3000, "f")


@pytest.mark.parametrize("text", ["a: !!python/object:os.system x", "a: !mine x", "a: !!binary aGk="])
def test_tags_that_make_objects_are_refused(text):
    assert "tag" in parse(text, "f").complaints[0].message


def test_merge_keys_and_keys_that_are_no_words_are_refused():
    assert "extends" in parse("b: &b {c: 1}\na:\n  <<: *b\n", "f").complaints[0].message
    assert "plain word" in parse("? [1, 2]\n: 3\n", "f").complaints[0].message
