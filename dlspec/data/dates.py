"""Dates as people write them, and the same as ISO 8601 has them: the task of a first attention network, no download."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from dlspec.data.base import Reader
from dlspec.types import DataError, Examples, Place, Splits

FIRST, LAST = datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)
"""a hundred years, so that the last two digits of a year tell which it is"""
DAYS = (LAST - FIRST).days + 1
FORMATS = (
    "short", "medium", "long", "full",
    "d MMM y", "dd MMM y", "d MMM, y", "MMM d y", "EEE, d MMM y",
    "d MMMM y", "d. MMMM y", "d MMMM, y", "MMMM d y", "EEEE d MMMM y",
    "d MM yy", "dd.MM.yy", "d.M.y", "y/MM/dd",
)  # fmt: skip
"""as Unicode's technical standard 35 writes them; the first four are the usual ones of a language"""


class Dates(Reader):
    """Different days from 1950 to 2049, each in one of 18 formats of a language: "Tuesday 5 May 1987" → "1987-05-05".

    No day comes twice, so that those of dev and test were never seen in any format.  Everything follows from `seed`,
    and from the versions of Babel, which knows how dates are written, and Faker, which draws them.
    x: the date as text; y: "YYYY-MM-DD"; the tag `format` tells how it is written.
    """

    kind: ClassVar[str] = "text"
    summary: ClassVar[str] = "dates in many formats, to be written as ISO 8601 has them; no download"
    name: Literal["dates"] = "dates"

    examples: int = Field(10_000, ge=1, le=DAYS)
    """how many days"""
    locale: str = "en_US"
    """the language, and where needed the country, whose names and usual formats are used: en_US, de_DE, fr, …"""
    seed: int = Field(0, ge=0)
    """another seed, other days in other formats"""

    def load(self, *, truth: bool = True) -> Splits:
        try:
            import babel
            import faker
            from babel.dates import format_date
        except ImportError as error:
            message = f"data 'dates' needs Babel and Faker ({error}): pip install 'dlspec[dates]'"
            raise DataError(message, where=Place(key="data.name")) from None
        try:
            language = babel.Locale.parse(self.locale)
        except (ValueError, babel.UnknownLocaleError) as error:
            message = f"no locale that Babel knows ({error}); a language and country are written like en_US, or de"
            raise DataError(message, where=Place(key="data.locale")) from None
        fake = faker.Faker()
        fake.seed_instance(self.seed)
        drawn = fake.random_sample(elements=range(DAYS), length=self.examples)
        days = [FIRST + datetime.timedelta(days=number) for number in drawn]
        formats = [fake.random_element(elements=FORMATS) for _ in days]
        texts = [format_date(day, how, locale=language) for day, how in zip(days, formats, strict=True)]
        note = (
            f"{len(days):,} days from {FIRST.year} to {LAST.year} in {len(FORMATS)} formats of {self.locale}, made "
            f"with Babel {babel.__version__} and Faker {faker.VERSION}"
        )
        ids = [str(number) for number in range(len(days))]
        found = Examples(ids, texts, [day.isoformat() for day in days], tags={"format": formats})
        return Splits({"all": found}, notes=(note,))
