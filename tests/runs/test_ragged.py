"""Texts of different length through a training: buckets, pieces, order; and runs that open them again."""

import numpy as np
import pytest

import dlspec
from dlspec.recipe.load import load
from dlspec.report.watch import Watch
from dlspec.runs import ragged
from dlspec.runs.material import pipeline_of
from dlspec.runs.prepare import prepare
from dlspec.runs.train import train
from dlspec.tasks import bucketing
from dlspec.types import RecipeError

RECIPE = """
task: classification
data: {name: text_table, path: rows.tsv, target: last}
input: {minimum_count: 1}
model: {name: bag_of_embeddings, embedding: {size: 8}}
train: {epochs: 3, batch_size: 8, tensorboard: false}
"""


@pytest.fixture
def home(tmp_path):
    random = np.random.default_rng(0)
    words = [["good", "fine", "best"], ["bad", "poor", "worst"]]
    lines = [f"{' '.join(random.choice(words[i % 2], 1 + 7 * i % 13))}\t{i % 2}" for i in range(120)]
    (tmp_path / "rows.tsv").write_text("\n".join(lines) + "\n")
    (tmp_path / "r.yaml").write_text(RECIPE)
    return tmp_path


def pipeline(home, *sets):
    recipe = load(home / "r.yaml", sets).recipe
    prepared = prepare(recipe, Watch())
    return pipeline_of(recipe, prepared.state, prepared.splits["train"], Watch())


def test_buckets_by_examples():
    lengths = np.random.default_rng(1).integers(1, 60, 2_000)
    plan = bucketing.by_examples(lengths, 16, np.random.default_rng(0))
    assert sorted(np.concatenate(plan).tolist()) == list(range(2_000)) and {len(one) for one in plan} == {16}
    padded = sum(16 * lengths[one].max() for one in plan)
    assert lengths.sum() / padded > 0.95  # at random about 0.5
    means = [lengths[one].mean() for one in plan]
    assert means != sorted(means)


def test_buckets_by_tokens():
    lengths = np.array([3, 1, 0, 50, 3, 2])
    plan = bucketing.by_tokens(lengths, 6, np.random.default_rng(0))
    assert sorted(sorted(lengths[one].tolist()) for one in plan) == [[0, 1, 2], [3, 3], [50]]


def test_pieces_cover_everything_within_the_room_and_come_back_in_order():
    lengths = np.random.default_rng(2).integers(0, 3_000, 300)
    rows = [np.full(n, i, np.int32) for i, n in enumerate(lengths)]
    parts = list(ragged.pieces({"tokens": rows}, lengths, lambda some: some, 64))
    places = [chosen for chosen, _ in parts]
    assert sorted(np.concatenate(places).tolist()) == list(range(300)) and max(map(len, places)) <= 64
    assert all(len(c) == 1 or len(c) * lengths[c].max() <= ragged.TOKENS for c in places)
    assert ragged.in_order(np.concatenate(places), places).tolist() == list(range(300))
    assert ragged.in_order(np.concatenate(places).tolist(), places) == list(range(300))


def test_batches_by_tokens_are_as_many_in_every_epoch(home):
    pipe = pipeline(home, "train.batch_size={tokens: 40}")
    assert [len(pipe.plan(epoch)) for epoch in range(3)] == [pipe.steps] * 3
    for x, *_ in pipe.batches(0):
        assert x["tokens"].size <= 40 or len(x["tokens"]) == 1


def test_xla_is_refused_where_lengths_differ(home):
    with pytest.raises(RecipeError, match="differ in length"):
        train(load(home / "r.yaml", ["train.compile=xla"]), out=home / "refused")
    assert not (home / "refused").exists()


def test_tokens_are_for_sentences(home):
    (home / "i.yaml").write_text("task: classification\ndata: iris\nmodel: linear\ntrain: {batch_size: {tokens: 9}}\n")
    with pytest.raises(RecipeError, match="counts tokens"):
        train(load(home / "i.yaml"), out=home / "refused")
    assert not (home / "refused").exists()


def test_another_vocabulary_keeps_the_vectors_of_its_words(home):
    from dlspec.runs import origin
    from dlspec.runs.network import build

    first = train(load(home / "r.yaml"), out=home / "runs")
    run = dlspec.open(first.run)
    (home / "rows.tsv").write_text("".join(f"worst {'new ' * (i % 3)}good\t{i % 2}\n" for i in range(60)))
    recipe = load(home / "r.yaml", [f"train.start_from={first.run}"]).recipe
    state = prepare(recipe, Watch()).state
    network = build(recipe, state)
    before = network.get_layer("embedding").get_weights()[0].copy()
    origin.begin(recipe, state, network, Watch())
    after, learned = (one.get_layer("embedding").get_weights()[0] for one in (network, run.network))
    mine, theirs = state["input"]["vocabulary"], run.state["input"]["vocabulary"]
    assert mine != theirs and {"worst", "good"} <= set(mine) & set(theirs)
    for row, word in enumerate(mine):
        expected = learned[theirs.index(word)] if word in theirs else before[row]
        np.testing.assert_array_equal(after[row], expected)


@pytest.mark.parametrize("model", ["bag_of_embeddings", "text_cnn"])
def test_a_run_learns_and_opens_and_says_the_same_of_one_text_as_of_many(home, model):
    sets = [f"model={{name: {model}, embedding: {{size: 8}}}}", "train.optimizer.learning_rate=0.05"]
    done = train(load(home / "r.yaml", sets), out=home / "runs")
    assert done.scores["dev"]["accuracy"]["value"] > 0.9
    run = dlspec.open(done.run)
    texts = ["good", "", "bad worst poor " * 400, "fine fine", "never seen 😀"]
    together = run.predict(texts)
    alone = [run.predict(text)[0] for text in texts]
    assert [one["guess"] for one in together] == [one["guess"] for one in alone]
    for one, other in zip(together, alone, strict=True):
        for name, value in one.items():
            assert value == other[name] or value == pytest.approx(other[name], abs=1e-5)
    assert together[0]["guess"] != together[2]["guess"]
