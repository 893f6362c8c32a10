"""Every shipped recipe, trained in full and held to its header: `make recipes-check`.

SHARD=2/4 takes the second quarter.  What has passed is remembered in .recipes-check until a recipe or the code changes.
"""

import hashlib
import os
import re
import time
from pathlib import Path

import pytest
from real_data import lacking

from dlspec.recipe.load import header_of, load
from dlspec.recipe.shipped import shipped, shipped_names
from dlspec.types import RecipeError

ROOT = Path(__file__).parent.parent
MEMORY = ROOT / ".recipes-check"
EXPECTED = re.compile(r"(train|dev|test) (\w+) ([≥≤]) ([\d.,]+)")
MINUTES = re.compile(r"^Minutes on 2 cores: ([\d.]+)")


def shard(names):
    number, of = map(int, os.environ.get("SHARD", "1/1").split("/"))
    return names[number - 1 :: of]


def state(name):
    """A hash of everything that the score may depend on."""
    sources = [*sorted((ROOT / "dlspec").rglob("*.py")), shipped() / f"{name}.yaml", ROOT / "constraints.txt"]
    return hashlib.blake2b(b"".join(f.read_bytes() for f in sources), digest_size=8).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("name", shard(shipped_names()))
def test_recipe_does_what_its_header_says(name, tmp_path):
    from dlspec.runs.evaluate import evaluate
    from dlspec.runs.train import train

    passed = MEMORY / f"{name.replace('/', '-')}-{state(name)}"
    if passed.exists():
        pytest.skip(f"passed before: {passed.read_text()}")
    try:
        loaded = load(name)
    except RecipeError as error:
        if "there is no" in str(error):
            pytest.skip(f"{lacking('what this recipe is for')}: {error}")
        raise
    header = header_of(shipped() / f"{name}.yaml")
    expected = EXPECTED.findall("\n".join(header))
    minutes = next(float(m.group(1)) for line in header if (m := MINUTES.match(line)))
    assert expected, "the header expects no score"
    began = time.monotonic()
    trained = train(loaded, out=tmp_path)
    took = (time.monotonic() - began) / 60
    scores = evaluate(trained.run, splits=sorted({split for split, *_ in expected}))["scores"]
    for split, metric, sign, bound in expected:
        value, limit = scores[split][metric]["value"], float(bound.replace(",", ""))
        assert value >= limit if sign == "≥" else value <= limit, f"{split} {metric} {value}"
    assert took <= 3 * minutes, f"took {took:.1f} minutes; the header says {minutes}"
    MEMORY.mkdir(exist_ok=True)
    said = ", ".join(f"{split} {metric} {scores[split][metric]['value']:.4f}" for split, metric, *_ in expected)
    passed.write_text(f"{said} in {took:.2f} minutes")
