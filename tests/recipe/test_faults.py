"""Recipes with one fault each, made from every key of filled recipes: all refused, with the place and the key."""

import copy
import re

import pytest
import yaml

from dlspec.cli import main
from dlspec.recipe.load import dump, load
from dlspec.recipe.positions import dotted, parse

BASES = {
    "digits": "task: classification\ndata: digits\nmodel: lenet5\ntrain: {early_stopping: {patience: 5}}\n",
    "rows": "task: regression\ndata: {name: csv, path: rows.csv, target: b}\nmodel: mlp\n"
    "train: {optimizer: {name: sgd}, schedule: {name: one_cycle, warmup: {epochs: 0.5}, epochs: 9}, clip: {norm: 1.5}, "
    "average: {momentum: 0.9}, max_norm: 2.5, checkpoint: {steps: 5}}\ngoal: {optimize: mae}\n",
}
ROWS = "a,b\n" + "".join(f"{i},{2 * i}\n" for i in range(20))
ANY = {"task", "data", "input", "model", "train.optimizer"}
"""choices: the value may be a mapping or a name"""


def filled(name, folder):
    """Every key of a recipe written out, as plain values."""
    (folder / "rows.csv").write_text(ROWS)
    file = folder / "base.yaml"
    file.write_text(BASES[name])
    return yaml.safe_load(dump(load(file).recipe))


def paths(value, path=()):
    for key, one in value.items():
        yield (*path, key), one
        if isinstance(one, dict):
            yield from paths(one, (*path, key))


def changed(whole, path, work):
    result = copy.deepcopy(whole)
    inner = result
    for part in path[:-1]:
        inner = inner[part]
    work(inner, path[-1])
    return result


def faults(whole):
    """(what, text, key that must be named) of each fault."""
    for path, value in paths(whole):
        key = dotted(path)

        def rename(inner, last):
            items = [(f"{last}x" if k == last else k, v) for k, v in inner.items()]
            inner.clear()
            inner.update(items)

        yield f"typo {key}", changed(whole, path, rename), f"{key}x"
        wrong = [1, 2] if isinstance(value, dict) else {"wrong": 1}
        yield f"wrong type {key}", changed(whole, path, lambda i, k, w=wrong: i.__setitem__(k, w)), key
        if isinstance(value, bool | int | float):
            yield f"text for {key}", changed(whole, path, lambda i, k: i.__setitem__(k, "many")), key
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield f"out of range {key}", changed(whole, path, lambda i, k: i.__setitem__(k, -7)), key
        if path[-1] == "name":
            near = value[:-1] + ("z" if value[-1] != "z" else "y")
            yield f"wrong member {key}", changed(whole, path, lambda i, k, w=near: i.__setitem__(k, w)), key
        if path[-1] == "path":
            yield f"missing file {key}", changed(whole, path, lambda i, k: i.__setitem__(k, "gone.csv")), key


def refused(text, tmp_path, capsys):
    """What is said of a recipe, after holding it to everything that every refusal must be."""
    file = tmp_path / "fault.yaml"
    file.write_text(text)
    with pytest.raises(SystemExit) as caught:
        main(["train", str(file), "--out", str(tmp_path / "runs")])
    said = capsys.readouterr()
    assert caught.value.code == 2, said.err
    assert said.out == "" and "Traceback" not in said.err
    assert not (tmp_path / "runs").exists()
    assert re.search(rf"^{re.escape(str(file))}:\d+:\d+: ", said.err, re.MULTILINE), said.err
    return said.err


@pytest.mark.parametrize("base", BASES)
def test_every_key_with_every_fault_is_refused(base, tmp_path, capsys):
    whole = filled(base, tmp_path)
    count = 0
    for what, recipe, key in faults(whole):
        text = yaml.safe_dump(recipe, sort_keys=False)
        said = refused(text, tmp_path, capsys)
        named = re.findall(r"^\S+?:(\d+):(\d+): ([\w.]+)", said, re.MULTILINE)
        keys = {one[2] for one in named}
        shown = next((k for k in keys if k == key or k.startswith(f"{key}.") or k == f"{key}.name"), None)
        assert shown, f"{what}: {key} is not named in\n{said}"
        place = parse(text, "f").keys.get(tuple(key.split(".")))
        if place is not None:
            line = next(int(one[0]) for one in named if one[2] == shown)
            assert line >= place.line, f"{what}: line {line}, but the key stands on line {place.line}\n{said}"
        count += 1
    assert count >= 60


@pytest.mark.parametrize("base", BASES)
def test_duplicate_keys_of_every_section_are_refused(base, tmp_path, capsys):
    whole = filled(base, tmp_path)
    text = yaml.safe_dump(whole, sort_keys=False)
    for section in whole:
        again = f"{text}{section}: {{}}\n"
        said = refused(again, tmp_path, capsys)
        assert f":{len(again.splitlines())}:1: {section}: duplicate key '{section}'" in said


def test_bombs_and_what_is_no_yaml_are_refused(tmp_path, capsys):
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)
    )
    assert "aliases" in refused(bomb, tmp_path, capsys)
    for text in ("task: [", "task: 'x", "\ttask: x", "a: b: c", "task: *x"):
        assert "not YAML" in refused(text, tmp_path, capsys)
    for text in ("- task", "task", "3"):
        assert "mapping" in refused(text, tmp_path, capsys)


def test_under_json_the_same_is_one_object(tmp_path, capsys):
    import json

    file = tmp_path / "fault.yaml"
    file.write_text(BASES["digits"].replace("patience", "patiance"))
    with pytest.raises(SystemExit) as caught:
        main(["train", str(file), "--json"])
    said = capsys.readouterr()
    assert caught.value.code == 2
    error = json.loads(said.out)["error"]
    assert error["kind"] == "recipe" and "'patience'" in error["message"]
    assert error["where"] == [{"file": str(file), "line": 4, "column": 26, "key": "train.early_stopping.patiance"}]


@pytest.mark.parametrize(
    ("train", "said"),
    [
        (
            "optimizer: {name: sgd, beta_1: 0.9}",
            "train.optimizer.beta_1: unknown key 'beta_1'; known: name, learning_rate",
        ),
        ("optimizer: {name: adam, beta_2: 1.0}", "train.optimizer.beta_2: must be < 1, got 1.0"),
        ("optimizer: adamm", "unknown name 'adamm'; did you mean 'adam'?"),
        ("clip: {norm: 1, value: 2}", "train.clip: norm and value exclude each other; keep one"),
        ("clip: {}", "train.clip: give one of norm, global_norm, value"),
        ("checkpoint: {steps: 1, minutes: 2}", "train.checkpoint: steps and minutes exclude each other"),
        ("schedule: step", "train.schedule: give one of every, at"),
        ("schedule: {name: step, at: [0]}", "train.schedule: at: epochs must be > 0"),
        ("schedule: {name: cosine, every: 2}", "train.schedule.every: unknown key 'every'"),
        ("schedule: {warmup: {}}", "train.schedule.warmup: give one of epochs, steps"),
        (
            "schedule: {warmup: {epochs: 20}}",
            "train.schedule.warmup.epochs: the warm-up lasts 20 epochs, but training only 20; make it shorter",
        ),
        ("sampling: balanced", "train.sampling: balanced draws as many examples of each class, and task 'regression'"),
        ("precision: float16", "train.precision: expected one of float32, mixed_bfloat16, mixed_float16"),
        ("accumulate: 0", "train.accumulate: must be ≥ 1, got 0"),
    ],
)
def test_faults_of_the_training(train, said, tmp_path, capsys):
    text = f"task: regression\ndata: diabetes\nmodel: linear\ntrain:\n  {train}\n"
    shown = refused(text, tmp_path, capsys)
    assert said in shown and f"{tmp_path / 'fault.yaml'}:5:" in shown
