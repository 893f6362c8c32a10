"""Mixed precision: what is in which type, that it trains, and that what is saved gives the same again."""

import numpy as np
import pytest

from dlspec.recipe.component import names
from dlspec.recipe.load import load
from dlspec.runs.evaluate import evaluate
from dlspec.runs.train import train

RECIPE = """
task: classification
data: digits
input: {size: [16, 16]}
model: {name: lenet5, padding: same, dropout: 0.1}
train: {epochs: 2, batch_size: 64, optimizer: {name: adam, learning_rate: 0.003}, tensorboard: false}
"""


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_trains_saves_and_opens(precision, tmp_path):
    import keras

    (tmp_path / "r.yaml").write_text(RECIPE)
    found = train(load(tmp_path / "r.yaml", [f"train.precision={precision}"]), out=tmp_path / "runs")
    assert keras.config.dtype_policy().name == "float32", "what is built later is as ever"
    assert found.scores["dev"]["accuracy"]["value"] > 0.5
    network = keras.saving.load_model(found.run / "model.keras")
    half = precision.removeprefix("mixed_")
    assert {one.dtype for one in network.weights} == {"float32"}
    *others, last = [layer for layer in network.layers if layer.weights]
    assert {layer.compute_dtype for layer in others} == {half} and last.compute_dtype == "float32"
    pictures = np.random.default_rng(0).random((4, 16, 16, 1), np.float32)
    logits = network.predict({"picture": pictures}, verbose=0)
    assert logits.dtype == np.float32
    assert not np.array_equal(logits, logits.astype(np.float16).astype(np.float32)), "not rounded to half precision"
    scored = evaluate(found.run)["scores"]["dev"]
    assert {name: one["value"] for name, one in scored.items()} == {
        name: one["value"] for name, one in found.scores["dev"].items()
    }


@pytest.mark.parametrize("name", names("models"))
def test_every_architecture_computes_in_half_precision_and_answers_in_float32(name):
    from contracts.samples import SMALL, examples

    from dlspec.models.base import Detector, Translator
    from dlspec.recipe.component import find
    from dlspec.recipe.schema import Recipe
    from dlspec.recipe.training import Train
    from dlspec.runs.backend import load_keras
    from dlspec.runs.precision import build

    keras = load_keras()
    translates = issubclass(find("models", name), Translator)
    settings = {"tied": "target"} if translates and "tied" in find("models", name).model_fields else {}
    model = find("models", name)(**{**SMALL.get(name, {}), **settings})
    entry = find("inputs", model.accepts[0])(**({"size": (32, 32)} if model.accepts[0] == "picture" else {}))
    asked = "detection" if isinstance(model, Detector) else "classification"
    data = examples(entry.kind, asked)
    task, entered = find("tasks", asked)(), entry.prepare(data)
    state = {"input": entered, "task": task.prepare(data), "shapes": entered["shapes"]}
    state["task"] = task.join(data, entry, model, state)
    encoded = entry.finish(entry.encode(data, entered), entered)
    if translates:  # as its task will: what has been said goes in too
        state["shapes"] = {**state["shapes"], "target": state["shapes"]["tokens"]}
        encoded["target"] = encoded["tokens"] % 2 + 1
    recipe = Recipe.model_construct(task=task, model=model, train=Train(precision="mixed_bfloat16"))
    network = build(recipe, state)
    logits = network({key: encoded[key] for key in state["shapes"]}, training=True)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert {layer.compute_dtype for layer in network._flatten_layers() if layer.weights} <= {"bfloat16", "float32"}
