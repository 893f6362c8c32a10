"""What every reader does: name the examples, hand out named splits, say what it saw.

A reader is a format; how its examples are divided is the same for all (`split`, in dlspec.data.splits).
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import ClassVar

from dlspec.data.carving import carved
from dlspec.data.corrections import Corrections, corrected
from dlspec.data.splits import Size, Split
from dlspec.data.thinning import thinned
from dlspec.proposals import Proposal
from dlspec.recipe.component import Component
from dlspec.remedies import FIRST, Remedy, Situation
from dlspec.types import DataError, Place, RecipeError, Splits

DEV_TO_SHARE = 80
"""examples that dev must have, before half of it may go to train"""


class Reader(Component):
    """A format of data.  Override `load`; where it reads files, `files` and `at` too."""

    kind: ClassVar[str]
    """what goes in when the recipe's `input` has no name: "table", "picture", "text", "series" or "sound" """
    suffixes: ClassVar[tuple[str, ...]] = ()
    """endings of the files that this reader opens when `predict` or `evaluate --data` is given one"""
    folders: ClassVar[bool] = False
    """whether it opens folders, too"""
    has_labels: ClassVar[bool] = True
    """whether truths are something beside x, that somebody has told; else they are later text, or later numbers"""

    split: Split = Split()
    """how the examples are divided into train, dev and test"""
    train_dev: Size = 0
    """share or number of train's examples that are set aside as train_dev: they are like train, and not trained on.
    What is worse on dev than there is data mismatch.  Of use where dev comes from elsewhere"""
    dev_to_train: Size = 0
    """share or number of dev's examples that go over to train, so that the network sees their like.  Of use where dev
    comes from elsewhere, and has plenty"""
    corrections: Corrections = ()
    """a table of labels that were wrong, or several, the later of which hold: columns `id` and `new`, as
    `error-analysis --labels` writes it.  A row whose `new` is empty changes nothing.  The data's own files stay as they
    are, and so does who is in which split"""

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """How this reader would read what lies at a path, for `init`; None where it is none of its formats.

        path: absolute, and there.  target: the column that the user wants to predict, where columns can be chosen.
        It looks at what it needs and no more, without keras.  Raises DataError, with the mend, where the path is of its
        format and broken, or nothing can be learned from it.
        """
        return None

    @abc.abstractmethod
    def load(self, *, truth: bool = True) -> Splits:
        """The examples as they lie on disk: one part `all`, or the parts that the files themselves name.

        `truth=False` (for `predict`): the target may be absent; then `y` is None.
        Raises DataError that names file and row.
        """

    def files(self) -> list[str]:
        """The files behind it, for the fingerprint; none where the data ships with a library."""
        return []

    def at(self, path: str) -> Reader:
        """The same settings over another file; raises DataError where this reader has no files."""
        raise DataError(f"data '{self.name}' is not read from files of yours, so it cannot be read from {path}")

    def opens(self, ending: str) -> bool:
        """Whether `at` may be asked for a file with such an ending (`.csv`)."""
        return ending.lower() in self.suffixes

    @classmethod
    def for_kind(cls, kind: str, path: str) -> Reader | None:
        """This reader with its defaults over a file, where it can give that kind of example; else None."""
        return cls(path=path) if cls.suffixes and getattr(cls, "kind", None) == kind else None  # type: ignore[call-arg]

    def remedies(self, of: Situation) -> list[Remedy]:
        """Of a dev that comes from elsewhere, some to train; a larger dev, where it is cut off here."""
        if of.cause == "data mismatch" and of.apart and not self.dev_to_train and of.dev >= DEV_TO_SHARE:
            reason = "the network then sees the kind of example that dev holds, and half of dev is left to judge it"
            return [Remedy({"dev_to_train": 0.5}, reason, FIRST)]
        if of.cause == "overfitting to dev" and not of.apart and of.train >= 4 * of.dev:
            count = isinstance(self.split.dev, int)
            larger = 4 * self.split.dev if count else min(0.3, 2 * self.split.dev)
            if self.split.folds is None and larger > self.split.dev and (count or of.dev):
                reason = "what was chosen by a small dev fits that dev; a larger one is not fitted so easily"
                return [Remedy({"split.dev": larger}, reason, FIRST)]
        return []

    @property
    def dividing(self) -> Split:
        """`split`, as it is applied."""
        return self.split

    def divided(self, manifest: Mapping[str, str] | None = None) -> Splits:
        """Named splits, but for what goes over from one to another."""
        return self.dividing.divide(self.load(), manifest)

    def read(self, manifest: Mapping[str, str] | None = None) -> Splits:
        """Named splits (train, dev, test): divided as the settings say, or as the manifest (id → split) of a run says.

        Raises DataError where the data is broken, or cannot be divided so; RecipeError where there are no labels that
        could be corrected.
        """
        if self.corrections and not self.has_labels:
            message = (
                f"it changes labels, and '{self.name}' reads none: what is to be learned is in the file, mend it there"
            )
            raise RecipeError(message, where=Place(key="data.corrections"))
        splits = self.divided(manifest)
        if manifest is None:
            splits = carved(splits, self.dividing, train_dev=self.train_dev, dev_to_train=self.dev_to_train)
        splits = corrected(splits, self.corrections, partial=manifest is not None)
        return thinned(splits, self.dividing) if manifest is None else splits
