"""The recipe: its sections, their settings and what must fit together.  Open choices arrive by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError, core_schema

from dlspec.recipe.component import ANY, OneOf, Section, again, blame
from dlspec.recipe.goal import Goal, unfit
from dlspec.recipe.training import Train
from dlspec.recipe.tune import Tune


class _Undetermined(Section):
    """Stands for an input whose kind would have followed from data that cannot be read."""

    kind: None = None


class Recipe(Section):
    """A recipe: what is asked (task) of which data, by which network, and how it is trained."""

    extends: str | None = Field(None, exclude=True)
    """another recipe that this one is layered over"""
    task: Annotated[Any, OneOf("tasks")]
    """what is asked: classification, regression, …"""
    data: Annotated[Any, OneOf("data")]
    """where the examples come from and how they are split"""
    input: Annotated[Any, OneOf("inputs", default=ANY)]
    """what goes into the network; its name may be left out: it follows from the data"""
    model: Annotated[Any, OneOf("models")]
    """the architecture"""
    train: Train = Train()
    """how the network is fitted"""
    goal: Goal = Goal()
    """what the run is judged by"""
    tune: Tune | None = None
    """which of its values `dlspec tune` searches; training leaves it aside"""

    @property
    def evaluator(self) -> Any:
        """What predictions are worth: the task's evaluator, with errors weighed where the goal asks for it."""
        found = self.task.evaluator
        return found.weighed(self.goal.costs) if self.goal.weighs else found

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """A patch need not hold what it extends; of a whole recipe, the input follows from the data."""
        found = super().__get_pydantic_json_schema__(schema, handler)
        whole = handler.resolve_ref_schema(found)
        must = [key for key in whole.pop("required", ()) if key != "input"]
        whole["anyOf"] = [{"required": ["extends"]}, {"required": must}]
        return found

    @model_validator(mode="before")
    @classmethod
    def _input_follows_data(cls, values: Any, info: ValidationInfo) -> Any:
        """An input without a name is of the kind that the data is."""
        if not isinstance(values, Mapping):
            return values
        given = values.get("input")
        if isinstance(given, str) or (given is not None and not isinstance(given, Mapping)) or "name" in (given or {}):
            return values
        data = values.get("data")
        data = {"name": data} if isinstance(data, str) else data
        if not isinstance(data, Mapping) or not isinstance(data.get("name"), str):
            return {**values, "input": _Undetermined()}  # the data's own complaint is enough
        try:
            reader = OneOf("data").choose(data["name"], (info.context or {}).get("folders", ()))
        except ValueError:
            return {**values, "input": _Undetermined()}  # the data's own complaint is enough
        unchecked: Any = reader.model_construct(**data)  # the kind of some readers follows from a setting
        if unchecked.kind is None:
            return {**values, "input": _Undetermined()}
        return {**values, "input": {"name": unchecked.kind, **(given or {})}}

    @field_validator("model")
    @classmethod
    def _model_fits(cls, model: Any, info: ValidationInfo) -> Any:
        task, entry = info.data.get("task"), info.data.get("input")
        kind = entry.kind if entry is not None else None
        if task is not None and kind is not None and task.asks_of and kind not in task.asks_of:
            _refuse(f"task '{task.name}' is asked of a {' or '.join(task.asks_of)}, but the input is a {kind}")
        if task is not None and not isinstance(model, task.takes):
            family = task.takes.__name__.lower()
            _refuse(f"task '{task.name}' takes a {family}; '{model.name}' is none")
        says = task.refuses(model) if task is not None else None
        if says:
            _refuse(says)
        if entry is not None and entry.kind is not None and entry.kind not in model.accepts:
            takes = " or ".join(model.accepts)
            _refuse(f"'{model.name}' takes {takes}, but the input '{entry.name}' is a {entry.kind}")
        return model

    @field_validator("train")
    @classmethod
    def _sampling_fits(cls, train: Train, info: ValidationInfo) -> Train:
        task = info.data.get("task")
        if task is not None and train.sampling == "balanced" and not task.balances:
            message = (
                f"balanced draws as many examples of each class, and task '{task.name}' has no classes; leave it "
                "out, or give examples a weight (data.weight) and write weighted"
            )
            raise blame(message, "sampling", value="balanced")
        return train

    @field_validator("train")
    @classmethod
    def _something_was_learned(cls, train: Train, info: ValidationInfo) -> Train:
        model = info.data.get("model")
        if model is None or model.learned is not None or train.start_from is not None:
            return train
        for key in ("freeze", "batch_norm"):
            if getattr(train, key) not in (None, "auto", "learn"):
                message = "this network starts from nothing: there is nothing to keep. Give train.start_from"
                also = " or model.weights" if "weights" in type(model).model_fields else ""
                raise blame(f"{message}{also}, or leave it out", key, value=getattr(train, key))
        return train

    @field_validator("goal", mode="wrap")
    @classmethod
    def _goal_fits(cls, given: Any, handler: Any, info: ValidationInfo) -> Goal:
        task = info.data.get("task")
        found = unfit(given, task.evaluator.metrics({})) if task is not None else []
        try:
            goal: Goal = handler(given)
        except ValidationError as error:
            found = again(error) + found
        if found:
            raise ValidationError.from_exception_data("goal", found)
        return goal


def choices(section: type[Section] = Recipe, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], OneOf]:
    """Where a recipe chooses by name: path → choice."""
    found: dict[tuple[str, ...], OneOf] = {}
    for key, field in section.model_fields.items():
        for one in field.metadata:
            if isinstance(one, OneOf):
                found[(*path, key)] = one
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            found |= choices(field.annotation, (*path, key))
    return found


def _refuse(message: str) -> None:
    raise PydanticCustomError("unfit", "{message}", {"message": message})
