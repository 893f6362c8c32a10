"""The page of explained pictures in a real browser: names are text, nothing is asked for, a phone has room for it."""

import numpy as np
import pytest

from dlspec.report.explained import page
from dlspec.report.pictures import inlined, small

HARM = "<script>document.title='harm'</script>"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    noise = np.random.default_rng(0).integers(0, 256, (640, 640, 3), np.uint8)
    pictures = inlined([small(noise[:200, :200], 200), small(noise[:200, :150], 200)])
    grids = inlined([small(noise[:98, :398, 0], 640)])
    features = {"layer": HARM, "size": "8×8", "shown": 16, "of": 1_280, "tiles": 0}
    maps = [{"says": HARM, "moves": moves, "gradients": None if moves else 0, "hidden": 1} for moves in (False, True)]
    item = {"id": HARM, "guess": HARM, "figures": [(HARM, 0.5)], "picture": 0, "legend": None, "seen": 1,
            "maps": maps, "features": [features] * 3}  # fmt: skip
    filters = {"layer": HARM, "size": "7×7", "channels": 3, "count": 96, "shown": 64, "colour": True, "whole": False,
               "picture": inlined([small(noise, 640)])[0]}  # fmt: skip
    items = [item, {**item, "features": [], "guess": None}]
    held = {"name": HARM, "when": "now", "task": "classification", "model": "resnet", "count": 3, "filters": filters,
            "layer": HARM, "items": items, "pictures": pictures, "grids": grids}  # fmt: skip
    made = tmp_path_factory.mktemp("page") / "index.html"
    made.write_text(page(held), encoding="utf-8")
    return made


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_asks_for_nothing(opened, file, width):
    browsed, asked, complaints = opened(width)
    browsed.goto(file.as_uri(), wait_until="load")
    browsed.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browsed.evaluate("document.documentElement.scrollWidth") <= width
    assert browsed.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()] and complaints == []


def test_names_are_text(opened, file):
    browsed, *_ = opened()
    browsed.goto(file.as_uri(), wait_until="load")
    assert browsed.title() == f"{HARM}, explained" and browsed.locator("script").count() == 0
    assert browsed.locator("section.explained").count() == 2
    assert browsed.get_by_text("the first 2 of 3 pictures").is_visible()
    assert browsed.locator("section.explained").first.locator("figcaption").all_inner_texts() == [
        "the picture", "as the network sees it", f"Grad-CAM: {HARM}", f"hidden: {HARM}", f"hidden: {HARM}",
        *[f"{HARM}: the 16 liveliest of 1,280 maps of 8×8"] * 3,
    ]  # fmt: skip
