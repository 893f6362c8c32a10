"""What comes next in a text, token by token: characters, words or pieces, as the input cuts it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.evaluators.tokens import Read, Tokens
from dlspec.evaluators.truths import some
from dlspec.inputs.base import Input
from dlspec.models.base import Model, Tagger
from dlspec.tasks.base import Task
from dlspec.types import ArgumentError, Arrays, DataError, Examples, Place, RecipeError, State

if TYPE_CHECKING:
    import keras
    import numpy as np

    from dlspec.decode.sampling import Sampling

COMMON = 0.9
"""the most frequent pieces that make up this share of train are no rare ones"""
LOGITS = 1 << 24
"""numbers that a network gives at a time, when nothing is trained"""
DIGITS = 4
"""decimals of bits that predictions keep"""


class LanguageModel(Task):
    """The probability of each token of a text, given all before it.

    What goes in at a place is the token before it, at the first the sign for the begin of a text; so that every token
    of a text is predicted, and a network must see nothing that comes later.
    """

    summary: ClassVar[str] = "what comes next in a text: characters, words or pieces"
    takes: ClassVar[type[Model]] = Tagger
    verb: ClassVar[str] = "sample"
    asks_of: ClassVar[tuple[str, ...]] = ("text",)
    name: Literal["language_model"] = "language_model"

    @property
    def evaluator(self) -> Tokens:
        return Tokens()

    def refuses(self, model: Model) -> str | None:
        if getattr(model, "causal", False):
            return None
        how = "set bidirectional: false" if getattr(model, "bidirectional", False) else "take one that is `causal`"
        return f"'{model.name}' sees what comes later, and would read the next token off it; {how}"

    def prepare(self, train: Examples) -> State:
        """Raises DataError where what is true of a text is not the text itself."""
        pairs = zip(train.column("x"), train.column("y"), train.ids, strict=True)
        other = [one for x, y, one in pairs if not isinstance(y, str) or x != y]
        if other:
            raise DataError(
                f"what is true of {len(other):,} of {len(train):,} texts is not the text itself ({some(other)}): a "
                "language model learns from texts alone; read them with data: text_file"
            )
        count = sum(map(len, train.column("y")))
        return {"notes": [f"{len(train):,} texts of {count:,} characters to learn what comes next"]}

    def join(self, train: Examples, entry: Input, model: Model, state: State) -> State:
        """`common`: the pieces that are not rare; `glue`: what stands between pieces; `longest`: tokens of a text;
        `most`: tokens of a text that are seen.

        Raises RecipeError where the input takes off an end of texts, or shows the network more than their tokens.
        """
        import numpy as np

        from dlspec.inputs.pieces import shown_pieces
        from dlspec.tasks.language_notes import lengths, notes

        entered = state["input"]
        if set(state["shapes"]) != {"tokens"}:
            more = sorted(set(state["shapes"]) - {"tokens"})
            raise RecipeError(f"a language model sees tokens alone; leave out {', '.join(more)}", where=Place("input"))
        most = getattr(entry, "maximum_length", None)
        tokens = lengths(train.column("x"), entered, most)
        longest = int(tokens.max())
        if most is not None and longest > most:
            message = (
                f"a text of train has {longest:,} tokens, and from {most:,} on they would be left out unseen; make "
                "data.length smaller, or this larger"
            )
            raise RecipeError(message, where=Place(key="input.maximum_length"))
        pieces, glue = shown_pieces(entered)
        counts = np.array(entered["counts"], np.float64)
        order = np.argsort(-counts, kind="stable")
        before = np.cumsum(counts[order]) - counts[order]
        common = order[(before < COMMON * counts.sum()) & (counts[order] > 0)]
        said = [*state["task"].get("notes", ()), *notes(train.column("x"), tokens, entered)]
        found = {"common": [pieces[i] for i in common], "glue": glue, "longest": longest, "most": most, "notes": said}
        return {**state["task"], **found}

    def outputs(self, state: State) -> int:
        return len(state["input"]["vocabulary"])

    def shuffled(self, train: Examples, seed: int) -> None:
        """What comes next in a text is the text's own."""

    def target(self, examples: Examples, encoded: Arrays, state: State) -> Arrays:
        """`next`: the tokens of each text, a list of int32 (L,).

        Raises DataError where the input has taken an end off, as its tokens would count nowhere.
        """
        from dlspec.tasks.language_notes import refuse_cut

        refuse_cut(examples, encoded["tokens"], state)
        return {"next": encoded["tokens"]}

    def finish(self, batch: Arrays, targets: Arrays, seed: int, state: State) -> tuple[Any, Any, Any]:
        """The tokens before, and the tokens themselves, int32 (B, L) each, padded with 0."""
        from dlspec.numeric.ragged import padded

        return {**batch, "tokens": shifted(batch["tokens"])}, padded(targets["next"]), self.weigh(targets, state)

    def compiled(self, state: State) -> Mapping[str, Any]:
        """The loss, in nats a token, and `right`: the share of tokens that were the most probable."""
        import keras

        from dlspec.losses.next_token import NextToken, tokens_right

        return {"loss": NextToken(), "metrics": [keras.metrics.MeanMetricWrapper(tokens_right, name="right")]}

    def expected_initial_loss(self, state: State) -> float:
        """log V: a network that knows nothing gives each of V tokens the same probability."""
        return math.log(self.outputs(state))

    def predict(self, network: Any, batches: Iterable[Arrays], state: State) -> Sequence[Read]:
        """Of each token its bits, to four decimals, and what was the most probable instead."""
        import numpy as np

        from dlspec.inputs.pieces import shown_pieces

        pieces, found, size = shown_pieces(state["input"])[0], list[Read](), self.outputs(state)
        for batch in batches:
            tokens = np.asarray(batch["tokens"], np.int32)
            step = max(1, LOGITS // (size * tokens.shape[1]))
            for start in range(0, len(tokens), step):
                own = tokens[start : start + step]
                logits = np.asarray(network({**batch, "tokens": shifted(own)}), np.float32)
                best = logits.argmax(axis=-1)
                logits = logits - logits.max(axis=-1, keepdims=True)
                logits -= np.log(np.exp(logits).sum(axis=-1, keepdims=True))
                of_truth = np.take_along_axis(logits, own[..., None], axis=-1)[..., 0]
                bits = np.round(np.maximum(-of_truth / math.log(2), 0).astype(np.float64), DIGITS)
                for row, length in enumerate((own != 0).sum(axis=1).tolist()):
                    there, said = own[row, :length].tolist(), best[row, :length].tolist()
                    found.append(
                        Read(
                            tuple(pieces[one] for one in there), bits[row, :length], tuple(pieces[one] for one in said)
                        )
                    )
        return found

    def continued(
        self, model: Model, network: keras.Model, text: str, state: State, how: Sampling, *, length: int, seed: Any
    ) -> Iterator[str]:
        """Pieces of text that go on with a text, `length` tokens, each as soon as it is drawn."""
        from dlspec.decode.sampling import drawn
        from dlspec.inputs.pieces import told, unknown_in
        from dlspec.inputs.tokenizing import BEGIN, SPECIALS, encoded

        assert isinstance(model, Tagger)
        entered = state["input"]
        strange = [repr(one) for one in unknown_in(text, entered)] if text else []
        if strange:
            it = "it" if len(strange) == 1 else "them"
            message = (
                f"the text to go on with holds {some(strange)}, which the run's vocabulary has not; leave {it} out"
            )
            raise ArgumentError(message)
        begun = encoded([text], entered)[0].tolist() if text else []
        longest = len(begun) + length + 1 if model.endless else max(2, state["task"]["longest"])
        tokens = drawn(
            lambda: model.course(network, 1, 1, longest),
            [BEGIN, *begun],
            longest,
            length,
            how,
            range(len(SPECIALS)),
            seed,
        )
        return told(tokens, begun, entered)


def shifted(tokens: np.ndarray) -> np.ndarray:
    """What stands before each token: the begin, and all but the last, int32 (B, L)."""
    import numpy as np

    from dlspec.inputs.tokenizing import BEGIN

    return np.concatenate([np.full_like(tokens[:, :1], BEGIN), tokens[:, :-1]], axis=1)
