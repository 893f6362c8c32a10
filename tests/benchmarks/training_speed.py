"""Examples a second in training: `dlspec train` with health, TensorBoard and checkpoints on, against scripts.

The scripts train the same network on the same data in the same batches: Keras as one writes it by hand, four ways, of
which a first round finds the fastest; and PyTorch with a DataLoader (the fastest of no worker and one, and for pictures
both layouts), where a Python that has it is named.  Processes in turn, every epoch but the first, medians.
Figures: at least 0.97 of the fastest Keras script in each case; at least 1.0 of PyTorch in two cases of three.

    python tests/benchmarks/training_speed.py [--torch PYTHON] [--rounds 3] [CASE …]

Cases: lenet5 on MNIST (needs $DLSPEC_DATA), mlp on 100,000 rows; resnet 20, and small vgg, inception (with its
auxiliary heads) and mobilenet, on 2,560 pictures of 32×32.  PyTorch trains the first three.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from figures import Figures, require_data, runs
from training_child import CASES, recipe_of

HERE = Path(__file__).parent
IN_TORCH = ("lenet5", "mlp", "resnet")
BY_HAND = ("arrays", "arrays_32", "dataset_32", "compiled_32")


def child(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def rate(found: dict[str, Any]) -> float:
    """Examples a second of the median epoch."""
    return float(found["examples"] / statistics.median(found["seconds"]))


def for_torch(case: str, home: Path) -> None:
    """What PyTorch is given: x and y as the network takes them."""
    from dlspec.recipe.load import load
    from dlspec.report.watch import Watch
    from dlspec.runs.material import material_of
    from dlspec.runs.prepare import prepare

    recipe = load(recipe_of(case, home)).recipe
    prepared = prepare(recipe, Watch())
    x, y = material_of(recipe, prepared.state, prepared.splits, Watch()).pipeline.resident()[:2]  # type: ignore[index]
    [x] = x.values()
    np.savez(home / f"torch_{case}.npz", x=x, y=y)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--torch", help="a Python in which torch can be imported")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    told = parser.parse_args()
    if "lenet5" in told.cases:
        require_data()
    figures = Figures()
    ahead = 0
    with runs() as home:
        for case in told.cases:
            commands = {
                how: [sys.executable, str(HERE / "training_child.py"), how, case, str(home)]
                for how in ("dlspec", *BY_HAND)
            }
            if told.torch and case in IN_TORCH:
                for_torch(case, home)
                script = [told.torch, str(HERE / "torch_child.py"), case, str(home)]
                ways = [["0"], ["1"], *([["0", "channels_last"]] if case != "mlp" else [])]
                commands |= {f"torch {' '.join(way)}": [*script, *way] for way in ways}
            first = {how: child(command) for how, command in commands.items()}
            version = next((one["version"] for one in first.values() if "version" in one), "")
            print(f"{case}: " + ", ".join(f"{how} {rate(found):,.0f}" for how, found in first.items()), version)
            kinds = {"keras": BY_HAND, "torch": [how for how in first if how.startswith("torch")]}
            fastest = {
                kind: max(of, key={how: rate(first[how]) for how in of}.__getitem__) for kind, of in kinds.items() if of
            }
            rates: dict[str, list[float]] = {how: [] for how in ("dlspec", *fastest.values())}
            for _ in range(told.rounds):
                for how in rates:
                    rates[how].append(rate(child(commands[how])))
            medians = {how: statistics.median(found) for how, found in rates.items()}
            mine = medians["dlspec"]
            for kind, how in fastest.items():
                pairs = statistics.median(a / b for a, b in zip(rates["dlspec"], rates[how], strict=True))
                said = f"{case}: dlspec {mine:,.0f} examples a second, {kind} ({how}) {medians[how]:,.0f}"
                if kind == "keras":
                    figures.check(f"{said}: {mine / medians[how]:.3f} (at least 0.97); by rounds {pairs:.3f}",
                                  mine / medians[how] >= 0.97)  # fmt: skip
                else:
                    ahead += mine >= medians[how]
                    print(f"        {said}: {mine / medians[how]:.3f}; by rounds {pairs:.3f}", flush=True)
    if told.torch and set(IN_TORCH) <= set(told.cases):
        figures.check(f"at least as fast as PyTorch in {ahead} of {len(IN_TORCH)} cases (2 of 3)", ahead >= 2)
    figures.leave()


main()
