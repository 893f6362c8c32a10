"""Results of any detector against COCO's ground truth: scores, errors, figures, and faults in one sentence."""

import json

import numpy as np
import pytest
from evaluators.coco_scenes import ORDER, as_coco, evaluated, scenes
from PIL import Image
from small_training import Heard

from dlspec.cli import main
from dlspec.runs.analyze import analyze_predictions
from dlspec.runs.evaluate import evaluate_predictions
from dlspec.types import ArgumentError, DataError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """40 pictures of three classes, and what a detector says of them."""
    folder = tmp_path_factory.mktemp("coco")
    truth, results = as_coco(*scenes(40, 3, 21), 3)
    for one in truth["images"]:
        Image.new("RGB", (600, 600), (90, 90, 90)).save(folder / one["file_name"])
    (folder / "instances.json").write_text(json.dumps(truth))
    (folder / "results.json").write_text(json.dumps(results))
    return folder, truth, results


def files(made):
    return [str(made[0] / "results.json")], str(made[0] / "instances.json")


def test_scores_are_those_of_pycocotools(made, tmp_path):
    results, truth = files(made)
    heard = Heard()
    found = evaluate_predictions(results, truth=truth, out=tmp_path / "out", watch=heard)
    theirs = evaluated(made[1], made[2]).stats
    mine = [found["scores"]["dev"][name]["value"] for name in ORDER]
    assert mine == pytest.approx(theirs[: len(ORDER)], abs=1e-6)
    one = found["scores"]["dev"]["map_50_95"]
    assert one["low"] < one["value"] < one["high"] and one["n"] == 40
    assert found["ledger"]["metric"] == "map_50_95" and found["run"] is None
    again = evaluate_predictions([str(tmp_path / "out" / "predictions" / "dev.parquet")])
    assert json.dumps(again["scores"]) == json.dumps(found["scores"])
    assert (tmp_path / "out" / "report.html").is_file()


def test_errors_have_kinds_with_ceilings_slices_and_pictures(made, tmp_path):
    results, truth = files(made)
    found = analyze_predictions(results, truth=truth, out=tmp_path / "out", worst=5)
    assert {one["kind"] for one in found["kinds"]} >= {"missed", "background", "duplicate", "location"}
    assert all(one["ceiling"] >= 0 and one["low"] <= one["share"] <= one["high"] for one in found["kinds"])
    assert found["metric"] == "map_50_95" and len(found["worst"]) == 5
    worst = json.loads((tmp_path / "out" / "worst" / "dev.json").read_text())
    assert worst[0]["kind_of_input"] == "picture" and "png" in worst[0]["shows"]
    several = [one["errors"] for one in worst if "missed × " in one.get("errors", "")]
    assert several and several[0] in (tmp_path / "out" / "report.html").read_text()
    titles = [one["title"] for one in json.loads((tmp_path / "out" / "figures" / "dev.json").read_text())]
    assert "Confusion matrix" in titles and "Kinds of error by size" in titles


def run(*words):
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return ended.value.code


def test_the_command_line(made, capsys):
    results, truth = files(made)
    assert run("evaluate", "--predictions", *results, "--truth", truth, "--split", "test", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said["scores"]) == {"test"} and said["scores"]["test"]["map_50"]["value"] > 0
    for one in said["classes"]["test"].values():
        assert all(own["low"] <= own["value"] <= own["high"] for own in one.values())
    mean = sum(one["ap_50"]["value"] for one in said["classes"]["test"].values()) / len(said["classes"]["test"])
    assert mean == pytest.approx(said["scores"]["test"]["map_50"]["value"])
    assert run("error-analysis", "--predictions", *results, "--truth", truth, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert {"run", "split", "examples", "errors", "kinds", "slices", "label_issues"} <= set(said)
    assert run("evaluate", "--predictions", *results) == 2
    assert "give it too: --truth FILE" in capsys.readouterr().err


def changed(made, folder, change):
    """Results of which the first are changed."""
    results = [dict(one) for one in made[2]]
    change(results)
    (folder / "changed.json").write_text(json.dumps(results))
    return [str(folder / "changed.json")], files(made)[1]


def test_results_of_other_pictures_or_categories_are_left_out_and_said(made, tmp_path):
    def change(results):
        results[0]["image_id"], results[1]["category_id"] = 999, 7

    results, truth = changed(made, tmp_path, change)
    heard = Heard()
    assert evaluate_predictions(results, truth=truth, watch=heard)["scores"]["dev"]
    assert any("1 of" in one and "no picture of" in one and "image_id 999" in one for one in heard.said)
    assert any("no category of" in one and "category_id 7" in one for one in heard.said)

    def all_of_them(results):
        for one in results:
            one["image_id"] += 1000

    results, truth = changed(made, tmp_path, all_of_them)
    with pytest.raises(DataError, match="are these results of other data"):
        evaluate_predictions(results, truth=truth)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bbox", [float("nan"), 0, 1, 1]), ("bbox", [0, 0, -1, 1]), ("bbox", [0, 0, 1]), ("score", float("inf")),
        ("score", None), ("image_id", None), ("bbox", None),
    ],
)  # fmt: skip
def test_results_without_numbers_are_refused_by_their_place(made, tmp_path, key, value):
    results, truth = changed(made, tmp_path, lambda results: results[3].update({key: value}))
    with pytest.raises(DataError, match=r"changed.json.*\[3\].*expected image_id, category_id, bbox"):
        evaluate_predictions(results, truth=truth)


def test_files_of_another_kind(made, tmp_path):
    results, truth = files(made)
    with pytest.raises(DataError, match="this is ground truth; give it with --truth"):
        evaluate_predictions([truth], truth=truth)
    with pytest.raises(DataError, match="expected lists images"):
        evaluate_predictions(results, truth=results[0])
    (tmp_path / "broken.json").write_text("[{]")
    with pytest.raises(DataError, match="this is no JSON"):
        evaluate_predictions([str(tmp_path / "broken.json")], truth=truth)
    with pytest.raises(ArgumentError, match="leave --task out"):
        evaluate_predictions(results, truth=truth, task="classification")


def test_nothing_said_and_nothing_to_be_found(made, tmp_path):
    (tmp_path / "none.json").write_text("[]")
    heard = Heard()
    found = evaluate_predictions([str(tmp_path / "none.json")], truth=files(made)[1], watch=heard)
    assert found["scores"]["dev"]["map_50_95"]["value"] == 0 and any("nothing is predicted" in w for w in heard.said)
    empty = {**made[1], "annotations": []}
    (tmp_path / "empty.json").write_text(json.dumps(empty))
    heard = Heard()
    found = evaluate_predictions(files(made)[0], truth=str(tmp_path / "empty.json"), watch=heard)
    assert np.isnan(found["scores"]["dev"]["map_50_95"]["value"])
    assert any("none of 40 pictures has an object" in one for one in heard.said)
    assert analyze_predictions(files(made)[0], truth=str(tmp_path / "empty.json"))["kinds"][0]["kind"] == "background"


def test_areas_of_masks_are_told(made, tmp_path):
    truth = {**made[1], "annotations": [{**one, "area": one["area"] / 2} for one in made[1]["annotations"]]}
    (tmp_path / "masks.json").write_text(json.dumps(truth))
    heard = Heard()
    evaluate_predictions(files(made)[0], truth=str(tmp_path / "masks.json"), watch=heard)
    assert any("go by boxes here" in one for one in heard.said)


def test_what_is_small_and_missed_is_a_slice_that_is_found(tmp_path):
    """A detector that is right, but for objects below 30 pixels; the pictures are not at hand."""
    random = np.random.default_rng(5)
    truths, predictions = [], []
    for i in range(240):
        side, (x, y) = random.uniform(12, 80), random.uniform(0, 400, 2).tolist()
        truths.append([(f"c{i % 3}", x, y, x + side, y + side, False)])
        found = side >= 30 if i % 20 else side < 30
        predictions.append(np.array([[x, y, x + side, y + side, 0.9, i % 3]] if found else []).reshape(-1, 6))
    truth, results = as_coco(truths, predictions, 3)
    for name, held in (("truth", truth), ("results", results)):
        (tmp_path / f"{name}.json").write_text(json.dumps(held))
    heard = Heard()
    found = analyze_predictions([str(tmp_path / "results.json")], truth=str(tmp_path / "truth.json"), watch=heard)
    assert any("none is shown" in one for one in heard.said)
    [slice_] = [one for one in found["slices"] if one["found"]]
    assert slice_["name"] in ("smallest object", "largest object") and slice_["rate"] > 0.9
    assert slice_["metric"] < 0.1 and slice_["gain"] > 0.1
    [kind] = found["kinds"]
    assert kind["kind"] == "missed" and kind["ceiling"] == pytest.approx(1)
