"""A chain: runs joined so that what one finds the next looks at, and the data that the whole is judged by."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from dlspec.recipe.complain import complaints
from dlspec.recipe.component import OneOf, Section, blame
from dlspec.recipe.load import document_of, homes
from dlspec.recipe.transfer import RunPath
from dlspec.types import ArgumentError, RecipeError

Share = Annotated[float, Field(ge=0, le=1)]


class Stage(Section):
    """A run, and what of the stage before it looks at."""

    run: RunPath
    """the run: its folder, its name, or `last`"""
    takes: Literal["pictures", "crops"] = "pictures"
    """pictures: whole ones (the first stage, which finds boxes); crops: what is in each box"""
    margin: Share = 0.0
    """crops: so much is added on each side, as a share of the box's side"""
    least: Share = 0.05
    """crops: boxes that are less sure are not looked at, and go"""
    keep: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """crops: boxes that this stage finds to be of another class go; nothing given: none does"""


class Chain(Section):
    """Stages, the first of which finds boxes in pictures; each that follows says what is in them.

    The class of a box is what the last stage says, its confidence the product of the first stage's and the last's.
    """

    stages: tuple[Stage, ...]
    """in their order"""
    data: Annotated[Any, OneOf("data")]
    """pictures with boxes, whose classes are those of the last stage"""
    overlap: Annotated[float, Field(gt=0, le=1)] = 0.5
    """boxes of the first stage that overlap more than this (IoU) are of one object, whatever it took them for: the
    surest is left, as its class is told anew"""
    metric: str | None = None
    """what decides; nothing given: map_50_95"""

    @field_validator("stages")
    @classmethod
    def _each_takes_what_there_is(cls, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        if len(stages) < 2:  # asked here: of stages with a typo, those that are left would be counted
            message = f"a chain has two stages or more, got {len(stages)}: one that finds boxes, one that looks at them"
            raise PydanticCustomError("short", "{message}", {"message": message})
        for place, stage in enumerate(stages):
            takes = "crops" if place else "pictures"
            if stage.takes != takes:
                message = (
                    "the first stage looks at pictures, and gives boxes; leave takes out"
                    if not place
                    else "a later stage looks at what the one before has found; write takes: crops"
                )
                raise blame(message, str(place), "takes", value=stage.takes)
        return stages


def load_chain(path: str | Path) -> Chain:
    """Read and check a chain.  Raises RecipeError with every complaint."""
    file = Path(path)
    document = document_of(file)
    folders = (file.absolute().parent,)
    if "stages" not in document.value and "task" in document.value:
        raise ArgumentError(f"{path} is a recipe; train it, and give its run (or a chain: a file with stages and data)")
    try:
        chain = Chain.model_validate(document.value, context={"folders": folders, "homes": homes(document)})
    except ValidationError as error:
        found = document.complaints + complaints(error, document)
        raise RecipeError(sorted(found, key=lambda one: one.where.line or 0)) from None
    if document.complaints:
        raise RecipeError(document.complaints)
    return chain
