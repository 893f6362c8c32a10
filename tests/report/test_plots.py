"""Plots: well-formed, escaped, round ticks, nothing lost, however odd the numbers."""

import math
import re
import xml.etree.ElementTree as Xml
from itertools import pairwise

import numpy as np
import pytest

from dlspec.report import plots
from dlspec.report.svg import HEIGHT, WIDTH, Axis, tag
from dlspec.types import Figure

HARM = "<script>x</script> & \"'"


def parsed(figure):
    return Xml.fromstring(str(plots.draw(figure)))


def all_of(root, name, class_=""):
    return [one for one in root.iter(name) if class_ in one.get("class", "").split() or not class_]


def texts(root):
    return [one.text for one in root.iter("text")]


def lines(series, **more):
    return Figure("lines", "t", {"series": series, "x_title": "epoch", "y_title": "loss", **more})


@pytest.mark.parametrize(
    "figure",
    [
        lines([{"name": HARM, "x": [1], "y": [0]}, {"name": "b", "x": [1], "y": [3]}], mark={"x": 1, "name": HARM}),
        Figure("points", HARM, {"x": [1, 2], "y": [2, 3], "x_title": HARM, "y_title": HARM}),
        Figure("bars", HARM, {"names": [HARM], "values": [0.5], "x_title": HARM, "y_title": HARM}),
        Figure("matrix", HARM, {"rows": [HARM], "columns": [""], "values": [[3]], "row_title": "", "column_title": ""}),
    ],
    ids=lambda figure: figure.kind,
)  # fmt: skip
def test_names_are_text_and_every_drawing_has_a_title(figure):
    root = parsed(figure)
    assert root.tag == "svg" and root.get("role") == "img"
    assert root[0].tag == "title" and root[0].text == figure.title == root.get("aria-label")
    assert not all_of(root, "script")
    assert HARM in "".join(root.itertext()) or any(HARM[:11] in (text or "") for text in root.itertext())


def test_tag_escapes_text_and_attributes_and_keeps_elements():
    inside = tag("b", "<")
    assert (
        str(tag("a", inside, "&", class_='"', text_anchor=1.26))
        == '<a class="&#34;" text-anchor="1.3"><b>&lt;</b>&amp;</a>'
    )


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 1], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ([-12, 31], ["−20", "−10", "0", "10", "20", "30", "40"]),
        ([900, 5100], ["0", "1,000", "2,000", "3,000", "4,000", "5,000", "6,000"]),
        ([2e6, 6e6], ["2e+06", "3e+06", "4e+06", "5e+06", "6e+06"]),
    ],
)
def test_ticks_are_round(values, labels):
    assert Axis(values).labels == labels


def test_ticks_of_whole_numbers_are_whole_and_within():
    assert Axis([1, 3], whole=True).labels == ["1", "2", "3"]
    assert Axis([1, 20], whole=True).ticks == [5, 10, 15, 20]
    assert Axis([1], whole=True).labels == ["1"]


def test_an_axis_places_values_linearly_or_by_logarithm():
    axis = Axis([0, 10]).span(100, 200)
    assert [axis(0), axis(5), axis(10)] == [100, 150, 200]
    axis = Axis([0.01, 100], logarithmic=True).span(0, 4)
    assert [axis(0.01), axis(1), axis(100)] == pytest.approx([0, 2, 4])
    assert axis.labels == ["0.01", "0.1", "1", "10", "100"]


@pytest.mark.parametrize(
    "y", [[0.5, 0.5, 0.5], [0, 0, 0], [1e-9, 1, 1e9], [-1e30, 0, 1e30], [5, None, 7], [math.nan, 1, 2]]
)
def test_whatever_is_drawn_stays_on_the_drawing(y):
    root = parsed(lines([{"name": "a", "x": [1, 2, 3], "y": y}]))
    [line] = all_of(root, "polyline", "line")
    spots = [tuple(map(float, spot.split(","))) for spot in line.get("points").split()]
    assert len(spots) == sum(one is not None and one == one for one in y)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in spots)


def test_nothing_known_is_an_empty_frame():
    root = parsed(lines([{"name": "a", "x": [1, 2], "y": [None, None]}]))
    assert not all_of(root, "polyline", "line") and "epoch" in texts(root)


def test_a_loss_over_decades_has_a_logarithmic_axis_that_says_so():
    root = parsed(lines([{"name": "a", "x": [1, 2, 3], "y": [5, 0.1, 0.002]}]))
    assert "loss (logarithmic)" in texts(root) and "0.1" in texts(root)
    assert "loss" in texts(parsed(lines([{"name": "a", "x": [1, 2, 3], "y": [5, 0.1, 0]}])))


def test_a_long_line_is_thinned_and_keeps_its_extremes():
    y = np.sin(np.arange(50_000) / 500).tolist()
    y[31_234] = 7.0
    thin = plots._thinned(range(50_000), y)
    assert len(thin) <= 2 * plots.MOST_STEPS + 2
    assert (31_234, 7.0) in thin and thin[0][0] == 0 and thin[-1][0] == 49_999
    assert [x for x, _ in thin] == sorted({x for x, _ in thin})


def test_series_have_a_legend_and_whiskers_or_a_band():
    few = {"name": "few", "x": [1, 2], "y": [1, 2], "low": [0, 1], "high": [2, 3]}
    many = {"name": "many", "x": list(range(40)), "y": [1] * 40, "low": [0] * 40, "high": [2] * 40}
    root = parsed(lines([few, many]))
    assert len(all_of(root, "line", "bound")) == 2 and len(all_of(root, "polygon", "band")) == 1
    assert {"few", "many"} <= set(texts(root))


def test_dots_with_counts_are_not_joined_and_as_large_as_their_counts():
    root = parsed(lines([{"name": "a", "x": [0.1, 0.9], "y": [0.2, 0.8], "counts": [4, 100]}]))
    small, large = all_of(root, "circle")
    assert not all_of(root, "polyline", "line") and float(small.get("r")) < float(large.get("r"))
    assert large[0].text == "0.9000: 0.8000 of 100"


def test_few_points_are_dots_and_many_are_squares_that_hold_them_all():
    random = np.random.default_rng(0)

    def scatter(n):
        x = random.normal(size=n)
        return parsed(Figure("points", "t", {"x": x.tolist(), "y": (x + random.normal(size=n)).tolist(),
                                             "x_title": "a", "y_title": "b", "diagonal": True}))  # fmt: skip

    assert len(all_of(scatter(1000), "circle")) == 1000
    root = scatter(50_000)
    squares = all_of(root, "rect", "fill")
    assert sum(int(one[0].text.replace(",", "")) for one in squares) == 50_000
    assert not all_of(root, "circle") and len(Xml.tostring(root)) < 700_000
    opacities = [float(one.get("fill-opacity")) for one in squares]
    assert max(opacities) == 1 and min(opacities) > 0.1


def test_a_histogram_has_a_bar_for_every_bin_as_high_as_its_count():
    root = parsed(Figure("bars", "t", {"edges": [0, 1, 2, 3], "values": [4, 0, 8], "x_title": "a", "y_title": "n"}))
    bars = all_of(root, "rect", "fill")
    heights = [float(one.get("height")) for one in bars]
    assert heights[1] == 0 and heights[2] == pytest.approx(2 * heights[0], abs=0.2)
    assert bars[0][0].text == "0.0000 to 1.0000: 4"


def test_named_bars_reach_to_both_sides_of_zero():
    data = {
        "names": ["up", "down"],
        "values": [2.0, -1.0],
        "low": [1, -2],
        "high": [3, 0],
        "x_title": "a",
        "y_title": "",
    }
    root = parsed(Figure("bars", "t", data))
    up, down = all_of(root, "rect", "fill")
    [zero] = [float(one.get("x1")) for one in all_of(root, "line", "axis")]
    assert float(up.get("x")) == pytest.approx(zero, abs=0.2)
    assert float(down.get("x")) + float(down.get("width")) == pytest.approx(zero, abs=0.2)
    assert float(up.get("width")) == pytest.approx(2 * float(down.get("width")), abs=0.2)
    assert len(all_of(root, "line", "whisker")) == 6


def test_a_matrix_shows_its_counts_and_the_diagonal_in_its_own_colour():
    data = {
        "rows": ["a", "b"],
        "columns": ["a", "b"],
        "values": [[9, 1], [0, 1200]],
        "row_title": "truth",
        "column_title": "guess",
    }
    root = parsed(Figure("matrix", "t", data))
    assert {"9", "1", "1,200"} <= set(texts(root)) and "0" not in texts(root)
    assert len(all_of(root, "rect", "right")) == 2
    [wrong] = all_of(root, "rect", "wrong")
    assert wrong[0].text == "truth a, guess b: 1 (10.0%)"


def test_a_large_matrix_is_readable_and_may_be_scrolled():
    names = [f"class number {i}" for i in range(21)]
    data = {
        "rows": names,
        "columns": names,
        "values": np.eye(21, dtype=int).tolist(),
        "row_title": "truth",
        "column_title": "guess",
    }
    root = parsed(Figure("matrix", "t", data))
    width = float(root.get("width"))
    assert width > 21 * 24 and int(re.search(r"min-width: (\d+)px", root.get("style"))[1]) == round(0.8 * width)


@pytest.mark.parametrize(("low", "high", "whiskers"), [(None, None, 0), (0.1, 0.3, 3), (0.2, 0.2, 0)])
def test_small_bars_of_tables(low, high, whiskers):
    root = Xml.fromstring(str(plots.bar(0.2, low, high, within=(0, 0.4))))
    [bar] = all_of(root, "rect")
    assert float(bar.get("width")) == pytest.approx(59)
    assert len(all_of(root, "line", "whisker")) == whiskers


def test_a_small_bar_of_nothing_is_nothing():
    assert plots.bar(None, within=(0, 1)) == "" == plots.bar(math.nan, within=(0, 1))
    assert "svg" in plots.bar(0.0, within=(0, 0))


@pytest.mark.parametrize("scale", [1, 1e3, 600_000, 4e7])
def test_labels_below_stand_apart_and_within_the_drawing(scale):
    from dlspec.report.svg import LETTER

    values = np.linspace(-scale, scale, 50).tolist()
    figure = Figure("points", "t", {"x": values, "y": values, "x_title": "truth", "y_title": "guess"})
    below = [one for one in all_of(parsed(figure), "text", "label") if float(one.get("y")) > HEIGHT - 30]
    spans = sorted((float(one.get("x")), LETTER * len(one.text) / 2) for one in below)
    assert len(spans) > 2 and "0" in {one.text.rstrip("0.") or "0" for one in below}
    assert all(x - half > 0 and x + half <= WIDTH for x, half in spans)
    assert all(x + half < other - its for (x, half), (other, its) in pairwise(spans))
