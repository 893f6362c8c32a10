"""The picture of an alignment: every piece is named, a cell is as dark as its weight, in SVG and PNG alike."""

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from dlspec.report.alignment import CELL, DARK, MOST, SCALE, Alignment, alignments

SVG = "{http://www.w3.org/2000/svg}"
SOURCE, TARGET = ["a", "man", " ", "<sleeping>", "."], ["ein", "Mann", "schläft", "睡眠", "."]


def shown(weights=None):
    weights = np.eye(5) if weights is None else weights
    return Alignment(SOURCE, TARGET, weights)


def test_svg_names_every_piece_and_every_weight():
    weights = np.full((5, 5), 0.001)
    weights[1] = [0.25, 0.75, 0, 0, 0]
    root = ET.fromstring(alignments([shown(weights)], ".svg"))
    said = [one.text for one in root.iter(f"{SVG}text")]
    assert said[:10] == [*TARGET, "a", "man", "·", "<sleeping>", "."]
    titles = [one.text for one in root.iter(f"{SVG}title")]
    assert titles[1:] == ["Mann ← a: 0.25", "Mann ← man: 0.75"]
    fills = [one.get("fill") for one in root.iter(f"{SVG}rect") if one.find(f"{SVG}title") is not None]
    # White is 255, 255, 255; dark 8, 48, 107: a quarter and three quarters of the way.
    assert fills == ["#c1cbda", "#466490"]
    assert [one.get("transform") is not None for one in root.iter(f"{SVG}text")][5:10] == [True] * 5


def test_png_is_dark_where_the_weight_is():
    picture = np.asarray(Image.open(io.BytesIO(alignments([shown()], ".png"))))
    dark = (picture == DARK).all(axis=-1)
    side = SCALE * CELL
    # Full cells lie on the diagonal; the scale below ends in a piece of the same colour.
    rows, columns = np.nonzero(dark)
    own = rows < rows.max() - 2 * side
    top, left = rows[own].min(), columns[own].min()
    for t in range(5):
        for s in range(5):
            cell = dark[top + t * side : top + (t + 1) * side, left + s * side : left + (s + 1) * side]
            assert cell.mean() > 0.9 if s == t else not cell.any()
    labels = picture[:, :left].min(axis=2) < 100
    for t in range(5):  # each row has its label beside it
        assert labels[top + t * side : top + (t + 1) * side].any()


def test_single_letters_are_not_turned_and_several_texts_stand_below_each_other():
    one = Alignment(list("5 May"), list("05-05"), np.eye(5))
    alone, both = (ET.fromstring(alignments([one] * count, ".svg")) for count in (1, 2))
    assert not [label for label in alone.iter(f"{SVG}text") if label.get("transform")]
    assert float(both.get("height")) > float(alone.get("height")) + 5 * CELL
    assert len(list(both.iter(f"{SVG}text"))) == 2 * len(list(alone.iter(f"{SVG}text"))) - 2  # one scale


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_nothing_said_and_very_long_texts_are_drawn(suffix):
    long = Alignment(["x" * 40] * (MOST + 5), ["y"], np.full((1, MOST + 5), 0.01))
    nothing = Alignment([], [], np.zeros((0, 0)))
    data = alignments([nothing, long], suffix)
    assert len(data) > 1000
    if suffix == ".svg":
        assert f"the first {MOST} pieces alone are drawn".encode() in data and ("x" * 19 + "…").encode() in data


def test_wide_letters_are_not_cut_off():
    said = Alignment(["x"], ["+ammmmmmmmmmen"], np.ones((1, 1)))
    picture = np.asarray(Image.open(io.BytesIO(alignments([said], ".png"))).convert("L"))
    assert (picture[:, :2] == 255).all() and (picture < 128).any()  # nothing reaches the left edge
