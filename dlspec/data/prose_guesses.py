"""Whether a file that nobody has described is prose: a text to go on with, no table and no list."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dlspec.data import part_files, sources, text_files
from dlspec.numeric.printable import shown
from dlspec.proposals import Facts, Line, Proposal
from dlspec.types import DataError
from dlspec.wording import plural

if TYPE_CHECKING:
    from dlspec.data.text_file import TextFile

LOOKED_AT = 1 << 18
"""bytes of a file"""
FEWEST = 5_000
"""characters below which nothing can be learned"""
PARAGRAPH = 120
"""characters of a line in the mean, from which on one between empty lines is a paragraph"""
WORDS = 0.6
"""share of the characters that are letters, in prose"""


def proposal(reader: type[TextFile], path: str) -> Proposal | None:
    """How prose would be read; None where it is none, or too little."""
    if os.path.isdir(path):
        names = sorted(one for one in os.listdir(path) if one.lower().endswith((".txt", ".text", ".gz")))
        files = [os.path.join(path, one) for one in names]
        if not files or not all(is_prose(one) for one in files if os.path.isfile(one)):
            return None
    elif not path.lower().endswith(reader.suffixes) or not is_prose(path):
        return None
    parts = {"all": path} if os.path.isdir(path) else part_files.family(path)
    given: Any = path if "all" in parts else dict(parts)
    loaded = reader.model_validate({"path": given}).load()
    counts = {name: len(part) for name, part in loaded.parts.items()}
    texts = [text for part in loaded.parts.values() for text in part.columns["x"]]
    characters = sum(map(len, texts))
    if characters < FEWEST:
        return None
    size = len(set("".join(texts[:2_000])))
    doubt = "learned is what comes next, character by character (dlspec sample then goes on with a text)"
    return Proposal(
        Facts(
            "text",
            sum(counts.values()),
            max(size, 2),
            (characters // len(texts),),
            causal=True,
            train=part_files.trained(counts),
        ),
        (Line("name", "language_model", "what comes next in the text"),),
        (
            Line("path", given, path=True),
            Line("length", 256, "characters that an example has at most; the network sees no more of what was before"),
        ),
        part_files.division(counts),
        (
            Line("tokenizer", "character", "no word is unknown; `word` or `byte_pair` see farther with as many tokens"),
            Line("normalize", "none", "the text is predicted as it stands"),
        ),
        (Line("optimize", "bits_per_character", "how surprising a character is, on average"),),
        (f"{shown(os.path.basename(path))}: {plural(characters, 'character')} of prose", *loaded.notes),
        (doubt,),
        special=2,
    )


def is_prose(path: str) -> bool:
    """Lines of words, of which few are alone with a label: some paragraphs, each broken into lines or a line with empty
    ones between; or long lines with full stops."""
    try:
        head = sources.contents(path)[:LOOKED_AT]
    except DataError:
        return False
    if b"\x00" in head:
        return False
    data, _ = text_files.mended(head, "utf-8")
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    letters = sum(one.isalpha() for one in text)
    if len(text) < FEWEST or letters < WORDS * len(text) or text.count("\t") > len(text) / 200:
        return False
    lines = text.split("\n")
    full = [one for one in lines if one.strip()]
    empty = len(lines) - len(full)
    # In a list each line is a text of its own; in prose a sentence goes on in the next line, or paragraphs are long.
    goes_on = sum(one.strip()[-1] not in '.!?"”’:;' for one in full) / max(1, len(full))
    each = len(text) / max(1, len(full))
    return each > 400 or (empty > len(lines) / 50 and goes_on > 0.3) or (empty > len(lines) / 3 and each > PARAGRAPH)
