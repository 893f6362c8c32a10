"""LeNet-5 and a small residual network on MNIST's original files, three seeds: accuracy on all 10,000 test images.

Needs $DLSPEC_DATA/mnist, with whatever images train*-images-idx3-ubyte holds (the figures are for the first 10,000).
Figures: mean accuracy on test at least 0.98 (lenet5) and 0.99 (resnet).

    DLSPEC_DATA=… python tests/benchmarks/mnist_seeds.py [lenet5] [resnet]
"""

from __future__ import annotations

import sys

from figures import Figures, require_data, runs, spoken, trained

SEEDS = (1, 2, 3)
FIGURES = {"lenet5": 0.98, "resnet": 0.99}

require_data()
figures = Figures()
for model in sys.argv[1:] or FIGURES:
    accuracies = []
    with runs() as out:
        for seed in SEEDS:
            run, test = trained(f"classification/mnist_{model}", f"train.seed={seed}", out=out)
            splits = run.splits()
            accuracies.append(test["accuracy"])
            sizes = ", ".join(f"{name} {len(examples):,}" for name, examples in splits.parts.items())
            print(f"{model}, seed {seed} ({sizes}): accuracy on test {test['accuracy']:.4f}", flush=True)
    mean, least = sum(accuracies) / len(accuracies), FIGURES[model]
    figures.check(
        f"{model}: mean accuracy over {len(SEEDS)} seeds {spoken(accuracies)}; at least {least}", mean >= least
    )
figures.leave()
