"""How examples are divided into train, dev and test: the settings, and what follows from them and from the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from dlspec.data.basis import Pool, at
from dlspec.data.fingerprint import fingerprint
from dlspec.data.joined import joined
from dlspec.recipe.component import Section, shown
from dlspec.types import SPLITS, DataError, Examples, Splits
from dlspec.wording import plural


def _size(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and (0 <= value < 1 or (isinstance(value, int) and value >= 1)):
        return value
    message = f"expected a share (0.15), a number of examples (300), or 0 for none, got {shown(value)}"
    raise PydanticCustomError("size", "{message}", {"message": message})


Size = Annotated[int | float, BeforeValidator(_size), Field(json_schema_extra={"minimum": 0})]


class Split(Section):
    """How the examples are divided into train, dev and test.

    Who goes where follows from `seed` and the examples' ids alone: the same on every machine.  Shares are of all the
    examples that are divided.  Where the data comes in parts (files for train, dev, test) those stay as they are, and
    only a missing dev is cut off train.
    """

    dev: Size = 0.15
    """share (0.15) or number (300) of examples for dev; 0: none.  Where `folds` make dev, it is not used"""
    test: Size = 0.15
    """share or number of examples for test, cut off before anything else; 0: none.  Where `folds` make test, it is
    not used; where the data gives parts itself, test is never cut"""
    seed: int = Field(0, ge=0)
    """another seed, another division"""
    stratify: bool | None = None
    """give every class its share in every split: true insists, false does not; left out: where labels are few classes
    (at most 100) and each has as many examples as there are splits"""
    group: str | None = None
    """the column (or array) that says what belongs together: a patient, a writer; a group is never divided"""
    time: str | None = None
    """the column (or array) of dates or numbers to order by: the latest examples are test, those before them dev"""
    folds: int | None = Field(None, ge=2)
    """divide into this many folds; one of them is dev (or test, see `fold_is`), the others are train"""
    fold: int = Field(0, ge=0)
    """which fold, counted from 0"""
    fold_is: Literal["dev", "test"] = "dev"
    """dev: test is cut off first, the rest is folded.  test: everything is folded, and dev is cut off the rest"""
    train: Size | None = None
    """share or number of train's examples that are trained on, the others being left out; left out: all.  Dev and test
    stay as they are; a smaller train is a part of a larger one"""
    train_seed: int = Field(0, ge=0)
    """another seed, other examples of train"""

    @property
    def by_time(self) -> str:
        """How examples are ordered where `time` is set, in words."""
        return f"by time '{self.time}'"

    @field_validator("time")
    @classmethod
    def _time_alone(cls, time: str | None, info: ValidationInfo) -> str | None:
        if time is not None and info.data.get("group") is not None:
            _refuse("group and time cannot both hold: a group may reach from before a date to after it; keep one")
        if time is not None and info.data.get("stratify"):
            _refuse("stratify and time cannot both hold: what is latest decides, whatever its class; keep one")
        return time

    @field_validator("folds")
    @classmethod
    def _folds_without_time(cls, folds: int | None, info: ValidationInfo) -> int | None:
        if folds is not None and info.data.get("time") is not None:
            _refuse("folds and time cannot both hold: a fold would be judged by a network that saw later examples")
        return folds

    @field_validator("fold")
    @classmethod
    def _fold_is_one_of_them(cls, fold: int, info: ValidationInfo) -> int:
        folds = info.data.get("folds")
        if "folds" in info.data and fold and folds is None:
            _refuse(f"fold {fold} of how many? give folds, too")
        if folds is not None and fold >= folds:
            _refuse(f"with {folds} folds, fold is 0 to {folds - 1}, got {fold}")
        return fold

    @field_validator("fold_is")
    @classmethod
    def _fold_is_used(cls, fold_is: str, info: ValidationInfo) -> str:
        if fold_is == "test" and "folds" in info.data and info.data["folds"] is None:
            _refuse("fold_is has a meaning with folds alone; give folds, too")
        return fold_is

    @field_validator("train")
    @classmethod
    def _train_is_some(cls, train: float | None) -> float | None:
        if train == 0:
            _refuse("with none of train there is nothing to learn; give a share (0.25), a number, or leave it out")
        return train

    @model_validator(mode="after")
    def _train_is_left(self) -> Split:
        shares = isinstance(self.dev, float) and isinstance(self.test, float)
        if shares and self.folds is None and self.dev + self.test >= 1:
            _refuse(f"dev {self.dev:g} and test {self.test:g} leave nothing for train; lower one (0: none)")
        return self

    def divide(self, loaded: Splits, manifest: Mapping[str, str] | None = None) -> Splits:
        """Named splits with a fingerprint and a note on what was done.

        loaded: one part `all`, or the parts that the data itself names.
        manifest: id → split of a run, to divide exactly as it did; examples that are new are left out, with a note.
        Raises DataError where the data cannot be divided so, or where examples of the manifest are gone.
        """
        if manifest is not None:
            parts, note = _as_before(loaded, manifest, "new" if self.train is None else "other")
        elif set(loaded.parts) == {"all"}:
            parts, note = self._divided(loaded.parts["all"])
        else:
            parts, note = self._completed(loaded.parts)
        notes = (*loaded.notes, *([note] if note else []))
        apart = tuple(name for name in loaded.parts if name not in ("all", "train"))
        return Splits(parts, loaded.fingerprint or fingerprint(loaded), notes, apart)

    def _divided(self, whole: Examples) -> tuple[dict[str, Examples], str]:
        test = 0 if self.folds and self.fold_is == "test" else counted(self.test, len(whole))
        places, how = self._cut(whole, test)
        parts = {name: whole.take(sorted(places[name])) for name in ("train", "dev", "test") if places[name]}
        return parts, f"split {plural(len(whole), 'example')} {how}: {sizes(parts)}{self._seeded()}"

    def _completed(self, given: Mapping[str, Examples]) -> tuple[dict[str, Examples], str]:
        if "train" not in given:
            raise DataError(f"this data has {sizes(given)} alone; to train, give train, too", where=at("path", "data"))
        if self.folds and (self.fold_is == "test" or "dev" in given):
            taken = "test" if self.fold_is == "test" else "dev"
            raise DataError(
                f"folds cannot make {taken} of data that comes in parts ({sizes(given)}); "
                "leave out folds, or give all the data as one file",
                where=at("folds"),
            )
        if "dev" in given or (self.dev == 0 and not self.folds):
            return _ordered(given), f"parts as given: {sizes(given)}{_shared_groups(given)}"
        train = given["train"]
        places, how = self._cut(train, 0)
        parts = _ordered(
            {**given, "train": train.take(sorted(places["train"])), "dev": train.take(sorted(places["dev"]))}
        )
        note = f"cut dev off train's {len(train):,} examples {how}: {sizes(parts)}{self._seeded()}"
        return parts, note + _shared_groups(parts)

    def _cut(self, whole: Examples, test: int) -> tuple[dict[str, list[int]], str]:
        """Places in `whole` by split, and in words by what they were divided."""
        dev = 0 if self.folds and self.fold_is == "dev" else counted(self.dev, len(whole))
        if test + dev >= len(whole):
            asked = " and ".join(f"{many:,} for {name}" for name, many in (("dev", dev), ("test", test)) if many)
            asked = f"the split asks for {asked}, which leaves" if asked else "that leaves"
            raise DataError(f"there are {plural(len(whole), 'example')}; {asked} none for train", where=at())
        wanted = 1 + bool(test) + bool(dev) + bool(self.folds)
        pool = Pool.of(whole, self, wanted)
        rest = list(range(len(whole)))
        places: dict[str, list[int]] = {"train": [], "dev": [], "test": []}
        if self.folds is None:
            places["test"], places["dev"], places["train"] = pool.cut(rest, [test, dev])
        else:
            if test:
                places["test"], rest = pool.cut(rest, [test])
            places[self.fold_is], rest = pool.fold(rest, self.folds, self.fold)
            if dev:
                places["dev"], rest = pool.cut(rest, [dev])
            places["train"] = rest
        empty = [name for name, many in (("dev", dev), ("test", test), ("train", 1)) if many and not places[name]]
        if empty:
            groups = len(set(pool.groups or ()))
            raise DataError(
                f"{plural(groups, 'group')} of '{self.group}' {'is' if groups == 1 else 'are'} too few for "
                f"{wanted} splits: nothing is left for {' and '.join(empty)}; set dev or test to 0, "
                "or divide without group",
                where=at("group"),
            )
        return places, pool.words

    def _seeded(self) -> str:
        fold = f"fold {self.fold} of {self.folds} is {self.fold_is}, " if self.folds else ""
        return "" if self.time else f" ({fold}seed {self.seed})"


def _as_before(loaded: Splits, manifest: Mapping[str, str], others: str) -> tuple[dict[str, Examples], str]:
    rows: dict[str, dict[str, list[int]]] = {}
    found, new = 0, 0
    for part, examples in loaded.parts.items():
        for i, name in enumerate(examples.ids):
            if name in manifest:
                rows.setdefault(manifest[name], {}).setdefault(part, []).append(i)
                found += 1
            else:
                new += 1
    if found < len(manifest):
        present = {name for examples in loaded.parts.values() for name in examples.ids}
        gone = [name for name in manifest if name not in present]
        first = ", ".join(gone[:5]) + (", …" if len(gone) > 5 else "")
        raise DataError(
            f"{len(gone):,} of the {len(manifest):,} examples that the run was trained and judged on are gone "
            f"(ids {first}): the data has changed since; bring the old file back, or train again"
        )
    parts = {
        split: joined([loaded.parts[part].take(places) for part, places in sources.items()])
        for split, sources in rows.items()
    }
    ordered = _ordered(parts)
    note = f"split as the run was: {sizes(ordered)}"
    return ordered, note + (f"; {new:,} {others} examples are left out" if new else "")


def _shared_groups(parts: Mapping[str, Examples]) -> str:
    """A remark where the files as given put one group into train and into test."""
    if parts["train"].columns["groups"] is None or "test" not in parts:
        return ""
    both = set(parts["test"].column("groups")) & set(parts["train"].column("groups"))
    return f"; {plural(len(both), 'group stands', 'groups stand')} in train and in test as given" if both else ""


def _ordered(parts: Mapping[str, Examples]) -> dict[str, Examples]:
    return {name: parts[name] for name in (*SPLITS, *parts) if name in parts}


def counted(size: float, of: int) -> int:
    """How many examples a share or number is."""
    return size if isinstance(size, int) else max(1, int(size * of + 0.5)) if size else 0


def sizes(parts: Mapping[str, Examples]) -> str:
    """In words, how many examples each part has."""
    return ", ".join(f"{name} {len(examples):,}" for name, examples in parts.items())


def _refuse(message: str) -> None:
    raise PydanticCustomError("split", "{message}", {"message": message})
