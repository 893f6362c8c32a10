"""The table of a search: what runs on top, the best always in sight, time left by hand, a width that is kept."""

import re

import pytest
from rich.console import Console

from dlspec.report.live import Progress, clock, spell
from dlspec.report.tuned import ConsoleSearch, briefs, values

PARAMS = {"train.optimizer.learning_rate": 0.01, "model": "mlp", "model[0].hidden": "[64, 64]", "train.batch_size": 64}


def told(number, state, value=None, seconds=None, **more):
    unknown = dict.fromkeys(("progress", "host", "cause"))
    return {"number": number, "state": state, "params": PARAMS, "value": value, "seconds": seconds, **unknown, **more}


def searched(trials=10):
    progress = Progress("accuracy", trials)
    ended = progress.looked(
        [
            told(0, "complete", 0.8, 10.0),
            told(1, "complete", 0.9, 20.0),
            told(2, "pruned", 0.5, 3.0),
            told(3, "waiting"),
        ],
        best=1,
    )
    assert [one["number"] for one in ended] == [0, 1, 2]
    for index in (4, 5):
        progress.heard({"what": "trial", "index": index, "params": PARAMS, "pid": 1})
    progress.heard({"what": "epoch", "index": 4, "epoch": 3, "epochs": 20, "value": 0.75})
    progress.rows[4]["began"], progress.rows[5]["began"] = 100.0, 104.0
    return progress


def screen(progress, width, height, now=105.0):
    console = Console(width=width, height=height)
    with console.capture() as caught:
        console.print(progress.drawn(width, height, now))
    return caught.get().splitlines()


def test_time_left_by_what_trials_took_and_how_many_are_at_work():
    progress = searched()
    # 11 s a trial; trial 4 has 6 s to go, trial 5 has 10 s; 5 more wait; two are at work
    assert progress.left(105.0) == pytest.approx((6 + 10 + 5 * 11) / 2)
    fresh = Progress("accuracy", 3)
    assert fresh.left(0.0) is None and "workers are starting" in fresh.headline(0.0)
    fresh.heard({"what": "trial", "index": 0, "params": {}, "pid": 1})
    fresh.heard({"what": "epoch", "index": 0, "epoch": 1, "epochs": 4, "value": None})
    fresh.rows[0]["began"] = 0.0
    assert fresh.left(5.0) == pytest.approx(15 + 2 * 20)  # an epoch took 5 s, nothing has ended yet


@pytest.mark.parametrize(("width", "height"), [(120, 30), (80, 24), (60, 24), (40, 9)])
def test_what_runs_is_on_top_then_the_best_within_any_terminal(width, height):
    lines = screen(searched(), width, height)
    assert len(lines) < height and max(map(len, lines)) <= width
    numbers = [int(found[1]) for line in lines if (found := re.match(r" +(\d+) ", line))]
    assert numbers == [5, 4, 1, 2, 0][: height - 6]
    assert lines[0].startswith("3 of 10 ended, 2 running, 36 s left"[: width - 1])


def test_a_wide_terminal_has_a_column_a_parameter_a_narrow_one_the_rows_all_the_same():
    wide = screen(searched(), 120, 30)
    assert re.split(r"  +", wide[2].strip()) == [
        "trial", "learning_rate", "model", "hidden", "batch_size", "dev accuracy", "time", "state",
    ]  # fmt: skip
    assert "starting" in wide[4] and "0.7500" in wide[5] and "epoch 3 of 20" in wide[5] and "best" in wide[6]
    narrow = screen(searched(), 70, 30)
    assert "parameters" in narrow[2] and "learning_rate 0.01" in narrow[4]


def test_what_other_machines_are_at_comes_from_the_storage():
    progress = searched()
    progress.looked([told(6, "running", progress=(2, 20, 0.6), host="elsewhere")], best=1)
    assert any("epoch 2 of 20 on elsewhere" in line for line in screen(progress, 140, 30))
    progress.looked([told(6, "running", progress=(1, 20, 0.1), host="elsewhere")], best=1)  # no step back
    assert progress.rows[6]["epoch"] == 2
    [one] = progress.looked([told(6, "failed", seconds=9.0, cause="out of memory")], best=1)
    assert one["cause"] == "out of memory" and 6 in progress.over


def test_a_trial_that_is_run_again_begins_anew():
    progress = searched()
    progress.looked([told(4, "waiting")], best=1)
    progress.looked([told(4, "running")], best=1)
    assert progress.rows[4]["epoch"] == 0 and progress.rows[4]["value"] is None


def test_plain_lines_tell_each_trial_once_and_none_of_an_earlier_search(capsys):
    watch = ConsoleSearch(plain=True)
    watch.searching("here", "accuracy", "max", 4, 1)
    first = told(0, "complete", 0.8, 10.0)
    watch.looked([first, told(1, "running")], 0)
    for _ in range(2):
        watch.looked([first, told(1, "complete", 0.9, 65.0, host="elsewhere")], 1)
    watch.looked([told(2, "failed", seconds=1.0, cause="out of memory\nmore")], 1)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and "trial 1 (2 of 4): accuracy 0.9000, 1 min 05 s on elsewhere; learning_rate" in lines[1]
    assert "trial 2 (3 of 4): failed (out of memory), 1.0 s;" in lines[2] and lines[2].count("best 0.9000") == 1


def test_keys_are_as_short_as_tells_them_apart():
    names = ["train.optimizer[0].learning_rate", "train.optimizer[1].learning_rate", "model.depth"]
    assert briefs(names) == ["optimizer[0].learning_rate", "optimizer[1].learning_rate", "depth"]
    assert briefs(["a.b", "b"]) == ["a.b", "b"] and values({"a.b": 1.0, "c": None}) == "b 1, c none"


def test_seconds_as_a_person_says_them():
    assert [spell(one) for one in (0.04, 9.97, 59.4, 61, 3599.6, 4800)] == [
        "0.0 s", "10 s", "59 s", "1 min 01 s", "1 h 00 min", "1 h 20 min",
    ]  # fmt: skip
    assert [clock(one) for one in (None, 5, 59.7, 3700)] == ["", "5.0 s", "1:00", "1:01:40"]
