"""Limits of a search: what misses them comes after what keeps them, the nearest first; times are measured alone."""

import csv
import itertools
import json
import multiprocessing
import time
from pathlib import Path

import pytest

from dlspec.recipe.load import load
from dlspec.report.tuned import print_tuned
from dlspec.strategy.goals import standing
from dlspec.tuning.aside import Room
from dlspec.tuning.outcome import Tried, ranked
from dlspec.tuning.search import tune
from dlspec.types import Metric

NET = """
import json, os, sys, time
from dlspec.models.tabular.mlp import MLP
from dlspec.runs import serving
from dlspec.tuning.trial import TrialWatch


def noted(what, begin, end):
    with open(os.environ["NOTED"], "a") as text:
        text.write(json.dumps([what, os.getpid(), begin, end]) + "\\n")


if "pytest" not in sys.modules and not hasattr(serving, "was"):  # in the workers, once
    serving.was, TrialWatch.was, TrialWatch.since = serving.measure, TrialWatch.step, None

    def measure(*given):
        begin = time.monotonic()
        time.sleep(0.5)  # or it would be over before another worker could be in its way
        found = serving.was(*given)
        noted("measure", begin, time.monotonic())
        return found

    def step(self, *given):
        if self.since is not None:
            noted("step", self.since, time.monotonic())
        self.was(*given)
        self.since = time.monotonic()

    serving.measure, TrialWatch.step = measure, step


class Net(MLP):
    name: str
"""
RECIPE = """
task: classification
data: {name: digits, split: {dev: 0.2, test: 0.2}}
model: {name: ./net.py, hidden: [8]}
train: {seed: 1, epochs: 40, batch_size: 32, tensorboard: false, health: false}
goal: {optimize: accuracy, subject_to: {parameters: "<= 1000", latency_ms_p95: "<= 1000"}}
tune:
  trials: 4
  sampler: grid
  space: {model.hidden: {choice: [[4], [32], [64], [8]]}}
"""


def one(number, accuracy, **values):
    class Limit:
        def __init__(self, name, bound):
            self.name, self.sign, self.bound = name, "<=", bound

    limits = [Limit("parameters", 1000.0), Limit("latency_ms_p95", 10.0)]
    stood = standing(Metric("accuracy", "max", 1.0), limits, {"accuracy": accuracy, **values})
    return Tried(number, "complete", stood, {}, None, 1.0, 1, None, 1, 1, {})


def test_those_that_miss_come_after_those_that_keep_the_nearest_first():
    found = [
        one(0, 0.99, parameters=2000, latency_ms_p95=9),  # misses by 1
        one(1, 0.70, parameters=900, latency_ms_p95=9),
        one(2, 0.98, parameters=1100, latency_ms_p95=15),  # by 0.1 + 0.5
        one(3, 0.80, parameters=1000, latency_ms_p95=10),
        one(4, 0.97, parameters=900, latency_ms_p95=14),  # by 0.4
        one(5, 0.999, parameters=900),  # nobody knows
    ]
    assert [held.number for held in ranked(found)] == [3, 1, 4, 2, 0, 5]


def _train(file, notes, until):
    room = Room(file)
    with room.working():
        while time.monotonic() < until.value:
            begin = time.monotonic()
            time.sleep(0.004)
            notes.append(("step", begin, time.monotonic()))
            room.breathe()


def _measure(file, notes):
    room = Room(file)
    with room.working():
        for _ in range(3):
            with room.alone():
                begin = time.monotonic()
                time.sleep(0.15)
                notes.append(("measure", begin, time.monotonic()))
            room.breathe()


def apart(notes):
    measured = [held for held in notes if held[0] == "measure"]
    others = [held for held in notes if held[0] == "step"]
    assert measured and others
    for one, other in itertools.chain(itertools.product(measured, others), itertools.combinations(measured, 2)):
        assert one[-1] <= other[-2] or other[-1] <= one[-2], (one, other)
    return measured, others


def test_who_measures_is_alone_and_the_others_go_on_afterwards(tmp_path):
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        notes, until = manager.list(), manager.Value("d", time.monotonic() + 600)
        working = [context.Process(target=_train, args=(tmp_path / "lock.db", notes, until)) for _ in range(2)]
        timing = [context.Process(target=_measure, args=(tmp_path / "lock.db", notes)) for _ in range(2)]
        for process in working:
            process.start()
        while len(notes) < 20:
            time.sleep(0.01)
        for process in timing:
            process.start()
        for process in timing:
            process.join()
        until.value = time.monotonic() + 0.2
        for process in working:
            process.join()
        assert all(process.exitcode == 0 for process in working + timing)
        measured, others = apart(list(notes))
    assert len(measured) == 6 and max(held[1] for held in others) > max(held[2] for held in measured)


def test_a_lock_ends_with_its_process(tmp_path):
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        notes, until = manager.list(), manager.Value("d", time.monotonic() + 600)
        working = context.Process(target=_train, args=(tmp_path / "lock.db", notes, until))
        working.start()
        while not len(notes):
            time.sleep(0.01)
        working.kill()
        working.join()
        with Room(tmp_path / "lock.db").alone():
            pass


def test_a_file_that_cannot_be_locked_keeps_nobody_from_work(tmp_path):
    room = Room(tmp_path / "nowhere" / "lock.db")
    with room.working(), room.alone():
        room.breathe()


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("limits")
    (folder / "net.py").write_text(NET)
    (folder / "limited.yaml").write_text(RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOTED", str(folder / "noted.jsonl"))
        yield folder, tune(load(folder / "limited.yaml"), out=folder / "runs", workers=2)


def test_no_step_of_another_worker_while_a_network_is_timed(found):
    folder, _ = found
    notes = [json.loads(line) for line in (folder / "noted.jsonl").read_text().splitlines()]
    assert len({pid for _, pid, *_ in notes}) == 2
    measured, _ = apart(notes)
    assert len(measured) == 4


def test_the_order_and_the_table_say_what_was_measured_and_how(found, capsys):
    _, result = found
    trials = {one["number"]: one for one in result["trials"]}
    order = [trials[index]["params"]["model.hidden"] for index in result["leaderboard"]]
    sizes = {name: 64 * width + width + 10 * width + 10 for name, width in
             (("[4]", 4), ("[8]", 8), ("[32]", 32), ("[64]", 64))}  # fmt: skip
    for one in trials.values():
        assert one["measured"]["parameters"] == sizes[one["params"]["model.hidden"]]
        assert one["measured"]["threads"] == one["threads"] and one["measured"]["latency_ms_p95"] > 0
    assert set(order[:2]) == {"[4]", "[8]"} and order[2:] == ["[32]", "[64]"]
    assert [trials[index]["feasible"] for index in result["leaderboard"]] == [True, True, False, False]
    assert trials[result["leaderboard"][2]]["miss"] == pytest.approx((sizes["[32]"] - 1000) / 1000)
    with open(Path(result["study"]) / "trials.csv", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [int(row["parameters"]) for row in rows] == [one["measured"]["parameters"] for one in result["trials"]]
    with open(Path(result["study"]) / "trials.csv", newline="") as text:
        head = next(csv.reader(text))
    assert len(set(head)) == len(head) and "latency_ms_p95" in head
    assert {row["measured_threads"] for row in rows} == {str(trials[0]["threads"])}
    print_tuned(result)
    assert "measured alone and warm, with 1 thread" in capsys.readouterr().out
