"""Predictions written as a table and read again are the same, to the bit; a table that lacks something is refused."""

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from dlspec.evaluators.boxes import Boxes
from dlspec.evaluators.classes import Classes
from dlspec.evaluators.forecasts import Forecasts
from dlspec.evaluators.heads import Heads
from dlspec.evaluators.labels import Labels
from dlspec.evaluators.masks import Masks
from dlspec.evaluators.numbers import Numbers
from dlspec.evaluators.one_box import OneBox
from dlspec.evaluators.points import Points
from dlspec.evaluators.sentences import Said, Sentences
from dlspec.evaluators.tags import Tags
from dlspec.evaluators.tokens import Read, Tokens
from dlspec.recipe.component import names
from dlspec.types import DataError

random = np.random.default_rng(0)
NO_NUMBER = np.array([[np.nan, 0.5, 0.5], [0, 0, 0]])
TWO = {"classes": ["guess", "2"], "positive": "2", "threshold": 0.4}
SEEN = {"classes": ["a", "guess"], "thresholds": [0.5, 0.1], "separator": ";", "empty": "missing"}
MADE = {
    "boxes": (
        Boxes(),
        {"names": ["ant", "guess"], "threshold": 0.5, "overlap": 0.5},
        [*(random.uniform(size=(k, 6)) * [9, 9, 30, 30, 1, 1] for k in (3, 0, 100, 1)), np.full((2, 6), np.nan)],
    ),
    "classes": (
        Classes(),
        {"classes": ["ant", "guess", "2"], "positive": None, "threshold": None},
        np.concatenate([random.dirichlet(np.ones(3), 50), NO_NUMBER]),
    ),
    "heads": (
        Heads(),
        {
            "heads": {
                "x.y": {"evaluator": "classes", "state": TWO, "width": 2, "flat": False, "columns": None},
                "size": {"evaluator": "numbers", "state": {"scale": 1.0}, "width": 1, "flat": True, "columns": None},
                "seen": {"evaluator": "labels", "state": SEEN, "width": 2, "flat": False, "columns": ["a", "guess"]},
            }
        },
        np.concatenate([random.random((50, 5)), np.full((1, 5), np.nan)]),
    ),
    "labels": (
        Labels(),
        {"classes": ["ant", "guess", "2"], "thresholds": [0.5, 0.1, 0.9], "separator": ";", "empty": "none"},
        np.concatenate([random.random((50, 3)), NO_NUMBER]),
    ),
    "numbers": (Numbers(), {"mean": 0.0, "scale": 1.0}, np.concatenate([random.normal(size=50), [np.nan, np.inf]])),
    "one_box": (
        OneBox(),
        {"names": ["ant", "guess"], "threshold": 0.5, "overlap": 0.5},
        np.concatenate([random.uniform(size=(50, 7)), [[np.nan] * 7, [0] * 7]]),
    ),
    "points": (
        Points(),
        {"names": ["left eye", "guess", "x"], "threshold": 0.05, "normalizer": "box"},
        np.concatenate([random.normal(size=(50, 3, 2)), np.full((1, 3, 2), np.nan)]),
    ),
    "masks": (
        Masks(),
        {"names": ["ground", "guess"], "edge": 2, "tolerance": 0.01},
        random.choice([0, 1, 255], (50, 7, 9)).astype(np.uint8),
    ),
    "tags": (
        Tags(),
        {"names": ["B-a", "I-a", "O"], "types": ["a"], "scheme": "bio", "outside": "O"},
        [("O", "B-a", "I-a"), (), ("truth",)],
    ),
    "sentences": (
        Sentences(),
        {"tokenize": "13a"},
        [Said("ein „Hund“, 1,5 km", -0.25, [("guess", -1.5)]), Said("", None), Said("truth\tand guess", -2.0)],
    ),
    "forecasts": (
        Forecasts(),
        {"horizon": 3, "targets": ["level", "guess"], "season": 2, "scale": [1.0, 2.0]},
        np.concatenate([random.normal(size=(20, 3, 2)), np.full((1, 3, 2), np.nan)]),
    ),
    "tokens": (
        Tokens(),
        {"glue": " "},
        [Read(('„a"', "\n"), np.array([0.1 + 0.2, 7]), ("b", "\n")), Read((), np.zeros(0), ())],
    ),
}


@pytest.mark.parametrize("name", names("evaluators"))
def test_there_and_back(name, tmp_path):
    assert name in MADE, f"make predictions of the evaluator '{name}' here"
    evaluator, state, predictions = MADE[name]
    table = pyarrow.table(evaluator.columns(predictions, state))
    pyarrow.parquet.write_table(table, tmp_path / "dev.parquet")
    columns = pyarrow.parquet.read_table(tmp_path / "dev.parquet").to_pydict()
    again = evaluator.from_columns({"id": ["a"] * len(predictions), **columns}, state)
    assert len(again) == len(predictions)
    for one, held in zip(again, predictions, strict=True):
        if isinstance(held, Said):
            assert (one, one.score, one.others) == (held, held.score, held.others)
        elif isinstance(held, Read):
            assert (one.pieces, one.bits.tolist(), one.said) == (held.pieces, held.bits.tolist(), held.said)
        elif isinstance(held, tuple):
            assert one == held
        else:
            assert np.array_equal(one, held, equal_nan=True)


def test_a_missing_value_is_no_number():
    assert np.isnan(Numbers().from_columns({"guess": [1.5, None]}, {})[1])


def test_what_a_table_lacks_is_named():
    state = {"classes": ["no", "yes"], "positive": "yes", "threshold": 0.5}
    with pytest.raises(DataError, match="has no column 'p_no'; did you mean 'P_no'"):
        Classes().from_columns({"P_no": [0.5], "p_yes": [0.5]}, state)
    with pytest.raises(DataError, match="has no column 'guess'; it has x, y"):
        Numbers().from_columns({"x": [0.5], "y": [0.5]}, {})
    with pytest.raises(DataError, match=r"'guess'.*should hold numbers, got 'many'"):
        Numbers().from_columns({"guess": [0.5, None, "many"]}, {})
