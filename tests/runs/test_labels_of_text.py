"""Wrong labels planted in texts and in tags of words: found by folds, shown with what they are of, taken back by word."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from small_training import left

from dlspec.data.corrections import Spot, read
from dlspec.recipe.load import load
from dlspec.report.html import page
from dlspec.runs import report
from dlspec.runs.analyze import analyze
from dlspec.runs.opened import open_run
from dlspec.runs.relabel import relabel
from dlspec.runs.sheet_made import sheet_of_run
from dlspec.runs.train import train

FLIPPED = 20
POOLS = {
    "food": "soup bread salt butter oven plate spoon honey".split(),
    "sport": "goal match team coach ball race score medal".split(),
    "law": "court judge trial crime appeal verdict jury witness".split(),
}
COMMON = "the a one with then and very some this that was is".split()
FIRST, LAST = "Ann Bob Carla Dan Eve Frank".split(), "Lee Stone Baker Hill Moore".split()
PLACES, VERBS = "Paris Rome Oslo Cairo Lima Perth".split(), "visits leaves likes sees".split()
TAGS = ("B-per", "I-per", "B-loc", "O")


def planted(folder, recipe):
    settings = "  epochs: 12\n  batch_size: 16\n  optimizer: {learning_rate: 0.02}\n"
    (folder / "r.yaml").write_text(recipe + settings)
    return train(load(folder / "r.yaml"), out=folder / "runs").run


def suspects(run):
    with open(run / "errors" / "relabel.csv", newline="") as text:
        return [row for row in csv.DictReader(text) if row["why"] == "suspect"]


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """300 sentences of eight words, four of which tell the class; 20 have the label of another class."""
    folder, random = tmp_path_factory.mktemp("texts"), np.random.default_rng(0)
    names, truth, wrong, lines = list(POOLS), {}, set(), []
    flipped = set(random.choice(300, FLIPPED, replace=False).tolist())
    for i in range(300):
        name = names[i % 3]
        words = random.permutation([*random.choice(POOLS[name], 4), *random.choice(COMMON, 4)])
        truth[f"t{i}"] = name
        given = names[(i + 1 + int(random.integers(2))) % 3] if i in flipped else name
        wrong |= {f"t{i}"} if i in flipped else set()
        lines.append(f"t{i}\t{' '.join(words)}\t{given}")
    (folder / "t.tsv").write_text("id\ttext\ttopic\n" + "\n".join(lines) + "\n")
    run = planted(
        folder,
        "task: classification\ndata: {name: text_table, path: t.tsv, id: id, target: topic}\n"
        "model: {name: bag_of_embeddings, embedding: {size: 16}}\ntrain:\n  tensorboard: false\n",
    )
    return run, truth, wrong, analyze(run, labels=True, folds=2)


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    """300 sentences as `Ann Lee visits Paris then`, a comment among them; 20 words have the tag of another kind."""
    folder, random = tmp_path_factory.mktemp("tagged"), np.random.default_rng(0)
    sentences = []
    for _ in range(300):
        person = [(random.choice(FIRST), "B-per"), *([(random.choice(LAST), "I-per")] * int(random.integers(2)))]
        place = (random.choice(PLACES), "B-loc")
        fillers = [(one, "O") for one in random.choice(COMMON, int(random.integers(1, 4)))]
        sentences.append([*person, (random.choice(VERBS), "O"), place, *fillers])
    every = [(i, j) for i, one in enumerate(sentences) for j in range(len(one))]
    truth = {}
    for at in random.choice(len(every), FLIPPED, replace=False):
        i, j = every[at]
        word, tag = sentences[i][j]
        truth[Spot(str(i + 1), j + 1)] = tag
        others = [one for one in TAGS if one != tag]
        sentences[i][j] = (word, others[int(random.integers(3))])
    lines = [f"# a comment\n{''.join(f'{word} {tag}' + chr(10) for word, tag in one)}" for one in sentences]
    (folder / "t.conll").write_text("\n".join(lines))
    run = planted(
        folder,
        "task: tagging\ndata: {name: conll, path: t.conll}\ninput: {minimum_count: 1}\n"
        "model: {name: tagger_rnn, units: 16, embedding: {size: 16}}\ntrain:\n  tensorboard: false\n",
    )
    return run, truth, folder / "t.conll", analyze(run, labels=True, folds=2)


def test_print(texts, tagged, capsys):
    run, truth, wrong, result = texts
    rows = suspects(run)
    hits = [r for r in rows if r["id"] in wrong]
    with capsys.disabled():
        print(len(rows), len(hits))
        left(["error-analysis", str(run)])
        print(Path(run, "errors/relabel.csv").read_text()[:1000])
        run, truth, _, result = tagged
        rows = suspects(run)
        hits = [r for r in rows if Spot(r["id"], int(r["word"])) in truth]
        print(len(rows), len(hits), run)
        left(["error-analysis", str(run)])
        print(Path(run, "errors/relabel.csv").read_text()[:1500])
