"""What stands where it should not: examples of dev in train, groups on both sides, the truth in the input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlspec.data.fingerprint import Duplicate, digests, duplicates
from dlspec.numeric.near_duplicates import beyond_chance, beyond_division, expected_by_chance, near_pairs, twins
from dlspec.recipe.schema import Recipe
from dlspec.runs.ahead import ahead
from dlspec.runs.material import fixed_sample
from dlspec.types import Arrays, DataError, Examples, Finding, Splits, State

GRAVE = 0.05
"""a share of a split that stands in train, too, above which its score says nothing"""
BLOCK = 256
MOST = 50_000
"""examples of a split that are encoded to be looked at; of more, so many evenly spread"""
FEW, MOST_SHOWN = 3, 60
"""pairs that are shown, and characters of a text"""
TRIED = 64
"""examples that are encoded with other truths"""


@dataclass
class Seen:
    """Examples of a split that can be encoded, and how alike they are (None: that cannot be told)."""

    examples: Examples
    likeness: np.ndarray | None


def look(recipe: Recipe, state: State, splits: Splits) -> tuple[dict[str, Seen], list[Finding]]:
    """Encode every example once; those that cannot be are found, and left out."""
    alike = recipe.input.likeness(splits["train"], state["input"])
    found: list[Finding] = []
    seen = {}
    for name, part in splits.parts.items():
        examples, good, rows = fixed_sample(part, MOST), list[int](), list[np.ndarray]()
        if len(examples) < len(part):
            found.append(_looked_at_some(name, len(examples), len(part)))
        blocks = [range(start, min(start + BLOCK, len(examples))) for start in range(0, len(examples), BLOCK)]

        def encoded(places: range, of: Examples = examples) -> _Encoded:
            return _encoded(recipe, state, of, places, alike)

        for block in ahead(encoded, blocks):
            for places, likeness in block[0]:
                good += places
                rows += [] if likeness is None else [likeness]
            found += [_broken(name, error) for error in block[1]]
        whole = np.concatenate(rows) if rows else None
        seen[name] = Seen(examples if len(good) == len(examples) else examples.take(good), whole)
    return seen, found


_Likeness = Callable[[Examples, Arrays], np.ndarray] | None
_Encoded = tuple[list[tuple[range, np.ndarray | None]], list[DataError]]


def _encoded(recipe: Recipe, state: State, examples: Examples, places: range, alike: _Likeness) -> _Encoded:
    """Places with their likeness, and what cannot be encoded: a block with a fault is halved until the fault is alone.

    The arrays themselves are let go: there may be more of them than memory holds.
    """
    some = examples.take(places)
    try:
        encoded = recipe.input.encode(some, state["input"])
        return [(places, alike(some, encoded) if alike else None)], []
    except DataError as error:
        if len(places) == 1:
            return [], [error]
        middle = len(places) // 2
        first = _encoded(recipe, state, examples, places[:middle], alike)
        second = _encoded(recipe, state, examples, places[middle:], alike)
        return first[0] + second[0], first[1] + second[1]


def leaks(recipe: Recipe, state: State, splits: Splits, seen: Mapping[str, Seen]) -> list[Finding]:
    """Exact and near duplicates across splits, groups across splits, truths that go into the network."""
    exact = duplicates(splits)
    names = list(splits.parts)
    found = []
    for at, later in enumerate(names):
        for earlier in names[:at]:
            found += _copies(recipe, splits, seen, exact, earlier, later)
            found += _near(recipe, state, splits, seen, exact, earlier, later)
            found += _groups(splits, earlier, later)
    return found + _truth_in_input(recipe, state, seen["train"].examples)


def _copies(
    recipe: Recipe, splits: Splits, seen: Mapping[str, Seen], exact: Sequence[Duplicate], earlier: str, later: str
) -> list[Finding]:
    both = [one for one in exact if earlier in one.ids and later in one.ids]
    if not both:
        return []
    count = sum(len(one.ids[later]) for one in both)
    pairs = [(one.ids[later][0], one.ids[earlier][0]) for one in both[:FEW]]
    shown = _few([f"{one} = {other}{_told(recipe, splits[later], one)}" for one, other in pairs], len(both))
    differ = sum(len(one.ids[later]) for one in both if one.labels_differ)
    other = f", {differ:,} of them where labels differ" if differ else ""
    seen_twice = f"{count:,} of its {len(splits[later]):,} examples also {_stand(count)} in {earlier} ({shown}){other}"
    rows, others = seen[later].likeness, seen[earlier].likeness
    if rows is not None and others is not None and not beyond_chance(count, expected_by_chance(rows, others)):
        if _exact_beyond(splits, earlier, later):
            return [_beyond("duplicates", later, earlier, seen_twice)]
        message = (
            f"{seen_twice}. In columns as coarse as these, so many twins may well be chance, and no copies; if they "
            "are copies, take them out of one side"
        )
        return [Finding("note", "twins", later, message)]
    return [
        Finding(
            _severity(count / len(splits[later]), earlier),
            "duplicates",
            later,
            f"{seen_twice}: {_why(later, earlier)}. Keep one of each, or give copies a common group and keep groups "
            "together with data.split.group",
        )
    ]


def _near(
    recipe: Recipe,
    state: State,
    splits: Splits,
    seen: Mapping[str, Seen],
    exact: Sequence[Duplicate],
    earlier: str,
    later: str,
) -> list[Finding]:
    rows, others = seen[later].likeness, seen[earlier].likeness
    if rows is None or others is None:
        return []
    known = {name for one in exact if earlier in one.ids for name in one.ids.get(later, ())}
    ids = seen[later].examples.ids
    pairs = [pair for pair in near_pairs(rows, others) if ids[pair.row] not in known]
    if not pairs:
        return []
    copied = beyond_chance(len(pairs), expected_by_chance(rows, others))
    if not copied and (_exact_beyond(splits, earlier, later) or not beyond_division(twins(rows), twins(others))):
        return []
    their_ids = seen[earlier].examples.ids
    few = [(ids[pair.row], their_ids[pair.other]) for pair in pairs[:FEW]]
    told = [
        f"{one}{_told(recipe, seen[later].examples, one)} ≈ {other}{_told(recipe, seen[earlier].examples, other)}"
        for one, other in few
    ]
    shown = _few(told, len(pairs))
    classes, theirs = (recipe.evaluator.classes(seen[name].examples, state["task"]) for name in (later, earlier))
    differ = sum(classes[pair.row] != theirs[pair.other] for pair in pairs) if classes else 0
    other = f", {differ:,} of them with another label" if differ else ""
    seen_twice = f"{len(pairs):,} of its {len(ids):,} examples are nearly the same as one of {earlier} ({shown}){other}"
    if not copied:
        return [_beyond("near_duplicates", later, earlier, seen_twice)]
    return [
        Finding(
            _severity(len(pairs) / len(ids), earlier),
            "near_duplicates",
            later,
            f"{seen_twice}: {_why(later, earlier)}. Keep one of each, or give what belongs together a "
            "common group and keep groups together with data.split.group",
        )
    ]


def _exact_beyond(splits: Splits, earlier: str, later: str) -> bool:
    return beyond_division(*(np.array(digests(splits[name])) for name in (later, earlier)))


def _beyond(kind: str, later: str, earlier: str, seen_twice: str) -> Finding:
    message = (
        f"{seen_twice}. In columns as coarse as these some twins are chance, but here more stand across {later} and "
        f"{earlier} than if both had been divided at random: some have been copied, it seems, and "
        f"{_why(later, earlier)}. Look where the two files come from, and take copies out of one side"
    )
    return Finding("warning", kind, later, message)


def _groups(splits: Splits, earlier: str, later: str) -> list[Finding]:
    if splits[later].columns["groups"] is None or splits[earlier].columns["groups"] is None:
        return []
    own = splits[later].column("groups")
    both = (set(own) & set(splits[earlier].column("groups"))) - {""}
    if not both:
        return []
    count = sum(group in both for group in own)
    shown = _few(sorted(both), len(both))
    return [
        Finding(
            _severity(count / len(own), earlier),
            "groups",
            later,
            f"{len(both):,} group{'s' * (len(both) > 1)} ({shown}), {count:,} of its {len(own):,} examples, also "
            f"{_stand(len(both))} in {earlier}: {_why(later, earlier)}. Move whole groups to one side; or give all the "
            "data as one, and data.split.group",
        )
    ]


def _truth_in_input(recipe: Recipe, state: State, train: Examples) -> list[Finding]:
    """What is encoded must be the same whatever the truth is said to be."""
    some = fixed_sample(train, TRIED)
    if not some.labelled or not len(some):
        return []
    true, other = (recipe.input.encode(one, state["input"]) for one in (some, rolled(some, 1)))
    changed = [name for name in true if not all(map(np.array_equal, true[name], other[name]))]
    if not changed:
        return []
    message = (
        f"the input '{recipe.input.name}' makes other arrays ({', '.join(changed)}) of the same examples when their "
        "targets are exchanged: it looks at the target, which new examples do not have. Let its encode use x alone"
    )
    return [Finding("error", "truth_in_input", "input", message)]


def rolled(examples: Examples, by: int) -> Examples:
    """The same examples with the target of the row `by` places further down, in the order of the file."""
    y: Any = examples.columns["y"]
    places = [(row + by) % len(y) for row in range(len(y))]
    return examples.replace(y=y[places] if isinstance(y, np.ndarray) else [y[place] for place in places])


def _severity(share: float, earlier: str) -> Any:
    return "error" if share >= GRAVE and earlier == "train" else "warning"


def _why(later: str, earlier: str) -> str:
    if earlier == "train":
        return f"a network that learns them by heart scores well on them, so that the score on {later} is too good"
    return f"what is decided on {earlier} is then not judged anew on {later}"


def _stand(count: int) -> str:
    return "stands" if count == 1 else "stand"


def _few(shown: Sequence[str], count: int) -> str:
    return "; ".join(shown[:FEW]) + ("; …" if count > FEW else "")


def _told(recipe: Recipe, examples: Examples, name: str) -> str:
    """What an example that is a text says, in few words; nothing of one that is none."""
    rendering = recipe.input.show(examples[examples.ids.index(name)])
    if rendering.kind != "text":
        return ""
    text = " ".join(str(rendering.content).split())
    return f" '{text[:MOST_SHOWN]}{'…' * (len(text) > MOST_SHOWN)}'"


def _looked_at_some(name: str, some: int, count: int) -> Finding:
    return Finding("note", "sampled", name, f"{some:,} of its {count:,} examples were looked at, evenly spread")


def _broken(name: str, error: DataError) -> Finding:
    [complaint, *_] = error.complaints
    return Finding(
        "error",
        "unreadable",
        str(complaint.where) or name,
        f"{complaint.message}; an example of {name}. Training would stop here: mend it, or take it out",
    )
