"""Chains: a detector's boxes told apart by a classifier; what each stage's perfection would buy, worked by hand."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dlspec.evaluators.boxes import Boxes
from dlspec.inputs.picture import Picture
from dlspec.numeric.places import Box
from dlspec.recipe.chain import Chain, load_chain
from dlspec.report.watch import Watch
from dlspec.runs.chain import Joined, _components, _one_each, _Work, join, told
from dlspec.runs.judged import Part
from dlspec.types import ArgumentError, Examples, RecipeError

NAMES = ["dark", "light"]
SPOTS = [(4, 4, 20, 20), (30, 30, 50, 50), (4, 30, 16, 42)]


class Brightness:
    """Tells dark from light, and calls what is darker than `least` light, wrongly, where it is weak."""

    def __init__(self, least=0):
        self.state = {"task": {"classes": NAMES}, "input": {}}
        self.recipe = SimpleNamespace(task=SimpleNamespace(name="classification"), input=Picture())
        self.folder, self.least, self.seen = "classifier", least, 0

    def predictions(self, examples):
        means = np.array([np.mean(one) for one in examples.column("x")])
        self.seen += len(means)
        light = (means > 128) | (means < self.least)
        return np.where(light[:, None], [0.1, 0.9], [0.8, 0.2])


def scenes(count=24):
    """Each of three spots, one dark (10 or 40) and two light, on grey."""
    x, y = [], []
    for i in range(count):
        picture = np.full((56, 56, 1), 128, np.uint8)
        truth = []
        for k, (x0, y0, x1, y1) in enumerate(SPOTS):
            dark = k == i % 3
            picture[y0:y1, x0:x1] = (10 if i % 2 else 40) if dark else 220
            truth.append(Box("dark" if dark else "light", x0, y0, x1, y1))
        x.append(picture)
        y.append(tuple(truth))
    return Examples([f"scene {i}" for i in range(count)], x, y)


def joined(classifier, *, keep=None):
    stage = {"run": "c", "takes": "crops"} | ({"keep": keep} if keep else {})
    chain = Chain.model_construct(
        stages=Chain.model_validate({"stages": ({"run": "d"}, stage), "data": "digit_scenes"}).stages,
        data=None,
        metric="map_50",
    )
    detector = SimpleNamespace(
        folder="detector", recipe=SimpleNamespace(task=SimpleNamespace(name="detection"), input=Picture())
    )
    state = {"names": NAMES, "threshold": 0.3, "overlap": 0.5}
    metric = next(one for one in Boxes().metrics(state) if one.name == "map_50")
    return Joined(chain, (detector, classifier), state, metric)


def worked(classifier, rows, **settings):
    data, chain = scenes(len(rows)), joined(classifier, **settings)
    work = _Work(chain, data, rows)
    said = work.said(())
    part = Part(data, said, Boxes().statistics(data, said, chain.state))
    return work, _components(chain, work, part, chain.state)


def found(count, spots=SPOTS, shift=0.0):
    return [np.array([[x0 + shift, y0, x1 + shift, y1, 0.9, 0] for x0, y0, x1, y1 in spots])] * count


def test_of_two_perfect_stages_neither_would_buy_anything():
    classifier = Brightness()
    work, (first, second) = worked(classifier, found(24))
    assert [one[:, 5].tolist() for one in work.said(())[:2]] == [[1, 1, 0], [1, 1, 0]]  # by falling confidence
    assert np.allclose(work.said(())[0][:, 4], [0.81, 0.81, 0.72])
    assert first.alone == second.alone == second.together == 1.0
    assert first.gain.value == second.gain.value == 0
    verdict = told([first, second], joined(classifier).metric)
    assert verdict["stage"] is None and verdict["says"].startswith("no stage surely holds the chain back")
    assert classifier.seen == 2 * 3 * 24  # each box once, and each true one once


def test_a_weak_classifier_is_named_with_its_ceiling():
    """Half of the dark spots are called light: those are half of one class's objects, and false ones of the other."""
    classifier = Brightness(least=20)
    _, (first, second) = worked(classifier, found(24))
    base = first.alone - first.gain.value
    mended = Brightness()
    strong, _ = worked(mended, found(24))
    statistics = Boxes().statistics(scenes(), strong.said(()), joined(mended).state)
    assert second.alone == Boxes().combine(statistics)["map_50"] == 1.0
    assert base < 0.8 and second.gain.value == pytest.approx(1 - base) and first.gain.value == 0
    assert second.gain.low > 0
    verdict = told([first, second], joined(classifier).metric)
    assert verdict["stage"] == "2: classification" and "holds the chain back" in verdict["says"]


def test_a_weak_detector_is_named():
    """It never finds the third spot."""
    _, (first, second) = worked(Brightness(), found(24, SPOTS[:2]))
    assert first.alone == 1.0 and first.gain.low > 0 and second.gain.value == 0
    assert second.together == 1.0
    verdict = told([first, second], joined(Brightness()).metric)
    assert verdict["stage"] == "1: detection"


def test_of_boxes_of_one_object_the_surest_is_left_whatever_its_class():
    rows = np.array([[0, 0, 10, 10, 0.6, 0], [0, 0, 10, 9, 0.9, 1], [0, 5, 10, 15, 0.8, 1], [1, 0, 11, 10, 0.7, 2]])
    assert _one_each(rows, 0.5)[:, 4].tolist() == [0.9, 0.8]  # IoU with the first: 0.9, 4/15, 0.74
    assert _one_each(rows, 1.0)[:, 4].tolist() == [0.9, 0.8, 0.7, 0.6]
    assert _one_each(rows[:0], 0.5).shape == (0, 6)


def test_what_a_stage_does_not_keep_goes():
    beside = [*SPOTS, (40, 0, 56, 16)]  # grey: nothing is there, and it is called dark
    work, (_, second) = worked(Brightness(), found(24, beside), keep=("dark", "light"))
    assert {len(one) for one in work.said(())} == {4}
    assert {len(one) for one in work.said((1,))} == {3}  # without error it knows that nothing is there
    assert second.alone == 1.0 and second.gain.value > 0
    only, _ = worked(Brightness(), found(24), keep=("dark",))
    assert {len(one) for one in only.said(())} == {1}


def written(folder, text):
    (folder / "chain.yaml").write_text(text)
    return folder / "chain.yaml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages: [{run: a}]\ndata: digit_scenes\n", "stages"),
        ("stages: [{run: a}, {run: b}]\ndata: digit_scenes\n", "write takes: crops"),
        ("stages: [{run: a, takes: crops}, {run: b, takes: crops}]\ndata: digit_scenes\n", "leave takes out"),
        ("stages: [{run: a}, {run: b, takes: crops, kep: [x]}]\ndata: digit_scenes\n", "did you mean 'keep'"),
        ("stages: [{run: a}, {run: b, takes: crops}]\ndata: digit_scene\n", "did you mean 'digit_scenes'"),
        ("stages: [{run: a}, {run: b, takes: crops}]\n", "data"),
    ],
)
def test_a_chain_that_is_none_is_refused_with_its_place(tmp_path, text, said):
    with pytest.raises(RecipeError, match=said) as caught:
        load_chain(written(tmp_path, text))
    assert all(one.where.file.endswith("chain.yaml") for one in caught.value.complaints)


def test_a_typo_in_a_stage_is_all_that_is_complained_of(tmp_path):
    with pytest.raises(RecipeError) as caught:
        load_chain(written(tmp_path, "stages: [{run: a}, {run: b, takes: crops, margn: 0.1}]\ndata: digit_scenes\n"))
    [one] = caught.value.complaints
    assert "did you mean 'margin'" in one.message


def test_a_run_that_is_not_there_is_said_with_its_stage(tmp_path):
    file = written(tmp_path, "stages: [{run: gone}, {run: b, takes: crops}]\ndata: digit_scenes\n")
    with pytest.raises(ArgumentError, match=r"chain\.yaml: stage 1: there is no run 'gone'"):
        join(file, tmp_path / "runs", Watch())


def test_the_chain_of_the_readme_is_one(tmp_path):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    [text] = [one for one in re.findall(r"^```yaml\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL) if "stages" in one]
    (tmp_path / "bccd_voc" / "BCCD").mkdir(parents=True)
    chain = load_chain(written(tmp_path, text))
    assert [one.run for one in chain.stages] == ["cells", "kinds"] and chain.stages[1].margin == 0.1


def test_a_recipe_is_no_chain(tmp_path):
    with pytest.raises(ArgumentError, match="is a recipe; train it"):
        load_chain(written(tmp_path, "task: classification\ndata: digits\nmodel: linear\n"))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A network that finds a digit, and one that tells digits apart; both hardly trained."""
    from dlspec.recipe.load import load
    from dlspec.runs.train import train

    folder = tmp_path_factory.mktemp("chain")
    (folder / "find.yaml").write_text("""
task: localization
data: {name: digit_scenes, count: 120, size: [32, 32], side: [12, 20], classes: one, split: {dev: 0.3, test: 0}}
model: {name: convnet, layers: [{filters: 8, pooling: max}], head: flat}
train: {epochs: 2, batch_size: 16}
""")
    (folder / "tell.yaml").write_text("""
task: classification
data: {name: digits, split: {dev: 0.2, test: 0}}
input: {size: [12, 12]}
model: linear
train: {epochs: 3}
""")
    for name in ("find", "tell"):
        train(load(folder / f"{name}.yaml"), out=folder / "runs")
    written(
        folder,
        "stages: [{run: find}, {run: tell, takes: crops, margin: 0.05, least: 0}]\n"
        "data: {name: digit_scenes, count: 120, size: [32, 32], side: [12, 20], split: {dev: 0.3, test: 0}}\n"
        "metric: map_50\n",
    )
    return folder


def test_evaluate_and_error_analysis_take_a_chain(home, monkeypatch, capsys):
    from dlspec.cli import main

    monkeypatch.chdir(home)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        return ended.value.code, capsys.readouterr()

    code, heard = run("evaluate", "chain.yaml", "--json", "--out", "judged")
    assert code == 0, heard.err
    answer = json.loads(heard.out)
    assert list(answer["scores"]) == ["dev"] and answer["scores"]["dev"]["map_50"]["n"] == 36
    first, second = answer["chain"]["dev"]["components"]
    assert second["together"] == 1.0 and first["stage"] == "1: localization" and second["stage"] == "2: classification"
    assert first["alone"] == pytest.approx(answer["scores"]["dev"]["map_50"]["value"] + first["gain"]["value"])
    assert (home / "judged" / "chain.json").is_file() and (home / "judged" / "report.html").is_file()
    page = (home / "judged" / "report.html").read_text()
    assert "perfection would buy" in page and page.count("2: classification") >= 1 and "map_50 if perfect" in page
    code, heard = run("error-analysis", "chain.yaml")
    assert code == 0 and "dev: what perfection would buy" in heard.out and "2: classification" in heard.out
    code, heard = run("evaluate", "chain.yaml", "--data", "x.csv")
    assert code == 2 and "--data is for one run" in heard.err
    (home / "two.yaml").write_text(
        "stages: [{run: tell}, {run: tell, takes: crops}]\ndata: {name: digit_scenes, count: 20}\n"
    )
    code, heard = run("evaluate", "two.yaml")
    assert code == 2 and "the first stage finds boxes" in heard.err
