"""Training: the same bits twice, what a run holds, early stopping, penalties, one's own code, what stops it early."""

import csv
import json
import textwrap

import numpy as np
import pytest

import dlspec
from dlspec.recipe.load import load
from dlspec.report.watch import Watch
from dlspec.runs.train import train
from dlspec.types import ArgumentError, DataError, RecipeError

FLOWERS = """\
task: classification
data: iris
model: {name: mlp, hidden: [8], dropout: 0.2}
train: {epochs: 4, batch_size: 16}
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="r.yaml"):
        file = tmp_path / name
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    return write


def weights(run):
    return dlspec.open(run).network.get_weights()


class Heard(Watch):
    def __init__(self):
        self.notes, self.warnings, self.epochs, self.steps = [], [], [], []

    def note(self, sentence):
        self.notes.append(sentence)

    def warn(self, sentence):
        self.warnings.append(sentence)

    def epoch(self, report):
        self.epochs.append(report)

    def step(self, epoch, step, loss):
        self.steps.append((epoch, step))


def test_a_run_holds_what_the_design_says(write, tmp_path):
    heard = Heard()
    trained = train(load(write(FLOWERS)), out=tmp_path / "runs", watch=heard)
    run = trained.run
    held = {f.name for f in run.iterdir()}
    assert held == {"recipe.yaml", "state.json", "manifest.csv", "machine.json", "history.csv", "scores.json",
                    "model.keras", "tensorboard", "data.json", "figures", "report.html", "checkpoint",
                        "health.json"}  # fmt: skip
    rows = list(csv.DictReader((run / "history.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert {"train_loss", "train_accuracy", "dev_accuracy", "dev_log_loss", "seconds"} <= set(rows[0])
    machine = json.loads((run / "machine.json").read_text())
    assert machine["seed"] == 0 and machine["data_fingerprint"] and machine["versions"]["keras"]
    manifest = list(csv.DictReader((run / "manifest.csv").read_text().splitlines()))
    assert len({row["id"] for row in manifest}) == 150 and {row["split"] for row in manifest} == {
        "train",
        "dev",
        "test",
    }
    assert set(trained.scores) == {"train", "dev"}, "test is not looked at"
    assert load(run / "recipe.yaml").recipe == load(write(FLOWERS)).recipe
    assert len(heard.epochs) == 4 and heard.epochs[-1].epochs == 4 and heard.steps
    assert any("3 classes" in note for note in heard.notes)


def test_history_is_what_the_network_scored(write, tmp_path):
    trained = train(load(write(FLOWERS), ["train.keep=last"]), out=tmp_path)
    rows = list(csv.DictReader((trained.run / "history.csv").read_text().splitlines()))
    for name, one in trained.scores["dev"].items():
        assert float(rows[-1][f"dev_{name}"]) == pytest.approx(one["value"])


def test_the_best_epoch_is_kept(write, tmp_path):
    trained = train(load(write(FLOWERS), ["train.epochs=12", "goal.optimize=log_loss"]), out=tmp_path)
    rows = list(csv.DictReader((trained.run / "history.csv").read_text().splitlines()))
    best = min(float(row["dev_log_loss"]) for row in rows)
    assert trained.scores["dev"]["log_loss"]["value"] == pytest.approx(best)
    stands = {"metric": "log_loss", "value": trained.scores["dev"]["log_loss"]["value"], "feasible": True, "limits": []}
    assert stands.items() <= trained.goal.items()


def test_the_same_seed_gives_the_same_bits_another_does_not(write, tmp_path):
    loaded = load(write(FLOWERS))
    first, second = (train(loaded, out=tmp_path).run for _ in range(2))
    other = train(load(write(FLOWERS), ["train.seed=1"]), out=tmp_path).run
    for a, b, c in zip(weights(first), weights(second), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)
    first, second = ((run / "history.csv").read_text().splitlines() for run in (first, second))
    dropped = [[v for k, v in row.items() if k != "seconds"] for row in csv.DictReader(first)]
    assert dropped == [[v for k, v in row.items() if k != "seconds"] for row in csv.DictReader(second)]


def test_early_stopping_stops_and_says_so(write, tmp_path):
    heard = Heard()
    recipe = load(
        write(FLOWERS), ["train.epochs=200", "train.early_stopping.patience=3", "train.optimizer.learning_rate=0.05"]
    )
    trained = train(recipe, out=tmp_path, watch=heard)
    assert trained.epochs < 200 and any("has not improved for 3 epochs" in note for note in heard.notes)
    scores = [report.dev["accuracy"] for report in heard.epochs]
    assert np.argmax(scores) == len(scores) - 4 and heard.epochs[-4].best


def test_penalties_shrink_kernels_and_spare_biases(write, tmp_path):
    plain, held = (
        weights(
            train(
                load(
                    write(FLOWERS),
                    [f"train.l2={l2}", "train.optimizer.learning_rate=0.05", "model=linear", "train.keep=last"],
                ),
                out=tmp_path,
            ).run
        )
        for l2 in (0.0, 1.0)
    )
    assert np.abs(held[0]).sum() < 0.2 * np.abs(plain[0]).sum()
    assert np.abs(held[1]).max() > 1e-4


def test_one_step_of_l2_is_the_gradient_of_the_squared_weights(write, tmp_path):
    """Kernels w lose 2·l2·lr·w a step: with all-batch SGD, the difference to the same step without the penalty."""
    sets = ["train.optimizer=sgd", "train.optimizer.learning_rate=0.1", "train.batch_size=all", "model.dropout=0",
            "train.epochs=1", "train.keep=last"]  # fmt: skip
    start = weights(train(load(write(FLOWERS), [*sets, "train.optimizer.learning_rate=1e-30"]), out=tmp_path).run)
    plain = weights(train(load(write(FLOWERS), sets), out=tmp_path).run)
    held = weights(train(load(write(FLOWERS), [*sets, "train.l2=0.01"]), out=tmp_path).run)
    np.testing.assert_allclose(plain[0] - held[0], 2 * 0.01 * 0.1 * start[0], atol=1e-6)
    np.testing.assert_array_equal(plain[1], held[1])


def test_ones_own_code_lies_in_the_run_and_opens_from_there(write, tmp_path):
    write("WIDTH = 5\n", "sizes.py")
    write(
        """\
        from typing import ClassVar

        from sizes import WIDTH

        from dlspec.models.base import Backbone, flat

        class OwnNet(Backbone):
            accepts: ClassVar[tuple[str, ...]] = ("table",)

            def build(self, inputs, outputs):
                import keras

                entries, x = flat(inputs)
                x = keras.layers.Dense(WIDTH)(x)
                return keras.Model(entries, keras.layers.Dense(outputs)(x))
        """,
        "own_net.py",
    )
    file = write("task: classification\ndata: iris\nmodel: ./own_net.py\ntrain: {epochs: 1}\n")
    run = train(load(file), out=tmp_path / "runs").run
    assert {f.name for f in (run / "code").iterdir()} == {"own_net.py", "sizes.py"}
    assert "./code/own_net.py" in (run / "recipe.yaml").read_text()
    (tmp_path / "own_net.py").unlink()
    assert len(dlspec.open(run).predict([[5.1, 3.5, 1.4, 0.2]])) == 1


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("task: classification\ndata: {name: iris, split: {dev: 0}}\nmodel: linear\n"
         "train: {early_stopping: {patience: 2}}\n", RecipeError, "r.yaml:4:25: train.early_stopping: needs"),
        ("task: {name: classification, positive: rose}\ndata: breast_cancer\nmodel: linear\n", RecipeError,
         "r.yaml:1:40: task.positive: unknown class 'rose'"),
        ("task: regression\ndata: iris\nmodel: linear\n", DataError, "task: classification"),
        ("task: classification\ndata: diabetes\nmodel: linear\n", DataError, "task: regression"),
        ("task: classification\ndata: digits\ninput: {size: [9, 9]}\nmodel: lenet5\n", RecipeError, "at least 16×16"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_leaves_nothing_behind(text, kind, message, write, tmp_path):
    with pytest.raises(kind) as caught:
        train(load(write(text)), out=tmp_path / "runs")
    assert message in str("\n".join(map(str, caught.value.complaints)))
    assert not (tmp_path / "runs").exists()


def test_a_network_that_diverges_at_once_is_the_recipes_fault(write, tmp_path):
    text = "task: regression\ndata: diabetes\nmodel: mlp\ntrain: {optimizer: {name: sgd, learning_rate: 1e30}}\n"
    with pytest.raises(RecipeError, match="diverged in epoch 1") as caught:
        train(load(write(text)), out=tmp_path)
    assert caught.value.complaints[0].where.line == 4 and "1e+30" in str(caught.value)


def test_what_was_best_before_a_network_diverged_is_kept(write, tmp_path):
    from dlspec.runs.observer import Observer

    heard, ended = Heard(), Observer.ended

    def diverge(self, network, epoch, seconds, logs):
        return ended(self, network, epoch, seconds, {**logs, "loss": float("nan")} if epoch == 2 else logs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Observer, "ended", diverge)
        trained = train(load(write(FLOWERS)), out=tmp_path, watch=heard)
    assert trained.epochs == 3 and trained.best_epoch in (1, 2)
    assert any("diverged in epoch 3" in warning for warning in heard.warnings)
    assert np.isfinite(trained.scores["dev"]["log_loss"]["value"])


def test_an_unfinished_run_cannot_be_opened(write, tmp_path):
    run = train(load(write(FLOWERS)), out=tmp_path).run
    (run / "model.keras").unlink()
    with pytest.raises(ArgumentError, match="unfinished"):
        dlspec.open(run)


def test_batch_size_all_is_one_step_an_epoch(write, tmp_path):
    heard = Heard()
    train(load(write(FLOWERS), ["train.batch_size=all"]), out=tmp_path, watch=heard)
    assert heard.steps == [(epoch, 1) for epoch in range(4)]


def test_example_weights_count(write, tmp_path):
    """Weight 0 takes an example out: the same step as a batch without it, scaled by what Keras divides by."""
    rows = ["a,b,w,y"] + [f"{i % 7},{(i * i) % 5},{0 if i % 2 else 1},{'no' if i % 3 else 'yes'}" for i in range(40)]
    write("\n".join(rows) + "\n", "rows.csv")
    recipe = """\
        task: classification
        data: {name: csv, path: rows.csv, target: y, drop: [w], weight: w, split: {dev: 0, test: 0}}
        model: linear
        train: {epochs: 1, batch_size: all, optimizer: {name: sgd, learning_rate: 1}, keep: last}
        """
    weighted = train(load(write(recipe)), out=tmp_path).run
    x = np.array([[i % 7, (i * i) % 5] for i in range(40)], float)
    y = np.array([i % 3 == 0 for i in range(40)], float)
    x = (x - x.mean(0)) / x.std(0)
    even = np.arange(40) % 2 == 0
    gradient = ((0.5 - y) * even) @ x
    kernel, bias = weights(weighted)
    scale = kernel[:, 0] / -gradient
    np.testing.assert_allclose(scale, scale[0], rtol=1e-4)
    np.testing.assert_allclose(bias[0] / scale[0], -((0.5 - y) * even).sum(), rtol=1e-4)


def test_of_equally_good_epochs_the_latest_is_kept(write, tmp_path):
    rows = ["a,y"] + [f"{i % 10},{'low' if i % 10 < 5 else 'high'}" for i in range(200)]
    write("\n".join(rows) + "\n", "rows.csv")
    recipe = "task: classification\ndata: {name: csv, path: rows.csv, target: y}\nmodel: linear\n"
    recipe += "train: {epochs: 8, optimizer: {learning_rate: 0.1}}\n"
    trained = train(load(write(recipe)), out=tmp_path)
    rows = list(csv.DictReader((trained.run / "history.csv").read_text().splitlines()))
    assert rows[2]["dev_accuracy"] == rows[-1]["dev_accuracy"] == "1.0"
    assert trained.scores["dev"]["log_loss"]["value"] == pytest.approx(float(rows[-1]["dev_log_loss"]))


def test_an_epoch_of_one_step_is_one_step(write, tmp_path):
    """Against plain `train_on_batch`: Keras must not count, or decay the weights, once more at the epoch's end."""
    import keras

    from dlspec.runs.fit import compile_network
    from dlspec.runs.pipeline import Pipeline
    from dlspec.runs.prepare import prepare
    from dlspec.runs.store import store

    loaded = load(
        write(FLOWERS),
        ["train.batch_size=all", "train.optimizer=adamw", "train.optimizer.weight_decay=0.1", "model.dropout=0",
         "train.epochs=5", "train.keep=last", "train.optimizer.learning_rate=0.01"],
    )  # fmt: skip
    run = train(loaded, out=tmp_path).run
    recipe = loaded.recipe
    prepared = prepare(recipe, Watch())
    keras.utils.set_random_seed(recipe.train.seed)
    network = recipe.task.build(recipe.model, prepared.state)
    pipeline = Pipeline(recipe, prepared.state, store(recipe, prepared.state, prepared.splits["train"], Watch()))
    compile_network(network, recipe, prepared.state, 1)
    for epoch in range(5):
        [batch] = pipeline.batches(epoch)
        network.train_on_batch(*batch)
    for mine, plain in zip(weights(run), network.get_weights(), strict=True):
        np.testing.assert_allclose(mine, plain, rtol=1e-5, atol=1e-6)


def test_where_examples_are_kept_changes_no_bit(write, tmp_path, monkeypatch):
    monkeypatch.setenv("DLSPEC_CACHE", str(tmp_path / "cache"))
    recipe = "task: classification\ndata: digits\nmodel: {name: lenet5, padding: same}\ntrain: {epochs: 1}\n"
    kept = [
        weights(train(load(write(recipe), [f"train.cache={w}"]), out=tmp_path).run) for w in ("memory", "disk", "none")
    ]
    for others in kept[1:]:
        for a, b in zip(kept[0], others, strict=True):
            np.testing.assert_array_equal(a, b)
    made = list((tmp_path / "cache").iterdir())
    assert made and all((one / "whole").exists() for one in made)
    train(load(write(recipe), ["train.cache=disk"]), out=tmp_path)
    assert sorted((tmp_path / "cache").iterdir()) == sorted(made), "the same content and settings are encoded once"


def test_the_best_is_kept_whatever_counts_as_a_change(write, tmp_path):
    sets = ["train.epochs=12", "goal.optimize=log_loss", "train.early_stopping={patience: 12, minimum_change: 0.2}"]
    trained = train(load(write(FLOWERS), sets), out=tmp_path)
    rows = list(csv.DictReader((trained.run / "history.csv").read_text().splitlines()))
    best = min(float(row["dev_log_loss"]) for row in rows)
    assert trained.scores["dev"]["log_loss"]["value"] == pytest.approx(best)


def test_arrays_can_be_given_to_a_run_on_shipped_pictures(write, tmp_path):
    from dlspec.runs.evaluate import evaluate
    from dlspec.runs.predict import predict

    recipe = "task: classification\ndata: digits\nmodel: {name: lenet5, padding: same}\ntrain: {epochs: 1}\n"
    run = train(load(write(recipe)), out=tmp_path).run
    examples = dlspec.open(run).splits()["dev"]
    x = np.stack([e.x for e in examples])
    np.savez(tmp_path / "new.npz", x=x, y=np.array([e.y for e in examples]))
    found = predict(run, [str(tmp_path / "new.npz")])["predictions"]
    assert len(found) == len(examples) and {"guess", "p_0", "p_9"} <= set(found[0])
    scores = evaluate(run, data=str(tmp_path / "new.npz"))["scores"]["new"]
    assert scores["accuracy"]["value"] == pytest.approx(evaluate(run)["scores"]["dev"]["accuracy"]["value"])


def test_a_threshold_for_one_prediction_is_not_for_the_next(write, tmp_path):
    from dlspec.runs.predict import predict

    recipe = "task: classification\ndata: breast_cancer\nmodel: linear\ntrain: {epochs: 3}\n"
    opened = dlspec.open(train(load(write(recipe)), out=tmp_path).run)
    row = opened.splits()["dev"][0].x
    before = opened.predict([row])
    (tmp_path / "rows.csv").write_text(",".join(f'"{k}"' for k in row) + "\n" + ",".join(map(str, row.values())) + "\n")
    for threshold, guess in ((1e-9, "malignant"), (1.0, "benign")):
        assert predict(opened, [str(tmp_path / "rows.csv")], threshold=threshold)["predictions"][0]["guess"] == guess
    assert opened.predict([row]) == before


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("    def build(self, inputs, outputs):\n        return None\n", "made a NoneType"),
        ("    def build(self, x):\n        return x\n", "takes 2 positional arguments"),
        ("    width: int = 3\n", r"class Net lacks build\(\)"),
        (
            "    def build(self, inputs, outputs):\n        import keras\n        entries, x = flat(inputs)\n"
            "        return keras.Model(entries, keras.layers.Dense(outputs + 1)(x))\n",
            "expected a keras.Model",
        ),
    ],
)
def test_own_architectures_that_are_none_leave_nothing_behind(body, message, write, tmp_path):
    head = "from typing import ClassVar\nfrom dlspec.models.base import Backbone, flat\n\nclass Net(Backbone):\n"
    write(head + '    accepts: ClassVar[tuple[str, ...]] = ("table",)\n' + body, "net.py")
    with pytest.raises(RecipeError, match=message) as caught:
        train(load(write("task: classification\ndata: iris\nmodel: ./net.py\n")), out=tmp_path / "runs")
    assert caught.value.complaints[0].where.line == 3
    assert not (tmp_path / "runs").exists()


def test_damaged_runs_are_called_that_with_the_file(write, tmp_path):
    from dlspec.runs.evaluate import evaluate
    from dlspec.runs.folder import summary

    run = train(load(write(FLOWERS)), out=tmp_path / "runs").run
    for name in ("scores.json", "state.json", "machine.json", "manifest.csv", "model.keras"):
        whole = (run / name).read_bytes()
        for content in (whole[:50], None):
            (run / name).unlink()
            if content is not None:
                (run / name).write_bytes(content)
            if name == "scores.json" and content is None:
                continue
            with pytest.raises(ArgumentError, match=rf"{name}|unfinished"):
                evaluate(run)
            assert summary(run)["recipe"] == "r"
        (run / name).write_bytes(whole)
    assert evaluate(run)["scores"]["dev"]


def test_predictions_overwrite_nothing(write, tmp_path):
    from dlspec.runs.predict import predict

    write("a,y\n" + "".join(f"{i % 7},{'no' if i % 2 else 'yes'}\n" for i in range(40)), "rows.csv")
    recipe = "task: classification\ndata: {name: csv, path: rows.csv, target: y}\nmodel: linear\ntrain: {epochs: 1}\n"
    run = train(load(write(recipe)), out=tmp_path / "runs").run
    before = (tmp_path / "rows.csv").read_bytes()
    with pytest.raises(ArgumentError, match="nothing is overwritten"):
        predict(run, [str(tmp_path / "rows.csv")], out=tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_bytes() == before


def test_what_train_has_not_is_said(write, tmp_path):
    from dlspec.runs.evaluate import evaluate
    from dlspec.runs.predict import predict

    rows = "".join(f"{'red' if i % 3 else 'blue'},{i % 5},{'no' if i % 2 else 'yes'}\n" for i in range(60))
    write("colour,n,y\n" + rows, "rows.csv")
    write("colour,n,y\nreed,1,no\nred,2,maybe\n", "new.csv")
    recipe = "task: classification\ndata: {name: csv, path: rows.csv, target: y}\nmodel: linear\ntrain: {epochs: 1}\n"
    run = train(load(write(recipe)), out=tmp_path / "runs").run
    heard = Heard()
    predict(run, [str(tmp_path / "new.csv")], watch=heard)
    assert any("'colour': 1 value that train has not ('reed')" in warning for warning in heard.warnings)
    evaluate(run, data=str(tmp_path / "new.csv"), watch=heard)
    assert any("a class that train has not (maybe)" in warning for warning in heard.warnings)
    write("colour,n,y\nred,1,no\nred,2,maybe\n", "dev.csv")
    before = recipe.replace("path: rows.csv", "path: {train: rows.csv, dev: dev.csv}")
    trained = train(load(write(before)), out=tmp_path / "runs")
    assert trained.warnings[-1] == "dev: 1 of 2 examples have a class that train has not (maybe); they count as errors"
