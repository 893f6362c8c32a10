"""A learning curve of a run: trained on parts of train, gone on with where it was, and said in words."""

import json
import math
import signal

import pytest
from small_training import Heard

from dlspec.cli import main
from dlspec.recipe.load import load
from dlspec.report.curve import view
from dlspec.runs import learning_curve as curves
from dlspec.runs.curve_verdict import conclusions
from dlspec.runs.learning_curve import learning_curve, numbers
from dlspec.runs.opened import open_run
from dlspec.runs.train import train
from dlspec.types import ArgumentError, DataError, Metric

SIZES = (40, 100, 250, 600)
ACCURACY, RMSE = Metric("accuracy", "max", 1.0), Metric("rmse", "min", 0.0)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Digits by a linear network, of which 600 are trained on."""
    folder = tmp_path_factory.mktemp("curve")
    (folder / "few.yaml").write_text(
        "task: classification\ndata: {name: digits, split: {train: 600}}\nmodel: linear\n"
        "train: {epochs: 5, optimizer: {learning_rate: 0.01}, tensorboard: false, health: false}\n"
        "goal: {human: {accuracy: 0.99}}\n"
    )
    return folder, train(load(folder / "few.yaml"), out=folder / "runs").run


@pytest.fixture(scope="module")
def found(home):
    """The curve, what was said on the way, and the folders of its trainings: interrupted once, and gone on with."""
    _, run = home

    class Interrupting(Heard):
        trainings = 0

        def training(self, epochs, steps):
            self.trainings += 1

        def epoch(self, report):
            if self.trainings == 3 and report.epoch == 3:
                signal.raise_signal(signal.SIGINT)

    first, second = Interrupting(), Heard()
    with pytest.raises(KeyboardInterrupt):
        learning_curve(run, sizes=SIZES, seeds=2, watch=first)
    before = set((run / "learning_curve").glob("*/*"))
    result = learning_curve(run, sizes=SIZES, seeds=2, watch=second)
    return result, first.said, second.said, before


def test_the_error_falls_with_the_size_of_train(home, found):
    _, run = home
    result = found[0]
    assert [one["n"] for one in result["sizes"]] == list(SIZES) and result["seeds"] == 2
    errors = [one["dev"]["value"] for one in result["sizes"]]
    assert errors == sorted(errors, reverse=True) and all(len(one["dev"]["values"]) == 2 for one in result["sizes"])
    assert result["metric"] == "accuracy" and result["error"] == "1 − accuracy" and result["human"] == 0.99
    kept = json.loads((run / "scores.json").read_text())["scores"]["dev"]["accuracy"]["value"]
    [whole] = [one for one in result["trainings"] if one["n"] == 600 and one["seed"] == 1]
    assert whole["run"] == str(run) and whole["dev"] == pytest.approx(1 - kept)
    twice, ten = result["predictions"]
    assert (twice["n"], ten["n"]) == (1200, 6000)
    assert ten["value"] <= twice["value"] <= errors[-1] * 1.3 and twice["low"] <= twice["value"] <= twice["high"]
    assert (
        twice["score"]["value"] == pytest.approx(1 - twice["value"]) and twice["score"]["low"] <= twice["score"]["high"]
    )
    assert result["verdict"] != "flat" and result["says"]
    assert [one["what"] for one in result["needed"]] == ["half the gap to the human level", "the human level"]


def test_every_training_is_an_ordinary_run_on_a_part_of_a_larger_one(home, found):
    parts = {(one["seed"], one["n"]): open_run(one["run"]).splits() for one in found[0]["trainings"]}
    for (seed, n), splits in parts.items():
        assert len(splits["train"]) == n and splits["dev"].ids == parts[1, 600]["dev"].ids
        assert {str(y) for y in splits["train"].column("y")} == set("0123456789")
        larger = [m for m in SIZES if m > n]
        if larger:
            assert set(splits["train"].ids) < set(parts[seed, larger[0]]["train"].ids)
    assert set(parts[1, 40]["train"].ids) != set(parts[2, 40]["train"].ids)
    again = open_run(next(one["run"] for one in found[0]["trainings"] if one["n"] == 100))
    assert again.recipe.data.split.train == 100 and again.recipe.train.epochs == 5


def test_an_interrupted_curve_goes_on_where_it_was(home, found, monkeypatch):
    _, run = home
    result, first, second, before = found
    assert len(before) == 3 and "the same command goes on" in first[-1]
    after = set((run / "learning_curve").glob("*/*"))
    assert before < after and len(after) == 7, "nothing was trained twice"
    notes = [said for said in second if said.startswith("training ")]
    assert notes[0].startswith("training 3 of 8: 250 of 600 examples, seed 1") and len(notes) == 5
    assert "left" in notes[1]

    def never(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(curves, "train", never)
    monkeypatch.setattr(curves, "go_on", never)
    assert learning_curve(run, sizes=SIZES, seeds=2) == result


def test_it_is_kept_and_shown(home, found, capsys):
    _, run = home
    kept = json.loads((run / "learning_curve.json").read_text())
    assert kept["says"] == found[0]["says"]
    assert [one["name"] for one in view(kept)["figures"][0].data["series"]][-1] == "human level"
    page = (run / "report.html").read_text()
    assert "Would more data help?" in page and kept["says"][0].split(":")[0] in page
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(run), "--learning-curve", "--sizes", "40,100,250,1", "--seeds", "2", "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert (
        ended.value.code == 0 and answer["learning_curve"]["says"][:3] == kept["says"][:3] and answer["scores"]["dev"]
    )
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(run), "--learning-curve", "--sizes", "40,100,250,600", "--seeds", "2"])
    said = capsys.readouterr().out
    assert "error = a·n^−b + c" in said and "1,200" in said and kept["says"][0] in said


def test_a_training_that_fails_is_left_out(home, found, monkeypatch):
    _, run = home

    def fails(loaded, **_):
        raise DataError("no loss")

    watch = Heard()
    monkeypatch.setattr(curves, "train", fails)
    result = learning_curve(run, sizes=SIZES, seeds=3, watch=watch)
    assert [one["dev"] for one in result["trainings"] if one["seed"] == 3] == [None] * 4
    assert sum("this training failed, and is left out: no loss" in said for said in watch.said) == 4


def test_what_cannot_be_done_is_a_sentence(home, tmp_path, monkeypatch, capsys):
    _, run = home
    monkeypatch.chdir(tmp_path)
    base = "task: classification\ndata: {name: iris, split: %s}\nmodel: linear\ntrain: {epochs: 1, health: false}\n"
    for name, split in (("small", "{train: 30}"), ("blind", "{dev: 0}")):
        (tmp_path / f"{name}.yaml").write_text(base % split)
        train(load(tmp_path / f"{name}.yaml"), out=tmp_path / "runs")
    for arguments, answer in (
        (["small"], "train has 30 examples, which is too few to take parts of"),
        (["blind"], "this run has no dev"),
        (["nowhere"], "there is no run 'nowhere'"),
        ([str(run), "--sizes", "40,100,x"], "--sizes are numbers"),
        ([str(run), "--sizes", "40,100,200"], "a curve takes 4 sizes"),
        ([str(run), "--sizes", "40,100,200,700"], "train has 600 examples, not 700"),
        (
            [str(run), "--sizes", "40,100,200,inf"],
            "--sizes are shares of train (0.25) or numbers of examples (300), got inf",
        ),
        ([str(run), "--sizes", "5,100,200,300"], "5 examples are too few"),
        ([str(run), "--seeds", "0"], "1 at least, got 0"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["evaluate", *arguments, "--learning-curve"])
        said = capsys.readouterr().err
        assert ended.value.code == 2 and answer in said and "Traceback" not in said, said
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(run), "--seeds", "3"])
    assert ended.value.code == 2 and "--seeds goes with --learning-curve" in capsys.readouterr().err
    with pytest.raises(ArgumentError, match="shares of train"):
        learning_curve(run, sizes=[0.5, 1.5, 3, 4])


def test_sizes_are_read():
    assert numbers("0.1, 0.3,500") == [0.1, 0.3, 500] and numbers(None) == []


def concluded(error, metric=ACCURACY, **more):
    """Of a curve without noise, three seeds a size."""
    trainings = [
        {"n": n, "seed": seed, "run": "", "dev": error(n) * (1 + 0.01 * (seed - 2)), "train": 0.0}
        for n in (100, 200, 400, 800, 1600)
        for seed in (1, 2, 3)
    ]
    return conclusions(trainings, metric, examples=1600, dev=500, **more)


def test_words_for_a_curve_that_falls():
    found = concluded(lambda n: 4 / math.sqrt(n), human=0.98)
    assert found["verdict"] == "helps" and found["says"][0].startswith("more data would help: with 3,200 examples")
    # 4/√1600 = 0.1; half the gap to 0.02 is 0.06, where n = 4,444; 0.02 where n = 40,000.
    half, level = found["needed"]
    assert half["error"] == pytest.approx(0.06, rel=0.01) and half["value"] == pytest.approx(4444, rel=0.05)
    assert level["value"] == pytest.approx(40_000, rel=0.1) and level["low"] < 40_000 < level["high"]
    assert any("the human level (0.0200) takes some" in one for one in found["says"])


def test_words_for_a_curve_that_is_flat_or_at_the_human_level():
    found = concluded(lambda n: 0.2, metric=RMSE)
    assert found["verdict"] == "flat" and "would hardly help" in found["says"][0]
    assert found["error"] == "rmse" and found["predictions"][0]["score"]["value"] == pytest.approx(0.2, rel=0.02)
    reached = concluded(lambda n: 4 / math.sqrt(n), human=0.85)
    assert reached["needed"] == [] and any("is reached already" in one for one in reached["says"])


def test_words_for_what_is_out_of_reach_and_for_what_cannot_be_told():
    found = concluded(lambda n: 4 / math.sqrt(n) + 0.05, human=0.98)
    assert any("the human level (0.0200) is out of reach of more data" in one for one in found["says"])
    scattered = {100: 0.3, 200: 0.1, 400: 0.4, 800: 0.1, 1600: 0.3}
    unknown = concluded(scattered.get)
    assert unknown["verdict"] == "unknown" and "cannot be told" in unknown["says"][0]
    assert any("do not lie on a power law" in one for one in unknown["says"])


def test_words_for_a_fall_that_is_no_power_law_and_for_trainings_that_end_too_early():
    late = {100: 0.5, 200: 0.48, 400: 0.43, 800: 0.31, 1600: 0.16}
    trainings = [
        {"n": n, "seed": seed, "run": "", "dev": dev * (1 + 0.02 * (seed - 2)), "train": 0.9 * dev}
        for n, dev in late.items()
        for seed in (1, 2, 3)
    ]
    found = conclusions(trainings, ACCURACY, examples=1600, dev=500)
    assert found["verdict"] == "likely"
    assert "from 800 to 1,600 examples the error fell from 0.3100 to 0.1600" in found["says"][0]
    assert any("even train is not learned (error 0.4500 on it" in one for one in found["says"])


def test_too_few_sizes_that_succeeded():
    trainings = [{"n": n, "seed": 1, "run": None, "dev": dev, "train": dev} for n, dev in ((10, 0.1), (20, None))]
    with pytest.raises(DataError, match="1 sizes of train gave an error"):
        conclusions(trainings, ACCURACY, examples=20, dev=10)
