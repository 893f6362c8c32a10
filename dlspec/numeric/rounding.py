"""Round numbers: for axes and histograms 1, 2 or 5 times a power of ten apart; in words, as a person writes them."""

from __future__ import annotations

import math
import re


def round_step(span: float, most: int) -> float:
    """The smallest of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, … that goes into `span` at most `most` times.  span > 0."""
    exponent = math.floor(math.log10(span / most))
    for power in (exponent, exponent + 1):
        for digit in (1, 2, 5):
            step = float(f"{digit}e{power}")
            if span / step <= most * (1 + 1e-9):
                return step
    raise AssertionError(f"no step for {span}")


def round_range(low: float, high: float, most: int) -> list[float]:
    """Multiples of a round step, from the last at or below `low` to the first at or above `high`; two at least.

    The step goes into high − low at most `most` times; where both are equal, a range around them.
    """
    if low == high:
        half = abs(low) / 2 or 0.5
        low, high = low - half, high + half
    step = round_step(high - low, most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step)))
    return [round(i * step, digits) + 0.0 for i in range(first, last + 1)]


def brief(value: float, *, exact: bool = False) -> str:
    """A number as a person writes it: 1e8, 0.003, 5e-5.  To six digits; exact: all that make it the same number."""
    text = f"{value:.6g}"
    if exact and float(text) != value:
        text = repr(value)
    return re.sub(r"e([+-])0*(\d)", lambda found: f"e{found[1].strip('+')}{found[2]}", text)


def several(count: float, word: str) -> str:
    """`1 example`, `1,200 examples`: a count and what is counted, by the number that is shown."""
    shown = f"{count:,.0f}"
    return f"{shown} {word}{'s' * (shown != '1')}"


def legible(text: str) -> str:
    """A text, with the numbers in it that have more than six decimals cut to six digits: no 0.30000000000000004."""
    return re.sub(r"(?<![\w.])\d+\.\d{7,}(e[+-]?\d+)?(?![\w.])", lambda found: brief(float(found[0])), text)
