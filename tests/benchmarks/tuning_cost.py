"""What a trial of a search costs beside building its network and fitting it, and how its worker's memory grows.

    python tests/benchmarks/tuning_cost.py --trials 100

Digits with a small `mlp`.  Memory is that of the one worker that `dlspec tune` has at a time, replaced or not;
the cost is measured in one process that is warm.  Figures: memory after the last trial within 10 % of after the tenth;
under 0.5 s a trial beyond building and fitting; the data read once.
"""

import argparse
import time
from statistics import median

from figures import Figures, runs

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
    """Seconds of each trial that are neither building nor fitting, after two to warm up; how often data was read."""
    import gc

    import dlspec.runs.train as training
    from dlspec.data.digits import Digits
    from dlspec.runs.backend import forget_networks, load_keras
    from dlspec.runs.warm import Warm
    from dlspec.tuning.search import begun
    from dlspec.tuning.study import Study
    from dlspec.tuning.trial import carry_out, check_data

    load_keras(threads=1)
    spent, reads = [0.0], []

    def timed(work):
        def run(*given, **named):
            began = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                spent[0] += time.perf_counter() - began

        return run

    training.build, training.fit = timed(training.build), timed(training.fit)
    load_digits = Digits.load
    Digits.load = lambda reader, **named: reads.append(1) or load_digits(reader, **named)
    study, warm, found = Study(begun(load(file), home)), Warm(), []
    check_data(study, warm)
    gc.collect()
    gc.freeze()
    for _ in range(trials + 2):
        spent[0], began = 0.0, time.perf_counter()
        study.fill(2)
        carry_out(study, study.claim(1), 1, warm, lambda message: None)
        forget_networks()
        found.append(time.perf_counter() - began - spent[0])
    study.close()
    return found[2:], len(reads)


def main():
    given = argparse.ArgumentParser()
    given.add_argument("--trials", type=int, default=100)
    asked = given.parse_args()
    figures = Figures()
    with runs() as folder:
        file = folder / "digits.yaml"
        file.write_text(RECIPE)
        watch, began = Memory(), time.perf_counter()
        result = tune(load(file), trials=asked.trials, out=folder / "runs", watch=watch)
        seconds = time.perf_counter() - began
        done = sum(one["state"] == "complete" for one in result["trials"])
        tenth, last, most = watch.took[min(9, len(watch.took) - 1)], watch.took[-1], max(watch.took)
        print(f"{done} of {asked.trials} trials in {seconds:.0f} s; workers replaced {watch.replaced} times")
        figures.check(
            f"memory {tenth:.0f} MB after trial 10, {last:.0f} after {len(watch.took)}, {most:.0f} at most: "
            f"{most / tenth:.3f} (at most 1.1)",
            done == asked.trials and most <= 1.1 * tenth,
        )
        costs, read = beyond(file, folder / "here", 8)
        figures.check(
            f"beyond building and fitting {median(costs):.2f} s a trial (under 0.5), {max(costs):.2f} at most",
            median(costs) < 0.5,
        )
        figures.check(f"data read {read} times in {len(costs) + 2} trials (once)", read == 1)
    figures.leave()


if __name__ == "__main__":
    main()
