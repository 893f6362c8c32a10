"""An LSTM on SST-2 from nothing and with GloVe's vectors of 50 numbers, three seeds: accuracy on test.

Needs $DLSPEC_DATA/sentiment and $DLSPEC_DATA/glove_50d_top50k.
Figures: mean accuracy on test at least 0.77 (sst2_lstm) and 0.80 (sst2_lstm_glove).

    DLSPEC_DATA=… python tests/benchmarks/sst2_seeds.py [sst2_lstm] [sst2_lstm_glove]
"""

from __future__ import annotations

import sys

from figures import Figures, require_data, runs, spoken, trained

SEEDS = (1, 2, 3)
FIGURES = {"sst2_lstm": 0.77, "sst2_lstm_glove": 0.80}

require_data()
figures = Figures()
for name in sys.argv[1:] or FIGURES:
    accuracies = []
    with runs() as out:
        for seed in SEEDS:
            _, test = trained(f"classification/{name}", f"train.seed={seed}", out=out)
            accuracies.append(test["accuracy"])
            print(f"{name}, seed {seed}: accuracy on test {test['accuracy']:.4f}", flush=True)
    mean, least = sum(accuracies) / len(accuracies), FIGURES[name]
    figures.check(
        f"{name}: mean accuracy over {len(SEEDS)} seeds {spoken(accuracies)}; at least {least}", mean >= least
    )
figures.leave()
