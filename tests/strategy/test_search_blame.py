"""Search or model: counted by hand, with an interval; groups of about one size."""

import numpy as np
import pytest

from dlspec.strategy.intervals import wilson
from dlspec.strategy.search_blame import blame, groups


def test_the_truth_scores_higher_where_the_search_has_missed_it():
    found = blame(np.array([-1.0, -3.0, -2.0, -0.5]), np.array([-2.0, -1.0, -2.00001, -0.1]))
    assert (found.compared, found.search, found.model, found.alike) == (4, 1, 2, 1)
    assert found.share == pytest.approx(1 / 3) and (found.low, found.high) == wilson(1, 3)
    assert found.verdict == "unclear"


@pytest.mark.parametrize(("search", "verdict"), [(40, "search"), (10, "model"), (25, "unclear")])
def test_it_is_named_where_that_is_sure(search, verdict):
    apart = np.array([1.0] * search + [-1.0] * (50 - search))
    assert blame(apart, np.zeros(50)).verdict == verdict


def test_nothing_to_compare():
    found = blame(np.zeros(0), np.zeros(0))
    assert found.compared == 0 and np.isnan(found.share) and found.verdict == "unclear"


def test_groups_are_of_about_one_size_and_equals_stay_together():
    found = groups(np.array([5.0, 1, 2, np.nan, 8, 7, 6, 3, 4]))
    assert [sorted(one.tolist()) for one in found] == [[1, 2], [7, 8], [0, 6], [4, 5]]
    same = groups(np.array([0.0] * 9 + [1.0]))
    assert [len(one) for one in same] == [9, 1] or [len(one) for one in same] == [10]
    assert groups(np.full(3, np.nan)) == [] and len(groups(np.ones(5))) == 1
