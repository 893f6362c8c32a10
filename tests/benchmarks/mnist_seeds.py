"""LeNet-5 and a small residual network on MNIST's original files, three seeds: accuracy on all 10,000 test images.

Needs $DLSPEC_DATA/mnist, with whatever images train*-images-idx3-ubyte holds (the figures are for the first 10,000).
Figures: mean accuracy on test at least 0.98 (lenet5) and 0.99 (resnet).

    DLSPEC_DATA=… python tests/benchmarks/mnist_seeds.py [lenet5] [resnet]
"""

from __future__ import annotations

import sys

from figures import Figures, over_seeds, require_data

FIGURES = {"lenet5": 0.98, "resnet": 0.99}

require_data()
figures = Figures()
for name in sys.argv[1:] or FIGURES:
    over_seeds(figures, f"classification/mnist_{name}", FIGURES[name])
figures.leave()
