"""What architectures for sequences begin with: words as vectors, or a series as it is, and which places are real."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from dlspec.models.base import Model, Shapes, entries
from dlspec.models.word_vectors import vectors_of, width_of
from dlspec.recipe.component import DataPath, Section
from dlspec.types import DataError, Place, RecipeError

if TYPE_CHECKING:
    import keras

LAYER = "embedding"
"""the name of the layer that holds a vector a word"""
SIZE = 100
"""numbers a word has, where the recipe does not say"""


class Spelled(Section):
    """What is made of the characters of each word, where the input shows them (input.characters)."""

    filters: int = Field(30, ge=1)
    """numbers that a word has by its characters: filters, of each the greatest answer (Ma and Hovy 2016)"""
    size: int = Field(30, ge=1)
    """numbers that a character has"""
    window: int = Field(3, ge=1)
    """neighbouring characters that a filter sees"""


class Embedding(Section):
    """The vector of each word."""

    size: int | None = Field(None, ge=1)
    """numbers a word has; left out: as many as those of `vectors`, or 100"""
    vectors: DataPath | None = None
    """vectors that were learned before: a text file as GloVe or word2vec write it (.gz too), or a folder with one .npy
    and words.txt; left out: they begin at random"""
    tune: bool = True
    """go on learning them; false: they stay as they are"""
    spelled: Spelled = Spelled()
    """what stands beside it, made of the word's characters, where the input shows them"""

    @field_validator("vectors")
    @classmethod
    def _of_this_size(cls, vectors: str | None, info: ValidationInfo) -> str | None:
        """The head of the file is looked at, so that what is wrong with it is told with the recipe's other faults."""
        if vectors is None or not os.path.exists(vectors):
            return vectors
        try:
            found = width_of(vectors)
        except DataError as error:
            raise PydanticCustomError("vectors", "{message}", {"message": str(error)}) from None
        size = info.data.get("size")
        if size not in (None, found):
            message = f"the vectors of {vectors} have {found} numbers, and size says {size}; leave size out"
            raise PydanticCustomError("vectors", "{message}", {"message": message})
        return vectors

    @property
    def width(self) -> int:
        """Numbers a word has.  Raises RecipeError where the file is no longer what it should be."""
        if self.vectors is None:
            return self.size or SIZE
        try:
            return width_of(self.vectors)
        except DataError as error:
            raise RecipeError(str(error), where=Place(key="model.embedding.vectors")) from None


class EmbeddingModel(Model):
    """An architecture whose words are vectors, which may have been learned before."""

    embedding: Embedding = Embedding()
    """the vector of each word: its size, or a file of them"""

    @property
    def learned(self) -> str | None:
        return None if self.embedding.vectors is None else f"vectors of words from {self.embedding.vectors}"

    def begin_with(self, network: keras.Model, tell: Callable[[str], None], words: Sequence[str]) -> None:
        """Put the vectors of the words that have one in; the others begin at random, as large as those on average."""
        import numpy as np

        layers = [one for one in network._flatten_layers() if one.name == LAYER]
        if self.embedding.vectors is None or not layers:
            return
        [layer] = layers
        table = np.array(layer.embeddings)
        try:
            found, there = vectors_of(self.embedding.vectors, {one: i for i, one in enumerate(words)}, len(table))
        except DataError as error:
            raise RecipeError(str(error), where=Place(key="model.embedding.vectors")) from None
        if not there.any():
            message = (
                f"none of the {len(words):,} pieces of the vocabulary has a vector there; is it of the same language, "
                "and does input.tokenizer make words?"
            )
            raise RecipeError(message, where=Place(key="model.embedding.vectors"))
        table *= found[there].std() / max(float(table.std()), 1e-12)
        table[there] = found[there]
        layer.embeddings.assign(table)
        tell(
            f"{int(there.sum()):,} of {len(words):,} pieces of the vocabulary ({there.mean():.0%}) have a vector in "
            f"{self.embedding.vectors}; the others begin at random"
        )


def embedded(inputs: Shapes, how: Embedding | None = None) -> tuple[dict[str, Any], Any, Any]:
    """The entries, the sequence as vectors (B, L, D), and which places are real (B, L), bool.

    Of `tokens` (B, L), whose padding is 0, the vectors come from a table, the layer "embedding"; of `characters`
    (B, L, C), those of each word, more numbers stand beside them.  A `series` (B, L, F) is taken as it is, and all of
    it is real.
    """
    import keras

    how = how or Embedding()
    doors = entries(inputs)
    if "tokens" in inputs:
        tokens = doors["tokens"]
        table = keras.layers.Embedding(inputs["tokens"]["vocabulary"], how.width, trainable=how.tune, name=LAYER)
        x = table(tokens)
        if "characters" in inputs:
            from dlspec.layers.spelling import Spelling

            of = how.spelled
            spelling = Spelling(inputs["characters"]["vocabulary"], of.filters, of.size, of.window, name="spelling")
            x = keras.layers.Concatenate(name="word")([x, spelling(doors["characters"])])
        return doors, x, keras.ops.not_equal(tokens, 0)
    series = doors["series"]
    return doors, series, keras.ops.ones_like(series[:, :, 0], dtype="bool")


def only_real(x: Any, mask: Any) -> Any:
    """x (B, L, D) with 0 where the mask (B, L) says that nothing is."""
    import keras

    return x * keras.ops.cast(mask[:, :, None], x.dtype)
