"""Error analysis of a run of translation: the search is blamed where the network likes the truth better."""

import dataclasses

import pytest
import small_translation
from small_training import Heard, left

from dlspec.evaluators.sentences import Said
from dlspec.runs.analyze import analyze, analyzed
from dlspec.runs.judged import judged_run, parts_of
from dlspec.runs.opened import open_run


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    return open_run(small_translation.shared(tmp_path_factory)[0])


def planted(opened, guess):
    """The analysis where every guess of dev is this one."""
    judged = judged_run(opened, parts_of(opened, ["dev"], Heard()), Heard())
    part = judged.parts["dev"]
    wrong = [guess] * len(part.examples)
    statistics = judged.evaluator.statistics(part.examples, wrong, judged.state)
    parts = {"dev": dataclasses.replace(part, predictions=wrong, statistics=statistics)}
    judged = dataclasses.replace(judged, parts=parts, home=None)
    return analyzed(judged, "dev", worst=3, looks=0, watch=Heard())


def test_who_is_to_blame_is_found(opened, capsys):
    found = planted(opened, Said("eins eins eins"))["blame"]  # scored anew: the network knows better
    assert found["compared"] == 40 and found["verdict"] == "search" and found["search"]["share"] > 0.9
    assert "--beam 6" in found["do"][0] and "the search is to blame" in found["says"]
    result = planted(opened, Said("eins eins eins", 0.0))  # as if the network were sure of it
    found = result["blame"]
    assert found["verdict"] == "model" and found["model"]["count"] == 40 and found["search"]["count"] == 0
    assert found["model"]["low"] == 1 - found["search"]["high"] and found["says"] in result["findings"]
    lengths = [one for one in found["by"] if one["fact"] == "length"]
    assert sum(one["examples"] for one in lengths) == 40 and lengths[0]["from"] == 2 and lengths[-1]["to"] == 6
    from dlspec.report.terminal import print_analyzed

    print_analyzed(result)
    out = capsys.readouterr().out
    assert "the search" in out and "to do: more data" in out and "by what the source is" in out


def test_the_command_says_it(opened, capsys):
    told = analyze(opened, watch=Heard())
    if told["errors"]:
        assert told["blame"]["compared"] == told["errors"]
    assert left(["error-analysis", str(opened.folder)]) == 0
    assert ("to blame" in capsys.readouterr().out) == bool(told["errors"])


def test_others_have_no_search_to_blame(tmp_path):
    from dlspec.recipe.load import load
    from dlspec.runs.train import train

    (tmp_path / "flowers.yaml").write_text("task: classification\ndata: iris\nmodel: linear\ntrain: {epochs: 1}\n")
    assert analyze(train(load(tmp_path / "flowers.yaml"), out=tmp_path / "runs").run, watch=Heard())["blame"] is None
