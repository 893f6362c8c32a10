"""What a recipe says of weights that were learned before: where they come from, which are held, and until when."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import core_schema

from dlspec.recipe.component import Section
from dlspec.recipe.places import folders_of, look_for


class Until(Section):
    """A layer, and all that it hangs on, is frozen."""

    until: str
    """its name, as `dlspec check --run` lists it"""


class Unfreeze(Section):
    """What is frozen is set free in parts, the last layers first (Howard and Ruder 2018, "Universal language model
    fine-tuning", gradual unfreezing).

    Each part is a stage of the training: its optimizer is a new one, whose moments begin at nothing for all weights
    alike; the schedule of the learning rate goes on.
    """

    after: int = Field(1, ge=1)
    """epochs before the first part is set free"""
    parts: int = Field(1, ge=1)
    """in how many parts, each of as many layers with weights; 1: all at once"""
    every: int = Field(1, ge=1)
    """epochs from one part to the next"""
    from_layer: str | None = None
    """layers that this one hangs on stay frozen to the end; left out: none does"""


class _Run:
    """A run's folder, made absolute where it is one; anything else is a run's name, which training looks up."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_after_validator_function(self.resolve, handler(source))

    def resolve(self, value: str, info: core_schema.ValidationInfo) -> str:
        try:
            found = look_for(value, folders_of(value, info.context or {}))
        except ValueError:
            return value
        return found if (Path(found) / "recipe.yaml").is_file() else value


RunPath = Annotated[str, _Run()]
