"""What a million predictions held as arrays take: scores with intervals, ledger, error analysis; and memory.

python tests/benchmarks/million_predictions.py
"""

import json
import os
import platform
import resource
import sys
import time

import numpy as np

N, CLASSES = 1_000_000, 10


def judged(numbers: bool):
    """A million predictions of ten classes, nine in ten right, or of numbers; with a tag of three values."""
    from dlspec.evaluators.classes import Classes
    from dlspec.evaluators.numbers import Numbers
    from dlspec.numeric.rows import Rows
    from dlspec.runs.judged import Judged, Part
    from dlspec.runs.predictions import Columns
    from dlspec.types import Examples

    random = np.random.default_rng(0)
    city = random.integers(0, 3, N)
    words = np.array(["Lyon", "Oslo", "Pisa"], object)[city]
    x = Rows({"city": words, "age": random.normal(50, 20, N), "spent": random.gamma(2.0, 30.0, N)})
    ids = [str(i) for i in range(N)]
    if numbers:
        evaluator, state = Numbers(), {"mean": 0.0, "scale": 1.0}
        truth = random.normal(size=N)
        predictions, y = truth + random.normal(0, 0.2, N), truth.tolist()
    else:
        names = [str(i) for i in range(CLASSES)]
        evaluator, state = Classes(), {"classes": names, "positive": None, "threshold": None}
        truth = random.integers(0, CLASSES, N)
        guess = np.where(random.random(N) < 0.9, truth, random.integers(0, CLASSES, N))
        predictions = random.random((N, CLASSES)) * 0.5
        predictions[np.arange(N), guess] += 1
        predictions /= predictions.sum(axis=1, keepdims=True)
        y = [names[i] for i in truth]
    examples = Examples(ids, x, y, tags={"city": words.tolist()})
    part = Part(examples, predictions, evaluator.statistics(examples, predictions, state))
    return Judged(evaluator, state, evaluator.metrics(state)[0], {"dev": part}, Columns(), None)


def main() -> None:
    from dlspec.report.watch import Watch
    from dlspec.runs.analyze import analyzed
    from dlspec.runs.evaluate import score
    from dlspec.runs.ledger import laid_out
    from dlspec.strategy.ledger import Level

    what = judged(sys.argv[-1] == "numbers")
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begun = time.perf_counter()
    scores = score(what, "dev")
    scored = time.perf_counter()
    ledger = laid_out(what, human=Level("human", 0, value=0.95))
    laid = time.perf_counter()
    result = analyzed(what, "dev", worst=20, looks=0, watch=Watch())
    done = time.perf_counter()
    print(
        json.dumps(
            {
                "python": platform.python_version(), "numpy": np.__version__, "processors": os.cpu_count(),
                "predictions": N, "evaluator": what.evaluator.name, "errors": result["errors"],
                "kinds": len(result["kinds"]), "slices": len(result["slices"]),
                "headline": {name: round(scores[name]["value"], 4) for name in list(scores)[:1]},
                "gap": ledger["gaps"][0]["value"],
                "seconds": {
                    "scores": round(scored - begun, 2), "ledger": round(laid - scored, 2),
                    "error analysis": round(done - laid, 2), "of the processor": round(time.process_time(), 2),
                },
                "memory_mb": {
                    "predictions held": round(held),
                    "at most": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                },
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
