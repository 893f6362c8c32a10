"""From a checked recipe to a run directory: prepare, build, fit, score, save."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dlspec.numeric.picture_formats import shown
from dlspec.recipe.load import Loaded, dump
from dlspec.recipe.places import helpers
from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs import board_sheet, machine, precision, report
from dlspec.runs import folder as folders
from dlspec.runs.backend import check_backend, load_keras, threads_in_force
from dlspec.runs.prepare import prepare
from dlspec.types import Examples, Metric, Place, RecipeError, Splits, State

if TYPE_CHECKING:
    from dlspec.runs.checkpoint import Checkpoint
    from dlspec.runs.divergence import Origin
    from dlspec.runs.fit import Score
    from dlspec.runs.observer import Observer
    from dlspec.runs.pipeline import Pipeline
    from dlspec.runs.store import Store

TRAIN_SCORED = 10_000
"""what is said of train is measured on at most so many examples, the same each time"""


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
    health: dict[str, Any] | None = None

    def json(self) -> dict[str, Any]:
        return {
            "run": str(self.run),
            "epochs": self.epochs,
            "seconds": self.seconds,
            "examples_per_second": self.examples_per_second,
            "scores": self.scores,
            "goal": self.goal,
            "best_epoch": self.best_epoch,
            "warnings": self.warnings,
            "health": self.health and {key: self.health[key] for key in ("verdict", "says", "change", "mended_by")},
        }


def headline(recipe: Recipe, state: State) -> Metric:
    """The metric that decides: the goal's, or the evaluator's first."""
    metrics: list[Metric] = recipe.task.evaluator.metrics(state["task"])
    return next((m for m in metrics if m.name == recipe.goal.optimize), metrics[0])


def fixed_sample(examples: Examples, most: int = TRAIN_SCORED) -> Examples:
    """At most so many examples, evenly spread, always the same."""
    count = len(examples)
    return examples if count <= most else examples.take([i * count // most for i in range(most)])


def train(loaded: Loaded, *, out: str | Path = folders.RUNS, watch: Watch | None = None) -> Trained:
    """Train a recipe in a new run directory under `out`.

    Raises RecipeError or DataError before anything is written.
    """
    watch = watch or Watch()
    recipe = loaded.recipe
    check_backend()
    with loaded.placing():
        prepared = prepare(recipe, watch)
        state, splits = prepared.state, prepared.splits
        if recipe.train.early_stopping and "dev" not in splits:
            message = "needs a dev split to watch; give data.split.dev, or leave it out"
            raise RecipeError(message, where=Place(key="train.early_stopping"))
        if recipe.train.schedule.name == "reduce_on_plateau" and "dev" not in splits:
            message = "reduce_on_plateau needs a dev split to watch; give data.split.dev, or take another schedule"
            raise RecipeError(message, where=Place(key="train.schedule"))

        load_keras(threads=recipe.train.threads, seed=recipe.train.seed)
        if recipe.train.threads and recipe.train.threads != threads_in_force():
            watch.warn(f"this process has {threads_in_force()} threads already; train.threads is not in force")
        network = build(recipe, state)
        material = material_of(recipe, state, splits, watch)
    run = folders.create(out, loaded.name)
    _begin(run, loaded, splits, state, prepared.warnings)
    report.keep_data(
        run,
        recipe,
        splits,
        state,
        notes=prepared.notes,
        warnings=prepared.warnings,
        parameters=network.count_params(),
    )
    return carry_out(run, loaded, state, material, network, watch, said=prepared.warnings)


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
    observer, initial = _fit(recipe, state, material, network, run, watch, checkpoint)
    dev, sample = material.dev, material.sample
    origin = _origin(observer, recipe, state, material, network, run, initial, watch)
    health = conclude(observer.health, observer, run, watch, origin) if observer.health else None
    if observer.diverged:
        with loaded.placing():
            _say_diverged(observer, recipe, run, watch, origin, health)
    if observer.best and (recipe.train.keep == "best" or observer.diverged):
        network.set_weights(observer.best.weights)
    predictions = {"train": sample.predictions(network)}
    if dev is not None:
        predictions["dev"] = dev.predictions(network)
        state["task"] = recipe.task.calibrate(predictions["dev"], dev.examples, state)
        folders.write_json(run / "state.json", state)
    copy_own_code(recipe, run)  # once more: what was imported at work is there by now
    scores = _scores(run, recipe, state, {"train": sample, **({"dev": dev} if dev else {})}, predictions)

    fresh = precision.build(recipe, state)  # saved uncompiled: for inference, by any tool
    fresh.set_weights(network.get_weights())
    with folders.replacing(run / "model.keras") as new:
        fresh.save(new)
    metric = headline(recipe, state)
    goal = {"metric": metric.name, "value": scores.get("dev", {}).get(metric.name, {}).get("value"), "feasible": None}
    kept = observer.best.epoch + 1 if observer.best else None
    epochs = len(observer.history)
    seen = epochs * len(material.pipeline.store)
    rate = seen / observer.seconds if observer.seconds else float("nan")
    facts = {"epochs": epochs, "seconds": observer.seconds, "examples_per_second": rate}
    folders.write_json(run / "scores.json", {"scores": scores, "goal": goal, "best_epoch": kept, **facts})
    report.write_report(run)
    if recipe.train.tensorboard:
        board_sheet.conclude(run, recipe, scores)
    return Trained(run, epochs, observer.seconds, rate, scores, goal, kept, said, health)


def _origin(
    observer: Observer,
    recipe: Recipe,
    state: State,
    material: Material,
    network: Any,
    run: Path,
    initial: list[np.ndarray],
    watch: Watch,
) -> Origin | None:
    """Where a training that diverged went wrong; the weights before that are kept in a checkpoint."""
    from dlspec.runs.divergence import find

    if not observer.diverged:
        return None
    home, last = run / "checkpoint", observer.step
    origin = find(recipe, state, network, material.pipeline, home, initial, last, watch)
    if origin:
        observer.back_to(network, origin.before)
    return origin


def _say_diverged(
    observer: Observer,
    recipe: Recipe,
    run: Path,
    watch: Watch,
    origin: Origin | None,
    health: Mapping[str, Any] | None,
) -> None:
    """The weights are no numbers any more: what was best before is kept.  Raises RecipeError where nothing was."""
    key = "train.optimizer.learning_rate"
    rate = recipe.train.optimizer.learning_rate
    change = (health or {}).get("change") or {key: rate / 10}
    where = origin or f"epoch {observer.diverged}"
    said = f"training diverged in epoch {observer.diverged}: the loss is no finite number. It began at {where}"
    if observer.best is not None:
        watch.warn(f"{said}. The weights of epoch {observer.best.epoch + 1} are kept")
        return
    sets = " ".join(f"--set {one}={json.dumps(value)}" for one, value in change.items())
    mend = f"lower it ({rate:g}): " if key in change else ""
    # What such steps have left of the weights in the first epoch is not worth going on with.
    if origin and origin.before.facts["epoch"] > 0 and all(one.startswith("train.") for one in change):
        mend += f"`dlspec train --resume {run} {sets}` goes on from the step before, the last good one, which is kept"
    else:
        mend += f"train it anew with {sets}"
    raise RecipeError(f"{said}; {mend}; {run} is unfinished", where=Place(key=key))


def _begin(run: Path, loaded: Loaded, splits: Splits, state: State, said: list[str]) -> None:
    recipe = copy_own_code(loaded.recipe, run)
    head = f"# {shown(loaded.file.name)}, filled: every default written out\n"
    folders.write_text(run / "recipe.yaml", dump(recipe, head))
    folders.write_json(run / "state.json", state)
    folders.write_manifest(run / "manifest.csv", {name: part.ids for name, part in splits.parts.items()})
    described = machine.describe(seed=recipe.train.seed, threads=threads_in_force(), fingerprint=splits.fingerprint)
    folders.write_json(run / "machine.json", {**described, "warnings": said})


def copy_own_code(recipe: Recipe, run: Path) -> Recipe:
    """The recipe as the run keeps it: the user's own files lie in the run, with what they have imported so far."""
    changed: dict[str, Any] = {}
    homes: dict[Path, str] = {}
    for key in ("task", "data", "input", "model"):
        component = getattr(recipe, key)
        source = Path(component.name)
        if source.suffix != ".py":
            continue
        home = source.parent
        name = homes.setdefault(home, f"code-{len(homes) + 1}" if homes else "code")
        for file in {source, *helpers(home.resolve())}:
            target = run / name / (file.relative_to(home.resolve()) if file != source else source.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        changed[key] = component.model_copy(update={"name": f"./{name}/{source.name}"})
    return recipe.model_copy(update=changed) if changed else recipe


def build(recipe: Recipe, state: State) -> Any:
    """The network of a recipe.  Raises RecipeError where the user's own architecture does not make what it should."""
    import keras

    own = recipe.model.name.endswith(".py")
    try:
        network = precision.build(recipe, state)
    except (TypeError, NotImplementedError) as error:
        if not own:
            raise
        message = (
            f"{Path(recipe.model.name).name}: build(self, inputs, outputs) failed: {str(error) or 'there is none'}"
        )
        raise RecipeError(message, where=Place(key="model")) from error
    wanted = set(state["shapes"])
    got = f"a {type(network).__name__}"
    if isinstance(network, keras.Model):
        entries = network.input if isinstance(network.input, dict) else {}
        outputs = recipe.task.outputs(state)
        got = f"inputs {', '.join(sorted(entries)) or 'without names'} and output shape {network.output_shape}"
        if set(entries) == wanted and (not isinstance(outputs, int) or network.output_shape[-1] == outputs):
            return network
    if not own:
        raise AssertionError(got)
    expected = f"a keras.Model of a dict of inputs ({', '.join(sorted(wanted))}) that gives {outputs_of(recipe, state)}"
    message = f"{Path(recipe.model.name).name}: build made {got}, expected {expected}"
    raise RecipeError(message, where=Place(key="model"))


def outputs_of(recipe: Recipe, state: State) -> str:
    """What the task asks of the network, in words."""
    outputs = recipe.task.outputs(state)
    return f"{outputs} logit{'s' * (outputs != 1)} an example" if isinstance(outputs, int) else str(outputs)


class Material(NamedTuple):
    """Train as batches, and what is scored: dev after every epoch, a part of train at the end."""

    pipeline: Pipeline
    dev: Score | None
    sample: Score


def material_of(recipe: Recipe, state: State, splits: Splits, watch: Watch) -> Material:
    """Encode everything.  Raises DataError where an example of train or dev cannot be encoded or has no truth."""
    from dlspec.runs.fit import Score
    from dlspec.runs.store import store

    evaluator, seed, train = recipe.task.evaluator, recipe.train.seed, splits["train"]
    pipeline = pipeline_of(recipe, state, train, watch)
    dev = None
    if "dev" in splits:
        dev = Score(store(recipe, state, evaluator.scored(splits["dev"], seed), watch, "examples of dev"))
        _truths(dev.store)
    whole = len(train) <= TRAIN_SCORED and evaluator.scored(train, seed) is train
    sampled = evaluator.scored(fixed_sample(train), seed)
    sample = Score(pipeline.store if whole else store(recipe, state, sampled, watch, "examples of train to score"))
    return Material(pipeline, dev, sample)


def pipeline_of(recipe: Recipe, state: State, train: Examples, watch: Watch) -> Pipeline:
    """Train as batches.  Raises DataError where an example cannot be encoded or has no truth."""
    from dlspec.runs.optimizing import check_steps
    from dlspec.runs.pipeline import Pipeline
    from dlspec.runs.store import store

    pipeline = Pipeline(recipe, state, store(recipe, state, train, watch, "examples of train"))
    _truths(pipeline.store)
    check_steps(recipe.train, pipeline.steps)
    return pipeline


def _truths(store: Store) -> None:
    """Raises DataError, before anything is trained, where an example has no usable truth."""
    from dlspec.runs.store import Kept

    task, state, examples = store.recipe.task, store.state, store.examples
    if isinstance(store, Kept):
        task.target(examples, store.arrays, state)
        return
    if None in task.evaluator.truth(examples, state["task"]):
        # The task says best what is wrong.  What is encoded does not matter for that: all are taken to be as the first.
        _, first = store.encoder(np.arange(1))
        task.target(
            examples, {name: np.broadcast_to(v, (len(examples), *v.shape[1:])) for name, v in first.items()}, state
        )


def _fit(
    recipe: Recipe,
    state: State,
    material: Material,
    network: Any,
    run: Path,
    watch: Watch,
    checkpoint: Checkpoint | None,
) -> tuple[Observer, list[np.ndarray]]:
    """What was watched, and the variables as they were at the start."""
    import keras

    from dlspec.runs.checkpoint import restore, variables
    from dlspec.runs.fit import compile_network, described, sequence
    from dlspec.runs.health import EXAMPLES, Health
    from dlspec.runs.observer import Observer
    from dlspec.runs.optimizing import set_peak

    pipeline = material.pipeline
    initial = [np.array(one) for one in network.variables]
    compile_network(network, recipe, state, pipeline.steps)
    health = Health(recipe, state, pipeline.few(EXAMPLES)) if recipe.train.health else None
    observer = Observer(recipe, headline(recipe, state), material.dev, run, watch, pipeline, health)
    if checkpoint:
        # Makes the optimizer's and the metrics' variables, which are put back then.
        network._symbolic_build(data_batch=keras.tree.map_structure(keras.ops.convert_to_tensor, pipeline.first()))
        restore(variables(network), checkpoint.arrays)
        observer.resume(checkpoint)
        # It is among the optimizer's variables: what the recipe says now holds, where it was changed.
        set_peak(network, recipe.train.optimizer.learning_rate * observer.plateau.share)
    loop = None
    batches: Any = None
    if keras.backend.backend() == "tensorflow":
        from dlspec.runs.loop import Loop, endless

        at_once = recipe.train.steps_per_execution
        loop = Loop(network, pipeline, at_once=None if at_once == "auto" else at_once, limit=observer.limit)
        network.train_function, batches = loop, endless()
    else:
        batches = sequence(pipeline, lambda: observer.epoch)
    watch.note(described(network, recipe, pipeline))
    watch.training(recipe.train.epochs, pipeline.steps)
    try:
        with warnings.catch_warnings(), observer.listening():
            # How many batches there are is the plan's affair.
            warnings.filterwarnings("ignore", message="Your input ran out of data")
            if observer.stopped_at is None:
                network.fit(
                    batches,
                    epochs=recipe.train.epochs,
                    initial_epoch=observer.epoch,
                    callbacks=[observer.callback(loop)],
                    verbose=0,
                    shuffle=False,
                )
            elif recipe.train.average:  # `fit` ends with it
                network.optimizer.finalize_variable_values(network.trainable_variables)
    except KeyboardInterrupt:
        kept = f"`dlspec train --resume {run}` goes on from step {observer.saved[0]:,}"
        watch.warn(f"interrupted in epoch {observer.epoch + 1} of {recipe.train.epochs}; {kept}")
        raise
    finally:
        observer.write()
        if observer.board:
            observer.board.close()
        watch.trained()
    if health and not observer.diverged:
        health.end(network, observer.step, observer.epoch + 1)
    if observer.stopped_at and recipe.train.early_stopping:
        watch.note(
            f"stopped after epoch {observer.stopped_at}: dev {observer.metric.name} has not improved for "
            f"{recipe.train.early_stopping.patience} epochs"
        )
    return observer, initial


def _scores(
    run: Path, recipe: Recipe, state: State, scored: dict[str, Any], predictions: dict[str, Any]
) -> dict[str, Any]:
    evaluator = recipe.task.evaluator
    result = {}
    for split, of in scored.items():
        statistics = evaluator.statistics(of.examples, predictions[split], state["task"])
        report.keep_figures(run, split, recipe, statistics, state)
        found = evaluator.combine(statistics)
        result[split] = {name: {"value": value, "n": len(of.examples)} for name, value in found.items()}
    return result
