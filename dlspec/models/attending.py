"""What architectures of attention alone share: blocks over sequences, and how their places are told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from dlspec.models.base import Model
from dlspec.models.pieces import Share
from dlspec.types import Place, RecipeError

Count = Annotated[int, Field(ge=1)]
WIDEST, NARROWEST, DEEPEST = 1024, 32, 12
"""how far networks grow and shrink as a remedy; the widest is d_model of the paper's big model"""


class AttendingModel(Model):
    """An architecture of Transformer blocks (Vaswani et al. 2017)."""

    layers: Count = 4
    """how many blocks"""
    width: Count = 256
    """numbers that stand for a token; the heads divide it"""
    heads: Count = 4
    """of each attention"""
    feed_forward: Count = 1024
    """units of the inner dense layer of each block"""
    activation: Literal["relu", "gelu", "silu"] = "gelu"
    """of the inner dense layer"""
    norm: Literal["pre", "post"] = "pre"
    """pre: before attention and dense layers, and once at the end (Xiong et al. 2020), which learns without a warm-up;
    post: after each shortcut, as in Vaswani et al. (2017)"""
    positions: Literal["sinusoidal", "learned"] = "sinusoidal"
    """how a token's place is told"""
    longest: Count = 512
    """of learned positions, how many there are; what comes after has the last one's"""
    dropout: Share = 0.1
    """of what attention and dense layers give"""
    attention_dropout: Share = 0.0
    """of the weights of attention"""
    inner_dropout: Share = 0.0
    """of the inner dense layer's units"""

    def larger(self) -> dict[str, Any] | None:
        """Twice as wide; in the end more blocks."""
        if 2 * self.width <= WIDEST:
            return {"width": 2 * self.width, "feed_forward": 2 * self.feed_forward}
        return {"layers": min(DEEPEST, 2 * self.layers)} if self.layers < DEEPEST else None

    def smaller(self) -> dict[str, Any] | None:
        """Half as wide; in the end fewer blocks."""
        if self.width % (2 * self.heads) == 0 and self.width >= 2 * NARROWEST:
            return {"width": self.width // 2, "feed_forward": max(1, self.feed_forward // 2)}
        return {"layers": self.layers // 2} if self.layers > 1 else None

    def check(self) -> None:
        """Raises RecipeError where the heads do not divide the width."""
        if self.width % self.heads:
            possible = [one for one in range(1, self.width + 1) if self.width % one == 0]
            nearest = min(possible, key=lambda one: abs(one - self.heads))
            message = f"{self.heads} heads do not divide a width of {self.width}; take {nearest}"
            raise RecipeError(message, where=Place(key="model.heads"))

    def placed(self, x: Any, scale: bool = True, name: str = "positions") -> Any:
        """Vectors (B, L, width) with their places told; scale: multiplied by √width before.  name: of the layer."""
        import keras

        from dlspec.layers.positions import LearnedPositions, SinusoidalPositions

        learned = self.positions == "learned"
        order = LearnedPositions(self.longest, name=name) if learned else SinusoidalPositions(name=name)
        x = order(x * self.width**0.5 if scale else x)
        return keras.layers.Dropout(self.dropout, name=f"{name}_dropout")(x) if self.dropout else x

    def block(self, name: str, causal: bool = False, remembers: bool = False) -> Any:
        """remembers: it looks at another sequence, too."""
        from dlspec.layers.transformer_block import TransformerBlock

        return TransformerBlock(
            self.heads,
            self.feed_forward,
            self.activation,
            self.norm,
            causal=causal,
            remembers=remembers,
            dropout=self.dropout,
            attention_dropout=self.attention_dropout,
            inner_dropout=self.inner_dropout,
            name=name,
        )

    def normed(self, x: Any, name: str = "norm") -> Any:
        """What the last block gives, normalised where blocks do so before and not after."""
        import keras

        from dlspec.layers.transformer_block import EPSILON

        return keras.layers.LayerNormalization(epsilon=EPSILON, name=name)(x) if self.norm == "pre" else x
