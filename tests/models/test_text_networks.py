"""bag_of_embeddings and text_cnn against NumPy written from the papers; vectors that were learned before."""

import gzip
import re

import keras
import numpy as np
import pytest

from dlspec.models.sequence.bag_of_embeddings import BagOfEmbeddings
from dlspec.models.sequence.text_cnn import TextCNN
from dlspec.models.word_vectors import vectors_of, width_of
from dlspec.numeric.word_lists import words_of_vectors
from dlspec.recipe.load import check_text
from dlspec.types import DataError, RecipeError

SHAPES = {"tokens": {"shape": [None], "dtype": "int32", "vocabulary": 9}}
TOKENS = np.array([[4, 5, 6, 0], [7, 0, 0, 0], [0, 0, 0, 0]], np.int32)
WORDS = ["<no piece>", "<unknown piece>", "<begin of text>", "<end of text>", "the", "Film", "was", "zzz", "bad"]


def weights(network, layer):
    return [np.asarray(one) for one in network.get_layer(layer).weights]


def test_the_mean_of_the_vectors():
    network = BagOfEmbeddings(embedding={"size": 5}, hidden=(3,)).build(SHAPES, 2)
    [table] = weights(network, "embedding")
    mean = np.stack([table[[4, 5, 6]].mean(axis=0), table[7], np.zeros(5)])
    kernel, bias = weights(network, "hidden_1")
    last, shift = weights(network, "logits")
    expected = np.maximum(mean @ kernel + bias, 0) @ last + shift
    np.testing.assert_allclose(np.asarray(network({"tokens": TOKENS})), expected, atol=1e-6)
    assert network.count_params() == 9 * 5 + 5 * 3 + 3 + 3 * 2 + 2


def test_the_greatest_answer_of_each_filter():
    network = TextCNN(embedding={"size": 5}, windows=(2, 3), filters=4).build(SHAPES, 2)
    [table] = weights(network, "embedding")
    found = []
    for width, before in ((2, 0), (3, 1)):
        kernel, bias = weights(network, f"convolution_{width}")
        rows = []
        for text in ([4, 5, 6], [7], []):
            around = np.concatenate([np.zeros((before, 5)), table[text].reshape(-1, 5), np.zeros((3, 5))])
            answers = [np.einsum("wd,wdf->f", around[at : at + width], kernel) + bias for at in range(len(text))]
            rows.append(np.maximum(answers, 0).max(axis=0) if text else np.zeros(4))
        found.append(np.stack(rows))
    kernel, bias = weights(network, "logits")
    expected = np.concatenate(found, axis=1) @ kernel + bias
    np.testing.assert_allclose(np.asarray(network({"tokens": TOKENS})), expected, atol=1e-6)


def folder_of(tmp_path):
    (tmp_path / "words.txt").write_text("the\nfilm\nwas\nFilm\n")
    np.save(tmp_path / "v.npy", np.arange(12, dtype=np.float16).reshape(4, 3))
    return str(tmp_path)


def test_vectors_are_found_as_written_then_in_small_letters(tmp_path):
    folder = folder_of(tmp_path)
    found, there = vectors_of(folder, {"the": 0, "Film": 1, "WAS": 2, "no": 3}, 4)
    assert width_of(folder) == 3 and there.tolist() == [True, True, True, False]
    assert found.tolist() == [[0, 1, 2], [9, 10, 11], [6, 7, 8], [0, 0, 0]]


@pytest.mark.parametrize("head", ["", "3 2\n"])
def test_text_files_of_glove_and_word2vec(tmp_path, head):
    (tmp_path / "v.txt").write_text(f"{head}the 1 2\nfilm 3.5 -4\nbad 5 6e-1\n")
    found, there = vectors_of(str(tmp_path / "v.txt"), {"bad": 0, "film": 1, "x": 2}, 3)
    np.testing.assert_allclose(found, [[5, 0.6], [3.5, -4], [0, 0]])
    assert there.tolist() == [True, True, False]


def test_broken_vectors_are_named(tmp_path):
    (tmp_path / "v.txt").write_text("the 1 2\nfilm 3\n")
    with pytest.raises(DataError, match=r"v\.txt:2: expected a word and 2 numbers, got 'film 3' \(1 behind the word\)"):
        vectors_of(str(tmp_path / "v.txt"), {"film": 0}, 1)
    (tmp_path / "v.txt").write_text("the 1 2\nfilm 3 x.y\n")
    with pytest.raises(DataError, match=r"v\.txt:2: expected a word and 2 numbers, got 'film 3 x.y'"):
        vectors_of(str(tmp_path / "v.txt"), {"film": 0}, 1)
    (tmp_path / "v.txt").write_text("")
    with pytest.raises(DataError, match=r"v\.txt:1: expected a word and its numbers .* got an empty line"):
        width_of(str(tmp_path / "v.txt"))
    with pytest.raises(DataError, match="expected one array"):
        width_of(str(tmp_path))


@pytest.mark.parametrize(
    "data", [gzip.compress(b"the 0.1 0.25\n" * 99)[:-30], b"the 1 2\n"], ids=["cut short", "not packed"]
)
def test_packed_vectors_that_were_cut_short_are_said_to_be_so(tmp_path, data):
    (tmp_path / "v.txt.gz").write_bytes(data)
    for read in (width_of, lambda path: vectors_of(path, {"a": 0}, 1), words_of_vectors):
        with pytest.raises(DataError, match=r"v\.txt\.gz: .*was it copied whole\?"):
            read(str(tmp_path / "v.txt.gz"))


@pytest.mark.parametrize("tune", [True, False])
def test_a_network_begins_with_them(tmp_path, tune):
    model = TextCNN(embedding={"vectors": folder_of(tmp_path), "tune": tune}, filters=2)
    network, said = model.build(SHAPES, 2), []
    model.begin_with(network, said.append, WORDS)
    [table] = weights(network, "embedding")
    assert table[4].tolist() == [0, 1, 2] and table[5].tolist() == [9, 10, 11] and table[6].tolist() == [6, 7, 8]
    assert said[0].startswith("3 of 9 pieces of the vocabulary (33%)")
    assert (len(network.trainable_weights) == len(network.weights)) == tune
    with pytest.raises(RecipeError, match="none of the 2 pieces"):
        model.begin_with(network, said.append, ["x", "y"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, r"there is no 'v.txt'; looked at .*v\.txt"),
        ("the 1 2 3\n", r"the vectors of .*v\.txt have 3 numbers, and size says 50; leave size out"),
        ("the\n", r"v\.txt:1: expected a word and its numbers on each line, with blanks between, got 'the'"),
        ("folder", r"expected an array with a row a word, got an array of shape \[3\]"),
        ("broken", r"a\.npy: cannot be read \(.*\); was it copied whole\?"),
    ],
)
def test_what_is_wrong_with_vectors_is_told_with_the_other_faults_of_a_recipe(tmp_path, text, said):
    if text in ("folder", "broken"):
        (tmp_path / "v.txt").mkdir()
        (tmp_path / "v.txt" / "words.txt").write_text("a\nb\nc\n")
        np.save(tmp_path / "v.txt" / "a.npy", np.zeros(3))
        if text == "broken":
            (tmp_path / "v.txt" / "a.npy").write_bytes(b"\x93NUM")
    elif text is not None:
        (tmp_path / "v.txt").write_text(text)
    recipe = (
        "task: classification\ndata: {name: text_table, path: gone.tsv, target: label}\n"
        "model: {name: text_cnn, embedding: {size: 50, vectors: v.txt}, dropot: 0.1}\n"
    )
    with pytest.raises(RecipeError) as found:
        check_text(recipe, tmp_path / "recipe.yaml")
    told = {one.where.key: one.message for one in found.value.complaints}
    assert set(told) == {"data.path", "model.embedding.vectors", "model.dropot"}
    assert re.search(said, told["model.embedding.vectors"])


def test_a_series_is_taken_as_it_is():
    series = np.random.default_rng(0).normal(size=(2, 6, 3)).astype(np.float32)
    network = BagOfEmbeddings().build({"series": {"shape": [6, 3], "dtype": "float32"}}, 1)
    kernel, bias = weights(network, "logits")
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(network({"series": series})), series.mean(axis=1) @ kernel + bias, atol=1e-6
    )
