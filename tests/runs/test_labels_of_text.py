"""Wrong labels planted in texts and in tags of words: found by folds, shown with what they are of, mended by word."""

import csv
import json

import numpy as np
import pytest
from small_training import left

from dlspec.data.corrections import Spot
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
    "food": ["soup", "bread", "salt", "butter", "oven", "plate", "spoon", "honey"],
    "sport": ["goal", "match", "team", "coach", "ball", "race", "score", "medal"],
    "law": ["court", "judge", "trial", "crime", "appeal", "verdict", "jury", "witness"],
}
COMMON = ["the", "a", "one", "with", "then", "and", "very", "some", "this", "that", "was", "is"]
WORDS = {
    "B-per": ["Ann", "Bob", "Carla", "Dan", "Eve", "Frank"],
    "I-per": ["Lee", "Stone", "Baker", "Hill", "Moore"],
    "O": ["visits", "leaves", "likes", "sees"],
    "B-loc": ["Paris", "Rome", "Oslo", "Cairo", "Lima", "Perth"],
}
SETTINGS = "  tensorboard: false\n  epochs: 12\n  batch_size: 16\n  optimizer: {learning_rate: 0.02}\n"


def trained(folder, recipe):
    (folder / "r.yaml").write_text(f"{recipe}train:\n{SETTINGS}")
    return train(load(folder / "r.yaml"), out=folder / "runs").run


def judged(run, result):
    """The examples of the splits that were audited; test is not."""
    read = open_run(run).splits()
    return {one.id: one for name in result["label_issues"]["splits"] for one in read[name]}


def suspects(run):
    with open(run / "errors" / "relabel.csv", newline="") as text:
        return [row for row in csv.DictReader(text) if row["why"] == "suspect"]


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """300 sentences of eight words, four of which tell the class; 20 have the label of another class."""
    folder, random = tmp_path_factory.mktemp("texts"), np.random.default_rng(0)
    flipped, names = set(random.choice(300, FLIPPED, replace=False).tolist()), list(POOLS)
    truth, said, lines = {}, {}, []
    for i in range(300):
        words = random.permutation([*random.choice(POOLS[names[i % 3]], 4), *random.choice(COMMON, 4)])
        given = names[(i + 1 + int(random.integers(2))) % 3] if i in flipped else names[i % 3]
        said[f"t{i}"] = " ".join(words)
        lines.append(f"t{i}\t{said[f't{i}']}\t{given}")
        if i in flipped:
            truth[f"t{i}"] = names[i % 3]
    (folder / "t.tsv").write_text("id\ttext\ttopic\n" + "\n".join(lines) + "\n")
    run = trained(
        folder,
        "task: classification\ndata: {name: text_table, path: t.tsv, id: id, target: topic}\n"
        "model: {name: bag_of_embeddings, embedding: {size: 16}}\n",
    )
    return run, truth, said, analyze(run, labels=True, folds=2)


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    """300 sentences as `Ann Lee visits Paris then`, a comment before each; 20 words have another tag than theirs."""
    folder, random = tmp_path_factory.mktemp("tagged"), np.random.default_rng(0)
    sentences = []
    for _ in range(300):
        kinds = ["B-per", *["I-per"] * int(random.integers(2)), "O", "B-loc"]
        fillers = random.choice(COMMON, int(random.integers(1, 4)))
        sentences.append([*((random.choice(WORDS[one]), one) for one in kinds), *((one, "O") for one in fillers)])
    every = [(i, j) for i, one in enumerate(sentences) for j in range(len(one))]
    truth = {}
    for i, j in (every[at] for at in random.choice(len(every), FLIPPED, replace=False)):
        word, tag = sentences[i][j]
        truth[Spot(str(i + 1), j + 1)] = tag
        sentences[i][j] = word, [one for one in WORDS if one != tag][int(random.integers(3))]
    file = folder / "t.conll"
    written = ["".join(f"{word} {tag}\n" for word, tag in one) for one in sentences]
    file.write_text("\n".join(f"# a comment\n{one}" for one in written))
    run = trained(
        folder,
        "task: tagging\ndata: {name: conll, path: t.conll}\ninput: {minimum_count: 1}\n"
        "model: {name: tagger_rnn, units: 16, embedding: {size: 16}}\n",
    )
    return run, truth, file, analyze(run, labels=True, folds=2)


def test_wrong_labels_of_texts(texts):
    run, truth, said, result = texts
    rows, planted = suspects(run), set(truth) & set(judged(run, result))
    hits = [row for row in rows if row["id"] in truth]
    assert len(planted) >= 15 and len(hits) >= 0.85 * len(planted) and len(hits) >= 0.8 * len(rows)
    assert all(row["suggested"] == truth[row["id"]] for row in hits)
    assert all(row["what"] == said[row["id"]] for row in rows) and "word" not in rows[0]


def test_wrong_tags_of_words(tagged):
    run, truth, file, result = tagged
    rows, lines = suspects(run), file.read_text().split("\n")
    hits = {Spot(row["id"], int(row["word"])): row for row in rows}
    found, seen = [spot for spot in hits if spot in truth], judged(run, result)
    planted = [spot for spot in truth if spot.id in seen]
    assert len(planted) >= 13 and len(found) >= 0.85 * len(planted) and len(found) >= 0.8 * len(rows)
    assert np.mean([hits[spot]["suggested"] == truth[spot] for spot in found]) >= 0.9
    for row in rows:  # where a person finds it
        assert row["file"] == str(file) and lines[int(row["line"]) - 1] == f"{row['token']} {row['label']}"
        assert row["what"].split()[int(row["word"]) - 1] == f"[{row['token']}]"
    issues, words = result["label_issues"], sum(bool(line) and line[0] != "#" for line in lines)
    count = sum(len(one.y) for one in seen.values())
    assert count < words and sum(one["examples"] for one in issues["splits"].values()) == count
    assert issues["count"] == sum(row["split"] == "dev" for row in rows)
    entities = [tag for one in seen.values() for tag in one.y if tag != "O"]
    doubted = sum(row["label"] != "O" for row in rows)
    assert issues["others"] == {"than": "O", "examples": len(entities), "suspects": doubted}
    listed = issues["suspects"][0]
    assert {"word", "token", "file", "line", "what"} <= set(listed) and json.dumps(issues)


def test_corrections_are_applied_to_words(tagged, tmp_path):
    run, truth, file, _ = tagged
    table, before = tmp_path / "relabel.csv", file.read_bytes()
    read = open_run(run).splits()
    mine = {spot: tag for spot, tag in truth.items() if any(spot.id in part.ids for part in read.parts.values())}
    table.write_text("id,word,new\n" + "".join(f"{id},{word},{tag}\n" for (id, word), tag in mine.items()))
    result = relabel(run, table)
    assert sum(result["changed"].values()) == len(mine) == FLIPPED and file.read_bytes() == before
    for split in ("train", "dev"):
        scores = result["scores"][split]["token_accuracy"]
        assert scores["new"]["value"] >= 0.98 and scores["new"]["value"] >= scores["old"]["value"]
    again = load(result["recipe"]).recipe.data.read()
    tags = {name: y for part in again.parts.values() for name, y in zip(part.ids, part.column("y"), strict=True)}
    assert all(tags[spot.id][spot.word - 1] == tag for spot, tag in mine.items())


def test_a_person_reads_what_it_is(texts, tagged, capsys):
    for run, *_ in (texts, tagged):
        row = suspects(run)[0]
        assert left(["error-analysis", str(run)]) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert "what it is" in said and row["what"] in said
        assert row["what"] in page(report.gathered(run))
        with open(run / "errors" / "dev.csv", newline="") as text:
            errors = list(csv.DictReader(text))
        assert errors and all(len(one["what"].split()) >= 4 for one in errors)


def test_the_sheet_takes_right_tags_of_doubted_words(tagged):
    run, _, _, _ = tagged
    sheet = sheet_of_run(run)
    before = (run / "errors" / "relabel.csv").read_text()
    [item, *_] = [one for one in sheet.items if one["suspect"]]
    own = [row for row in suspects(run) if row["id"] == item["id"]]
    assert item["suspect"]["words"] == [f"{row['token']}: {row['label']} → {row['suggested']}" for row in own]
    tags, new = item["given"].split(), item["suspect"]["suggested"].split()
    assert [i for i, (a, b) in enumerate(zip(tags, new, strict=True), 1) if a != b] == sorted(
        int(row["word"]) for row in own
    )
    try:
        with pytest.raises(ValueError, match="tags, but the sentence has"):
            sheet.notes.set_label(item["id"], "O O", split=item["split"], given=item["given"])
        sheet.notes.set_label(item["id"], " ".join(new), split=item["split"], given=item["given"])
        assert {row["word"]: row["new"] for row in suspects(run) if row["id"] == item["id"]} == {
            row["word"]: row["suggested"] for row in own
        }
        held = next(one for one in sheet.held()["items"] if one["id"] == item["id"])
        assert held["label"].split() == new
        assert relabel(run, run / "errors" / "relabel.csv")["changed"][item["split"]] == len(own)
        sheet.notes.set_label(item["id"], "", split=item["split"], given=item["given"])
        assert (run / "errors" / "relabel.csv").read_text() == before
    finally:
        (run / "errors" / "relabel.csv").write_text(before)
