"""The families of architectures: which inputs they take, what they give."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from dlspec.proposals import Facts, Suggestion
from dlspec.recipe.component import Component
from dlspec.remedies import AT_ONCE, EARLY, LATE, USUAL, Remedy, Situation
from dlspec.types import Place, RecipeError

if TYPE_CHECKING:
    import keras

Shapes = Mapping[str, Mapping[str, Any]]
"""array name → {"shape": without the batch axis (None: batches differ), "dtype", "sizes": categories of each entry of
an integer array, "vocabulary": how many numbers an entry of a text's array can be,
"range": of a picture, what black and white are in each channel, as [[…], […]] (missing: 0 and 1)}"""

SATURATING = ("sigmoid", "tanh")
"""activations whose slope nears 0 where the input is large, so that little is learned there (Glorot, Bordes & Bengio,
"Deep sparse rectifier neural networks", 2011)"""


class Model(Component):
    """An architecture.  `build` makes a fresh network from shapes in to logits out."""

    accepts: ClassVar[tuple[str, ...]]
    """the kinds of input it takes: "table", "picture", "text", "series", "sound" """

    @classmethod
    def suggest(cls, facts: Facts) -> Suggestion | None:
        """Whether it is a good first network for such data, asked by `init`; by default one to choose on purpose."""
        return None

    def larger(self) -> dict[str, Any] | None:
        """Settings of a network that can learn more (with another `name`: of another architecture); None: no such."""
        return None

    def smaller(self) -> dict[str, Any] | None:
        """Settings of a network of its kind that learns less by heart; None where there is none."""
        return None

    def training_heads(self, network: keras.Model, outputs: Any) -> list[tuple[Any, float]]:
        """Further outputs for the same truth, and what each counts in the loss; by default none.

        Made of the layers of a network that `build` gave, each of the shape of its output.  They are trained with it,
        and are no part of it afterwards: not scored, not saved.
        """
        return []

    def remedies(self, of: Situation) -> list[Remedy]:
        """Size, and what usual settings do: activation, dropout, spatial dropout, normalisation.  An architecture with
        others adds to them."""
        found, larger, smaller = [], self.larger(), self.smaller()
        used = {name: getattr(self, name, None) for name in ("dropout", "spatial_dropout")}
        if of.cause == "avoidable bias":
            if larger:
                found.append(Remedy(larger, "a larger network can learn more", EARLY))
            if getattr(self, "activation", None) in SATURATING:
                changes = {"activation": "relu"}
                if getattr(getattr(self, "initializer", None), "name", "auto") != "auto":
                    changes["initializer"] = "auto"  # a start that was chosen for the other activation
                found.append(Remedy(changes, "a rectifier does not flatten out where its input is large", AT_ONCE))
            silenced = {name: 0.0 for name, share in used.items() if share}
            if silenced:
                found.append(Remedy(silenced, "dropout holds back a network that learns too little", USUAL))
            if getattr(getattr(self, "normalization", None), "name", None) == "none":
                found.append(Remedy({"normalization": "batch"}, "with normalisation training gets further", LATE))
        if of.cause == "variance":
            share = used["dropout"]
            if share is not None and share < 0.5:
                more = 0.3 if share < 0.3 else 0.5
                found.append(Remedy({"dropout": more}, "dropout keeps units from leaning on each other", EARLY))
            if smaller:
                found.append(Remedy(smaller, "a smaller network learns less by heart", LATE))
        return found

    @abc.abstractmethod
    def build(self, inputs: Shapes, outputs: Any) -> keras.Model:
        """A functional model that takes a dict of arrays, as `inputs` names them, and gives logits.

        Raises RecipeError where the input cannot be taken (a picture that is too small), with the smallest that can.
        """

    @property
    def learned(self) -> str | None:
        """Where its weights were learned before, in words; None: it starts from nothing."""
        return None

    def begin(self, network: keras.Model, tell: Callable[[str], None]) -> None:
        """Put what was learned before into a network that `build` has made; by default there is nothing.

        tell: hears what takes time.  Raises RecipeError where it does not fit, or cannot be had.
        """

    def begin_with(self, network: keras.Model, tell: Callable[[str], None], words: Sequence[str]) -> None:
        """The same, where the network takes words; words: those of the vocabulary, by index; by default `begin`."""
        self.begin(network, tell)

    def base(self, network: keras.Model) -> Any:
        """The symbolic tensor at which the base of a network ends, and its head begins.

        The base is what is kept when a network that has learned one thing is to learn another; the head begins anew.
        By default the head is the last layer with weights, and what silences its inputs at random.
        """
        import keras

        tensor = network.outputs[0]
        found_weights = False
        while True:
            layer, number, _ = tensor._keras_history
            if found_weights and not isinstance(layer, keras.layers.Dropout | keras.layers.SpatialDropout2D):
                return tensor
            before = layer._inbound_nodes[number].input_tensors
            if len(before) != 1:
                raise RecipeError(
                    f"'{self.name}' does not tell base from head: what its last layer takes is not one array; "
                    "say which layers are frozen: freeze: {until: LAYER}",
                    where=Place(key="train.freeze"),
                )
            found_weights = found_weights or bool(layer.weights and not getattr(layer, "passes_on", False))
            [tensor] = before


class Backbone(Model):
    """One vector of logits an example: `outputs` is how many.  Classification, regression, embeddings."""

    @abc.abstractmethod
    def build(self, inputs: Shapes, outputs: int) -> keras.Model: ...


class Course(NamedTuple):
    """How a network says one token after another, for dlspec.decode.beam.search; see there for shapes."""

    step: Callable[[Any, Any, Any, Any], tuple[Any, Any, Any]]
    """(tokens (B, W), time, cache, ancestors (B, W, T)) → logits (B, W, V), cache, attention (B, W, S) or None"""
    cache: Any
    """what `step` takes at the start"""
    places: Any
    """which places of the source are none of padding, bool (B, S)"""
    moved: Callable[[Any, Any], Any] | None = None
    """(cache, parents (B, W)) → the cache after hypotheses have changed their slots; None: each array by its slots"""


class Translator(Model):
    """Logits of the next token at each place of a target that is known so far: (batch, T, `outputs`).  Translation.

    It takes `tokens`, the source, and `target`, what has been said, the begin first; 0 is padding in both.
    """

    @abc.abstractmethod
    def build(self, inputs: Shapes, outputs: int) -> keras.Model: ...

    @abc.abstractmethod
    def course(self, network: keras.Model, inputs: Mapping[str, Any], width: int, longest: int) -> Course:
        """How a network that `build` gave goes on from a batch of sources, encoded once, with `width` hypotheses each.

        inputs: as the network takes them, without the target.  longest: how many tokens are said at most.
        """


class Segmenter(Model):
    """Logits for each pixel of a picture: (batch, height, width, `outputs`).  Segmentation."""

    @abc.abstractmethod
    def build(self, inputs: Shapes, outputs: int) -> keras.Model: ...


class Tagger(Model):
    """Logits for each token of a sequence: (batch, length, `outputs`).  Tagging; and, where none hangs on a later
    token and `outputs` are the pieces of the vocabulary, language models."""

    @property
    def causal(self) -> bool:
        """Whether no token's logits hang on a later token, as it is set: then it can go on with a text."""
        return False

    endless: ClassVar[bool] = False
    """it goes on beyond the length that it was trained on, for it knows no places (recurrent networks)"""

    @abc.abstractmethod
    def build(self, inputs: Shapes, outputs: int) -> keras.Model: ...

    def course(self, network: keras.Model, count: int, width: int, longest: int) -> Course:
        """How a causal network that `build` gave goes on with `count` texts, `width` hypotheses each, of `longest`
        tokens at most; `ancestors` is for attention alone.

        By default all that was said is read again for each token; whoever can keep what it knows of it should.
        """
        import keras

        ops = keras.ops
        times = ops.arange(longest)

        def step(tokens: Any, time: Any, cache: Any, ancestors: Any) -> tuple[Any, Any, Any]:
            said = ops.where(ops.equal(times, time), tokens[..., None], cache)
            logits = network({"tokens": ops.reshape(said, (count * width, longest))}, training=False)
            now = ops.take(logits, time, axis=1)
            return ops.reshape(now, (count, width, logits.shape[-1])), said, None

        return Course(step, ops.zeros((count, width, longest), "int32"), ops.ones((count, 1), "bool"))


class Sought(NamedTuple):
    """What a detector is asked for: how many priors each cell of each grid has, the finest grid first, how many
    classes, and the logit of objectness that nothing is known with."""

    anchors: tuple[int, ...]
    classes: int
    start: float = 0.0


class Detector(Model):
    """Boxes at the cells of one or several grids: (batch, P, 5 + C) of P priors, by scale, row, column and anchor.

    Of each four numbers of the box, objectness, and the logits of C classes; what they mean is the task's to say (see
    dlspec.numeric.priors).
    """

    @abc.abstractmethod
    def grids(self, inputs: Shapes) -> tuple[int, ...]:
        """Pixels from cell to cell of each grid, the finest first.  Raises RecipeError where they do not divide the
        picture."""

    def sides(self, inputs: Shapes) -> Sequence[Sequence[Sequence[float]]] | None:
        """Width and height of each prior of each grid, in pixels of the encoded picture, where the architecture has its
        own; None: they are fitted to the boxes that it is to find."""
        return None

    @abc.abstractmethod
    def build(self, inputs: Shapes, outputs: Sought) -> keras.Model: ...


def entries(inputs: Shapes) -> dict[str, Any]:
    """A keras.Input for every array, by name."""
    import keras

    return {name: keras.Input(tuple(spec["shape"]), dtype=spec["dtype"], name=name) for name, spec in inputs.items()}


def flat(inputs: Shapes) -> tuple[dict[str, Any], Any]:
    """The entries, and all they hold as one vector an example: (batch, features).

    Float arrays are flattened; each entry of an integer array is embedded in its own table (Guo and Berkhahn 2016),
    of the width that `embedding_width` gives.
    """
    import keras

    doors = entries(inputs)
    vectors = []
    for name, spec in inputs.items():
        if "sizes" in spec:
            vectors += [
                keras.layers.Embedding(size, embedding_width(size), name=f"{name}_{place}")(doors[name][:, place])
                for place, size in enumerate(spec["sizes"])
            ]
        else:
            vectors.append(keras.layers.Flatten(name=f"{name}_flat")(doors[name]))
    return doors, vectors[0] if len(vectors) == 1 else keras.layers.Concatenate(name="features")(vectors)


def embedding_width(size: int) -> int:
    """Numbers a category is embedded in: fastai's rule of thumb 1.6 n^0.56 (Howard and Gugger 2020), at most 50."""
    return min(50, max(1, round(1.6 * size**0.56)))


def picture(inputs: Shapes) -> tuple[dict[str, Any], Any]:
    """The entries, and the picture among them: (batch, height, width, channels)."""
    doors = entries(inputs)
    return doors, doors["picture"]


def with_log_variances(network: keras.Model, heads: int, name: str) -> keras.Model:
    """The network, and after its outputs, which stay as they are, the layer that holds how noisy each head is."""
    import keras

    from dlspec.layers.uncertainty_weights import UncertaintyWeights

    return keras.Model(network.input, UncertaintyWeights(heads, name=name)(network.output), name=network.name)


def told(layer: str, here: list[tuple[int, ...]], there: list[tuple[int, ...]] | None) -> str:
    """Of a layer whose weights do not fit: its shapes in the network, and those that were to be taken (None: none)."""
    if not there:
        return f"there are none for layer '{layer}', whose shapes are {_shown(here)}"
    return f"the first layer that differs is '{layer}': {_shown(there)} there, {_shown(here)} in this network"


def _shown(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join("×".join(map(str, shape)) or "1" for shape in shapes)
