"""What `dlspec improve` prints at its end."""

import pytest

from dlspec.report.improved import print_improved


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(None, None, "f1 0.0000 (95 % interval not known, n=120)"), (0.0, 0.5, "f1 0.0000 (0.0000 to 0.5000, n=120)")],
)
def test_an_interval_that_is_not_known_is_called_one(low, high, said, capsys):
    score = {"value": 0.0, "low": low, "high": high, "n": 120}
    print_improved(
        {
            "metric": "f1", "tries": [], "best": None, "seconds": 60, "why": "", "test": {"f1": score},
            "test_looks": 1, "recipe": None,
        }
    )  # fmt: skip
    assert f"test, looked at once: {said}" in capsys.readouterr().out
