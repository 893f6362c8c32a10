"""Texts, tags, forecasts in a browser: report and sheet can be read, fit a phone, and run no script of the data."""

import json

import numpy as np
import pytest
from small_training import Heard

from dlspec.evaluators.classes import Classes
from dlspec.evaluators.forecasts import Forecasts
from dlspec.evaluators.sentences import Sentences
from dlspec.evaluators.tag_truths import learned
from dlspec.evaluators.tags import Tags
from dlspec.evaluators.tokens import Read, Tokens
from dlspec.inputs.series import Series
from dlspec.inputs.text import Text
from dlspec.runs.analyze import analyzed
from dlspec.runs.judged import Judged, Part
from dlspec.runs.report import write_report
from dlspec.runs.sheet import write
from dlspec.runs.sheet_made import made
from dlspec.types import Examples

HARM = "<script>document.title='harm'</script>"
LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 8
LINES = [
    f"a dog {HARM} ran",
    "مرحبا بالعالم هذا نص طويل",
    "这是一个没有空格的很长的句子" * 6,
    LONG,
    "\u202eevil <b>bold</b> & co",
    "  ",
]
BLAME = {
    "compared": 6, "alike": 1, "verdict": "unclear", "says": f"the search is to blame for {HARM}", "do": [HARM, LONG],
    "search": {"count": 3, "share": 0.6, "low": 0.23, "high": 0.88},
    "model": {"count": 2, "share": 0.4, "low": 0.12, "high": 0.77},
    "by": [
        {"fact": HARM, "from": 1.0, "to": 4.0, "examples": 4, "value": 31.5, "search": 0.5, "low": 0.2, "high": 0.8,
         "kind": "under-translation", "kind_share": 0.25},
        {"fact": HARM, "from": 5.0, "to": 5.0, "examples": 2, "value": 0.0, "search": None, "low": None, "high": None,
         "kind": None, "kind_share": 0.0},
    ],
}  # fmt: skip


def of(x, y):
    return Examples([f"{HARM} {i}" for i in range(len(x))], x, y, tags={HARM: [LONG] * len(x)})


def sentences():
    guesses = [" ".join(reversed(one.split())) + " x" for one in LINES]
    return Sentences(), {"tokenize": "13a"}, Text(), of(LINES, [f"{one} !" for one in LINES]), guesses


def tags():
    words = [tuple(one.split()) for one in [*LINES, f"{LONG} {HARM} and {'more ' * 80}"] if one.split()]
    truths = [" ".join(["B-person"] + ["O"] * (len(one) - 1)) for one in words]
    guesses = [("O",) * (len(one) - 1) + ("B-place",) for one in words]
    return Tags(), learned([*(one.split() for one in truths), *guesses]), Text(), of(words, truths), guesses


def tokens():
    texts = [one for one in LINES if one.strip()]
    reads = [
        Read(tuple(one), np.full(len(one), 5.0) * (np.arange(len(one)) % 9 == 0), ("<",) * len(one)) for one in texts
    ]
    return Tokens(), {}, Text(), of(texts, texts), reads


def forecasts():
    random = np.random.default_rng(0)
    state = {"horizon": 3, "targets": [HARM, LONG], "season": 4, "scale": [0.1, 0.1]}
    x = [random.normal(size=(12, 2)) for _ in range(8)]
    return Forecasts(), state, Series(), of(x, random.normal(size=(8, 3, 2))), random.normal(size=(8, 3, 2))


def classes():
    state = {"classes": [HARM, LONG], "positive": None, "threshold": None}
    return Classes(), state, Text(), of(LINES, [HARM] * len(LINES)), np.tile([0.2, 0.8], (len(LINES), 1))


@pytest.fixture(params=[sentences, tags, tokens, forecasts, classes], ids=lambda one: one.__name__)
def pages(request, tmp_path):
    """report.html and the sheet of predictions of one kind, all of them wrong."""
    evaluator, state, entry, examples, said = request.param()
    part = Part(examples, said, evaluator.statistics(examples, said, state))
    judged = Judged(evaluator, state, evaluator.metrics(state)[0], {"dev": part}, entry, tmp_path / "home")
    found = analyzed(judged, "dev", worst=3, looks=0, watch=Heard(), eyeball=0)
    assert found["errors"] == len(examples)
    held = tmp_path / "home" / "errors" / "dev.json"
    if request.param is sentences:
        held.write_text(json.dumps({**json.loads(held.read_text(encoding="utf-8")), "blame": BLAME}), encoding="utf-8")
    write(made(judged, "dev", name=HARM, eyeball=0), tmp_path / "sheet.html")
    return request.param.__name__, write_report(tmp_path / "home"), tmp_path / "sheet.html"


WIDE = """[...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1
          && !one.closest('.scroll')).map(one => one.outerHTML.slice(0, 90))"""


@pytest.mark.parametrize("width", [360, 1280])
def test_they_fit_the_screen_and_nothing_runs(opened, pages, width):
    for file in pages[1:]:
        page, asked, complaints = opened(width)
        page.goto(file.as_uri(), wait_until="load")
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width and page.evaluate(WIDE) == []
        assert page.title() != "harm" and complaints == []
        assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]


def test_what_is_said_can_be_read(opened, pages):
    """Texts, and no ids or numbers in their place: in the report, and on the sheet in the list and beside it."""
    kind, report, sheet = pages
    page, *_ = opened(1280)
    page.goto(report.as_uri(), wait_until="load")
    shown = page.locator("main").inner_text()
    # Gains in bits add up, as do those of means over examples; those of corpus BLEU and of F1 over all entities do not.
    assert ("do not add up" in shown) == (kind in ("sentences", "tags"))
    if kind == "sentences":
        assert "Search or model: who is to blame" in shown and "60.0 % (23.0 % to 88.0 %)" in shown
        assert "is not additive" in shown and "under-translation (25%)" in shown and "too few to say" in shown
        assert page.locator(".texts dt").all_inner_texts()[:3] == ["source", "reference", "ours"]
    means = {"sentences": "red: wrong; underlined: missed", "tags": "red: wrong; underlined: missed"}
    means["tokens"] = "red: wrong; point at it to read why"
    assert means.get(kind, "").capitalize() in shown
    page.goto(sheet.as_uri(), wait_until="load")
    assert means.get(kind, "") in page.locator("header").inner_text()
    cards, big = page.locator("#items .card"), page.locator("#big")
    assert cards.count() > 2
    if kind == "forecasts":
        assert cards.locator("svg").count() == cards.count() and big.locator("svg polyline").count() == 4
        return
    texts = [one for one in cards.locator("dd, blockquote").all_inner_texts() if one.strip(" !x")]
    assert all(any(some in one for some in (HARM, "مرحبا", "这是", "Donau", "evil")) for one in texts) and texts
    card = cards.filter(has_text="مرحبا").locator("dd, blockquote").last
    assert card.evaluate("one => getComputedStyle(one).direction") == "rtl"
    assert page.locator("#items mark").count() > 0 if kind != "classes" else page.locator("#items mark").count() == 0
    page.keyboard.press("j")
    assert big.locator("dd, blockquote").first.inner_text().strip()
