"""The section `train`: how the network is fitted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from dlspec.recipe.component import OneOf, Section, blame, one_of
from dlspec.recipe.optimizers import OPTIMIZERS, Adam
from dlspec.recipe.schedules import SCHEDULES, Constant, Schedule
from dlspec.recipe.transfer import RunPath, Unfreeze, Until
from dlspec.remedies import AT_ONCE, EARLY, FIRST, LATE, USUAL, Remedy, Situation


class Clip(Section):
    """Gradients are made no larger than this: exactly one of the three.  Penalties (l1, l2) count as gradient."""

    norm: float | None = Field(None, gt=0)
    """the Euclidean norm of each variable's gradient by itself"""
    global_norm: float | None = Field(None, gt=0)
    """the Euclidean norm of all gradients together, so that their direction stays (Pascanu et al. 2013)"""
    value: float | None = Field(None, gt=0)
    """every entry, up and down"""

    @model_validator(mode="after")
    def _one(self) -> Clip:
        return one_of(self, "norm", "global_norm", "value")


class Average(Section):
    """An exponentially weighted average of the weights over the steps: it is what is scored, kept and saved.

    a ← momentum a + (1 - momentum) w after every update.  It begins as the weights after the first update; where a
    course begins at 0 and divides by 1 - momentumᵗ, all early weights count in proportion, here the first counts for
    momentumᵗ⁻¹: much, for the first 1 / (1 - momentum) updates.  Statistics of batch normalisation are running averages
    of their own and taken as they are.
    """

    momentum: float = Field(0.999, ge=0, lt=1)
    """how much of the average is kept in an update; it spans the last 1 / (1 - momentum) of them"""


class EarlyStopping(Section):
    """Stop when dev has not improved for a while.  Which weights are kept, `keep` says: by default the best."""

    patience: int = Field(10, ge=1)
    """epochs without improvement on dev before training stops"""
    minimum_change: float = Field(0.0, ge=0)
    """an improvement smaller than this does not count"""


class Checkpoints(Section):
    """How often a checkpoint is written: exactly one of the two."""

    steps: int | None = Field(None, ge=1)
    """after so many steps"""
    minutes: float | None = Field(None, gt=0)
    """after so many minutes"""

    @model_validator(mode="after")
    def _one(self) -> Checkpoints:
        return one_of(self, "steps", "minutes")


class Tokens(Section):
    """Batches by what they hold: as many sentences as fit."""

    tokens: int = Field(ge=1)
    """tokens in a batch at most, once its sentences are padded to the longest"""


class Train(Section):
    """How the network is fitted."""

    seed: int = Field(0, ge=0, lt=2**32)
    """one seed for initial weights, dropout, shuffling and augmentation"""
    start_from: RunPath | None = None
    """a run whose weights to begin with: its folder, its name, or last (of those beside which this one will lie).  They
    are taken layer by layer; the head begins anew where the classes, or what else the task asks, are other ones"""
    freeze: Literal["base"] | Until | None = None
    """which of the weights that were learned before stay as they are: those of the base (all but the last layer with
    weights, unless the architecture says otherwise), or `{until: LAYER}`.  What is frozen works as in inference, and
    where nothing random comes before it is worked out once (see features)"""
    unfreeze: Unfreeze | None = None
    """set free again in the course of training what is frozen; left out: it stays frozen"""
    first_layer_rate: float = Field(1.0, gt=0, le=1)
    """of the learning rate, the share with which the first layer learns; the last has the whole, and those between
    follow by equal factors ("discriminative" rates, Howard and Ruder 2018).  1: all alike"""
    batch_norm: Literal["auto", "learn", "keep"] = "auto"
    """keep: normalisations by batch in the base use the statistics, scale and shift that were learned before, and never
    learn themselves.  auto: so wherever weights were learned before; of a network from nothing, they learn"""
    features: Literal["auto", "off"] | Annotated[int, Field(ge=1)] = "auto"
    """auto: what the frozen layers make of each example is worked out once and kept in memory, where inputs are not
    augmented; a number: so many augmented versions of each are, and epochs take turns; off: worked out at every step"""
    epochs: int = Field(20, ge=1)
    """passes over train"""
    batch_size: Annotated[int, Field(ge=1)] | Literal["all"] | Tokens = 32
    """examples a step; `all` is batch gradient descent.  Of sentences also `{tokens: 1800}`: as many as hold so many
    tokens, padded"""
    accumulate: int = Field(1, ge=1)
    """steps whose gradients are averaged into one update of the weights, as if batches were so many times larger; what
    is gathered at the end of an epoch goes on into the next"""
    sampling: Literal["uniform", "balanced", "weighted"] = "uniform"
    """uniform: every example once an epoch; balanced: as many of each class; weighted: in proportion to the examples'
    weights, which then do not weigh in the loss.  An epoch has as many examples in any case"""
    optimizer: Annotated[Any, OneOf(None, *OPTIMIZERS, default="adam")] = Adam()
    """which rule turns gradients into steps"""
    schedule: Annotated[Any, OneOf(None, *SCHEDULES, default="constant")] = Constant()
    """how the learning rate changes: for each step, a share of the optimizer's"""
    clip: Clip | None = None
    """make large gradients smaller; left out: they are taken as they are"""
    average: Average | None = None
    """score, keep and save an average of the weights; left out: the weights themselves"""
    l1: float = Field(0.0, ge=0)
    """penalty on the sum of absolute weights (kernels alone, not biases)"""
    l2: float = Field(0.0, ge=0)
    """penalty on the sum of squared weights (kernels alone, not biases)"""
    max_norm: float | None = Field(None, gt=0)
    """the greatest Euclidean norm of the weights that come into a unit (of an embedded vector; kernels alone)"""
    early_stopping: EarlyStopping | None = None
    """stop when dev no longer improves; left out: train all epochs"""
    keep: Literal["best", "last"] = "best"
    """which epoch's weights are kept: the best on dev by the goal's metric (of equals the latest), or the last"""
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    """what layers compute in.  Weights, logits and loss are float32 in any case; with mixed_float16 the loss is scaled
    so that small gradients do not vanish.  Mixed is for processors that have it: on most CPUs it is slower"""
    compile: Literal["auto", "off", "xla"] = "auto"
    """xla: compile a step into one program. auto: by Keras' rule on a GPU; on a CPU, a training that is long enough
    times both ways after its first steps and takes the faster from there on.  Results differ in their last bits: what
    was decided is kept in the cache and in checkpoints, so that the same training comes to the same bits on a machine.
    To be sure of that where the cache is another, say xla or off"""
    executor: Literal["auto", "parallel", "single_threaded"] = "auto"
    """how TensorFlow goes through the operations of a step: those that do not wait for each other in parallel; or one
    after another in a single thread, which is faster where each takes but microseconds (each may still use all
    threads; train must be held in memory).  auto: in parallel, unless timing both after the first steps of a long
    training shows otherwise; kept and remembered as for `compile`.  Not together with compile: xla"""
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
    """processor threads; left out: as many as processors may be used (within a container's share of them)"""

    def remedies(self, of: Situation) -> list[Remedy]:
        """Longer, and with less to hold back, against bias; with more of it, against variance."""
        found: list[Remedy] = []
        decay = self.optimizer.weight_decay
        if of.cause == "avoidable bias":
            usual = type(self.optimizer).model_fields["learning_rate"].default
            if self.optimizer.learning_rate <= usual / 10:
                reason = "far below the usual learning rate, a network has hardly moved when training ends"
                found.append(Remedy({"optimizer.learning_rate": usual}, reason, AT_ONCE))
            if of.falling and not of.stopped and of.epochs >= self.epochs:
                reason = "training was still getting somewhere when it ended"
                found.append(Remedy({"epochs": 3 * self.epochs}, reason, FIRST))
            held: dict[str, Any] = {"l1": 0.0, "l2": 0.0} if self.l1 or self.l2 else {}
            held |= {"optimizer.weight_decay": 0.0} if decay else {}
            held |= {"max_norm": None} if self.max_norm else {}
            if held:
                found.append(
                    Remedy(held, "what keeps weights small holds back a network that learns too little", USUAL)
                )
            if self.optimizer.name == "sgd" and not self.optimizer.momentum:
                reason = "plain descent is slow where the loss is steep one way and flat the other"
                found.append(Remedy({"optimizer": "adam"}, reason, LATE))
        if of.cause == "variance":
            if self.l2 < 0.01:
                more = 0.001 if self.l2 < 0.001 else 0.01
                found.append(Remedy({"l2": more}, "small weights make a smooth function", USUAL))
            if self.keep == "last":
                found.append(Remedy({"keep": "best"}, "later epochs have learned train by heart", FIRST))
        if of.cause == "class imbalance" and of.classes and self.sampling == "uniform":
            found.append(Remedy({"sampling": "balanced"}, "each class is seen as often as every other", EARLY))
        return found

    @model_validator(mode="after")
    def _unfreezes_in_time(self) -> Train:
        if self.unfreeze is None:
            return self
        if self.freeze is None:
            raise blame("nothing is frozen that could be set free; say freeze: base too", "unfreeze", value=None)
        last = self.unfreeze.after + (self.unfreeze.parts - 1) * self.unfreeze.every
        if last >= self.epochs:
            message = f"the last part is set free after epoch {last}, but training has only {self.epochs}; do it sooner"
            raise blame(message, "unfreeze", "after", value=self.unfreeze.after)
        return self

    @field_validator("executor")
    @classmethod
    def _something_is_executed(cls, executor: str, info: ValidationInfo) -> str:
        if executor == "single_threaded" and info.data.get("compile") == "xla":
            message = "what XLA compiles is one operation, so that there is nothing to run in a single thread; take one"
            raise blame(message, "executor", "compile", value=executor)
        return executor

    @model_validator(mode="after")
    def _as_many_batches_in_every_epoch(self) -> Train:
        if isinstance(self.batch_size, Tokens) and self.sampling != "uniform":
            message = f"sampling: {self.sampling} draws other sentences in every epoch; count examples with it"
            raise blame(message, "batch_size", value="tokens")
        return self

    @field_validator("schedule")
    @classmethod
    def _warmup_ends(cls, schedule: Schedule, info: ValidationInfo) -> Schedule:
        epochs = info.data.get("epochs")
        long = schedule.warmup.epochs if schedule.warmup else None
        if epochs is not None and long is not None and long >= epochs:
            message = f"the warm-up lasts {long:g} epochs, but training only {epochs}; make it shorter"
            raise blame(message, "warmup", "epochs", value=long)
        return schedule
