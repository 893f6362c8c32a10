"""Which tag each word of a sentence has: what it names, what part of speech it is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from dlspec.evaluators.tag_truths import Tagged, learned, tag_rows
from dlspec.evaluators.tags import Tags
from dlspec.inputs.base import Input
from dlspec.models.base import Model, Tagger
from dlspec.numeric.chunks import OUTSIDE, PLAIN, chunks
from dlspec.tasks.base import Task
from dlspec.types import Arrays, DataError, Examples, State
from dlspec.wording import plural

LISTED = 12


class Tagging(Task):
    """A tag for each word of a sentence.

    Sentences are lists of words, truths a list of tags each, as many (`data: conll` gives them so); or strings with
    blanks between words, and tags (`input.words: blanks`).  Where words are cut into smaller pieces, the first of a
    word's has its tag, and what the network says of the others is passed over.  Predictions of a sentence are a tuple
    of tags; words that are cut off (input.maximum_length) have the tag `O`, or the most frequent where there is none.
    """

    summary: ClassVar[str] = "a tag for each word: names in a text, parts of speech"
    takes: ClassVar[type[Model]] = Tagger
    asks_of: ClassVar[tuple[str, ...]] = ("text",)
    name: Literal["tagging"] = "tagging"
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """so much of each tag is spread evenly over all"""
    outside_weight: float = Field(1.0, gt=0)
    """how much words that belong to no entity (`O`) count in the loss, of which most texts are full: with less, more
    entities are found, and more that are none"""

    @property
    def evaluator(self) -> Tags:
        return Tags()

    def prepare(self, train: Examples) -> State:
        """`names` of the tags by alphabet, `types` of entities, `scheme`, `outside`: see evaluators.tags.

        Raises DataError where truths are missing or no tags, or all are the same.
        """
        rows = tag_rows(train)
        state = learned(rows)
        if len(state["names"]) < 2:
            only = f"'{state['names'][0]}'" if state["names"] else "none"
            raise DataError(f"there is one tag alone, {only}, so there is nothing to tell apart; is data.tag right?")
        if self.outside_weight != 1 and OUTSIDE not in state["names"]:
            raise DataError(f"no word of train has the tag '{OUTSIDE}'; leave task.outside_weight out")
        if state["scheme"] == PLAIN:
            counts = Counter(tag for tags in rows for tag in tags)
            what = plural(len(counts), "tag")
        else:
            counts = Counter(one.type or "entity" for tags in rows for one in chunks(tags, state["scheme"]))
            what = (
                f"{plural(counts.total(), 'entity', 'entities')} of {plural(len(counts), 'type')} ({state['scheme']})"
            )
        listed = ", ".join(f"{name} {count:,}" for name, count in counts.most_common(LISTED))
        return {**state, "notes": [f"{what}: {listed}{', …' if len(counts) > LISTED else ''}"]}

    def join(self, train: Examples, entry: Input, model: Model, state: State) -> State:
        """Raises DataError where the input does not know where words begin."""
        if not state["input"].get("given"):
            raise DataError(
                "these texts are strings, and nobody says where words end; give lists of words (data: conll), or say "
                "input.words: blanks and input.tokenizer: word, where blanks stand between words"
            )
        task: State = state["task"]
        return task

    def outputs(self, state: State) -> int:
        return len(state["task"]["names"])

    def shuffled(self, train: Examples, seed: int) -> Examples:
        """The tags of all words are shuffled: those of another sentence would be too many or too few."""
        import numpy as np

        rows = tag_rows(train)
        tags = np.array([tag for one in rows for tag in one], object)
        np.random.default_rng(seed).shuffle(tags)
        truths: list[Any] = list(train.columns["y"])
        for row, some in zip(train.rows, np.split(tags, np.cumsum([len(one) for one in rows])[:-1]), strict=True):
            truths[int(row)] = tuple(some)
        return train.replace(y=truths)

    def target(self, examples: Examples, encoded: Arrays, state: State) -> Arrays:
        """`tags`: a list of int32 (L,), 1 + the index of the tag at the first piece of each word, 0 elsewhere, and
        where train has no such tag.

        Raises DataError that names the examples with more or fewer tags than words.
        """
        import numpy as np

        place = {name: i for i, name in enumerate(state["task"]["names"], 1)}
        found, wrong = [], []
        rows = tag_rows(examples)
        for name, tags, pieces, firsts in zip(examples.ids, rows, encoded["tokens"], encoded["firsts"], strict=True):
            if len(tags) != len(firsts):
                wrong.append(f"{name} ({plural(len(tags), 'tag')}, {plural(len(firsts), 'word')})")
                continue
            row = np.zeros(len(pieces), np.int32)
            there = firsts >= 0
            row[firsts[there]] = np.array([place.get(tag, 0) for tag in tags], np.int32)[there]
            found.append(row)
        if wrong:
            shown = ", ".join(wrong[:3]) + (", …" if len(wrong) > 3 else "")
            raise DataError(f"{plural(len(wrong), 'sentence has', 'sentences have')} not a tag for each word: {shown}")
        return {"tags": found}

    def finish(self, batch: Arrays, targets: Arrays, seed: int, state: State) -> tuple[Any, Any, Any]:
        """Targets are padded with 0, as the tokens are: int32 (B, L)."""
        import numpy as np

        from dlspec.numeric.ragged import padded

        tags = padded(targets["tags"])
        width = batch["tokens"].shape[1]
        return batch, np.pad(tags, [(0, 0), (0, width - tags.shape[1])]), self.weigh(targets, state)

    def compiled(self, state: State) -> Mapping[str, Any]:
        """The loss, and `right`: the share of right tags."""
        import keras

        from dlspec.losses.tags import TagLoss, tags_right

        right = keras.metrics.MeanMetricWrapper(tags_right, name="right")
        weights = None
        if self.outside_weight != 1:
            weights = [self.outside_weight if name == OUTSIDE else 1.0 for name in state["task"]["names"]]
        return {"loss": TagLoss(self.label_smoothing, weights), "metrics": [right]}

    def expected_initial_loss(self, state: State) -> float | None:
        """log C: a network that knows nothing gives each of C tags the same probability."""
        return math.log(self.outputs(state))

    def predict(self, network: Any, batches: Iterable[Arrays], state: State) -> Sequence[Tagged]:
        """The tag with the greatest logit at the first piece of each word, and the probabilities of all tags there."""
        import numpy as np

        names, outside = np.array(state["task"]["names"], object), state["task"]["outside"]
        found: list[Tagged] = []
        for batch in batches:
            for logits, firsts in zip(np.asarray(network(batch), np.float32), batch["firsts"], strict=True):
                own, there = logits[firsts], firsts >= 0
                powers = np.exp(own - own.max(axis=-1, keepdims=True))
                sure = np.where(there[:, None], powers / powers.sum(axis=-1, keepdims=True), np.float32(np.nan))
                found.append(Tagged(np.where(there, names[own.argmax(axis=-1)], outside).tolist(), sure))
        return found
