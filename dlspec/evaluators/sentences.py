"""Sentences: BLEU, chrF and TER by sacreBLEU, exact match; errors are of length, repetition, words."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.evaluators import sentence_figures
from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.sentence_figures import COLUMNS
from dlspec.evaluators.tables import number_column, sentences
from dlspec.evaluators.truths import texts
from dlspec.types import Error, Example, Examples, Figure, Metric, Passage, Share, State, Statistics

if TYPE_CHECKING:
    import numpy as np

SHORT, LONG = 0.7, 1.5
"""a guess with fewer words than this share of the truth's leaves something out, with more it adds something"""
FEWEST = 2
"""words by which it must differ as well, for of three words one is a third"""
REPEATED = 4
"""up to so many words that follow upon themselves are looked for"""
MOSTLY_WRONG = 0.3
"""share of the words that guess and truth have in common, below which it is another sentence"""
HISTOGRAM_BINS = 24


class Said(str):
    """A guess with what is known of how it came about; it is the text, and is compared as such."""

    score: float | None
    """the log-probability by which it was chosen"""
    others: tuple[tuple[str, float], ...]
    """further guesses and their scores, the best first"""

    def __new__(cls, text: str, score: float | None = None, others: Sequence[tuple[str, float]] = ()) -> Said:
        said = super().__new__(cls, text)
        said.score, said.others = score, tuple((one, float(of)) for one, of in others)
        return said


class Sentences(Evaluator):
    """Predictions are texts (`str`, or `Said`, which also holds a score and further guesses), detokenised.

    `state`: `tokenize`, how sacreBLEU's BLEU parts words (13a; `zh`, `ja-mecab`, `char`, …); `unknown`, the sign that a
    system writes for a word that it does not know; missing, 13a and <unk>.

    bleu (Papineni et al. 2002), chrf (Popović 2015) and ter (Snover et al. 2006) are sacreBLEU's for the whole corpus,
    to the last digit, with one truth a sentence (Post 2018, "A call for clarity in reporting BLEU scores"):
    `signatures` tells how they were computed.  They are made of sums of counts and are no means over sentences.
    BLEU is 0 where no four words in a row are right, so that it says nothing of a few short sentences.
    exact_match: of the sentences, how many are the truth but for spaces.

    A guess that is not the truth has one error, of the first kind that fits: nothing said; not translated (it is what
    was to be translated); repetition (words follow upon themselves, and not so in the truth); under-translation and
    over-translation (less than 0.7 and more than 1.5 times as many words); unknown words; only case or punctuation;
    another sentence (less than 0.3 of the words in common); other words.  Its size is 100 - chrF, at least 1.
    """

    summary: ClassVar[str] = "sentences: BLEU, chrF, TER, exact match"
    name: Literal["sentences"] = "sentences"

    def metrics(self, state: State) -> list[Metric]:
        best: list[tuple[str, Literal["max", "min"], float]] = [
            ("bleu", "max", 100.0),
            ("chrf", "max", 100.0),
            ("ter", "min", 0.0),
            ("exact_match", "max", 1.0),
        ]
        return [Metric(*one) for one in best]

    def statistics(self, examples: Examples, predictions: Sequence[str], state: State) -> Statistics:
        """bleu (N, 10), chrf (N, 18), ter (N, 2): counts (see sentence_figures); exact (N,); tokenize (N,): how words
        were parted.

        Raises DataError that names examples without a truth.
        """
        import numpy as np

        truths, tokenize = texts(examples), state.get("tokenize", "13a")
        same = [_plain(guess) == _plain(truth) for guess, truth in zip(predictions, truths, strict=True)]
        counted = {metric: sentence_figures.counts(metric, predictions, truths, tokenize) for metric in COLUMNS}
        return {**counted, "exact": np.array(same, bool), "tokenize": np.full(len(truths), tokenize)}

    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        import numpy as np

        rows = len(statistics["exact"])
        weights = np.ones(rows) if weights is None else np.asarray(weights, np.float64)
        total = float(weights.sum())
        if not total > 0:
            return {metric.name: math.nan for metric in self.metrics({})}
        tokenize = str(statistics["tokenize"][0])
        wanted = [metric for metric in COLUMNS if only is None or metric in only]
        found = {metric: sentence_figures.figure(metric, weights @ statistics[metric], tokenize) for metric in wanted}
        return {**found, "exact_match": float(weights @ statistics["exact"] / total)}

    def shares(self, statistics: Statistics) -> dict[str, Share]:
        return {"exact_match": Share(statistics["exact"])}

    def signatures(self, state: State) -> dict[str, str]:
        """metric → sacreBLEU's signature, with which others can compute the same."""
        return sentence_figures.signatures(state.get("tokenize", "13a"))

    def errors(self, example: Example, prediction: str, state: State) -> list[Error]:
        guess, truth = _plain(prediction), _plain(example.y)
        if guess == truth:
            return []
        size = 100 - sentence_figures.figure("chrf", sentence_figures.counts("chrf", [guess], [truth], "13a")[0], "13a")
        asked = _plain(example.x) if isinstance(example.x, str) else None
        return [
            Error(example.id, _kind(guess, truth, asked, state.get("unknown", "<unk>")), max(size, 1.0), truth, guess)
        ]

    def perfect(self, example: Example, state: State) -> str:
        return str(example.y)

    def columns(self, predictions: Sequence[str], state: State) -> dict[str, Any]:
        """guess; where any is known, score, and `others`: further guesses as JSON, [[text, score], …]."""
        import numpy as np

        columns: dict[str, Any] = {"guess": [str(one) for one in predictions]}
        scores = [getattr(one, "score", None) for one in predictions]
        others = [getattr(one, "others", ()) for one in predictions]
        if any(one is not None for one in scores):
            columns["score"] = np.array(scores, np.float64)
        if any(others):
            columns["others"] = [json.dumps(one, ensure_ascii=False) for one in others]
        return columns

    def said(self, predictions: Sequence[str], state: State) -> list[dict[str, Any]]:
        """guess; score (None: not known); others: further guesses, the best first, with guess and score."""
        return [
            {
                "guess": str(one),
                "score": getattr(one, "score", None),
                "others": [{"guess": guess, "score": score} for guess, score in getattr(one, "others", ())],
            }
            for one in predictions
        ]

    needs: ClassVar[str] = "truth and guess, sentences"

    def from_columns(self, columns: Mapping[str, Sequence[Any]], state: State) -> list[str]:
        """Out of `guess`, with `score` and `others` if there; a missing guess is an empty one."""
        if "guess" not in columns:
            number_column(columns, "guess")  # raises, with the columns that there are
        guesses = ["" if one is None else str(one) for one in columns["guess"]]
        if "score" not in columns:
            return guesses
        scores = number_column(columns, "score").tolist()
        others = columns.get("others") or [None] * len(guesses)
        return [
            Said(guess, None if score != score else score, [_pair(one) for one in json.loads(more)] if more else ())
            for guess, score, more in zip(guesses, scores, others, strict=True)
        ]

    def recognize(self, columns: Mapping[str, Sequence[Any]], *, asked: bool = False) -> State | None:
        if "guess" not in columns:
            return None
        if asked:
            return {"tokenize": "13a"} if all(isinstance(one, str) for one in columns["truth"]) else None
        return {"tokenize": "13a"} if sentences(columns) else None

    def truth(self, examples: Examples, state: State) -> list[Any]:
        return [None if y is None else str(y) for y in examples.column("y")]

    def facts(self, examples: Examples, state: State) -> dict[str, Any]:
        """How many words the truth has; NaN where it is unknown."""
        import numpy as np

        lengths = [math.nan if y is None else len(str(y).split()) for y in examples.column("y")]
        return {"words of the truth": np.array(lengths, np.float64)}

    def beside(self, example: Example, prediction: str | None, state: State) -> list[Passage]:
        """Source, reference and guess, with the words marked that are in one of the two alone."""
        from dlspec.evaluators.sentence_passages import passages

        asked = example.x if isinstance(example.x, str) else None
        truth = None if example.y is None else str(example.y)
        return passages(asked, truth, None if prediction is None else str(prediction))

    def remarks(self, examples: Examples, state: State) -> list[str]:
        truths = [str(y) for y in examples.column("y") if y is not None]
        parted = sum(one.endswith((" .", " ?", " !")) for one in truths)
        if parted < 0.5 * max(len(truths), 1):
            return []
        return [
            f"{parted:,} of {len(truths):,} truths have a space before the full stop: they look tokenised, and BLEU of "
            "tokenised text cannot be compared with that of others; give the text as people write it"
        ]

    def figures(self, statistics: Statistics, state: State) -> list[Figure]:
        """How often 1 to 4 words in a row are right, and how long guesses are beside the truth."""
        import numpy as np

        from dlspec.numeric.rounding import round_range

        bleu = statistics["bleu"]
        sums = bleu.sum(axis=0)
        signature = self.signatures(state)["bleu"]
        if not len(bleu) or not sums[6]:
            return []
        right = [100 * float(sums[2 + n] / sums[6 + n]) if sums[6 + n] else 0.0 for n in range(4)]
        names = ["1 word", "2 words", "3 words", "4 words"]
        bars = {"names": names, "values": right, "x_title": "in a row", "y_title": "of them in the truth (%)"}
        share = float(sums[0] / sums[1]) if sums[1] else math.nan
        penalty = min(1.0, math.exp(1 - 1 / share)) if share > 0 else 0.0
        ratio = bleu[:, 0] / np.maximum(bleu[:, 1], 1)
        edges = round_range(0.0, max(2.0, float(np.quantile(ratio, 0.99))), HISTOGRAM_BINS)
        spread = {"edges": edges, "values": np.histogram(np.clip(ratio, edges[0], edges[-1]), edges)[0].tolist()}
        return [
            Figure(
                "bars",
                "Words in a row that are right",
                bars,
                f"guesses have {share:.3g} times the words of the truths: brevity penalty {penalty:.3g}; BLEU is their "
                f"geometric mean times that, and corpus BLEU is no sum over sentences: what mending two kinds of "
                f"error gains does not add up ({signature})",
            ),
            Figure(
                "bars",
                "How long guesses are",
                {**spread, "x_title": "words of the guess / words of the truth", "y_title": "sentences"},
                f"half of them have {float(np.median(ratio)):.3g} times the words of the truth or fewer",
            ),
        ]


def _pair(other: Any) -> tuple[str, float]:
    """A further guess and its score, as `columns` writes it or as `said` does."""
    return (other["guess"], other["score"]) if isinstance(other, dict) else tuple(other)  # type: ignore[return-value]


def _plain(text: Any) -> str:
    return " ".join(str(text).split())


def _kind(guess: str, truth: str, asked: str | None, unknown: str) -> str:
    """guess, truth: texts that differ; asked: what was to be translated, where it is known."""
    said, meant = guess.split(), truth.split()
    if not said:
        return "nothing said"
    if guess == asked:
        return "not translated"
    if _repeats(said) > _repeats(meant):
        return "repetition"
    if len(said) < SHORT * len(meant) and len(meant) - len(said) >= FEWEST:
        return "under-translation"
    if len(said) > LONG * len(meant) and len(said) - len(meant) >= FEWEST:
        return "over-translation"
    if unknown in guess and unknown not in truth:
        return "unknown words"
    if _bare(guess) == _bare(truth):
        return "only case or punctuation"
    common = sum((Counter(said) & Counter(meant)).values())
    return "another sentence" if 2 * common < MOSTLY_WRONG * (len(said) + len(meant)) else "other words"


def _repeats(words: Sequence[str]) -> int:
    """How often 1 to 4 words follow upon themselves."""
    return sum(
        words[start : start + size] == words[start + size : start + 2 * size]
        for size in range(1, REPEATED + 1)
        for start in range(len(words) - 2 * size + 1)
    )


def _bare(text: str) -> str:
    return "".join(one for one in text.casefold() if one.isalnum())
