"""A recipe file, what it extends and what --set changes → one checked Recipe, or every complaint at once."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from dlspec.recipe import positions
from dlspec.recipe.complain import complaints
from dlspec.recipe.component import PACKAGE, nearest
from dlspec.recipe.positions import Document, Spot
from dlspec.recipe.schema import Recipe
from dlspec.types import Place, RecipeError, UserError


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A checked recipe, the file it came from, and the folders that its paths are relative to."""

    recipe: Recipe
    file: Path
    folders: tuple[Path, ...]
    document: Document

    @property
    def name(self) -> str:
        """What its runs are called after: the file's name without its ending."""
        return re.sub(r"[^\w.-]+", "_", self.file.stem) or "recipe"

    @contextlib.contextmanager
    def placing(self) -> Iterator[None]:
        """Complaints that name a key alone (they arise once the data is known) are given its file, line and column."""
        try:
            yield
        except UserError as error:
            error.complaints = [
                self.document.complaint(tuple(one.where.key.split(".")), one.message)
                if one.where.key and one.where.file is None
                else one
                for one in error.complaints
            ]
            raise


def load(path: str | Path, sets: Sequence[str] = (), *, paths_may_be_missing: bool = False) -> Loaded:
    """Read and check a recipe.

    path: a file, or the name of a shipped recipe ("classification/digits_lenet5").
    sets: "dotted.key=value" each, laid over the file.
    paths_may_be_missing: for opening an old run whose data is gone.
    Raises RecipeError with every complaint.
    """
    file = locate(path)
    document, folders = _layered(file, ())
    if sets:
        together = functools.reduce(functools.partial(_merge, nameless_is_same=True), map(_set, sets))
        document = _merge(document, together)
    document.value.pop("extends", None)
    context = {"folders": folders, "paths_may_be_missing": paths_may_be_missing}
    try:
        recipe = Recipe.model_validate(document.value, context=context)
    except ValidationError as error:
        found = document.complaints + complaints(error, document)
        found.sort(key=lambda one: (one.where.file != str(file), one.where.file or "", one.where.line or 0))
        raise RecipeError(found) from None
    if document.complaints:
        raise RecipeError(document.complaints)
    return Loaded(recipe, file, folders, document)


def shipped() -> Path:
    """The folder of the recipes that come with dlspec."""
    packed = PACKAGE / "shipped_recipes"
    return packed if packed.is_dir() else PACKAGE.parent / "recipes"


def shipped_names() -> list[str]:
    return sorted(str(f.relative_to(shipped()).with_suffix("")) for f in shipped().rglob("*.yaml"))


def locate(path: str | Path) -> Path:
    """The file of a recipe given by path, or by the name of a shipped one.  Raises RecipeError."""
    file = Path(path).expanduser()
    if file.is_file():
        return file
    name = str(path).removesuffix(".yaml")
    by_name = {full: shipped() / f"{full}.yaml" for full in shipped_names()}
    by_name |= {full.rpartition("/")[2]: one for full, one in by_name.items()}
    if name in by_name:
        return by_name[name]
    if file.is_dir():
        raise RecipeError(f"'{path}' is a folder; give a recipe, a .yaml file")
    here = [str(f) for f in file.parent.glob("*.y*ml")] if file.parent.is_dir() else []
    guess = nearest(str(path), [*here, *by_name])
    hint = f"did you mean '{guess}'?" if guess else "`dlspec recipes list` shows those that come with dlspec"
    raise RecipeError(f"there is no recipe '{path}' (looked at {file.absolute()}); {hint}")


def _layered(file: Path, above: tuple[Path, ...]) -> tuple[Document, tuple[Path, ...]]:
    """One file and everything it extends, and their folders, nearest first."""
    if file.resolve() in above:
        raise RecipeError(f"recipes extend each other in a ring: {' → '.join(map(str, (*above, file.resolve())))}")
    document = _read(file)
    base = document.value.get("extends")
    if base is None:
        return document, (file.absolute().parent,)
    if not isinstance(base, str):
        raise RecipeError([document.complaint(("extends",), "expected the path of one recipe")])
    for candidate in (file.absolute().parent / base, file.absolute().parent / f"{base}.yaml"):
        if candidate.is_file():
            break
    else:
        try:
            candidate = locate(base)
        except RecipeError as error:
            raise RecipeError([document.complaint(("extends",), error.complaints[0].message)]) from None
    below, folders = _layered(candidate, (*above, file.resolve()))
    return _merge(below, document), tuple(dict.fromkeys((file.absolute().parent, *folders)))


def _read(file: Path) -> Document:
    try:
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise RecipeError(f"not a text file in UTF-8 (byte {error.start})", where=Place(str(file), 1, 1)) from None
    except OSError as error:
        raise RecipeError(f"cannot read {file}: {error.strerror}") from None
    document = positions.parse(text, str(file))
    if not isinstance(document.value, dict):
        raise RecipeError([document.complaint((), "a recipe is a mapping: task, data, model, train, …")])
    return document


def _set(text: str) -> Document:
    """`train.epochs=3` as a document of its own, blamed by its own words."""
    key, equals, value = text.partition("=")
    blame = f"--set {text}"
    path = tuple(key.strip().split("."))
    if not equals or not all(path):
        raise RecipeError("expected key=value, as in --set train.epochs=3", where=Place(blame))
    parsed = positions.parse(value, blame)
    if parsed.value == {} and not value.strip().startswith("{"):
        parsed.value = None
    document = Document(parsed.value, blame, complaints=parsed.complaints)
    spot = Spot(blame, 0, 0, "")
    document.values = dict.fromkeys((path[:n] for n in range(len(path) + 1)), spot)
    document.values |= {(*path, *inner): spot for inner in parsed.values}
    document.keys = dict.fromkeys(document.values, spot)
    for part in reversed(path):
        document.value = {part: document.value}
    return document


def _merge(below: Document, above: Document, *, nameless_is_same: bool = False) -> Document:
    """One document laid over another: mappings merge, another name replaces, lists replace, null removes.

    nameless_is_same: of several --set, `a.momentum=0.9` and `a.name=sgd` speak of one thing, in either order.
    """
    result = Document(None, above.file, dict(below.keys), dict(below.values), below.complaints + above.complaints)

    def forget(path: positions.Path) -> None:
        for table in (result.keys, result.values):
            for known in [k for k in table if k[: len(path)] == path]:
                del table[known]

    def take(path: positions.Path) -> None:
        forget(path)
        for source, table in ((above.keys, result.keys), (above.values, result.values)):
            table.update({k: spot for k, spot in source.items() if k[: len(path)] == path})

    def merged(low: Any, high: Any, path: positions.Path) -> Any:
        if isinstance(low, dict) and isinstance(high, str):
            high = {"name": high}
        elif isinstance(low, str) and isinstance(high, dict) and "name" not in high:
            low = {"name": low}
        if not isinstance(low, dict) or not isinstance(high, dict):
            take(path)
            return high
        same = "name" not in high or high["name"] == low.get("name") or (nameless_is_same and "name" not in low)
        if not same:
            take(path)
            return high
        whole = dict(low)
        for key, value in high.items():
            if value is None and not nameless_is_same:
                whole.pop(key, None)
                forget((*path, key))
            else:
                whole[key] = merged(low.get(key), value, (*path, key))
        return whole

    result.value = merged(below.value, above.value, ())
    return result


def dump(recipe: Recipe, header: str = "") -> str:
    """The filled recipe as YAML: every default written out."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, tuple | list) else value

    return header + yaml.safe_dump(plain(recipe.model_dump()), sort_keys=False, allow_unicode=True, width=110)


def header_of(file: Path) -> list[str]:
    """The comment lines at the top of a recipe, without their marks."""
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return lines
