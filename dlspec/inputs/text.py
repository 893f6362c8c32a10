"""Sentences and longer texts: cut into pieces, which are numbered; unknown ones and cut ends are counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.inputs.base import Input
from dlspec.inputs.spelling import FIRST
from dlspec.inputs.tokenizing import SPECIALS, UNKNOWN, Tokenization, Words
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
    """Texts, as strings or as lists of words.  The network takes `tokens`, int32 (B, L), padded with 0 to the longest.

    Where texts are cut into words, it is also known which piece each word begins with (`firsts`); and the network may
    see their `characters`, int32 (B, L, `characters`), padded with 0.
    """

    name: Literal["text"] = "text"
    kind: ClassVar[str] = "text"
    summary: ClassVar[str] = "sentences and longer texts: words, characters, byte pairs or unigram pieces"

    maximum_length: int | None = Field(512, ge=1)
    """pieces of a text that the network sees at most; nothing: all of them, however many"""
    keep: Literal["start", "end"] = "start"
    """which part of a longer text it sees"""
    characters: int | None = Field(None, ge=1)
    """show the network so many characters of each word, too, of longer ones the beginning and the end: how a word is
    spelled tells of one that train had not.  For texts that are cut into words, and tokenizer: word"""
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

        Of texts that are cut into words, `given` is true; where their characters are seen, `alphabet`.
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
        # A word that has a vector is none that nothing is known of.
        state["strange"] = [UNKNOWN] if self.words_from else never_seen(state["counts"], state["vocabulary"])
        total = max(1, sum(state["counts"]))
        state["unknown"] = state["counts"][UNKNOWN] / total
        state["shapes"] = {"tokens": {"shape": [None], "dtype": "int32", "vocabulary": size}}
        if self.characters is not None:
            state["alphabet"] = self._alphabet(texts, state)
            shape, size = [None, self.characters], len(state["alphabet"]) + FIRST
            state["shapes"]["characters"] = {"shape": shape, "dtype": "int32", "vocabulary": size}
        state["notes"] = self._notes([len(one) for one in rows], state)
        return state

    def _alphabet(self, texts: list[Words], state: State) -> list[str]:
        from dlspec.inputs.spelling import alphabet

        if not state["given"] or self.tokenizer != "word":
            raise DataError(
                "input.characters needs texts that are cut into words (data: conll, or input.words: blanks) and "
                "input.tokenizer: word; leave it out"
            )
        return alphabet(texts)

    def _notes(self, lengths: list[int], state: State) -> list[str]:
        what = {"word": "words", "character": "characters"}.get(self.tokenizer, "pieces")
        ordered = sorted(lengths)
        middle, most = ordered[len(ordered) // 2], ordered[-1]
        notes = [
            f"texts: {middle:,} {what} in the middle, {most:,} at most; a vocabulary of {len(state['vocabulary']):,}, "
            f"{state['unknown']:.1%} of train is unknown"
        ]
        if self.words_from is not None:
            new = sum(not one for one in state["counts"][len(SPECIALS) :])
            notes.append(f"{new:,} of the vocabulary are words of {self.words_from} that train has not")
        longer = sum(one > self.maximum_length for one in lengths) if self.maximum_length else 0
        if longer:
            notes.append(
                f"{longer:,} of {len(lengths):,} texts of train are longer than {self.maximum_length:,} {what}; of "
                f"them the {self.keep} is seen (input.maximum_length, input.keep)"
            )
        return notes

    def encode(self, examples: Examples, state: State) -> Arrays:
        """`tokens`: a list of int32 (L,), 0 in none of them.  Of texts that are cut into words `firsts`, too: the place
        of each word's first piece, int32 (W,), -1 where it is cut off; and `characters`, where they are asked for.

        Raises DataError where an example is no text.
        """
        from dlspec.inputs.spelling import spelled
        from dlspec.inputs.tokenizing import encoded, encoded_words

        texts = _texts(examples)
        if not state.get("given"):
            return {"tokens": [self._seen(one) for one in encoded(texts, state)]}
        rows, firsts = encoded_words(texts, state)
        found = {
            "tokens": [self._seen(one) for one in rows],
            "firsts": [self._shifted(one, len(row)) for one, row in zip(firsts, rows, strict=True)],
        }
        if self.characters is not None:
            found["characters"] = [self._seen(one) for one in spelled(texts, state["alphabet"], self.characters)]
        return found

    def _seen(self, row: np.ndarray) -> np.ndarray:
        """The part of a text (L, …) that the network sees."""
        most = self.maximum_length
        return row if most is None else row[:most] if self.keep == "start" else row[-most:]

    def _shifted(self, places: np.ndarray, length: int) -> np.ndarray:
        """Where places of a text of some length lie in the part that is seen; -1: not there."""
        import numpy as np

        most = length if self.maximum_length is None else min(length, self.maximum_length)
        moved = places if self.keep == "start" else places - (length - most)
        return np.where((moved >= 0) & (moved < most), moved, -1).astype(np.int32)

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
        """`tokens` int32 (B, L), `characters` int32 (B, L, C): padded with 0 to the longest of these texts."""
        from dlspec.numeric.ragged import padded

        return {**batch, **{name: padded(batch[name]) for name in state["shapes"]}}

    def show(self, example: Example) -> Rendering:
        from dlspec.inputs.tokenizing import plain_text

        return Rendering("text", plain_text(example.x))

    def facts(self, examples: Examples, state: State) -> dict[str, Any]:
        """Length in pieces, the share of unknown ones and of rare ones; of an empty text the shares are missing.

        Where words may be pieces that train has not, also the share of those.
        """
        import numpy as np

        from dlspec.inputs.tokenizing import encoded

        rows, seen = encoded(_texts(examples), state), np.array(state["counts"])
        unknown = [np.isin(row, state["strange"]).mean() if len(row) else np.nan for row in rows]
        rare = [(seen[row] <= RARE).mean() if len(row) else np.nan for row in rows]
        found = {
            "length": np.array([len(row) for row in rows], np.float64),
            "share of unknown words": np.array(unknown, np.float64),
            "share of rare words": np.array(rare, np.float64),
        }
        if self.words_from is not None:
            new = [((seen[row] == 0) | (row == UNKNOWN)).mean() if len(row) else np.nan for row in rows]
            found["share of words that train has not"] = np.array(new, np.float64)
        return found

    def findings(self, train: Examples, state: State) -> list[Finding]:
        """Texts that are empty, and a vocabulary that misses much of train."""
        from dlspec.inputs.text_findings import findings

        return findings(self, train, state)

    def likeness(self, train: Examples, state: State) -> Callable[[Examples, Arrays], np.ndarray]:
        """Bags of words, whatever their case and signs; the same where about one word in fifty is another."""
        from dlspec.inputs.tokenizing import plain_text
        from dlspec.numeric.bags import bags

        return lambda examples, encoded: bags([plain_text(one) for one in _texts(examples)])

    def remarks(self, examples: Examples, state: State) -> list[str]:
        """Pieces that train had not: another language, another script; texts that are cut, or empty."""
        from dlspec.inputs.text_findings import remarks

        return remarks(self, examples[:REMARKED], state)

    def outside(self, rows: Any, state: State) -> Examples:
        """One text, or a list of texts, each of which may be a list of words.  Ids are "0", "1", …"""
        texts = [rows] if isinstance(rows, str) else list(rows)
        for place, text in enumerate(texts):
            if not _is_text(text):
                raise DataError(f"text {place} is {type(text).__name__}, expected a string or a list of words")
        return Examples([str(i) for i in range(len(texts))], texts)


def _is_text(x: Any) -> bool:
    return isinstance(x, str) or (isinstance(x, list | tuple) and all(isinstance(word, str) for word in x))


def _texts(examples: Examples) -> list[Words]:
    """Raises DataError where one is no text."""
    texts = examples.column("x")
    for place, text in enumerate(texts):
        if not _is_text(text):
            raise DataError(f"example '{examples[place].id}' is {type(text).__name__}, expected a text")
    return texts
