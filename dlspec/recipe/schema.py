"""The recipe: its sections, their settings and what must fit together.  Open choices arrive by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError, core_schema

from dlspec.recipe.component import ANY, OneOf, Section, unknown

Share = Annotated[float, Field(ge=0, lt=1)]


class SGD(Section):
    """Gradient descent, with momentum where it is asked for."""

    name: Literal["sgd"] = "sgd"
    learning_rate: float = Field(0.01, gt=0)
    """step size"""
    momentum: Share = 0.0
    """how much of the last step is kept"""
    nesterov: bool = False
    """look ahead along the momentum before taking the gradient"""


class RMSprop(Section):
    """Gradient divided by a running mean of its size (Hinton, Coursera lecture 6e)."""

    name: Literal["rmsprop"] = "rmsprop"
    learning_rate: float = Field(0.001, gt=0)
    """step size"""
    rho: Share = 0.9
    """decay of the running mean of squared gradients"""
    momentum: Share = 0.0
    """how much of the last step is kept"""
    epsilon: float = Field(1e-7, gt=0)
    """keeps the division away from zero"""
    centered: bool = False
    """divide by the gradient's variance instead of its square"""


class Adam(Section):
    """Momentum and RMSprop together, corrected for their start (Kingma and Ba 2015)."""

    name: Literal["adam"] = "adam"
    learning_rate: float = Field(0.001, gt=0)
    """step size"""
    beta_1: Share = 0.9
    """decay of the running mean of gradients"""
    beta_2: Share = 0.999
    """decay of the running mean of squared gradients"""
    epsilon: float = Field(1e-7, gt=0)
    """keeps the division away from zero (Keras adds it before the correction of the start, the paper after)"""
    amsgrad: bool = False
    """never let the running mean of squared gradients shrink (Reddi et al. 2018)"""


class AdamW(Adam):
    """Adam with weight decay taken apart from the gradient (Loshchilov and Hutter 2019)."""

    name: Literal["adamw"] = "adamw"  # type: ignore[assignment]
    weight_decay: float = Field(0.004, ge=0)
    """share of every weight taken off a step, times the learning rate"""


class EarlyStopping(Section):
    """Stop when dev has not improved for a while."""

    patience: int = Field(10, ge=1)
    """epochs without improvement on dev before training stops"""
    minimum_change: float = Field(0.0, ge=0)
    """an improvement smaller than this does not count"""


class Checkpoints(Section):
    """How often a checkpoint is written: one of the two."""

    steps: int | None = Field(None, ge=1)
    """after so many steps"""
    minutes: float | None = Field(None, gt=0)
    """after so many minutes"""


class Train(Section):
    """How the network is fitted."""

    seed: int = Field(0, ge=0, lt=2**32)
    """one seed for initial weights, dropout, shuffling and augmentation"""
    epochs: int = Field(20, ge=1)
    """passes over train"""
    batch_size: Annotated[int, Field(ge=1)] | Literal["all"] = 32
    """examples a step; `all` is batch gradient descent"""
    optimizer: Annotated[Any, OneOf(None, SGD, RMSprop, Adam, AdamW, default="adam")] = Adam()
    """which rule turns gradients into steps"""
    l1: float = Field(0.0, ge=0)
    """penalty on the sum of absolute weights (kernels alone, not biases)"""
    l2: float = Field(0.0, ge=0)
    """penalty on the sum of squared weights (kernels alone, not biases)"""
    early_stopping: EarlyStopping | None = None
    """stop when dev no longer improves; left out: train all epochs"""
    keep: Literal["best", "last"] = "best"
    """which epoch's weights are kept: the best on dev by the goal's metric (of equals the latest), or the last"""
    tensorboard: bool = True
    """write TensorBoard's event files into the run"""
    health: bool = True
    """look into every layer now and then (gradients, updates, dead and saturated units), and say what is wrong"""
    cache: Literal["auto", "memory", "disk", "none"] = "auto"
    """where encoded examples are kept between epochs; auto: decided by their measured size"""
    checkpoint: Checkpoints | None = None
    """how often a checkpoint is written; left out: as often as costs next to nothing"""
    steps_per_execution: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """steps between two looks of the host; auto: as many as take a fifth of a second, measured while training"""
    threads: int | None = Field(None, ge=1)
    """processor threads; left out: as many as there are"""


class Goal(Section):
    """What the run is judged by."""

    optimize: str | None = None
    """the metric that decides on dev; left out: the task's headline metric"""


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
        return {**values, "input": {"name": unchecked.kind, **(given or {})}}

    @field_validator("model")
    @classmethod
    def _model_fits(cls, model: Any, info: ValidationInfo) -> Any:
        task, entry = info.data.get("task"), info.data.get("input")
        if task is not None and not isinstance(model, task.takes):
            family = task.takes.__name__.lower()
            _refuse(f"task '{task.name}' takes a {family}; '{model.name}' is none")
        if entry is not None and entry.kind is not None and entry.kind not in model.accepts:
            takes = " or ".join(model.accepts)
            _refuse(f"'{model.name}' takes {takes}, but the input '{entry.name}' is a {entry.kind}")
        return model

    @field_validator("goal")
    @classmethod
    def _goal_is_a_metric(cls, goal: Goal, info: ValidationInfo) -> Goal:
        task = info.data.get("task")
        if task is not None and goal.optimize is not None:
            known = [metric.name for metric in task.evaluator.metrics({})]
            if goal.optimize not in known:
                _refuse(unknown("metric", goal.optimize, known))
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
