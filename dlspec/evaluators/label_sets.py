"""Which labels are true of an example, whatever the reader gave: a text with several, 0 and 1 a column, or a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.evaluators.truths import class_name, some
from dlspec.numeric.class_names import plain
from dlspec.types import DataError, Examples, State
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

SEPARATORS = (";", "|", ",")
"""what may stand between labels, in the order in which they are looked for"""
UNKNOWN = "?"
"""before a label of which nothing is known"""
NONE = "none"
"""the text of no labels at all"""
WORDS = {"true": 1.0, "yes": 1.0, "1": 1.0, "false": 0.0, "no": 0.0, "0": 0.0}


def separator_of(values: Sequence[Any]) -> str:
    """The separator that stands in most texts; `;` where none does."""
    counts = Counter(mark for one in values if isinstance(one, str) for mark in SEPARATORS if mark in one)
    return max(SEPARATORS, key=lambda mark: (counts[mark], -SEPARATORS.index(mark)))


def held(value: Any, separator: str) -> tuple[str, ...]:
    """The labels in a text or a list, in their order; none twice."""
    pieces = value if isinstance(value, tuple | list) else str(class_name(value)).split(separator)
    return tuple(dict.fromkeys(text for one in pieces if (text := str(class_name(one) or "").strip())))


def truths(examples: Examples, state: State) -> np.ndarray:
    """float64 (N, L), in the order of `state["classes"]`: 1, 0, or NaN where nothing is known.

    state: `classes`, `separator`, and `empty`: whether an example without a value has none of the labels ("none"), or
    nothing is known of it ("missing").  Labels that are none of the classes are passed over.
    Raises DataError that names examples with something else than 0 and 1 in a label's column.
    """
    import numpy as np

    classes = state["classes"]
    place = {name: i for i, name in enumerate(classes)}
    found = np.zeros((len(examples), len(classes)))
    wrong: dict[str, list[tuple[int, Any]]] = {}
    for row, value in enumerate(examples.column("y")):
        if isinstance(value, Mapping):
            for name, at in place.items():
                found[row, at] = known = _known(value.get(name))
                if known not in (0, 1) and known == known:
                    wrong.setdefault(name, []).append((row, value[name]))
        elif plain(value) is None or value != value:
            found[row] = 0.0 if state["empty"] == "none" else np.nan
        else:
            for name in held(value, state["separator"]):
                unsure = name not in place and name.startswith(UNKNOWN) and name[len(UNKNOWN) :] in place
                if name in place or unsure:
                    found[row, place[name[len(UNKNOWN) * unsure :]]] = np.nan if unsure else 1.0
    if wrong:
        raise DataError(_not_0_or_1(wrong, examples))
    return found


def strange(examples: Examples, state: State) -> list[tuple[str, ...]]:
    """Of each example, the labels in its text that are none of the classes."""
    known = set(state["classes"]) | {NONE} | {UNKNOWN + name for name in state["classes"]}
    return [
        ()
        if isinstance(value, Mapping) or plain(value) is None or value != value
        else tuple(name for name in held(value, state["separator"]) if name not in known)
        for value in examples.column("y")
    ]


def spelt(truth_NL: np.ndarray, state: State) -> list[str | None]:
    """Each row as a text, `cat;dog`, `none`, or `cat;?dog` where nothing is known of the dog; None: of none at all."""
    import numpy as np

    names, mark = state["classes"], state["separator"]
    texts: list[str | None] = []
    for row in truth_NL:
        if np.isnan(row).all():
            texts.append(None)
            continue
        words = [name if one == 1 else UNKNOWN + name for name, one in zip(names, row, strict=True) if one != 0]
        texts.append(mark.join(words) or NONE)
    return texts


def _known(value: Any) -> float:
    """1, 0, or NaN where missing; another number stays what it is, and text is 2."""
    value = plain(value)
    if value is None:
        return float("nan")
    if isinstance(value, str):
        return WORDS.get(value.strip().lower(), 2.0)
    return float(value)


def _not_0_or_1(wrong: Mapping[str, Sequence[tuple[int, Any]]], examples: Examples) -> str:
    name, rows = next(iter(wrong.items()))
    count = sum(map(len, wrong.values()))
    shown = [f"{examples[row].id} ('{value}')" for row, value in rows[:3]]
    shares = any(isinstance(value, float) and 0 < value < 1 for _, value in rows)
    mend = (
        "probabilities are no truths: cut them at a threshold before"
        if shares
        else "leave the cell empty where nothing is known"
    )
    others = f" and {len(wrong) - 1} other label{'s' * (len(wrong) > 2)}" if len(wrong) > 1 else ""
    where = f"{plural(count, 'value')}: {some(shown, len(rows))}"
    return f"label '{name}'{others} should be 0 or 1, but is not in {where}; {mend}"
