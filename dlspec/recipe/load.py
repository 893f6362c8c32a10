"""A recipe file, what it extends and what --set changes → one checked Recipe, or every complaint at once."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from dlspec.recipe import positions
from dlspec.recipe.complain import complaints
from dlspec.recipe.component import Section, nearest, unknown
from dlspec.recipe.layering import merge
from dlspec.recipe.positions import Document, Spot
from dlspec.recipe.schema import Recipe
from dlspec.recipe.searched import unsearchable
from dlspec.recipe.shipped import by_name, locate, shipped_names
from dlspec.recipe.space_paths import placed
from dlspec.types import Complaint, Place, RecipeError, UserError

SET = "--set "


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A checked recipe, the file it came from, and the folders that its paths are relative to."""

    recipe: Recipe
    file: Path
    folders: tuple[Path, ...]
    document: Document

    @property
    def name(self) -> str:
        """What its runs are called after: the file's name without its ending; of a patch that a run suggests, the
        run's own and the patch's, as in shop-1."""
        run = self.file.absolute().parent.parent
        if self.file.parent.name == "suggestions" and (run / "recipe.yaml").is_file():
            return f"{run.parent.name}-{self.file.stem}"
        return re.sub(r"[^\w.-]+", "_", self.file.stem).strip(".") or "recipe"

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


def load(
    path: str | Path, sets: Sequence[str] = (), *, paths_may_be_missing: bool = False, begun: bool = False
) -> Loaded:
    """Read and check a recipe.

    path: a file, or the name of a shipped recipe ("classification/digits_lenet5").
    sets: "dotted.key=value" each, laid over the file.
    paths_may_be_missing: for opening an old run whose data is gone.  begun: its training has begun, so that only what
    it began with (a file of weights) may be gone.
    Raises RecipeError with every complaint.
    """
    file = locate(path)
    document, folders = _layered(file, ())
    return _checked(document, file, folders, sets, paths_may_be_missing=paths_may_be_missing, begun=begun)


def check_text(text: str, file: Path) -> Loaded:
    """As `load`, of a whole recipe that is to be written to this file.  Raises RecipeError with every complaint."""
    return _checked(positions.parse(text, str(file)), file, (file.absolute().parent,))


def _checked(
    document: Document,
    file: Path,
    folders: tuple[Path, ...],
    sets: Sequence[str] = (),
    **missing: bool,
) -> Loaded:
    if sets:
        together = functools.reduce(functools.partial(merge, among_sets=True), map(_set, sets))
        document = merge(document, together)
    document.value.pop("extends", None)
    context = {"folders": folders, "homes": homes(document), **missing}
    try:
        recipe = Recipe.model_validate(document.value, context=context)
    except ValidationError as error:
        found = document.complaints + complaints(error, document)
        found.sort(key=lambda one: (one.where.file != str(file), one.where.file or "", one.where.line or 0))
        raise RecipeError(found) from None
    document.complaints += [one for one in map(_removed_in_vain(recipe), document.removed.items()) if one]
    if recipe.tune is not None:
        document.complaints += unsearchable(document, recipe.tune, context)
    if document.complaints:
        raise RecipeError(document.complaints)
    return Loaded(placed(recipe, document, context), file, folders, document)


def _removed_in_vain(recipe: Recipe) -> Callable[[tuple[positions.Path, Spot]], Complaint | None]:
    """Complains where `key: null` names no setting: a typo would otherwise remove nothing, in silence."""

    def complain(one: tuple[positions.Path, Spot]) -> Complaint | None:
        path, spot = one
        section: Any = recipe
        for part in path[:-1]:
            section = getattr(section, str(part), None)
        known = list(type(section).model_fields) if isinstance(section, Section) else []
        if not known or path[-1] in known:
            return None
        place = Place(spot.file, spot.line or None, spot.column or None, positions.dotted(path))
        return Complaint(place, unknown("key", str(path[-1]), known), spot.excerpt)

    return complain


def homes(document: Document) -> dict[str, Path]:
    """For each text in a recipe, the folder of the file that says it (of --set: where it was typed)."""
    homes: dict[str, Path] = {}

    def walk(value: Any, path: positions.Path) -> None:
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(one, str) and (*path, key) in document.values:
                said_by = document.values[(*path, key)].file
                homes[one] = Path.cwd() if said_by.startswith(SET) else Path(said_by).absolute().parent
            elif isinstance(one, dict | tuple):
                walk(one, (*path, key))

    walk(document.value, ())
    return homes


def _layered(file: Path, above: tuple[Path, ...]) -> tuple[Document, tuple[Path, ...]]:
    """One file and everything it extends, and their folders, nearest first."""
    if file.resolve() in above:
        raise RecipeError(f"recipes extend each other in a ring: {' → '.join(map(str, (*above, file.resolve())))}")
    document = document_of(file)
    base = document.value.get("extends")
    if base is None:
        return document, (file.absolute().parent,)
    if not isinstance(base, str):
        raise RecipeError([document.complaint(("extends",), "expected the path of one recipe")])
    home = file.absolute().parent
    beside = [one for one in (home / base, home / f"{base}.yaml") if one.is_file() and one.resolve() != file.resolve()]
    candidate = beside[0] if beside else by_name(base)
    if candidate is None:
        near = nearest(base, [*(one.name for one in home.glob("*.y*ml")), *shipped_names()])
        hint = f"; did you mean '{near}'?" if near else ""
        message = f"there is no recipe '{base}' (looked at {home / base}, and at those that come with dlspec){hint}"
        if (home / base).resolve() == file.resolve():
            message = "a recipe cannot extend itself: recipes would extend each other in a ring"
        raise RecipeError([document.complaint(("extends",), message)])
    below, folders = _layered(candidate, (*above, file.resolve()))
    return merge(below, document), tuple(dict.fromkeys((file.absolute().parent, *folders)))


def document_of(file: Path) -> Document:
    """A file as values with their places.  Raises RecipeError where it is none of a mapping."""
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
    blame = f"{SET}{text}"
    path = tuple(key.strip().split("."))
    if not equals or not all(path):
        raise RecipeError("expected key=value, as in --set train.epochs=3", where=Place(blame))
    if path[0] == "extends":
        raise RecipeError("what a recipe extends is said in the recipe, not by --set", where=Place(blame))
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


class Dumper(yaml.SafeDumper):
    """Quotes what our reader (YAML 1.2) would take for something else than text, too."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if positions.scalar(text) == text else "'")


Dumper.add_representer(str, _text)


def dump(recipe: Recipe, header: str = "") -> str:
    """The filled recipe as YAML: every default written out."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, tuple | list) else value

    return header + yaml.dump(plain(recipe.model_dump()), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110)


def header_of(file: Path) -> list[str]:
    """The comment lines at the top of a recipe, without their marks."""
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return lines
