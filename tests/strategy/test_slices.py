import math
import re

import numpy as np
import pytest

from dlspec.strategy.conditions import Condition, column, widened
from dlspec.strategy.slices import LEVEL, _Family, find_slices, searched


def rows_of(random, n=2000):
    return {
        "city": random.choice(np.array(["Lyon", "Oslo", "Pisa", "Rome"], object), n),
        "age": random.normal(50, 15, n),
        "rooms": random.integers(1, 7, n).astype(float),
    }


def dealt(random, rows, inside, outside):
    return random.random(len(rows)) < np.where(rows, inside, outside)


def test_a_planted_word_is_named_alone():
    random = np.random.default_rng(0)
    facts = rows_of(random)
    facts["city"][:100] = "Bonn"
    wrong = dealt(random, facts["city"] == "Bonn", 0.4, 0.09)
    (found,) = find_slices(facts, wrong)
    assert str(found) == "city = Bonn" and found.p <= LEVEL
    np.testing.assert_array_equal(found.rows(facts), facts["city"] == "Bonn")


@pytest.mark.parametrize(("low", "high"), [(70, math.inf), (-math.inf, 30), (45, 50)])
def test_a_planted_range_of_numbers_is_found_about_where_it_is(low, high):
    random = np.random.default_rng(1)
    facts = rows_of(random)
    rows = (facts["age"] >= low) & (facts["age"] < high)
    found = find_slices(facts, dealt(random, rows, 0.5, 0.08))
    assert [one.conditions[0].column for one in found] == ["age"] and len(found[0].conditions) == 1
    held = found[0].rows(facts)
    assert (held & rows).sum() / (held | rows).sum() > 0.7


def test_two_conditions_that_matter_only_together():
    random = np.random.default_rng(2)
    facts = rows_of(random)
    rows = (facts["city"] == "Oslo") & (facts["rooms"] == 6)
    found = find_slices(facts, dealt(random, rows, 0.7, 0.06))
    assert {one.column for one in found[0].conditions} == {"city", "rooms"}
    assert (found[0].rows(facts) & rows).sum() == rows.sum()


def test_of_columns_that_say_the_same_one_is_reported():
    random = np.random.default_rng(3)
    facts = rows_of(random)
    facts["again"] = facts["city"].copy()
    facts["nearly"] = np.where(random.random(2000) < 0.95, facts["city"], "Rome").astype(object)
    found = find_slices(facts, dealt(random, facts["city"] == "Pisa", 0.3, 0.05))
    assert [str(one) for one in found] in (["city = Pisa"], ["again = Pisa"])


def test_two_planted_slices_are_both_found():
    random = np.random.default_rng(4)
    facts = rows_of(random)
    one, other = facts["city"] == "Rome", facts["rooms"] == 1
    found = find_slices(facts, dealt(random, one | other, 0.35, 0.05))
    assert {str(slice_) for slice_ in found} == {"city = Rome", "rooms = 1"}


def test_what_is_missing_is_a_slice():
    random = np.random.default_rng(5)
    facts = rows_of(random)
    facts["age"][::20] = np.nan
    facts["city"][1::20] = None
    gone = np.isnan(facts["age"])
    assert str(find_slices(facts, dealt(random, gone, 0.5, 0.08))[0]) == "age is missing"
    gone = np.array([one is None for one in facts["city"]])
    assert str(find_slices(facts, dealt(random, gone, 0.5, 0.08))[0]) == "city is missing"


def test_the_length_of_a_text_is_a_column():
    random = np.random.default_rng(6)
    length = random.integers(3, 80, 2000)
    text = np.array([f"{row:04d}" + "x" * many for row, many in enumerate(length)], object)
    facts = widened({"text": text, "city": rows_of(random)["city"]})
    assert set(facts) == {"text", "length of text", "city"}
    found = find_slices(facts, dealt(random, length > 70, 0.5, 0.06))
    assert [one.conditions[0].column for one in found] == ["length of text"]


def test_dates_have_ranges_and_are_said_as_dates():
    random = np.random.default_rng(10)
    days = np.datetime64("2019-01-01") + random.integers(0, 1800, 2000)
    late = days >= np.datetime64("2023-06-01")
    days[::50] = np.datetime64("NaT")
    facts = widened({"joined": days, "city": rows_of(random)["city"]})
    (found,) = find_slices(facts, dealt(random, late, 0.4, 0.08))
    (condition,) = found.conditions
    assert condition.column == "joined" and str(found).startswith("joined ≥ 2023-0")
    assert (found.rows(facts) & late).sum() > 0.8 * late[~np.isnat(days)].sum()
    assert not found.rows(facts)[::50].any()
    moments = np.datetime64("2024-03-01T00:00:00") + random.integers(0, 5 * 86_400, 2000)
    night = (moments >= np.datetime64("2024-03-03T08:00:00")) & (moments < np.datetime64("2024-03-03T15:00:00"))
    (found,) = find_slices({"at": moments}, dealt(random, night, 0.5, 0.08))
    assert re.fullmatch(r"2024-03-03 0[78](:\d\d)? ≤ at < 2024-03-03 1[456](:\d\d)?", str(found))
    gone = np.isnat(days)
    assert str(find_slices(facts, dealt(random, gone, 0.7, 0.08))[0]) == "joined is missing"
    few = random.choice(np.array(["2020-01-01", "2020-02-01", "2020-03-01"], "M8[D]"), 2000)
    found = find_slices({"at": few}, dealt(random, few == few.min(), 0.3, 0.08))
    assert [str(one) for one in found] == ["at = 2020-01-01"]


def test_cuts_of_dates_are_where_something_begins_as_far_as_there_is_room():
    days = np.arange(np.datetime64("2000-01-01"), np.datetime64("2020-01-01"))
    made = column("at", days, 16, 20, 10)
    bounds = {str(one).partition(" ≥ ")[2] for one in made.conditions if " ≥ " in str(one)}
    assert len(bounds) == 15 and sum(bound.endswith("-01") for bound in bounds) == 15


def test_other_rows_of_a_text_are_a_text():
    mostly = {"note": np.array(["a", "bb", "cc", "ddd"], object)}
    again = {"note": np.array(["a", "a", "a", "a"], object)}
    assert set(widened(again, widened(mostly))) == {"note", "length of note"}
    assert set(widened(mostly, widened(again))) == {"note"}


def test_clean_data_has_few_false_slices():
    random = np.random.default_rng(7)
    false = 0
    for seed in range(12):
        facts = rows_of(random, 600)
        false += bool(find_slices(facts, random.random(600) < 0.1, seed=seed))
    assert false <= 2  # 0.5 are expected; three and more have a chance of 1 %


def test_errors_that_come_in_groups_are_no_slice():
    """Of 40 patients five are hard: their ages make slices that are sure, were the pictures of a patient unrelated."""
    random = np.random.default_rng(8)
    patient = np.repeat(np.arange(40), 50)
    facts = {
        "age": random.normal(50, 15, 40)[patient],
        "ward": random.choice(np.array(["a", "b"], object), 40)[patient],
    }
    wrong = random.random(2000) < np.where(np.isin(patient, [3, 9, 17, 25, 31]), 0.6, 0.03)
    assert find_slices(facts, wrong)
    assert not find_slices(facts, wrong, units=patient)


def test_the_score_is_the_likelihood_ratio_worked_by_hand():
    facts = {"c": np.array(["a"] * 20 + ["b"] * 60, object)}
    wrong = np.zeros(80, bool)
    wrong[:10] = wrong[20:30] = True  # 10 of 20, 10 of 60: 20 of 80
    family = _Family([column("c", facts["c"], 16, 20, 10)], 80)

    def loglik(k, n):
        return k * math.log(k / n) + (n - k) * math.log((n - k) / n)

    expected = loglik(10, 20) + loglik(10, 60) - loglik(20, 80)
    scores = family.scores(wrong, np.ones(80, bool))
    at = [str(family.conditions(at)[0]) for at in range(len(scores))]
    assert scores[at.index("c = a")] == pytest.approx(expected)
    assert scores[at.index("c = b")] == -math.inf


def test_too_few_errors_tell_nothing():
    facts = {"c": np.array(["a"] * 20 + ["b"] * 480, object)}
    wrong = np.zeros(500, bool)
    wrong[:9] = True
    assert find_slices(facts, wrong) == []
    assert find_slices(facts, ~wrong) == [] and find_slices({}, np.arange(500) < 100) == []


def test_many_rows_are_thinned_evenly():
    wrong = np.arange(1_000_000) % 10 == 0
    kept = searched(wrong)
    assert len(kept) == 20_000 and kept[0] == 0 and kept[-1] >= 999_900
    assert len(searched(np.arange(100_000) % 2 == 0)) == 4_000
    assert len(searched(wrong[:500])) == 500


@pytest.mark.parametrize(
    ("condition", "says", "fits"),
    [
        (Condition("a", low=2.0), "a ≥ 2", [False, True, True, False]),
        (Condition("a", high=2.0), "a < 2", [True, False, False, False]),
        (Condition("a", low=1.5, high=3.0), "1.5 ≤ a < 3", [False, True, False, False]),
        (Condition("a", low=1.0, high=3.0, upto=2.0), "1 ≤ a ≤ 2", [True, True, False, False]),
        (Condition("a", low=2.0, high=3.0, upto=2.0), "a = 2", [False, True, False, False]),
        (Condition("a", low=2.0, unit="D"), "a ≥ 1970-01-03", [False, True, True, False]),
        (Condition("a", high=2.0, unit="s"), "a < 1970-01-01 00:00:02", [True, False, False, False]),
        (Condition("a", missing=True), "a is missing", [False, False, False, True]),
    ],
)
def test_conditions_in_words(condition, says, fits):
    assert str(condition) == says
    assert condition.holds(np.array([1.0, 2.0, 3.0, np.nan])).tolist() == fits


def test_numbers_that_hold_nothing_else():
    assert column("a", np.full(100, 3.0), 16, 10, 10) is None
    assert column("a", np.full(100, np.nan), 16, 10, 10) is None
    made = column("a", np.array([0.0, 1.0, np.inf, -np.inf, np.nan] * 20), 16, 10, 10)
    assert made is not None and made.codes.max() == made.cells - 1


def test_huge_and_tiny_numbers_are_cut():
    random = np.random.default_rng(9)
    for scale in (1e-300, 1e-12, 1e12, 1e300):
        values = random.normal(size=2000) * scale
        made = column("a", values, 20, 10, 10)
        assert made is not None and made.cells == 21
        assert np.bincount(made.codes)[:20].min() > 60
