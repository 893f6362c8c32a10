"""Picture files that cannot be read: left out and named, or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dlspec.types import Complaint, DataError, Examples, Place

if TYPE_CHECKING:
    from dlspec.numeric.picture_paths import PictureFiles

MOST = 20


def faulty(files: PictureFiles, *, strict: bool) -> tuple[dict[int, DataError], list[str]]:
    """What is wrong with these files, by place, and a note that names them; each file is looked at quickly.

    Raises DataError that names them all, where strict or where no picture is left.
    """
    found = {place: one for place, one in enumerate(files.headers()) if isinstance(one, DataError)}
    return _told(files, found, strict)


def without_broken(examples: Examples, *, strict: bool = False) -> tuple[Examples, list[str]]:
    """The examples whose pictures can be decoded, every one of which is, and a note on the others.

    It finds what a quick look does not: damage in the middle of a file.  Examples whose x are no files are as they
    are.  Raises DataError that names the files, where strict or where no picture is left.
    """
    from dlspec.numeric.picture_paths import PictureFiles, undecodable

    if not isinstance(examples.columns["x"], PictureFiles):
        return examples, []
    files = examples.columns["x"][list(examples.rows)]
    found, notes = _told(files, undecodable(files), strict)
    return examples.take([place for place in range(len(files)) if place not in found]), notes


def refused(complaints: Sequence[Complaint], more: str) -> DataError:
    """An error of many complaints, of which the first are shown; more: `{} more pictures …`, said of the others."""
    shown = list(complaints[:MOST])
    if len(complaints) > MOST:
        shown.append(Complaint(Place(), more.format(f"{len(complaints) - MOST:,}")))
    return DataError(shown)


def _told(files: PictureFiles, found: Mapping[int, DataError], strict: bool) -> tuple[dict[int, DataError], list[str]]:
    if not found:
        return {}, []
    complaints = [one for error in found.values() for one in error.complaints]
    if strict or len(found) == len(files):
        raise refused(complaints, "{} more pictures cannot be read")
    some = "; ".join(f"{one.where.file}: {one.message}" for one in complaints[:MOST])
    many = f"{len(found):,} picture{'s' * (len(found) > 1)}"
    rest = "; …" if len(found) > MOST else ""
    return dict(found), [f"{many} of {len(files):,} cannot be read and left out: {some}{rest}"]
