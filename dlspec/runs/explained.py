"""The page of `predict --explain`: where guesses come from, and what the network has learned to look for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.evaluators.base import Evaluator
from dlspec.report import heat, tiles
from dlspec.report.marks import legend, marked
from dlspec.report.pictures import inlined, small
from dlspec.runs import explain, insides
from dlspec.runs import folder as folders
from dlspec.runs.opened import OpenedRun
from dlspec.types import ArgumentError, Examples, Marks, Prediction, State

MOST = 16
"""so many pictures are explained; the page stays below 10 MB"""
FIGURES = 5
"""so many numbers beside a guess"""
SIDE, TILE, FILTERS = 200, 48, 64
"""pixels of a picture and its maps, of a tile; and how many tiles of filters are shown"""
MAPS_BUDGET, TILES_BUDGET = 3_500_000, 3_500_000
"""characters of base64 for pictures and their maps, and for feature maps"""


class Explaining:
    """Keeps the first pictures that are predicted, and makes the page of them.

    home: the folder that index.html is written to; None: a new one in the run's own `explained`.
    Raises ArgumentError where a run's network takes no pictures.
    """

    def __init__(self, opened: OpenedRun, home: Path | None = None) -> None:
        if "picture" not in opened.state["shapes"]:
            kind = opened.recipe.input.kind
            raise ArgumentError(
                f"--explain shows where in a picture a guess comes from, and the network of this run takes a {kind}; "
                f"what it leans on, `dlspec error-analysis {opened.folder}` says"
            )
        self.opened, self.home = opened, home
        self.examples: list[Examples] = []
        self.predictions: list[Prediction] = []
        self.objects: list[dict[str, Any]] = []
        self.count = 0

    def __call__(self, examples: Examples, predictions: Sequence[Prediction], objects: list[dict[str, Any]]) -> None:
        """Hear of some more predictions, and what is said of each."""
        left = min(MOST - len(self.objects), len(examples))
        self.count += len(examples)
        if left > 0:
            self.examples.append(examples[:left])
            self.predictions += [predictions[i] for i in range(left)]
            self.objects += objects[:left]

    def write(self) -> Path | None:
        """Write the page, and say where it is; None where there was no picture.  Raises ArgumentError."""
        from dlspec.report.explained import page

        if not self.objects:
            return None
        held = self._gathered()
        home = folders.create(self.opened.folder, "explained") if self.home is None else self.home
        file = home.absolute() / "index.html"
        folders.write_text(file, page(held).encode("utf-8", "replace").decode("utf-8"))
        return file

    def _gathered(self) -> dict[str, Any]:
        opened = self.opened
        folder = opened.folder
        held: dict[str, Any] = {
            "name": f"{folder.parent.name}/{folder.name}",
            "when": time.strftime("%-d %B %Y, %H:%M UTC", time.gmtime()),
            "task": opened.recipe.task.name,
            "model": opened.recipe.model.name,
            "count": self.count,
            "filters": _filters(opened),
        }
        items: list[dict[str, Any]] = []
        drawings: list[np.ndarray] = []
        grids: list[np.ndarray] = []
        for examples in self.examples:
            at = len(items)
            self._explain(examples, self.objects[at:], self.predictions[at:], items, drawings, grids)
        layer = explain.explained_layer(opened.network)
        return {
            **held,
            "layer": None if layer is None else layer.name,
            "items": items,
            "pictures": inlined([small(one, SIDE) for one in drawings], MAPS_BUDGET),
            "grids": inlined([small(one, tiles.WIDEST) for one in grids], TILES_BUDGET),
        }

    def _explain(
        self,
        examples: Examples,
        objects: Sequence[Mapping[str, Any]],
        predictions: Sequence[Prediction],
        items: list[dict[str, Any]],
        drawings: list[np.ndarray],
        grids: list[np.ndarray],
    ) -> None:
        """Add what is known of some pictures; what is drawn stands in the lists beside, items name places in them."""
        opened = self.opened
        evaluator, task = opened.recipe.evaluator, opened.state["task"]
        arrays = opened.encode(examples)
        found = explain.explanations(opened, arrays) if explain.explainable(opened) else []
        layers = insides.features(opened.network, arrays, explain.explained_layer(opened.network))
        ends = [(one.maps.min(axis=(0, 1, 2)), one.maps.max(axis=(0, 1, 2))) for one in layers]
        for row, example in enumerate(examples):
            guess = guess_marks(evaluator, example, predictions[row], task)
            picture = opened.recipe.input.show(example).content
            seen = heat.seen(arrays["picture"][row], SIDE)

            def add(one: np.ndarray, to: list[np.ndarray] = drawings) -> int:
                to.append(one)
                return len(to) - 1

            items.append(
                {
                    "id": example.id,
                    "guess": objects[row].get("guess") if guess is None or guess.mask is None else None,
                    "figures": figures(objects[row]),
                    "picture": add(marked(picture, Marks(), guess, clear=0)),
                    "legend": None if guess is None else legend(guess, true=False),
                    "seen": add(seen),
                    "maps": [
                        {
                            "says": one.aim.says[row],
                            "moves": one.aim.moves,
                            "gradients": None if one.gradients is None else add(heat.under(seen, one.gradients[row])),
                            "hidden": add(heat.under(seen, one.hidden[row])),
                        }
                        for one in found
                    ],
                    "features": [
                        {
                            "layer": one.layer,
                            "size": f"{one.maps.shape[1]}×{one.maps.shape[2]}",
                            "shown": one.maps.shape[3],
                            "of": one.of,
                            "tiles": add(tiles.of_maps(one.maps[row], *lowest, TILE), grids),
                        }
                        for one, lowest in zip(layers, ends, strict=True)
                    ],
                }
            )


def guess_marks(evaluator: Evaluator, example: Any, prediction: Prediction, state: State) -> Marks | None:
    """Where in a picture a guess is, whatever is true; None where it is no place."""
    from dataclasses import replace

    both = evaluator.marks(replace(example, y=None), prediction, state)
    return None if both is None else both[1]


def figures(said: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The greatest probabilities or shares beside a guess."""
    found = [(name, one) for name, one in said.items() if name.startswith(("p_", "share_")) and isinstance(one, float)]
    return sorted(found, key=lambda one: -one[1])[:FIGURES]


def _filters(opened: OpenedRun) -> dict[str, Any] | None:
    found = insides.filters(opened.network)
    if found is None:
        return None
    drawn, shown, colour = tiles.of_filters(found.kernel, FILTERS, TILE)
    height, width, channels, count = found.kernel.shape
    return {
        "layer": found.layer,
        "size": f"{height}×{width}",
        "channels": channels,
        "count": count,
        "shown": shown,
        "colour": colour,
        "whole": found.whole,
        "picture": inlined([small(drawn, tiles.WIDEST)], TILES_BUDGET)[0],
    }
