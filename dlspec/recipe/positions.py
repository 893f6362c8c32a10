"""YAML text → plain values, with the line and column of every key and value.

PyYAML reads YAML 1.1, which turns `1e-4` into a string, `no` into False, `012` into ten and `1:30` into ninety.
Here the scalars are YAML 1.2's core schema.  Sequences become tuples: a recipe is frozen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from dlspec.types import Complaint, Place, RecipeError

Path = tuple[str | int, ...]
MAXIMUM_NODES = 20_000
MAXIMUM_DEPTH = 60

_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE, _FALSE = {"true", "True", "TRUE"}, {"false", "False", "FALSE"}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NOT_A_NUMBER = {".nan", ".NaN", ".NAN"}


class Spot(NamedTuple):
    """A place in a file, counted from 1, and the text of its line."""

    file: str
    line: int
    column: int
    excerpt: str


@dataclass
class Document:
    """Plain values, and for each path in them where its key and its value stand."""

    value: Any
    file: str
    keys: dict[Path, Spot] = field(default_factory=dict)
    values: dict[Path, Spot] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)
    removed: dict[Path, Spot] = field(default_factory=dict)
    """keys that a patch takes away though nothing below has them"""

    def complaint(self, path: Path, message: str, *, at_key: bool = False) -> Complaint:
        """A complaint about the deepest part of `path` that stands in a file."""
        known = path
        while known and known not in self.values:
            known = known[:-1]
        table = self.keys if at_key and known in self.keys else self.values
        spot = table.get(known) or Spot(self.file, 1, 1, "")
        place = Place(spot.file, spot.line or None, spot.column or None, dotted(path) or None)
        return Complaint(place, message, spot.excerpt)


def dotted(path: Path) -> str:
    return ".".join(str(part) for part in path)


def scalar(text: str) -> Any:
    """One plain (unquoted) scalar by the YAML 1.2 core schema."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text) and len(text) <= 300:
        return int(text)
    if _BASED.fullmatch(text) and len(text) <= 300:
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return float("nan") if text in _NOT_A_NUMBER else text


def parse(text: str, file: str) -> Document:
    """Values and positions of one YAML document.

    Raises RecipeError where the text is no YAML at all; what can be read past (duplicate keys) is collected in
    `complaints`, to be printed with everything else that is wrong.
    """
    document = Document(None, file)
    lines = text.splitlines()
    try:
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        parts = [part for part in (error.context, error.problem) if part]
        if error.problem and "cannot start any token" in error.problem:
            parts.append('put the text in quotes, as in ">= 0.9"')
        excerpt = lines[mark.line] if mark and mark.line < len(lines) else ""
        raise RecipeError([Complaint(where, f"this is not YAML: {', '.join(parts)}", excerpt)]) from None
    except (yaml.YAMLError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error).split("\n")[0]
        raise RecipeError(f"this is not YAML: {reason}", where=Place(file, 1, 1)) from None
    document.value = _Walk(document, lines).plain(root, ()) if root is not None else {}
    return document


class _Walk:
    def __init__(self, document: Document, lines: list[str]) -> None:
        self.document = document
        self.lines = lines
        self.nodes = 0

    def spot(self, node: yaml.Node) -> Spot:
        line, column = node.start_mark.line, node.start_mark.column
        return Spot(self.document.file, line + 1, column + 1, self.lines[line] if line < len(self.lines) else "")

    def plain(self, node: yaml.Node, path: Path) -> Any:
        self.nodes += 1
        self.document.values[path] = self.spot(node)
        if self.nodes > MAXIMUM_NODES or len(path) > MAXIMUM_DEPTH:
            raise RecipeError(
                [
                    self.document.complaint(
                        path[:2],
                        f"this recipe unfolds to more than {MAXIMUM_NODES:,} values or {MAXIMUM_DEPTH} levels "
                        "(aliases of aliases?); write the values out",
                    )
                ]
            )
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, path)
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.plain(item, (*path, i)) for i, item in enumerate(node.value))
        return self.mapping(node, path)

    def scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        core = "tag:yaml.org,2002:"
        if node.tag not in {
            core + kind for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
        }:
            self.document.complaints.append(
                self.document.complaint(path, f"the tag {node.tag!r} is not allowed in a recipe; write a plain value")
            )
        return node.value if node.style else scalar(node.value)

    def mapping(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            spot = self.spot(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.complain(spot, path, "a key must be a plain word")
                continue
            key = key_node.value
            if key == "<<" and not key_node.style:
                self.complain(spot, (*path, key), "merge keys are not read; layer recipes with `extends`")
                continue
            if key in result:
                first = self.document.keys[(*path, key)].line
                self.complain(spot, (*path, key), f"duplicate key '{key}' (first on line {first}); keep one")
                continue
            self.document.keys[(*path, key)] = spot
            result[key] = self.plain(value_node, (*path, key))
        return result

    def complain(self, spot: Spot, path: Path, message: str) -> None:
        where = Place(spot.file, spot.line, spot.column, dotted(path) or None)
        self.document.complaints.append(Complaint(where, message, spot.excerpt))
