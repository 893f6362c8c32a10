"""Which examples an epoch sees: shares on an imbalanced set, the same for the same seed and epoch."""

import numpy as np
import pytest

from dlspec.recipe.load import load
from dlspec.runs.sampling import balanced, numbered, weighted
from dlspec.runs.train import train
from dlspec.types import RecipeError

RARE = np.r_[np.zeros(1000, int), np.ones(20, int), np.full(10, 7)]


def test_balanced_gives_each_class_the_same_share_and_each_example_its_turn():
    sampler = balanced(RARE)
    drawn = sampler(3, 5)
    assert len(drawn) == len(RARE)
    times = np.bincount(drawn, minlength=len(RARE))
    shares = [times[one == RARE].sum() for one in (0, 1, 7)]
    assert sum(shares) == 1030 and all(abs(one - 1030 / 3) <= 1 for one in shares)
    for one, count in ((0, 1000), (1, 20), (7, 10)):
        assert set(times[one == RARE]) <= {int(1030 / 3 / count), int(1030 / 3 / count) + 1}
    np.testing.assert_array_equal(drawn, sampler(3, 5))
    assert not np.array_equal(np.sort(drawn), np.sort(sampler(4, 5)))
    assert not np.array_equal(np.sort(drawn), np.sort(sampler(3, 6)))


def test_over_epochs_every_example_of_the_large_class_is_seen():
    sampler = balanced(RARE)
    times = sum(np.bincount(sampler(epoch, 0), minlength=len(RARE)) for epoch in range(60))
    rest = times[:1000]
    assert rest.min() > 0 and rest.mean() == pytest.approx(60 * 1030 / 3 / 1000, rel=0.01)
    assert rest.var() < rest.mean(), "less scattered than draws with replacement"


def test_weighted_is_in_proportion_and_never_takes_weight_0():
    weights = np.array([0, 1, 2, 3, 4], np.float32)
    times = sum(np.bincount(weighted(weights)(epoch, 1), minlength=5) for epoch in range(400))
    assert times[0] == 0 and times.sum() == 2000
    np.testing.assert_allclose(times / 2000, weights / 10, atol=0.02)
    for wrong in (None, np.zeros(5, np.float32)):
        with pytest.raises(RecipeError, match=r"train\.sampling: weighted: the .*weights"):
            weighted(wrong)


def test_what_comes_again_is_numbered():
    times = np.zeros(4, np.int64)
    np.testing.assert_array_equal(numbered(np.array([2, 0, 2, 2, 3]), times), [0, 0, 1, 2, 0])
    np.testing.assert_array_equal(numbered(np.array([3, 2, 1]), times), [1, 3, 0])
    np.testing.assert_array_equal(times, [1, 1, 4, 2])


RECIPE = """
task: classification
data: {name: csv, path: rows.csv, target: y, weight: w, split: {dev: 0.2}}
model: linear
train: {epochs: 3, batch_size: 16, optimizer: {name: sgd, learning_rate: 0.5}, tensorboard: false, health: false}
"""


@pytest.fixture
def home(tmp_path):
    draws = np.random.default_rng(0)
    lines = [
        f"{draws.normal() + (i % 51 == 0):.4f},{'rare' if i % 51 == 0 else 'usual'},{1 + 2 * (i % 2)}"
        for i in range(510)
    ]
    (tmp_path / "rows.csv").write_text("a,y,w\n" + "\n".join(lines) + "\n")
    (tmp_path / "r.yaml").write_text(RECIPE)
    return tmp_path


def shares(recipe, epoch, skip=0):
    """What a batch of the pipeline holds: labels and, where there are any, weights."""
    from dlspec.report.watch import Watch
    from dlspec.runs.backend import load_keras
    from dlspec.runs.material import pipeline_of
    from dlspec.runs.prepare import prepare

    load_keras()
    prepared = prepare(recipe, Watch())
    pipeline = pipeline_of(recipe, prepared.state, prepared.splits["train"], Watch())
    return list(pipeline.batches(epoch, skip))


def test_batches_of_a_1_to_50_set_hold_half_of_each(home):
    batches = shares(load(home / "r.yaml", ["train.sampling=balanced"]).recipe, 1)
    labels = np.concatenate([one[1][:, 0] for one in batches])
    assert labels.mean() == pytest.approx(0.5, abs=0.01) and len(batches[0]) == 3
    assert max(len(one[1]) for one in batches) == 16
    batches = shares(load(home / "r.yaml", ["train.sampling=weighted"]).recipe, 1)
    assert len(batches[0]) == 2, "drawn by weight, examples do not weigh a second time"


def test_copies_of_an_example_are_changed_each_in_its_own_way(home):
    recipe = load(home / "r.yaml", ["train.sampling=balanced", "input.augment.noise=0.5"]).recipe
    whole = shares(recipe, 2)
    rare = np.concatenate([one[0]["numeric"][one[1][:, 0] == 0] for one in whole])
    assert len(np.unique(rare[:, 0])) == len(rare) > 150
    for one, other in zip(shares(recipe, 2, skip=3), whole[3:], strict=True):
        np.testing.assert_array_equal(one[0]["numeric"], other[0]["numeric"])


def test_the_rare_class_is_found_more_often(home):
    plain = train(load(home / "r.yaml"), out=home / "runs")
    for one in ("train.sampling=balanced", "task.class_weights=balanced", "task.class_weights={rare: 50}"):
        evened = train(load(home / "r.yaml", [one, "task.positive=rare"]), out=home / "runs")
        assert evened.scores["train"]["recall"]["value"] > 0.5
    assert plain.scores["train"]["accuracy"]["value"] > 0.95
    with pytest.raises(RecipeError, match=r"task\.class_weights\.rar: unknown class 'rar'; did you mean 'rare'"):
        train(load(home / "r.yaml", ["task.class_weights={rar: 2}"]), out=home / "runs")


def test_class_weights_are_as_repeated_examples(home):
    """One epoch of full batch: to the rounding of float32."""
    import keras

    text = [line.rpartition(",")[0] for line in (home / "rows.csv").read_text().splitlines()]
    (home / "rows.csv").write_text("\n".join(text) + "\n")
    times = {"rare": 7, "usual": 2}
    again = [line for line in text[1:] for _ in range(times[line.split(",")[1]])]
    (home / "again.csv").write_text("\n".join([text[0], *again]) + "\n")
    sets = [
        "train.batch_size=all",
        "train.epochs=4",
        "input.scale=none",
        "data.weight=null",
        "train.keep=last",
    ]
    sets = [*sets, "data.split=null"]
    (home / "dev.csv").write_text("\n".join(text[:60]) + "\n")
    once = train(
        load(
            home / "r.yaml",
            [*sets, "data.path={train: rows.csv, dev: dev.csv}", "task.class_weights={rare: 7, usual: 2}"],
        ),
        out=home / "runs",
    )
    many = train(load(home / "r.yaml", [*sets, "data.path={train: again.csv, dev: dev.csv}"]), out=home / "runs")
    one, other = (keras.saving.load_model(run.run / "model.keras").get_weights() for run in (once, many))
    for mine, theirs in zip(one, other, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2e-5, atol=1e-6)
