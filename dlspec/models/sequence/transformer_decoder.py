"""The Transformer's decoder alone: each token sees those before it (Liu et al. 2018; Radford et al. 2018)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.models.attending import AttendingModel
from dlspec.models.base import Course, Shapes, Tagger, entries
from dlspec.models.pieces import Share, kind_of_logits
from dlspec.proposals import Facts, Suggestion
from dlspec.types import Place, RecipeError

if TYPE_CHECKING:
    import keras


class TransformerDecoder(AttendingModel, Tagger):
    """Causal blocks over a text: logits of the next token at each place, (B, L, outputs).

    Liu et al. (2018), "Generating Wikipedia by summarizing long sequences", section 4.2.3; as set here normalised
    before each block, and once at the end, as in Radford et al. (2019), "Language models are unsupervised multitask
    learners".  Embeddings are multiplied by √width.  With V tokens it has V·width parameters, in each of the layers
    4 (width² + width) + 2 width feed_forward + feed_forward + 5 width, and with norm pre 2 width more; untied logits
    add V (width + 1), learned positions longest · width.
    """

    name: Literal["transformer_decoder"] = "transformer_decoder"
    accepts: ClassVar[tuple[str, ...]] = ("text",)
    summary: ClassVar[str] = "the Transformer's decoder alone: attention to what was said before"

    tied: bool = True
    """the logits' table is the tokens' (Press and Wolf 2017), where there is a logit a token"""
    dropout: Share = 0.1
    """of what attention and dense layers give, and of embeddings with their positions"""

    @property
    def causal(self) -> bool:
        return True

    @classmethod
    def suggest(cls, facts: Facts) -> Suggestion | None:
        """Texts to go on with."""
        if facts.kind != "text" or not facts.causal:
            return None
        return Suggestion(0.4, "sees all that was said at once; wants more text and more time than a recurrent network")

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        import keras

        self.check()
        if "characters" in inputs:
            message = f"'{self.name}' does not see how words are spelled; leave it out, or take tagger_rnn"
            raise RecipeError(message, where=Place(key="input.characters"))
        doors = entries(inputs)
        size = inputs["tokens"]["vocabulary"]
        start = keras.initializers.RandomNormal(stddev=self.width**-0.5)
        table = keras.layers.ReversibleEmbedding(
            size, self.width, embeddings_initializer=start, reverse_dtype=kind_of_logits(), name="embedding"
        )
        x = self.placed(table(doors["tokens"]))
        # Padding stands at the end, where no token that counts looks.
        for number in range(1, self.layers + 1):
            x = self.block(f"block_{number}", causal=True)(x)
        x = self.normed(x)
        if self._ties(size, outputs):
            return keras.Model(doors, table(x, reverse=True), name=self.name)
        return keras.Model(doors, keras.layers.Dense(outputs, dtype=kind_of_logits(), name="logits")(x), name=self.name)

    def course(self, network: keras.Model, count: int, width: int, longest: int) -> Course:
        """Keys and values of each token are worked out once, and stay in the slot where they were: who looks at which,
        ancestors tell."""
        import keras

        from dlspec.layers.attention import forbidding

        ops = keras.ops
        table, order = network.get_layer("embedding"), network.get_layer("positions")
        blocks = [network.get_layer(f"block_{number}") for number in range(1, self.layers + 1)]
        tied = "logits" not in [one.name for one in network.layers]
        times, slots = ops.arange(longest), ops.arange(width)

        def step(tokens: Any, time: Any, cache: Any, ancestors: Any) -> tuple[Any, Any, Any]:
            x = order.rows(time, 1) + table(tokens) * self.width**0.5
            known = ops.logical_and(ops.equal(ancestors[..., None], slots), (times <= time)[:, None])
            added = forbidding(ops.reshape(known, (-1, 1, width, longest * width)), x.dtype)
            here, kept = ops.equal(times, time)[:, None, None], []
            for block, own in zip(blocks, cache, strict=True):
                x, own, _ = block.step(x, own, here, added, None, None)
                kept.append(own)
            if self.norm == "pre":
                x = network.get_layer("norm")(x)
            return (table(x, reverse=True) if tied else network.get_layer("logits")(x)), kept, None

        shape = (count, self.heads, longest, width, self.width // self.heads)
        start = [tuple(ops.zeros(shape, block.compute_dtype) for _ in range(2)) for block in blocks]
        return Course(step, start, ops.ones((count, 1), "bool"), lambda cache, parents: cache)

    def _ties(self, size: int, outputs: int) -> bool:
        return self.tied and size == outputs
