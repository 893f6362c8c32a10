"""Where the pictures, text files and names of data in YOLO's format lie: by data.yaml, or by folders."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dlspec.data import sources
from dlspec.data.boxed_pictures import pictures_below
from dlspec.data.sources import PARTS
from dlspec.numeric.picture_formats import SUFFIXES
from dlspec.numeric.printable import shown
from dlspec.types import Complaint, DataError, Place

SETTINGS = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
NAMES = ("classes.txt", "obj.names", "classes.names", "names.txt", "labels.txt")
"""files of names, a line a class, where there is no data.yaml"""


class Layout(NamedTuple):
    """Part → folders and lists of pictures, absolute; the classes in order."""

    parts: Mapping[str, Sequence[str]]
    names: Sequence[str]
    notes: Sequence[str] = ()


def layout_of(path: str, classes: Sequence[str] | None = None) -> Layout:
    """The splits and names of a data.yaml, or of a folder.  Raises DataError, with what is wrong in which file."""
    file = path if os.path.isfile(path) else settings_in(path)
    if file is not None:
        return _of_settings(file, classes)
    if not os.path.isdir(path):
        raise DataError("there is no such file or folder", where=Place(shown(path)))
    names = classes or names_in(path)
    if names is None:
        raise DataError(
            f"there is no {SETTINGS[0]} in it, nor {', '.join(NAMES[:2])}: what the classes are called is not known; "
            "data.classes gives the names in order",
            where=Place(shown(path)),
        )
    homes = [one for one in (os.path.join(path, "images"), path) if os.path.isdir(one)]
    for home in homes:
        inner = {
            PARTS[one.lower()]: [os.path.join(home, one)] for one in sorted(os.listdir(home)) if one.lower() in PARTS
        }
        if "train" in inner:
            return Layout(inner, names)
    return Layout({"all": [homes[0]]}, names)


def settings_in(folder: str) -> str | None:
    """The data.yaml of a folder: one called so, or the only .yaml in it."""
    if not os.path.isdir(folder):
        return None
    names = sorted(one for one in os.listdir(folder) if one.lower().endswith((".yaml", ".yml")))
    called = [one for one in names if one.lower() in SETTINGS] or [
        one for one in names if is_settings(os.path.join(folder, one))
    ]
    return os.path.join(folder, called[0]) if called else None


def is_settings(file: str) -> bool:
    """Whether a .yaml names classes and pictures to train on, as data.yaml does."""
    try:
        whole = _yaml(file)
    except DataError:
        return False
    return isinstance(whole, dict) and "names" in whole and any(one in whole for one in PARTS)


def names_in(folder: str) -> list[str] | None:
    """The names in a file of names in the folder, or in its folder `labels`."""
    for home in (folder, os.path.join(folder, "labels"), os.path.join(folder, "images")):
        for one in NAMES:
            file = os.path.join(home, one)
            if os.path.isfile(file):
                lines = sources.contents(file).decode("utf-8-sig", "replace").splitlines()
                return [line.strip() for line in lines if line.strip()]
    return None


def label_of(picture: str) -> str:
    """The text file of a picture's boxes: in the folder labels beside images, else beside the picture."""
    beside = os.path.splitext(picture)[0] + ".txt"
    head, images, tail = beside.rpartition(f"{os.sep}images{os.sep}")
    if not images:
        return beside
    own = f"{head}{os.sep}labels{os.sep}{tail}"
    return beside if os.path.exists(beside) and not os.path.exists(own) else own


def _of_settings(file: str, classes: Sequence[str] | None) -> Layout:
    whole = _yaml(file)
    where = Place(shown(file))
    if not isinstance(whole, dict):
        raise DataError("expected train, val and names in it, as data.yaml has them", where=where)
    complaints: list[Complaint] = []
    names = classes or _names(whole, where, complaints)
    home = os.path.dirname(os.path.abspath(file))
    root = whole.get("path")
    roots = [home] if not isinstance(root, str) else [os.path.join(home, os.path.expanduser(root)), home]
    parts: dict[str, list[str]] = {}
    for key, part in PARTS.items():
        given = whole.get(key)
        if given in (None, "", []):
            continue
        found = []
        for one in given if isinstance(given, list) else [given]:
            place = _place(str(one), roots)
            if place is None:
                looked = os.path.normpath(os.path.join(roots[0], str(one)))
                complaints.append(
                    Complaint(where._replace(key=key), f"there is no {shown(str(one))}; looked at {shown(looked)}")
                )
            else:
                found.append(place)
        parts.setdefault(part, found)
    if not parts:
        complaints.append(Complaint(where, "names no pictures: expected train and val, as data.yaml has"))
    if complaints:
        raise DataError(complaints)
    notes = []
    if "train" in parts and parts.get("dev") == parts["train"]:
        notes = [f"{os.path.basename(file)} gives the same pictures as train and as val: they are divided here"]
        parts = {"all": parts["train"]}
    elif "test" in parts and parts["test"] == parts.get("dev"):
        notes = [
            f"{os.path.basename(file)} gives the same pictures as val and as test: they are dev, and there is no test"
        ]
        del parts["test"]
    return Layout(parts, names, notes)


def _names(whole: Mapping[str, Any], where: Place, complaints: list[Complaint]) -> list[str]:
    given, count = whole.get("names"), whole.get("nc")
    at = where._replace(key="names")
    if isinstance(given, dict):
        if sorted(map(str, given)) != sorted(map(str, range(len(given)))):
            complaints.append(Complaint(at, f"expected the numbers 0 to {len(given) - 1} as keys, each once"))
            return []
        given = [given[key] for key in sorted(given, key=int)]
    if not isinstance(given, list) or not given:
        complaints.append(Complaint(at, "expected a list of the classes' names, as [cat, dog]"))
        return []
    if isinstance(count, int) and count != len(given):
        complaints.append(Complaint(at, f"there are {len(given)} names, and nc says {count}"))
    names = [str(one).strip() for one in given]
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        complaints.append(Complaint(at, f"'{shown(twice[0])}' is the name of several classes"))
    return names


def _place(given: str, roots: Sequence[str]) -> str | None:
    """Where a folder or list lies; ../train/images of a data.yaml that was moved out of its folder is found, too."""
    bare = given
    while bare.startswith("../"):
        bare = bare[3:]
    for one in dict.fromkeys((given, bare)):
        for root in roots:
            place = os.path.normpath(os.path.join(root, os.path.expanduser(one)))
            if os.path.exists(place):
                return place
    return None


def pictures_of(place: str) -> list[str]:
    """The pictures below a folder, or of a list, whose paths are from the list's own folder or one above."""
    if os.path.isdir(place):
        return [path for _, path in pictures_below(place)]
    if place.lower().endswith(SUFFIXES):
        return [place]
    found = []
    home = os.path.dirname(place)
    for line in sources.contents(place).decode("utf-8-sig", "replace").splitlines():
        name = line.strip()
        if name:
            tried = [os.path.normpath(os.path.join(base, name)) for base in (home, os.path.dirname(home))]
            found.append(next((one for one in tried if os.path.exists(one)), tried[0]))
    return found


def _yaml(file: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(sources.contents(file))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise DataError(f"this is no YAML: {reason}", where=Place(shown(file), line)) from None
