"""Fetching a file that a recipe names, once: whole or not at all, and kept."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import NamedTuple

from dlspec.types import DataError, Place

SECONDS = 30
"""how long a server may say nothing"""


class Remote(NamedTuple):
    """Where a file comes from, what it is called where it is kept, and the hash of its content where that is known."""

    url: str
    file: str
    sha256: str | None = None


def fetched(remote: Remote, folder: str) -> str:
    """The file's path; where it is not in the folder yet it is downloaded, which one line on stderr says.

    Raises DataError that says what could not be fetched and how to put it there by hand.
    """
    place = os.path.join(folder, remote.file)
    if os.path.exists(place):
        return place
    print(f"downloading {remote.url} to {place}", file=sys.stderr, flush=True)
    part = f"{place}.{os.getpid()}.part"
    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        digest = _copied(remote.url, part)
        if remote.sha256 not in (None, digest):
            raise _IncompleteError(f"its SHA-256 is {digest}, expected {remote.sha256}")
        os.replace(part, place)
    except (OSError, _IncompleteError) as error:
        reason = str(error).removeprefix("<urlopen error ").removesuffix(">")
        raise DataError(
            f"is not here, and {remote.url} could not be fetched ({reason}); fetch it by hand and put it there",
            where=Place(place),
        ) from None
    finally:
        if os.path.exists(part):
            os.remove(part)
    return place


class _IncompleteError(Exception):
    """What came is not the file."""


def _copied(url: str, part: str) -> str:
    """Write what the server sends; returns its SHA-256."""
    from http.client import HTTPException
    from urllib.request import urlopen

    digest, length = hashlib.sha256(), 0
    try:
        with urlopen(url, timeout=SECONDS) as answer, open(part, "wb") as file:
            expected = answer.headers["Content-Length"]
            while block := answer.read(1 << 20):
                digest.update(block)
                length += file.write(block)
    except HTTPException as error:
        raise _IncompleteError(str(error) or type(error).__name__) from None
    if expected is not None and length != int(expected):
        raise _IncompleteError(f"{length:,} of {int(expected):,} bytes came")
    return digest.hexdigest()
