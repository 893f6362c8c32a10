"""A small run of translation: numbers from English to German, learned in a few seconds."""

import json
import os
import time
from pathlib import Path

import numpy as np

from dlspec.recipe.load import check_text
from dlspec.runs.train import train

WORDS = {
    "one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf", "six": "sechs", "seven": "sieben"
}  # fmt: skip
RECIPE = """
task: {name: translation, beam: 3, n_best: 2, label_smoothing: 0.0}
data: {name: text_pairs, path: pairs.en, target: pairs.de, split: {dev: 40, test: 0}}
input: {tokenizer: word}
model: {name: transformer, layers: 1, width: 32, heads: 2, feed_forward: 64, norm: pre, dropout: 0.0}
train:
  {seed: 1, epochs: 12, batch_size: 16, optimizer: {name: adam, learning_rate: 3e-3}, health: false, tensorboard: false}
"""


def pairs(count=640, seed=0):
    """English and German, word for word, 2 to 6 of them."""
    random = np.random.default_rng(seed)
    sources = [random.choice(list(WORDS), 2 + i % 5).tolist() for i in range(count)]
    return [" ".join(one) for one in sources], [" ".join(WORDS[word] for word in one) for one in sources]


def written(folder):
    """The pairs, and the recipe beside them; its text, checked."""
    for ending, lines in zip(("en", "de"), pairs(), strict=True):
        (folder / f"pairs.{ending}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    file = folder / "numbers.yaml"
    file.write_text(RECIPE, encoding="utf-8")
    return check_text(RECIPE, file)


def trained(folder):
    """What a training of it left behind."""
    return train(written(folder), out=folder / "runs")


def shared(tmp_path_factory):
    """The same, trained once for all workers of a session: the run, and how well it knows its numbers.

    It may be looked at and analyzed; nobody trains it on.
    """
    home = tmp_path_factory.getbasetemp()
    folder = (home.parent if "PYTEST_XDIST_WORKER" in os.environ else home) / "small-translation"
    ended = folder / "ended.json"
    try:
        folder.mkdir()
    except FileExistsError:  # somebody is at it, or was
        while not ended.is_file():
            time.sleep(0.2)
    else:
        run, known = None, 0.0
        try:
            made = trained(folder)
            run, known = str(made.run), made.scores["dev"]["exact_match"]["value"]
        finally:
            (folder / "half.json").write_text(json.dumps([run, known]))
            (folder / "half.json").replace(ended)
    run, known = json.loads(ended.read_text())
    assert run is not None, "it could not be trained"
    return Path(run), known
