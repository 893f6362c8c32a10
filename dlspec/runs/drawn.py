"""Predictions as pictures in a folder: masks as PNG, and what is said of places drawn on the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.report.marks import SIDE, marked, palette
from dlspec.runs import folder as folders
from dlspec.runs.explained import guess_marks
from dlspec.runs.naming import Names
from dlspec.runs.opened import OpenedRun
from dlspec.types import ArgumentError, Examples, Marks, Prediction


class Drawing:
    """Writes masks/NAME.png (class indices) and drawn/NAME.png as predictions come; each object says where its are.

    Where guesses are no places, nothing.  classes: the index of each class, once a mask has been written; the same
    stand in masks/classes.json.
    """

    def __init__(self, opened: OpenedRun, home: Path) -> None:
        self.opened, self.home, self.masks = opened, home, home / "masks"
        self.classes: dict[str, int] = {}
        self.names = Names()
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArgumentError(f"cannot write {home}: {error.strerror}") from None

    def __call__(self, examples: Examples, predictions: Sequence[Prediction], objects: list[dict[str, Any]]) -> None:
        """Hear of some more predictions."""
        evaluator, task = self.opened.recipe.evaluator, self.opened.state["task"]
        if self.opened.recipe.input.kind != "picture":
            return
        for example, prediction, said in zip(examples, predictions, objects, strict=True):
            guess = guess_marks(evaluator, example, prediction, task)
            if guess is None:
                return
            name = self.names(example.id, ".png")
            if guess.mask is not None:
                self._mask(name, guess.mask, task["names"])
                said["mask"] = f"masks/{name}"
            picture = self.opened.recipe.input.show(example).content
            side = max(SIDE, *picture.shape[:2])
            self._save("drawn", name, marked(picture, Marks(), guess, side, clear=0))
            said["drawn"] = f"drawn/{name}"

    def _mask(self, name: str, mask: np.ndarray, classes: Sequence[str]) -> None:
        if not self.classes:
            self.classes = {one: index for index, one in enumerate(classes)}
            folders.write_json(self.masks / "classes.json", self.classes)
        self._save("masks", name, mask, palette())

    def _save(self, folder: str, name: str, picture: np.ndarray, colours: list[int] | None = None) -> None:
        from PIL import Image

        image = Image.fromarray(picture)
        if colours is not None:  # the same indices, which a viewer shows in colours
            image.putpalette(colours)
        with folders.replacing(self.home / folder / name) as new:
            image.save(new, "PNG")
