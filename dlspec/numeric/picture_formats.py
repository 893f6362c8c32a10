"""What a picture file is, how large and which way up, by its first bytes."""

from __future__ import annotations

import re
import struct

from dlspec.numeric.printable import shown

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".gif", ".webp")
"""endings of picture files; what a file really is, its first bytes say"""

# How a file begins, and how a whole one ends where that can be told.
FORMATS: dict[str, tuple[re.Pattern[bytes], bytes | None]] = {
    "JPEG": (re.compile(rb"\xff\xd8\xff"), b"\xff\xd9"),
    "PNG": (re.compile(rb"\x89PNG\r\n\x1a\n"), b"IEND\xaeB\x60\x82"),
    "GIF": (re.compile(rb"GIF8[79]a"), b"\x3b"),
    "WebP": (re.compile(rb"RIFF....WEBP", re.DOTALL), None),
    "BMP": (re.compile(rb"BM"), None),
}
HEAD = 32
"""bytes of a file's beginning that the functions here ask for"""

_OTHERS = (
    ("a TIFF file", re.compile(rb"II\*\0|MM\0\*|II\+\0|MM\0\+")),
    ("a HEIC picture", re.compile(rb"....ftyp(hei|hev|mif1|msf1)", re.DOTALL)),
    ("an AVIF picture", re.compile(rb"....ftypavi", re.DOTALL)),
    ("a JPEG 2000 picture", re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51")),
    ("a PDF file", re.compile(rb"%PDF")),
    ("a Photoshop file", re.compile(rb"8BPS")),
    ("an SVG, XML or HTML file", re.compile(rb"\s*<(svg|\?xml|!DOCTYPE|html)", re.IGNORECASE)),
)
_ORIENTATION = 0x0112


def format_of(head: bytes) -> str | None:
    """JPEG, PNG, GIF, WebP, BMP, or None."""
    return next((name for name, (begins, _) in FORMATS.items() if begins.match(head)), None)


def looks_whole(name: str, head: bytes, tail: bytes, length: int) -> bool:
    """Whether a file of this format, so many bytes long, ends as a whole one does; False where that cannot be told."""
    if name == "WebP":
        return int.from_bytes(head[4:8], "little") + 8 <= length
    end = FORMATS[name][1]
    return end is not None and tail.endswith(end)


def what_else(head: bytes) -> str:
    """In words what a file is that is none of the pictures that are read."""
    if not head:
        return "this file is empty (0 bytes)"
    what = next((name for name, begins in _OTHERS if begins.match(head)), None)
    if what is None:
        text = head.decode("utf-8", "ignore")
        is_text = len(text.encode()) >= len(head) - 3 and not re.search(r"[\x00-\x08\x0e-\x1f]", text)
        what = f"text ('{shown(text[:20])}…')" if is_text else f"something else (it begins with {head[:4].hex(' ')})"
    return f"this is {what}; expected a picture: {', '.join([*FORMATS][:-1])} or {[*FORMATS][-1]}"


def webp_size(head: bytes) -> tuple[int, int]:
    """Height and width out of the head of a WebP file (RFC 9649, sections 2.5 to 2.7)."""
    kind = head[12:16]
    if kind == b"VP8X":
        return int.from_bytes(head[27:30], "little") + 1, int.from_bytes(head[24:27], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    return int.from_bytes(head[28:30], "little") & 0x3FFF, int.from_bytes(head[26:28], "little") & 0x3FFF


def orientation(exif: bytes) -> int:
    """1 to 8 (EXIF 2.3, section 4.6.4); 1, as it lies, where it says nothing or nothing that makes sense.

    Pillow's own reader decodes every entry, and warns or fails where any other one is broken.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        [start] = struct.unpack_from(order + "I", tiff, 4)
        [count] = struct.unpack_from(order + "H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, entry)
            if tag == _ORIENTATION and kind == 3:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
