"""The part of dev that may be looked at, kept with the run, and whether it has been overfitted by looking at it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.data.filled_table import as_id
from dlspec.runs import folder as folders
from dlspec.runs.judged import Part
from dlspec.strategy.eyeball import ERRORS, Contrast, bound, contrast, places
from dlspec.strategy.intervals import drawn_units

FILE = "eyeball.json"
DRAWN = ("dev",)
"""splits that judge what is tried: the others may be looked at as a whole (train), or not at all (test)"""


@dataclass(frozen=True)
class Eyeball:
    """Which examples of a split are looked at by eye."""

    rows: np.ndarray
    """(N,) bool"""
    bound: float
    """the place below which an example belongs (strategy.eyeball)"""
    asked: int | None
    units: np.ndarray
    """(N,) which examples go together"""

    @property
    def whole(self) -> bool:
        """Whether nothing is left that stays a black box."""
        return bool(self.rows.all())


def draw(part: Part, wrong: np.ndarray, split: str, *, asked: int | None = None, home: Path | None = None) -> Eyeball:
    """The eyeball part of a split: as the run has it, unless another size is asked for (examples; 0: all of them).

    wrong: (N,) whether each example has an error.
    """
    examples = part.examples
    units = drawn_units(len(examples), part.groups)[1]
    if split not in DRAWN and asked is None:
        return Eyeball(np.ones(len(examples), bool), 1.0, None, units)
    kept = {} if home is None else folders.read_json(home / FILE, {}).get(split) or {}
    if asked is None and kept:
        asked, limit = kept["asked"], kept["bound"]
        where = _places(part)
    else:
        where = _places(part)
        limit = bound(where, int(wrong.sum()), asked)
    return Eyeball(where < limit, limit, asked, units)


def _places(part: Part) -> np.ndarray:
    groups = part.groups or [""] * len(part.examples)
    return places([group or name for name, group in zip(part.examples.ids, groups, strict=True)])


def told(eyeball: Eyeball, part: Part, wrong: np.ndarray, split: str, home: Path | None) -> dict[str, Any] | None:
    """What `error-analysis --json` says of it, kept with the run; None where the split has no such part."""
    if split not in DRAWN and eyeball.asked is None:
        return None
    seen = eyeball.rows
    now = contrast(wrong.astype(float), seen, eyeball.units)
    earlier, gained = (None, None) if home is None else _since(home, split, part, eyeball, wrong)
    result: dict[str, Any] = {
        "examples": int(seen.sum()),
        "errors": int(wrong[seen].sum()),
        "black_box": {"examples": int((~seen).sum()), "errors": int(wrong[~seen].sum())},
        "bound": eyeball.bound,
        "asked": eyeball.asked,
        "p": now.p,
        "since": earlier and gained and {"run": earlier, "p": gained.p},
        "overfitted": now.sure or bool(gained and gained.sure),
    }
    result["says"] = _says(result, split, now, earlier, gained)
    result = folders.finite(result)
    if home is not None:
        kept = folders.read_json(home / FILE, {})
        folders.write_json(home / FILE, {**kept, split: result})
    return result


def _since(
    home: Path, split: str, part: Part, eyeball: Eyeball, wrong: np.ndarray
) -> tuple[str | None, Contrast | None]:
    """The first run on the same data, and what has changed since in either part (errors now minus errors then)."""
    own = folders.read_json(home / "machine.json", {}).get("data_fingerprint")
    for file in sorted(home.resolve().parent.parent.glob(f"*/*/{FILE}"), key=lambda one: one.parent.name):
        other = file.parent
        errors = other / "errors" / f"{split}.csv"
        if other.name >= home.resolve().name:
            break
        then = folders.read_json(other / "machine.json", {}).get("data_fingerprint")
        if own is None or then != own or not errors.is_file():
            continue
        with open(errors, newline="", encoding="utf-8") as text:
            ids = {as_id(row["id"]) for row in csv.DictReader(text)}
        before = np.array([one in ids for one in part.examples.ids], float)
        return f"{other.parent.name}/{other.name}", contrast(wrong - before, eyeball.rows, eyeball.units)
    return None, None


def _says(held: dict[str, Any], split: str, now: Contrast, earlier: str | None, gained: Contrast | None) -> str:
    if not held["black_box"]["examples"]:
        few = f" (a part is set aside from {2 * ERRORS} errors on, for about {ERRORS} to look at)"
        return (
            f"all of {split} may be looked at{few if held['asked'] is None else ''}: "
            "whoever mends what is seen there makes its score less honest"
        )
    share = f"{held['examples']:,} of {held['examples'] + held['black_box']['examples']:,} examples of {split}"
    plain = f"{share} may be looked at ({held['errors']:,} errors); the others stay a black box that judges honestly"
    mend = (
        "it has been overfitted by looking at it, and the black-box part alone still judges honestly; "
        "look at fresh examples (--eyeball N takes more of the same in), or add to dev"
    )
    if gained is not None and gained.sure:
        return (
            f"since {earlier} the error rate of the eyeball part of {split} has changed by {gained.eyeball:+.1%}, that "
            f"of the black-box part by {gained.rest:+.1%}: surely more: {mend}"
        )
    if now.sure:
        return (
            f"the eyeball part of {split} has an error rate of {now.eyeball:.1%}, the black-box part one of "
            f"{now.rest:.1%}: surely more (or a draw that is as lucky once in forty): {mend}"
        )
    return plain
