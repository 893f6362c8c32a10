"""From text to numbers: words, characters, byte pairs or pieces of a unigram model, learned from train alone.

The work is done by the library `tokenizers`.  0 is padding and nothing else; 1 is what train had not (or too rarely), 2
and 3 are the begin and end of a text, for whoever needs them.  A text is a string, or a list of its words: then each
word is cut into pieces on its own.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from dlspec.inputs import characters
from dlspec.recipe.component import DataPath, Section
from dlspec.types import DataError, State

if TYPE_CHECKING:
    import numpy as np

Words = str | Sequence[str]
"""a text: a string, or its words"""
PADDING, UNKNOWN, BEGIN, END = range(4)
SPECIALS = ("<no piece>", "<unknown piece>", "<begin of text>", "<end of text>")
"""what they are called in a vocabulary: with blanks, which no piece has, so that no text can hold them"""
USUAL = {"word": 20_000, "character": 20_000, "byte_pair": 8_000, "unigram": 8_000}
"""pieces of a vocabulary, where the recipe does not say"""
WORDS = r"\w+(?:['’]\w+)*|[^\w\s]"
"""a word with its apostrophes, or one sign"""
BLOCK = 4096
"""texts that are encoded at a time"""


class Tokenization(Section):
    """How text is cut into pieces."""

    tokenizer: Literal["word", "character", "byte_pair", "unigram"] = "word"
    """the pieces.  word: words and signs; character: every character; byte_pair: bytes that often stand together,
    so that nothing is unknown (Sennrich et al. 2016); unigram: what makes train most probable (Kudo 2018)"""
    words: Literal["signs_apart", "blanks"] = "signs_apart"
    """where words end.  signs_apart: at blanks and at signs, each a piece; blanks: at blanks alone, for text
    that is cut into words already.  Texts that come as lists of words stay as they are"""
    normalize: Literal["nfkc", "nfc", "nfkd", "nfd", "none"] = "nfkc"
    """Unicode's normal form: the same letter is the same characters, and (nfkc, nfkd) a wide one a plain one"""
    lowercase: bool = False
    """make all letters small"""
    vocabulary: int | None = Field(None, ge=5)
    """pieces at most, the most frequent, 4 for padding, unknown, begin and end among them; left out: 20,000 words or
    characters, 8,000 byte pairs or pieces of a unigram model"""
    minimum_count: int = Field(2, ge=1)
    """words and characters that train has less often are unknown, so that train has some that are; byte pairs are not
    joined.  A unigram model has its own measure"""

    words_from: DataPath | None = None
    """words that are pieces though train may not have them: those of a file or folder of vectors (see
    model.embedding.vectors), so that one that is met later has its vector; for tokenizer: word"""

    @model_validator(mode="after")
    def _words_have_words(self) -> Self:
        if self.words_from is not None and self.tokenizer != "word":
            message = "words_from has words, which are pieces of tokenizer: word alone; leave it out"
            raise PydanticCustomError("words", "{message}", {"message": message})
        return self

    def learned(self, texts: Sequence[Words]) -> State:
        """The tokenizer as JSON (`tokenizer`), its pieces by index (`vocabulary`, specials first), and `given`: whether
        texts are cut into words before.

        Raises DataError where there is no text to learn from.
        """
        given = any(not isinstance(one, str) for one in texts) or (self.words == "blanks" and self.tokenizer == "word")
        pieces = [word for one in texts for word in words_of(one)] if given else [plain_text(one) for one in texts]
        if not any(one.strip() for one in pieces):
            raise DataError("all texts of train are empty: is the text the right column?")
        tokenizer, trainer = self._untrained(given)
        if self.tokenizer == "character":
            most = (self.vocabulary or USUAL["character"]) - len(SPECIALS)
            found = characters.vocabulary(_blocks(pieces), tokenizer.normalizer, most, self.minimum_count)
            made = json.loads(tokenizer.to_str())
            made["model"]["vocab"] = {one: number for number, one in enumerate((*SPECIALS, *found))}
        else:
            tokenizer.train_from_iterator(_blocks(pieces), trainer, length=len(pieces))
            made = json.loads(tokenizer.to_str())
        made["added_tokens"] = []  # or they would be looked for in texts
        made["model"]["unk_token" if "unk_token" in made["model"] else "unk_id"] = (
            SPECIALS[UNKNOWN] if "unk_token" in made["model"] else UNKNOWN
        )
        if self.tokenizer == "unigram":
            made["model"]["vocab"] = _settled(made["model"]["vocab"])
        if self.words_from is not None:
            _add(made["model"]["vocab"], self.words_from, tokenizer.normalizer)
        text = json.dumps(made, ensure_ascii=False)
        opened = tokenizer_of(text)
        names = [opened.id_to_token(i) for i in range(opened.get_vocab_size())]
        return {"tokenizer": text, "vocabulary": names, "given": given}

    def _untrained(self, given: bool = False) -> tuple[Any, Any]:
        from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

        said: dict[str, Any] = {
            "vocab_size": self.vocabulary or USUAL[self.tokenizer],
            "special_tokens": list(SPECIALS),
            "show_progress": False,
        }
        counted = {**said, "min_frequency": self.minimum_count}
        if self.tokenizer == "byte_pair":
            made = Tokenizer(models.BPE())
            made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
            made.decoder = decoders.ByteLevel()
            trainer = trainers.BpeTrainer(**counted, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
        elif self.tokenizer == "unigram":
            made = Tokenizer(models.Unigram())
            made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
            trainer = trainers.UnigramTrainer(**said, unk_token=SPECIALS[UNKNOWN])
        else:
            made = Tokenizer(models.WordLevel(unk_token=SPECIALS[UNKNOWN]))
            if self.tokenizer == "character":
                made.pre_tokenizer, made.decoder = (
                    pre_tokenizers.Split(Regex(characters.EVERY), "isolated"),
                    decoders.Fuse(),
                )
            elif not given:
                made.pre_tokenizer = pre_tokenizers.Split(Regex(WORDS), "removed", invert=True)
            trainer = trainers.WordLevelTrainer(**counted)
        forms = [] if self.normalize == "none" else [getattr(normalizers, self.normalize.upper())()]
        forms += [normalizers.Lowercase()] if self.lowercase else []
        if forms:
            made.normalizer = normalizers.Sequence(forms)
        return made, trainer


def _settled(pieces: list[list[Any]]) -> list[list[Any]]:
    """Pieces of a unigram model with their log probabilities, in an order that is the same each time.

    Characters that training has thrown away come back as the least probable, in no order: they are made alike.
    """
    specials, rest = pieces[: len(SPECIALS)], pieces[len(SPECIALS) :]
    least = min(score for _, score in rest)
    room = 1e-3 * len(rest)
    found = [[one, round(least if len(one) == 1 and score < least + room else score, 6)] for one, score in rest]
    return [*specials, *sorted(found, key=lambda one: (-one[1], one[0]))]


@functools.lru_cache(maxsize=8)
def tokenizer_of(text: str) -> Any:
    """The tokenizer of a state."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")  # or it warns where a process divides
    from tokenizers import Tokenizer

    return Tokenizer.from_str(text)


def words_of(text: Words) -> list[str]:
    """The words of a text; those of a string stand between blanks."""
    return text.split() if isinstance(text, str) else list(text)


def plain_text(text: Words) -> str:
    """A text as a string."""
    return text if isinstance(text, str) else " ".join(text)


def encoded(texts: Sequence[Words], state: State) -> list[np.ndarray]:
    """The pieces of each text, int32 (L,); of an empty one none."""
    if state.get("given"):
        return encoded_words(texts, state)[0]
    import numpy as np

    numbers, blocks = characters.numbers_of(state["tokenizer"], UNKNOWN), _blocks([plain_text(one) for one in texts])
    if numbers is not None:
        return [row for some in blocks for row in characters.encoded(some, numbers)]
    tokenizer = tokenizer_of(state["tokenizer"])
    found: list[np.ndarray] = []
    for some in blocks:
        found += [np.array(one.ids, np.int32) for one in tokenizer.encode_batch_fast(some)]
    return found


def encoded_words(texts: Sequence[Words], state: State) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The pieces of each text, int32 (L,), and the place of the first piece of each of its words, int32 (W,).

    A word of which nothing is left (an invisible sign) is one unknown piece, so that every word has one.
    """
    import numpy as np

    tokenizer, cut = tokenizer_of(state["tokenizer"]), [words_of(one) for one in texts]
    different = list(dict.fromkeys(word for one in cut for word in one))
    known: dict[str, list[int]] = {}
    for some, words in zip(_blocks(different), _parts(different), strict=True):
        encodings = tokenizer.encode_batch_fast(some)
        known.update({word: one.ids or [UNKNOWN] for word, one in zip(words, encodings, strict=True)})
    rows, firsts = [], []
    for one in cut:
        rows.append(np.array([piece for word in one for piece in known[word]], np.int32))
        ends = np.cumsum([0, *(len(known[word]) for word in one)])
        firsts.append(ends[:-1].astype(np.int32))
    return rows, firsts


def decoded(pieces: Sequence[int], state: State) -> str:
    """The text that pieces stand for, without padding, begin and end; what is unknown is `⁇`."""
    tokenizer, words = tokenizer_of(state["tokenizer"]), state["vocabulary"]
    said = ["⁇" if one == UNKNOWN else words[one] for one in pieces if one not in (PADDING, BEGIN, END)]
    text: str = tokenizer.decoder.decode(said) if tokenizer.decoder is not None else " ".join(said)
    return text.removeprefix(" ") if type(tokenizer.decoder).__name__ == "ByteLevel" else text


def shown_piece(piece: int, state: State) -> str:
    """A piece as a person would read it alone; what continues a word begins with `+`."""
    tokenizer, word = tokenizer_of(state["tokenizer"]), state["vocabulary"][piece]
    if piece in (UNKNOWN, BEGIN, END):
        return {UNKNOWN: "⁇", BEGIN: "(begin)", END: "(end)"}[piece]
    if tokenizer.decoder is None or type(tokenizer.decoder).__name__ == "Fuse":
        return str(word)
    begins = word[:1] in ("Ġ", "▁")
    text = str(tokenizer.decoder.decode([word])).strip() or " "
    return text if begins else f"+{text}"


def never_seen(counts_V: Sequence[int], vocabulary: Sequence[str]) -> list[int]:
    """The pieces that say that train had no such thing: the unknown one, and bytes that are in none that train has.

    A byte that train has only within larger pieces is known.
    """
    held = {character for piece, count in zip(vocabulary, counts_V, strict=True) if count for character in piece}
    rest = [i for i in range(len(SPECIALS), len(vocabulary)) if not counts_V[i] and not held.issuperset(vocabulary[i])]
    return [UNKNOWN, *rest]


def counts(rows: Sequence[np.ndarray], size: int) -> np.ndarray:
    """How often each piece of a vocabulary occurs, int64 (V,)."""
    import numpy as np

    return np.bincount(np.concatenate([*rows, np.zeros(0, np.int32)]), minlength=size)


def _add(vocabulary: dict[str, int], path: str, normalizer: Any) -> None:
    """Words of a file of vectors as further pieces, as the tokenizer writes them."""
    from dlspec.numeric.word_lists import words_of_vectors

    for word in words_of_vectors(path):
        vocabulary.setdefault(normalizer.normalize_str(word) if normalizer is not None else word, len(vocabulary))


def _parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), BLOCK):
        yield texts[start : start + BLOCK]


def _blocks(texts: Sequence[str]) -> Iterator[list[str]]:
    for some in _parts(texts):
        yield [whole(one) for one in some]


def whole(text: str) -> str:
    """The text, with halves of a character (lone surrogates) replaced, which no UTF-8 can hold."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
