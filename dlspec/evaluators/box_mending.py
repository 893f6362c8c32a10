"""Predicted boxes with their errors of one kind mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dlspec.evaluators.box_truths import found_boxes
from dlspec.types import Examples, State

if TYPE_CHECKING:
    import numpy as np

ROUNDS = 5
"""a mended box may take the truth of another one, which is then wrong; after so many rounds what is wrong goes"""


def mended(examples: Examples, predictions: Sequence[Any], kind: str, state: State) -> list[np.ndarray]:
    """See Boxes.mended."""
    import numpy as np

    from dlspec.numeric.detection_records import stacked
    from dlspec.numeric.found_boxes import KINDS, MISSED

    rows = [one.copy() for one in stacked(predictions)]
    if kind not in KINDS:
        return rows
    code = KINDS.index(kind)
    todo = np.arange(len(rows))
    for turn in range(ROUNDS + 1):
        found = found_boxes(examples.take(todo.tolist()), [rows[row] for row in todo.tolist()], state)
        picture = found.true_picture[found.missed] if code == MISSED else found.picture[found.mistakes[0] == code]
        left = np.unique(picture)
        if not len(left):
            break
        for at in left.tolist():
            row = int(todo[at])
            rows[row] = _missed(found, at, rows[row]) if code == MISSED else _wrong(found, at, rows[row], code, turn)
        todo = todo[left]
    return rows


def _missed(found: Any, picture: int, rows: np.ndarray) -> np.ndarray:
    """With what was missed in a picture added."""
    import numpy as np

    which = np.flatnonzero(found.missed & (found.true_picture == picture))
    added = np.concatenate(
        [found.truths[which], np.ones((len(which), 1)), found.true_label[which, None].astype(np.float64)], axis=1
    )
    return _sorted(np.concatenate([added, rows]))


def _wrong(found: Any, picture: int, rows: np.ndarray, code: int, turn: int) -> np.ndarray:
    """With the boxes of a picture that are wrong in this way mended, the surest first, or taken out."""
    import numpy as np

    from dlspec.numeric.found_boxes import BOTH, CLASS, LOCATION

    kind, about = found.mistakes
    first, end = np.searchsorted(found.picture, [picture, picture + 1])
    wrong = first + np.flatnonzero(kind[first:end] == code)
    kept, taken = np.ones(len(rows), bool), set[int]()
    for one in wrong[np.argsort(-found.score[wrong], kind="stable")].tolist():
        truth, place = int(about[one]), int(found.place[one])
        free = code in (CLASS, LOCATION, BOTH) and found.finder[truth] < 0 and truth not in taken
        if not free or turn >= ROUNDS:
            kept[place] = False
            continue
        taken.add(truth)
        if code in (LOCATION, BOTH):
            rows[place, :4] = found.truths[truth]
        if code in (CLASS, BOTH):
            rows[place, 5] = found.true_label[truth]
    return _sorted(rows[kept])


def _sorted(rows: np.ndarray) -> np.ndarray:
    import numpy as np

    return rows[np.argsort(-rows[:, 4], kind="stable")]
