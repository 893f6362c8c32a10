"""For `init`: whether what lies at a path are texts and their translations, and which files belong together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from dlspec.data import part_files, sources, text_files
from dlspec.data.aligned_lines import is_lines
from dlspec.numeric.printable import shown
from dlspec.proposals import Facts, Line, Lines, Proposal
from dlspec.types import DataError
from dlspec.wording import plural

SAMPLE = 1 << 16
"""bytes of a file that are looked at"""
WORDS = 1.5
"""words that a line has on average at least, on one side: single words are names, or labels"""
DIFFERENT = 0.5
"""share of lines that must differ from each other, on both sides"""
LONG = 20
"""letters of a file's ending at most, where that names a language"""
KNOWN = (".txt", ".tsv", ".md", ".json", ".jsonl", ".csv", ".html", ".xml", ".yaml", ".yml", ".py", ".log")
"""endings that name no language"""


def proposed(path: str, target: str | None) -> Proposal | None:
    """How to read it; None where it holds no pairs.  target: the ending of the targets' file, where the user gave it.

    Raises DataError where two files belong together and have not as many lines.
    """
    if os.path.isdir(path):
        return _of_folder(path, target)
    if path.removesuffix(".gz").lower().endswith((".tsv", ".txt")):
        return _of_tabs(path) if target is None else None
    others = _partners(path)
    wanted = [one for one in others if target in (None, _language(one))]
    if len(wanted) != 1:
        return None
    return _of_files(path, wanted[0], sure=target is not None or len(others) == 1)


def _of_folder(folder: str, target: str | None) -> Proposal | None:
    names = [os.path.join(folder, one) for one in sorted(os.listdir(folder))]
    files = [one for one in names if os.path.isfile(one) and _language(one)]
    trains = [one for one in files if "train" in Path(one).name.lower()] or files
    pairs = [(one, other) for one in trains for other in _partners(one)]
    if target is not None:
        pairs = [pair for pair in pairs if _language(pair[1]) == target]
    elif len(pairs) == 2:
        pairs = pairs[:1]  # one way, and the other
    if len(pairs) != 1 or not _sentences(*pairs[0]):
        return None
    return _of_files(*pairs[0], sure=target is not None)


def _of_files(source: str, target: str, sure: bool) -> Proposal | None:
    from dlspec.data.text_pairs import TextPairs

    if not _sentences(source, target):
        return None
    ours, theirs = part_files.family(source), part_files.family(target)
    if ours.keys() != theirs.keys():
        ours, theirs = {"all": source}, {"all": target}
    named = f"{_language(source)} to {_language(target)}"
    doubts = [] if sure else [f"which language is translated into which: {named}"]
    left = sorted({one for one in _alike(source) if _partners(one)} - {*ours.values(), *theirs.values()})
    if left:
        doubts.append(f"not used: {', '.join(shown(os.path.basename(one)) for one in left[:8])}")
    data = (
        Line("path", _given(ours), "the sources, a line each", path=True),
        Line("target", _given(theirs), "their translations: line n belongs to line n", path=True),
    )
    reader = TextPairs.model_validate({"path": _given(ours), "target": _given(theirs)})
    return _made(reader, data, doubts, named, _language(target))


def _of_tabs(path: str) -> Proposal | None:
    from dlspec.data.text_pairs import TextPairs

    rows = [one.split("\t") for one in _head(path)]
    if not rows or min(map(len, rows)) < 2 or not _speak([one[0] for one in rows], [one[1] for one in rows]):
        return None
    files = part_files.family(path)
    data = (Line("path", _given(files), "source and target in a line, with a tab between", path=True),)
    doubts = ["which language is translated into which: the first column into the second"]
    return _made(TextPairs.model_validate({"path": _given(files)}), data, doubts, "of two columns")


def _made(reader: object, data: Lines, doubts: Sequence[str], what: str, target: str | None = None) -> Proposal:
    """target: the language that is translated into, which can be chosen."""
    from dlspec.data.base import Reader

    assert isinstance(reader, Reader)
    loaded = reader.load()
    counts = {part: len(examples) for part, examples in loaded.parts.items()}
    first = loaded.parts.get("train", loaded.parts.get("all"))
    if first is None:
        raise DataError("there are pairs to judge by, and none to learn from; give train, too")
    words = sorted(len(str(one).split()) for one in first.column("x"))
    seen = f"pairs {what}: {', '.join(f'{name} {count:,}' for name, count in counts.items())}"
    learned = part_files.trained(counts)
    facts = Facts("text", sum(counts.values()), 1, (words[len(words) // 2],), alike=False, train=learned)
    return Proposal(
        facts,
        (Line("name", "translation", "a text for each text"),),
        data,
        part_files.division(counts),
        (Line("tokenizer", "byte_pair", "pieces of words, of both languages, so that no word is unknown"),),
        (Line("optimize", "bleu", "how many words in a row are right"),),
        (seen, f"sources: {plural(words[len(words) // 2], 'word')} in the middle, {words[-1]:,} at most"),
        tuple(doubts),
        target,
        special=3,
    )


def _given(files: Mapping[str, str]) -> str | dict[str, str]:
    return files["all"] if "all" in files else dict(files)


def _language(file: str) -> str:
    """What a file's ending says beside .gz; nothing where that is no language."""
    ending = Path(file.removesuffix(".gz")).suffix
    named = 1 < len(ending) <= LONG and ending.lower() not in KNOWN and ending[1:].replace("_", "").isalpha()
    return ending[1:] if named else ""


def _alike(file: str) -> list[str]:
    """The other files of lines in its folder whose endings name a language."""
    folder = os.path.dirname(file)
    names = [os.path.join(folder, one) for one in sorted(os.listdir(folder or "."))]
    return [one for one in names if one != file and os.path.isfile(one) and _language(one) and is_lines(one)]


def _partners(file: str) -> list[str]:
    """Those that are called as this one but for the language."""
    if not _language(file):
        return []
    stem = Path(file.removesuffix(".gz")).with_suffix("")
    return [one for one in _alike(file) if Path(one.removesuffix(".gz")).with_suffix("") == stem]


def _sentences(source: str, target: str) -> bool:
    ours, theirs = _head(source), _head(target)
    return bool(ours and theirs) and _speak(ours, theirs)


def _speak(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether these are texts on both sides, and not texts with labels."""
    sides = [[one for one in some if one.strip()] for some in (ours, theirs)]
    if not all(sides):
        return False
    words = [sum(len(one.split()) for one in some) / len(some) for some in sides]
    letters = [sum(sum(map(str.isalpha, one)) for one in some) / sum(map(len, some)) for some in sides]
    different = [len(set(some)) / len(some) for some in sides]
    return max(words) >= WORDS and min(letters) > 0.5 and min(different) > DIFFERENT


def _head(file: str) -> list[str]:
    """The first lines of a file; none where that is no text."""
    try:
        data, _ = text_files.mended(sources.contents(file), "utf-8")
        text = data[:SAMPLE].decode("utf-8", "ignore")
    except DataError:
        return []
    lines = text.split("\n")
    return [] if "\x00" in text else [one for one in (lines[:-1] or lines)[:500] if one.strip()]
