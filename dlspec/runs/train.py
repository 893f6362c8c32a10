"""From a checked recipe to a run directory: prepare, build, fit, score, save."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.numeric.printable import shown
from dlspec.recipe.load import Loaded, dump
from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs import board_sheet, goals, machine, origin, precision, report, serving
from dlspec.runs import folder as folders
from dlspec.runs.auxiliary import unassisted
from dlspec.runs.backend import check_backend, load_keras, threads_in_force
from dlspec.runs.divergence import say, traced
from dlspec.runs.fitting import fit
from dlspec.runs.kept import forget
from dlspec.runs.material import Material, material_of
from dlspec.runs.network import for_training
from dlspec.runs.optimizing import too_short
from dlspec.runs.own_code import copy_own_code
from dlspec.runs.prepare import headline, prepare
from dlspec.runs.stages import stages
from dlspec.types import Place, RecipeError, Splits, State
from dlspec.wording import plural

if TYPE_CHECKING:
    from dlspec.runs.checkpoint import Checkpoint
    from dlspec.runs.warm import Warm


@dataclass
class Trained:
    """What a training left behind."""

    run: Path
    epochs: int
    seconds: float
    examples_per_second: float
    scores: dict[str, dict[str, dict[str, float]]]
    goal: dict[str, Any]
    best_epoch: int | None
    warnings: list[str]
    health: dict[str, Any] | None
    signatures: dict[str, str]

    def json(self) -> dict[str, Any]:
        return {
            "run": str(self.run),
            "epochs": self.epochs,
            "seconds": self.seconds,
            "examples_per_second": self.examples_per_second,
            "scores": self.scores,
            "signatures": self.signatures,
            "goal": self.goal,
            "best_epoch": self.best_epoch,
            "warnings": self.warnings,
            "health": self.health and {key: self.health[key] for key in ("verdict", "says", "change", "mended_by")},
        }


def train(
    loaded: Loaded,
    *,
    out: str | Path = folders.RUNS,
    watch: Watch | None = None,
    splits: Splits | None = None,
    warm: Warm | None = None,
) -> Trained:
    """Train a recipe in a new run directory under `out`.

    splits: the data, where it is divided otherwise than the recipe says (folds of an audit).
    warm: shared by trainings of one process, which read, learn and encode what is the same only once.
    Raises RecipeError or DataError before anything is written.
    """
    watch = watch or Watch()
    check_backend()
    loaded = origin.settled(loaded, out)
    recipe = loaded.recipe
    with loaded.placing():
        prepared = prepare(recipe, watch, splits, warm)
        state, splits = prepared.state, prepared.splits
        check_dev(recipe, splits)
        load_keras(threads=recipe.train.threads, seed=recipe.train.seed)
        if recipe.train.threads and recipe.train.threads != threads_in_force():
            watch.warn(
                f"this process has {plural(threads_in_force(), 'thread')} already; train.threads is not in force"
            )
        network = for_training(recipe, state)
        origin.begin(recipe, state, unassisted(network), watch)
        stages(recipe, network)  # whether all layers that are named are there
        material = material_of(recipe, state, splits, watch, warm)
    short = too_short(recipe.train, material.pipeline.steps)
    for sentence in short:
        watch.warn(sentence)
    warnings = [*prepared.warnings, *short]
    run = folders.create(out, loaded.name)
    _begin(run, loaded, splits, state, warnings)
    report.keep_data(
        run,
        recipe,
        splits,
        state,
        notes=prepared.notes,
        warnings=warnings,
        parameters=unassisted(network).count_params(),
    )
    return carry_out(run, loaded, state, material, network, watch, said=warnings)


def check_dev(recipe: Recipe, splits: Splits) -> None:
    """Raises RecipeError where something is to be decided by dev, and there is none."""
    if recipe.train.early_stopping and "dev" not in splits:
        message = "needs a dev split to watch; give data.split.dev, or leave it out"
        raise RecipeError(message, where=Place(key="train.early_stopping"))
    if recipe.train.schedule.name == "reduce_on_plateau" and "dev" not in splits:
        message = "reduce_on_plateau needs a dev split to watch; give data.split.dev, or take another schedule"
        raise RecipeError(message, where=Place(key="train.schedule"))


def carry_out(
    run: Path,
    loaded: Loaded,
    state: State,
    material: Material,
    network: Any,
    watch: Watch,
    *,
    said: list[str],
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Fit the network of a run whose directory is there, from its start or from a checkpoint; score it and save it."""
    from dlspec.runs.health import conclude

    recipe = loaded.recipe
    if recipe.train.tensorboard:
        board_sheet.describe(run)
    with loaded.placing():
        observer, last, initial = fit(recipe, state, material, network, run, watch, checkpoint)
    dev, sample = last.material.dev, last.material.sample
    began = traced(observer, recipe, state, last, run, initial, watch)
    health = conclude(observer.health, observer, run, watch, began) if observer.health else None
    if observer.diverged:
        with loaded.placing():
            say(observer, recipe, run, watch, began, health)
    if observer.best and (recipe.train.keep == "best" or observer.diverged):
        network.set_weights(observer.best.weights)
    predictions = {"train": sample.predictions(network)}
    if dev is not None:
        predictions["dev"] = dev.predictions(network)
        state["task"] = recipe.task.calibrate(predictions["dev"], dev.examples, state)
        folders.write_json(run / "state.json", state)
    copy_own_code(recipe, run)  # once more: what was imported at work is there by now
    forget(run)
    scores = _scores(run, recipe, state, {"train": sample, **({"dev": dev} if dev else {})}, predictions, watch)

    fresh = precision.build(recipe, state)  # saved uncompiled: for inference, by any tool
    fresh.set_weights(unassisted(network).get_weights())
    with folders.replacing(run / "model.keras") as new:
        fresh.save(new)
    kept = observer.best.epoch + 1 if observer.best else None
    goal = _goal(run, recipe, state, material, predictions, fresh, watch, kept)
    epochs = len(observer.history)
    seen = epochs * len(material.pipeline.store)
    rate = seen / observer.seconds if observer.seconds else float("nan")
    signatures = recipe.evaluator.signatures(state["task"])
    facts = {"epochs": epochs, "seconds": observer.seconds, "examples_per_second": rate, "signatures": signatures}
    folders.write_json(run / "scores.json", {"scores": scores, "goal": goal, "best_epoch": kept, **facts})
    report.write_report(run)
    if recipe.train.tensorboard:
        board_sheet.conclude(run, recipe, scores)
    return Trained(run, epochs, observer.seconds, rate, scores, goal, kept, said, health, signatures)


def _goal(
    run: Path,
    recipe: Recipe,
    state: State,
    material: Material,
    predictions: dict[str, Any],
    network: Any,
    watch: Watch,
    kept: int | None,
) -> dict[str, Any]:
    """Where the run stands with its goal; what is of the network alone is measured now, when all else is done."""
    names = serving.wanted(recipe.goal)
    measured = {}
    if names:
        store = (material.dev or material.sample).store
        arrays = next(iter(store.chunks(serving.SINGLES)))
        with watch.alone() if serving.takes_time(names) else contextlib.nullcontext():
            measured = serving.measure(recipe, state, network, arrays, run / "model.keras", names)
        watch.note(serving.said(measured))
    found = material.dev.values(predictions["dev"]) if material.dev else {}
    goal: dict[str, Any] = goals.told(headline(recipe, state), recipe.goal, found, "dev", measured)
    if not goal["feasible"]:
        nearest = f"; of all epochs, {kept} was the nearest" if kept and recipe.goal.limits_of_weights else ""
        watch.warn(f"{goal['says']}{nearest}")
    return goal


def _begin(run: Path, loaded: Loaded, splits: Splits, state: State, said: list[str]) -> None:
    recipe = copy_own_code(loaded.recipe, run)
    head = f"# {shown(loaded.file.name)}, filled: every default written out\n"
    folders.write_text(run / "recipe.yaml", dump(recipe, head))
    folders.write_json(run / "state.json", state)
    folders.write_manifest(run / "manifest.csv", {name: part.ids for name, part in splits.parts.items()})
    described = machine.describe(seed=recipe.train.seed, threads=threads_in_force(), fingerprint=splits.fingerprint)
    folders.write_json(run / "machine.json", {**described, "warnings": said})


def _scores(
    run: Path, recipe: Recipe, state: State, scored: dict[str, Any], predictions: dict[str, Any], watch: Watch
) -> dict[str, Any]:
    evaluator = recipe.evaluator
    result = {}
    for split, of in scored.items():
        statistics = evaluator.statistics(of.examples, predictions[split], state["task"])
        report.keep_figures(run, split, evaluator, statistics, state["task"])
        watch.scored(run, split, of.examples, statistics)
        found = evaluator.combine(statistics)
        result[split] = {name: {"value": value, "n": len(of.examples)} for name, value in found.items()}
    return result
