"""The multilayer perceptron against scikit-learn's MLPClassifier and MLPRegressor, paired over ten divisions.

Same hidden sizes, same arrays (encoded by the run, fitted on its train), same standardised target, both by Adam at
1e-3.  dlspec stops early on dev, as its recipe says.  scikit-learn is given two chances:
- `default`: its default settings, trained on train;
- `stopping`: early_stopping=True on train and dev together, which holds out as many examples as dev has.
Figure: not significantly worse than either by the headline metric on test (one-sided paired t-test and Wilcoxon's
signed-rank test, 5 %).  Test sets of different divisions overlap, which makes both tests stricter than they say.

    DLSPEC_DATA=… python tests/benchmarks/mlp_against_sklearn.py [titanic_mlp …]
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from figures import Figures, interval, require_data, runs, trained

RECIPES = ("classification/titanic_mlp", "regression/california_housing_mlp", "regression/wine_quality_mlp")
SPLITS = 10


def sklearn_scores(run: Any, seed: int) -> Iterator[tuple[str, float]]:
    """The headline metric on test of scikit-learn's network in each of its forms."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    recipe, splits = run.recipe, run.splits()
    x, y = {}, {}
    for part, examples in splits.parts.items():
        encoded = run.encode(examples)
        x[part] = encoded["numeric"]
        y[part] = next(iter(recipe.task.target(examples, encoded, run.state).values())).ravel()
    both = [np.concatenate([arrays["train"], arrays["dev"]]) for arrays in (x, y)]
    share = len(y["dev"]) / len(both[1])
    settings = {"hidden_layer_sizes": recipe.model.hidden, "activation": recipe.model.activation, "random_state": seed}
    make = MLPClassifier if recipe.task.name == "classification" else MLPRegressor
    for name, network, (inputs, targets) in (
        ("default", make(**settings), (x["train"], y["train"])),
        ("stopping", make(**settings, early_stopping=True, validation_fraction=share), both),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the default of 200 iterations may be reached: it is the default
            network.fit(inputs, targets)
        guess = network.predict(x["test"])
        if make is MLPClassifier:
            yield name, float(np.mean(guess == y["test"]))
        else:
            yield name, float(np.sqrt(np.mean((guess - y["test"]) ** 2))) * run.state["task"]["scale"]


def compare(recipe: str, figures: Figures) -> None:
    """Train both on every division, and check that dlspec is not significantly worse."""
    from scipy import stats

    ours, theirs = [], {"default": [], "stopping": []}
    with runs() as out:
        for seed in range(SPLITS):
            run, test = trained(recipe, f"data.split.seed={seed}", out=out)
            metric = run.recipe.task.evaluator.metrics(run.state["task"])[0]
            ours.append(test[metric.name])
            for name, score in sklearn_scores(run, seed):
                theirs[name].append(score)
            others = ", ".join(f"{name} {scores[-1]:.5g}" for name, scores in theirs.items())
            print(
                f"{recipe}, split seed {seed}: {metric.name} on test {ours[-1]:.5g}; scikit-learn {others}", flush=True
            )
    for name, scores in theirs.items():
        gain = (np.array(ours) - scores) * (1 if metric.best == "max" else -1)
        mean, low, high = interval(gain)
        t = stats.ttest_1samp(gain, 0, alternative="less").pvalue
        ranks = stats.wilcoxon(gain, alternative="less").pvalue if gain.any() else 1.0
        figures.check(
            f"{recipe}: mean {metric.name} {np.mean(ours):.5g}, scikit-learn ({name}) {np.mean(scores):.5g}; "
            f"better by {mean:.4g} (95 % interval {low:.4g} to {high:.4g}); "
            f"worse? t-test p = {t:.3f}, Wilcoxon p = {ranks:.3f} (both above 0.05)",
            t > 0.05 and ranks > 0.05,
        )


require_data()
figures = Figures()
for one in [name for name in RECIPES if not sys.argv[1:] or name.rpartition("/")[2] in sys.argv[1:]]:
    compare(one, figures)
figures.leave()
