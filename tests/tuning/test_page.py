"""The page of a search: the best first, different values by axis, what mattered, and where a line crosses an axis."""

import re

import pytest

from dlspec.report.parallel import parallel, share
from dlspec.report.searched import page
from dlspec.report.svg import Axis


def test_a_value_stands_where_its_axis_says():
    rate = {"kind": "log_uniform", "low": 1e-4, "high": 1e-2}
    assert share(1e-3, rate) == pytest.approx(0.5) and share(None, rate) is None
    momentum = {"kind": "one_minus_log_uniform", "low": 0.9, "high": 0.999}
    assert share(0.99, momentum) == pytest.approx(0.5)
    assert share("b", {"kind": "choice", "options": ["a", "b"]}) == 0.75
    assert share(3, {"kind": "integer", "low": 1, "high": 5}) == 0.5


def test_a_line_a_trial_and_the_best_on_top():
    axes = [
        {"name": "rate", "title": "rate", "kind": "uniform", "low": 0, "high": 1},
        {"name": "m", "title": "m", "kind": "choice", "options": ["x"]},
    ]
    rows = [
        {"label": "trial 1", "best": True, "values": {"rate": 0.0, "m": "x"}},
        {"label": "trial 0", "best": False, "values": {"rate": 1.0, "m": "x"}},
    ]
    drawn = str(parallel("all", axes, rows))
    assert re.findall(r"<title>(trial \d)", drawn) == ["trial 0", "trial 1"]
    first, second = re.findall(r'points="([^"]+)"', drawn)
    assert first.split()[1] == second.split()[1] and first.split()[0] != second.split()[0]


@pytest.mark.parametrize("values", [[3e-4], [2.87e-4, 2.9e-4], [2e-4, 0.3]])
def test_a_logarithmic_axis_has_labels_however_narrow(values):
    axis = Axis(values, logarithmic=True).span(0, 100)
    assert axis.labels and len(axis.labels) == len(axis.ticks)
    assert all(0 <= axis(value) <= 100 for value in [*values, *axis.ticks])


def test_the_page_shows_the_best_first_and_what_was_tried():
    def trial(number, value, rate, **more):
        unknown = dict.fromkeys(("feasible", "miss", "cause", "run"))
        unknown |= {"low": value - 0.1, "high": value + 0.05, "parameters": 100 * number, "trainings": [{}, {}]}
        params = {"train.rate": rate, "m": "<b>"}
        found = {"number": number, "state": "complete", "values": [value], "params": params, **unknown}
        return {**found, "epochs": 3, "seconds": 1.5, **more}

    trials = [trial(0, 0.5, 0.1), trial(1, 0.9, 0.2), trial(2, 0.7, 0.2)]
    trials.append(trial(3, 0, 0.1, state="failed", values=[], cause="NaN at step 3"))
    best = {"number": 1, "value": 0.9, "feasible": None, "says": "trial 1 leads"}
    least = {"number": 0, "value": 0.5, "parameters": 12, "params": {"m": "<b>"}}
    result = {"metric": "accuracy", "trials": trials, "leaderboard": [1, 2, 0], "best": best, "simplest": least}
    axes = [{"name": "train.rate", "kind": "log_uniform", "low": 0.01, "high": 1.0}]
    axes.append({"name": "m", "kind": "choice", "options": ["<b>", "c"]})
    facts = {"axes": axes, "importance": {"train.rate": 0.8, "m": 0.2}, "curves": {1: [0.3, 0.6, 0.9]}}
    text = page(result, "small", facts)
    assert re.findall(r'<th scope="row">(\d)</th><td>([\d.]+)', text) == [
        ("1", "0.9000"),
        ("2", "0.7000"),
        ("0", "0.5000"),
    ]
    assert '<th scope="row">train.rate</th><td>2</td><td>4</td>' in text
    assert "NaN at step 3" in text and "3 complete, 1 failed" in text and "What mattered" in text
    assert "trial 1 leads" in text and "<td>0.8000 to 0.9500</td>" in text
    assert "trial 0 (accuracy 0.5000, 12 parameters against 100; m &lt;b&gt;)" in text
    assert "<b>" not in text and "&lt;b&gt;" in text
