"""What pictures are like before anything is made of them: sizes, channels, range of values."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dlspec.numeric.picture_paths import PictureFiles
from dlspec.numeric.pictures import blocks
from dlspec.types import DataError, Examples


@dataclass
class Survey:
    """Sizes and channels that occur, each with the id of the first picture that has it; number types; range."""

    sizes: dict[tuple[int, int], str] = field(default_factory=dict)
    channels: dict[int, str] = field(default_factory=dict)
    types: set[str] = field(default_factory=set)
    low: float = np.inf
    high: float = -np.inf


def survey(examples: Examples) -> Survey:
    """Look at every picture; of files, at their heads alone.  Raises DataError where a picture is none."""
    found = Survey()
    x = examples.columns["x"]
    if isinstance(x, PictureFiles):
        files = x[list(examples.rows)]
        for place, head in enumerate(files.headers()):
            if isinstance(head, DataError):
                raise head
            name = examples.columns["ids"][examples.rows[place]]
            found.sizes.setdefault((head.height, head.width), name)
            found.channels.setdefault(head.channels, name)
        found.types, found.low, found.high = {"uint8"}, 0.0, 255.0
        return found
    for places, pictures in blocks(examples):
        first = examples[int(places[0])].id
        found.sizes.setdefault(pictures.shape[1:3], first)
        found.channels.setdefault(pictures.shape[3], first)
        found.types.add(str(pictures.dtype))
        found.low, found.high = min(found.low, float(pictures.min())), max(found.high, float(pictures.max()))
    return found
