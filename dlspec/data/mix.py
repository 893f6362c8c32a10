"""Several sources as one set of data: each read by its own reader, divided by its own split, and weighed."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from dlspec.data.base import Reader
from dlspec.data.joined import joined
from dlspec.data.splits import Split, sizes
from dlspec.recipe.component import OneOf, Section
from dlspec.types import SPLITS, DataError, Examples, Splits

APART = "/"
"""between the name of a source and the id that an example has there"""


class Source(Section):
    """One source of a mix."""

    data: Annotated[Any, OneOf("data"), WithJsonSchema({"type": ["string", "object"]})]
    """its reader; `split` says what it gives to train, dev and test: `{dev: 0, test: 0}` gives all to train"""
    weight: float = Field(1.0, gt=0)
    """how much each of its examples weighs in the loss of training (or is drawn, with train.sampling: weighted)"""


class Mix(Reader):
    """Sources by name; train, dev and test hold what each source's own reader puts there.

    `split.seed` is added to that of each source.  An example's id is `source/id`, its tag `source` the name: scores
    and errors are sliced by it.
    """

    summary: ClassVar[str] = "several sources together, each divided and weighed on its own"
    name: Literal["mix"] = "mix"

    sources: dict[str, Source] = Field(min_length=1)
    """name → data and weight"""

    @property
    def kind(self) -> str | None:  # type: ignore[override]
        """That of its sources, which are of one kind; None where they are not even readers."""
        one = next(iter(self.sources.values())) if isinstance(self.sources, Mapping) and self.sources else None
        data = one.data if isinstance(one, Source) else one.get("data") if isinstance(one, Mapping) else None
        if isinstance(data, Reader):
            return data.kind
        data = {"name": data} if isinstance(data, str) else data
        if not isinstance(data, Mapping) or not isinstance(data.get("name"), str):
            return None
        try:
            reader: Any = OneOf("data").choose(data["name"])
        except ValueError:
            return None
        kind: str | None = reader.model_construct(**data).kind
        return kind

    @field_validator("sources")
    @classmethod
    def _of_one_kind(cls, sources: dict[str, Source]) -> dict[str, Source]:
        kinds = {one.data.kind: name for name, one in sources.items()}
        if len(kinds) > 1:
            which = ", ".join(f"{name}: {kind}" for kind, name in kinds.items())
            message = f"the sources are of several kinds ({which}); a network takes one"
            raise PydanticCustomError("kinds", "{message}", {"message": message})
        wrong = [name for name in sources if APART in name or not name]
        if wrong:
            message = f"a source's name has no '{APART}': '{wrong[0]}'"
            raise PydanticCustomError("name", "{message}", {"message": message})
        return sources

    @field_validator("split")
    @classmethod
    def _divided_by_the_sources(cls, split: Split) -> Split:
        own = {key: getattr(split, key) for key in ("seed", "stratify", "train", "train_seed")}
        if split != Split(**own):
            message = "each source is divided by its own split; put this into the source's data"
            raise PydanticCustomError("split", "{message}", {"message": message})
        return split

    def load(self, *, truth: bool = True) -> Splits:
        """Every source as it lies on disk, in one part."""
        whole = [
            _named(name, one, joined(list(one.data.load(truth=truth).parts.values())))
            for name, one in self.sources.items()
        ]
        return Splits({"all": joined(whole)})

    def files(self) -> list[str]:
        return [file for one in self.sources.values() for file in one.data.files()]

    def at(self, path: str) -> Reader:
        """As the first source that can would read it."""
        for one in self.sources.values():
            with contextlib.suppress(DataError):
                found: Reader = one.data.at(path)
                return found
        return super().at(path)

    def divided(self, manifest: Mapping[str, str] | None = None) -> Splits:
        read, notes = {}, []
        for name, one in self.sources.items():
            split = one.data.split.model_copy(update={"seed": one.data.split.seed + self.split.seed})
            reader = one.data.model_copy(update={"split": split})
            read[name] = reader.read(None if manifest is None else _of(name, manifest))
            notes += [f"{name}: {note}" for note in read[name].notes]
        if manifest is not None:
            strange = [one for one in manifest if one.partition(APART)[0] not in self.sources]
            if strange:
                raise DataError(
                    f"{len(strange):,} examples are of sources that are gone (ids {', '.join(strange[:5])})"
                )
        parts: dict[str, list[tuple[str, Examples]]] = {}
        for name, splits in read.items():
            for split, examples in splits.parts.items():
                parts.setdefault(split, []).append((name, _named(name, self.sources[name], examples)))
        if "train" not in parts:
            raise DataError("no source gives anything to train; lower dev and test of one of them")
        whole = hashlib.blake2b("\n".join(f"{n}:{s.fingerprint}" for n, s in read.items()).encode(), digest_size=8)
        ordered = {name: parts[name] for name in (*SPLITS, *parts) if name in parts}
        drawn = "; ".join(
            f"{split} draws on {', '.join(f'{name} ({len(examples):,})' for name, examples in own)}"
            for split, own in ordered.items()
        )
        made = {split: joined([examples for _, examples in own]) for split, own in ordered.items()}
        of = {split: {name for name, _ in own} for split, own in ordered.items()}
        given = {split for one in read.values() for split in one.apart}
        apart = tuple(split for split in of if split in given or of[split] != of["train"])
        return Splits(made, whole.hexdigest(), (*notes, f"mixed {sizes(made)}: {drawn}"), apart)


def _named(name: str, source: Source, examples: Examples) -> Examples:
    """A source's examples with ids, groups and weights that hold beside those of others."""
    ids, weights, groups = (examples.columns[key] for key in ("ids", "weights", "groups"))
    if weights is None and source.weight != 1:
        weights = [1.0] * len(ids)
    return examples.replace(
        ids=[f"{name}{APART}{one}" for one in ids],
        sources=[name] * len(ids),
        tags={**examples.columns["tags"], "source": [name] * len(ids)},
        weights=None if weights is None else [source.weight * one for one in weights],
        groups=None if groups is None else [one and f"{name}{APART}{one}" for one in groups],
    )


def _of(name: str, manifest: Mapping[str, str]) -> dict[str, str]:
    head = f"{name}{APART}"
    return {one.removeprefix(head): split for one, split in manifest.items() if one.startswith(head)}
