"""A run, opened: its recipe, its state, its network, and raw rows in, predictions out."""

from __future__ import annotations

import copy
import functools
from pathlib import Path
from typing import Any

from dlspec.recipe.load import load
from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.types import ArgumentError, Arrays, Examples, Splits, State


class OpenedRun:
    """A finished run.  The network is loaded when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "model.keras").is_file():
            raise ArgumentError(f"the run {folder} is unfinished: it has no model.keras; train it again")
        self.recipe: Recipe = load(folder / "recipe.yaml", paths_may_be_missing=True).recipe
        self.state: State = folders.read_json(folder / "state.json")

    def with_task(self, **changed: Any) -> OpenedRun:
        """The same run with other values in the task's part of the state (a threshold); this one stays as it is."""
        other = copy.copy(self)
        other.state = {**self.state, "task": {**self.state["task"], **changed}}
        return other

    def with_recipe(self, recipe: Recipe) -> OpenedRun:
        """The same run, decoded as another recipe says; this one stays as it is."""
        other = copy.copy(self)
        other.recipe = recipe
        return other

    @functools.cached_property
    def network(self) -> Any:
        """The trained Keras model: a dict of encoded arrays in, logits out."""
        from dlspec.runs.backend import load_keras

        keras = load_keras(threads=self.recipe.train.threads)
        try:
            return keras.saving.load_model(self.folder / "model.keras", compile=False)
        except (OSError, ValueError, KeyError) as error:
            raise folders.damaged(self.folder / "model.keras", ValueError(str(error).splitlines()[0])) from None

    def splits(self, watch: Watch | None = None) -> Splits:
        """The data the run was trained on, divided as it was then.  Raises DataError where examples are gone."""
        recipe = load(self.folder / "recipe.yaml", begun=True).recipe
        splits: Splits = recipe.data.read(folders.read_manifest(self.folder / "manifest.csv"))
        trained_on = folders.read_json(self.folder / "machine.json")["data_fingerprint"]
        if watch is not None and splits.fingerprint != trained_on:
            watch.warn(
                f"the data has changed since this run was trained (fingerprint {splits.fingerprint}, "
                f"then {trained_on}); scores are of the data as it is now. Where ids are row numbers, inserted or "
                "sorted rows may have put examples of train into dev: data.id names them for good"
            )
        return splits

    def encode(self, examples: Examples) -> Arrays:
        """The arrays that the network takes for these examples."""
        from dlspec.runs.store import finished

        return finished(self.recipe, self.state, self.recipe.input.encode(examples, self.state["input"]))

    def scored(self, examples: Examples, watch: Watch | None = None, what: str = "examples") -> tuple[Examples, Any]:
        """Examples and their decoded predictions, as the task's evaluator takes them.

        Examples whose files cannot be read are left out and named, or raise DataError, as the data's `strict` says.
        """
        from dlspec.runs.fit import predict
        from dlspec.runs.store import Store

        store = Store(self.recipe, self.state, examples, watch, what)
        predictions = predict(self.network, store)
        return store.readable, predictions

    def predictions(self, examples: Examples) -> Any:
        """Decoded predictions of every example.  Raises DataError where one cannot be read."""
        readable, predictions = self.scored(examples)
        if len(readable) < len(examples):
            self.encode(examples)
        return predictions

    def predict(self, rows: Any) -> list[dict[str, Any]]:
        """Predictions for raw rows (a list of dicts, a dict of lists, an array, a table), one dict each.

        Raises DataError where a row lacks a column, or a picture has another shape.
        """
        return self.objects(self.recipe.input.outside(rows, self.state["input"]))

    def objects(self, examples: Examples) -> list[dict[str, Any]]:
        """One plain dict an example: what is guessed, with probabilities where there are any."""
        if not len(examples):
            return []
        found: list[dict[str, Any]] = self.recipe.evaluator.said(self.predictions(examples), self.state["task"])
        return found


def open_run(run: str | Path, root: str | Path = folders.RUNS) -> OpenedRun:
    """Open a run by path, by name, or "last".  Raises ArgumentError where there is none or it is unfinished."""
    return OpenedRun(folders.locate(run, root, finished=True))
