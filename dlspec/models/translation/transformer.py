"""The Transformer (Vaswani et al. 2017, "Attention is all you need"): an encoder, and a decoder that looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.models.attending import WIDEST, AttendingModel, Count
from dlspec.models.base import Course, Shapes, Translator, entries
from dlspec.models.pieces import Share, kind_of_logits
from dlspec.proposals import Facts, Line, Suggestion
from dlspec.types import Place, RecipeError

if TYPE_CHECKING:
    import keras

TOKENS = 1800
"""of a batch, as a first try"""
PADDED = 1.7
"""tokens that a word comes to, cut into pieces and padded: of German and English, learned of 1,000 pairs"""


class Transformer(AttendingModel, Translator):
    """Vaswani et al. (2017); as it stands the base model of table 3, with 44,138,496 + 512 V parameters.

    A joint vocabulary of V tokens, whose table is the source's, the target's and, transposed, that of the logits
    (section 3.4; Press and Wolf 2017).  Embeddings are multiplied by √width.
    """

    name: Literal["transformer"] = "transformer"
    accepts: ClassVar[tuple[str, ...]] = ("text",)
    summary: ClassVar[str] = "the Transformer: encoder and decoder of attention alone"

    layers: Count = 6
    """of the encoder, and of the decoder"""
    width: Count = 512
    """numbers that stand for a token, d_model; the heads divide it"""
    heads: Count = 8
    """of each attention"""
    feed_forward: Count = 2048
    """units of the inner dense layer, d_ff"""
    activation: Literal["relu", "gelu", "silu"] = "relu"
    """of the inner dense layer"""
    norm: Literal["pre", "post"] = "post"
    """post: after each shortcut, as in the paper; pre: before attention and dense layers, and once at the end of each
    side (Xiong et al. 2020), which learns without a warm-up"""
    tied: Literal["all", "target", "none"] = "all"
    """which tables are one: those of source, target and logits; of target and logits; or none"""
    dropout: Share = 0.1
    """of what attention and dense layers give, and of embeddings with their positions"""

    @classmethod
    def suggest(cls, facts: Facts) -> Suggestion | None:
        """A small one, as far as the pairs go."""
        if facts.kind != "text":
            return None
        width = 128 if facts.examples < 20_000 else 256 if facts.examples < 200_000 else 512
        model = (
            Line("layers", 3, "of the encoder, and of the decoder"),
            Line("width", width, "numbers that stand for a token"),
            Line("heads", width // 64 * 2),
            Line("feed_forward", 2 * width),
            Line("norm", "pre", "learns without a long warm-up"),
            Line("dropout", 0.15),
        )
        # Few pairs are few steps: both the growth and the average are to be over long before training is.
        pairs = facts.train or 0.7 * facts.examples
        steps = pairs * facts.shape[0] * PADDED / TOKENS
        grows = max(20, min(1000, 10 * round(steps)))
        rate = Line("learning_rate", 2e-3, "the greatest that it comes to; the first setting to tune")
        train = (
            Line("batch_size", (Line("tokens", TOKENS, "of a batch, padded"),)),
            Line("optimizer", (Line("name", "adam"), rate)),
            Line("schedule", (Line("name", "noam"), Line("steps", grows, "it grows for so many, then falls"))),
            Line(
                "average",
                (Line("momentum", round(1 - 1 / grows, 3)),),
                "of the weights: better, and smoother on the way",
            ),
        )
        return Suggestion(0.8, "attention alone, the usual network of translation", model, (), train)

    def larger(self) -> dict[str, Any] | None:
        """Twice as wide."""
        if self.width >= WIDEST:
            return None
        return {"width": 2 * self.width, "feed_forward": 2 * self.feed_forward, "heads": 2 * self.heads}

    def smaller(self) -> dict[str, Any] | None:
        """Half as wide."""
        if self.width % (2 * self.heads) or self.width <= 64:
            return None
        return {"width": self.width // 2, "feed_forward": max(1, self.feed_forward // 2)}

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        import keras

        self._check(inputs, outputs)
        doors = entries(inputs)
        sizes = {"source": inputs["tokens"]["vocabulary"], "target": outputs}
        tables = self._tables(sizes)
        allowed = keras.ops.not_equal(doors["tokens"], 0)
        x = self.placed(tables["source"](doors["tokens"]), name="source_positions")
        for number in range(1, self.layers + 1):
            x = self.block(f"encoder_{number}")(x, allowed=allowed)
        memory = self.normed(x, name="encoder_norm")
        # What is padded stands at the end, where no place that counts looks.
        x = self.placed(tables["target"](doors["target"]), name="target_positions")
        for number in range(1, self.layers + 1):
            x = self.block(f"decoder_{number}", causal=True, remembers=True)(x, memory, memory_allowed=allowed)
        x = self.normed(x, name="decoder_norm")
        if self.tied == "none":
            logits = keras.layers.Dense(outputs, dtype=kind_of_logits(), name="logits")(x)
        else:
            logits = tables["target"](x, reverse=True)
        return keras.Model(doors, logits, name=self.name)

    def course(self, network: keras.Model, inputs: Mapping[str, Any], width: int, longest: int) -> Course:
        """Keys and values of each token are worked out once, and stay in the slot where they were: who looks at which,
        ancestors tell."""
        import keras

        from dlspec.layers.attention import forbidding

        ops = keras.ops
        last = "encoder_norm" if self.norm == "pre" else f"encoder_{self.layers}"
        encoder = keras.Model(network.input["tokens"], network.get_layer(last).output)
        places = ops.not_equal(inputs["tokens"], 0)
        memory = encoder(inputs["tokens"], training=False)
        blocks = [network.get_layer(f"decoder_{number}") for number in range(1, self.layers + 1)]
        remembered = [block.memory.keys_and_values(memory) for block in blocks]
        table = network.get_layer("embedding" if self.tied == "all" else "target_embedding")
        order = network.get_layer("target_positions")
        kind = memory.dtype
        unseen = forbidding(places, kind)[:, None, None, :]
        empty = ops.zeros((ops.shape(places)[0], self.heads, longest, width, self.width // self.heads), kind)
        times, slots = ops.arange(longest), ops.arange(width)

        def step(tokens: Any, time: Any, cache: Any, ancestors: Any) -> tuple[Any, Any, Any]:
            x = table(tokens) * self.width**0.5
            x = x + order.rows(time, 1)
            known = ops.equal(ancestors[..., None], slots)
            known = ops.logical_and(known, (times <= time)[:, None])
            added = forbidding(ops.reshape(known, (-1, 1, width, longest * width)), kind)
            here, kept, seen = ops.equal(times, time)[:, None, None], [], None
            for block, own, of in zip(blocks, cache, remembered, strict=True):
                x, own, seen = block.step(x, own, here, added, of, unseen)
                kept.append(own)
            if self.norm == "pre":
                x = network.get_layer("decoder_norm")(x)
            logits = network.get_layer("logits")(x) if self.tied == "none" else table(x, reverse=True)
            return logits, kept, ops.mean(seen, axis=1)

        return Course(step, [(empty, empty) for _ in blocks], places, lambda cache, parents: cache)

    def _check(self, inputs: Shapes, outputs: int) -> None:
        self.check()
        source = inputs["tokens"]["vocabulary"]
        if self.tied == "all" and source != outputs:
            message = (
                f"one table for source and target needs a joint vocabulary, but the source's has {source:,} tokens and "
                f"the target's {outputs:,}; make it joint, or say tied: target"
            )
            raise RecipeError(message, where=Place(key="model.tied"))

    def _tables(self, sizes: Mapping[str, int]) -> dict[str, Any]:
        import keras

        def table(size: int, name: str) -> Any:
            start = keras.initializers.RandomNormal(stddev=self.width**-0.5)
            options = {"embeddings_initializer": start, "reverse_dtype": kind_of_logits(), "name": name}
            return keras.layers.ReversibleEmbedding(size, self.width, **options)

        if self.tied == "all":
            return dict.fromkeys(("source", "target"), table(sizes["target"], "embedding"))
        plain = keras.layers.Embedding(
            sizes["source"],
            self.width,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=self.width**-0.5),
            name="source_embedding",
        )
        return {"source": plain, "target": table(sizes["target"], "target_embedding")}
