"""`dlspec train digits_lenet5` as a whole process against the fastest plain Keras script for the same work.

Both read the same digits, train the same network for the same number of epochs (early stopping off), score dev after
each, keep the best weights, score train and dev, and save the network.  Whole processes, in turn, medians.

Keras imports scikit-learn and pandas where it finds them, for wrappers that neither side uses; dlspec does not let it.
`bare` is the script where they cannot be found, which is a bound that no script in the same environment reaches: it
is printed, and is no figure.
Figure: at most 1.2 times the script (tests/benchmarks/digits_script.py).

    python tests/benchmarks/digits_process.py [repeats]
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from figures import Figures, processes, runs

EPOCHS = 20
OPTIONAL = ("IPython", "jax", "matplotlib", "pandas", "sklearn", "torch")
BARE = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({OPTIONAL}))
import keras
for name in {OPTIONAL}:
    del sys.modules[name]
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""

figures = Figures()
repeats = int(sys.argv[1]) if sys.argv[1:] else 7
said: dict[str, str] = {}
with runs() as out:
    script = [str(Path(__file__).with_name("digits_script.py")), str(EPOCHS), str(out / "script.keras")]
    bare = out / "bare.py"
    bare.write_text(BARE, encoding="utf-8")
    ours = ["-c", "from dlspec.cli import main; main()", "train", "classification/digits_lenet5"]
    ours += ["--set", f"train.epochs={EPOCHS}", "--set", "train.early_stopping=null"]
    ours += ["--set", "input.augment.shift=0", "--out", str(out)]
    commands = {"dlspec": ours, "script": script, "bare": [str(bare), *script]}
    commands = {name: [sys.executable, *command] for name, command in commands.items()}
    seconds = processes(commands, repeats=repeats, said=said.__setitem__)
print(said["script"].strip())
print("dlspec:", *(line for line in said["dlspec"].splitlines() if line.startswith("trained")))
print("\n".join(line for line in said["dlspec"].splitlines() if line.startswith((" ", "accuracy", "log_loss"))))
for name, times in seconds.items():
    print(f"{name}: {', '.join(f'{one:.2f}' for one in times)} s")
mine, plain, least = (statistics.median(seconds[name]) for name in ("dlspec", "script", "bare"))
pairs, bare_pairs = (
    statistics.median(a / b for a, b in zip(seconds["dlspec"], seconds[name], strict=True))
    for name in ("script", "bare")
)
print(f"bare {least:.2f} s: dlspec {mine / least:.2f} times, median of the rounds {bare_pairs:.2f} (no figure)")
figures.check(
    f"dlspec {mine:.2f} s, script {plain:.2f} s: {mine / plain:.2f} times (at most 1.2); "
    f"median of the rounds {pairs:.2f}",
    mine / plain <= 1.2,
)
figures.leave()
