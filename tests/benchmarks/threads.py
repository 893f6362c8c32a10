"""Examples a second in training by `train.threads` and `train.executor`, for the networks of training_speed.py.

No figure to reach: what is chosen where a recipe says nothing (all threads; the executor by timing) is printed beside
what else could be said.  Processes in turn, every epoch but the first, medians.

    python tests/benchmarks/threads.py [--rounds 3] [CASE …]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from figures import Figures, require_data, runs
from training_child import CASES

CHILD = Path(__file__).parent / "training_child.py"


def rate(case: str, home: Path, sets: list[str]) -> float:
    """Examples a second of the median epoch of one process."""
    command = [sys.executable, str(CHILD), "dlspec", case, str(home), *sets]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return float(found["examples"] / statistics.median(found["seconds"]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    told = parser.parse_args()
    if "lenet5" in told.cases:
        require_data()
    Figures()
    counts = sorted({1, 2, (os.cpu_count() or 1) // 2 or 1, os.cpu_count() or 1})
    ways = {"as it comes": list[str]()}
    for threads in counts:
        for executor in ("parallel", "single_threaded"):
            ways[f"{threads} threads, {executor}"] = [f"train.threads={threads}", f"train.executor={executor}"]
    with runs() as home:
        for case in told.cases:
            found: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(told.rounds):
                for way, sets in ways.items():
                    found[way].append(rate(case, home, sets))
            for way, rates in found.items():
                print(f"{case}: {way}: {statistics.median(rates):,.0f} examples a second", flush=True)


main()
