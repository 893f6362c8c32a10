"""A sentence for each sentence: of another language, of another form; trained on what should be said next."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from dlspec.evaluators.sentences import Said, Sentences
from dlspec.evaluators.truths import texts
from dlspec.inputs.base import Input
from dlspec.inputs.tokenizing import BEGIN, END, PADDING, Tokenization
from dlspec.models.base import Model, Shapes, Translator
from dlspec.recipe.component import blame
from dlspec.remedies import LAST, LATE, Remedy, Situation
from dlspec.tasks.base import Forced, Task
from dlspec.types import Arrays, DataError, Examples, State
from dlspec.wording import plural

if TYPE_CHECKING:
    import keras
    import numpy as np

    from dlspec.decode.beam import Search

UNKNOWN_WORD = "⁇"
"""what is written for a piece that is not known"""
LOOKED_AT = 20_000
"""pairs of train from which is learned how long targets are"""
RARELY = 0.001
"""the share of them whose target may be longer than what is ever said"""
MORE = 5
"""tokens that may be said beyond what train tells"""


class Translation(Task):
    """A text for each text: translation, other forms of writing, short answers.

    The network is given the source and what has been said, and gives logits of what comes next, over the pieces of the
    target; the loss is their cross-entropy, smoothed (Vaswani et al. 2017, section 5.4).  What is said is what beam
    search finds best (Wu et al. 2016).  Predictions are sentences, as evaluators/sentences.py has them.
    """

    summary: ClassVar[str] = "a text for each text: translation, by beam search"
    takes: ClassVar[type[Model]] = Translator  # type: ignore[type-abstract]
    verb: ClassVar[str] = "translate"
    scored_of_train: ClassVar[int] = 2_000  # each is searched for
    asks_of: ClassVar[tuple[str, ...]] = ("text",)
    name: Literal["translation"] = "translation"

    output: Tokenization | None = None
    """how targets are cut into pieces; left out: as the sources, in one vocabulary of both, as a network needs it whose
    tables of source and target are one (Sennrich et al. 2016; Vaswani et al. 2017, section 3.4)"""
    maximum_length: int = Field(256, ge=2)
    """pieces of a target at most, its end among them: in training the rest is cut off, and counted; nothing longer is
    said.  How much is said of a source hangs on its length, too, as train tells"""
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """so much of each truth is spread evenly over the vocabulary in training"""
    beam: int = Field(4, ge=1)
    """hypotheses that are followed at a time; 1: greedy"""
    length_penalty: float = Field(0.6, ge=0)
    """α: a sentence's log-probability is divided by ((5 + its tokens) / 6)^α before it is compared with others'; 0: not
    divided, so that short ones are favoured"""
    coverage: float = Field(0.0, ge=0)
    """β: how much it counts that attention has been to every place of the source (Wu et al. 2016, equation 14)"""
    no_repeat: int = Field(0, ge=0)
    """so many tokens in a row are not said twice; 0: they may be"""
    n_best: int = Field(1, ge=1)
    """how many sentences are kept of each source, the best first; at most `beam`"""
    beam_in_training: int = Field(1, ge=1)
    """the beam by which dev is scored after each epoch; in the end it is scored by `beam`"""
    dev_in_training: int | None = Field(2_000, ge=1)
    """of how many sentences of dev that is done at most, the same ones each time; nothing: of all"""
    tokenize: Literal["13a", "intl", "char", "zh", "none"] = "13a"
    """how BLEU parts words.  13a: as usual; intl: by Unicode's signs; zh: Chinese characters apart; char: every
    character; none: at blanks alone"""

    @field_validator("n_best")
    @classmethod
    def _beam_is_wide_enough(cls, n_best: int, info: ValidationInfo) -> int:
        beam = info.data.get("beam")
        if beam is not None and n_best > beam:
            raise blame(f"a beam of {beam} finds {beam} sentences; make task.beam as wide", "n_best", value=n_best)
        return n_best

    def remedies(self, of: Situation) -> list[Remedy]:
        """Softer truths against variance; none of it against bias."""
        if of.cause == "avoidable bias" and self.label_smoothing:
            return [Remedy({"label_smoothing": 0.0}, "smoothed truths are never reached", LAST)]
        if of.cause == "variance" and self.label_smoothing < 0.1:
            return [Remedy({"label_smoothing": 0.1}, "truths that are not quite sure are not learned by heart", LATE)]
        return []

    @property
    def evaluator(self) -> Sentences:
        return Sentences()

    def read_too(self, train: Examples) -> Sequence[Any]:
        """The targets, where the vocabulary is one of both."""
        return texts(train) if self.output is None else ()

    def prepare(self, train: Examples) -> State:
        """`tokenize` and `unknown` (see Sentences), and `output`: the tokenizer of targets and its `vocabulary`, None
        where it is the input's.

        Raises DataError where a target is missing, or all are empty.
        """
        truths = texts(train)
        if not any(one.strip() for one in truths):
            raise DataError("all targets of train are empty: is the target the right column?")
        output = self.output.learned(truths) if self.output is not None else None
        return {"tokenize": self.tokenize, "unknown": UNKNOWN_WORD, "output": output}

    def join(self, train: Examples, entry: Input, model: Model, state: State) -> State:
        """With `reach`, (a, b): of a source of n pieces at most a n + b tokens are said; and `longest`, how many pieces
        the longest source of train has."""
        import numpy as np

        from dlspec.inputs.tokenizing import encoded

        learned = {**state, "task": {**state["task"]}}
        rows = [i * len(train) // min(len(train), LOOKED_AT) for i in range(min(len(train), LOOKED_AT))]
        some = train.take(rows)
        sources = entry.lengths(entry.encode(some, state["input"]))
        assert sources is not None
        said = np.array([len(one) + 1 for one in encoded(texts(some), _pieces(state))])
        slope = float(said.sum() / max(1, sources.sum()))
        reach = [slope, float(max(MORE, np.quantile(said - slope * sources, 1 - RARELY))) + MORE]
        longer = int((said > self.maximum_length).sum())
        ordered = np.sort(said - 1)
        words = len(_pieces(state)["vocabulary"])
        notes = [
            f"targets: {plural(ordered[len(ordered) // 2], 'piece')} in the middle, {ordered[-1]:,} at most; "
            + (f"a vocabulary of {words:,}" if state["task"]["output"] else "one vocabulary for sources and targets")
        ]
        if longer:
            notes.append(
                f"{longer:,} of {len(said):,} targets have more than {self.maximum_length:,} pieces; the rest of them "
                "is not learned (task.maximum_length)"
            )
        cut = self.output or entry
        if getattr(cut, "tokenizer", "") == "word" and getattr(cut, "words", "") == "signs_apart":
            where = "task.output" if self.output else "input"
            notes.append(
                "what is said are words with blanks between, before full stops, too, which costs BLEU; "
                f"byte_pair pieces are put together as they were written ({where}.tokenizer)"
            )
        if self.beam_in_training < self.beam:
            narrow = "greedily" if self.beam_in_training == 1 else f"with a beam of {self.beam_in_training}"
            notes.append(
                f"after each epoch dev is translated {narrow} (task.beam_in_training), in the end with a beam of "
                f"{self.beam} (task.beam): the scores in the end are others than the last epoch's"
            )
        return {**learned["task"], "reach": reach, "longest": int(sources.max(initial=1)), "notes": notes}

    def outputs(self, state: State) -> int:
        return len(_pieces(state)["vocabulary"])

    def given(self, state: State) -> Shapes:
        """`target`: what has been said, int32 (B, T), the begin first."""
        return {"target": {"shape": [None], "dtype": "int32", "vocabulary": self.outputs(state)}}

    def target(self, examples: Examples, encoded: Arrays, state: State) -> Arrays:
        """`target`: a list of int32 (T,), without begin and end.  Raises DataError that names those that have none."""
        from dlspec.inputs.tokenizing import encoded as pieces

        most = self.maximum_length - 1
        return {"target": [one[:most] for one in pieces(texts(examples), _pieces(state))]}

    def lengths(self, entered: np.ndarray | None, targets: Arrays) -> np.ndarray:
        """That of the longer of the two."""
        import numpy as np

        from dlspec.numeric.ragged import lengths_of

        own = lengths_of(targets["target"]) + 1
        return own if entered is None else np.maximum(entered, own)

    def finish(self, batch: Arrays, targets: Arrays, seed: int, state: State) -> tuple[Any, Any, Any]:
        """x with `target`, what has been said; y, what comes next at each place, int32 (B, T), 0 behind the end."""
        import numpy as np

        from dlspec.numeric.ragged import padded

        rows = targets["target"]
        said = padded([np.concatenate([[BEGIN], one]) for one in rows])
        return {**batch, "target": said}, padded([np.concatenate([one, [END]]) for one in rows]), None

    def compiled(self, state: State) -> Mapping[str, Any]:
        import keras

        from dlspec.losses.next_token import NextToken, tokens_right

        right = keras.metrics.MeanMetricWrapper(tokens_right, name="accuracy")
        return {"loss": NextToken(self.label_smoothing), "metrics": [right]}

    def expected_initial_loss(self, state: State) -> float:
        """log V: a network that knows nothing gives every piece the same probability."""
        return math.log(self.outputs(state))

    @property
    def search(self) -> Search:
        """How the best sentence is looked for."""
        from dlspec.decode.beam import Search

        return Search(self.beam, self.n_best, self.length_penalty, self.coverage, self.no_repeat)

    def limits(self, batch: Arrays, state: State) -> np.ndarray:
        """How many tokens are said of each source at most, int (B,), the end among them; of an empty one none."""
        import numpy as np

        sources = (batch["tokens"] != PADDING).sum(axis=1)
        slope, more = state["task"]["reach"]
        most = np.minimum(np.ceil(slope * sources + more), self.maximum_length).astype(np.int64)
        return np.where(sources > 0, most, 0)

    def answering(
        self, model: Model, network: keras.Model, state: State, logits: Callable[[Arrays], Any]
    ) -> Callable[[Arrays], Any]:
        """Of a batch, the best sentences as tokens, and their scores: see dlspec.tasks.decoder.Best."""
        from dlspec.tasks.decoder import decoder_of

        assert isinstance(model, Translator)
        decode = decoder_of(model, network, self.search)
        return lambda batch: decode(batch, self.limits(batch, state))

    def forcing(
        self, model: Model, network: keras.Model, state: State
    ) -> Callable[[Arrays, Sequence[str]], list[Forced]]:
        """Scores of sentences as of those that are found, and where the network looked in the source."""
        import numpy as np

        from dlspec.decode.beam import score
        from dlspec.inputs.tokenizing import encoded, shown_piece
        from dlspec.numeric.ragged import padded
        from dlspec.tasks.decoder import decoder_of

        assert isinstance(model, Translator)
        follow, pieces = decoder_of(model, network, self.search).follow, _pieces(state)

        def forced(batch: Arrays, answers: Sequence[str]) -> list[Forced]:
            rows = [[*one.tolist(), END] for one in encoded(answers, pieces)]
            chances, attention = follow(batch, padded([np.array(one, np.int32) for one in rows]))
            found = []
            for i, (row, source) in enumerate(zip(rows, batch["tokens"].tolist(), strict=True)):
                heard = [shown_piece(one, state["input"]) for one in source if one != PADDING]
                seen = attention[i, : len(row), : len(heard)]
                of = score(chances[i, : len(row)], seen, self.search)
                found.append(Forced(of, [shown_piece(one, pieces) for one in row], heard, seen))
            return found

        return forced

    @property
    def in_passing(self) -> Translation:
        """With a narrower beam, the best sentence alone."""
        if self.beam_in_training >= self.beam and self.dev_in_training is None:
            return self
        return self.model_copy(update={"beam": min(self.beam, self.beam_in_training), "n_best": 1})

    @property
    def passing(self) -> int | None:  # type: ignore[override]
        return self.dev_in_training

    def predict(self, network: Any, batches: Iterable[Arrays], state: State) -> list[Said]:
        """What is said of each source, with its score and those that came after it."""
        from dlspec.inputs.tokenizing import decoded

        pieces, found = _pieces(state), []
        for batch in batches:
            tokens, scores = network(batch)
            for own, judged in zip(tokens.tolist(), scores.tolist(), strict=True):
                said = [(decoded(one, pieces), of) for one, of in zip(own, judged, strict=True) if of > -math.inf]
                (best, score), *others = said or [("", 0.0)]
                found.append(Said(best, score, others))
        return found


def _pieces(state: State) -> State:
    """The tokenizer of targets, and its vocabulary."""
    found: State = state["task"]["output"] or state["input"]
    return found
