"""`dlspec improve` from three bad recipes, so many minutes each, against recipes that were tuned by hand.

Figure: on test, what it ends with is not significantly worse than the shipped recipe over the same data and division
(paired; p of the metric that decides).  Test is looked at once by each.

    DLSPEC_DATA=… python tests/benchmarks/improve_bad_starts.py [NAME …] [--minutes 10]
"""

from __future__ import annotations

import argparse

from figures import Figures, require_data, runs

from dlspec.recipe.load import load
from dlspec.report.improved import print_improved
from dlspec.report.watch import Watch
from dlspec.runs.compare import compare
from dlspec.runs.improve import improve
from dlspec.runs.train import train

STARTS = {
    # deep sigmoids that start small: nothing is learned
    "titanic": (
        "classification/titanic_mlp",
        "model: {name: mlp, hidden: [32, 32, 32, 32, 32, 32, 32, 32], activation: sigmoid, "
        "initializer: random_normal}\ntrain: {epochs: 20, optimizer: {name: sgd, learning_rate: 0.01}}",
    ),
    # two hidden units, few epochs, all weights held back
    "california": (
        "regression/california_housing_mlp",
        "model: {name: mlp, hidden: [2]}\ntrain: {epochs: 4, l2: 0.1, optimizer: {name: sgd, learning_rate: 0.01}}",
    ),
    # far too short steps, too few epochs
    "mnist": (
        "classification/mnist_lenet5",
        "model: {name: lenet5, activation: sigmoid, initializer: random_normal}\n"
        "train: {epochs: 3, batch_size: 32, optimizer: {name: adam, learning_rate: 1e-5}}",
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all where none is given")
    parser.add_argument("--minutes", type=float, default=10)
    asked = parser.parse_args()
    require_data()
    figures = Figures()
    with runs() as home:
        for name in asked.names or STARTS:
            shipped, bad = STARTS[name]
            tuned = load(shipped)
            data = "\n".join(
                f"{key}: {getattr(tuned.recipe, key).model_dump_json()}" for key in ("task", "data", "input")
            )
            goal = f"goal: {{optimize: {tuned.recipe.goal.optimize or 'null'}}}"
            (home / f"{name}.yaml").write_text(f"{data}\n{bad}\n{goal}\n", encoding="utf-8")
            result = improve(load(home / f"{name}.yaml"), budget=60 * asked.minutes, out=home / "runs", watch=Watch())
            print_improved(result)
            hand = train(tuned, out=home / "hand", watch=Watch()).run
            compared = compare([hand, result["run"]], split="test", watch=Watch())
            values = [scores[result["metric"]]["value"] for scores in compared["scores"].values()]
            said = f"{name}: test {result['metric']} by hand {values[0]:.4f}, improved {values[1]:.4f}"
            print(compared["verdict"][0])
            figures.check(said, " is worse than " not in compared["verdict"][0])
    figures.leave()


main()
