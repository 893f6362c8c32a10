"""Language models: what is predicted from what, bits by hand, which networks are refused; trained and sampled."""

import json
import math

import numpy as np
import pytest

from dlspec.cli import main
from dlspec.inputs.text import Text
from dlspec.models.sequence.tagger_rnn import TaggerRNN
from dlspec.recipe.load import check_text, load
from dlspec.report.terminal import print_analyzed
from dlspec.runs.analyze import analyze
from dlspec.runs.opened import open_run
from dlspec.runs.sample import sample
from dlspec.runs.train import train
from dlspec.runs.translate import translating
from dlspec.tasks.language_model import LanguageModel, shifted
from dlspec.types import ArgumentError, DataError, Examples, RecipeError

TEXTS = ["abcabc", "ab"]


def prepared(texts=TEXTS, **settings):
    task, entry = LanguageModel(), Text(**{"tokenizer": "character", "minimum_count": 1, **settings})
    data = Examples([str(i) for i in range(len(texts))], texts, texts)
    entered = entry.prepare(data)
    state = {"input": entered, "task": task.prepare(data), "shapes": entered["shapes"]}
    state["task"] = task.join(data, entry, TaggerRNN(), state)
    return task, entry, data, state


def test_what_goes_in_is_the_token_before():
    task, entry, data, state = prepared()
    assert state["input"]["vocabulary"][4:] == ["a", "b", "c"] and task.outputs(state) == 7
    batch = entry.finish(entry.encode(data, state["input"]), state["input"])
    x, y, weights = task.finish(batch, task.target(data, entry.encode(data, state["input"]), state), 0, state)
    assert x["tokens"].tolist() == [[2, 4, 5, 6, 4, 5], [2, 4, 5, 0, 0, 0]]
    assert y.tolist() == [[4, 5, 6, 4, 5, 6], [4, 5, 0, 0, 0, 0]] and weights is None
    assert shifted(np.array([[4]])).tolist() == [[2]]
    assert task.expected_initial_loss(state) == pytest.approx(math.log(7))
    assert state["task"]["longest"] == 6 and state["task"]["glue"] == ""


def test_bits_by_hand():
    task, entry, data, state = prepared()
    logits = np.log(np.array([[0, 0, 0, 0, 0.5, 0.25, 0.25]] * 7)[:, :7] + 1e-30).astype("float32")

    def network(batch):
        assert (batch["tokens"][:, 0] == 2).all()
        return np.broadcast_to(logits[: batch["tokens"].shape[1]], (*batch["tokens"].shape, 7))

    batch = entry.finish(entry.encode(data, state["input"]), state["input"])
    first, second = task.predict(network, [batch], state)
    assert first.bits.tolist() == [1, 2, 2, 1, 2, 2] and first.pieces == tuple("abcabc") and first.said == ("a",) * 6
    assert second.bits.tolist() == [1, 2] and second.pieces == ("a", "b")
    scores = task.evaluator.combine(task.evaluator.statistics(data, [first, second], state["task"]))
    assert scores["bits_per_character"] == pytest.approx(13 / 8) and scores["perplexity"] == pytest.approx(
        2 ** (13 / 8)
    )


@pytest.mark.parametrize("tokenizer", ["word", "byte_pair", "unigram"])
def test_pieces_are_the_text_whatever_the_tokenizer(tokenizer):
    texts = ["the cat sat on the mat", "a naïve cat ate the rat"] * 3
    task, entry, data, state = prepared(texts, tokenizer=tokenizer, vocabulary=400)
    batch = entry.finish(entry.encode(data, state["input"]), state["input"])
    flat = np.zeros((*batch["tokens"].shape, task.outputs(state)), "float32")
    read = task.predict(lambda _: flat, [batch], state)[0]
    assert state["task"]["glue"].join(read.pieces).strip() == texts[0]
    np.testing.assert_allclose(read.bits, math.log2(task.outputs(state)), atol=1e-4)


def test_networks_that_see_what_comes_later_are_refused_before_anything_is_read(tmp_path):
    (tmp_path / "t.txt").write_text("text")
    for model, says in (
        ("{name: tagger_rnn, bidirectional: true}", "sees what comes later.*set bidirectional: false"),
        ("rnn", "takes a tagger"),
    ):
        text = f"task: language_model\ndata: {{name: text_file, path: t.txt}}\nmodel: {model}\n"
        with pytest.raises(RecipeError, match=says) as caught:
            check_text(text, tmp_path / "r.yaml")
        assert caught.value.complaints[0].where.key == "model"


def test_texts_that_would_be_cut_and_labels_are_refused():
    with pytest.raises(RecipeError, match="6 tokens, and from 4 on they would be left out"):
        prepared(maximum_length=4)
    with pytest.raises(DataError, match="1 of 1 texts is not the text itself"):
        LanguageModel().prepare(Examples(["a"], ["some text"], ["good"]))


SENTENCES = ["the cat sat. ", "a dog ran off. ", "my hen, is big. "]
RECIPE = """
task: language_model
data: {name: text_file, path: t.txt, length: 40, heading: null, split: {dev: 0.2, test: 0}}
input: {tokenizer: character, normalize: none, minimum_count: 1}
model: {name: MODEL}
train: {seed: 1, epochs: 30, batch_size: 8, optimizer: {name: adam, learning_rate: 0.005}}
"""
MODELS = {
    "tagger_rnn": "tagger_rnn, units: 24, embedding: {size: 8}",
    "transformer_decoder": "transformer_decoder, layers: 1, width: 32, heads: 2, feed_forward: 64, dropout: 0.0",
}


@pytest.fixture(scope="module", params=MODELS)
def run(request, tmp_path_factory):
    """Trained on sentences in random order: what comes next is uncertain at their begins, and at that of a window."""
    home = tmp_path_factory.mktemp("text")
    (home / "t.txt").write_text("".join(np.random.default_rng(0).choice(SENTENCES, 500)))
    (home / "r.yaml").write_text(RECIPE.replace("MODEL", MODELS[request.param]))
    return train(load(home / "r.yaml"), out=home / "runs")


def test_a_text_is_learned_and_gone_on_with(run):
    assert run.scores["dev"]["bits_per_character"]["value"] < 0.5
    [said] = sample(run.run, text="the cat sat. my h", length=100, temperature=0)["texts"]
    assert len(said) == 117 and said.startswith("the cat sat. my hen, is big. ")
    sentences = [one + ". " for one in said.split(". ")[:-1]]
    assert sum(one in SENTENCES for one in sentences) >= len(sentences) - 2, "of a longer text half is read anew"


def test_what_it_makes_up_stands_beside_its_errors(run, capsys):
    told = analyze(run.run)
    [text] = told["made_up"]["texts"]
    assert text == sample(run.run, length=300, temperature=0.8)["texts"][0] and len(text) == 300
    words = text.split()[:-1]
    assert sum(word in " ".join(SENTENCES).split() for word in words) > 0.8 * len(words)
    page = (run.run / "report.html").read_text(encoding="utf-8")
    assert "What it makes up" in page and text[:40] in page and "300 tokens drawn at temperature 0.8" in page
    assert 'class="wrong" title="' in page  # what surprised it in a text, and how much
    print_analyzed(told)
    assert f"what it makes up: {text[:40]}" in capsys.readouterr().out


def test_check_finds_no_fault_of_its_own(run, capsys):
    with pytest.raises(SystemExit) as left:
        main(["check", str(run.run.parents[2] / "r.yaml"), "--json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    assert left.value.code in (0, 2) and {one["where"] for one in found} <= {"dev"}
    assert not any("group" in one["message"].split(":")[0] for one in found)


def test_sampling_depends_on_seed_and_number_alone_and_is_told_as_it_is_drawn(run):
    heard = []
    opened = open_run(run.run)
    both = sample(
        opened, length=30, count=2, seed=3, temperature=3.0, tell=lambda number, piece: heard.append((number, piece))
    )
    first, second = both["texts"]
    assert len(first) == len(second) == 30 and first != second
    assert ["".join(piece for number, piece in heard if number == one) for one in (0, 1)] == [first, second]
    assert sample(opened, length=30, seed=3, temperature=3.0)["texts"] == [first]
    assert set(first) <= set("".join(SENTENCES))


def test_what_cannot_be_sampled_is_said(run, capsys):
    for settings, says in (
        ({"temperature": -1.0}, "--temperature is above 0"),
        ({"temperature": math.nan}, "--temperature is above 0"),
        ({"top_k": 0}, "--top-k"),
        ({"top_p": 0.0}, "--top-p"),
        ({"length": 0}, "--length"),
        ({"count": 0}, "--count"),
        ({"text": "the жук"}, "holds 'ж', 'у', 'к', which the run's vocabulary has not; leave them out"),
    ):
        with pytest.raises(ArgumentError, match=says):
            sample(run.run, **settings)
    with pytest.raises(ArgumentError, match="language_model, translates nothing; `dlspec sample` is for its runs"):
        translating(run.run)
    with pytest.raises(SystemExit) as left:
        main(["sample", str(run.run), "--text", "the", "--length", "5", "--top-k", "1", "--json"])
    said = json.loads(capsys.readouterr().out)
    greedy = sample(run.run, text="the", length=5, temperature=0)["texts"]
    assert left.value.code == 0 and said["texts"] == greedy and said["top_k"] == 1
    with pytest.raises(SystemExit):
        main(["sample", str(run.run), "--text", "the", "--length", "5", "--temperature", "0", "--count", "2"])
    shown = capsys.readouterr().out
    assert shown.count(greedy[0]) == 2 and "─" in shown


def test_bits_per_character_and_perplexity_of_words_with_a_known_distribution():
    """Every word is as probable as it is in train, whatever came before: the entropy by hand, over tokens and over
    characters, each token once though texts are of different length, and in batches of their own."""
    texts = ["a a b", " a ccc a a", " b a", " a a"]
    task, entry, data, state = prepared(texts, tokenizer="word")
    counts = {"a": 8, "b": 2, "ccc": 1}
    probable = np.full(len(state["input"]["vocabulary"]), 1e-30)
    for word, count in counts.items():
        probable[state["input"]["vocabulary"].index(word)] = count / 11
    logits = np.log(probable).astype("float32")
    encoded = entry.encode(data, state["input"])
    batches = [entry.finish({"tokens": encoded["tokens"][rows]}, state["input"]) for rows in (slice(0, 3), slice(3, 4))]
    found = task.predict(lambda x: np.broadcast_to(logits, (*x["tokens"].shape, len(logits))), batches, state)
    nats = -sum(count * math.log(count / 11) for count in counts.values())
    scores = task.evaluator.combine(task.evaluator.statistics(data, found, state["task"]))
    assert [len(one.pieces) for one in found] == [3, 4, 2, 2] and sum(map(len, texts)) == 23
    assert scores["bits_per_character"] == pytest.approx(nats / 23 / math.log(2), abs=1e-4)
    assert scores["perplexity"] == pytest.approx(math.exp(nats / 11), rel=1e-4)
    assert scores["bits_per_token"] == pytest.approx(nats / 11 / math.log(2), abs=1e-4)


def test_a_held_out_text_that_would_be_cut_is_refused():
    task, entry, _, state = prepared(["a b c"] * 3, tokenizer="word", maximum_length=4)
    long = Examples(["x", "y", "z"], ["a b c a", "a b c a b", "c"], ["a b c a", "a b c a b", "c"])
    with pytest.raises(DataError, match=r"1 text has up to 5 tokens, of which 4 are seen.*\(y\); make data.length"):
        task.target(long, entry.encode(long, state["input"]), state)
    few = long.take([0, 2])
    assert [len(one) for one in task.target(few, entry.encode(few, state["input"]), state)["next"]] == [4, 1]


def test_a_train_text_of_many_tokens_is_found_though_others_have_more_characters():
    texts = ["longer words than others"] * 70 + ["1 2 3 4 5 6 7"]
    with pytest.raises(RecipeError, match="a text of train has 7 tokens, and from 5 on"):
        prepared(texts, tokenizer="word", maximum_length=5)


def test_what_bits_per_character_leave_out_is_told():
    texts = ["the  cat sat, on\nthe mat"] * 20
    said = {
        name: "; ".join(prepared(texts, tokenizer=name, normalize="none", vocabulary=300)[3]["task"]["notes"])
        for name in ("word", "byte_pair", "character")
    }
    assert "of 20 texts 20 are not predicted to the letter: blanks between words are no pieces" in said["word"]
    assert "not predicted" not in said["byte_pair"] + said["character"]
    assert "tokens in the middle" in said["word"] and "of which 256 tokens have about" in said["byte_pair"]
    assert "tokens in the middle" not in said["character"]
    changed = prepared(["Aﬁ Bc"] * 20, normalize="nfkc")[3]["task"]["notes"]
    assert "forms of letters are changed" in "; ".join(changed)
