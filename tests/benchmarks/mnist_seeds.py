"""LeNet-5 on MNIST's original files, three seeds: accuracy on all 10,000 test images.

Needs $DLSPEC_DATA/mnist, with whatever images train*-images-idx3-ubyte holds (the figure is for the first 10,000).
Figure: mean accuracy on test at least 0.98.

    DLSPEC_DATA=… python tests/benchmarks/mnist_seeds.py
"""

from __future__ import annotations

from figures import Figures, require_data, runs, spoken, trained

SEEDS = (1, 2, 3)

require_data()
figures = Figures()
accuracies = []
with runs() as out:
    for seed in SEEDS:
        run, test = trained("classification/mnist_lenet5", f"train.seed={seed}", out=out)
        splits = run.splits()
        accuracies.append(test["accuracy"])
        sizes = ", ".join(f"{name} {len(examples):,}" for name, examples in splits.parts.items())
        print(f"seed {seed} ({sizes}): accuracy on test {test['accuracy']:.4f}", flush=True)
mean = sum(accuracies) / len(accuracies)
figures.check(f"mean accuracy over {len(SEEDS)} seeds {spoken(accuracies)}; at least 0.98", mean >= 0.98)
figures.leave()
