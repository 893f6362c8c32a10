"""Logistic regression with an L2 penalty gives what scikit-learn's LogisticRegression gives.

dlspec minimises mean log-loss + λ‖w‖², scikit-learn C Σ log-loss + ½‖w‖²: the same minimum where λ = 1 / (2 C n).
Both see the same rows of train (those of the run's manifest), standardised by the run; the recipe is tried as it
stands and on two other divisions of the data.
Figure: log-loss on test within 1 % of scikit-learn's, correlation of the coefficients above 0.999.

    python tests/benchmarks/linear_against_sklearn.py
"""

from __future__ import annotations

import numpy as np
from figures import Figures, runs, trained

RECIPE = "classification/breast_cancer_linear"

figures = Figures()
with runs() as out:
    for seed in range(3):
        run, test = trained(RECIPE, f"data.split.seed={seed}", out=out)

        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import log_loss

        splits = run.splits()
        x, x_test = (run.encode(splits[part])["numeric"] for part in ("train", "test"))
        y, y_test = (splits[part].column("y") for part in ("train", "test"))
        C = 1 / (2 * run.recipe.train.l2 * len(y))
        theirs = LogisticRegression(C=C, tol=1e-10, max_iter=100_000).fit(x, y)
        assert list(theirs.classes_) == run.state["task"]["classes"]

        loss = log_loss(y_test, theirs.predict_proba(x_test))
        weights = run.network.get_layer("logits").get_weights()[0].ravel()
        correlation = np.corrcoef(weights, theirs.coef_.ravel())[0, 1]
        print(f"split seed {seed}, {len(y)} examples, C = {C:.3f}")
        figures.check(
            f"log-loss on test {test['log_loss']:.5f}, scikit-learn {loss:.5f}: "
            f"{100 * (test['log_loss'] / loss - 1):+.3f} % (at most ±1 %)",
            abs(test["log_loss"] / loss - 1) <= 0.01,
        )
        figures.check(f"correlation of the coefficients {correlation:.7f} (above 0.999)", correlation > 0.999)
figures.leave()
