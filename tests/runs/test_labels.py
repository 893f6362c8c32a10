"""Wrong labels of a run: found by folds, written for a person, taken back, and old and new scores side by side."""

import csv
import json
import os

import numpy as np
import pytest
from small_training import left

from dlspec.cli import main
from dlspec.data.corrections import Spot, read
from dlspec.recipe.load import load
from dlspec.report.html import page
from dlspec.report.watch import Watch
from dlspec.runs import report
from dlspec.runs.analyze import analyze
from dlspec.runs.judged import judged_run
from dlspec.runs.label_issues import _verdict as verdict_of
from dlspec.runs.labels import Audit, Suspicion, audit
from dlspec.runs.opened import open_run
from dlspec.runs.relabel import relabel
from dlspec.runs.relabel_table import write_relabel
from dlspec.runs.sheet_made import sheet_of_predictions
from dlspec.runs.train import train
from dlspec.types import ArgumentError, DataError

FLIPPED = 20


def test_suspects_whose_names_are_no_utf8(home, tmp_path):
    opened, name, file = open_run(home[1]), os.fsdecode(b"p\xe9.png"), tmp_path / "relabel.csv"
    judged = judged_run(opened, {"dev": opened.splits()["dev"]}, Watch())
    doubted = Audit(3, {"dev": 1}, [Suspicion(name, "dev", "x", "y", "y", 0.9, 1.0)])
    write_relabel(file, doubted, judged, "dev", {"right_answers": []})
    assert file.read_text().splitlines()[1] == r"p\udce9.png,dev,x,y,0.9000,,suspect"
    file.write_text(file.read_text().replace(",,suspect", ",z,suspect"))
    assert read(str(file)) == {Spot(name): "z"}
    write_relabel(file, doubted, judged, "dev", {"right_answers": []})  # what a person wrote stays
    assert read(str(file)) == {Spot(name): "z"} and len(file.read_text().splitlines()) == 2


def test_labels_of_predictions_made_elsewhere(tmp_path, capsys):
    """Of 200 sure and right predictions 12 have a label that was flipped: those are the suspects."""
    flipped = set(range(0, 120, 10))
    lines = [
        f"r{i},{'ab'[(i % 2) ^ (i in flipped)]},{0.97 - i % 5 / 100 if i % 2 == 0 else 0.03 + i % 5 / 100:.2f},"
        f"{0.03 + i % 5 / 100 if i % 2 == 0 else 0.97 - i % 5 / 100:.2f}"
        for i in range(200)
    ]
    file, guesses = tmp_path / "p.csv", tmp_path / "g.csv"
    file.write_text("\n".join(["id,truth,p_a,p_b", *lines]) + "\n")
    assert left(["error-analysis", "--predictions", str(file), "--labels", "--out", str(tmp_path / "seen")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "12 of 200 labels are likely wrong: dev 12" in said and "take them over into your data" in said
    held = json.loads((tmp_path / "seen" / "errors" / "dev.json").read_text())["label_issues"]
    assert {one["id"] for one in held["suspects"]} == {f"r{i}" for i in flipped} and held["ceiling"] == 1.0
    with open(tmp_path / "seen" / "errors" / "relabel.csv", newline="") as text:
        assert {row["id"] for row in csv.DictReader(text) if row["why"] == "suspect"} == {f"r{i}" for i in flipped}
    sheet = sheet_of_predictions([str(file)], labels=True, out=tmp_path / "looked")
    assert [item["suspect"] is not None for item in sheet.items if item["error"]] == [True] * 12
    guesses.write_text("id,truth,guess\n" + "".join(f"r{i},{'ab'[i % 2]},a\n" for i in range(40)))
    for given, says in ((guesses, "give probabilities"), (file, "say where with --out")):
        sheet_too = ["--sheet-out", str(tmp_path / "s.html")] if given is file else []
        assert left(["error-analysis", "--predictions", str(given), "--labels", *sheet_too]) == 2
        assert says in capsys.readouterr().err


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Points of three clouds, 20 of 300 with the label of another; and a run over them."""
    folder = tmp_path_factory.mktemp("labels")
    random = np.random.default_rng(0)
    cloud = np.arange(300) % 3
    x = random.normal(0, 0.5, (300, 2)) + np.array([[0, 0], [4, 0], [0, 4]])[cloud]
    given = cloud.copy()
    for i in random.choice(300, FLIPPED, replace=False):
        given[i] = (cloud[i] + random.integers(1, 3)) % 3
    labelled = zip(x.tolist(), given, strict=True)
    lines = [f"p{i},{a:.4f},{b:.4f},{'xyz'[g]},{a * 2 + b:.4f}" for i, ((a, b), g) in enumerate(labelled)]
    (folder / "points.csv").write_text("id,a,b,cloud,sum\n" + "\n".join(lines) + "\n")
    (folder / "r.yaml").write_text(
        "task: classification\ndata: {name: csv, path: points.csv, target: cloud, id: id, drop: [sum]}\n"
        "model: linear\ntrain: {epochs: 30, optimizer: {learning_rate: 0.1}, tensorboard: false}\n"
    )
    truth = {f"p{i}": "xyz"[c] for i, c in enumerate(cloud)}
    wrong = {f"p{i}" for i in range(300) if given[i] != cloud[i]}
    return folder, train(load(folder / "r.yaml"), out=folder / "runs").run, truth, wrong


@pytest.fixture(scope="module")
def audited(home):
    """The error analysis of dev, with an audit of train, dev and test."""
    _, run, _, _ = home
    opened = open_run(run)
    read_splits = opened.splits()
    parts = {name: read_splits[name] for name in ("train", "dev", "test")}
    audit(opened, parts, 3, Watch())
    return analyze(run, split="dev")


def rows(run):
    with open(run / "errors" / "relabel.csv", newline="") as text:
        return list(csv.DictReader(text))


def test_wrong_labels_are_found_and_listed(home, audited):
    _, run, truth, wrong = home
    listed = rows(run)
    suspected = {row["id"] for row in listed if row["why"] == "suspect"}
    assert len(suspected & wrong) >= 0.85 * FLIPPED and len(suspected & wrong) >= 0.8 * len(suspected)
    assert all(row["suggested"] == truth[row["id"]] for row in listed if row["id"] in suspected & wrong)
    assert all(row["new"] == "" and 0 < float(row["probability"] or 1) <= 1 for row in listed)
    right = [row for row in listed if "right answer" in row["why"]]
    assert len(right) == 20 and {row["split"] for row in right} == {"dev"}


def test_their_ceiling_stands_beside_the_other_kinds(home, audited):
    _, run, _, _ = home
    issues = audited["label_issues"]
    assert sum(one["examples"] for one in issues["splits"].values()) == 300 and issues["folds"] == 3
    here = {row["id"] for row in rows(run) if row["split"] == "dev" and row["why"] == "suspect"}
    assert issues["count"] == len(here) > 0 and issues["errors"] <= audited["errors"]
    # By hand: a suspect that is an error becomes right, any other one wrong.
    assert issues["ceiling"] == pytest.approx(issues["value"] + (2 * issues["errors"] - issues["count"]) / 45)
    assert issues["gain"] == pytest.approx(issues["ceiling"] - issues["value"])
    rank = "first" if issues["gain"] > audited["kinds"][0]["gain"] else "later"
    assert any(sentence.endswith(f"look at the labels {rank}") for sentence in issues["verdict"])
    kept = json.loads((run / "errors" / "dev.json").read_text())
    assert kept["label_issues"]["count"] == issues["count"]
    assert "Labels that are likely wrong" in page(report.gathered(run))


def test_a_network_that_doubts_nearly_everything_is_doubted_itself(home, audited):
    issues = audited["label_issues"]
    many = {"train": {"suspects": 80, "examples": 300}, "dev": {"suspects": 5, "examples": 100}}
    said = verdict_of({**issues, "splits": many}, audited["kinds"])
    assert said[1] == (
        "a network that contradicts 21% of all labels is likelier wrong itself: mend it first (dlspec evaluate)"
    )
    assert not [one for one in said if "look at the labels" in one]
    rare = {"than": "O", "examples": 100, "suspects": 21}
    said = verdict_of({**issues, "splits": {"dev": {"suspects": 21, "examples": 9000}}, "others": rare}, [])
    assert "contradicts 21% of the labels other than 'O'" in said[1] and not [one for one in said if "look at" in one]
    rare["suspects"] = 20
    assert "likelier wrong itself" not in "".join(verdict_of({**issues, "others": rare}, []))
    fewer = {**many, "train": {"suspects": 75, "examples": 300}}
    said = verdict_of({**issues, "splits": fewer}, audited["kinds"])
    assert "likelier wrong itself" not in "".join(said) and [one for one in said if "look at the labels" in one]


def test_what_a_person_wrote_survives_the_next_audit(home, audited):
    _, run, truth, _ = home
    file = run / "errors" / "relabel.csv"
    first = rows(run)[0]["id"]
    text = file.read_text()
    try:
        file.write_text("id,new\n" + f"{first},{truth[first]}\np1,{truth['p1']}\n")
        analyze(run, split="dev")
        kept = {row["id"]: row["new"] for row in rows(run) if row["new"]}
        assert kept == {first: truth[first], "p1": truth["p1"]}
    finally:
        file.write_text(text)


def test_corrections_are_applied_to_every_split_alike(home, audited):
    folder, run, truth, wrong = home
    file = folder / "relabel.csv"
    file.write_text("id,new\n" + "".join(f"{one},{truth[one]}\n" for one in sorted(wrong)))
    before = (folder / "points.csv").read_bytes()
    result = relabel(run, file)
    assert (folder / "points.csv").read_bytes() == before
    assert sum(result["changed"].values()) == FLIPPED and set(result["scores"]) == {"train", "dev"}
    for split in ("train", "dev"):
        one = result["scores"][split]["accuracy"]
        assert one["new"]["value"] >= 0.97 and one["new"]["value"] > one["old"]["value"] > one["old"]["low"]
    said = " ".join(result["findings"])
    assert "every split is corrected alike" in said and "right answers" in said and "not looked at" in said
    again = train(load(result["recipe"]), out=folder / "again")
    new = open_run(again.run)
    assert new.recipe.data.corrections == (str(file),)
    assert new.splits().fingerprint == result["fingerprint"]["new"] != result["fingerprint"]["old"]
    assert {n: p.ids for n, p in new.splits().parts.items()} == {
        n: p.ids for n, p in open_run(run).splits().parts.items()
    }
    assert again.scores["dev"]["accuracy"]["value"] >= 0.97
    with pytest.raises(ArgumentError, match="no split train_dev"):
        relabel(run, file, splits=["test", "train_dev"])
    assert relabel(run, file, splits=["test"])["test_looks"] == 1, "what was refused was no look"


def test_one_side_alone_is_warned_of(home, audited):
    folder, run, truth, wrong = home
    manifest = open_run(run).splits()
    train_alone = [one for one in manifest["train"].ids if one in wrong]
    file = folder / "train.csv"
    file.write_text("id,new\n" + "".join(f"{one},{truth[one]}\n" for one in train_alone))
    assert any("train alone" in sentence for sentence in relabel(run, file)["findings"])


def test_what_cannot_be_applied_is_a_sentence(home, audited, capsys):
    folder, run, _, _ = home
    file = folder / "bad.csv"
    for text, answer in (
        ("id,new\nnobody,x\n", "unknown to the data: nobody"),
        ("id,new\np1,w\n", "there is no class 'w'"),
        ("id,new\np1,\n", "the column 'new' is empty in every row"),
    ):
        file.write_text(text)
        with pytest.raises(SystemExit) as ended:
            main(["error-analysis", str(run), "--relabel", str(file)])
        said = capsys.readouterr().err
        assert ended.value.code == 2 and answer in said and "Traceback" not in said
    with pytest.raises(ArgumentError, match="there is no file"):
        relabel(run, folder / "absent.csv")
    with pytest.raises(ArgumentError, match="cannot make 400 folds"):
        analyze(run, labels=True, folds=400)


def test_numbers_are_audited_too(home):
    folder, _, _, _ = home
    lines = (folder / "points.csv").read_text().splitlines()
    cells = lines[8].split(",")
    lines[8] = ",".join([*cells[:4], "99"])
    (folder / "sums.csv").write_text("\n".join(lines) + "\n")
    (folder / "sum.yaml").write_text(
        "task: regression\ndata: {name: csv, path: sums.csv, target: sum, id: id, drop: [cloud]}\n"
        "model: linear\ntrain: {epochs: 20, optimizer: {learning_rate: 0.1}, tensorboard: false}\n"
    )
    run = train(load(folder / "sum.yaml"), out=folder / "runs").run
    result = analyze(run, labels=True, folds=2)
    found = result["label_issues"]["suspects"]
    assert found[0]["id"] == cells[0] and found[0]["label"] == "99" and found[0]["probability"] is None
    file = folder / "sums_new.csv"
    file.write_text(f"id,new\n{cells[0]},{found[0]['suggested']}\n")
    assert sum(relabel(run, file)["changed"].values()) == 1


def test_the_command_says_it(home, audited, capsys):
    folder, run, truth, wrong = home
    with pytest.raises(SystemExit) as ended:
        main(["error-analysis", str(run)])
    said = capsys.readouterr().out
    assert ended.value.code == 0 and "labels that are likely wrong" in said and "--relabel" in said
    file = folder / "all.csv"
    file.write_text("id,new\n" + "".join(f"{one},{truth[one]}\n" for one in sorted(wrong)))
    with pytest.raises(SystemExit) as ended:
        main(["error-analysis", str(run), "--relabel", str(file), "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0 and sum(answer["changed"].values()) == FLIPPED
    with pytest.raises(SystemExit):
        main(["error-analysis", str(run), "--relabel", str(file)])
    assert "old labels" in capsys.readouterr().out


def test_a_broken_table_is_a_sentence(tmp_path):
    (tmp_path / "r.csv").write_text("id,label\n1,2\n")
    with pytest.raises(DataError, match="a column 'new'"):
        read(str(tmp_path / "r.csv"))
