"""What a run knows of itself when remedies are asked for: whether its training was still getting somewhere."""

import pytest

from dlspec.recipe.load import load
from dlspec.runs import folder as folders
from dlspec.runs.prescribe import falling, situation

FLAT = [1.0, 0.5, 0.3, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]


@pytest.mark.parametrize(
    ("losses", "expected"),
    [(FLAT, False), ([1.0, 0.9, 0.8], True), ([1.0], True), ([], False), ([0.5, 0.495], False), ([0.5, 0.6], False)],
)
def test_a_loss_falls_where_the_end_is_lower_by_more_than_a_fiftieth(losses, expected):
    assert falling(losses) is expected


@pytest.mark.parametrize(("best", "expected"), [(10, True), (9, False), (3, False), (None, False)])
def test_training_gets_somewhere_where_dev_is_at_its_best_at_the_end(tmp_path, best, expected):
    (tmp_path / "r.yaml").write_text("task: classification\ndata: iris\nmodel: linear\ntrain: {epochs: 10}\n")
    rows = "\n".join(f"{epoch},{loss}" for epoch, loss in enumerate(FLAT, 1))
    (tmp_path / "history.csv").write_text(f"epoch,train_loss\n{rows}\n")
    folders.write_json(tmp_path / "scores.json", {"scores": {}, "best_epoch": best})
    counts = {"train": {"examples": 90}, "dev": {"examples": 30}}
    folders.write_json(tmp_path / "data.json", {"splits": counts, "apart": ["dev"]})
    found = situation(tmp_path, load(tmp_path / "r.yaml").recipe, "avoidable bias")
    assert found.falling is expected and found.epochs == 10 and not found.stopped
    assert (found.train, found.dev, found.apart, found.classes) == (90, 30, True, True)
