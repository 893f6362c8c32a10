"""The arithmetic of dividing: which of n examples go where, as a pure function of the seed and of names.

Order comes from a hash of seed and name, not from a random generator: it is the same on every machine and whatever
the order of the file, and an example that is added later moves few of the others.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence

Assignment = list[int]
"""for every example, the number of the part that it goes to"""


def shuffled(names: Sequence[str], seed: int) -> list[int]:
    """The places of `names` in the order of the hash of seed and name."""
    head = f"{seed}:".encode()
    keys = [hashlib.blake2b(head + name.encode(), digest_size=8).digest() for name in names]
    if len(set(keys)) == len(keys):  # as good as always, and twice as fast
        return sorted(range(len(names)), key=keys.__getitem__)
    return sorted(range(len(names)), key=lambda i: (keys[i], names[i]))


def by_class(order: Sequence[int], labels: Sequence[Hashable]) -> dict[Hashable, list[int]]:
    """The places of each class, classes sorted by name, each in the given order."""
    places: dict[Hashable, list[int]] = defaultdict(list)
    for i in order:
        places[labels[i]].append(i)
    return {label: places[label] for label in sorted(places, key=str)}


def allotted(sizes: Sequence[int], totals: Sequence[int]) -> list[list[int]]:
    """How many examples each class gives to each part: `[part][class]`, every part's sum exact.

    Largest remainders: each count is the class's proportional share rounded down or up.  Remainders add up over the
    parts, so that a class that gave too little to one gives more to the next; a class keeps an example for every part
    that is still to come (and one for what stays behind) where it can.
    """
    everything, classes = sum(sizes), range(len(sizes))
    before, given = 0, [0] * len(sizes)
    table = []
    for part, total in enumerate(totals):
        before += total
        mine = [size * total // everything for size in sizes]
        missing = [sizes[c] * before - everything * (given[c] + mine[c]) for c in classes]
        roundable = [c for c in classes if sizes[c] * total % everything]
        roundable.sort(key=lambda c: (-missing[c], c))
        short = total - sum(mine)
        kept = len(totals) - part
        for spare in (kept, 0):
            for c in roundable:
                if short and mine[c] == sizes[c] * total // everything and sizes[c] - given[c] - mine[c] > spare:
                    mine[c] += 1
                    short -= 1
        for c in classes:  # only where almost nothing stays behind: whoever has any left
            extra = min(short, sizes[c] - given[c] - mine[c])
            mine[c] += extra
            short -= extra
        given = [g + m for g, m in zip(given, mine, strict=True)]
        table.append(mine)
    return table


def cut(order: Sequence[int], labels: Sequence[Hashable], counts: Sequence[int]) -> Assignment:
    """Of every class in proportion, the first of the order to part 0, the next to part 1, …; the rest to a last part.

    counts: how many examples each part but the last takes.
    """
    places = list(by_class(order, labels).values())
    parts = [len(counts)] * len(order)
    used = [0] * len(places)
    for part, row in enumerate(allotted([len(one) for one in places], counts)):
        for c, many in enumerate(row):
            for i in places[c][used[c] : used[c] + many]:
                parts[i] = part
            used[c] += many
    return parts


def dealt(order: Sequence[int], labels: Sequence[Hashable], folds: int) -> Assignment:
    """Dealt out like cards, class after class: folds differ by one example at most, in every class too."""
    parts = [0] * len(order)
    for turn, i in enumerate(i for places in by_class(order, labels).values() for i in places):
        parts[i] = turn % folds
    return parts


def grouped(groups: Sequence[str], labels: Sequence[Hashable], wanted: Sequence[float], seed: int) -> Assignment:
    """Whole groups to parts of the wanted sizes, as near as whole groups allow, and every class in proportion.

    Groups are placed from large to small (in steps of two, shuffled within a step), each where its classes are
    missed most: where it lowers the sum over parts and classes of (count − wished)² / wished most.
    A part stays empty only where there are fewer groups than parts.
    """
    mine: dict[str, list[tuple[Hashable, int]]] = defaultdict(list)
    # Sorted, so that sums of floats do not depend on the order of the file.
    for (group, label), many in sorted(Counter(zip(groups, labels, strict=True)).items(), key=lambda one: str(one[0])):
        mine[group].append((label, many))
    names = list(mine)
    names = [names[i] for i in shuffled(names, seed)]
    sizes = Counter(groups)
    names.sort(key=lambda name: -sizes[name].bit_length())

    everything, classes = len(groups), Counter(labels)
    wished = [{label: many * part / everything for label, many in classes.items()} for part in wanted]
    held: list[dict[Hashable, int]] = [dict.fromkeys(classes, 0) for _ in wanted]
    place: dict[str, int] = {}

    def worth(part: int, group: Sequence[tuple[Hashable, int]]) -> float:
        have, wish, change = held[part], wished[part], 0.0
        for label, many in group:
            change += many * (2 * (have[label] - wish[label]) + many) / wish[label]
        return change

    open_parts = [part for part, many in enumerate(wanted) if many]
    for name in names:
        members = mine[name]
        best = min((worth(part, members), part) for part in open_parts)[1]
        place[name] = best
        for label, many in members:
            held[best][label] += many
    for part in open_parts:
        if not any(held[part].values()):
            _give_smallest(part, place, sizes)
    return [place[group] for group in groups]


def _give_smallest(part: int, place: dict[str, int], sizes: Mapping[str, int]) -> None:
    """Move the smallest group of a part that has several into an empty part."""
    many = Counter(place.values())
    spare = [name for name in place if many[place[name]] > 1]
    if spare:
        place[min(spare, key=lambda name: (sizes[name], name))] = part


def nested(order: Sequence[int], labels: Sequence[Hashable]) -> list[int]:
    """The places in an order whose every beginning holds the classes in proportion, and one of each as early as can be.

    The k-th example (from 0) of a class of m comes at k / m; of equals, the first in the given order.
    """
    share: dict[int, float] = {}
    for places in by_class(order, labels).values():
        share.update({place: rank / len(places) for rank, place in enumerate(places)})
    return sorted(order, key=share.__getitem__)
