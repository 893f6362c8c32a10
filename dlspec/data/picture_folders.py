"""What lies in a folder of pictures: classes and parts by its subfolders, links and hidden files minded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dlspec.data.sources import PARTS
from dlspec.numeric.picture_formats import SUFFIXES
from dlspec.numeric.printable import shown
from dlspec.types import DataError, Place

EXPECTED = "expected a folder a class, as cats/1.jpg and dogs/2.jpg, or those below train, dev and test"


class Below(NamedTuple):
    """Files below a folder, as paths relative to it with forward slashes."""

    pictures: list[str]
    others: list[str]


class Layout(NamedTuple):
    """Part (`all`, or train, dev, test) → class → pictures, and what else was found."""

    parts: Mapping[str, Mapping[str, list[str]]]
    notes: list[str]


def below(folder: str) -> Below:
    """The pictures (by their endings) and other files below a folder, whatever the depth, sorted by name.

    Hidden files and folders are passed over.  Links are followed, but no folder is entered twice, nor one from below.
    Raises DataError where a folder cannot be read.
    """
    found = Below([], [])
    above = [os.stat(place) for place in _upwards(folder)]
    entered = {(one.st_dev, one.st_ino) for one in above}

    def enter(head: str) -> None:
        for entry in _listed(os.path.join(folder, head)):
            name = head + entry.name
            if entry.is_dir():
                own = os.stat(entry.path)
                # A link may lead back up, and two links may lead to one place.
                if (own.st_dev, own.st_ino) not in entered:
                    entered.add((own.st_dev, own.st_ino))
                    enter(name + "/")
            else:
                found[0 if is_picture(entry.name) else 1].append(name)

    enter("")
    return found


def is_picture(name: str) -> bool:
    """Whether a file's name ends as those of pictures do, in capitals or not."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def layout(folder: str) -> Layout:
    """The pictures below a folder by part and class.

    Raises DataError, with what was found and what is expected, where there are no class folders, or where it is not
    clear whether the subfolders are classes or parts.
    """
    if not os.path.isdir(folder):
        raise DataError(f"this is a file; {EXPECTED}", where=Place(shown(folder)))
    entries = _listed(folder)
    inside = {entry.name: below(os.path.join(folder, entry.name)) for entry in entries if entry.is_dir()}
    files = [entry.name for entry in entries if not entry.is_dir()]
    loose = [name for name in files if is_picture(name)]
    others = [name for name in files if not is_picture(name)]
    others += [f"{name}/{other}" for name, found in inside.items() for other in found.others]
    full = {name: found.pictures for name, found in inside.items() if found.pictures}
    parts = _parts_of(folder, full)
    if parts:
        by_part = {part: _by_class(full[name], f"{name}/") for part, name in parts.items()}
        loose += [f"{name}/{one}" for name in parts.values() for one in full[name] if "/" not in one]
        empty = _without_pictures(folder, parts.values(), by_part)
    else:
        by_part = {"all": {name: [f"{name}/{one}" for one in pictures] for name, pictures in full.items()}}
        empty = [name for name in inside if name not in full]
    by_part = {part: classes for part, classes in by_part.items() if classes}
    if not by_part or not by_part.get("all", True):
        raise _no_classes(folder, loose, others, list(full))
    if list(by_part) == ["all"] and len(full) == 1:
        _one_class(folder, *full.items())
    notes = [f"{_many(empty, 'folder')} without pictures: {_few(empty)}"] if empty else []
    notes += [f"{_many(loose, 'picture')} in no class folder left out: {_few(loose)}"] if loose else []
    notes += [f"{_many(others, 'other file')} passed over: {_few(others)}"] if others else []
    return Layout(by_part, notes)


def _parts_of(folder: str, full: Mapping[str, list[str]]) -> dict[str, str]:
    """Part → subfolder, where the subfolders are parts; nothing where they are classes."""
    parts: dict[str, str] = {}
    for name in full:
        part = PARTS.get(name.lower())
        if part in parts:
            both = f"'{shown(parts[part])}' and '{shown(name)}'"
            raise DataError(f"the folders {both} are both {part}; keep one", where=Place(shown(folder)))
        if part is not None:
            parts[part] = name
    classes = [name for name in full if name not in parts.values()]
    if classes and "train" in parts and (len(parts) > 1 or len(_by_class(full[parts["train"]], "")) > 1):
        raise DataError(
            f"the folders {_quoted(parts.values())} look like parts and {_quoted(classes)} like classes; "
            f"{EXPECTED}; move the others away, or rename them",
            where=Place(shown(folder)),
        )
    return {} if classes else parts


def _by_class(names: list[str], head: str) -> dict[str, list[str]]:
    """Class → pictures, out of paths that begin with the class folder; those without one are left out."""
    classes: dict[str, list[str]] = {}
    for name in names:
        own, slash, _ = name.partition("/")
        if slash:
            classes.setdefault(own, []).append(head + name)
    return classes


def _without_pictures(folder: str, names: Iterable[str], full: Mapping[str, Mapping[str, list[str]]]) -> list[str]:
    """Class folders below these parts' folders that hold no pictures."""
    return [
        f"{name}/{entry.name}"
        for name, classes in zip(names, full.values(), strict=True)
        for entry in _listed(os.path.join(folder, name))
        if entry.is_dir() and entry.name not in classes
    ]


def _one_class(folder: str, only: tuple[str, list[str]]) -> None:
    """Raise DataError where the one class folder looks as if it held the class folders."""
    name, pictures = only
    inner = list(_by_class(pictures, ""))
    if len(inner) > 1:
        raise DataError(
            f"the only folder with pictures is '{shown(name)}', and that has the folders {_quoted(inner)}; "
            f"if those are the classes, set data.path to {shown(os.path.join(folder, name))}",
            where=Place(shown(folder)),
        )


def _no_classes(folder: str, loose: list[str], others: list[str], full: list[str]) -> DataError:
    if loose:
        where = f"in {_quoted(full)}" if full else "directly in this folder"
        message = (
            f"{_many(loose, 'picture')} lie {where} ({_few(loose)}), and no class folders; {EXPECTED}. "
            "Where a table tells the classes, take data.name: image_table"
        )
    else:
        have = f"{_many(others, 'other file')} ({_few(others)})" if others else "nothing"
        message = f"no pictures below this folder: it has {have}; {EXPECTED} ({', '.join(SUFFIXES)})"
    return DataError(message, where=Place(shown(folder)))


def _listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((one for one in entries if not one.name.startswith(".")), key=lambda one: one.name)
    except OSError as error:
        raise DataError(f"this folder cannot be read: {error.strerror}", where=Place(shown(folder))) from None


def _upwards(folder: str) -> list[str]:
    """The folder, and every one above it."""
    places = [os.path.realpath(folder)]
    while os.path.dirname(places[-1]) != places[-1]:
        places.append(os.path.dirname(places[-1]))
    return places


def _many(items: list[str], what: str) -> str:
    return f"{len(items):,} {what}{'s' * (len(items) != 1)}"


def _few(items: list[str]) -> str:
    return ", ".join(shown(one) for one in items[:3]) + (", …" if len(items) > 3 else "")


def _quoted(names: Iterable[str]) -> str:
    quoted = [f"'{shown(name)}'" for name in names]
    return ", ".join(quoted[:8]) + (", …" if len(quoted) > 8 else "")
