"""Sentences and longer texts: cut into pieces, which are numbered; unknown ones and cut ends are counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.inputs.base import Input
from dlspec.inputs.tokenizing import UNKNOWN, Tokenization
from dlspec.recipe.component import Section
from dlspec.remedies import LATE, USUAL, Remedy, Situation
from dlspec.types import Arrays, DataError, Example, Examples, Finding, Rendering, State

if TYPE_CHECKING:
    import numpy as np

RARE = 3
"""a piece that train has no more often is rare"""
REMARKED = 10_000
"""texts that are looked at before they are predicted"""


class Augment(Section):
    """Random changes of texts in training: drawn anew for each example and epoch; nothing is on unless given."""

    unknown: float = Field(0.0, ge=0, lt=1)
    """the share of pieces that are made unknown (word dropout, Iyyer et al. 2015): no single word decides, and what an
    unknown one means is learned"""


class Text(Tokenization, Input):
    """Texts as strings.  The network takes `tokens`, int32 (B, L): a batch is padded with 0 to its longest."""

    name: Literal["text"] = "text"
    kind: ClassVar[str] = "text"
    summary: ClassVar[str] = "sentences and longer texts: words, characters, byte pairs or unigram pieces"

    maximum_length: int | None = Field(512, ge=1)
    """pieces of a text that the network sees at most; nothing: all of them, however many"""
    keep: Literal["start", "end"] = "start"
    """which part of a longer text it sees"""
    augment: Augment = Augment()
    """random changes of texts in training"""

    def remedies(self, of: Situation) -> list[Remedy]:
        """Unknown words: against variance; none against bias."""
        if of.cause == "avoidable bias" and self.augment.unknown:
            return [Remedy({"augment.unknown": 0.0}, "words that are taken away are missed", USUAL)]
        if of.cause == "variance" and self.augment.unknown < 0.3:
            more = 0.1 if self.augment.unknown < 0.1 else 0.3
            return [Remedy({"augment.unknown": more}, "no text is seen twice, and none hangs on a single word", LATE)]
        return []

    def prepare(self, train: Examples) -> State:
        """The tokenizer, learned from train: `tokenizer` (JSON), `vocabulary` (pieces by index), `counts` (how often
        train has each), `strange` (those that say that train had no such thing), `unknown` (share of train's pieces).

        Raises DataError where an example is no text, or all are empty.
        """
        return self.prepare_with(train, ())

    def prepare_with(self, train: Examples, also: Sequence[Any]) -> State:
        """The same, with the pieces of further texts in the vocabulary; all that is counted is train's own."""
        from dlspec.inputs.tokenizing import counts, encoded, never_seen

        texts = _texts(train)
        state = self.learned([*texts, *also])
        size = len(state["vocabulary"])
        rows = encoded(texts, state)
        state["counts"] = counts(rows, size).tolist()
        state["strange"] = never_seen(state["counts"], state["vocabulary"])
        total = max(1, sum(state["counts"]))
        state["unknown"] = state["counts"][UNKNOWN] / total
        state["shapes"] = {"tokens": {"shape": [None], "dtype": "int32", "vocabulary": size}}
        state["notes"] = self._notes([len(one) for one in rows], state)
        return state

    def _notes(self, lengths: list[int], state: State) -> list[str]:
        what = {"word": "words", "character": "characters"}.get(self.tokenizer, "pieces")
        ordered = sorted(lengths)
        middle, most = ordered[len(ordered) // 2], ordered[-1]
        notes = [
            f"texts: {middle:,} {what} in the middle, {most:,} at most; a vocabulary of {len(state['vocabulary']):,}, "
            f"{state['unknown']:.1%} of train is unknown"
        ]
        longer = sum(one > self.maximum_length for one in lengths) if self.maximum_length else 0
        if longer:
            notes.append(
                f"{longer:,} of {len(lengths):,} texts of train are longer than {self.maximum_length:,} {what}; of "
                f"them the {self.keep} is seen (input.maximum_length, input.keep)"
            )
        return notes

    def encode(self, examples: Examples, state: State) -> Arrays:
        """`tokens`: a list of int32 (L,), 0 in none of them.  Raises DataError where an example is no text."""
        from dlspec.inputs.tokenizing import encoded

        most = self.maximum_length
        rows = encoded(_texts(examples), state)
        if most is None:
            return {"tokens": rows}
        return {"tokens": [one[:most] if self.keep == "start" else one[-most:] for one in rows]}

    def lengths(self, arrays: Arrays) -> np.ndarray:
        from dlspec.numeric.ragged import lengths_of

        return lengths_of(arrays["tokens"])

    @property
    def augments(self) -> bool:
        return self.augment != Augment() or type(self).augmented is not Text.augmented

    def augmented(self, batch: Arrays, seeds: np.ndarray, state: State) -> Arrays:
        """Pieces made unknown, a function of the text's seed and the piece's place."""
        import numpy as np

        from dlspec.numeric.draws import bits, uniform
        from dlspec.numeric.ragged import lengths_of

        if not self.augment.unknown:
            return batch
        lengths = lengths_of(batch["tokens"])
        ends = np.cumsum(lengths)
        place = np.arange(int(lengths.sum()), dtype=np.uint64) - np.repeat(ends - lengths, lengths).astype(np.uint64)
        each = bits(np.repeat(np.asarray(seeds, np.uint64), lengths) + place, 0)
        tokens = np.concatenate([*batch["tokens"], np.zeros(0, np.int32)])
        tokens[uniform(each, 1) < self.augment.unknown] = UNKNOWN
        return {**batch, "tokens": np.split(tokens, ends[:-1])}

    def finish(self, batch: Arrays, state: State) -> Arrays:
        """`tokens` int32 (B, L): padded with 0 to the longest of these texts."""
        from dlspec.numeric.ragged import padded

        return {**batch, "tokens": padded(batch["tokens"])}

    def show(self, example: Example) -> Rendering:
        return Rendering("text", example.x)

    def facts(self, examples: Examples, state: State) -> dict[str, Any]:
        """Length in pieces, the share of unknown ones and of rare ones; of an empty text the shares are missing."""
        import numpy as np

        from dlspec.inputs.tokenizing import encoded

        rows, seen = encoded(_texts(examples), state), np.array(state["counts"])
        unknown = [np.isin(row, state["strange"]).mean() if len(row) else np.nan for row in rows]
        rare = [(seen[row] <= RARE).mean() if len(row) else np.nan for row in rows]
        return {
            "length": np.array([len(row) for row in rows], np.float64),
            "share of unknown words": np.array(unknown, np.float64),
            "share of rare words": np.array(rare, np.float64),
        }

    def findings(self, train: Examples, state: State) -> list[Finding]:
        """Texts that are empty, and a vocabulary that misses much of train."""
        from dlspec.inputs.text_findings import findings

        return findings(self, train, state)

    def likeness(self, train: Examples, state: State) -> Callable[[Examples, Arrays], np.ndarray]:
        """Bags of words, whatever their case and signs; the same where about one word in fifty is another."""
        from dlspec.numeric.bags import bags

        return lambda examples, encoded: bags(_texts(examples))

    def remarks(self, examples: Examples, state: State) -> list[str]:
        """Pieces that train had not: another language, another script; texts that are cut, or empty."""
        from dlspec.inputs.text_findings import remarks

        return remarks(self, examples[:REMARKED], state)

    def outside(self, rows: Any, state: State) -> Examples:
        """One text, or a list of texts.  Ids are "0", "1", …"""
        texts = [rows] if isinstance(rows, str) else list(rows)
        for place, text in enumerate(texts):
            if not isinstance(text, str):
                raise DataError(f"text {place} is {type(text).__name__}, expected a string")
        return Examples([str(i) for i in range(len(texts))], texts)


def _texts(examples: Examples) -> list[str]:
    """Raises DataError where one is no text."""
    texts = examples.column("x")
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise DataError(f"example '{examples[place].id}' is {type(text).__name__}, expected a text")
    return texts
