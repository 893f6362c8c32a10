"""`check --run`: each planted fault of a network is found, with the mend; and a healthy one has none."""

import json
import textwrap

import numpy as np
import pytest

from dlspec.cli import main
from dlspec.recipe.load import load
from dlspec.report.checked import print_checked
from dlspec.report.watch import Watch
from dlspec.runs.backend import load_keras
from dlspec.runs.check import check
from dlspec.runs.prepare import prepare

OWN = """
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from dlspec.models.base import Backbone, flat


@tf.custom_gradient
def doubled(x):
    return 2 * x, lambda upstream: upstream


@tf.custom_gradient
def scaled(x, by):
    return x * by, lambda upstream: (upstream * by, tf.reduce_sum(upstream, axis=0))


@tf.custom_gradient
def leaky(x):
    return tf.nn.leaky_relu(x, 0.1), lambda upstream: upstream * tf.cast(x > 0, x.dtype)


@tf.custom_gradient
def failing(x):
    return 2 * x, lambda upstream: tf.no_such_operation(upstream)


class Failing(keras.layers.Layer):
    def call(self, inputs):
        return failing(inputs)


class Leaky(keras.layers.Layer):
    def call(self, inputs):
        return leaky(inputs)


class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return doubled(inputs)


class Scaled(keras.layers.Layer):
    def build(self, shape):
        self.by = self.add_weight(shape=(shape[-1],), initializer="ones", name="by")

    def call(self, inputs):
        return scaled(inputs, tf.convert_to_tensor(self.by))


class Own(Backbone):
    name: str
    accepts: ClassVar[tuple[str, ...]] = ("table", "picture")
    fault: str = "none"

    def build(self, inputs, outputs):
        layers, fault = keras.layers, self.fault
        doors, x = flat(inputs)
        start = keras.initializers.RandomNormal(stddev=10) if fault == "exploding" else "he_normal"
        frozen = {"trainable": fault not in ("frozen", "all frozen")}
        x = layers.Dense(16, activation="relu", kernel_initializer=start, name="first", **frozen)(x)
        if fault == "gradient":
            x = layers.Add(name="both")([Doubled(name="bent")(x), x])
        if fault == "rare":  # wrong where a value is negative and yet the greatest of four
            x = layers.Dense(8 * 8 * 4)(x)
            x = Leaky(name="bent")(layers.Conv2D(4, 3, padding="same", name="before")(layers.Reshape((8, 8, 4))(x)))
            x = layers.Flatten()(layers.MaxPooling2D(2)(x))
        if fault == "no gradient":
            x = Failing()(x)
        if fault == "weight gradient":
            x = Scaled(name="bent")(x)
        if fault == "float32":
            x = keras.ops.cast(keras.ops.cast(x, "float32") * 2, x.dtype)
        if fault == "unused":
            x = x + 0 * keras.ops.sum(layers.Dense(3, name="unused")(x), axis=1, keepdims=True)
        for number in range(4 if fault == "exploding" else 1):
            drawn = start if number else "he_normal"
            x = layers.Dense(16, activation="relu", kernel_initializer=drawn, name=f"deep_{number}", **frozen)(x)
        last = {"trainable": fault != "all frozen", "activation": "softmax" if fault == "softmax" else None}
        return keras.Model(doors, layers.Dense(outputs, name="logits", **last)(x))
"""


@pytest.fixture
def recipe(tmp_path):
    """Writes a recipe of iris flowers, with a model of one's own that holds a fault."""

    def write(fault):
        (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
        file = tmp_path / "r.yaml"
        text = f"task: classification\ndata: iris\nmodel: {{name: ./own.py, fault: {fault}}}\n"
        file.write_text(text, encoding="utf-8")
        return file

    return write


SIZES = {"small_split", "twins"}
"""what is true of 150 flowers, whatever the network"""


def found(result):
    """Severity, kind, place, message of what is said of the network."""
    return [tuple(one.values()) for one in result["findings"] if one["kind"] not in SIZES]


def test_nothing_is_found_in_a_healthy_network(recipe, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["check", str(recipe("none")), "--run", "--json"])
    result = json.loads(capsys.readouterr().out)
    assert not ended.value.code and found(result) == []
    network = result["network"]
    assert network["learns"] and set(network["measured"]) == {
        "loss at the start", "gradients", "by heart", "shuffled targets", "true targets"
    }  # fmt: skip
    print_checked(result)
    out = capsys.readouterr().out
    table = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.startswith(" ") and line.split()}
    assert table["first"] == ["Dense", "16", "–", "80", "64"]
    assert table["logits"] == ["Dense", "3", "–", "51", "48"]
    assert "403 parameters (403 of them trainable), 368 multiply-adds an example" in out
    assert all(f" {name}: {said} " in f" {' '.join(out.split())} " for name, said in network["measured"].items())


@pytest.mark.parametrize(("fault", "kind"), [("gradient", "Doubled"), ("weight gradient", "Scaled"), ("rare", "Leaky")])
def test_a_layer_whose_gradient_is_wrong_is_named(recipe, fault, kind):
    result = check(recipe(fault), run=True)
    [(severity, name, where, message)] = found(result)
    assert (severity, name, where) == ("error", "wrong_gradient", f"layer 'bent' ({kind})")
    assert "custom_gradient" in message and "differences of the loss say" in message
    assert result["network"]["measured"]["learning"] == "not tried: gradients are wrong"
    keras = load_keras()
    assert keras.config.floatx() == "float32" and keras.config.dtype_policy().name == "float32"


def of_gradients(file):
    from dlspec.runs.check_gradients import gradients
    from dlspec.runs.check_trial import batch

    recipe = load(file).recipe
    prepared = prepare(recipe, Watch())
    return gradients(recipe, prepared.state, batch(recipe, prepared.state, prepared.splits["train"].take(range(4))))


def test_a_gradient_that_cannot_be_computed_is_a_finding(recipe):
    load_keras(seed=0)
    [(severity, kind, where, message)] = of_gradients(recipe("no gradient"))[1]
    assert (severity, kind, where) == ("error", "gradient_fails", "model") and "no_such_operation" in message


def test_a_layer_that_rounds_to_float32_is_not_blamed(recipe):
    load_keras(seed=0)
    assert of_gradients(recipe("float32"))[1] == []


def test_variables_that_nothing_comes_of_are_named(recipe):
    load_keras(seed=0)
    [(severity, kind, where, message)] = of_gradients(recipe("unused"))[1]
    assert (severity, kind, where) == ("warning", "no_gradient", "layer unused")
    assert "'unused/kernel', 'unused/bias' get no gradient" in message


def test_frozen_weights_are_named(recipe):
    from dlspec.runs.check_learning import by_heart, different
    from dlspec.runs.check_trial import batch

    load_keras(seed=0)
    of = load(recipe("frozen")).recipe
    prepared = prepare(of, Watch())
    some = batch(of, prepared.state, prepared.splits["train"])
    few = some.take(different(some))
    _, rate, seen = by_heart(of, prepared.state, lambda: of.task.build(of.model, prepared.state), few)
    [(severity, kind, where, message)] = seen
    assert (severity, kind, where) == ("warning", "frozen_weights", "layers 'first', 'deep_0'")
    assert rate and "Take trainable=False away" in message  # two flowers can be told by 16 random features
    [(severity, kind, where, message)] = found(check(recipe("all frozen"), run=True))
    assert (severity, kind, where) == ("error", "frozen_weights", "layers 'first', 'deep_0', 'logits'")


def test_an_exploding_initialisation_is_named_with_the_layer_where_it_begins(recipe):
    result = check(recipe("exploding"), run=True)
    [(severity, kind, where, message)] = found(result)
    assert (severity, kind, where) == ("error", "exploding_initialization", "layer 'first' (Dense)")
    assert "he_normal" in message
    assert result["network"]["measured"]["learning"] == "not tried: the network explodes as it starts"


def test_probabilities_in_place_of_logits_cannot_be_learned(recipe):
    [(severity, kind, where, message)] = found(check(recipe("softmax"), run=True))
    assert (severity, kind, where) == ("error", "cannot_learn", "model")
    assert "Its last layer ends in softmax, where the loss takes logits" in message


def test_inputs_that_are_huge_are_blamed_and_no_layer(tmp_path):
    draw = np.random.default_rng(0)
    lines = [f"{10_000 * x:.1f},{z:.3f},{'ab'[int(x + z / 9 > 0)]}" for x, z in draw.normal(size=(200, 2))]
    (tmp_path / "d.csv").write_text("\n".join(["x,z,y", *lines]))
    file = tmp_path / "r.yaml"
    file.write_text(
        "task: classification\ndata: {name: csv, path: d.csv, target: y}\ninput: {scale: none}\nmodel: mlp\n"
    )
    [(severity, kind, where, message)] = found(check(file, run=True))
    assert (severity, kind, where) == ("error", "exploding_initialization", "input") and "input.scale" in message


def test_what_was_found_in_the_data_stays_where_the_network_cannot_be_built(tmp_path):
    (tmp_path / "own.py").write_text(
        textwrap.dedent("""
        from dlspec.models.base import Backbone, flat
        import keras

        class Own(Backbone):
            name: str
            accepts = ("table",)

            def build(self, inputs, outputs):
                doors, x = flat(inputs)
                return keras.Model(doors, keras.layers.Dense(outputs + 1)(x))
        """)
    )
    file = tmp_path / "r.yaml"
    file.write_text("task: classification\ndata: iris\nmodel: ./own.py\n")
    result = check(file, run=True)
    [(severity, kind, where, message)] = found(result)
    assert (severity, kind) == ("error", "recipe") and where.startswith(f"{file}:3:") and "3 logits" in message
    assert len(result["findings"]) > 1 and result["examples"]


def test_shuffled_labels_that_are_learned_all_the_same(tmp_path):
    """An input that smuggles the truth into what it encodes; seen by the network alone, without the faster check."""
    from dlspec.runs.check_chance import chance

    load_keras(seed=0)
    (tmp_path / "own_input.py").write_text(
        textwrap.dedent("""
        from dlspec.inputs.table import Table

        class OwnInput(Table):
            name: str

            def encode(self, examples, state):
                encoded = super().encode(examples, state)
                if self.scale == "standard" and examples.labelled:
                    encoded["numeric"][:, 0] = [3 * len(name) - 25 for name in examples.column("y")]
                return encoded
        """)
    )
    file = tmp_path / "r.yaml"
    file.write_text("task: classification\ndata: iris\ninput: ./own_input.py\nmodel: {name: mlp, hidden: [16]}\n")
    for sets, leaks in ((), True), (["input.scale=none"], False):
        recipe = load(file, sets).recipe
        prepared = prepare(recipe, Watch())

        def fresh(recipe=recipe, state=prepared.state):
            return recipe.task.build(recipe.model, state)

        _, learns, seen = chance(recipe, prepared.state, prepared.splits, fresh, 3e-3, Watch())
        assert learns and [one.kind for one in seen] == ["shuffled_beat_chance"] * leaks
    assert [one["kind"] for one in check(file)["findings"] if one["kind"] not in SIZES] == ["truth_in_input"]


def test_shuffled_labels_are_not_taken_back_by_the_network(tmp_path):
    draw = np.random.default_rng(0)
    table = draw.normal(size=(400, 3))
    labels = draw.permutation(table[:, 0] > 0)
    lines = [
        ",".join([f"{value:.4f}" for value in row] + [str(label)]) for row, label in zip(table, labels, strict=True)
    ]
    (tmp_path / "d.csv").write_text("\n".join(["a,b,c,y", *lines]))
    file = tmp_path / "r.yaml"
    file.write_text(
        "task: classification\ndata: {name: csv, path: d.csv, target: y}\nmodel: {name: mlp, hidden: [16]}\n"
    )
    result = check(file, run=True)
    assert [(kind, where) for _, kind, where, _ in found(result)] == [("no_information", "train")]
    assert not result["network"]["learns"]


def test_costly_networks_are_tried_in_fewer_steps():
    from dlspec.runs.check_chance import steps_of

    assert steps_of(None) == steps_of(1_000_000) == 200
    assert steps_of(40_551_040) == 96  # ResNet-20: 2.5e11 / (64 × 40,551,040) = 96.3
    assert steps_of(10**12) == 60


def test_texts_whose_truth_is_their_own_or_a_tag_a_word(tmp_path):
    """What comes next in a text can be no other text's, and tags cannot go to a sentence of another length."""
    from dlspec.runs.check_chance import chance

    load_keras(seed=0)
    draw = np.random.default_rng(0)
    sentences = [draw.choice(["ann", "bob", "goes", "home", "and", "sings"], size) for size in draw.integers(3, 9, 300)]
    lines = ["\n".join(f"{word} {'B-per' if word in ('ann', 'bob') else 'O'}" for word in one) for one in sentences]
    (tmp_path / "d.conll").write_text("\n\n".join(lines) + "\n")
    (tmp_path / "d.txt").write_text("\n\n".join(" ".join(one) for one in sentences) + "\n")
    model = "model: {name: tagger_rnn, units: 8, embedding: {size: 8}}\n"
    for text, learned in (
        ("task: tagging\ndata: {name: conll, path: d.conll}\n", "loss on dev"),
        ("task: language_model\ndata: {name: text_file, path: d.txt, length: 32}\n", "not tried: what is true"),
    ):
        file = tmp_path / "r.yaml"
        file.write_text(text + model)
        recipe = load(file).recipe
        prepared = prepare(recipe, Watch())

        def fresh(recipe=recipe, state=prepared.state):
            return recipe.task.build(recipe.model, state)

        said, _, seen = chance(recipe, prepared.state, prepared.splits, fresh, 1e-2, Watch(), 1 << 40)
        assert said["shuffled targets"].startswith(learned) and "loss on dev" in said["true targets"] and not seen


def test_a_loss_that_is_worse_is_called_worse():
    from dlspec.runs.check_chance import Gain

    assert Gain(-0.176, -0.202, -0.15).said(200) == (
        "loss on dev worse than that of a constant guess by +17.6% (+15.0% to +20.2%) in 200 steps"
    )
    assert Gain(0.2, 0.1, 0.3).said(50).startswith("loss on dev better than that of a constant guess by +20.0% (+10.0%")
