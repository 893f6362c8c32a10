"""What is watched while a network is fitted: scores, the best weights, history, checkpoints, when to stop."""

from __future__ import annotations

import contextlib
import csv
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.report.watch import EpochReport, Watch
from dlspec.runs import checkpoint as checkpoints
from dlspec.runs.checkpoint import Checkpoint
from dlspec.runs.compilation import Compilation
from dlspec.runs.folder import writing
from dlspec.runs.health import Health
from dlspec.runs.interruption import Interruption
from dlspec.runs.judging import Best, Judge, Patience, Plateau
from dlspec.runs.optimizing import averaged, rate_of_last_step, set_peak
from dlspec.runs.tensorboard import Board
from dlspec.strategy.goals import ahead, level
from dlspec.types import ArgumentError, Metric

if TYPE_CHECKING:
    from dlspec.runs.fitted import Fitted

WRITE_SECONDS = 2.0
CHECKPOINT_SECONDS = 20.0
"""a checkpoint is written no more often than this, and not more often than fifty times what the last one took"""


class Observer:
    """What happens after every group of steps and at the end of every epoch.

    step: steps of the whole training so far; in_epoch: how many batches of this epoch's plan are behind (those of which
    nothing could be read included).  What it needs to go on is in a checkpoint.
    """

    def __init__(
        self,
        recipe: Recipe,
        metric: Metric,
        folder: Path,
        watch: Watch,
        health: Health | None = None,
    ) -> None:
        self.recipe, self.metric, self.folder, self.watch, self.health = recipe, metric, folder, watch, health
        self.judge = Judge(metric, recipe.goal.limits_of_weights)
        self.history: list[dict[str, float]] = []
        self.best: Best | None = None
        self.patience = Patience()
        self.diverged: int | None = None
        self.stopped_at: int | None = None
        self.enough = False
        self.seconds = 0.0
        self.epoch = self.step = self.in_epoch = 0
        self.interruption, self.loop, self.earlier = Interruption(), None, 0.0
        self.resumed: Checkpoint | None = None
        self.compilation: Compilation | None = None
        self.plateau = Plateau()
        self.written = 0.0
        self.saved = (0, time.monotonic(), 0.0)  # at which step, when, and how long it took
        self.board = Board(folder / "tensorboard") if recipe.train.tensorboard else None
        if health and self.board:
            board, of = self.board, health
            health.heard = lambda sample: board.scalars("health", of.scalars(sample), sample.step)

    def enter(self, now: Fitted, whole: Any) -> None:
        """Another stage of the training begins.  whole: the network of which a part may be fitted."""
        pipeline = now.material.pipeline
        self.whole, self.stage, self.dev = whole, now.number, now.material.dev
        self.examples, self.steps = len(pipeline.store), pipeline.steps
        moving = {id(one) for one in now.network.variables}
        # What is no part of what is fitted stays as it is: copied once a stage, not once an epoch.
        self.still = {id(one): np.array(one) for one in whole.weights if id(one) not in moving}

    @property
    def ended_for_good(self) -> bool:
        """Whether no stage is to follow."""
        return self.enough or self.stopped_at is not None or self.diverged is not None

    def resume(self, at: Checkpoint) -> None:
        """Go on from a checkpoint; the variables are put back by `callback` when there are any."""
        facts = at.facts
        self.resumed = at
        self.step, self.epoch, self.in_epoch = at.step, facts["epoch"], facts["in_epoch"]
        self.history, self.seconds = [dict(row) for row in facts["history"]], facts["seconds"]
        self.stopped_at = facts["stopped_at"]
        self.patience = Patience(facts["since"], self.judge.stood(facts["reached"]) if facts["reached"] else None)
        if self.recipe.train.schedule.name == "reduce_on_plateau":
            self.plateau = Plateau(**facts.get("plateau", {}))
        if at.best is not None:
            stood = self.judge.stood(facts["best_scores"])
            self.best = Best(facts["best_epoch"], stood, list(at.best), facts["best_step"])
        if facts["judged_by"] != self.judge.by:
            self._judge_anew()
        if self.health:
            self.health.resume(facts.get("health") or {})
        self.saved = (self.step, time.monotonic(), 0.0)
        if self.board:
            self.board.go_on(self.epoch, self.step)

    def _judge_anew(self) -> None:
        """The goal has become another: what was reached counts by its metric and limits, and patience begins anew.

        Of the best weights only those that are kept can be had: what they scored is what is to be beaten.
        """
        reached, plateau = self.judge.reached(self.history)
        self.patience = Patience(len(self.history) - 1, reached)
        self.plateau = self.plateau._replace(best=plateau, waited=0)
        if self.best:
            stood = self.judge.after(self.history, self.best.epoch)
            self.best = None if np.isnan(stood.value) else self.best._replace(standing=stood)

    def begun(self, network: Any, epoch: int, loop: Any) -> None:
        """An epoch begins; the one that a checkpoint cut in two goes on where it was."""
        metrics = {}
        if self.resumed and epoch == self.epoch and self.in_epoch:
            found = checkpoints.variables(network)
            metrics = {name: one for name, one in found.items() if name.startswith("metrics/")}
            checkpoints.restore(metrics, {name: self.resumed.arrays[name] for name in metrics})
        else:
            self.in_epoch = 0
        self.epoch, self.earlier = epoch, self.resumed.facts["epoch_seconds"] if metrics and self.resumed else 0.0
        self.loop = loop
        if loop:
            loop.begin(epoch, self.in_epoch)

    def limit(self) -> int:
        """How many steps may be taken before this observer wants to look."""
        setting = self.recipe.train.checkpoint
        every = setting.steps if setting else None
        most = max(1, every - (self.step - self.saved[0])) if every else 1 << 30
        return min(most, self.health.limit) if self.health else most

    def stepped(self, network: Any, done: int, logs: Mapping[str, Any], spent: Callable[[], float]) -> bool:
        """Take note of a group of steps; True where training should stop.  Raises KeyboardInterrupt if told to stop."""
        self.step += done
        self.in_epoch = self.loop.behind if self.loop else self.in_epoch + done
        loss = float(logs.get("loss", np.nan))
        if self.board:
            self.board.learning_rate(network.optimizer, self.step)
        self.watch.step(self.epoch, min(self.in_epoch, self.steps), loss)
        if not np.isfinite(loss):
            self.diverged = self.epoch + 1
            return True
        if self.health:
            epochs = self.epoch + self.in_epoch / max(1, self.steps)
            self.health.stepped(network, self.step, epochs)
        whole = self.in_epoch >= self.steps
        if self.loop and (self.interruption.asked or (not whole and self._due())):
            self.save(network, self.epoch, self.in_epoch, self.earlier + spent())
        if self.interruption.asked:
            raise KeyboardInterrupt
        return self.diverged is not None

    def ended(self, network: Any, epoch: int, seconds: float, logs: Mapping[str, Any]) -> bool:
        """Take note of an epoch; True where training should stop."""
        if hasattr(network, "jax_state_sync"):
            network.jax_state_sync()  # until then the variables are empty
        train = {name: float(value) for name, value in logs.items()}
        if not np.isfinite(train.get("loss", 0.0)):
            self.diverged = epoch + 1
        seconds += self.earlier
        with averaged(network, self.recipe.train):
            weights = network.get_weights()
            if not all(checkpoints.finite(one) for one in weights):
                # The loss of a step is that of the weights before it.
                self.diverged = epoch + 1
            diverged = self.diverged is not None
            dev = self.dev(network) if self.dev and not diverged else {}
            stood = self.judge.stood(dev)
            standing = self.best.standing if self.best else None
            kept = ahead(stood, standing) or (standing is not None and level(stood, standing))
            if kept:
                # Of equally good epochs the later is kept: the first to guess everything right is rarely sure of it.
                held = [self.still.get(id(one)) for one in self.whole.weights]
                whole = [np.array(v) if h is None else h for v, h in zip(self.whole.weights, held, strict=True)]
                self.best = Best(epoch, stood, whole, self.step)
        self.seconds += seconds
        row = {"epoch": epoch + 1, "seconds": seconds}
        row |= {f"train_{name}": value for name, value in train.items()}
        row |= {f"dev_{name}": value for name, value in dev.items()}
        row["learning_rate"] = rate_of_last_step(network, self.recipe.train, self.steps)
        self.history.append(row)
        share = self.plateau.share
        stopping = self.recipe.train.early_stopping
        if not diverged:  # that epoch was not scored
            if self.recipe.train.schedule.name == "reduce_on_plateau":
                self._watch_plateau(network, stood.value)
            losses = [one.get("train_loss", np.nan) for one in self.history]
            self.patience = self.patience.after(epoch, stood, stopping.minimum_change if stopping else 0.0, losses)
            if stopping and epoch - self.patience.since >= stopping.patience:
                self.stopped_at = epoch + 1
        if time.monotonic() - self.written > WRITE_SECONDS:
            self.write()
        if self.board:
            self.board.scalars("train", train, epoch + 1)
            self.board.scalars("dev", dev, epoch + 1)
        rate = self.examples / seconds if seconds else float("nan")
        self.watch.epoch(
            EpochReport(epoch + 1, self.recipe.train.epochs, seconds, rate, train, dev, self.metric.name, kept)
        )
        self.enough = self.watch.enough()
        last = self.enough or self.stopped_at is not None or epoch + 1 == self.recipe.train.epochs
        # Where the learning rate falls as well: a replay from a checkpoint before that would not know of it.
        if not diverged and (last or self._due() or self.plateau.share != share):
            self.save(network, epoch + 1, 0, 0.0)
        return self.ended_for_good

    def _watch_plateau(self, network: Any, judged: float) -> None:
        train, before = self.recipe.train, self.plateau
        warmup = train.schedule.warmup
        if warmup and self.step < warmup.length(self.steps):
            return
        self.plateau = before.after(train.schedule, self.metric, judged)
        if self.plateau.share != before.share:
            rate = train.optimizer.learning_rate * self.plateau.share
            set_peak(network, rate)
            self.watch.note(f"{self.metric.name} has come to a plateau: the learning rate is {rate:.3g} from now on")

    def _due(self) -> bool:
        step, at, cost = self.saved
        setting = self.recipe.train.checkpoint
        passed = time.monotonic() - at
        if setting and setting.steps:
            return self.step - step >= setting.steps
        if setting and setting.minutes:
            return passed >= 60 * setting.minutes
        return passed >= max(CHECKPOINT_SECONDS, 50 * cost)

    def back_to(self, network: Any, at: Checkpoint) -> None:
        """Forget what came after a step, and write a checkpoint of it; the network is as it was then."""
        self.step, epoch = at.step, at.facts["epoch"]
        self.history = self.history[:epoch]
        self.seconds = sum(row["seconds"] for row in self.history)
        if self.health:
            self.health.samples = [one for one in self.health.samples if one.step <= self.step]
        self.write()
        self.save(network, epoch, at.facts["in_epoch"], 0.0)

    def save(self, network: Any, epoch: int, in_epoch: int, epoch_seconds: float) -> None:
        """Write a checkpoint: all that is needed to go on from this step; none where training has diverged by it."""
        began = time.monotonic()
        best = self.best
        facts = {
            "stage": self.stage,
            "epoch": epoch,
            "in_epoch": in_epoch,
            "epoch_seconds": epoch_seconds,
            "history": self.history,
            "seconds": self.seconds,
            "since": self.patience.since,
            "reached": self.patience.reached.scores if self.patience.reached else None,
            "judged_by": self.judge.by,
            "stopped_at": self.stopped_at,
            "best_epoch": best.epoch if best else None,
            "best_scores": best.standing.scores if best else None,
            "best_step": best.step if best else None,
            "health": self.health.facts() if self.health else None,
            "plateau": self.plateau._asdict(),
            "compilation": self.compilation.facts() if self.compilation else None,
        }
        arrays = checkpoints.captured(checkpoints.variables(network, self.whole))
        if not checkpoints.sound(arrays):
            self.diverged = len(self.history) if not in_epoch else epoch + 1
            return
        with self._said():
            checkpoints.save(
                self.folder / "checkpoint", Checkpoint(self.step, arrays, facts, best.weights if best else None)
            )
        self.saved = (self.step, time.monotonic(), time.monotonic() - began)

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """Where nothing can be written any more, training stops, and what is there already is whole."""
        try:
            yield
        except OSError as error:
            command = f"dlspec train --resume {shlex.quote(str(self.folder))}"
            raise ArgumentError(
                f"cannot write to {self.folder}: {error.strerror or error}; what was saved up to step "
                f"{self.saved[0]:,} is whole: make room, then go on with `{command}`"
            ) from None

    def write(self) -> None:
        """history.csv: an epoch a row."""
        self.written = time.monotonic()
        if not self.history:
            return
        names = list(dict.fromkeys(name for row in self.history for name in row))
        with self._said(), writing(self.folder / "history.csv") as text:
            writer = csv.DictWriter(text, names, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.history)
