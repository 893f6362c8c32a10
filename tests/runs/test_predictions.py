"""Predictions of any tool as tables: the same scores and kinds as from a run, no keras, and faults in one sentence."""

import csv
import json
import re
import subprocess
import sys

import numpy as np
import pyarrow
import pyarrow.csv
import pyarrow.parquet
import pytest
import shop
from small_training import Heard

from dlspec.cli import main
from dlspec.evaluators.tables import number_column
from dlspec.recipe.load import load
from dlspec.runs.analyze import analyze, analyze_predictions
from dlspec.runs.evaluate import evaluate, evaluate_predictions
from dlspec.runs.train import train
from dlspec.types import DataError

SAME = ("examples", "errors", "metric", "value", "kinds", "eyeball")


@pytest.fixture(scope="module", params=["classes", "threshold", "numbers"])
def run(request, tmp_path_factory):
    """A run of two classes, one with a threshold of its own, and one of numbers."""
    folder = tmp_path_factory.mktemp(request.param)
    shop.write(folder / "shop.csv", 300)
    task, target, extra = {
        "classes": ("classification", "returned", "goal: {optimize: f1}"),
        "threshold": ("{name: classification, threshold: 0.3, positive: 'no'}", "returned", ""),
        "numbers": ("regression", "spent", "goal: {optimize: mae}"),
    }[request.param]
    (folder / "shop.yaml").write_text(
        f"task: {task}\ndata: {{name: csv, path: shop.csv, target: {target}, id: customer, tags: [city]}}\n"
        f"model: linear\ntrain: {{epochs: 2}}\n{extra}\n"
    )
    return train(load(folder / "shop.yaml"), out=folder / "runs").run


def bare(ledger):
    """A ledger without patches, and without what to write for a level that is missing: they are for a recipe."""
    return {**ledger, "prescriptions": None, "verdict": re.sub(r" \([^()]*\)\.$", ".", ledger["verdict"])}


def by_tag(analyzed):
    """Slices by tag: those that are found hang on the columns that are known, of which a run has more."""
    return [one for one in analyzed["slices"] if not one["found"]]


def same(one, other):
    return json.loads(json.dumps(one)) == json.loads(json.dumps(other))


def test_the_files_of_a_run_say_what_the_run_says(run):
    of_run, errors = evaluate(run), analyze(run)
    files = [f"{run}/predictions/{split}.parquet" for split in ("train", "dev")]
    alone = evaluate_predictions(files)
    assert (
        alone["run"] is None
        and same(alone["scores"], of_run["scores"])
        and same(bare(alone["ledger"]), bare(of_run["ledger"]))
    )
    analyzed = analyze_predictions(files)
    assert all(same(analyzed[key], errors[key]) for key in SAME) and same(by_tag(analyzed), by_tag(errors))
    with_run = analyze_predictions(files, run=run)
    assert all(same(with_run[key], errors[key]) for key in (*SAME, "slices", "worst"))


def test_so_does_the_same_table_as_csv(run, tmp_path):
    """Where the state follows from the columns: of numbers it is train's, which the file must hold whole."""
    of_run, errors = evaluate(run), analyze(run)
    for split in ("train", "dev"):
        table = pyarrow.parquet.read_table(f"{run}/predictions/{split}.parquet")
        table = table.append_column("split", [[split] * len(table)]).rename_columns(
            ["prediction" if name == "guess" else name for name in (*table.column_names, "split")]
        )
        pyarrow.csv.write_csv(table, tmp_path / f"{split}.csv")
    files = [str(tmp_path / "train.csv"), str(tmp_path / "dev.csv")]
    metric = errors["metric"]
    if "no" in load_positive(run):
        order = [name for name in table.column_names if not name.startswith("p_")]
        for file in files:  # the last of two columns is the positive class
            held = pyarrow.csv.read_csv(file)
            pyarrow.csv.write_csv(held.select([*order, "p_yes", "p_no"]), file)
    alone = evaluate_predictions(files, metric=metric)
    for split, scores in of_run["scores"].items():
        for name, score in scores.items():
            assert alone["scores"][split][name] == pytest.approx(score, nan_ok=True)
    analyzed = analyze_predictions(files, metric=metric)
    assert [kind["count"] for kind in analyzed["kinds"]] == [kind["count"] for kind in errors["kinds"]]
    assert [kind["kind"] for kind in analyzed["kinds"]] == [kind["kind"] for kind in errors["kinds"]]
    assert same(by_tag(analyzed), by_tag(errors))


def load_positive(run):
    state = json.loads((run / "state.json").read_text())["task"]
    return [state["positive"]] if "positive" in state else []


def write(file, rows, header=("id", "split", "truth", "guess", "city")):
    with open(file, "w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(header)
        writer.writerows(rows)
    return str(file)


WORDS = [(f"r{i}", "dev", "ab"[i % 2], "ab"[i % 3 == 0], ("Pisa", "Oslo")[i % 5 == 0]) for i in range(40)]


def test_guesses_alone_have_neither_log_loss_nor_auc(tmp_path):
    file = write(tmp_path / "p.csv", WORDS)
    scores = evaluate_predictions([file])["scores"]["dev"]
    assert list(scores)[:4] == ["accuracy", "precision", "recall", "f1"] and "log_loss" not in scores
    assert scores["accuracy"]["value"] == np.mean([row[2] == row[3] for row in WORDS])
    result = analyze_predictions([file], out=tmp_path / "out")
    assert {kind["kind"] for kind in result["kinds"]} == {"a → b", "b → a"}
    assert {(s["name"], s["value"]) for s in result["slices"]} == {("city", "Pisa"), ("city", "Oslo")}
    assert result["worst"][0]["truth"] in "ab" and result["worst"][0]["shows"] == {
        "city": result["worst"][0]["tags"]["city"]
    }
    assert (tmp_path / "out" / "report.html").is_file() and (tmp_path / "out" / "errors" / "dev.csv").is_file()


def test_numbered_classes_and_numbers_are_told_apart(tmp_path):
    heard = Heard()
    numbered = write(tmp_path / "c.csv", [(i, "dev", i % 3, (i + i // 9) % 3, "") for i in range(30)])
    assert "accuracy" in evaluate_predictions([numbered], watch=heard)["scores"]["dev"]
    assert "rmse" in evaluate_predictions([numbered], task="regression")["scores"]["dev"]
    measured = write(tmp_path / "m.csv", [(i, "dev", i, i + 0.5, "") for i in range(30)])
    assert evaluate_predictions([measured])["scores"]["dev"]["rmse"]["value"] == 0.5
    assert any("scored as classes" in one for one in heard.said)


def test_names_that_look_like_numbers_stay_names(tmp_path):
    file = write(tmp_path / "p.csv", [(f"{i:03}", "val", f"0{i % 2}", 0.25, 0.75) for i in range(8)],
                 ("id", "split", "truth", "p_00", "p_01"))  # fmt: skip
    assert evaluate_predictions([file])["scores"]["dev"]["accuracy"]["value"] == 0.5


HEAD = ("id", "split", "truth", "p_a", "p_b")


@pytest.mark.parametrize(
    ("header", "rows", "says"),
    [
        (HEAD, [("1", "devel", "a", 1, 0)], "1 row has the split 'devel'.* one of train, train_dev, dev, test"),
        (HEAD, [("1", "dev", "a", 1, 0)] * 2, "1 ids stand for more than one row \\('1' in dev\\)"),
        (HEAD, [("", "dev", "a", 1, 0)], "1 of 1 rows have no id"),
        (HEAD, [("1", "dev", "a", 0.7, 0.7)], "1 of 1 examples do not add up to 1: those of '1' to 1.4"),
        (HEAD, [("1", "dev", "a", 2, -1)], "do not add up to 1: in '1' one is -1"),
        (
            HEAD,
            [("1", "dev", "a", "high", 0)],
            "column 'p_a' of the table of predictions should hold numbers, got 'high'",
        ),
        (HEAD, [("1", "dev", "", 1, 0), ("2", "dev", "a", 1, 0)], "the target is missing in 1 of 2 examples: 1"),
        (("name", "truth", "p_a", "p_b"), [("1", "a", 1, 0)], "needs a column 'id'; it has name, truth"),
        (("id", "Truth", "p_a", "p_b"), [("1", "a", 1, 0)], "needs a column 'truth'; did you mean 'Truth'"),
        (("id", "truth", "score"), [("1", "a", 1)], "cannot be told from the columns .*classes: guess, or p_<class>"),
        (("id", "truth", "p_a"), [("1", "a", 1)], "cannot be told from the columns"),
    ],
)
def test_a_table_that_cannot_be_is_refused_in_a_sentence(header, rows, says, tmp_path, capsys):
    file = write(tmp_path / "p.csv", rows, header)
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", "--predictions", file])
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and re.search(says, said), said
    assert "Traceback" not in said and len(said.strip().splitlines()) <= 2


def test_the_value_that_is_no_number_is_named():
    with pytest.raises(DataError, match=r"column 'guess' .* should hold numbers, got '2.5x'"):
        number_column({"guess": ["1", None, "2.5", "2.5x", "a"]}, "guess")


def test_a_human_level_of_another_metric_is_told(tmp_path):
    file, heard = write(tmp_path / "p.csv", [("1", "dev", "a", 1, 0), ("2", "dev", "b", 1, 0)], HEAD), Heard()
    found = evaluate_predictions([file], human={"f1": 0.9}, watch=heard)
    assert [one["name"] for one in found["ledger"]["levels"]] == ["dev"]
    assert "--human is of f1, but the ledger is by accuracy: say --human accuracy=…, or another --metric" in heard.said


def test_a_tag_may_be_called_as_any_column(tmp_path):
    """What is written of a run is read again with the tags that the data has, whatever they are called."""
    names = ["split", "weight", "guess", "prediction", "p_no", "truth", "group"]
    lines = [",".join(["x", *names, "y"])]
    for i in range(80):
        tags = ["new" if i % 2 else "old", "light", "g" if i % 3 else "h", "q", "many", "true", "one"]
        lines.append(",".join([str(i % 7), *tags, "yes" if i % 7 > 2 else "no"]))
    (tmp_path / "odd.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "odd.yaml").write_text(
        f"task: classification\ndata: {{name: csv, path: odd.csv, target: y, tags: {names}}}\n"
        "model: linear\ntrain: {epochs: 1}\n"
    )
    run = train(load(tmp_path / "odd.yaml"), out=tmp_path / "runs").run
    of_run, errors = evaluate(run), analyze(run)
    file = f"{run}/predictions/dev.parquet"
    assert same(evaluate_predictions([file])["scores"]["dev"], of_run["scores"]["dev"])
    alone, with_run = analyze_predictions([file]), analyze_predictions([file], run=run)
    assert {one["name"] for one in by_tag(errors)} >= {"split", "guess"}
    assert same(by_tag(alone), by_tag(errors)) and same(by_tag(with_run), by_tag(errors))


def test_files_that_do_not_go_together_and_options_that_do_not(tmp_path, capsys):
    one = write(tmp_path / "a.csv", [("1", "dev", "a", 1, 0)], HEAD)
    other = write(tmp_path / "b.csv", [("2", "dev", "a", "a", "x")])
    for arguments, says in [
        (["--predictions", one, other], "give both the same"),
        (["--predictions", one, "--metric", "acuracy"], "did you mean 'accuracy'"),
        (["--predictions", one, "--task", "clasification"], "did you mean 'classification'"),
        (["--predictions", one, "--task", "regression"], "holds no predictions of regression, which needs guess"),
        (["--predictions", one, "--split", "test"], "this table has no split test; it has dev"),
        (
            ["--predictions", one, "--human", "acuracy=0.9"],
            "--human: unknown metric 'acuracy'; did you mean 'accuracy'",
        ),
        (
            ["--predictions", one, "--human", "accuracy=99"],
            "nothing is better than accuracy 1, got 99; of 100, write 0.9",
        ),
        (["--predictions", one, "--human", "log_loss=-1"], "nothing is better than log_loss 0, got -1"),
        (
            ["--predictions", one, "--out", one],
            "a.csv/figures: a part of this path is a file, where a folder should be",
        ),
        (["--predictions", one, "--data", "x.csv"], "--data needs a run's network"),
        (["--predictions", str(tmp_path / "none.csv")], "No such file"),
        (["last", "--metric", "f1"], "--metric goes with --predictions"),
        ([], "Missing argument 'RUN'"),
    ]:
        with pytest.raises(SystemExit) as stopped:
            main(["evaluate", *arguments])
        assert stopped.value.code == 2 and says in capsys.readouterr().err, arguments


def test_without_errors_nothing_is_said_of_looking_at_them(tmp_path, capsys):
    rows = [(f"r{i}", "dev", "ab"[i % 2], "ab"[(i + (i == 0)) % 2], "x") for i in range(40)]
    for held, expected in ((rows, True), (rows[1:], False)):
        with pytest.raises(SystemExit) as ended:
            main(["error-analysis", "--predictions", write(tmp_path / "p.csv", held)])
        assert ended.value.code == 0 and ("may be looked at" in capsys.readouterr().out) is expected


def test_a_table_of_predictions_alone_is_analyzed(tmp_path):
    rows = [(f"r{i}", "dev", "ab"[i % 2], "ab"[i % 3 == 0]) for i in range(60)]
    found = analyze_predictions([write(tmp_path / "p.csv", rows, ("id", "split", "truth", "guess"))])
    assert (
        found["errors"] == 30
        and {one["name"] for one in found["slices"]} == {"truth"}
        and found["worst"][0]["shows"] == {}
    )


def test_what_is_missing_is_asked_for_as_an_option_or_rows(tmp_path):
    rows = [(f"{split}{i}", split, "ab"[i % 2], "ab"[i % 3 == 0], "x") for split in ("train", "dev") for i in range(40)]
    says = evaluate_predictions([write(tmp_path / "p.csv", rows)])["ledger"]["verdict"]
    assert "avoidable bias is not known (--human accuracy=…)" in says and "goal" not in says and "data:" not in says
    says = evaluate_predictions([write(tmp_path / "t.csv", rows[:40])])["ledger"]["verdict"]
    assert "nothing is known of variance (rows whose split is dev)" in says


@pytest.mark.parametrize(
    ("held", "says"),
    [
        (
            "id,truth,guess\n1,für,a\n".encode("latin-1"),
            "byte 0xfc is not UTF-8; save the table in UTF-8, or as Parquet",
        ),
        (b"id,truth,guess\n1,a,a\n2,a,b,c\n", "does a cell hold the delimiter? put it in quotes"),
        (b"id,truth,guess,guess\n1,a,a,b\n", "more than once; rename it in the file; row 1 is the header"),
        (b"id,truth,guess,\n1,a,a,b\n", "gives no name to column 4; name it in the file; row 1 is the header"),
    ],
)
def test_a_file_that_cannot_be_read_is_not_blamed_on_a_recipe(tmp_path, held, says):
    (tmp_path / "p.csv").write_bytes(held)
    with pytest.raises(DataError) as refused:
        evaluate_predictions([str(tmp_path / "p.csv")])
    assert says in str(refused.value) and "data." not in str(refused.value)


def test_predictions_of_another_version_of_the_data(run, tmp_path):
    from dlspec.types import DataError

    evaluate(run)
    table = pyarrow.parquet.read_table(f"{run}/predictions/dev.parquet")
    ids = table["id"].to_pylist()
    pyarrow.parquet.write_table(
        table.set_column(0, "id", [["C9", *ids[1:]]]).replace_schema_metadata({}), tmp_path / "ids.parquet"
    )
    with pytest.raises(DataError, match=r"1 of 45 ids are not in the run's dev \(C9\)"):
        analyze_predictions([str(tmp_path / "ids.parquet")], run=run)
    truths = table["truth"].to_pylist()
    swapped = table.set_column(1, "truth", [truths[1:] + truths[:1]]).replace_schema_metadata({})
    pyarrow.parquet.write_table(swapped, tmp_path / "truths.parquet")
    with pytest.raises(DataError, match="of 45 truths are not those of the run's dev"):
        analyze_predictions([str(tmp_path / "truths.parquet")], run=run)
    held = json.loads(table.schema.metadata[b"dlspec"])
    other = table.replace_schema_metadata({b"dlspec": json.dumps({**held, "fingerprint": "f00d"}).encode()})
    pyarrow.parquet.write_table(other, tmp_path / "print.parquet")
    with pytest.raises(DataError, match=r"another version of the data \(fingerprint f00d"):
        analyze_predictions([str(tmp_path / "print.parquet")], run=run)
    few = Heard()
    pyarrow.parquet.write_table(table.slice(0, 40), tmp_path / "few.parquet")
    assert analyze_predictions([str(tmp_path / "few.parquet")], run=run, watch=few)["examples"] == 40
    assert any("5 of the run's 45 examples of dev have no prediction" in one for one in few.said)


def test_neither_keras_nor_tensorflow_is_loaded(tmp_path):
    file = write(tmp_path / "p.csv", WORDS)
    code = f"""
import sys
from dlspec.runs.analyze import analyze_predictions
from dlspec.runs.evaluate import evaluate_predictions
from pathlib import Path
evaluate_predictions([{file!r}], out=Path({str(tmp_path / "out")!r}))
analyze_predictions([{file!r}], out=Path({str(tmp_path / "out")!r}))
print([name for name in ("keras", "tensorflow", "torch", "sklearn") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
