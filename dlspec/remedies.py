"""What each part of a recipe can do about a cause of error: changes of its own settings, in the order to try them.

Standard library only, as dlspec.types: it flows between the same rooms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Cause = Literal["avoidable bias", "variance", "data mismatch", "overfitting to dev", "class imbalance", "wrong labels"]

UNSURE = "merely not ruled out"
"""what is said of a cause that nothing shows, though nothing speaks against it either"""


class Situation(NamedTuple):
    """The cause that is to be narrowed, and what is known of the training."""

    cause: Cause
    train: int
    """examples of train"""
    dev: int
    """examples of dev"""
    apart: bool = False
    """dev was given apart from train, so that it may be of another kind"""
    classes: bool = False
    """the task has classes, which can be sampled alike"""
    epochs: int = 0
    """that were gone through"""
    falling: bool = False
    """training was getting somewhere at the end: the loss on train fell, or dev was at its best"""
    stopped: bool = False
    """training was stopped early, as dev no longer improved"""
    kind: str = ""
    """what goes in (text, series, …), as an input's `kind` has it: a reason may speak of its words, or of its steps"""


class Remedy(NamedTuple):
    """changes: a setting of the part (dotted where it lies deeper) → its new value.  rank: the lower, the sooner it is
    to be tried.  reason: why it is for that cause, in a clause."""

    changes: Mapping[str, Any]
    reason: str
    rank: int


AT_ONCE, FIRST, EARLY, USUAL, LATE, LAST = 0, 10, 20, 30, 40, 50
"""ranks: what is surely for this cause comes first, at once where a training takes no longer for it; what may as well
hurt, last"""
