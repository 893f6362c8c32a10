"""Embeddings for TensorBoard's projector: what a network makes of examples before its last layer, with their names.

Beside the event files of a run stands tensorboard/embeddings/ with projector_config.pbtxt and, of each split, vectors
and metadata as text and, of pictures, a sheet of thumbnails.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs.judged import Judged
from dlspec.runs.store import Store
from dlspec.runs.tensorboard import Board
from dlspec.strategy.ceilings import Errors
from dlspec.types import ArgumentError, Examples, RecipeError

CURVE = "embeddings"
MOST = 3_000
"""so many examples are embedded, spread evenly over all: the projector works in the browser"""
NUMBERS = 256
"""of longer vectors, so many principal components are kept; the projector itself looks at 200"""
SIDE = 48
"""pixels of a thumbnail"""
LONGEST = 60
"""letters of a name or a guess"""
TAGS = 6


def write(judged: Judged, split: str, found: Errors, among: np.ndarray, watch: Watch) -> dict[str, Any]:
    """Embed the examples of a split that has been judged; among: (N,) bool, those that may be looked at.

    Returns `folder`, `examples`, `numbers` (of each vector) and `layer`, what gives the vectors.  Raises
    ArgumentError where the network has no place before its last layer.
    """
    part = judged.parts[split]
    rows = np.flatnonzero(among)
    if len(rows) > MOST:
        rows = rows[[i * len(rows) // MOST for i in range(MOST)]]
    if not len(rows):
        raise ArgumentError(f"no example of {split} may be looked at, so that none can be embedded")
    examples = part.examples.take(rows.tolist())
    vectors, layer = embedded(judged, examples, watch)
    short = components(vectors)
    if judged.home is None:
        raise ArgumentError("embeddings are written beside a run's event files; this has no folder")
    home = judged.home / "tensorboard" / CURVE
    _announce(home)
    folders.write_text(home / f"{split}.tsv", "".join("\t".join(f"{x:.6g}" for x in row) + "\n" for row in short))
    predictions = judged.evaluator.stack([part.predictions[i] for i in rows.tolist()])
    guesses = judged.evaluator.columns(predictions, judged.state)["guess"]
    _write_metadata(home / f"{split}_metadata.tsv", judged, examples, guesses, [found[i] for i in rows.tolist()])
    if judged.input.kind == "picture":
        _write_sprite(home / f"{split}.png", judged, examples)
    _write_config(home)
    numbers = str(vectors.shape[1]) if short is vectors else f"the first {short.shape[1]} of {vectors.shape[1]:,}"
    watch.note(f"embeddings of {len(rows):,} examples of {split} ({numbers} numbers each): {home}")
    return {"folder": str(home), "examples": len(rows), "numbers": short.shape[1], "layer": layer}


def embedded(judged: Judged, examples: Examples, watch: Watch) -> tuple[np.ndarray, str]:
    """float (N, D): what the network's head takes (of maps, the mean of each), and the layers that give it."""
    import keras

    opened = judged.opened
    assert opened is not None
    network = opened.network
    try:
        ends = keras.tree.flatten(opened.recipe.model.base(network))
    except RecipeError:
        raise ArgumentError(
            f"the last layer of {opened.recipe.model.name} takes several arrays, so that no vector stands before it"
        ) from None
    base = keras.Model(network.input, ends)
    names = list(network.input)
    store = Store(opened.recipe, opened.state, examples, watch, "examples to embed")
    found = []
    for batch in store.chunks():
        given = {name: batch[name] for name in names}
        made = [np.asarray(one, np.float64) for one in keras.tree.flatten(base.predict_on_batch(given))]
        means = [one.mean(axis=tuple(range(1, one.ndim - 1))) if one.ndim > 2 else one for one in made]
        found.append(np.concatenate(means, axis=1))
    return np.concatenate(found), ", ".join(one._keras_history[0].name for one in ends)


def components(vectors_ND: np.ndarray) -> np.ndarray:
    """The vectors, or of long ones the NUMBERS directions in which they differ most, around their mean."""
    if vectors_ND.shape[1] <= NUMBERS:
        return vectors_ND
    from scipy.linalg import eigh

    centred = vectors_ND - vectors_ND.mean(axis=0)
    last = len(centred) - 1
    squares, directions = eigh(centred @ centred.T, subset_by_index=[max(0, last + 1 - NUMBERS), last])
    kept: np.ndarray = directions[:, ::-1] * np.sqrt(np.maximum(squares[::-1], 0))
    return kept


def _announce(home: Path) -> None:
    """An event file, without which TensorBoard does not take a folder for one of its runs."""
    if not any(home.glob("events.out.tfevents.*")):
        board = Board(home.parent)
        board.text(CURVE, CURVE, "examples as the network sees them before its last layer: see the tab Projector")
        board.close()
        if board.failed is not None:
            raise ArgumentError(f"cannot write {home}: {board.failed}")


def _write_metadata(
    file: Path, judged: Judged, examples: Examples, guesses: Sequence[Any], errors: Sequence[Any]
) -> None:
    """A row an example, in the order of the vectors: truth, guess, whether that is right, its worst error, id, tags."""
    tags = examples.tag_names[:TAGS]
    names = ["truth", "guess", "right", "error", "id", *tags]
    truths = judged.evaluator.truth(examples, judged.state)
    lines = [names]
    for example, truth, guess, wrong in zip(examples, truths, guesses, errors, strict=True):
        worst = max(wrong, key=lambda one: one.size).kind if wrong else ""
        verdict = "wrong" if wrong else "right"
        lines.append([truth, guess, verdict, worst, example.id, *(example.tags[name] for name in tags)])
    text = "".join("\t".join(map(_cell, line)) + "\n" for line in lines)
    folders.write_text(file, text.encode("utf-8", "replace").decode("utf-8"))


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _write_sprite(file: Path, judged: Judged, examples: Examples) -> None:
    """Thumbnails in the order of the vectors, row after row of a square."""
    from PIL import Image

    from dlspec.report.pictures import small

    across = math.ceil(math.sqrt(len(examples)))
    whole = Image.new("RGB", (across * SIDE, across * SIDE))
    for place, example in enumerate(examples):
        one = small(judged.input.show(example).content, SIDE).convert("RGB")
        times = max(1, SIDE // max(one.size))
        one = one.resize((one.width * times, one.height * times), Image.Resampling.NEAREST)
        left, top = (SIDE - one.width) // 2, (SIDE - one.height) // 2
        whole.paste(one, (place % across * SIDE + left, place // across * SIDE + top))
    with folders.replacing(file) as new:
        whole.save(new, "PNG")


def _write_config(home: Path) -> None:
    """projector_config.pbtxt for every split that is there."""
    from google.protobuf import text_format
    from tensorboard.plugins.projector import ProjectorConfig

    config = ProjectorConfig()
    for file in sorted(home.glob("*_metadata.tsv")):
        split = file.name.removesuffix("_metadata.tsv")
        one = config.embeddings.add(tensor_name=split, tensor_path=f"{split}.tsv", metadata_path=file.name)
        if (home / f"{split}.png").is_file():
            one.sprite.image_path = f"{split}.png"
            one.sprite.single_image_dim.extend([SIDE, SIDE])
    folders.write_text(home / "projector_config.pbtxt", text_format.MessageToString(config))
