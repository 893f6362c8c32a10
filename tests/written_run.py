"""A run directory that no training made: every file that the report reads, with names that mean harm."""

import csv
from pathlib import Path

import numpy as np

from dlspec.recipe.load import load
from dlspec.runs import contact, gallery, report
from dlspec.runs import folder as folders
from dlspec.runs.judged import Part
from dlspec.strategy import ceilings
from dlspec.types import Error, Examples, Splits

HARM = "<script>document.title='harm'</script>"
QUOTED = '"><img src=x onerror="document.title=\'harm\'">'
CLASSES = [HARM, QUOTED, *"23456789"]


def write(folder: Path, *, predictions: int = 500, pictures: int = 30, side: int = 64, seed: int = 0) -> Path:
    """A run of pictures: dev and test scored, dev analyzed, with so many predictions and worst pictures of noise."""
    random = np.random.default_rng(seed)
    run = folder / "pictures" / "20261122-233408"
    run.mkdir(parents=True)
    (run / "recipe.yaml").write_text("task: classification\ndata: digits\nmodel: lenet5  # " + HARM, encoding="utf-8")
    recipe = load(run / "recipe.yaml").recipe
    truth = random.integers(0, 10, predictions)
    scores = random.dirichlet(np.ones(10), predictions) * 0.6
    scores[np.arange(predictions), truth] += 0.4
    noise = random.integers(0, 256, (max(pictures, 50), side, side, 3), np.uint8)
    names = [f"{HARM} {i}.png" for i in range(predictions)]
    x = [noise[i % len(noise)] for i in range(predictions)]
    examples = Examples(names, x, [CLASSES[i] for i in truth], tags={HARM: [QUOTED] * predictions})
    entered = recipe.input.prepare(examples.take(range(20)))
    task = {"classes": CLASSES, "positive": None, "threshold": None}
    state = {"input": entered, "task": task, "shapes": entered["shapes"]}
    whole = Splits({"train": examples, "dev": examples, "test": examples}, "f00d", (HARM,))
    report.keep_data(run, recipe, whole, state, notes=whole.notes, warnings=[QUOTED], parameters=61_706)
    evaluator = recipe.task.evaluator
    scored = evaluator.statistics(examples, scores, task)
    for split in ("dev", "test"):
        report.keep_figures(run, split, evaluator, scored, task)
    found = [[Error(name, f"{HARM} → {QUOTED}", 1.0 + i, HARM, QUOTED)] for i, name in enumerate(names[:pictures])]
    gallery.keep_worst(run, "dev", recipe.input, examples, found)
    wrong = ceilings.find_errors(evaluator, examples, scores, task, scored)
    part = Part(examples, scores, scored)
    contact.keep(run, "dev", recipe.input, part, evaluator.outcomes(scored, task), wrong, np.ones(predictions, bool))
    metrics = evaluator.combine(scored)
    of = {
        name: {"value": value, "low": value - 0.01, "high": value + 0.01, "n": predictions}
        for name, value in metrics.items()
    }
    goal = {"metric": "accuracy", "value": metrics["accuracy"], "feasible": None}
    folders.looks_at_test(run, looking=True)
    folders.looks_at_test(run, looking=True)
    folders.write_json(
        run / "scores.json",
        {"scores": {"train": of, "dev": of, "test": of}, "goal": goal, "best_epoch": 7},
    )
    kinds = [
        {"kind": f"{a} → {b}", "count": 9, "share": 0.1, "low": 0.05, "high": 0.2, "ceiling": 0.9, "gain": 0.02}
        for a in CLASSES
        for b in CLASSES
        if a != b
    ]
    folders.write_json(
        run / "errors" / "dev.json",
        {
            "split": "dev", "examples": predictions, "errors": pictures, "metric": "accuracy", "value": 0.88,
            "kinds": kinds, "findings": [f"mending '{HARM}' would help", "few errors"], "worst": [],
            "slices": [{"name": HARM, "value": QUOTED, "n": 50, "errors": 9, "rate": 0.18, "low": 0.1, "high": 0.31,
                        "share": 0.2, "metric": None}],
            "importance": [{"part": HARM, "drop": 0.2, "deviation": 0.05, "low": 0.1, "high": 0.3},
                           {"part": QUOTED, "drop": -0.01, "deviation": None, "low": None, "high": None}],
        },
    )  # fmt: skip
    seen = {"epoch": 0.0, "rate": 0.1, "weight": [1.0, 2.0], "size": [9, 9], "saturated": [None, None]}
    samples = [
        {**seen, "step": step, "loss": 2.3, "gradient": [1e-9, 1.0], "ratio": [None if step == 0 else 1e-12, 0.003],
         "output": [0.5, 1.0], "dead": [0.25, None]}
        for step in (0, 1, 10, 100)
    ]  # fmt: skip
    folders.write_json(
        run / "health.json",
        {
            "verdict": "vanishing", "says": f"vanishing gradients in {HARM}", "concerns": [HARM], "diverged": None,
            "also": [{"verdict": "dead", "says": f"dead units in {QUOTED}"}],
            "change": {"model.activation": "relu"}, "reason": HARM, "mended_by": "suggestions/health.yaml",
            "layers": [{"name": HARM, "kind": "Dense"}, {"name": QUOTED, "kind": "Dense"}], "samples": samples,
        },
    )  # fmt: skip
    known = {"value": 0.99, "low": 0.99, "high": 0.99, "n": 0}
    folders.write_json(
        run / "ledger.json",
        {
            "metric": "accuracy", "best": "max", "largest": "variance", "needed": None,
            "verdict": f"variance is the largest gap of {HARM}",
            "levels": [{"name": "human", **known}, *({"name": split, **of["accuracy"]} for split in ("train", "dev"))],
            "gaps": [
                {"name": "avoidable bias", "above": "human", "below": "train", "value": 0.01, "low": -0.02,
                 "high": 0.04},
                {"name": "variance", "above": "train", "below": "dev", "value": 0.1, "low": 0.05, "high": None},
            ],
            "observed": [{"cause": "class imbalance", "says": f"'{QUOTED}' is rare"}],
            "prescriptions": [{"file": str(run / "suggestions" / "1.yaml"), "cause": "variance",
                               "changes": {"model.name": HARM, "model.dropout": None}, "reason": QUOTED}],
        },
    )  # fmt: skip
    folders.write_json(
        run / "machine.json",
        {
            "versions": {"python": "3.12.1", "dlspec": "0.1.0"}, "processor": HARM, "system": "Linux", "threads": 2,
            "seed": 3, "data_fingerprint": "f00d", "command": ["dlspec", "train", f"{QUOTED}.yaml"],
            "guarantee": "same bits",
        },
    )  # fmt: skip
    with open(run / "history.csv", "w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        writer.writerow(["epoch", "seconds", "train_accuracy", "train_loss", "dev_accuracy", "dev_log_loss"])
        for epoch in range(1, 11):
            writer.writerow(
                [epoch, 1.5, 0.5 + 0.04 * epoch, 3 / epoch**2, 0.5 + 0.03 * epoch, "nan" if epoch == 3 else 1]
            )
    return run
