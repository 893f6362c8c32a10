"""Going on with a training that was interrupted, or that is to last longer: to the same bits, from its checkpoint."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.recipe.load import Loaded, dump, load
from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs import origin, report
from dlspec.runs.auxiliary import unassisted
from dlspec.runs.backend import check_backend, load_keras
from dlspec.runs.fitting import ready
from dlspec.runs.goal_fits import check_goal
from dlspec.runs.material import material_of
from dlspec.runs.network import for_training
from dlspec.runs.own_code import copy_own_code
from dlspec.runs.stages import enter, stages
from dlspec.runs.train import Trained, carry_out, check_dev
from dlspec.types import ArgumentError, DataError, Examples, Splits, State

if TYPE_CHECKING:
    from dlspec.runs.checkpoint import Checkpoint
    from dlspec.runs.pipeline import Pipeline

FIXED = ("train.seed", "train.batch_size", "train.sampling", "train.start_from")
"""what the plan of an epoch hangs on: a training whose epochs are other ones is another training"""


def resume(
    run: str | Path,
    *,
    recipe: str | Path | None = None,
    sets: Sequence[str] = (),
    accept_changes: bool = False,
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> Trained:
    """Go on with a run from its newest checkpoint.

    recipe: a recipe to compare with that of the run; what it changes must be accepted.  sets: values to go on with
    (`train.epochs=40`, `train.optimizer.learning_rate=1e-4`).  A run that is finished is left as it is, unless there
    are more epochs to go.  Raises ArgumentError, RecipeError, DataError; what is there stays as it was then.
    """
    from dlspec.runs import checkpoint as checkpoints

    watch = watch or Watch()
    folder = folders.locate(run, root)
    before = load(folder / "recipe.yaml", begun=True)
    loaded = load(recipe, sets) if recipe is not None else load(folder / "recipe.yaml", sets, begun=True)
    changes = differences(before.recipe, loaded.recipe)
    told = [one.partition("=")[0].strip() for one in sets]
    _check(changes, _named(told, before.recipe, loaded.recipe), folder, accept_changes)

    found, said = checkpoints.newest(folder / "checkpoint")
    for sentence in said:
        watch.warn(sentence + ("; the one before it is taken" if found else ""))
    done = len(found.facts["history"]) if found else 0
    more = found is not None and _asked_for_more(folder, changes, found.step)
    stopped = found is not None and found.facts["stopped_at"] is not None and not more
    if _finished(folder, done) and (found is None or loaded.recipe.train.epochs <= done or stopped):
        new = f", with the new {', '.join(changes)}" if changes else ""
        watch.note(
            f"{folder} is finished: {done or 'all'} of {loaded.recipe.train.epochs} epochs; "
            f"--epochs {2 * max(1, done)} would go on to {2 * max(1, done)}{new}"
        )
        return _as_it_is(folder)
    if found and more and found.facts["stopped_at"] is not None:
        # Patience begins anew, or it would be out again after one epoch.
        found = found._replace(facts={**found.facts, "stopped_at": None, "since": done - 1})
    check_backend()
    with before.placing():
        splits = _splits(before, folder)
    with loaded.placing():
        check_dev(loaded.recipe, splits)
        state = folders.read_json(folder / "state.json")
        check_goal(loaded.recipe, state, splits)
        load_keras(threads=loaded.recipe.train.threads, seed=loaded.recipe.train.seed)
        network = for_training(loaded.recipe, state)
        if not found:
            origin.begin(loaded.recipe, state, unassisted(network), watch)
        material = material_of(loaded.recipe, state, splits, watch)
    if not (folder / "data.json").is_file():
        report.keep_data(folder, loaded.recipe, splits, state, parameters=unassisted(network).count_params())
    if changes:
        if found:
            _fits(loaded.recipe, state, network, material.pipeline, found)
        _remember(folder, loaded, changes, found.step if found else 0)
    where = f"step {found.step:,}, in epoch {found.facts['epoch'] + 1}" if found else "the beginning: no checkpoint yet"
    watch.note(f"going on with {folder} from {where}")
    said = folders.read_json(folder / "machine.json").get("warnings", [])
    return carry_out(folder, loaded, state, material, network, watch, said=said, checkpoint=found)


def differences(one: Recipe, other: Recipe) -> dict[str, tuple[Any, Any]]:
    """Dotted keys whose values differ; the user's own code is compared by content, wherever it lies."""
    mine, theirs = (flat(recipe.model_dump(mode="json")) for recipe in (one, other))
    keys = dict.fromkeys([*mine, *theirs])
    return {key: (mine.get(key), theirs.get(key)) for key in keys if mine.get(key) != theirs.get(key)}


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Settings by dotted key; the user's own code as a hash of its content."""
    if isinstance(value, Mapping) and value:
        inner = [flat(one, f"{path}.{key}".strip(".")) for key, one in value.items()]
        return {key: one for settings in inner for key, one in settings.items()}
    if isinstance(value, str) and value.endswith(".py") and Path(value).is_file():
        return {path: f"{Path(value).name} {hashlib.blake2b(Path(value).read_bytes(), digest_size=8).hexdigest()}"}
    return {path: value}


def _named(told: Sequence[str], before: Recipe, now: Recipe) -> list[str]:
    """Keys that were told, and what has come with them: the defaults of a section or component that is new."""
    had, has = (flat(recipe.model_dump(mode="json")) for recipe in (before, now))
    sections = {key.rpartition(".")[0] for key in told}
    return [*told, *(key for key in has if key not in had and key.rpartition(".")[0] in sections)]


def _check(changes: Mapping[str, tuple[Any, Any]], told: Sequence[str], folder: Path, accept: bool) -> None:
    def listed(keys: Sequence[str]) -> str:
        return "; ".join(f"{key}: {json.dumps(changes[key][0])} → {json.dumps(changes[key][1])}" for key in keys)

    never = [key for key in changes if key in FIXED or key.partition(".")[0] not in ("train", "goal")]
    if never:
        raise ArgumentError(
            f"a training cannot go on with another {', '.join(never)} ({listed(never)}); train a new run instead"
        )
    # Of a mapping that was empty, what was told lies within.
    silent = [
        key for key in changes if not any(f"{key}.".startswith(f"{one}.") or one.startswith(f"{key}.") for one in told)
    ]
    if silent and not accept:
        raise ArgumentError(
            f"the recipe is not that of {folder}: {listed(silent)}. Say --accept-changes to go on with the new "
            "values, or leave the recipe out to go on as it was"
        )


def _fits(recipe: Recipe, state: State, network: Any, pipeline: Pipeline, found: Checkpoint) -> None:
    """Raises ArgumentError, before anything is written, where the checkpoint has not the variables of this recipe."""
    from dlspec.runs.checkpoint import check, variables

    enter(network, stages(recipe, network)[found.facts.get("stage", 0)])
    ready(network, recipe, state, pipeline)
    check(variables(network), found.arrays)


def _finished(folder: Path, done: int) -> bool:
    """Whether what lies there is of so many epochs (0: of however many), and not of a training that has gone on."""
    if not (folder / "model.keras").is_file() or not (folder / "scores.json").is_file():
        return False
    return not done or folders.read_json(folder / "scores.json")["epochs"] == done


def _asked_for_more(folder: Path, changes: Mapping[str, Any], step: int) -> bool:
    """Whether it is to go on from this step with other settings: told now, or when it was interrupted right away."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        last = json.loads((folder / "resumed.jsonl").read_text(encoding="utf-8").splitlines()[-1])
        return bool(changes) or last["step"] == step
    return bool(changes)


def _as_it_is(folder: Path) -> Trained:
    kept = folders.read_json(folder / "scores.json")
    said = folders.read_json(folder / "machine.json").get("warnings", [])
    return Trained(
        folder,
        kept["epochs"],
        kept["seconds"],
        kept["examples_per_second"],
        kept["scores"],
        kept["goal"],
        kept["best_epoch"],
        said,
        folders.read_json(folder / "health.json") if (folder / "health.json").is_file() else None,
        kept.get("signatures", {}),
    )


def _splits(loaded: Loaded, folder: Path) -> Splits:
    """The data as it was divided then, in the same order."""
    manifest = folders.read_manifest(folder / "manifest.csv")
    splits: Splits = loaded.recipe.data.read(manifest)
    trained_on = folders.read_json(folder / "machine.json")["data_fingerprint"]
    if splits.fingerprint != trained_on:
        raise DataError(
            f"the data has changed since this run began (fingerprint {splits.fingerprint}, then {trained_on}): it "
            "cannot go on to what it would have become; bring the data back, or train a new run"
        )
    order: dict[str, list[str]] = {}
    for one, split in manifest.items():
        order.setdefault(split, []).append(one)
    return splits.with_parts({name: _ordered(part, order.get(name, [])) for name, part in splits.parts.items()})


def _ordered(part: Examples, ids: list[str]) -> Examples:
    if part.ids == ids:
        return part
    place = {one: row for row, one in enumerate(part.ids)}
    return part.take([place[one] for one in ids])


def _remember(folder: Path, loaded: Loaded, changes: Mapping[str, tuple[Any, Any]], step: int) -> None:
    """The run's recipe is that which it goes on with; resumed.jsonl says what it was before."""
    with open(folder / "resumed.jsonl", "a", encoding="utf-8") as text:
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        text.write(json.dumps({"time": when, "step": step, "changes": changes}) + "\n")
    recipe = copy_own_code(loaded.recipe, folder)
    folders.write_text(
        folder / "recipe.yaml", dump(recipe, "# filled: every default written out; changed on the way\n")
    )
