"""Characters, numbered in one go: the same as the library `tokenizers` trains and encodes, whatever the text."""

import numpy as np
import pytest

from dlspec.inputs.text import Text
from dlspec.inputs.tokenizing import SPECIALS, encoded, tokenizer_of
from dlspec.types import Examples

TEXTS = [
    "The quick brown fox; naïve café — “quoted”, ﬁne.\n\nÀ bientôt!\t",
    "",
    "ＷＩＤＥ letters, Ⅻ, x² and a\u0301 combining, 日本語 テキスト",
    "emoji 😀😀 👩‍👩‍👧, ẞ İ ǆ", "plain ascii only, twice", "plain ascii only, twice",
]  # fmt: skip


@pytest.mark.parametrize("normalize", ["nfkc", "nfd", "none"])
@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("settings", [{}, {"vocabulary": 20}, {"minimum_count": 1}])
def test_it_is_what_the_library_trains_and_encodes(normalize, lowercase, settings):
    entry = Text(tokenizer="character", normalize=normalize, lowercase=lowercase, **settings)
    state = entry.learned(TEXTS)
    made, trainer = entry._untrained()
    made.train_from_iterator(TEXTS, trainer)
    assert state["vocabulary"] == [made.id_to_token(i) for i in range(made.get_vocab_size())]
    library = tokenizer_of(state["tokenizer"])
    others = [*TEXTS, "unseen: жук 𝒳 ÿ", "more ASCII ~{}"]
    for row, text in zip(encoded(others, state), others, strict=True):
        assert row.tolist() == library.encode(text).ids and row.dtype == np.int32


def test_halves_of_a_character_and_specials_in_a_text():
    entry = Text(tokenizer="character", minimum_count=1)
    state = entry.prepare(Examples(["a", "b"], ["abc", SPECIALS[1]]))
    [row, other] = entry.encode(Examples(["x", "y"], ["a\ud800b", SPECIALS[2]]), state)["tokens"]
    assert row[1] == 1 and not np.isin(other, (0, 2, 3)).any()
