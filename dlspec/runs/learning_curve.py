"""Error against the number of training examples: a run's recipe trained on parts of its train, and a curve through it.

Every training is an ordinary run under `<run>/learning_curve/`; one that is finished is not repeated, one that was
interrupted goes on from its checkpoint.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlspec.data.splits import counted
from dlspec.data.thinning import subset
from dlspec.recipe.load import Loaded, load
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs import report
from dlspec.runs.curve_verdict import conclusions
from dlspec.runs.folds import BARE, Muted, minutes
from dlspec.runs.human import kept_value
from dlspec.runs.opened import OpenedRun, open_run
from dlspec.runs.prepare import headline
from dlspec.runs.resume import differences
from dlspec.runs.resume import resume as go_on
from dlspec.runs.train import train
from dlspec.strategy.learning_curve import LEAST_SIZES
from dlspec.types import ArgumentError, DataError, Examples, Metric, RecipeError, Splits

HALVINGS = 4
"""the smallest of the sizes that are taken is this often halved, where train is large enough"""
LEAST = 16
"""examples to train on, at least; and two of each class"""
SEEDS = 3


def learning_curve(
    run: str | Path | OpenedRun,
    *,
    sizes: Sequence[float] = (),
    seeds: int = SEEDS,
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Train the run's recipe on nested parts of its train, each with several seeds, and fit a curve to what dev says.

    sizes: shares (0.25) or numbers (300) of train's examples, at least 4; none means 1/16, 1/8, … 1 of train.
    Each seed draws other examples and other weights.  Epochs, or early stopping, are the recipe's.

    Returns what is kept in learning_curve.json.  Raises ArgumentError, DataError.
    """
    watch = watch or Watch()
    opened = run if isinstance(run, OpenedRun) else open_run(run, root)
    if seeds < 1:
        raise ArgumentError(f"--seeds is a number of trainings a size, 1 at least, got {seeds}")
    splits = opened.splits(watch)
    metric = headline(opened.recipe, opened.state)
    if "dev" not in splits or not len(splits["dev"]):
        raise ArgumentError(
            "a learning curve is of the error on dev, and this run has no dev; give data.split.dev, and train again"
        )
    chosen = _sizes(opened, len(splits["train"]), sizes)
    trainings = _trainings(opened, splits, metric, chosen, seeds, watch)
    result = conclusions(
        trainings,
        metric,
        examples=len(splits["train"]),
        dev=len(splits["dev"]),
        resolution=_resolution(opened, splits["dev"], metric),
        human=human_value(opened, metric),
        score=folders.read_json(opened.folder / "scores.json", {}).get("scores", {}).get("dev", {}).get(metric.name),
    )
    result = {"run": str(opened.folder), "seeds": seeds, **result}
    folders.write_json(opened.folder / "learning_curve.json", result)
    report.write_report(opened.folder)
    return result


def numbers(text: str | None) -> list[float]:
    """`0.1,0.3,500` as numbers.  Raises ArgumentError."""
    found = []
    for word in (text or "").replace(" ", "").split(",") if text is not None else ():
        try:
            found.append(float(word))
        except ValueError:
            raise ArgumentError(f"--sizes are numbers with commas between them, as 0.1,0.3,1; got '{text}'") from None
    return found


def human_value(opened: OpenedRun, metric: Metric) -> float | None:
    """How well people do on this metric: as the recipe says, or as an evaluation has found from annotators' answers."""
    human = opened.recipe.goal.human
    return human.get(metric.name) if isinstance(human, dict) else kept_value(opened.folder, metric.name)


def _sizes(opened: OpenedRun, whole: int, asked: Sequence[float]) -> list[int]:
    """Numbers of examples, ascending.  Raises ArgumentError where they cannot make a curve."""
    least = max(LEAST, 2 * len(opened.state["task"].get("classes") or ()))
    if asked:
        wrong = next((one for one in asked if not (0 < one <= 1 or (1 < one < math.inf and one == int(one)))), None)
        if wrong is not None:
            raise ArgumentError(f"--sizes are shares of train (0.25) or numbers of examples (300), got {wrong:g}")
        found = sorted({whole if one == 1 else counted(one if one < 1 else int(one), whole) for one in asked})
        if found[-1] > whole:
            raise ArgumentError(f"--sizes: train has {whole:,} examples, not {found[-1]:,}")
        if found[0] < least:
            raise ArgumentError(f"--sizes: {found[0]} examples are too few to learn from; {least} at least")
        if len(found) < LEAST_SIZES:
            raise ArgumentError(f"--sizes: a curve takes {LEAST_SIZES} sizes at least, got {len(found)}")
        return found
    smallest = max(least, whole / 2**HALVINGS)
    if whole < 4 * smallest:
        raise ArgumentError(
            f"train has {whole:,} examples, which is too few to take parts of: a curve from {least} examples on needs "
            f"{4 * least:,}"
        )
    ratio = (whole / smallest) ** (1 / HALVINGS)
    return [round(whole / ratio**step) for step in range(HALVINGS, -1, -1)]


def _trainings(
    opened: OpenedRun, splits: Splits, metric: Metric, sizes: Sequence[int], seeds: int, watch: Watch
) -> list[dict[str, Any]]:
    """Every training: its size, seed, run, and the error on dev and train; None where it failed."""
    base = load(opened.folder / "recipe.yaml", BARE)
    planned = [(seed, size) for seed in range(seeds) for size in sizes]
    done: list[dict[str, Any]] = []
    spent, learned = 0.0, 0
    failed: Exception | None = None
    for number, (seed, size) in enumerate(planned):
        part = subset(splits["train"], size, base.recipe.data.dividing, seed)
        loaded = _asked(opened, size, seed, base.recipe.train.seed + seed)
        known = _finished(opened, loaded, splits, size, seed)
        if known is None:
            left = spent / learned * sum(one for _, one in planned[number:]) if learned else None
            watch.note(
                f"training {number + 1} of {len(planned)}: {len(part):,} of {len(splits['train']):,} examples, "
                f"seed {seed + 1}" + (f"; about {minutes(left)} left" if left else "")
            )
            began = time.monotonic()
            try:
                known = _trained(opened, loaded, splits.with_parts({**splits.parts, "train": part}), watch)
            except (DataError, RecipeError) as error:
                failed = error
                watch.warn(f"this training failed, and is left out: {error}")
            except KeyboardInterrupt:
                watch.warn(f"interrupted after {number} of {len(planned)} trainings; the same command goes on")
                raise
            spent, learned = spent + time.monotonic() - began, learned + size
        scores = folders.read_json(known / "scores.json")["scores"] if known else {}
        of = {
            split: _error(scores.get(split, {}).get(metric.name, {}).get("value"), metric) for split in ("dev", "train")
        }
        done.append({"n": len(part), "seed": seed + 1, "run": known and str(known), **of})
    if failed is not None and all(one["dev"] is None for one in done):
        raise failed
    return done


def _asked(opened: OpenedRun, size: int, seed: int, weights: int) -> Loaded:
    """The recipe of one training: it says itself which part of train it takes."""
    sets = (f"data.split.train={size}", f"data.split.train_seed={seed}", f"train.seed={weights}")
    loaded = load(opened.folder / "recipe.yaml", [*BARE, *sets])
    return dataclasses.replace(loaded, file=Path(f"{size}-seed-{seed + 1}.yaml"))


def _home(opened: OpenedRun) -> Path:
    return opened.folder / "learning_curve"


def _finished(opened: OpenedRun, loaded: Loaded, splits: Splits, size: int, seed: int) -> Path | None:
    """The run that a finished training left; with all of train and the first seed, it is the run itself."""
    if seed == 0 and size == len(splits["train"]) and _of_data(opened.folder, splits):
        return opened.folder
    for one in sorted((_home(opened) / loaded.name).glob("*/model.keras"), reverse=True):
        if (one.parent / "scores.json").is_file() and _same(one.parent, loaded, splits):
            return one.parent
    return None


def _trained(opened: OpenedRun, loaded: Loaded, splits: Splits, watch: Watch) -> Path:
    """Train, or go on with what was interrupted."""
    for one in sorted((_home(opened) / loaded.name).glob("*/checkpoint"), reverse=True):
        if _same(one.parent, loaded, splits):
            return go_on(one.parent, watch=Muted(watch)).run
    return train(loaded, out=_home(opened), splits=splits, watch=Muted(watch)).run


def _same(run: Path, loaded: Loaded, splits: Splits) -> bool:
    """Whether a run is of this recipe and of this data."""
    if not _of_data(run, splits):
        return False
    try:
        return not differences(load(run / "recipe.yaml").recipe, loaded.recipe)
    except RecipeError:  # cut short, or of an older version
        return False


def _of_data(run: Path, splits: Splits) -> bool:
    kept = folders.read_json(run / "machine.json", {}).get("data_fingerprint")
    return bool(kept == splits.fingerprint)


def _error(value: float | None, metric: Metric) -> float | None:
    """How far a value is from perfect."""
    return None if value is None or not math.isfinite(value) else abs(metric.perfect - value)


def _resolution(opened: OpenedRun, dev: Examples, metric: Metric) -> float:
    """The least step of an error that is a share of dev's examples; 0 of any other."""
    evaluator, state = opened.recipe.task.evaluator, opened.state["task"]
    few = evaluator.scored(dev.take(range(min(2, len(dev)))), opened.recipe.train.seed)
    right = evaluator.stack([evaluator.perfect(one, state) for one in few])
    shares = evaluator.shares(evaluator.statistics(few, right, state))
    return 1 / len(dev) if metric.best == "max" and metric.name in shares else 0.0
