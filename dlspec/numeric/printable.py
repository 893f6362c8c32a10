"""Names and texts as people and JSON can be shown them."""

from __future__ import annotations

import re
import unicodedata

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def shown(name: str) -> str:
    """A name or path as text for people and JSON: control characters and bytes that are not UTF-8 as \\n, \\xe9, …"""
    return _UNPRINTABLE.sub(_escaped, name) if _UNPRINTABLE.search(name) else name


def identity(name: str) -> str:
    """A name as an id: as `shown`, and the same whichever system wrote it.

    Accents are composed (macOS writes them apart), and a backslash is doubled, so that two names stay two.
    """
    return shown(unicodedata.normalize("NFC", name).replace("\\", "\\\\"))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    # Python holds a byte 0x80 to 0xff that is not UTF-8 as U+DC80 to U+DCFF (PEP 383).
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else match.group().encode("unicode_escape").decode()
