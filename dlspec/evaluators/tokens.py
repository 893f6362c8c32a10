"""Texts as a language model reads them: bits per character, perplexity; errors are what surprised it, by kind."""

from __future__ import annotations

import itertools
import json
import math
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.token_kinds import BANDS, KINDS, bands_of, kinds_of
from dlspec.evaluators.truths import texts
from dlspec.types import DataError, Error, Example, Examples, Figure, Metric, Passage, Share, State, Statistics

if TYPE_CHECKING:
    import numpy as np

ANOTHER = "another text"
BEFORE = 40
"""characters that are shown before what surprised"""
LONGEST = 2_000
"""tokens of a text that are shown"""
METRICS = ("bits_per_character", "perplexity", "bits_per_token", "token_accuracy")


class Read(NamedTuple):
    """What a model made of a text, piece by piece."""

    pieces: tuple[str, ...]
    """what stands there"""
    bits: np.ndarray
    """of each, −log₂ of the probability that it was given, float64 (L,)"""
    said: tuple[str, ...]
    """what was the most probable in its place"""


class Tokens(Evaluator):
    """Predictions are `Read`: of each piece of a text the bits that it cost, knowing all before it.

    `state`: `common`, the pieces that make up most of train; `glue`, what stands between pieces; both may be missing.

    bits_per_character: all bits by all characters of the texts (blanks too); it can be compared whatever the pieces.
    perplexity: 2 to the bits per token (Jelinek et al. 1977).  token_accuracy: of the tokens, how many were the most
    probable.

    Errors are tokens that were not the most probable, by kind: the first ones of a text, of which little was known
    before; unknown ones; blanks, digits, signs; letters by their place in a word; rare and frequent ones.  An example
    has one error of a kind at most; its size is the bits of all such tokens.  A text that was taken for another one is
    an error, too.
    """

    summary: ClassVar[str] = "texts as a language model reads them: bits per character, perplexity"
    name: Literal["tokens"] = "tokens"

    def metrics(self, state: State) -> list[Metric]:
        best: list[tuple[Literal["max", "min"], float]] = [("min", 0.0), ("min", 1.0), ("min", 0.0), ("max", 1.0)]
        return [Metric(name, *one) for name, one in zip(METRICS, best, strict=True)]

    def statistics(self, examples: Examples, predictions: Sequence[Read], state: State) -> Statistics:
        """bits, tokens, characters, right (N,); place_bits, place_tokens (N, 10) by place in the text, kind_bits,
        kind_tokens (N, K) by kind.

        Raises DataError that names examples without a truth.
        """
        import numpy as np

        truths, count = texts(examples), len(examples)
        found = {name: np.zeros(count) for name in ("bits", "tokens", "characters", "right")}
        sizes = {"place": len(BANDS), "kind": len(KINDS)}
        tables = {f"{of}_{what}": np.zeros((count, size)) for of, size in sizes.items() for what in ("bits", "tokens")}
        common = frozenset(state.get("common", ()))
        for row, (truth, read) in enumerate(zip(truths, predictions, strict=True)):
            found["bits"][row], found["tokens"][row] = read.bits.sum(), len(read.pieces)
            found["characters"][row], found["right"][row] = len(truth), (~_wrong(read)).sum()
            codes = {"place": bands_of(len(read.pieces)), "kind": kinds_of(read.pieces, common)}
            for of, size in sizes.items():
                tables[f"{of}_bits"][row] = np.bincount(codes[of], read.bits, size)
                tables[f"{of}_tokens"][row] = np.bincount(codes[of], minlength=size)
        return {**found, **tables}

    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        import numpy as np

        rows = np.ones(len(statistics["bits"])) if weights is None else np.asarray(weights, np.float64)
        bits, tokens, characters, right = (
            float(rows @ statistics[name]) for name in ("bits", "tokens", "characters", "right")
        )
        if not (tokens > 0 and characters > 0):
            return dict.fromkeys(METRICS, math.nan)
        each = bits / tokens
        values = (bits / characters, 2.0**each if each < 1000 else math.inf, each, right / tokens)
        return dict(zip(METRICS, values, strict=True))

    def shares(self, statistics: Statistics) -> dict[str, Share]:
        """Of tokens, of which those of one text are no rows of their own."""
        return {"token_accuracy": Share(None)}

    def errors(self, example: Example, prediction: Read, state: State) -> list[Error]:
        wrong, text = _wrong(prediction), str(example.y)
        glue = state.get("glue", "")
        if not wrong.any():
            read = glue.join(prediction.pieces)
            if _bare(read) == _bare(text) or "\ufffd" in read or "⁇" in read:
                return []
            return [Error(example.id, ANOTHER, 1.0, text, read)]
        codes = kinds_of(prediction.pieces, frozenset(state.get("common", ())))
        found = []
        for code, kind in enumerate(KINDS):
            places = (wrong & (codes == code)).nonzero()[0]
            if len(places):
                worst = int(places[prediction.bits[places].argmax()])
                before = glue.join(prediction.pieces[max(0, worst - BEFORE) : worst])[-BEFORE:]
                truth, guess = (f"…{before}[{one[worst]}]" for one in (prediction.pieces, prediction.said))
                size = max(float(prediction.bits[places].sum()), 1e-9)
                found.append(Error(example.id, kind, size, truth, guess))
        return found

    def perfect(self, example: Example, state: State) -> Read:
        import numpy as np

        pieces = (str(example.y),) if str(example.y) else ()
        return Read(pieces, np.zeros(len(pieces)), pieces)

    def mend(self, example: Example, prediction: Read, kind: str, state: State) -> Read:
        """What was wrong of this kind is certain."""
        import numpy as np

        if kind == ANOTHER:
            return self.perfect(example, state) if self.errors(example, prediction, state) else prediction
        codes = kinds_of(prediction.pieces, frozenset(state.get("common", ())))
        mended = _wrong(prediction) & (codes == KINDS.index(kind))
        pairs = zip(prediction.pieces, prediction.said, mended.tolist(), strict=True)
        said = tuple(piece if now else said for piece, said, now in pairs)
        return Read(prediction.pieces, np.where(mended, 0.0, prediction.bits), said)

    def columns(self, predictions: Sequence[Read], state: State) -> dict[str, Any]:
        """guess: what was the most probable in each place; bits and tokens, how many; pieces: [[piece, bits, said if it
        was another], …] as JSON."""
        import numpy as np

        glue = state.get("glue", "")
        return {
            "guess": [glue.join(one.said) for one in predictions],
            "bits": np.array([float(one.bits.sum()) for one in predictions], np.float64),
            "tokens": np.array([len(one.pieces) for one in predictions], np.int64),
            "pieces": [json.dumps(_listed(one), ensure_ascii=False) for one in predictions],
        }

    def said(self, predictions: Sequence[Read], state: State) -> list[dict[str, Any]]:
        glue = state.get("glue", "")
        return [
            {
                "guess": glue.join(one.said),
                "bits": float(one.bits.sum()),
                "tokens": len(one.pieces),
                "perplexity": self.combine(_alone(one))["perplexity"],
                "pieces": _listed(one),
            }
            for one in predictions
        ]

    needs: ClassVar[str] = "truth, a text, and pieces: [[piece, bits, said if it was another], …] as JSON"

    def from_columns(self, columns: Mapping[str, Sequence[Any]], state: State) -> list[Read]:
        """Out of `pieces`.  Raises DataError where one is no such list."""
        import numpy as np

        found = []
        for text in columns.get("pieces") or [None] * len(next(iter(columns.values()), ())):
            try:
                listed = [] if text == "[]" else json.loads(text)
                pieces, said = tuple(one[0] for one in listed), tuple(one[-1 if one[2:] else 0] for one in listed)
                found.append(Read(pieces, np.array([one[1] for one in listed], np.float64), said))
            except (TypeError, ValueError, LookupError):
                raise DataError(f"the table of predictions needs {self.needs}") from None
        return found

    def recognize(self, columns: Mapping[str, Sequence[Any]], *, asked: bool = False) -> State | None:
        known = [one for one in columns.get("truth", ()) if one is not None]
        return {} if "pieces" in columns and known and all(isinstance(one, str) for one in known) else None

    def truth(self, examples: Examples, state: State) -> list[Any]:
        return [None if y is None else str(y) for y in examples.column("y")]

    def beside(self, example: Example, prediction: Read | None, state: State) -> list[Passage] | None:
        """The text as it was read, with what surprised marked: tokens that were not the most probable and cost a
        deviation more bits than the text's mean; None where it is not known how it was read."""
        import numpy as np

        if prediction is None or not prediction.pieces:
            return None
        glue, count = state.get("glue", ""), min(len(prediction.pieces), LONGEST)
        bits, wrong = prediction.bits[:count], _wrong(prediction)[:count]
        known = bits[np.isfinite(bits)]
        least = float(known.mean() + known.std()) if len(known) else 0.0
        parts = []
        for place in range(count):
            piece, said = prediction.pieces[place] + glue, prediction.said[place]
            strange = bool(wrong[place]) and bits[place] >= least
            says = f"{bits[place]:.3g} bits; the most probable was '{said}'"
            parts.append((piece, "wrong", says) if strange else (piece, "", ""))
        rest = [] if count == len(prediction.pieces) else [("…", "", "")]
        mean = float(prediction.bits.sum()) / len(prediction.pieces)
        return [Passage(f"perplexity {2.0 ** min(mean, 1000):.3g}", [*_together(parts), *rest])]

    def figures(self, statistics: Statistics, state: State) -> list[Figure]:
        """Bits by place in the text, and where all bits are."""
        bits, tokens = ({of: statistics[f"{of}_{what}"].sum(axis=0) for of in ("place", "kind")} for what in _WHAT)
        total = float(bits["kind"].sum())
        if not total > 0 or not math.isfinite(total):
            return []
        there = [at for at in range(len(BANDS)) if tokens["place"][at]]
        each = [float(bits["place"][at] / tokens["place"][at]) for at in there]
        line = {"name": "all texts", "x": [BANDS[at] for at in there], "y": each}
        data = {"series": [line], "x_title": "place in the text, from", "y_title": "bits per token"}
        order = sorted((at for at in range(len(KINDS)) if tokens["kind"][at]), key=lambda at: -bits["kind"][at])
        shares = {
            "names": [KINDS[at] for at in order],
            "values": [100 * float(bits["kind"][at] / total) for at in order],
            "x_title": "kind of token",
            "y_title": "of all bits (%)",
        }
        says = "; ".join(f"{KINDS[at]} {bits['kind'][at] / tokens['kind'][at]:.3g}" for at in order)
        return [
            Figure(
                "lines",
                "Bits by place in the text",
                {**data, "x_logarithmic": True},
                f"the first token costs {each[0]:.3g} bits, those from place {BANDS[there[-1]]} on {each[-1]:.3g} each",
            ),
            Figure("bars", "Where the bits are", shares, f"bits per token: {says}"),
        ]


_WHAT = ("bits", "tokens")


def _wrong(read: Read) -> np.ndarray:
    """Which pieces were not the most probable, bool (L,)."""
    import numpy as np

    return np.fromiter((a != b for a, b in zip(read.pieces, read.said, strict=True)), bool, len(read.pieces))


def _together(parts: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The same text with what is not marked in as few parts as can be."""
    found = []
    for marked, some in itertools.groupby(parts, key=lambda one: bool(one[1])):
        own = list(some)
        found += own if marked else [("".join(one[0] for one in own), "", "")]
    return found


def _listed(read: Read) -> list[list[Any]]:
    rows = zip(read.pieces, read.bits.tolist(), read.said, strict=True)
    return [[piece, bits] if piece == said else [piece, bits, said] for piece, bits, said in rows]


def _alone(read: Read) -> Statistics:
    import numpy as np

    values = {"bits": read.bits.sum(), "tokens": len(read.pieces), "characters": 1, "right": 0}
    return {name: np.array([value], np.float64) for name, value in values.items()}


def _bare(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKC", text).casefold() if one.isalnum())
