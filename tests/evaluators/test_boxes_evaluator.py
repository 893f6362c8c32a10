"""Detections scored: as pycocotools and faster-coco-eval do, and by hand; kinds of error, mending, thresholds."""

import numpy as np
import pytest
from evaluators.coco_scenes import ORDER, as_coco, boxes, evaluated, examples, scenes

from dlspec.evaluators.boxes import Boxes
from dlspec.evaluators.one_box import OneBox
from dlspec.numeric.boxes import overlap
from dlspec.numeric.places import Box
from dlspec.strategy.ceilings import find_errors, kinds
from dlspec.types import DataError, Examples

STATE = {"names": ["cat", "dog"], "threshold": 0.5, "overlap": 0.5}


def state_of(classes, threshold=0.5, overlap=0.5):
    return {"names": [f"c{k}" for k in range(classes)], "threshold": threshold, "overlap": overlap}


def scored(truths, predictions, state=STATE, weights=None):
    data = Examples([str(i) for i in range(len(truths))], [None] * len(truths), truths)
    return Boxes().combine(Boxes().statistics(data, [np.array(p, float) for p in predictions], state), weights)


@pytest.mark.parametrize(
    ("count", "classes", "seed", "objects", "said"),
    [(60, 1, 1, 12, 60), (80, 3, 2, 12, 150), (30, 2, 3, 40, 400), (40, 12, 4, 5, 30), (7, 2, 5, 3, 3)],
)
def test_map_and_recall_are_those_of_pycocotools_and_of_faster_coco_eval(count, classes, seed, objects, said):
    truths, predictions = scenes(count, classes, seed, objects, said)
    statistics = Boxes().statistics(examples(truths), predictions, state_of(classes))
    mine = Boxes().combine(statistics)
    found = [mine[name] for name in ORDER]
    assert Boxes().combine(statistics, np.ones(count)) == mine
    truth, results = as_coco(truths, predictions, classes)
    for faster in (False, True):
        theirs = evaluated(truth, results, faster).stats[: len(ORDER)]
        assert np.where(np.isnan(found), -1, found) == pytest.approx(theirs, abs=1e-6)


def test_ap_of_each_class_is_that_of_pycocotools():
    from dlspec.numeric.detection_scores import scores

    truths, predictions = scenes(60, 5, 6)
    statistics = Boxes().statistics(examples(truths), predictions, state_of(5))
    theirs = evaluated(*as_coco(truths, predictions, 5)).eval["precision"][:, :, :, 0, 2].mean(axis=1)
    assert scores(statistics["boxes"], statistics["truths"]).by_class() == pytest.approx(theirs, abs=1e-6)


def test_each_class_alone_makes_up_the_mean_and_one_that_does_not_occur_is_left_out():
    truths, predictions = scenes(40, 3, 8)
    state, weights = state_of(4), np.random.default_rng(1).integers(0, 3, 40)
    statistics = Boxes().statistics(examples(truths), predictions, state)
    for own in (None, weights):
        table, whole = Boxes().by_class(statistics, state, own), Boxes().combine(statistics, own)
        assert sorted(table) == ["c0", "c1", "c2"]
        for name, mean in (("ap_50_95", "map_50_95"), ("ap_50", "map_50")):
            assert np.mean([one[name] for one in table.values()]) == pytest.approx(whole[mean], abs=1e-12)


def test_a_weight_stands_for_repeated_pictures():
    truths, predictions = scenes(40, 3, 7)
    random = np.random.default_rng(0)
    predictions = [np.where(np.arange(6) == 4, random.random((len(rows), 1)), rows) for rows in predictions]  # no ties
    statistics = Boxes().statistics(examples(truths), predictions, state_of(3))
    for _ in range(5):
        rows = np.sort(random.integers(0, 40, 40))
        drawn = {name: values[rows] for name, values in statistics.items()}
        weights = np.bincount(rows, minlength=40)
        assert Boxes().combine(statistics, weights) == pytest.approx(Boxes().combine(drawn), abs=1e-9, nan_ok=True)


def slow_voc(truths, predictions, classes, area):
    """VOC's AP as its development kit says it, box by box (no pixel is added to sides)."""
    found = []
    for k in range(classes):
        said = [(-rows[i, 4], p, i) for p, rows in enumerate(predictions) for i in range(len(rows)) if rows[i, 5] == k]
        own = [[one for one in truth if one[0] == f"c{k}"] for truth in truths]
        total, taken = sum(not one[5] for several in own for one in several), set()
        if not total:
            continue
        hits, wrong, curve = 0, 0, []
        for _, p, i in sorted(said):
            ious = [float(overlap(predictions[p][i, :4], np.array(one[1:5]))) for one in own[p]]
            best = int(np.argmax(ious)) if ious else 0
            if ious and ious[best] >= 0.5:
                if own[p][best][5]:
                    continue
                new = (p, best) not in taken
                taken.add((p, best))
                hits, wrong = hits + new, wrong + (not new)
            else:
                wrong += 1
            curve.append((hits / total, hits / (hits + wrong)))
        if area:
            steps = [0.0, *(r for r, _ in curve)]
            ap = sum((steps[j + 1] - steps[j]) * max(p for _, p in curve[j:]) for j in range(len(curve)))
        else:
            ap = sum(max((p for r, p in curve if r >= at), default=0.0) for at in np.linspace(0, 1, 11)) / 11
        found.append(ap)
    return np.mean(found)


@pytest.mark.parametrize("seed", [8, 9])
def test_voc_map_is_that_of_its_development_kit(seed):
    truths, predictions = scenes(30, 3, seed, 8, 40)
    mine = Boxes().combine(Boxes().statistics(examples(truths), predictions, state_of(3)))
    assert mine["voc_map"] == pytest.approx(slow_voc(truths, predictions, 3, True), abs=1e-9)
    assert mine["voc_map_11"] == pytest.approx(slow_voc(truths, predictions, 3, False), abs=1e-9)


CAT, DOG = Box("cat", 0, 0, 10, 10), Box("dog", 20, 0, 30, 10)


def test_by_hand():
    """Two cats: found, missed; a box on nothing between them.  Precision 1 up to recall ½, and nothing beyond."""
    truths = [(CAT,), (CAT,)]
    found = scored(truths, [[[0, 0, 10, 10, 0.9, 0], [50, 50, 60, 60, 0.8, 0]], [[50, 50, 60, 60, 0.7, 0]]])
    assert (found["map_50"], found["map_50_95"]) == pytest.approx((51 / 101, 51 / 101))
    assert found["voc_map"] == 0.5 and found["voc_map_11"] == pytest.approx(6 / 11)
    assert found["ar_1"] == found["ar_100"] == found["ar_small"] == 0.5
    assert (found["precision"], found["recall"]) == (pytest.approx(1 / 3), 0.5)
    assert found["f1"] == pytest.approx(2 / 5)
    assert np.isnan([found["map_medium"], found["map_large"], found["ar_large"]]).all()


def test_a_box_that_overlaps_by_three_quarters_counts_at_six_of_ten_ious():
    found = scored([(CAT,)], [[[0, 0, 10, 7.6, 0.9, 0]]])
    assert found["map_50_95"] == pytest.approx(0.6) and found["map_75"] == 1 and found["map_50"] == 1


def test_a_crowd_need_not_be_found_and_is_not_wrong_when_found():
    crowd = Box("cat", 0, 0, 100, 10, True)
    for said in ([], [[0, 0, 10, 10, 0.9, 0], [20, 0, 30, 10, 0.8, 0]]):
        found = scored([(crowd, DOG)], [[*said, [20, 0, 30, 10, 0.7, 1]]])
        assert found["map_50_95"] == found["f1"] == found["voc_map"] == 1
    assert np.isnan(scored([(crowd,)], [[]])["map_50_95"])


def test_of_nothing_nothing_is_known():
    assert np.isnan(list(scored([(), ()], [np.zeros((0, 6))] * 2).values())).all()
    found = scored([(), ()], [[[0, 0, 1, 1, 0.9, 0]], np.zeros((0, 6))])
    assert np.isnan(found["map_50_95"]) and found["precision"] == 0 and np.isnan(found["recall"])
    found = scored([(CAT,)], [np.zeros((0, 6))])
    assert found["map_50_95"] == found["recall"] == found["f1"] == 0 and np.isnan(found["precision"])
    assert any("no mAP" in one for one in Boxes().remarks(Examples(["a"], [None], [()]), STATE))


SAID = {
    "right": ((CAT,), [[0, 0, 10, 10, 0.9, 0]]),
    "class": ((CAT,), [[0, 0, 10, 10, 0.9, 1]]),
    "location": ((CAT,), [[0, 0, 10, 4, 0.9, 0]]),
    "class and location": ((CAT,), [[0, 0, 10, 4, 0.9, 1]]),
    "duplicate": ((CAT,), [[0, 0, 10, 10, 0.9, 0], [0, 0, 10, 9, 0.8, 0]]),
    "background": ((CAT,), [[0, 0, 10, 10, 0.9, 0], [40, 0, 50, 9, 0.8, 0]]),
    "missed": ((CAT,), [[0, 0, 10, 10, 0.3, 0]]),
}


def test_kinds_of_error_by_hand():
    for kind, (truth, rows) in SAID.items():
        found = Boxes().errors(Examples([kind], [None], [truth])[0], np.array(rows), STATE)
        expected = {"right": [], "class and location": [kind, "missed"]}.get(kind, [kind])
        assert [one.kind for one in found] == expected
        for error in found:
            assert error.size == pytest.approx(
                {"duplicate": 0.8, "background": 0.8, "missed": 0.7}.get(kind, 0.9) if error.kind == kind else 1
            )
    [error] = Boxes().errors(Examples(["a"], [None], [(CAT,)])[0], np.array(SAID["location"][1]), STATE)
    assert error.truth == "cat (0, 0, 10, 10)" and error.guess == "cat (0, 0, 10, 4), 0.9, IoU 0.40"
    [error] = Boxes().errors(Examples(["a"], [None], [(CAT,)])[0], np.array(SAID["missed"][1]), STATE)
    assert error.guess == "nothing (0.3)"


def test_mending_by_hand():
    expected = {
        "class": [[0, 0, 10, 10, 0.9, 0]],
        "location": [[0, 0, 10, 10, 0.9, 0]],
        "class and location": [[0, 0, 10, 10, 0.9, 0]],
        "duplicate": [[0, 0, 10, 10, 0.9, 0]],
        "background": [[0, 0, 10, 10, 0.9, 0]],
        "missed": [[0, 0, 10, 10, 1, 0], [0, 0, 10, 10, 0.3, 0]],
    }
    for kind, rows in expected.items():
        example = Examples([kind], [None], [SAID[kind][0]])[0]
        assert Boxes().mend(example, np.array(SAID[kind][1]), kind, STATE).tolist() == rows


def test_a_wrong_box_whose_truth_is_found_already_goes():
    rows = np.array([[0, 0, 10, 10, 0.9, 0], [0, 0, 10, 4, 0.8, 0], [0, 0, 10, 9, 0.7, 1]])
    example = Examples(["a"], [None], [(CAT,)])[0]
    assert [one.kind for one in Boxes().errors(example, rows, STATE)] == ["location", "class"]
    for kind, left in (("location", 2), ("class", 1)):
        assert Boxes().mend(example, rows, kind, STATE).tolist() == np.delete(rows, 3 - left, axis=0).tolist()


def test_mending_leaves_no_error_of_the_kind_and_what_is_missed_is_worth_something():
    truths, predictions = scenes(60, 3, 10)
    data, state = examples(truths), state_of(3, 0.6)
    evaluator = Boxes()
    statistics = evaluator.statistics(data, predictions, state)
    found = {one.kind: one for one in kinds(evaluator, data, predictions, state)}
    assert set(found) == {"class", "location", "class and location", "duplicate", "background", "missed"}
    for kind, one in found.items():
        mended = evaluator.mended(data, predictions, kind, state)
        again = evaluator.statistics(data, mended, state)
        assert kind not in {name for name, _ in find_errors(evaluator, data, mended, state, again).touched()}
        assert all((np.diff(rows[:, 4]) <= 0).all() for rows in mended)
        assert one.ceiling == pytest.approx(evaluator.combine(again)["map_50_95"])
    assert found["missed"].gain > 0 and found["class"].gain > 0 and found["background"].gain > 0
    assert evaluator.combine(statistics)["map_50_95"] < 1


def test_every_object_and_every_box_stands_in_one_cell():
    from dlspec.numeric.detection_records import CELL, unpacked

    truths, predictions = scenes(60, 3, 11)
    statistics = Boxes().statistics(examples(truths), predictions, state_of(3, 0.5))
    cells, _ = unpacked(statistics["cells"], CELL)
    objects = [name for own in truths for name, *_, crowd in own if not crowd]
    counts = statistics["counts"].sum(axis=0)
    for k in range(3):
        assert (cells["truth"] == k).sum() == objects.count(f"c{k}")
    assert ((cells["truth"] >= 0) & (cells["truth"] == cells["guess"])).sum() == counts[0]
    assert (cells["guess"] >= 0).sum() == counts[0] + counts[2]
    assert not ((cells["truth"] < 0) & (cells["guess"] < 0)).any()


def test_confusion_matrix_by_hand():
    """A cat that is taken for a dog; nothing where nothing is; a box on nothing; a miss; both sides alone."""
    truths = [(CAT,), (), (), (DOG,), (CAT, DOG)]
    rows = [
        [[0, 0, 10, 10, 0.9, 1]],
        np.zeros((0, 6)),
        [[0, 0, 10, 10, 0.9, 1]],
        np.zeros((0, 6)),
        [[0, 0, 10, 10, 0.9, 0], [60, 0, 70, 10, 0.8, 0]],
    ]
    data = Examples(list("abcde"), [None] * 5, truths)
    statistics = Boxes().statistics(data, [np.array(one, float) for one in rows], STATE)
    [matrix] = [one.data for one in Boxes().figures(statistics, STATE) if one.title == "Confusion matrix"]
    assert matrix["rows"] == matrix["columns"] == ["cat", "dog", "background"]
    assert matrix["values"] == [[1, 1, 0], [0, 0, 2], [1, 1, 0]]


def test_the_threshold_is_where_f1_is_highest():
    truths, predictions = scenes(40, 3, 12)
    data, state = examples(truths), state_of(3)
    fitted = Boxes().fitted_threshold(data, predictions, state)
    every = np.unique(np.concatenate([rows[:, 4] for rows in predictions]))
    f1 = [
        Boxes().combine(Boxes().statistics(data, predictions, {**state, "threshold": t}), only={"f1"})["f1"]
        for t in (*every[::7], fitted)
    ]
    assert f1[-1] == max(f1) and fitted not in every
    nothing = [np.zeros((0, 6))] * len(data)
    assert Boxes().fitted_threshold(data, nothing, {**state, "threshold": 0.3}) == 0.3


def test_a_class_that_train_has_not_is_one_class_more():
    horse = Examples(["h"], [None], [(Box("horse", 0, 0, 10, 10),)])
    perfect = Boxes().perfect(horse[0], STATE)
    assert Boxes().errors(horse[0], perfect, STATE) == [] and "horse" in Boxes().remarks(horse, STATE)[0]
    assert Boxes().columns([perfect], STATE)["guess"] == ["? (0, 0, 10, 10)"]


def test_what_is_no_number_is_wrong_and_breaks_nothing():
    rows = np.array([[np.nan, 0, 10, 10, 0.9, 0], [0, 0, 10, 10, np.nan, 0], [0, 0, 10, 10, 0.8, 0]])
    found = scored([(CAT,)], [rows])
    assert found["recall"] == 1 and found["precision"] == 0.5
    with pytest.raises(DataError, match="1 of 1 predictions have a number that is none in a box or its confidence: a"):
        Boxes().received(Boxes().columns([rows], STATE), ["a"], STATE)


def test_refusals():
    table = lambda row: {"boxes": [f"[{row}]"], "guess": ["nothing"]}  # noqa: E731
    with pytest.raises(DataError, match=r"class index that is not a whole number from 0 to 1 \(cat, dog …\): a"):
        Boxes().received(table([0, 0, 1, 1, 0.5, 2]), ["a"], STATE)
    with pytest.raises(DataError, match="corners are swapped: a"):
        Boxes().received(table([5, 0, 1, 1, 0.5, 1]), ["a"], STATE)
    for text in ("[[1, 2]]", "{}", "cat", '[[0, 0, 1, 1, 0.5, "cow"]]'):
        with pytest.raises(DataError, match="row 1 of column 'boxes'"):
            Boxes().from_columns({"boxes": [text]}, STATE)
    assert Boxes().received({"boxes": ["[]"]}, ["a"], STATE)[1] == ["nothing is predicted of any of 1 pictures"]


def test_a_table_tells_itself():
    table = {"truth": ["cat (0, 0, 1, 1); dog (0, 0, 2, 2)", "nothing"], "guess": ["nothing", "dog (0, 0, 1, 1)"]}
    assert Boxes().recognize(table) == STATE
    assert Boxes().recognize({**table, "guess": ["cat", "dog"]}) is None
    one = {"truth": ["cat (0, 0, 1, 1)", "nothing"], "guess": ["nothing"] * 2, "boxes": ["[]"] * 2}
    assert Boxes().recognize(one) == {"names": ["cat"], "threshold": None, "overlap": 0.5}
    named = {**one, "boxes": ['[[0, 0, 1, 1, 0.5, "cow"]]', '[[0, 0, 1, 1, 0.5, "cat"]]']}
    assert Boxes().recognize(named)["names"] == ["cat", "cow"]
    del named["guess"]
    assert [rows[0, 5] for rows in Boxes().from_columns(named, Boxes().recognize(named))] == [1, 0]
    assert Boxes().recognize({**one, "boxes": ["[[0, 0, 1, 1, 0.5, 1]]", "[]"]}) is None  # of which names?
    assert OneBox().recognize(one) is None
    [row, _] = Boxes().from_columns({"guess": table["truth"]}, STATE)
    assert row.tolist() == [[0, 0, 1, 1, 1, 0], [0, 0, 2, 2, 1, 1]]


def test_figures_are_there():
    import json

    truths, predictions = scenes(60, 3, 13)
    state = state_of(3)
    found = Boxes().figures(Boxes().statistics(examples(truths), predictions, state), state)
    assert [one.title for one in found] == [
        "AP (IoU 0.5 to 0.95) of each class", "AP at IoU 0.5 of each class", "Precision and recall",
        "Confusion matrix", "Kinds of error by class", "Kinds of error by size", "Kinds of error by crowding",
        "Calibration of confidence", "How sure the guesses are",
    ]  # fmt: skip
    json.dumps([one._asdict() for one in found], allow_nan=False)
    none = Boxes().statistics(examples([[]]), [np.zeros((0, 6))], state)
    json.dumps([one._asdict() for one in Boxes().figures(none, state)], allow_nan=False)


def test_marks_are_what_is_true_and_what_is_said():
    truth, guess = Boxes().marks(
        Examples(["a"], [None], [boxes([("cat", 0, 0, 9, 9)])])[0],
        np.array([[0, 0, 5, 5, 0.6, 1], [0, 0, 5, 5, 0.1, 0]]),
        STATE,
    )
    assert [one[:5] for one in truth.boxes] == [("cat", 0, 0, 9, 9)]
    assert [one[:5] for one in guess.boxes] == [("dog", 0, 0, 5, 5)]


def test_facts_of_truths():
    truths = [(CAT, Box("cat", 0, 0, 10, 5), DOG), ()]
    facts = Boxes().facts(Examples(["a", "b"], [None] * 2, truths), STATE)
    assert facts["objects"].tolist() == [3, 0] and facts["crowding"].tolist() == [0.5, 0]
    assert facts["smallest object"][0] == pytest.approx(50**0.5) and facts["largest object"][0] == 10
    assert np.isnan(facts["smallest object"][1]) and facts["has dog"].tolist() == ["yes", "no"]


def test_costs_weigh_the_kinds():
    truths, predictions = scenes(30, 2, 14)
    evaluator = Boxes().weighed({"missed": 5})
    statistics = evaluator.statistics(examples(truths), predictions, state_of(2))
    plain = Boxes().kinds_of(examples(truths), predictions, statistics, state_of(2))
    missed = (plain.codes == plain.names.index("missed")).sum()
    assert evaluator.combine(statistics)["weighted_error"] == pytest.approx((len(plain.rows) + 4 * missed) / 30)


def test_very_many_boxes_on_one_picture_take_little_memory():
    import tracemalloc

    random = np.random.default_rng(0)
    corner = random.uniform(0, 2000, (100_000, 2))
    rows = np.concatenate([corner, corner + 20, random.random((100_000, 1)), np.zeros((100_000, 1))], axis=1)
    truth = tuple(Box("cat", *row[:4]) for row in rows[:20].tolist())
    tracemalloc.start()
    found = scored([truth], [rows])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found["recall"] > 0 and most < 200e6
    [said] = Boxes().received({"boxes": [rows]}, ["a"], STATE)[1]
    assert "'a' 100,000" in said


def test_boxes_that_all_lie_on_each_other_are_refused(monkeypatch):
    monkeypatch.setattr("dlspec.numeric.box_matching.MOST_PAIRS", 1_000)
    with pytest.raises(DataError, match="0: 50 boxes and 50 truths lie on each other in more than 1,000 pairs"):
        scored([(CAT,) * 50], [[[0, 0, 10, 10, 0.9, 0]] * 50])
