"""Every command of the README runs, on files as the README shows them, and says what the README says it says."""

import glob
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import shop
import small_translation

from dlspec.cli import main
from dlspec.recipe.component import names
from dlspec.runs import improve

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text for name, text in fences if name == language]


def lines():
    """Every command line of the shell blocks, without its comment."""
    return [line.split("  #")[0].strip() for block in blocks("sh") for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    shop.write(folder / "shop.csv")
    shop.write(folder / "new_customers.csv", count=5, seed=2)
    recipe, patch, search, _ = blocks("yaml")
    assert "trials: 12" in search
    (folder / "shop.yaml").write_text(recipe)
    (folder / "better.yaml").write_text(patch)
    (folder / "wide.yaml").write_text(search.replace("trials: 12", "trials: 6"))  # as many as --zoom needs
    (folder / "my_net.py").write_text(blocks("python")[1])
    return folder


def expanded(line):
    """The words of a line as a shell hands them on."""
    return [one for word in shlex.split(line) for one in (sorted(glob.glob(word)) or [word])]


def run(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    return said


QUICKER = {"--learning-curve --seeds 2": "--learning-curve --seeds 1 --sizes 0.2,0.4,0.7,1"}
"""the same commands with less of what they do often"""


def test_commands_run_in_order_as_written(home, monkeypatch, capsys):
    monkeypatch.chdir(home)

    every = improve._next

    def next_try(held):  # as many as are shown; other patches would be tried for the rest of the budget
        if len(held.tries) == 2:
            held.why = "enough"
            return None
        return every(held)

    monkeypatch.setattr(improve, "_next", next_try)
    commands = lines()
    ours = [line for line in commands if line.startswith("dlspec ")]
    assert len(ours) >= 12
    said = {}
    for line in ours:
        shorter = next((line.replace(one, other) for one, other in QUICKER.items() if one in line), line)
        said.setdefault(line, run(expanded(shorter)[1:], capsys))
    assert all(any(one in line for line in ours) for one in QUICKER), "the README has others"
    notes = next(block for block in blocks("") if "6 columns to predict from" in block)
    for line in notes.strip().splitlines():
        assert line in said["dlspec train shop.yaml"].err, line
    for beginning, command in (
        ("customer  names rows", "dlspec init shop.csv --out first.yaml"),
        ("layer ", "dlspec check shop.yaml --run"),
        ("B is better", "dlspec runs compare shop shop-1"),
    ):
        shown = next(block for block in blocks("") if block.strip().startswith(beginning))
        for line in shown.strip().splitlines():
            assert " ".join(line.split()) in " ".join(said[command].out.split()), line
    said_of = said["dlspec evaluate last"].out
    for word in (
        "human level",
        "avoidable bias",
        "The largest gap is avoidable bias",
        "model.name=mlp: a larger network",
    ):
        assert word in said_of and word in README, word
    tried = said["dlspec improve shop.yaml --budget 30s"].out
    for line in next(block for block in blocks("") if "what was tried" in block).strip().splitlines():
        assert " ".join(line.split()[:4]) in " ".join(tried.split()), line
    scores = [json.loads(one.read_text())["scores"] for one in sorted(home.glob("runs/*/*/scores.json"))]
    claimed = [float(number) for number in re.findall(r"accuracy (?:is|is now) (0\.\d+)", README)]
    assert len(claimed) == 2 and len(scores) == 2
    straight, bent = sorted(one["dev"]["accuracy"]["value"] for one in scores)
    assert straight < 0.65 and bent > 0.78 and abs(bent - claimed[1]) < 0.05
    assert len((home / "predictions.csv").read_text().splitlines()) == 6


def test_other_commands_are_targets_that_exist():
    for line in lines():
        if line.startswith("make "):
            subprocess.run(["make", "-n", *line.split()[1:]], cwd=ROOT, check=True, capture_output=True)
        else:
            assert line.startswith("dlspec "), f"nothing runs '{line}'"


def test_the_typo_is_answered_as_shown(home, monkeypatch, capsys):
    monkeypatch.chdir(home)
    block = next(block for block in blocks("") if "train.epoch=30" in block)
    command, answer = block.strip().splitlines()
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(command.removeprefix("$ dlspec ")))
    assert ended.value.code == 2 and capsys.readouterr().err.strip() == answer


def test_the_goal_as_shown_fits_the_data(home):
    from dlspec.recipe.load import load
    from dlspec.report.watch import Watch
    from dlspec.runs.prepare import prepare

    [goal] = [one for one in blocks("text") if one.startswith("goal:")]
    (home / "goal.yaml").write_text(f"extends: shop.yaml\n{goal}", encoding="utf-8")
    recipe = load(home / "goal.yaml").recipe
    assert len(recipe.goal.limits) == 4 and prepare(recipe, Watch()).state["task"]["positive"] == "yes"


def test_python_as_shown(home, monkeypatch, capsys):
    monkeypatch.chdir(home)
    run(["train", "better.yaml"], capsys)
    namespace = {}
    snippet, _ = blocks("python")
    exec(snippet.replace("run.predict(", "answer = run.predict("), namespace)
    shown = re.findall(r"'(\w+)'", snippet.split("# ")[1])
    [answer] = namespace["answer"]
    assert list(answer) == [name for name in shown if name != "yes"] and answer["guess"] == "yes"


def test_ones_own_architecture_as_shown(home, monkeypatch, capsys):
    monkeypatch.chdir(home)
    setting = re.search(r"`model: (\{name: ./my_net.py.*?\})`", README).group(1)
    (home / "own.yaml").write_text(f"extends: shop.yaml\nmodel: {setting}\ntrain: {{epochs: 1}}\n")
    run(["train", "own.yaml"], capsys)
    kept = sorted(home.glob("runs/own/*"))[-1]
    assert (kept / "code" / "my_net.py").is_file()
    run(["evaluate", "last"], capsys)


def test_commands_in_the_prose_are_understood():
    import typer

    from dlspec.cli import app

    group = typer.main.get_command(app)
    prose = [one.split(", ")[0].rstrip("…") for one in re.findall(r"`(dlspec [a-z][^`]*)`", README)]
    assert len(prose) >= 20
    for line in prose:
        words = shlex.split(line.replace("\n", " "))[1:]
        command = group
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        context = command.make_context(line, words, resilient_parsing=True)
        assert not context.args, line


def test_the_learning_rate_turned_by_hand_as_shown(home, monkeypatch, capsys):
    monkeypatch.chdir(home)
    [command] = re.findall(r"`(dlspec train --resume [^`]*)`", README)
    run(["train", "better.yaml", "--set", "train.epochs=3"], capsys)
    assert "learning_rate" in run(shlex.split(command)[1:], capsys).err
    said = run([*shlex.split(command)[1:], "--epochs", "5"], capsys)
    assert "going on with" in said.err


def test_the_readme_names_every_command():
    from dlspec.cli import app

    named = [command.name for command in app.registered_commands] + [group.name for group in app.registered_groups]
    assert len(named) >= 7
    for name in named:
        assert f"`dlspec {name} " in README or f"`dlspec {name}`" in README, name


def test_the_readme_names_every_component():
    for room in ("models", "tasks", "data", "inputs"):
        for name in names(room):
            assert f"`{name}`" in README, f"{room}: {name}"


def test_translating_as_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sources, targets = small_translation.pairs(120)
    Path("talk.tsv").write_text("".join(f"{one}\t{other}\n" for one, other in zip(sources, targets, strict=True)))
    Path("new.txt").write_text("two five\n\nseven\n")
    [block] = blocks("bash")
    said = {}
    for line in block.strip().splitlines():
        command, _, file = line.partition(" > ")
        quick = " --set train.epochs=1 --set model.layers=1 --set model.width=32" if " train " in command else ""
        said[line] = run(expanded(command + quick)[1:], capsys)
        if file:
            Path(file).write_text(said[line].out)
    assert "sacrebleu" in README.lower() and "version:" in said["dlspec evaluate last"].out
    assert "to blame" in said["dlspec error-analysis last"].out
    assert Path("map.png").stat().st_size > 1000
    shown = said[next(one for one in said if "--n-best 3" in one)].out.strip().splitlines()
    assert len(shown) == 3 and all(len(line.split("\t")) >= 2 for line in shown)
    assert len(Path("translated.txt").read_text().splitlines()) == 3
    assert Path("translated.txt").read_text().splitlines()[1] == ""
    Path("references.txt").write_text("zwei fünf\n\nsieben\n")
    [other] = re.findall(r"`(dlspec evaluate --predictions \S* --truth [^`]*)`", README)
    Path("theirs.txt").write_text("zwei fünf\n\nacht\n")
    assert "bleu" in run(shlex.split(other)[1:], capsys).out


def test_shown_tree_exists():
    for folder in re.findall(r"(dlspec/\w+/|recipes/|tests/)  ", README):
        assert (ROOT / folder).is_dir(), folder
