"""Which files belong together as train, dev and test, by their names; and how large splits should be."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from dlspec.data.sources import PARTS
from dlspec.numeric.printable import shown
from dlspec.proposals import Line, Lines, Proposal
from dlspec.types import DataError, Place

SMALL, LARGE = 200, 34_000
"""examples below which a larger share is held back, and from which a number is enough"""
ENOUGH = 5_000


def family(path: str) -> dict[str, str]:
    """Part → file: those beside a file whose names differ in train, dev (val, valid, validation) and test alone.

    {"all": path} where there is no train among them, or the file is alone.
    """
    folder, name = os.path.split(path)
    key = _key(name)
    if key is None:
        return {"all": path}
    found: dict[str, str] = {}
    for other in sorted(os.listdir(folder or ".")):
        its = _key(other)
        if its is not None and its[0] == key[0] and its[1] not in found:
            found[its[1]] = os.path.join(folder, other)
    found[key[1]] = path
    if "train" not in found or len(found) == 1:
        return {"all": path}
    return {part: found[part] for part in ("train", "dev", "test") if part in found}


def but_others(
    recognize: Callable[[str, str | None], Proposal | None], folder: str, files: Sequence[str], target: str | None
) -> Proposal | None:
    """The proposal for one of the tables in a folder: the only one, or that of train; what is not used is a doubt.

    Raises DataError that names them, where it is not clear which is meant.
    """
    if not files:
        return None
    trains = [one for one in files if (key := _key(os.path.basename(one))) is not None and key[1] == "train"]
    if len(files) > 1 and len(trains) != 1:
        raise DataError(
            f"{len(files)} tables lie in this folder, and no single one is called train: {_names(files)}; give the one "
            "that is meant",
            where=Place(shown(folder)),
        )
    file = trains[0] if trains else files[0]
    found = recognize(file, target)
    others = sorted(set(files) - set(family(file).values()) - {file})
    if found is None or not others:
        return found
    return replace(found, doubts=(*found.doubts, f"not used: other tables in this folder ({_names(others)})"))


def _names(files: Sequence[str]) -> str:
    return ", ".join(shown(os.path.basename(one)) for one in files[:8]) + (", …" if len(files) > 8 else "")


def _key(name: str) -> tuple[str, str] | None:
    """What a family has in common, and which part this is: ("sst2_*.tsv", "train"); None where no part is named."""
    stem, dot, ending = name.partition(".")
    words = re.split(r"([^A-Za-z0-9]+)", stem)
    places = [i for i, word in enumerate(words) if word.lower() in PARTS]
    if len(places) != 1:
        return None
    [place] = places
    return "".join([*words[:place], "*", *words[place + 1 :], dot, ending]), PARTS[words[place].lower()]


def trained(counts: Mapping[str, int]) -> int:
    """How many examples are learned from, where `split` is as `division` has it."""
    of = counts["all" if "all" in counts else "train"]
    shares = [line.value for line in division(counts) if line.key in ("dev", "test")]
    return of - sum(one if isinstance(one, int) else max(1, int(one * of + 0.5)) for one in shares)


def division(counts: Mapping[str, int]) -> Lines:
    """`split`, of so many examples in each part that the data has (`all`, or train and others)."""
    if "dev" in counts:
        return ()
    whole = "all" in counts
    of = counts["all" if whole else "train"]
    share = 0.2 if of < SMALL else 0.15
    size: float | int = ENOUGH if of >= LARGE else share
    held = size if isinstance(size, int) else max(1, int(size * of + 0.5))
    scores = "judges recipes while you work"
    if not whole:
        why = f"{held:,} of train's {of:,} examples, as there is no dev: it {scores}"
        return (Line("dev", size, why),)
    lines = [
        Line("dev", size, f"{held:,} of {of:,} examples: {scores}"),
        Line("test", size, "as many, kept for the end: dlspec evaluate last --split test"),
    ]
    if of < SMALL:
        why = f"so few examples judge badly; five trainings (fold: 0 to 4), each with another fifth of the {of} as dev"
        lines.append(Line("folds", 5, why, sure=False))
    return tuple(lines)
