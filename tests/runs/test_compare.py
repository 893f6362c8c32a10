"""Runs side by side: the same examples, honest verdicts, recipes' differences; no network where predictions lie."""

import json
import math
import shutil
import subprocess
import sys

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import shop
from scipy.stats import binomtest

from dlspec.cli import main
from dlspec.recipe.load import load
from dlspec.report.comparison import print_compared
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs.compare import compare
from dlspec.runs.evaluate import evaluate
from dlspec.runs.train import train
from dlspec.types import ArgumentError

TRAINED = "train: {epochs: 3, tensorboard: false}"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three runs over the shop's customers (a line, a network that bends, another division), and a regression."""
    root = tmp_path_factory.mktemp("compare")
    shop.write(root / "shop.csv", 1200)
    data = "{name: csv, path: shop.csv, target: %s%s}"
    recipes = {
        "line": f"task: classification\ndata: {data % ('returned', '')}\nmodel: linear\n{TRAINED}\n",
        "bent": f"task: classification\ndata: {data % ('returned', '')}\nmodel: {{name: mlp, hidden: [32, 32]}}\n"
        "train: {epochs: 40, tensorboard: false}\n",
        "otherwise": f"task: classification\ndata: {data % ('returned', ', split: {seed: 5}')}\nmodel: linear\n"
        f"{TRAINED}\n",
        "money": f"task: regression\ndata: {data % ('spent', '')}\nmodel: linear\n{TRAINED}\n",
    }
    found = {}
    for name, text in recipes.items():
        (root / f"{name}.yaml").write_text(text)
        found[name] = train(load(root / f"{name}.yaml"), out=root / "runs").run
    return found


def hits(run, split="dev"):
    table = pyarrow.parquet.read_table(run / "predictions" / f"{split}.parquet")
    return {one["id"]: one["truth"] == one["guess"] for one in table.to_pylist()}


def test_two_runs_on_the_same_examples(runs):
    result = compare([runs["line"], runs["bent"]])
    line, bent = (one["name"] for one in result["runs"])
    assert line == f"line/{runs['line'].name}" and result["runs"][0]["run"] == str(runs["line"])
    assert result["split"] == "dev" and result["examples"] == 180 and not result["notes"]
    for name, run in ((line, runs["line"]), (bent, runs["bent"])):
        kept = folders.read_json(run / "scores.json")["scores"]["dev"]
        for metric, one in result["scores"][name].items():
            assert one == {key: kept[metric][key] for key in ("value", "low", "high")}
    of = {one["metric"]: one for one in result["differences"]}
    accuracy = of["accuracy"]
    assert (accuracy["run"], accuracy["against"]) == (bent, line)
    assert accuracy["value"] == pytest.approx(
        result["scores"][bent]["accuracy"]["value"] - result["scores"][line]["accuracy"]["value"]
    )
    first, second = hits(runs["line"]), hits(runs["bent"])
    only_bent = sum(second[i] and not first[i] for i in first)
    only_line = sum(first[i] and not second[i] for i in first)
    assert accuracy["p"] == pytest.approx(binomtest(only_bent, only_bent + only_line).pvalue)
    assert set(of) == {"accuracy", "precision", "recall", "f1", "log_loss", "roc_auc"} | {
        "false_positive_rate",
        "false_negative_rate",
    }
    assert all(one["low"] <= one["value"] <= one["high"] for one in of.values())
    [sentence] = result["verdict"]
    assert sentence.startswith(f"{bent} is better than {line} on these 180 examples: its accuracy is higher by")


def test_the_recipes_differences_alone(runs):
    result = compare([runs["line"], runs["bent"]])
    line, bent = (one["name"] for one in result["runs"])
    differences = {one["key"]: one["values"] for one in result["recipe_differences"]}
    assert differences.pop("model.name") == {line: "linear", bent: "mlp"}
    assert differences.pop("train.epochs") == {line: 3, bent: 40}
    assert differences.pop("model.hidden") == {bent: [32, 32]}
    assert differences and all(key.startswith("model.") for key in differences)


def test_a_run_and_its_copy_predict_the_same(runs, tmp_path):
    copy = tmp_path / "runs" / "line" / runs["line"].name
    shutil.copytree(runs["line"], copy)
    result = compare([runs["line"], copy])
    assert [one["name"] for one in result["runs"]] == [str(runs["line"]), str(copy)]
    assert result["verdict"] == [f"{copy} and {runs['line']} predict the same for each of these 180 examples"]
    assert all(one["value"] == 0 and one["p"] == 1 for one in result["differences"])


def rewritten(run, to, change):
    """A copy of a run whose predictions on dev are changed."""
    if not (run / "predictions" / "dev.parquet").exists():
        evaluate(run, splits=["dev"])
    shutil.copytree(run, to)
    file = to / "predictions" / "dev.parquet"
    columns = pyarrow.parquet.read_table(file).to_pydict()
    change(columns)
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    return to


def test_a_difference_of_one_example_is_not_distinguishable(runs, tmp_path):
    def mend_one(columns):
        wrong = next(i for i, truth in enumerate(columns["truth"]) if truth != columns["guess"][i])
        other = {"yes": "no", "no": "yes"}[columns["guess"][wrong]]
        columns[f"p_{other}"][wrong], columns[f"p_{columns['guess'][wrong]}"][wrong] = 0.9, 0.1

    copy = rewritten(runs["line"], tmp_path / "line" / "20990101-000000", mend_one)
    result = compare([runs["line"], copy])
    [sentence] = result["verdict"]
    assert "are not distinguishable by accuracy on these 180 examples (difference +0.005556" in sentence
    assert sentence.endswith("p = 1)")
    assert result["recipe_differences"] == []


def test_other_examples_are_said_and_left_out(runs):
    result = compare([runs["line"], runs["otherwise"]])
    shared = hits(runs["line"]).keys() & hits(runs["otherwise"]).keys()
    assert result["examples"] == len(shared) < 180
    assert "do not have the same examples of dev" in result["notes"][0] and str(len(shared)) in result["notes"][0]
    assert {one["key"]: list(one["values"].values()) for one in result["recipe_differences"]} == {
        "data.split.seed": [0, 5]
    }


def test_examples_with_another_truth_are_left_out(runs, tmp_path):
    def relabel(columns, many=4):
        columns["truth"][:many] = [{"yes": "no", "no": "yes"}[truth] for truth in columns["truth"][:many]]

    copy = rewritten(runs["line"], tmp_path / "line" / "20990101-000000", relabel)
    result = compare([runs["bent"], copy])
    assert result["examples"] == 176 and result["notes"] == [
        "4 of them have another truth in another run, and are left out"
    ]
    other = rewritten(runs["line"], tmp_path / "line" / "20990101-000001", lambda columns: relabel(columns, 120))
    with pytest.raises(ArgumentError, match="120 have another truth"):
        compare([runs["bent"], other])


def test_groups_are_drawn_whole_and_few_of_them_are_cautioned(runs, tmp_path):
    groups = [f"street {i % 9}" for i in range(180)]
    copies = [
        rewritten(runs[name], tmp_path / name / "20990101-000000", lambda columns: columns.update(group=groups))
        for name in ("line", "bent")
    ]
    alone, grouped = compare([runs["line"], runs["bent"]]), compare(copies)
    assert grouped["differences"][0]["value"] == alone["differences"][0]["value"]
    assert grouped["differences"][0]["p"] != alone["differences"][0]["p"]
    assert "come from 9 groups alone" in grouped["verdict"][-1]


def test_several_runs_against_the_first(runs, tmp_path):
    copy = rewritten(runs["line"], tmp_path / "line" / "20990101-000000", lambda columns: None)
    result = compare([runs["bent"], runs["line"], copy])
    assert len(result["scores"]) == 3 and len(result["differences"]) == 2 * 8
    assert {one["against"] for one in result["differences"]} == {result["runs"][0]["name"]}
    assert "worse than" in result["verdict"][0]
    assert "these are 2 comparisons" in result["verdict"][-1] and "10%" in result["verdict"][-1]


def test_regression_and_its_goal(runs, tmp_path):
    def better(columns):
        columns["guess"] = (0.5 * np.array(columns["guess"]) + 0.5 * np.array(columns["truth"])).tolist()

    copy = rewritten(runs["money"], tmp_path / "money" / "20990101-000000", better)
    recipe = (copy / "recipe.yaml").read_text().replace("optimize: null", "optimize: mae")
    (copy / "recipe.yaml").write_text(recipe)
    result = compare([copy, runs["money"]])
    assert len(result["verdict"]) == 2 and all("worse than" in one for one in result["verdict"])
    assert "its rmse is higher by" in result["verdict"][0] and "its mae is higher by" in result["verdict"][1]
    rmse = result["differences"][0]
    assert rmse["value"] == pytest.approx(result["scores"][result["runs"][0]["name"]]["rmse"]["value"])


def test_looks_at_test_are_counted(runs):
    before = [folders.looks_at_test(runs[name]) for name in ("line", "bent")]
    compare([runs["line"], runs["bent"]], split="test")
    compare([runs["line"], runs["bent"]], split="test")
    assert [folders.looks_at_test(runs[name]) for name in ("line", "bent")] == [one + 2 for one in before]


def test_what_cannot_be_compared(runs):
    with pytest.raises(ArgumentError, match="two runs or more"):
        compare([runs["line"]])
    with pytest.raises(ArgumentError, match="are the same run"):
        compare([runs["line"], "last", runs["line"]], root=runs["line"].parent.parent)
    with pytest.raises(ArgumentError, match=r"scored by accuracy.* by rmse.*cannot be compared"):
        compare([runs["line"], runs["money"]])
    with pytest.raises(ArgumentError, match="no split elsewhere"):
        compare([runs["line"], runs["bent"]], split="elsewhere")


def test_no_example_in_common(runs, tmp_path):
    copy = rewritten(
        runs["line"],
        tmp_path / "line" / "20990101-000000",
        lambda columns: columns.update(id=[f"x{i}" for i in columns["id"]]),
    )
    with pytest.raises(ArgumentError, match="no example of dev in common"):
        compare([runs["bent"], copy])


def test_broken_predictions(runs, tmp_path):
    copy = tmp_path / "line" / "20990101-000000"
    shutil.copytree(runs["line"], copy)
    (copy / "predictions").mkdir(exist_ok=True)
    (copy / "predictions" / "dev.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(ArgumentError, match="make it anew: dlspec evaluate"):
        compare([runs["bent"], copy])


def test_own_code_is_the_same_where_its_content_is(tmp_path):
    from dlspec.runs.compare_recipes import _by_content

    for name, text in (("a", "x = 1\n"), ("b", "x = 1\n"), ("c", "x = 2\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "net.py").write_text(text)
    same, again, other = (_by_content(str(tmp_path / name / "net.py"), tmp_path / name) for name in "abc")
    assert same == again != other and same.startswith("./net.py")


def test_the_command(runs, capsys):
    root = runs["line"].parent.parent
    with pytest.raises(SystemExit) as ended:
        main(["runs", "compare", "line", "bent", "--runs", str(root), "--json"])
    result = json.loads(capsys.readouterr().out)
    assert ended.value.code in (0, None)
    assert {"runs", "split", "examples", "scores", "differences", "recipe_differences", "verdict"} <= set(result)
    with pytest.raises(SystemExit):
        main(["runs", "compare", "line", "bent", "--runs", str(root)])
    out = capsys.readouterr().out
    assert f"A: {runs['line']}" in out and "B − A" in out and "where the recipes differ" in out
    assert "B is better than A on these 180 examples" in out


def test_unknown_numbers_are_printed_as_such(runs, tmp_path, capsys):
    copy = tmp_path / "runs" / "line" / runs["line"].name
    shutil.copytree(runs["line"], copy)
    result = compare([runs["line"], copy])
    assert any(math.isnan(one["low"]) for one in result["differences"])
    print_compared(result)
    assert "not known" in capsys.readouterr().out


def test_no_network_is_loaded_where_predictions_lie(runs):
    compare([runs["line"], runs["bent"]])
    code = f"""
import sys
from dlspec.runs.compare import compare
compare([{str(runs["line"])!r}, {str(runs["bent"])!r}])
print([name for name in ("keras", "tensorflow", "sklearn") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_tags_do_not_hide_truths_and_guesses(runs, tmp_path):
    """A tag may be called as a column of the table is."""
    from dlspec.runs.evaluate import write_predictions
    from dlspec.runs.judged import judged_run
    from dlspec.runs.opened import open_run

    opened = open_run(runs["line"])
    dev = opened.splits()["dev"]
    whole = len(dev.columns["ids"])
    tags = {"truth": ["a"] * whole, "group": ["b"] * whole, "guess": ["c"] * whole, "city": ["d"] * whole}
    dev = dev.replace(tags=tags, groups=[f"g{i}" for i in range(whole)])
    judged = judged_run(opened, {"dev": dev}, Watch())
    write_predictions(tmp_path / "dev.parquet", judged, judged.parts["dev"])
    table = pyarrow.parquet.read_table(tmp_path / "dev.parquet").to_pydict()
    assert set(table["truth"]) == {"yes", "no"} and table["group"] == [f"g{i}" for i in dev.rows]
    assert set(table["tag truth"]) == {"a"} and set(table["tag group"]) == {"b"} and set(table["city"]) == {"d"}
    assert set(table["tag guess"]) == {"c"} and set(table["guess"]) <= {"yes", "no"}


def test_what_predictions_do_not_tell_is_not_compared(tmp_path, capsys):
    """Skill needs the steps before, which stand in no table of predictions."""
    rows = [f"2020-{1 + i // 28 % 12:02}-{1 + i % 28:02},{np.sin(i / 3) + i % 5}" for i in range(300)]
    (tmp_path / "s.csv").write_text("\n".join(["t,y", *rows]))
    recipe = (
        "task: forecasting\ndata: {name: time_series, path: s.csv, time: t, target: y, window: 7, horizon: 2, "
        "gaps: last}\nmodel: linear\ntrain: {epochs: %d, tensorboard: false}\n"
    )
    found = []
    for epochs in (1, 2):
        (tmp_path / f"s{epochs}.yaml").write_text(recipe % epochs)
        found.append(train(load(tmp_path / f"s{epochs}.yaml"), out=tmp_path / "runs").run)
    result = compare(found)
    names = {name for one in result["scores"].values() for name in one}
    assert names == {"mase", "mae", "rmse"} == {one["metric"] for one in result["differences"]}
    assert any("do not tell skill_naive" in one and "`dlspec evaluate`" in one for one in result["notes"])
