"""The command line: every command documented and quiet, light where it does not compute, JSON as promised."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dlspec.cli
from dlspec.cli import app, main

HEAVY = ["keras", "tensorflow", "numpy", "jax", "torch", "scipy", "sklearn", "pyarrow", "matplotlib"]
COMMANDS = [c.name for c in app.registered_commands] + [
    f"{g.name} {c.name}" for g in app.registered_groups for c in g.typer_instance.registered_commands
]
FILES = {f.stem for f in Path(dlspec.cli.__file__).parent.glob("*.py")} - {"__init__", "shared"}


def call(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return ended.value.code, said.out, said.err


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run over a small table."""
    from dlspec.recipe.load import load
    from dlspec.runs.train import train

    folder = tmp_path_factory.mktemp("cli")
    recipe = folder / "flowers.yaml"
    recipe.write_text("task: classification\ndata: iris\nmodel: linear\ntrain: {epochs: 3}\n")
    return train(load(recipe), out=folder / "runs").run


def test_one_file_a_command():
    assert {name.split()[0].replace("-", "_") for name in COMMANDS} == FILES


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_json_and_debug(command, capsys):
    code, out, _ = call([*command.split(), "--help"], capsys)
    assert code == 0 and "--json" in out and "--debug" in out
    assert len(out.split("Options:")[0].split("\n")[2].strip()) > 10, "says what it does"


def loaded_by(*arguments):
    code = f"""
import sys
from dlspec.cli import main
try:
    main({list(arguments)!r})
except SystemExit as ended:
    print("code", ended.code, file=sys.stderr)
print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stderr.splitlines()


@pytest.mark.parametrize(
    "arguments",
    [["--help"], *([*c.split(), "--help"] for c in COMMANDS), ["recipes", "list"], ["recipes", "show", "digits_lenet5"],
     ["recipes", "show", "digits_lenet5", "--filled"], ["runs", "list"]],
    ids=" ".join,
)  # fmt: skip
def test_what_does_not_compute_loads_nothing_heavy(arguments):
    lines = loaded_by(*arguments)
    assert lines[-1] == "[]" and "code 0" in lines


def test_neither_does_a_recipe_with_a_typo(tmp_path):
    recipe = tmp_path / "typo.yaml"
    recipe.write_text("task: classification\ndata: iris\nmodel: {name: mlp, dropuot: 0.5}\n")
    lines = loaded_by("train", str(recipe))
    assert lines[-1] == "[]" and "code 2" in lines and "did you mean 'dropout'" in lines[0]
    recipe.write_text("task: classification\ndata: iris\nmodel: mlpp\n")
    lines = loaded_by("train", str(recipe))
    assert lines[-1] == "[]" and "did you mean 'mlp'" in lines[0]


def test_runs_are_listed_and_shown_without_anything_heavy(run):
    for arguments in (["runs", "list", "--runs", str(run.parent.parent)], ["runs", "show", str(run)]):
        assert loaded_by(*arguments)[-1] == "[]"


def test_train_as_a_process_keeps_stdout_and_stderr_apart(tmp_path):
    recipe = tmp_path / "flowers.yaml"
    recipe.write_text("task: classification\ndata: iris\nmodel: linear\ntrain: {epochs: 2}\n")
    command = [sys.executable, "-c", "from dlspec.cli import main; main()", "train", str(recipe), "--json"]
    done = subprocess.run([*command, "--out", str(tmp_path / "runs")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert {"run", "epochs", "seconds", "examples_per_second", "scores", "goal"} <= set(result)
    assert {"metric", "value", "feasible", "limits"} <= set(result["goal"]) and result["epochs"] == 2
    assert Path(result["run"]).is_absolute() and (Path(result["run"]) / "model.keras").is_file()
    noise = [line for line in done.stderr.splitlines() if re.search(r"oneDNN|absl|cuda|tensorflow/|\.cc:", line)]
    assert not noise, noise


def test_json_of_the_other_commands(run, tmp_path, capsys):
    code, out, _ = call(["evaluate", str(run), "--json"], capsys)
    result = json.loads(out)
    assert code == 0 and set(result["scores"]) == {"train", "dev"}
    ledger = result["ledger"]
    assert [one["name"] for one in ledger["levels"]] == ["train", "dev"] and isinstance(ledger["verdict"], str)
    assert all({"name", "value", "low", "high"} <= set(gap) for gap in ledger["gaps"]) and len(ledger["gaps"]) == 1
    assert isinstance(ledger["prescriptions"], list)
    for one in result["scores"]["dev"].values():
        assert set(one) == {"value", "low", "high", "n"} and (
            one["low"] is None or one["low"] <= one["value"] <= one["high"]
        )
    code, out, _ = call(["error-analysis", str(run), "--json"], capsys)
    result = json.loads(out)
    assert {"run", "split", "examples", "errors", "kinds", "slices", "label_issues"} <= set(result)
    for kind in result["kinds"]:
        assert {"kind", "count", "share", "low", "high", "ceiling"} <= set(kind)
    rows = tmp_path / "rows.csv"
    rows.write_text(
        "petal length (cm),petal width (cm),sepal length (cm),sepal width (cm)\n1.4,0.2,5.1,3.5\n6,2.5,6.3,3.3\n"
    )
    code, out, _ = call(["predict", str(run), str(rows), "--json"], capsys)
    assert code == 0 and [one["guess"] for one in json.loads(out)["predictions"]] == ["setosa", "virginica"]
    for arguments in (
        ["runs", "list", "--runs", str(run.parent.parent)],
        ["runs", "show", str(run)],
        ["recipes", "list"],
    ):
        code, out, _ = call([*arguments, "--json"], capsys)
        assert code == 0 and isinstance(json.loads(out), dict)
    code, out, _ = call(["recipes", "schema", "--json"], capsys)
    assert json.loads(out)["properties"]["task"]


def test_looks_at_test_are_asked_for_and_counted(run, capsys):
    for count in (1, 2):
        _, out, _ = call(["evaluate", str(run), "--split", "test", "--json"], capsys)
        assert json.loads(out)["test_looks"] == count
    _, out, _ = call(["evaluate", str(run)], capsys)
    assert "test (" not in out
    _, out, _ = call(["evaluate", str(run), "--split", "test"], capsys)
    assert "3 times" in out
    _, out, _ = call(["runs", "show", str(run)], capsys)
    assert "looks at test: 3" in out


@pytest.mark.parametrize(
    ("arguments", "kind", "hint"),
    [
        (["evaluate", "no-such-run"], "argument", "no run 'no-such-run'"),
        (["train", "no-such.yaml"], "recipe", "no recipe 'no-such.yaml'"),
        (["train", "digits_lenet"], "recipe", "did you mean 'digits_lenet5'"),
        (["evaluate", "RUN", "--split", "dve"], "argument", "no split dve"),
        (["evaluate", "RUN", "--data", "gone.csv"], "argument", "gone.csv"),
        (["predict", "RUN", "gone.csv"], "argument", "gone.csv"),
        (["predict", "RUN", "ROWS", "--threshold", "0.5"], "argument", "two classes"),
        (["predict", "RUN", "ROWS", "--out", "x.txt"], "argument", ".parquet"),
        (["predict", "RUN", "ROWS", "--threshold", "2"], "argument", "--threshold"),
        (["error-analysis", "RUN", "--split", "dve"], "argument", "no split dve"),
        (["runs", "delete", "RUN"], "argument", "--yes"),
        (["recipes", "copy", "digits_lenet5", "x.txt"], "argument", ".yaml"),
        (["recipes", "show", "gone"], "recipe", "no recipe"),
        (["trian", "x"], "argument", "train"),
        (["train"], "argument", "RECIPE"),
        (["train", "digits_lenet5", "--set", "x"], "recipe", "key=value"),
        (["train", "digits_lenet5", "--epochs"], "argument", "--epochs"),
    ],
)
def test_the_users_errors_are_one_object_and_exit_code_2(arguments, kind, hint, run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("a\n1\n")
    arguments = [{"RUN": str(run), "ROWS": "rows.csv"}.get(one, one) for one in arguments]
    code, out, err = call([*arguments, "--json"], capsys)
    error = json.loads(out)["error"]
    assert code == 2 and error["kind"] == kind and hint in error["message"] + json.dumps(error["where"]), error
    code, out, err = call(arguments, capsys)
    assert code == 2 and hint in err and not out
    assert [f.name for f in tmp_path.iterdir()] == ["rows.csv"]


def test_our_own_failure_is_called_that(run, monkeypatch, capsys):
    import dlspec.runs.evaluate

    monkeypatch.setattr(dlspec.runs.evaluate, "evaluate", lambda *a, **k: 1 / 0)
    code, _, err = call(["evaluate", str(run)], capsys)
    assert code == 1 and "--debug" in err and "ZeroDivisionError" in err
    with pytest.raises(ZeroDivisionError):
        main(["evaluate", str(run), "--debug"])


def test_interruption_is_130(run, monkeypatch, capsys):
    import dlspec.runs.evaluate

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(dlspec.runs.evaluate, "evaluate", interrupt)
    code, _, err = call(["evaluate", str(run)], capsys)
    assert code == 130 and "interrupted" in err


def test_copying_overwrites_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call(["recipes", "copy", "digits_lenet5"], capsys)[0] == 0
    (tmp_path / "digits_lenet5.yaml").write_text("mine")
    assert call(["recipes", "copy", "digits_lenet5"], capsys)[0] == 2
    assert (tmp_path / "digits_lenet5.yaml").read_text() == "mine"


def test_deleting_takes_the_run_alone(tmp_path, capsys):
    from dlspec.recipe.load import load
    from dlspec.runs.train import train

    recipe = tmp_path / "flowers.yaml"
    recipe.write_text("task: classification\ndata: iris\nmodel: linear\ntrain: {epochs: 1}\n")
    first, second = (train(load(recipe), out=tmp_path / "runs").run for _ in range(2))
    assert first != second
    assert call(["runs", "delete", str(first), "--yes"], capsys)[0] == 0
    assert not first.exists() and second.exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "recipe.yaml").write_text("mine")
    assert call(["runs", "delete", str(tmp_path / "mine"), "--yes"], capsys)[0] == 2
    assert (tmp_path / "mine" / "recipe.yaml").exists()


def test_doctor_finds_this_machine_healthy(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, out, _ = call(["doctor", "--json"], capsys)
    result = json.loads(out)
    assert code == 0 and result["healthy"] and all(check["ok"] for check in result["checks"])
    monkeypatch.setenv("DLSPEC_DATA", str(tmp_path / "gone"))
    code, out, _ = call(["doctor"], capsys)
    assert code == 1 and "FAILED  data folder" in out


def test_own_code_that_fails_is_the_users_with_its_line(tmp_path, capsys):
    code = "from typing import ClassVar\nfrom dlspec.models.base import Backbone\n\n\nclass Net(Backbone):\n"
    code += "    accepts: ClassVar[tuple[str, ...]] = ('table',)\n\n"
    code += "    def build(self, inputs, outputs):\n        return nothing\n"
    (tmp_path / "net.py").write_text("print('loaded')\n" + code)
    recipe = tmp_path / "r.yaml"
    recipe.write_text("task: classification\ndata: iris\nmodel: ./net.py\n")
    code, out, err = call(["train", str(recipe), "--out", str(tmp_path / "runs")], capsys)
    assert code == 2 and f"{tmp_path / 'net.py'}:10" in err and "NameError" in err
    code, out, _ = call(["train", str(recipe), "--out", str(tmp_path / "runs"), "--json"], capsys)
    assert code == 2 and json.loads(out)["error"]["where"][0]["line"] == 10, "what own code prints is not the answer"


@pytest.mark.parametrize("arguments", [["recipes", "list"], ["recipes", "schema"], ["train", "no-such.yaml", "--json"]])
def test_nobody_reads_on(arguments):
    """`dlspec … | head -1`: quiet, and no failure of ours."""
    code = f"from dlspec.cli import main\nmain({arguments!r})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read().decode()
    assert "Traceback" not in said and "Error" not in said, said
    assert process.returncode in (1, 2, 141)


def test_nobody_reads_a_table_on(run):
    """typer, and rich, which draws tables, would leave with 1, as if dlspec had failed."""
    code = f"from dlspec.cli import main\nmain(['error-analysis', {str(run)!r}])"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read().decode()
    assert process.returncode == 141 and "Error" not in said, said


def test_a_console_that_cannot_show_arrows(run):
    code = f"from dlspec.cli import main\nmain(['error-analysis', {str(run)!r}, '--json'])"
    environment = {**__import__("os").environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "→" in json.loads(done.stdout)["kinds"][0]["kind"]
