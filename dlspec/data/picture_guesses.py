"""What pictures ask of `input`: size, channels, and which random changes leave a picture what it is."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dlspec.numeric.printable import shown
from dlspec.proposals import Line, Lines
from dlspec.types import DataError, Place

if TYPE_CHECKING:
    import numpy as np

SAMPLE = 2_000
"""pictures whose heads are looked at, evenly spread"""
LARGEST = 224
"""the longer side that is proposed at most, where an architecture asks for no other"""
SIDED = re.compile(
    r"\d+|[a-z]|.*(left|right|digit|letter|zero|one|two|three|four|five|six|seven|eight|nine|arrow|turn|sign|text).*",
    re.IGNORECASE,
)
"""classes that a mirrored picture may no longer belong to: digits, letters, sides, signs"""


class Looks(NamedTuple):
    """The typical picture, and what follows for `input`."""

    shape: tuple[int, int, int]
    alike: bool
    input: Lines
    seen: tuple[str, ...]


def looks(paths: Sequence[str], classes: Collection[str]) -> Looks:
    """Of picture files: their heads alone are read.  Raises DataError where none of them can be."""
    from dlspec.numeric.picture_paths import PictureFiles

    count = len(paths)
    chosen = range(count) if count <= SAMPLE else [i * count // SAMPLE for i in range(SAMPLE)]
    heads = PictureFiles("", [paths[i] for i in chosen]).headers()
    good = [one for one in heads if not isinstance(one, DataError)]
    if not good:
        raise next(one for one in heads if isinstance(one, DataError))
    found = of_shapes([(one.height, one.width, one.channels) for one in good], classes)
    seen = [f"{one} ({len(good):,} of {count:,} looked at)" if len(good) < count else one for one in found.seen[:1]]
    broken = [one for one in heads if isinstance(one, DataError)]
    if broken:
        first = broken[0].complaints[0]
        many = f"{len(broken):,} of {len(heads):,} pictures" if len(heads) > 1 else "the picture"
        seen.append(f"{many} cannot be read, and will be left out by name: {first.where.file}: {first.message}")
    return found._replace(seen=(*seen, *found.seen[1:]))


def of_array(file: str, name: str, x: np.ndarray, classes: Collection[str]) -> Looks:
    """Of pictures in one array, which is checked.  Raises DataError where it holds none."""
    from dlspec.data import numpy_files

    shape = numpy_files.pictures(file, name, x).shape
    if shape[3] not in (1, 3):
        raise DataError(f"'{name}' has {shape[3]} channels; expected 1 (grey) or 3 (colours)", where=Place(file))
    return of_shapes([(shape[1], shape[2], shape[3])], classes)


def of_shapes(shapes: Sequence[tuple[int, int, int]], classes: Collection[str]) -> Looks:
    """Of heights, widths and channels."""
    sizes = Counter((height, width) for height, width, _ in shapes)
    heights, widths = sorted(h for h, _, _ in shapes), sorted(w for _, w, _ in shapes)
    height, width = heights[len(heights) // 2], widths[len(widths) // 2]
    channels = {c for _, _, c in shapes}
    alike = len(sizes) == 1
    many = 1 if channels == {1} else 3
    # Grey pictures among coloured ones become coloured; the other way round colours would be lost.
    kinds = "grey" if many == 1 else "in colour" if channels == {3} else "some grey, some in colour"
    span = f"{height}×{width}" if alike else f"from {_by(min(sizes))} to {_by(max(sizes))}, median {height}×{width}"
    lines = [_size(height, width, alike)]
    if _uneven(sizes):
        why = "proportions differ a lot: keep them and fill the rest with black, instead of stretching"
        lines.append(Line("fit", "letterbox", why, sure=False))
    lines.append(Line("channels", many, "1: grey, 3: colours"))
    lines.append(Line("augment", _augment(classes), "random changes of training pictures, drawn anew each epoch"))
    return Looks((height, width, many), alike, tuple(lines), (f"pictures (height×width): {span}, {kinds}",))


def _size(height: int, width: int, alike: bool) -> Line:
    ratio = min(1.0, LARGEST / max(height, width))
    size = (max(1, round(height * ratio)), max(1, round(width * ratio)))
    of = (
        "as the pictures are" if alike and ratio == 1 else "the pictures' median" if ratio == 1 else "smaller than most"
    )
    return Line("size", size, f"height and width that the network sees: {of}; larger shows more and takes longer")


def _augment(classes: Collection[str]) -> Lines:
    shift = Line("shift", 0.1, "moves each by up to a tenth of its sides: safe for nearly all pictures")
    sided = [one for one in classes if SIDED.fullmatch(one)]
    if sided:
        some = ", ".join(f"'{shown(one)}'" for one in sorted(sided)[:3])
        return (shift.because(f"{shift.why}. No flip: mirrored, classes such as {some} may be others"),)
    why = "also mirrors half of them: where a mirrored picture is of the same class, as cats and cars are"
    return (shift, Line("flip", "horizontal", why, sure=False))


def _uneven(sizes: Counter[tuple[int, int]]) -> bool:
    ratios = sorted(width / height for height, width in sizes.elements())
    return ratios[int(0.9 * (len(ratios) - 1))] > 1.5 * ratios[int(0.1 * (len(ratios) - 1))]


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"


def in_groups(names: Sequence[str]) -> Line | None:
    """`group_pattern`, where file names begin alike in a way that may name a patient or a writer; never sure."""
    pattern = r"([^/]*?)[-_ ]?\d+\.\w+$"
    found = [re.search(pattern, one) for one in names]
    heads = Counter(match.group(1) for match in found if match is not None)
    if len(found) != heads.total() or "" in heads or not 10 <= len(heads) <= len(names) / 2:
        return None
    folders = {os.path.dirname(one) for one in names}
    if len(heads) <= len(folders):
        return None
    some = ", ".join(f"'{shown(one)}'" for one, _ in heads.most_common(3))
    why = f"file names begin alike ({some}): if that names a patient or a writer, keep each in one split"
    return Line("group_pattern", pattern, why, sure=False)
