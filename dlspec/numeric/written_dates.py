"""Dates as people write them: 2024-03-31, 2024/3/31, 31/12/2020, 12/31/2020, 31.12.2020, with times behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

YEAR_LAST = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?=\s|$)(.*)", re.DOTALL)
"""a date as 31/12/2020 or 12/31/2020, and what stands behind it"""
YEAR_FIRST = re.compile(r"\d{4}([/-])\d{1,2}\1\d{1,2}(?=\s|$)(.*)", re.DOTALL)
"""a date as 2024/3/31, and what stands behind it"""


def first_of(texts: Iterable[str | None]) -> tuple[str, str]:
    """What dates that end with the year begin with, day or month, and one that tells; or "", and why it is not known
    ("" where there are no such dates)."""
    found = [(one, dated) for one in texts if one is not None and (dated := YEAR_LAST.fullmatch(one.strip()))]
    day = next((one for one, dated in found if int(dated[1]) > 12), None)
    month = next((one for one, dated in found if int(dated[3]) > 12), None)
    if day is not None and month is not None:
        return "", f"'{day}' begins with the day, but '{month}' with the month"
    if day is None and month is None:
        return "", f"whether '{found[0][0]}' begins with the day or the month, no date of them tells" if found else ""
    return ("month", month) if day is None else ("day", day)  # type: ignore[return-value]


def taken_as(name: str, first: str, why: str) -> list[str]:
    """What is to be said of how a column's dates were read, by what `first_of` gave; nothing where it gave none."""
    return [f"'{name}': dates are taken to begin with the {first}, as '{why}' does"] if first else []


def year_first(text: str | None, first: str) -> str | None:
    """A date that ends with the year, turned; None where it is none, or is not known to begin with day or month."""
    dated = YEAR_LAST.fullmatch(text.strip()) if text is not None and first else None
    if dated is None:
        return None
    day, month = (dated[1], dated[3]) if first == "day" else (dated[3], dated[1])
    return f"{dated[4]}-{month}-{day}{dated[5]}"


def moment(text: str | None) -> datetime | None:
    """A date, or a date and time, as people write them (ISO 8601; also 2024/3/31 and 2024-03); None: it is none."""
    if text is None:
        return None
    date, *rest = text.replace("/", "-").split(maxsplit=1)
    if date.count("-") == 1:
        date += "-01"
    if date.count("-") == 2 and "T" not in date:
        date = "-".join(part.zfill(2) for part in date.split("-"))
    try:
        found = datetime.fromisoformat(" ".join([date, *rest]))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
