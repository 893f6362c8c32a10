"""The ledger of real runs: levels, gaps, causes, patches that train as they are, and what is said where little is."""

import json

import numpy as np
import pytest
from small_training import Heard, left, write_rows

from dlspec.evaluators.base import Head
from dlspec.evaluators.classes import Classes
from dlspec.evaluators.numbers import Numbers
from dlspec.recipe.load import load
from dlspec.report.ledger import print_ledger, view
from dlspec.runs import folder as folders
from dlspec.runs.evaluate import evaluate, evaluate_predictions
from dlspec.runs.judged import Judged, Part
from dlspec.runs.ledger import laid_out, named
from dlspec.runs.train import train
from dlspec.types import Examples

TEXT = """
task: classification
data: {name: csv, path: rows.csv, target: y, split: {dev: 0.25, test: 0.25}}
model: {name: mlp, hidden: [64, 64]}
train: {epochs: 150, tensorboard: false, keep: last, optimizer: {learning_rate: 0.01}}
goal: {human: {accuracy: 0.999}}
"""


@pytest.fixture(scope="module")
def overfitted(tmp_path_factory):
    """A network that knows 80 rows by heart."""
    folder = tmp_path_factory.mktemp("ledger")
    noise = np.random.default_rng(1)
    write_rows(folder)
    lines = (folder / "rows.csv").read_text().splitlines()
    flipped = [line[:-1] + (str(1 - int(line[-1])) if noise.random() < 0.25 else line[-1]) for line in lines[1:]]
    (folder / "rows.csv").write_text("\n".join([lines[0], *flipped]) + "\n")
    (folder / "knows.yaml").write_text(TEXT)
    return train(load(folder / "knows.yaml"), out=folder / "runs").run


def test_levels_gaps_and_verdict(overfitted):
    result = evaluate(overfitted)
    ledger = result["ledger"]
    assert [one["name"] for one in ledger["levels"]] == ["human", "train", "dev"]
    human, known, dev = ledger["levels"]
    assert human["value"] == human["low"] == human["high"] == 0.999
    assert known["value"] == result["scores"]["train"]["accuracy"]["value"]
    assert dev["n"] == 40
    bias, variance = ledger["gaps"]
    assert (bias["name"], bias["above"], bias["below"]) == ("avoidable bias", "human", "train")
    assert (variance["name"], variance["above"], variance["below"]) == ("variance", "train", "dev")
    assert variance["value"] == pytest.approx(known["value"] - dev["value"])
    assert variance["low"] < variance["value"] < variance["high"]
    assert ledger["largest"] == "variance" and "variance" in ledger["verdict"]
    assert ledger == folders.read_json(overfitted / "ledger.json")
    assert next(one.cause for one in named(overfitted)) == "variance"


def test_each_patch_trains_as_it_is(overfitted, tmp_path):
    ledger = evaluate(overfitted)["ledger"]
    assert {one["cause"] for one in ledger["prescriptions"]} == {"variance"}
    assert "not ruled out" not in (overfitted / "suggestions" / "1.yaml").read_text()
    for one in ledger["prescriptions"]:
        assert one["sure"] and load(one["file"]).recipe != load(overfitted / "recipe.yaml").recipe and one["reason"]
    first = train(load(ledger["prescriptions"][0]["file"], ["train.epochs=2"]), out=tmp_path).run
    assert (first / "model.keras").is_file() and first.parent.name == "knows-1"


def test_test_joins_when_it_is_looked_at(overfitted):
    evaluate(overfitted)
    ledger = evaluate(overfitted, splits=["test"])["ledger"]
    assert [one["name"] for one in ledger["levels"]] == ["human", "train", "dev", "test"]
    assert ledger["gaps"][-1]["name"] == "overfitting to dev"
    (overfitted / "predictions" / "test.parquet").unlink()


def test_a_person_reads_it(overfitted, capsys):
    assert left(["evaluate", str(overfitted)]) == 0
    said = capsys.readouterr().out
    for word in ("human level", "avoidable bias", "variance", "to try, in this order:", "dlspec train"):
        assert word in said
    page = (overfitted / "report.html").read_text()
    assert 'id="ledger"' in page and "the gaps between" in page and str(overfitted) + "/suggestions" not in page
    assert left(["evaluate", str(overfitted), "--json"]) == 0
    ledger = json.loads(capsys.readouterr().out)["ledger"]
    assert {"levels", "gaps", "verdict", "prescriptions"} <= set(ledger)


def test_predictions_of_it_have_the_same_ledger(overfitted):
    ledger = evaluate(overfitted)["ledger"]
    files = [str(overfitted / "predictions" / f"{split}.parquet") for split in ("train", "dev")]
    again = evaluate_predictions(files, run=overfitted)["ledger"]
    assert again["levels"] == ledger["levels"] and again["gaps"] == ledger["gaps"]
    alone = evaluate_predictions(files)["ledger"]  # nobody has said what people score
    assert [one["name"] for one in alone["gaps"]] == ["variance"] and alone["gaps"][0] == ledger["gaps"][1]


def test_without_dev_nothing_is_said_of_variance(tmp_path):
    write_rows(tmp_path)
    text = TEXT.replace("dev: 0.25, test: 0.25", "dev: 0, test: 0").replace("150", "2")
    (tmp_path / "alone.yaml").write_text(text)
    run = train(load(tmp_path / "alone.yaml"), out=tmp_path / "runs").run
    ledger = evaluate(run)["ledger"]
    assert [one["name"] for one in ledger["gaps"]] == ["avoidable bias"]
    assert "dev" in ledger["verdict"]


def test_a_patch_against_bias_that_nobody_has_measured_says_so(tmp_path, capsys):
    write_rows(tmp_path)
    (tmp_path / "sound.yaml").write_text(TEXT.replace("goal: {human: {accuracy: 0.999}}", "").replace("150", "1"))
    run = train(load(tmp_path / "sound.yaml"), out=tmp_path / "runs").run
    ledger = evaluate(run)["ledger"]
    assert ledger["largest"] is None and not any(one["sure"] for one in ledger["prescriptions"])
    assert (run / "suggestions" / "1.yaml").read_text().startswith("# avoidable bias (merely not ruled out): ")
    assert view(ledger)["prescriptions"][0]["cause"] == "avoidable bias, which is merely not ruled out"
    print_ledger(ledger)
    assert "(for avoidable bias, which is merely not ruled out)" in " ".join(capsys.readouterr().out.split())


def test_a_human_level_below_the_models(overfitted, tmp_path):
    write_rows(tmp_path)
    (tmp_path / "past.yaml").write_text(TEXT.replace("0.999", "0.55"))
    run = train(load(tmp_path / "past.yaml", ["train.epochs=60"]), out=tmp_path / "runs", watch=Heard()).run
    verdict = evaluate(run)["ledger"]["verdict"]
    assert "human level" in verdict


def test_a_broken_table_of_before_is_named(overfitted):
    evaluate(overfitted)
    file = overfitted / "predictions" / "train.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    try:
        assert left(["evaluate", str(overfitted), "--split", "dev"]) == 2
    finally:
        file.write_bytes(whole)


class Both(Classes):
    """A class and a number at once, as a prediction of two heads has it."""

    def heads(self, statistics, state):
        truth = statistics["truth"] * 1.0
        rows = Examples([str(row) for row in range(len(truth))], truth, truth.tolist())
        numbers = Numbers().statistics(rows, statistics["scores"][:, 0], {})
        return {"sex": Head(Classes(), statistics, state), "age": Head(Numbers(), numbers, {})}


def test_each_head_has_a_ledger(capsys):
    random = np.random.default_rng(0)
    state = {"classes": ["a", "b"], "positive": "b", "threshold": 0.5}
    parts = {}
    for split, right in (("train", 0.95), ("dev", 0.7)):
        truth = random.integers(0, 2, 400)
        hit = np.where(random.random(400) < right, truth, 1 - truth)
        of = Examples([f"{split}{i}" for i in range(400)], [None] * 400, [state["classes"][one] for one in truth])
        scores = np.eye(2)[hit] * 0.8 + 0.1
        parts[split] = Part(of, scores, Both().statistics(of, scores, state))
    judged = Judged(Both(), state, Classes().metrics(state)[0], parts, None, None)
    ledger = laid_out(judged)
    assert set(ledger["heads"]) == {"sex", "age"}
    assert ledger["heads"]["sex"]["gaps"] == ledger["gaps"] and ledger["heads"]["sex"]["largest"] == "variance"
    assert ledger["heads"]["age"]["metric"] == "rmse" and ledger["heads"]["age"]["best"] == "min"
    print_ledger(ledger)
    said = capsys.readouterr().out
    assert "the ledger of age: rmse" in said and "sex: The largest gap is variance" in said
    assert len(view(ledger)["figures"]) == 6


def test_large_gaps_and_paths_with_spaces_can_be_read_and_typed(capsys):
    levels = [{"name": name, "n": 9, "value": value, "low": value - 100, "high": value + 100}
              for name, value in (("train", 44_871.25), ("dev", 41_542.66))]  # fmt: skip
    gap = {"name": "variance", "above": "train", "below": "dev", "value": -3328.59, "low": -9480.7, "high": 3585.63}
    changes = {"model.name": "mlp", "train.optimizer.learning_rate": 1e8, "model.dropout": 0.1 + 0.2}
    patch = {"file": "/runs of mine/1.yaml", "changes": changes, "reason": "why", "cause": "variance"}
    ledger = {"metric": "rmse", "levels": levels, "gaps": [gap], "verdict": "so", "observed": []}
    print_ledger({**ledger, "prescriptions": [patch]})
    said = " ".join(capsys.readouterr().out.split())
    assert "41,543 41,443 to 41,643 -3,329 -9,481 to +3,586 variance" in said
    assert "dlspec train '/runs of mine/1.yaml'" in said
    assert "model.name=mlp, train.optimizer.learning_rate=1e8, model.dropout=0.3: why" in said
