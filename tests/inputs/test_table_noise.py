"""Noise on the numbers of a table: its size, what it leaves alone, and that a row's seed alone decides it."""

import numpy as np
import pytest
from contracts.samples import examples

from dlspec.inputs.table import Table
from dlspec.recipe.load import load
from dlspec.types import RecipeError


def test_noise_is_of_its_size_on_numbers_alone_and_hangs_on_the_seed():
    data = examples("table", "classification", 4000)
    entry = Table.model_validate({"augment": {"noise": 0.25}})
    state = {"input": entry.prepare(data), "task": {}}
    batch = {**entry.encode(data, state["input"]), "label": np.zeros(4000)}
    before = batch["numeric"].copy()
    seeds = np.arange(4000, dtype=np.uint64) * 7919
    noise = entry.augmented(batch, seeds, state)["numeric"] - before
    np.testing.assert_array_equal(batch["numeric"], before)
    assert state["input"]["features"][:2] == ["height", "weight"] and len(state["input"]["features"]) > 3
    assert np.all(noise[:, 2:] == 0)
    np.testing.assert_allclose(noise[:, :2].mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(noise[:, :2].std(axis=0), 0.25, rtol=0.05)
    assert abs(np.corrcoef(noise[:, 0], noise[:, 1])[0, 1]) < 0.06
    some = {name: values[[9, 4]] for name, values in batch.items()}
    np.testing.assert_array_equal(
        entry.augmented(some, seeds[[9, 4]], state)["numeric"] - before[[9, 4]], noise[[9, 4]]
    )
    assert not Table().augments and entry.augments


def test_noise_needs_a_unit(tmp_path):
    (tmp_path / "r.yaml").write_text(
        "task: regression\ndata: diabetes\ninput: {scale: none, augment: {noise: 1}}\nmodel: linear\n"
    )
    with pytest.raises(RecipeError, match=r"r\.yaml:3:\d+: input\.augment\.noise: .* needs scale: standard"):
        load(tmp_path / "r.yaml")
