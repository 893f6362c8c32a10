"""An LSTM on SST-2 from nothing and with GloVe's vectors of 50 numbers, three seeds: accuracy on test.

Needs $DLSPEC_DATA/sentiment and $DLSPEC_DATA/glove_50d_top50k.
Figures: mean accuracy on test at least 0.77 (sst2_lstm) and 0.80 (sst2_lstm_glove).

    DLSPEC_DATA=… python tests/benchmarks/sst2_seeds.py [sst2_lstm] [sst2_lstm_glove]
"""

from __future__ import annotations

import sys

from figures import Figures, over_seeds, require_data

FIGURES = {"sst2_lstm": 0.77, "sst2_lstm_glove": 0.80}

require_data()
figures = Figures()
for name in sys.argv[1:] or FIGURES:
    over_seeds(figures, f"classification/{name}", FIGURES[name])
figures.leave()
