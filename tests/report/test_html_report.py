"""report.html: offline, escaped, complete with any part of what a run may hold, and small."""

import re
import shlex
from html.parser import HTMLParser
from itertools import combinations

import numpy as np
import pytest
import written_run
import yaml

from dlspec.recipe.positions import scalar
from dlspec.report import html
from dlspec.report.health import as_arguments
from dlspec.report.pictures import BUDGET, inlined, small
from dlspec.runs.report import gathered

PARTS = ("scores", "goal", "machine", "data", "history", "figures", "errors", "worst", "recipe", "health", "ledger")
NOTHING = {"scores": {}, "goal": None, "machine": None, "data": None, "history": [], "figures": {}, "errors": {},
           "worst": {}, "recipe": None, "health": None, "ledger": None}  # fmt: skip
SECTIONS = {"scores": "Scores", "history": "Learning curves", "figures": "Predictions on dev", "data": "Data",
            "errors": "Errors on dev", "machine": "How to reproduce", "recipe": "How to reproduce",
            "health": "Health of the training", "ledger": "Ledger: where the error comes from"}  # fmt: skip


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    return gathered(written_run.write(tmp_path_factory.mktemp("runs")))


class Page(HTMLParser):
    """Elements, their attributes and the text of a page; complains of elements that are closed in the wrong order."""

    EMPTY = {"meta", "link", "img", "br"}

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self.headings, self.open = [], "", [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


def test_what_is_to_be_typed_can_be_typed():
    """A shell makes of it what was meant."""
    change = {"model.activation": "relu", "model.x": "no", "train.clip": {"global_norm": 1.0}, "model.hidden": [8, 8]}
    words = shlex.split(as_arguments(change))
    assert words[1] == "model.activation=relu" and words[::2] == ["--set"] * 4
    assert {key: yaml.safe_load(text) for key, _, text in (one.partition("=") for one in words[1::2])} == change


def test_a_rate_is_typed_as_a_person_writes_it():
    [_, word] = shlex.split(as_arguments({"train.optimizer.learning_rate": 1e8}))
    assert word == "train.optimizer.learning_rate=1e8"
    assert scalar(word.partition("=")[2]) == 1e8


def test_everything_is_there(held):
    page = Page(html.page(held))
    assert page.headings == [
        "Scores", "Ledger: where the error comes from", "Learning curves", "Health of the training",
        "Predictions on dev",
        "Errors on dev", "Data", "How to reproduce",
    ]  # fmt: skip
    for expected in (
        "22 November 2026, 23:34 UTC", "accuracy on dev", "On dev: mending '", "500 examples", "61,706 parameters",
        "Test has been looked at 2 times", "best epoch: 7", "expected calibration error", "Confusion matrix",
        "Kinds of error, the most rewarding first", "Errors by tag", "What the network leans on", "The worst 30",
        "18.0 % (10.0 % to 31.0 %)", "± 0.0500", "f00d", "3.12.1", "Some examples of train", "10 epochs in 15.0 s",
        '--set model.activation=relu', "suggestions/health.yaml", "Update to weight, a step", "dead units", "25 %",
        "Variance is the largest gap", "the gaps between", "-0.0200 to +0.0400", "What to try, in this order",
    ):  # fmt: skip
        assert expected in page.text, expected
    assert sum(tag == "img" for tag, _ in page.elements) == 30 + 12


def test_with_nothing_there_is_still_a_page(held):
    page = Page(html.page({**held, **NOTHING}))
    assert page.headings == [] and "pictures" in page.text


@pytest.mark.parametrize("kept", [*combinations(PARTS, 1), *combinations(PARTS, 2), *combinations(PARTS, 8)])
def test_each_section_stands_where_the_run_holds_it(held, kept):
    page = Page(html.page({**held, **NOTHING, **{part: held[part] for part in kept}}))
    expected = {SECTIONS[part] for part in kept if part in SECTIONS}
    assert set(page.headings) == expected and ("the same on test" in page.text) == ("figures" in kept)
    links = {attributes["href"] for tag, attributes in page.elements if tag == "a"}
    ids = {"#" + attributes["id"] for tag, attributes in page.elements if tag == "h2"}
    assert links == ids


def test_names_are_shown_as_text_and_nothing_comes_from_outside(held):
    text = html.page(held)
    page = Page(text)
    assert written_run.HARM in page.text and written_run.QUOTED in page.text
    assert not {"script", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:")), attributes[name]
    assert not re.search(r"url\(|@import", text)
    assert "default-src 'none'" in text


def test_scores_without_intervals_say_how_to_get_them(held):
    plain = {split: {name: {"value": one["value"], "n": one["n"]} for name, one in metrics.items()}
             for split, metrics in held["scores"].items()}  # fmt: skip
    page = Page(html.page({**held, "scores": plain, "test_looks": 0}))
    assert "Intervals come with dlspec evaluate" in page.text.replace("\n", " ")
    assert "Test has not been looked at" in page.text


def test_values_that_are_not_known_are_dashes(held):
    scores = {"dev": {"accuracy": {"value": None, "low": None, "high": None, "n": 3}}}
    kinds = [{**held["errors"]["dev"]["kinds"][0], "ceiling": None, "gain": None}]
    errors = {"dev": {**held["errors"]["dev"], "kinds": kinds, "value": None}}
    page = Page(html.page({**held, "scores": scores, "errors": errors}))
    assert "accuracy –" in page.text


def test_the_metric_and_the_loss_come_first_and_the_best_epoch_is_marked(held):
    first, more = html.learning(held["history"], "accuracy", 7)
    assert [figure.data["y_title"] for figure in first] == ["accuracy", "loss"]
    assert [figure.title for figure in more] == ["log_loss on dev"]
    assert [one["name"] for one in first[0].data["series"]] == ["train", "dev"]
    assert first[0].data["mark"] == {"x": 7, "name": "best epoch: 7"}
    assert more[0].data["series"][0]["y"][2] is None
    assert "mark" not in html.learning(held["history"], "accuracy", None)[0][0].data


def test_long_lists_are_folded_and_cut_and_the_cut_is_said(held):
    kind = held["errors"]["dev"]["kinds"][0]
    errors = {"dev": {**held["errors"]["dev"], "kinds": [kind] * 1234}}
    assert "… and 1,134 rarer kinds" in Page(html.page({**held, "errors": errors})).text


def test_many_classes_are_the_most_and_the_least_frequent(held):
    counts = {f"c{i}": i + 1 for i in range(1000)}
    data = {**held["data"], "classes": list(counts), "splits": {"train": {"examples": 500_500, "classes": counts}}}
    text = Page(html.page({**held, "data": data})).text
    assert "40 of 1,000 classes" in text and "c999" in text and "c0" in text and "c500" not in text


def test_tables_and_texts_are_shown_as_what_they_are(held):
    rows = [{"id": f"row {i}", "kind": "k", "size": 1.0, "truth": "yes", "guess": "no", "tags": {},
             "kind_of_input": "table", "shows": {"visits": i, "what <they> said": "w" * 400, "none": None}}
            for i in range(50)]  # fmt: skip
    text = Page(html.page({**held, "worst": {"dev": rows}})).text
    assert "what <they> said" in text and "row 49" in text and "w" * 159 + "…" in text and "w" * 161 not in text
    sentences = [{**row, "kind_of_input": "text", "shows": "<b>bold</b> " + "x" * 5000} for row in rows]
    text = Page(html.page({**held, "worst": {"dev": sentences}})).text
    assert "<b>bold</b>" in text and "x" * 2000 not in text


def test_the_worst_of_an_older_run_come_from_its_error_analysis(held):
    row = {"kind": "k", "size": 1, "truth": "yes", "guess": "no", "tags": {}}
    worst = [{**row, "id": "r1", "shows": {"age": 31.0}}, {**row, "id": "r2", "shows": {"age": None}}]
    text = Page(html.page({**held, "worst": {}, "errors": {"dev": {**held["errors"]["dev"], "worst": worst}}})).text
    assert "The worst 2" in text and "r2" in text and "31" in text


def test_pictures_of_all_splits_share_one_budget():
    def items(many, each):
        picture = {"png": "A" * each, "width": 9, "height": 9}
        return [{"kind_of_input": "picture", "shows": picture} for _ in range(many)]

    found = html.within_budget({"dev": items(200, 14_000), "test": items(200, 14_000)})
    shown = found["dev"]["items"] + found["test"]["items"]
    assert sum(len(one["shows"]["png"]) for one in shown) <= BUDGET and len(shown) <= 200
    assert len(found["dev"]["items"]) == len(found["test"]["items"]) == 100 and found["dev"]["of"] == 200
    assert len(html.within_budget({"dev": items(200, 14_000)})["dev"]["items"]) == 200
    assert len(html.within_budget({"dev": items(10, 2_000_000)})["dev"]["items"]) == 1
    rows = [{"kind_of_input": "table", "shows": {}}] * 500
    assert len(html.within_budget({"dev": rows})["dev"]["items"]) == 500


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (45_678, "46 kB"), (2.5e12, "2,500 GB")]
)
def test_sizes(count, said):
    assert html.size(count) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("20261122-233408", "22 November 2026, 23:34 UTC"),
        ("20260102-000000-2", "2 January 2026, 00:00 UTC"),
        ("mine", None),
    ],
)
def test_moments(name, said):
    assert html.moment(name) == said


def opened(one):
    import base64
    import io

    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(one["png"])))
    assert picture.size == (one["width"], one["height"]) and picture.format == "PNG"
    return np.asarray(picture)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (5, 9, 3), (5, 9, 4)])
def test_small_pictures_are_inlined_as_they_are(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    [one] = inlined([small(picture)])
    assert np.array_equal(opened(one), picture[..., 0] if shape[-1] == 1 else picture)


def test_large_pictures_are_scaled_until_all_fit_and_keep_their_proportions():
    random = np.random.default_rng(0)
    noise = [small(random.integers(0, 256, (300, 600, 3), np.uint8)) for _ in range(60)]
    assert max(noise[0].size) == 160
    found = inlined(noise, budget=400_000)
    assert sum(len(one["png"]) for one in found) <= 400_000 and len(found) == 60
    assert 30 < found[0]["width"] < 160 and found[0]["width"] == 2 * found[0]["height"]
    assert [one["width"] for one in inlined(noise[:1])] == [160]
    [thin] = inlined([small(np.zeros((1, 5000), np.uint8))])
    assert (thin["width"], thin["height"]) == (160, 1)
