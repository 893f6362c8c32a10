"""What is said of the first of a study that does not lead."""

from types import SimpleNamespace

from dlspec.tuning.leaders import _said


def said(*chances):
    best = SimpleNamespace(number=0, value=0.5)
    found = [(SimpleNamespace(number=1 + i), chance) for i, chance in enumerate(chances)]
    tune = SimpleNamespace(folds=0, seeds=1)
    study = SimpleNamespace(metric=SimpleNamespace(name="mase", best="min"), tune=tune)
    return _said(study, best, found, len(found), None)


def test_one_other_is_not_one_of_the_one_others():
    assert said(0.9) == "trial 0 is not the best beyond chance: trial 1 cannot be told from it"
    assert "1 of the 2 others cannot be told from it (trial 1" in said(0.9, 0.001)
