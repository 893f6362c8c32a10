"""Figures as inline SVG: lines, points, bars, matrices, and the small bars of tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from dlspec.report.svg import HEIGHT, LETTER, LINE, WIDTH, Axis, Frame, clipped, drawing, path, tag, text
from dlspec.report.terminal import number
from dlspec.types import Figure

MOST_DOTS = 1_200
"""of more points, how many lie in each small square is drawn"""
SQUARE = 5.0
MOST_STEPS = 300
"""of a longer line, its highest and lowest in each stretch are drawn"""
COLOURS = 5
LEGEND, LONGEST_NAME = 12.0, 24
"""where rows of a legend begin, and the letters of a name in it at most"""


def draw(figure: Figure, links: Mapping[tuple[str, str], str] | None = None) -> Markup:
    """One figure as an <svg> element.  links: of a matrix, the address of a cell by the names of row and column."""
    if figure.kind == "matrix":
        return matrix(figure.title, figure.data, links or {})
    return {"lines": lines, "points": points, "bars": bars}[figure.kind](figure.title, figure.data)


def lines(title: str, data: Mapping[str, Any]) -> Markup:
    """Series over a common x, with whiskers (few points) or bands where they have bounds, and a legend."""
    series = [_known(one) for one in data["series"]]
    drawn = [one for one in series if one["x"]]
    values = [y for one in drawn for y in (*one["y"], *one.get("low", ()), *one.get("high", ()))]
    whole = all(float(x).is_integer() for one in drawn for x in one["x"]) and "x_range" not in data
    logarithmic = "y_range" not in data and bool(values) and min(values) > 0 and max(values) / min(values) > 50
    names = [(one["name"], f"line c{place % COLOURS}") for place, one in enumerate(drawn)] if len(drawn) > 1 else []
    names += [(data["mark"]["name"], "mark")] if data.get("mark") else []
    frame = Frame(
        Axis(
            [x for one in drawn for x in one["x"]],
            within=data.get("x_range"),
            whole=whole,
            logarithmic=bool(data.get("x_logarithmic")),
        ),
        Axis(values, within=data.get("y_range"), most=5, logarithmic=logarithmic),
        x_title=data["x_title"],
        y_title=data["y_title"] + (" (logarithmic)" if logarithmic else ""),
        above=LINE * len(rows := _legend_rows(names)),
    )
    x, y, parts = frame.x, frame.y, frame.drawn()
    if data.get("diagonal"):
        parts.append(_diagonal(x, y))
    if data.get("mark"):
        at = x(data["mark"]["x"])
        parts.append(tag("line", x1=at, x2=at, y1=y.start, y2=y.end, class_="mark"))
    for place, one in enumerate(drawn):
        parts += _series(one, x, y, f"c{place % COLOURS}")
    return drawing(title, WIDTH, HEIGHT, *parts, *_legend(rows))


def _series(one: Mapping[str, Any], x: Axis, y: Axis, colour: str) -> list[Markup]:
    """One line; where it has counts, dots as large as they are, and no line: a few examples must not look like many."""
    parts = _bounds(one, x, y, colour) if "low" in one else []
    spots = [(x(a), y(b)) for a, b in _thinned(one["x"], one["y"])]
    if len(spots) > 1 and "counts" not in one:
        parts.append(path(spots, f"line {colour}"))
    if len(spots) <= 12:
        counts = one.get("counts")
        for i, (cx, cy) in enumerate(spots):
            said = f"{number(one['x'][i])}: {number(one['y'][i])}"
            r = 3.0
            if counts:
                said, r = f"{said} of {_count(counts[i])}", 2.5 + 4.5 * math.sqrt(counts[i] / max(counts))
            parts.append(tag("circle", tag("title", said), cx=cx, cy=cy, r=r, class_=f"dot {colour}"))
    return parts


def _legend_rows(names: Sequence[tuple[str, str]]) -> list[list[tuple[str, str, float]]]:
    """The names of a legend, clipped, in as many rows as they take: (name, class, where its mark begins)."""
    rows: list[list[tuple[str, str, float]]] = []
    at = WIDTH
    for name, class_ in names:
        name = clipped(name, LONGEST_NAME)
        wide = 32 + LETTER * len(name)
        if at + wide > WIDTH:
            rows.append([])
            at = LEGEND
        rows[-1].append((name, class_, at))
        at += wide
    return rows


def _legend(rows: Sequence[Sequence[tuple[str, str, float]]]) -> list[Markup]:
    parts = []
    for place, row in enumerate(rows):
        y = 24 + LINE * place
        for name, class_, at in row:
            parts.append(tag("line", x1=at, x2=at + 14, y1=y, y2=y, class_=class_))
            parts.append(text(name, at + 18, y + 4, "start"))
    return parts


def points(title: str, data: Mapping[str, Any]) -> Markup:
    """A scatter plot; of many points, squares that are the darker the more points they hold."""
    xs, ys = data["x"], data["y"]
    if data.get("diagonal"):
        frame = Frame(
            Axis([*xs, *ys], most=5), Axis([*xs, *ys], most=5), x_title=data["x_title"], y_title=data["y_title"]
        )
    else:
        frame = Frame(Axis(xs), Axis(ys, most=5), x_title=data["x_title"], y_title=data["y_title"])
    x, y, parts = frame.x, frame.y, frame.drawn()
    spots = [(x(a), y(b)) for a, b in zip(xs, ys, strict=True)]
    if len(spots) <= MOST_DOTS:
        parts += [tag("circle", cx=cx, cy=cy, r=2.5, class_="dot many c0") for cx, cy in spots]
    else:
        held = Counter((cx // SQUARE, cy // SQUARE) for cx, cy in spots)
        most = math.log1p(max(held.values()))
        parts += [
            tag(
                "rect",
                tag("title", f"{many:,}"),
                x=SQUARE * column,
                y=SQUARE * row,
                width=SQUARE,
                height=SQUARE,
                fill_opacity=f"{0.15 + 0.85 * math.log1p(many) / most:.2f}",
                class_="fill c0",
            )
            for (column, row), many in sorted(held.items())
        ]
    if data.get("diagonal"):
        parts.append(_diagonal(x, y))
    return drawing(title, WIDTH, HEIGHT, *parts)


def bars(title: str, data: Mapping[str, Any]) -> Markup:
    """A histogram where there are `edges`; else a bar a name, one under the other."""
    return _histogram(title, data) if "edges" in data else _named_bars(title, data)


def _histogram(title: str, data: Mapping[str, Any]) -> Markup:
    edges, values = data["edges"], data["values"]
    frame = Frame(
        Axis(edges, within=(edges[0], edges[-1])),
        Axis([0, 5, *values], most=5),
        x_title=data["x_title"],
        y_title=data["y_title"],
    )
    x, y, parts = frame.x, frame.y, frame.drawn()
    for low, high, value in zip(edges, edges[1:], values, strict=False):
        name = tag("title", f"{number(low)} to {number(high)}: {_count(value)}")
        width = max(1.0, x(high) - x(low) - 1)
        parts.append(tag("rect", name, x=x(low), y=y(value), width=width, height=y.start - y(value), class_="fill c0"))
    return drawing(title, WIDTH, HEIGHT, *parts)


def _named_bars(title: str, data: Mapping[str, Any]) -> Markup:
    names, values = data["names"], [0.0 if one is None else one for one in data["values"]]
    lows, highs = data.get("low") or values, data.get("high") or values
    labels = [clipped(name, 22) for name in names]
    left = 8 + LETTER * max(map(len, labels), default=0)
    dots = data.get("dots", False)
    axis = Axis([*([] if dots else [0]), *values, *lows, *highs], most=4).span(left + 6 * dots, WIDTH - 50)
    height, parts = 26 + 20 * len(names), [text(clipped(data["x_title"], 54), 2, 11, "start", class_="title")]
    for row, (name, label, value, low, high) in enumerate(zip(names, labels, values, lows, highs, strict=True)):
        middle = 32 + 20 * row
        parts.append(
            tag("text", tag("title", name), label, x=left - 6, y=middle + 4, text_anchor="end", class_="label")
        )
        parts.append(
            tag("circle", cx=axis(value), cy=middle, r=4, class_="dot c0") if dots else _bar(axis, value, middle, 12)
        )
        parts.append(_whisker(axis, low, high, middle))
        parts.append(text(number(value), max(axis(value), axis(high)) + 5, middle + 4, "start"))
    start = left if dots else axis(0)
    parts.append(tag("line", x1=start, x2=start, y1=20, y2=height, class_="axis"))
    return drawing(title, WIDTH, height + 4, *parts)


def matrix(title: str, data: Mapping[str, Any], links: Mapping[tuple[str, str], str]) -> Markup:
    """A table of counts, shaded by the share of its row; where row and column have one name, in another colour."""
    rows, columns, values = data["rows"], data["columns"], data["values"]
    across, down = [clipped(name, 12) for name in columns], [clipped(name, 16) for name in rows]
    left = 22 + LETTER * max(map(len, down))
    cell = max(24.0, 8 + LETTER * max(len(_count(one)) for row in values for one in row))
    cell = max(cell, min(64.0, (WIDTH - left - 8) / len(columns)))
    tall = min(cell, 40.0)
    turned = max(map(len, across)) * LETTER > cell - 4
    top = 24 + (LETTER * max(map(len, across)) if turned else 14)
    width, height = left + cell * len(columns) + 8, top + tall * len(rows) + 8
    parts = [
        text(data["column_title"], left + cell * len(columns) / 2, 11, class_="title"),
        text(
            data["row_title"], 0, 0, class_="title", transform=f"translate(10 {top + tall * len(rows) / 2}) rotate(-90)"
        ),
    ]
    for i, name in enumerate(across):
        x = left + cell * (i + 0.5)
        if turned:
            parts.append(text(name, 0, 0, "start", transform=f"translate({x + 4:.1f} {top - 6:.1f}) rotate(-90)"))
        else:
            parts.append(text(name, x, top - 6))
    for row, (name, counts) in enumerate(zip(rows, values, strict=True)):
        y, total = top + tall * row, sum(counts) or 1
        parts.append(text(down[row], left - 6, y + tall / 2 + 4, "end"))
        for i, many in enumerate(counts):
            same, share = name == columns[i], many / total
            said = f"{data['row_title']} {name}, {data['column_title']} {columns[i]}: {_count(many)} ({share:.1%})"
            shade = 0.5 * share if same else 0.7 * math.sqrt(share)
            box = {"x": left + cell * i, "y": y, "width": cell - 1, "height": tall - 1}
            parts.append(tag("rect", **box, class_="cell"))
            if many:
                colour = "right" if same else "wrong"
                drawn = (
                    tag("rect", tag("title", said), **box, fill_opacity=f"{shade:.3f}", class_=f"fill {colour}"),
                    text(_count(many), left + cell * (i + 0.5), y + tall / 2 + 4, class_="label count"),
                )
                to = links.get((name, columns[i]))
                parts += drawn if to is None else [tag("a", *drawn, href=to)]
    # On a narrow screen it may shrink a little; beyond that it is scrolled, so that its numbers can be read.
    return drawing(title, width, height, *parts, style=f"min-width: {0.8 * width:.0f}px")


def bar(value: float | None, low: float | None = None, high: float | None = None, *, within: Sequence[float]) -> Markup:
    """The small bar of a table's cell: from 0 to the value, a whisker from low to high, on a scale that rows share."""
    if value is None or not math.isfinite(value):
        return Markup("")
    axis = Axis((), within=within).span(1.0, 119.0)
    axis.low, axis.high = min(0.0, *within), max(*within, min(0.0, *within) + 1e-12)
    parts = [_bar(axis, value, 8, 10)]
    if low is not None and high is not None:
        parts.append(_whisker(axis, max(low, axis.low), min(high, axis.high), 8))
    return drawing(number(value), 120, 16, *parts)


def _bar(axis: Axis, value: float, middle: float, thick: float) -> Markup:
    start, end = sorted((axis(0.0), axis(value)))
    return tag("rect", x=start, y=middle - thick / 2, width=max(0.5, end - start), height=thick, class_="fill c0 soft")


def _whisker(axis: Axis, low: float, high: float, middle: float) -> Markup:
    if high <= low:
        return Markup("")
    ends = [
        tag("line", x1=axis(one), x2=axis(one), y1=middle - 3, y2=middle + 3, class_="whisker") for one in (low, high)
    ]
    return Markup("").join([tag("line", x1=axis(low), x2=axis(high), y1=middle, y2=middle, class_="whisker"), *ends])


def _diagonal(x: Axis, y: Axis) -> Markup:
    low, high = max(x.low, y.low), min(x.high, y.high)
    return tag("line", x1=x(low), y1=y(low), x2=x(high), y2=y(high), class_="diagonal")


def _bounds(one: Mapping[str, Any], x: Axis, y: Axis, colour: str) -> list[Markup]:
    if len(one["x"]) > 30:
        there = list(zip(one["x"], one["high"], strict=True))
        back = list(zip(one["x"], one["low"], strict=True))[::-1]
        corners = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in there + back)
        return [tag("polygon", points=corners, class_=f"band {colour}")]
    return [
        tag("line", x1=x(a), x2=x(a), y1=y(low), y2=y(high), class_=f"bound {colour}")
        for a, low, high in zip(one["x"], one["low"], one["high"], strict=True)
    ]


def _known(one: Mapping[str, Any]) -> dict[str, Any]:
    """A series without its gaps."""
    kept = [i for i, y in enumerate(one["y"]) if y is not None and math.isfinite(y)]
    return {key: value if key == "name" else [value[i] for i in kept] for key, value in one.items()}


def _thinned(xs: Sequence[float], ys: Sequence[float]) -> list[tuple[float, float]]:
    """Of a long line, the lowest and the highest of each stretch, in their order; what is drawn looks the same."""
    places = range(len(xs))
    if len(xs) > 2 * MOST_STEPS:
        width = -(-len(xs) // MOST_STEPS)
        chosen = {0, len(xs) - 1}
        for start in range(0, len(xs), width):
            stretch = places[start : start + width]
            chosen |= {min(stretch, key=ys.__getitem__), max(stretch, key=ys.__getitem__)}
        places = sorted(chosen)
    return [(xs[i], ys[i]) for i in places]


def _count(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else number(value)
