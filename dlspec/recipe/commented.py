"""Settings with their reasons → the text of a recipe: reasons are comments, and so are settings that are not sure."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

import yaml

from dlspec.proposals import Line, Lines
from dlspec.recipe.load import Dumper

WIDTH = 116
_UNFIT = re.compile("[^\t\x20-\x7e\xa0-\u2027\u202f-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""what a comment cannot hold: ends of lines, and what YAML calls unprintable"""


def written(head: Iterable[str], sections: Lines, seen_from: Callable[[str], str]) -> str:
    """The text of a recipe.

    head: lines of its header.  sections: task, data, …, each with Lines as its value, or a plain one.
    seen_from: an absolute path → as it stands in the recipe.
    """
    lines = [f"# {_plain(line)}".rstrip() for line in head]
    for section in sections:
        lines += ["", *_lines(section, "", seen_from)]
    return "\n".join(lines) + "\n"


def flow(value: Any) -> str:
    """A plain value on one line, quoted where our reader would take it for something else."""
    text = yaml.dump(
        value, Dumper=Dumper, default_flow_style=True, allow_unicode=True, width=float("inf"), sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _lines(line: Line, indent: str, seen_from: Callable[[str], str]) -> list[str]:
    if _nested(line.value) and line.sure and any(one.sure for one in line.value):
        inner = [text for one in line.value for text in _lines(one, indent + "  ", seen_from)]
        return [*_comment(line.why, indent), f"{indent}{flow(line.key)}:", *inner]
    if _nested(line.value) and line.sure:  # nothing in it holds: each is written with the key that it needs
        return [text for one in line.value for text in _lines(_within(line, one), indent, seen_from)]
    text = f"{indent}{'' if line.sure else '#'}{flow(line.key)}: {flow(_value(line, seen_from))}"
    beside = f"{text}  # {_plain(line.why)}"
    if not line.why:
        return [text]
    if len(beside) <= WIDTH and line.sure:
        return [beside]
    return [*_comment(line.why, indent), text]


def _within(section: Line, line: Line) -> Line:
    return Line(section.key, (Line(line.key, line.value, path=line.path),), line.why, sure=False)


def _nested(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(one, Line) for one in value)


def _value(line: Line, seen_from: Callable[[str], str]) -> Any:
    """Plain values: tuples of lines as mappings, paths as seen from the recipe."""

    def plain(value: Any) -> Any:
        if _nested(value):
            return {one.key: _value(one, seen_from) for one in value if one.sure}
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [plain(one) for one in value]
        return seen_from(value) if line.path and isinstance(value, str) else value

    return plain(line.value)


def _comment(text: str, indent: str) -> list[str]:
    wrapped = textwrap.wrap(_plain(text), WIDTH - len(indent) - 2, break_on_hyphens=False)
    return [f"{indent}# {one}" for one in wrapped]


def _plain(text: str) -> str:
    return _UNFIT.sub(lambda match: ascii(match.group())[1:-1], text)


def relative(path: str, home: str) -> str:
    """A path as seen from a folder: relative where it is below it, or at most two folders up; else absolute."""
    try:
        near = os.path.relpath(path, home)
    except ValueError:  # another drive
        return path
    ups = near.split(os.sep).count(os.pardir)
    if ups > 2 or (ups and os.path.commonpath([path, home]) == os.path.abspath(os.sep)):
        return path
    return f"./{near}" if near.startswith("~") else near
