"""A bidirectional LSTM over words and their characters on WNUT-17, three seeds: F1 of entities on test.

Needs $DLSPEC_DATA/wnut17_ner and $DLSPEC_DATA/glove_50d_top50k.
Figure: mean F1 on test at least 0.25, beside that of the shared task's first place (Aguilar et al. 2017, "A multi-task
approach for named entity recognition in social media data": 0.4186, with vectors of tweets, parts of speech, a
gazetteer and a CRF, none of which stands here).

    DLSPEC_DATA=… python tests/benchmarks/wnut17_seeds.py [--seeds 1 2 3]
"""

from __future__ import annotations

import argparse

from figures import Figures, over_seeds, require_data

LEAST = 0.25
FIRST_PLACE = 0.4186

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
asked = parser.parse_args()
require_data()
figures = Figures()
found = over_seeds(figures, "tagging/wnut17_lstm", LEAST, asked.seeds, "f1")
print(
    f"the shared task's first place (Aguilar et al. 2017): {FIRST_PLACE}; behind it by {FIRST_PLACE - max(found):.4f}"
)
figures.leave()
