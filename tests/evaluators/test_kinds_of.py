"""Errors of many examples as arrays: what an evaluator tells at once is what it says one by one."""

import numpy as np
import pytest

from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.boxes import Boxes
from dlspec.evaluators.classes import Classes
from dlspec.evaluators.forecasts import Forecasts
from dlspec.evaluators.heads import Heads
from dlspec.evaluators.labels import Labels
from dlspec.evaluators.masks import Masks
from dlspec.evaluators.numbers import Numbers
from dlspec.evaluators.one_box import OneBox
from dlspec.evaluators.points import Points
from dlspec.evaluators.sentences import Sentences
from dlspec.evaluators.tags import Tags
from dlspec.evaluators.tokens import Read, Tokens
from dlspec.numeric.places import Box, Point
from dlspec.recipe.component import names
from dlspec.strategy.ceilings import find_errors, kinds, worst
from dlspec.types import Examples

random = np.random.default_rng(0)
N = 300
ROWS = np.concatenate([random.dirichlet(np.ones(3), N - 2), [[np.nan, 0.5, 0.5], [0, 0, 0]]])
TWO = random.dirichlet(np.ones(2), N)
TRUTHS = [["a", "b", "c", "new", "none of them"][i] for i in random.integers(0, 5, N)]
NUMBERS = random.normal(size=N)
CERTAIN = np.eye(3)[random.integers(0, 3, N)]
BOXES = [(Box("abc"[i % 3], i % 5, 1, 9 + i % 7, 8),) if i % 4 else () for i in range(N)]
BOXED = np.concatenate(
    [random.uniform(size=(N, 1)), random.uniform(0, 5, (N, 2)), random.uniform(6, 15, (N, 2)), TWO], axis=1
)
BOXED[7] = np.nan
FACES = [(Point("eye", 1, 1), Point("nose", 5, 5), Point("mouth", 3, 9))[: i % 4] for i in range(N)]
POINTED = np.array([[1, 1], [5, 5], [3, 9]]) + random.normal(size=(N, 3, 2))
POINTED[::5, 0] = (5, 5)
POINTED[8] = np.nan
MADE = {
    "classes": [
        (Classes(), {"classes": ["a", "b", "c"], "positive": None, "threshold": None}, TRUTHS, ROWS),
        (Classes(), {"classes": ["a", "b"], "positive": "b", "threshold": 0.3}, TRUTHS, TWO),
        (
            Classes(),
            {"classes": ["a", "b", "c"], "positive": None, "threshold": None, "probabilities": False},
            TRUTHS,
            CERTAIN,
        ),
    ],
    "heads": [
        (
            Heads(),
            {
                "heads": {
                    "kind": {
                        "evaluator": "classes",
                        "state": {"classes": ["a", "b", "c"], "positive": None, "threshold": None},
                        "width": 3,
                        "flat": False,
                    },
                    "size": {
                        "evaluator": "numbers",
                        "state": {"mean": 0.0, "scale": 1.0},
                        "width": 1,
                        "flat": True,
                    },
                    "seen": {
                        "evaluator": "labels",
                        "state": {"classes": ["x"], "thresholds": [0.5], "separator": ";", "empty": "missing"},
                        "width": 1,
                        "flat": False,
                        "columns": ["x"],
                    },
                }
            },
            [
                {
                    "kind": None if i % 3 == 0 else truth,
                    "size": None if i % 5 == 0 else NUMBERS[i],
                    "x": (0, 1, None)[i % 3],
                }
                for i, truth in enumerate(TRUTHS)
            ],
            np.concatenate([ROWS, NUMBERS[::-1, None], ROWS[::-1, :1]], axis=1),
        )
    ],
    "labels": [
        (
            Labels(),
            {"classes": ["a", "b", "c"], "thresholds": [0.5, 0.1, 0.9], "separator": ";", "empty": "missing"},
            [("a;b", "c", "none", "b;?c", None, "new;a")[i] for i in random.integers(0, 6, N)],
            np.concatenate([random.random((N - 2, 3)), ROWS[-2:]]),
        )
    ],
    "numbers": [
        (
            Numbers(),
            {"mean": 0.0, "scale": 1.0},
            NUMBERS.tolist(),
            np.concatenate([NUMBERS[2:] + random.normal(size=N - 2), [np.nan, np.inf]]),
        )
    ],
    "one_box": [(OneBox(), {"names": ["a", "b"], "threshold": 0.3, "overlap": 0.5}, BOXES, BOXED)],
    "points": [
        (Points(), {"names": ["eye", "nose", "mouth"], "threshold": 0.1, "normalizer": how}, FACES, POINTED)
        for how in ("box", ["eye", "nose"])
    ],
}
SQUARES = np.zeros((N, 12, 12), np.uint8)
SQUARES[:, 2:9, 3:8] = random.integers(1, 3, (N, 1, 1))
SQUARES[:, 10] = 255
PAINTED = np.where(random.uniform(size=SQUARES.shape) < 0.02, 1, np.roll(SQUARES, 1, axis=2)).astype(np.uint8)
MADE["masks"] = [
    (Masks(), {"names": ["ground", "cat", "dog"], "edge": 1, "tolerance": low}, list(SQUARES), PAINTED)
    for low in (0.0, 0.02)
]
DETECTED = np.empty(N, object)
SCENES = [tuple(Box("abc"[k % 3], 9 * k, i % 3, 9 * k + 7 + i % 4, 8) for k in range(i % 5)) for i in range(N)]
for i, scene in enumerate(SCENES):
    said = [[*box[1:5], 0.5, "abc".index(box.name)] for box in scene[: 1 + i % 4]] + [[1, 1, 9, 9, 0, 0]] * (i % 2)
    said = np.array(said, float).reshape(-1, 6)
    said[:, :4] += random.normal(size=(len(said), 4)) * 1.5
    said[:, 4] = random.uniform(size=len(said))
    said[:, 5] = np.where(random.uniform(size=len(said)) < 0.2, 0, said[:, 5])
    DETECTED[i] = said[np.argsort(-said[:, 4])]
MADE["boxes"] = [
    (Boxes(), {"names": ["a", "b", "c"], "threshold": 0.2, "overlap": 0.5}, SCENES, DETECTED),
    (Boxes(), {"names": ["a", "b"], "threshold": 0.4, "overlap": 0.3}, SCENES, DETECTED),
]
SPOKEN = np.empty(N, object)
SPOKEN[:] = [" ".join(random.choice(list("abcd"), random.integers(0, 9))) for _ in range(N)]
MADE["sentences"] = [(Sentences(), {"tokenize": "13a"}, ["a b c d e"] * N, SPOKEN)]
TAGGED, WORDS = np.empty(N, object), ["B-a", "B-b", "I-a", "I-b", "O", "O", "O"]
TAGGED[:] = [tuple(random.choice(WORDS, 6).tolist()) for _ in range(N)]
TRUE_TAGS = [tuple(np.where(random.random(6) < 0.7, one, "O").tolist()) for one in TAGGED]
BIO = {"names": WORDS, "types": ["a", "b"], "scheme": "bio", "outside": "O"}
MADE["tags"] = [
    (Tags(), BIO, TRUE_TAGS, TAGGED),
    (Tags(), {**BIO, "types": sorted(set(WORDS)), "scheme": "plain"}, TRUE_TAGS, TAGGED),
]
READ = np.empty(N, object)
for i in range(N):
    pieces = tuple(random.choice(list("ab 1.Z"), random.integers(0, 20)))
    said = tuple(piece if right else "#" for piece, right in zip(pieces, random.random(len(pieces)) < 0.7, strict=True))
    READ[i] = Read(pieces, random.exponential(2, len(pieces)), said)
MADE["tokens"] = [(Tokens(), {"common": list("ab 1.")}, ["".join(one.pieces) for one in READ], READ)]
PAST, AHEAD = random.normal(size=(N, 6, 1)).cumsum(axis=1), random.normal(size=(N, 3, 1))
GUESSED = AHEAD + random.normal(size=(N, 3, 1)) * random.choice([0.5, 2, 9], (N, 1, 1))
GUESSED[9] = np.nan
MADE["forecasts"] = [
    (Forecasts(), {"horizon": 3, "targets": ["level"], "season": 2, "scale": [1.0]}, list(AHEAD), GUESSED, list(PAST))
]
CASES = [(name, case) for name, cases in MADE.items() for case in range(len(cases))]


def test_every_evaluator_is_held_to_it():
    assert set(names("evaluators")) == set(MADE), "make predictions of the new evaluator here"


@pytest.mark.parametrize(("name", "case"), CASES)
def test_at_once_as_one_by_one(name, case):
    evaluator, state, truths, predictions, *x = MADE[name][case]
    examples = Examples([str(i) for i in range(N)], x[0] if x else predictions, truths)
    statistics = evaluator.statistics(examples, predictions, state)
    fast = evaluator.kinds_of(examples, predictions, statistics, state)
    slow = Evaluator.kinds_of(evaluator, examples, predictions, statistics, state)
    assert len(slow.rows) > 50 and np.array_equal(fast.rows, slow.rows)
    assert [fast.names[code] for code in fast.codes] == [slow.names[code] for code in slow.codes]
    assert fast.sizes == pytest.approx(slow.sizes)
    for kind in set(slow.names):
        rows = [
            row for row, code in zip(slow.rows.tolist(), slow.codes.tolist(), strict=True) if slow.names[code] == kind
        ]
        some, held = examples.take(rows), predictions[rows]
        fast_mended = evaluator.mended(some, held, kind, state)
        slow_mended = Evaluator.mended(evaluator, some, held, kind, state)
        assert len(fast_mended) == len(slow_mended)
        for one, other in zip(fast_mended, slow_mended, strict=True):
            if isinstance(one, Read):
                one, other = ((read.pieces, read.bits.tolist(), read.said) for read in (one, other))
            same = isinstance(one, str | tuple)
            assert one == other if same else np.array_equal(one, other, equal_nan=True)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_some_metrics_alone_are_those_of_all(name, case):
    evaluator, state, truths, predictions, *x = MADE[name][case]
    examples = Examples([str(i) for i in range(N)], x[0] if x else predictions, truths)
    statistics = evaluator.statistics(examples, predictions, state)
    weights = random.integers(0, 3, N).astype(float)
    for given in (None, weights):
        whole = evaluator.combine(statistics, given)
        for metric in evaluator.metrics(state):
            alone = evaluator.combine(statistics, given, only={metric.name})
            assert alone[metric.name] == pytest.approx(whole[metric.name], nan_ok=True)


def test_of_many_examples_the_needed_ceilings_alone(monkeypatch):
    evaluator, state, truths, predictions = MADE["classes"][0]
    examples = Examples([str(i) for i in range(N)], predictions, truths)
    whole = {one.kind: one for one in kinds(evaluator, examples, predictions, state)}
    monkeypatch.setattr("dlspec.strategy.ceilings.MANY", 100)
    few = {one.kind: one for one in kinds(evaluator, examples, predictions, state, needed="f1")}
    assert few.keys() == whole.keys()
    for kind, one in few.items():
        assert one.ceiling == whole[kind].ceiling and "roc_auc" not in one.ceilings
        assert one.ceilings["f1"] == whole[kind].ceilings["f1"]


def test_the_worst_are_the_same_by_either_way():
    evaluator, state, truths, predictions = MADE["numbers"][0]
    examples = Examples([str(i) for i in range(N)], predictions, truths)
    found = find_errors(evaluator, examples, predictions, state)
    assert worst(found, 30) == worst([list(errors) for errors in found], 30)
