"""Numbers of things are said as a person says them."""

import re
from pathlib import Path

import pytest

import dlspec
from dlspec.wording import plural


@pytest.mark.parametrize(
    ("count", "words", "said"),
    [
        (0, ("row",), "0 rows"),
        (1, ("row",), "1 row"),
        (1200, ("row",), "1,200 rows"),
        (1, ("box", "boxes"), "1 box"),
        (2, ("box", "boxes"), "2 boxes"),
        (1, ("step has", "steps have"), "1 step has"),
    ],
)
def test_counts_and_their_nouns(count, words, said):
    assert plural(count, *words) == said


def test_no_message_hedges_its_nouns():
    """`row(s)` is what a message says that has not looked how many there are."""
    files = sorted(Path(dlspec.__file__).parent.rglob("*.py"))
    assert len(files) > 100
    hedged = [f"{one.name}: {said}" for one in files for said in re.findall(r"\} \w+\(e?s\)", one.read_text("utf-8"))]
    assert not hedged
