"""`dlspec train digits_lenet5` as a whole process against the fastest plain Keras script for the same work.

Both read the same digits, train the same network for the same number of epochs (early stopping off), score dev after
each, keep the best weights, score train and dev, and save the network.  Whole processes, in turn, medians.
Figure: at most 1.2 times the script (tests/benchmarks/digits_script.py).

    python tests/benchmarks/digits_process.py [repeats]
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from figures import Figures, processes, runs

EPOCHS = 20

figures = Figures()
repeats = int(sys.argv[1]) if sys.argv[1:] else 7
said: dict[str, str] = {}
with runs() as out:
    script = [sys.executable, str(Path(__file__).with_name("digits_script.py")), str(EPOCHS), str(out / "script.keras")]
    ours = [sys.executable, "-c", "from dlspec.cli import main; main()", "train", "classification/digits_lenet5"]
    ours += ["--set", f"train.epochs={EPOCHS}", "--set", "train.early_stopping=null", "--out", str(out)]
    seconds = processes({"dlspec": ours, "script": script}, repeats=repeats, said=said.__setitem__)
print(said["script"].strip())
print("\n".join(line for line in said["dlspec"].splitlines() if line.startswith(("trained", "accuracy", "log_loss"))))
for name, times in seconds.items():
    print(f"{name}: {', '.join(f'{one:.2f}' for one in times)} s")
mine, plain = (statistics.median(seconds[name]) for name in ("dlspec", "script"))
pairs = statistics.median(a / b for a, b in zip(seconds["dlspec"], seconds["script"], strict=True))
figures.check(
    f"dlspec {mine:.2f} s, script {plain:.2f} s: {mine / plain:.2f} times (at most 1.2); of the pairs {pairs:.2f}",
    mine / plain <= 1.2,
)
figures.leave()
