"""The human level out of annotators' answers: each one's, the majority's, the best, and what cannot be concluded."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from dlspec.cli import main
from dlspec.data.prediction_table import read_predictions
from dlspec.recipe.load import load
from dlspec.report.html import page
from dlspec.report.watch import Watch
from dlspec.runs import report
from dlspec.runs.evaluate import evaluate, evaluate_predictions
from dlspec.runs.folder import looks_at_test, read_manifest
from dlspec.runs.human import asked, human_level
from dlspec.runs.opened import open_run
from dlspec.runs.predictions import judged_tables
from dlspec.runs.train import train
from dlspec.types import ArgumentError, DataError

CLASSES = "xyz"
N = 200


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Predictions of 200 examples of dev, right in three of four."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, N)
    rows = [(f"e{i}", "dev", CLASSES[t], CLASSES[(t + (i % 4 == 0)) % 3]) for i, t in enumerate(truth)]
    write(tmp_path / "p.csv", ("id", "split", "truth", "guess"), rows)
    return tmp_path, truth


def write(file, head, rows):
    with open(file, "w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(head)
        writer.writerows(rows)
    return str(file)


def answers(truth, wrong, seed):
    """The truth, but for so many examples."""
    random = np.random.default_rng(seed)
    found = np.array(truth)
    rows = random.choice(len(found), wrong, replace=False)
    found[rows] = (found[rows] + random.integers(1, 3, wrong)) % 3
    return [CLASSES[one] for one in found]


def judged(folder):
    return judged_tables([str(folder / "p.csv")], watch=Watch())


def test_the_best_is_the_human_level(home):
    folder, truth = home
    people = [answers(truth, wrong, seed) for seed, wrong in enumerate((30, 6, 40))]
    file = write(folder / "a.csv", ("id", "ada", "bob", "cyd"), zip([f"e{i}" for i in range(N)], *people, strict=True))
    found = human_level(file, judged(folder))
    levels = {one["name"]: one["value"] for one in found.annotators}
    assert levels["ada"] == pytest.approx(0.85) and levels["bob"] == pytest.approx(0.97)
    # By hand: the majority is right where two of three are.
    right = sum(sum(one[i] == CLASSES[truth[i]] for one in people) >= 2 for i in range(N))
    assert levels["the majority"] >= right / N
    best = max(levels, key=levels.get)
    assert found.name == best and found.value == levels[best] and found.low < found.value < found.high
    assert found.n == N and found.level.name == "human" and found.level.value == found.value
    assert [(one["one"], one["other"]) for one in found.agreement["pairs"]] == [
        ("ada", "bob"), ("ada", "cyd"), ("bob", "cyd")
    ]  # fmt: skip
    assert 0.5 < found.agreement["alpha"]["low"] < found.agreement["alpha"]["value"] < 0.9
    assert found.agreement["fleiss_kappa"] == pytest.approx(found.agreement["alpha"]["value"], abs=0.01)
    assert best in found.says[0] and any("chosen by these same answers" in one for one in found.says)


def test_who_answered_few_is_not_the_best(home):
    folder, truth = home
    lucky = [CLASSES[t] if i < 12 else "" for i, t in enumerate(truth)]
    file = write(
        folder / "a.csv",
        ("id", "ada", "bob", "cyd"),
        zip([f"e{i}" for i in range(N)], answers(truth, 20, 1), answers(truth, 24, 2), lucky, strict=True),
    )
    found = human_level(file, judged(folder))
    assert next(one for one in found.annotators if one["name"] == "cyd")["value"] == 1.0
    assert found.name in ("ada", "bob") and found.value == pytest.approx(0.9)
    assert any("of few answers" in one and "cyd 12" in one for one in found.says)


def test_who_disagree_on_everything_tell_no_level(home):
    folder, _ = home
    random = np.random.default_rng(5)
    guesses = [[CLASSES[i] for i in random.integers(0, 3, N)] for _ in range(3)]
    file = write(folder / "a.csv", ("id", "ada", "bob", "cyd"), zip([f"e{i}" for i in range(N)], *guesses, strict=True))
    found = human_level(file, judged(folder))
    assert found.level is None and np.isnan(found.value)
    assert "no human level can be concluded" in found.says[0] and "not well defined" in found.says[0]
    opposed = write(folder / "o.csv", ("id", "ada", "bob"), [(f"e{i}", "xy"[i % 2], "yx"[i % 2]) for i in range(N)])
    against = human_level(opposed, judged(folder))
    assert against.agreement["alpha"]["value"] < -0.9 and against.level is None


def test_numbers_have_a_median(home, tmp_path):
    random = np.random.default_rng(2)
    truth = random.normal(100, 10, 50)
    write(tmp_path / "n.csv", ("id", "split", "truth", "guess"),
          [(f"e{i}", "dev", f"{t:.3f}", f"{t + 3:.3f}") for i, t in enumerate(truth)])  # fmt: skip
    people = truth + random.normal(0, 2, (3, 50))
    people[2] += 10
    rows = [(f"e{i}", name, f"{people[k][i]:.3f}") for k, name in enumerate("abc") for i in range(50)]
    file = write(tmp_path / "a.csv", ("id", "annotator", "answer"), rows)
    found = human_level(file, judged_tables([str(tmp_path / "n.csv")], watch=Watch()))
    levels = {one["name"]: one["value"] for one in found.annotators}
    assert found.metric == "rmse" and found.agreement["kind"] == "interval" and not found.agreement["pairs"]
    assert levels["a"] == pytest.approx(np.sqrt(np.mean((people[0] - truth) ** 2)), abs=1e-3)
    median = np.median(people, axis=0)
    assert levels["the median"] == pytest.approx(np.sqrt(np.mean((median - truth) ** 2)), abs=1e-3)
    assert found.value == min(levels.values())


@pytest.mark.parametrize(
    ("rows", "place", "said"),
    [
        ([("e0", "x", "y"), ("e1000", "x", "y")], "a.csv:3", "1 of 2 ids are unknown to the data: e1000; did you mean"),
        ([("e0", "x", "y"), ("e1", "x", "zz")], "a.csv:3", "there is no class 'zz'"),
        ([("e0", "x", "unsure")], "a.csv:2", "leave the cell empty where there is no answer"),
    ],
)
def test_faults_have_file_and_line(home, capsys, rows, place, said):
    folder, _ = home
    write(folder / "a.csv", ("id", "ada", "bob"), rows)
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "--predictions", "p.csv", "--human", "a.csv"])
    heard = capsys.readouterr().err
    assert ended.value.code == 2 and place in heard and said in heard and "Traceback" not in heard


def test_answers_of_another_split_alone(home):
    folder, _ = home
    rows = list(csv.reader((folder / "p.csv").read_text().splitlines()))[1:]
    write(folder / "p.csv", ("id", "split", "truth", "guess"), [*rows, ("t1", "train", "x", "x")])
    file = write(folder / "a.csv", ("id", "ada", "bob"), [("t1", "x", "y")])
    with pytest.raises(DataError, match="none of these 1 answers is of dev"):
        human_level(file, judged(folder))


def test_the_command_lays_people_out(home, capsys):
    folder, truth = home
    write(folder / "a.csv", ("id", "ada", "bob"),
          zip([f"e{i}" for i in range(N)], answers(truth, 4, 1), answers(truth, 10, 2), strict=True))  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "--predictions", "p.csv", "--human", "a.csv", "--out", "seen"])
    said = capsys.readouterr().out
    assert ended.value.code == 0 and "Cohen's kappa" in said and "human level" in said and "that of ada" in said
    kept = json.loads((folder / "seen" / "human.json").read_text())
    assert kept["value"] == pytest.approx(0.98) and "What people score" in page(report.gathered(folder / "seen"))
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "--predictions", "p.csv", "--human", "accuracy=0.99", "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["human"]["value"] == 0.99 and answer["ledger"]["levels"][0]["name"] == "human"
    for given, fault in (
        ("acuracy=0.99", "did you mean 'accuracy'"),
        ("accuracy=high", "expected a number after"),
        ("nobody.csv", "no file nobody.csv"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["evaluate", "--predictions", "p.csv", "--human", given])
        assert ended.value.code == 2 and fault in capsys.readouterr().err


def test_a_metric_that_answers_do_not_have(home):
    folder, truth = home
    rows = [(f"e{i}", CLASSES[t], *np.eye(3)[t]) for i, t in enumerate(truth)]
    write(folder / "p.csv", ("id", "truth", "p_x", "p_y", "p_z"), rows)
    file = write(
        folder / "a.csv", ("id", "ada", "bob"), [(f"e{i}", CLASSES[t], CLASSES[t]) for i, t in enumerate(truth)]
    )
    of_loss = judged_tables([str(folder / "p.csv")], watch=Watch(), metric="log_loss")
    found = human_level(file, of_loss)
    assert found.level is None and "answers, not probabilities" in found.says[0]
    assert "choose another metric (--metric)" in found.says[0]
    assert evaluate_predictions([str(folder / "p.csv")], human={"log_loss": 0.1}, metric="log_loss")["human"]["n"] == 0
    assert human_level({"f1": 0.9}, of_loss) is None and human_level(None, of_loss) is None
    assert asked("log_loss=0.1") == {"log_loss": 0.1} and asked(None) is None
    with pytest.raises(ArgumentError, match="--human is a value"):
        asked("nothing")


def test_a_recipe_names_the_file(tmp_path):
    base = "task: classification\ndata: iris\nmodel: linear\ntrain: {epochs: 2, health: false, tensorboard: false}\n"
    (tmp_path / "iris.yaml").write_text(base)
    run = train(load(tmp_path / "iris.yaml"), out=tmp_path / "runs").run
    result = evaluate(run)
    assert result["human"] is None
    dev = [one for one, split in read_manifest(run / "manifest.csv").items() if split == "dev"]
    table = read_predictions([str(run / "predictions" / "dev.parquet")])
    truth = dict(zip(table.ids, table.columns["truth"], strict=True))
    write(tmp_path / "a.csv", ("id", "ada", "bob"), [(one, truth[one], truth[one]) for one in dev])
    (tmp_path / "people.yaml").write_text(base + "goal: {human: a.csv}\n")
    run = train(load(tmp_path / "people.yaml"), out=tmp_path / "runs").run
    # A table that does not go with the data is told before anything is trained, scored or looked at.
    write(tmp_path / "b.csv", ("id", "ada", "bob"), [(one, truth[one], "no class") for one in dev])
    (tmp_path / "wrong.yaml").write_text(base + "goal: {human: b.csv}\n")
    with pytest.raises(DataError, match="there is no class 'no class'"):
        train(load(tmp_path / "wrong.yaml"), out=tmp_path / "wrong")
    assert not (tmp_path / "wrong").exists()
    opened = open_run(run)
    write(tmp_path / "a.csv", ("id", "ada", "bob"), [(one, truth[one], "no class") for one in dev])
    with pytest.raises(DataError, match="there is no class 'no class'"):
        evaluate(opened, splits=["dev", "test"])
    assert "network" not in vars(opened) and looks_at_test(run, looking=False) == 0
    write(tmp_path / "a.csv", ("id", "ada", "bob"), [(one, truth[one], truth[one]) for one in dev])
    result = evaluate(run)
    assert result["human"]["value"] == 1.0 and result["human"]["n"] == len(dev)
    assert result["ledger"]["levels"][0]["name"] == "human" and (run / "human.json").is_file()


def test_it_is_remembered_where_dev_is_not_judged_again(home):
    folder, truth = home
    file = write(
        folder / "a.csv",
        ("id", "anna", "ben"),
        zip([f"e{i}" for i in range(N)], answers(truth, 10, 1), answers(truth, 20, 2), strict=True),
    )
    first = judged(folder)
    found = human_level(file, replace(first, home=folder))
    later = human_level(file, replace(first, home=folder, parts={}))
    assert later.level == found.level and later.says == found.says
    assert human_level(file, replace(first, home=folder / "elsewhere", parts={})) is None
