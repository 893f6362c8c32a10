"""What a trial of a search costs beside building its network and fitting it, and how its worker's memory grows.

    python tests/benchmarks/tuning_cost.py --trials 100

Digits with a small `mlp`.  Memory is that of the one worker that `dlspec tune` has at a time, replaced or not;
the cost is measured in one process that is warm.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from dlspec.recipe.load import load
from dlspec.report.watch import SearchWatch
from dlspec.tuning.search import tune

RECIPE = """
task: classification
data: {name: digits, split: {dev: 0.15, test: 0.15}}
model: {name: mlp, hidden: [64]}
train: {seed: 1, epochs: 5, batch_size: 64}
tune:
  space:
    train.optimizer.learning_rate: {log_uniform: [1e-4, 1e-1]}
    model.hidden: {choice: [[32], [64], [128]]}
"""


class Memory(SearchWatch):
    """Remembers what each trial's worker took, and how often one was replaced."""

    def __init__(self):
        self.took, self.replaced = [], 0

    def heard(self, message):
        if message["what"] == "memory":
            self.took.append(message["bytes"] / 1e6)
        self.replaced += message["what"] == "used up"


def beyond(file, home, trials):
    """Seconds of each trial that are neither building nor fitting, in this process, after two to warm up."""
    import gc

    import dlspec.runs.train as training
    from dlspec.runs.backend import load_keras
    from dlspec.runs.warm import Warm
    from dlspec.tuning.search import begun
    from dlspec.tuning.study import Study
    from dlspec.tuning.trial import carry_out, check_data

    keras = load_keras(threads=1)
    spent = [0.0]

    def timed(work):
        def run(*given, **named):
            began = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                spent[0] += time.perf_counter() - began

        return run

    training.build, training.fit = timed(training.build), timed(training.fit)
    study, warm, found = Study(begun(load(file), home)), Warm(), []
    check_data(study, warm)
    gc.collect()
    gc.freeze()
    for _ in range(trials + 2):
        spent[0], began = 0.0, time.perf_counter()
        study.fill(2)
        carry_out(study, study.claim(1), 1, warm, lambda message: None)
        keras.utils.clear_session()
        found.append(time.perf_counter() - began - spent[0])
    study.close()
    return found[2:]


def main():
    given = argparse.ArgumentParser()
    given.add_argument("--trials", type=int, default=100)
    asked = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "digits.yaml")
        file.write_text(RECIPE)
        watch, began = Memory(), time.perf_counter()
        result = tune(load(file), trials=asked.trials, out=Path(folder, "runs"), watch=watch)
        seconds = time.perf_counter() - began
        done = sum(one["state"] == "complete" for one in result["trials"])
        tenth = watch.took[min(9, len(watch.took) - 1)]
        print(f"{done} of {asked.trials} trials in {seconds:.0f} s; workers replaced {watch.replaced} times")
        print(f"memory: {tenth:.0f} MB at trial 10, {watch.took[-1]:.0f} at the last, {max(watch.took):.0f} at most")
        costs = beyond(file, Path(folder, "here"), 8)
        print(f"beyond building and fitting: {median(costs):.2f} s a trial, {max(costs):.2f} at most")


if __name__ == "__main__":
    main()
