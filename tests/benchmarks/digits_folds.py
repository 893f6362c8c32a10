"""LeNet-5 on scikit-learn's digits, five folds: each fifth is test once, never seen in training nor for stopping early.

Figure: mean accuracy on the folds held out at least 0.98.

    python tests/benchmarks/digits_folds.py
"""

from __future__ import annotations

from figures import Figures, runs, spoken, trained

RECIPE = "classification/digits_lenet5"
FOLDS = 5

figures = Figures()
accuracies = []
with runs() as out:
    for fold in range(FOLDS):
        fold_of = (f"data.split.folds={FOLDS}", f"data.split.fold={fold}", "data.split.fold_is=test")
        run, test = trained(RECIPE, *fold_of, out=out)
        accuracies.append(test["accuracy"])
        print(f"fold {fold}: accuracy on test {test['accuracy']:.4f}", flush=True)
figures.check(f"mean accuracy over {FOLDS} folds {spoken(accuracies)}; at least 0.98", sum(accuracies) / FOLDS >= 0.98)
figures.leave()
