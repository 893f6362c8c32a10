"""What holds for every architecture: a dict of arrays in, logits out, seeded, and it opens in a fresh process."""

import functools
import json
import subprocess
import sys

import numpy as np
import pytest
from contracts.samples import SMALL, examples

from dlspec.models.base import Backbone, Detector, Model, Segmenter, Sought, Tagger, Translator
from dlspec.recipe.component import every, find, names
from dlspec.runs.backend import load_keras

INPUTS = {find("inputs", name)().kind: find("inputs", name)() for name in names("inputs")}
PAIRED = "text and translation"
"""what a translator takes: its input and what has been said, which the task adds"""
CASES = [
    (name, PAIRED if issubclass(find("models", name), Translator) else kind)
    for name in names("models")
    for kind in find("models", name).accepts
    if kind in INPUTS
]


def arrays(kind):
    if kind == PAIRED:
        shapes, batch = arrays("text")
        spec = shapes["tokens"]
        said = batch["tokens"][:, ::-1] % 2 + 1  # of three tokens, as `built` asks for
        return {"tokens": spec, "target": {**spec, "vocabulary": 3}}, {**batch, "target": said.astype("int32")}
    data = examples(kind, "classification")
    state = INPUTS[kind].prepare(data)
    encoded = INPUTS[kind].finish(INPUTS[kind].encode(data, state), state)
    return state["shapes"], {name: encoded[name] for name in state["shapes"]}


def test_padding_changes_nothing():
    """What is behind the end of a text does not matter, whatever its length: one by one and together is the same."""
    ragged = [
        (name, kind)
        for name, kind in CASES
        if kind != PAIRED and any(None in one["shape"] for one in arrays(kind)[0].values())
    ]
    assert ragged
    for name, kind in ragged:
        network, batch = known(name, kind)
        together = np.asarray(network(batch))
        wider = {key: np.pad(values, [(0, 0), (0, 5)]) for key, values in batch.items()}
        of_tokens = together.ndim == 3  # a logit a token: those of padding do not matter
        real = batch["tokens"] != 0 if of_tokens else np.ones(len(together), bool)
        padded = np.asarray(network(wider))[:, : real.shape[1]] if of_tokens else np.asarray(network(wider))
        np.testing.assert_allclose(padded[real], together[real], rtol=1e-4, atol=1e-5, err_msg=name)
        for row, tokens in enumerate(batch["tokens"]):
            alone = np.asarray(network({"tokens": tokens[None, : np.count_nonzero(tokens)]}))[0]
            expected = together[row][: len(alone)] if of_tokens else together[row]
            np.testing.assert_allclose(alone, expected, rtol=1e-4, atol=1e-5, err_msg=name)


def built(name, kind, seed=0, outputs=3):
    load_keras(seed=seed)
    shapes, batch = arrays(kind)
    model = find("models", name)(**SMALL.get(name, {}))
    return model.build(shapes, Sought((priors(model, shapes),), outputs) if priors(model, shapes) else outputs), batch


known = functools.cache(built)
"""the same for all tests that change nothing about it"""


def priors(model, shapes):
    """Of each cell of a detector: as many as it has, or two; 0 of what is none."""
    if not isinstance(model, Detector):
        return 0
    return 2 if model.sides(shapes) is None else len(model.sides(shapes)[0])


def test_every_architecture_has_a_case():
    assert {name for name, _ in CASES} == set(names("models"))
    for cls in every("models"):
        assert issubclass(cls, Model) and cls.accepts
        assert issubclass(cls, Backbone | Segmenter | Detector | Tagger | Translator)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_dict_of_arrays_gives_logits(name, kind):
    network, batch = known(name, kind)
    logits = np.asarray(network(batch))
    pixels = batch["picture"].shape[1:3] if issubclass(find("models", name), Segmenter) else ()
    expected = (12, *pixels, 3)
    if issubclass(find("models", name), Detector):
        model = find("models", name)(**SMALL.get(name, {}))
        expected = (12, 9 * 9 * priors(model, arrays(kind)[0]), 5 + 3)  # cells of 4 pixels
    if kind == PAIRED:
        expected = (*batch["target"].shape, 3)
    if issubclass(find("models", name), Tagger):
        expected = (*next(iter(batch.values())).shape[:2], 3)
    assert logits.shape == expected and np.isfinite(logits).all()
    assert not np.allclose(logits.sum(axis=1), 1)
    assert set(network.input if isinstance(network.input, dict) else batch) == set(batch)


@pytest.mark.parametrize("name", [name for name in names("models") if issubclass(find("models", name), Tagger)])
def test_a_tagger_says_rightly_whether_it_sees_what_comes_later_and_goes_on_as_the_whole_pass(name):
    network, batch = known(name, "text")
    model, said = find("models", name)(**SMALL.get(name, {})), batch["tokens"]
    logits = np.asarray(network(batch))
    other = np.asarray(network({"tokens": np.where(np.arange(said.shape[1]) == 2, said % 4 + 4, said)}))
    assert model.causal == (np.abs(other - logits)[:, :2].max() < 1e-6)
    course = model.course(network, len(said), 1, said.shape[1])
    cache, ancestors = course.cache, np.zeros((len(said), 1, said.shape[1]), "int32")
    for time in range(said.shape[1]):
        now, cache, _ = course.step(said[:, time : time + 1], time, cache, ancestors)
        here = said[:, time] != 0
        np.testing.assert_allclose(np.asarray(now)[here, 0], logits[here, time], atol=1e-5)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_seed_decides_the_weights(name, kind):
    first = known(name, kind)[0].get_weights()
    second, other = (built(name, kind, seed)[0].get_weights() for seed in (0, 1))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    # Not what starts as zeros and ones: biases, of which those of forget gates are 1.
    drawn = [(a, b) for a, b in zip(first, other, strict=True) if a.std() > 0 and not np.isin(a, (0, 1)).all()]
    assert all(not np.array_equal(a, b) for a, b in drawn)
    assert drawn or name == "linear"  # convex: it starts from zeros


def test_saved_networks_open_in_a_fresh_process_as_the_design_says(tmp_path):
    for number, (name, kind) in enumerate(CASES):
        network, batch = known(name, kind)
        network.save(tmp_path / f"{number}.keras")
        np.savez(tmp_path / f"{number}.npz", **batch, logits_=np.asarray(network(batch)))
    code = """
import sys, json, pathlib, numpy as np, keras, dlspec.layers
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.keras")):
    held = dict(np.load(file.with_suffix(".npz")))
    logits = held.pop("logits_")
    network = keras.saving.load_model(file)
    assert not network.compiled
    np.testing.assert_allclose(np.asarray(network(held)), logits, rtol=1e-5, atol=1e-6)
loaded = sorted(m for m in sys.modules if m.startswith("dlspec.") and not m.startswith("dlspec.layers"))
print(json.dumps(loaded))
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []
