"""A tag for each word: entities found as conlleval scores them, words tagged right; errors are of type and boundary."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.evaluators import tag_truths
from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.tables import number_column
from dlspec.evaluators.tag_pairs import BROKEN, broken_of, mended, paired
from dlspec.evaluators.tag_truths import both, spoken, tag_rows, truth_of
from dlspec.numeric.chunks import PLAIN, chunks, tags_of
from dlspec.types import (
    ClassLabels,
    Error,
    Example,
    Examples,
    Figure,
    Metric,
    Outcomes,
    Passage,
    Share,
    State,
    Statistics,
)

if TYPE_CHECKING:
    import numpy as np


class Tags(Evaluator):
    """Predictions are a sequence of tags a sentence, one a word; of a network they are `Tagged` (see tag_truths).

    `state`: `names` of train's tags; `types` of its entities; `scheme`, how they are written (bio, iob1, bioes, bilou),
    or `plain` where tags are of another form (NOUN), each word an entity of its own; see dlspec.numeric.chunks.

    f1, precision, recall: of entities, right where words and type are (Tjong Kim Sang and De Meulder 2003), over all
    types together, as conlleval counts them.  macro_f1: the mean of F1 over the types that occur.  token_accuracy:
    of the words, how many have the right tag; exact_match: of the sentences.  broken: of the entities that were said,
    how many are not written as the scheme has it (`O I-person`) and were read as conlleval does; but for those that
    the truth writes so, too.  Of plain tags token_accuracy, macro_f1 and exact_match alone.

    Kinds of error: wrong type, wrong boundary, wrong type and boundary, missed, spurious; broken tags.  The size is the
    number of words of the sentence with a wrong tag.
    """

    summary: ClassVar[str] = "a tag for each word: F1 of entities as conlleval has it, kinds of error"
    name: Literal["tags"] = "tags"

    def metrics(self, state: State) -> list[Metric]:
        names = ["f1", "precision", "recall", "token_accuracy", "macro_f1", "exact_match"]
        if state.get("scheme") == PLAIN:
            return [Metric(name, "max", 1.0) for name in names[3:]]
        return [*(Metric(name, "max", 1.0) for name in names), Metric("broken", "min", 0.0)]

    def statistics(self, examples: Examples, predictions: Sequence[Any], state: State) -> Statistics:
        """table (N, K + 1, K + 1): entities by true and said type, the last but one those that train has not, the last
        nothing; right (N, K); words, words_right, broken, entities said (N,).

        Raises DataError that names examples without a truth, or whose guess has not as many tags.
        """
        import numpy as np

        place = {name: i for i, name in enumerate(state["types"])}
        other, nothing, scheme = len(place), len(place) + 1, state["scheme"]
        rows = both(examples, predictions, state)
        table = np.zeros((len(rows), nothing + 1, nothing + 1), np.int32)
        right = np.zeros((len(rows), nothing), np.int32)
        words, words_right, wrong = (np.zeros(len(rows)) for _ in range(3))
        for row, (truth, guess) in enumerate(rows):
            words[row] = len(truth)
            words_right[row] = sum(map(str.__eq__, truth, guess))
            for one in paired(chunks(truth, scheme), chunks(guess, scheme)):
                a = nothing if one.truth is None else place.get(one.truth.type, other)
                b = nothing if one.guess is None else place.get(one.guess.type, other)
                table[row, a, b] += 1
                right[row, a if a < nothing else b] += not one.kind
            wrong[row] = len(broken_of(truth, guess, scheme))
        found = {"table": table, "right": right, "words": words, "words_right": words_right}
        return found if scheme == PLAIN else {**found, "broken": wrong}

    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        import numpy as np

        weights = np.ones(len(statistics["words"])) if weights is None else np.asarray(weights, np.float64)
        table, right = (np.tensordot(weights, statistics[name], 1) for name in ("table", "right"))
        words, words_right = (float(weights @ statistics[name]) for name in ("words", "words_right"))
        said, true = table[:, :-1].sum(axis=0), table[:-1].sum(axis=1)
        there = said + true > 0
        exact = statistics["words"] == statistics["words_right"]
        found = {
            "token_accuracy": _share(words_right, words),
            "macro_f1": float((2 * right[there] / (said + true)[there]).mean()) if there.any() else math.nan,
            "exact_match": _share(float(weights @ exact), float(weights.sum())),
        }
        if "broken" not in statistics:
            return found
        hits, guesses, truths = float(right.sum()), float(said.sum()), float(true.sum())
        return {
            "f1": _share(2 * hits, guesses + truths),
            "precision": _share(hits, guesses),
            "recall": _share(hits, truths),
            **found,
            "broken": _share(float(weights @ statistics["broken"]), guesses),
        }

    def shares(self, statistics: Statistics) -> dict[str, Share]:
        """Shares of sentences; those of words and entities, of which one sentence's are no rows of their own."""
        exact = statistics["words"] == statistics["words_right"]
        names = ["token_accuracy", "macro_f1"]
        names += ["f1", "precision", "recall", "broken"] if "broken" in statistics else []
        return {**{name: Share(None) for name in names}, "exact_match": Share(exact)}

    def errors(self, example: Example, prediction: Any, state: State) -> list[Error]:
        scheme = state["scheme"]
        [(truth, guess)] = both(Examples([example.id], [None], [example.y]), [prediction], state)
        if truth == guess:
            return []
        x, size = example.x, float(sum(map(str.__ne__, truth, guess)))
        found = [
            Error(example.id, one.kind, size, spoken(one.truth, x), spoken(one.guess, x))
            for one in paired(chunks(truth, scheme), chunks(guess, scheme))
            if one.kind
        ]
        for start, end, _ in broken_of(truth, guess, scheme):
            found.append(Error(example.id, BROKEN, size, " ".join(truth[start:end]), " ".join(guess[start:end])))
        return found

    def perfect(self, example: Example, state: State) -> tuple[str, ...]:
        return truth_of(example)

    def swapped(self, prediction: Any, example: Example, state: State) -> tuple[str, ...]:
        """The other's tags, again from the first on where they are fewer than the words."""
        count = len(truth_of(example))
        said = tuple(prediction) or (state["outside"],)
        return (said * count)[:count]

    def mend(self, example: Example, prediction: Any, kind: str, state: State) -> tuple[str, ...]:
        """A wrong entity becomes the true one, a missed one is added, a spurious one goes (see tag_pairs.mended)."""
        return mended(truth_of(example), tuple(prediction), kind, state["scheme"])

    def columns(self, predictions: Sequence[Any], state: State) -> dict[str, Any]:
        """guess: the tags with blanks between."""
        return {"guess": [" ".join(one) for one in predictions]}

    def said(self, predictions: Sequence[Any], state: State) -> list[dict[str, Any]]:
        """guess, as text; tags, a list; entities: the type, the first word (from 0) and the one behind the last."""
        told: list[dict[str, Any]] = []
        for tags in predictions:
            one: dict[str, Any] = {"guess": " ".join(tags), "tags": list(tags)}
            if state["scheme"] != PLAIN:
                entities = chunks(tags, state["scheme"])
                one["entities"] = [{"type": kind, "start": start, "end": end} for start, end, kind in entities]
            told.append(one)
        return told

    needs: ClassVar[str] = "truth and guess, a tag for each word with blanks between (O B-person I-person)"

    def from_columns(self, columns: Mapping[str, Sequence[Any]], state: State) -> list[tuple[str, ...]]:
        """Out of `guess`."""
        if "guess" not in columns:
            number_column(columns, "guess")  # raises, with the columns that there are
        return [tags_of(str(one or "")) for one in columns["guess"]]

    def recognize(self, columns: Mapping[str, Sequence[Any]], *, asked: bool = False) -> State | None:
        return tag_truths.recognized(columns, asked=asked)

    def truth(self, examples: Examples, state: State) -> list[Any]:
        return [None if y is None else " ".join(tags_of(y)) for y in examples.column("y")]

    def classes(self, examples: Examples, state: State) -> list[tuple[str, ...]]:
        """The types of the entities of each sentence, or `no entity`."""
        found = [{one.type for one in chunks(tags, state["scheme"])} for tags in tag_rows(examples)]
        return [tuple(sorted(own)) or (tag_truths.NO_ENTITY,) for own in found]

    def facts(self, examples: Examples, state: State) -> dict[str, Any]:
        """Of each type whether it is there."""
        return tag_truths.facts([None if y is None else tags_of(y) for y in examples.column("y")], state)

    def sought(self, statistics: Statistics, state: State) -> Outcomes:
        import numpy as np

        table = statistics["table"].sum(axis=0)
        other = len(state["types"])
        cells = [(a, b) for a in range(other + 1) for b in range(other + 2)]
        counts = [int(table[a, b]) for a, b in cells]
        truth, guess = np.repeat(np.array(cells, np.int64), counts, axis=0).T
        truth, guess = (np.where(codes < other, codes, -1) for codes in (truth, guess))
        return Outcomes(truth, guess, [name or "entity" for name in state["types"]])

    def beside(self, example: Example, prediction: Any, state: State) -> list[Passage] | None:
        """The sentence with its true entities and with those that were said; None where its words are not known."""
        from dlspec.evaluators.tag_passages import passages

        return passages(example, prediction, state)

    def labels(self, examples: Examples, predictions: Sequence[Any], state: State) -> ClassLabels:
        """A label each word.  Raises DataError that names examples without a truth."""
        return tag_truths.labels(examples, predictions, state)

    def part(self, example: Example, place: int) -> tuple[str, str]:
        """The word; nothing where the words are not known."""
        x = example.x.split() if isinstance(example.x, str) else example.x
        if not isinstance(x, tuple | list):
            return "", ""
        word = str(x[place])
        return word, " ".join([*x[:place], f"[{word}]", *x[place + 1 :]])

    def remarks(self, examples: Examples, state: State) -> list[str]:
        return tag_truths.remarks(examples, state)

    def figures(self, statistics: Statistics, state: State) -> list[Figure]:
        """F1 of each type, and the types that were taken for each other."""
        from dlspec.evaluators.tag_figures import figures

        return figures(statistics, state)


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan
