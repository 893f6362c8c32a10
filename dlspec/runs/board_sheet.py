"""What TensorBoard shows of a run beside its curves: recipe, samples, hyperparameters and final scores."""

from __future__ import annotations

import base64
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlspec.recipe.schema import Recipe
from dlspec.runs import folder as folders
from dlspec.runs.tensorboard import Board

RECIPE, SCORES = "recipe", "scores"
GAP = 4
ACROSS = 6


def describe(run: Path) -> None:
    """The recipe, and examples of train as the network sees them, out of the files of a run that begins."""
    home = run / "tensorboard"
    shutil.rmtree(home / RECIPE, ignore_errors=True)  # of a training that goes on, with another recipe perhaps
    board = Board(home)
    board.text(RECIPE, "recipe", _fenced((run / "recipe.yaml").read_text(encoding="utf-8")))
    data = folders.read_json(run / "data.json", default={})
    samples = data.get("samples") or []
    pictures = [one["shows"] for one in samples if one["kind_of_input"] == "picture" and one["shows"]]
    others = [one for one in samples if one["kind_of_input"] != "picture" and one["shows"]]
    if data.get("augmented"):
        board.picture(RECIPE, "samples, unchanged and augmented", *grid(data["augmented"]))
    elif pictures:
        board.picture(RECIPE, "samples", *grid([pictures[i : i + ACROSS] for i in range(0, len(pictures), ACROSS)]))
    if others:
        board.text(RECIPE, "samples", sheet(others))
    board.close()


def conclude(run: Path, recipe: Recipe, scores: Mapping[str, Mapping[str, Any]]) -> None:
    """The recipe's values and the final scores on dev, by which the HParams tab compares runs."""
    home = run / "tensorboard"
    shutil.rmtree(home / SCORES, ignore_errors=True)  # of a training that was finished once, and went on
    board = Board(home)
    board.hyperparameters(SCORES, flat(recipe.model_dump(mode="json")), f"{run.parent.name}/{run.name}")
    final = {f"dev_{name}": one["value"] for name, one in scores.get("dev", {}).items() if one["value"] is not None}
    board.scalars(SCORES, final, 0)
    board.close()


def flat(value: Any, path: str = "") -> dict[str, str | bool | float]:
    """Settings by dotted key; lists as they are written, what is null left out."""
    if isinstance(value, Mapping):
        inner = [flat(one, f"{path}.{key}".lstrip(".")) for key, one in value.items()]
        return {key: one for settings in inner for key, one in settings.items()}
    if value is None:
        return {}
    return {path: value if isinstance(value, str | bool | int | float) else json.dumps(value)}


def grid(rows: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[bytes, int, int]:
    """Pictures ({"png": base64, "width", "height"}) side by side as one PNG; its width and height."""
    from PIL import Image

    width = max(one["width"] for row in rows for one in row)
    height = max(one["height"] for row in rows for one in row)
    across = max(map(len, rows))
    # Small ones are enlarged, each pixel a square, so that one sees what is there.
    times = max(1, 96 // max(width, height))
    cell = (times * width + GAP, times * height + GAP)
    whole = Image.new("RGB", (cell[0] * across - GAP, cell[1] * len(rows) - GAP), "white")
    for y, row in enumerate(rows):
        for x, one in enumerate(row):
            picture = Image.open(io.BytesIO(base64.b64decode(one["png"]))).convert("RGB")
            size = (times * picture.width, times * picture.height)
            whole.paste(picture.resize(size, Image.Resampling.NEAREST), (cell[0] * x, cell[1] * y))
    held = io.BytesIO()
    whole.save(held, "PNG")
    return held.getvalue(), whole.width, whole.height


def sheet(samples: Sequence[Mapping[str, Any]]) -> str:
    """Examples that are rows or texts as Markdown: a table with an example a row."""
    rows = [
        {
            "id": one["id"],
            **(one["shows"] if isinstance(one["shows"], Mapping) else {"text": one["shows"]}),
            "truth": one.get("truth"),
        }
        for one in samples
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names), *([row.get(name) for name in names] for row in rows)]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: Any) -> str:
    """One cell: nothing in it may end it, or be taken for Markdown's marks."""
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    text = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in text)


def _fenced(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
