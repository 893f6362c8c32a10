"""What holds a network back, gravest first: an illness of training, what the errors themselves show, the gaps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dlspec.strategy.intervals import wilson
from dlspec.types import Outcomes


class Named(NamedTuple):
    """A cause of error, and the sentence that says why it is taken for one."""

    cause: str
    says: str
    sure: bool = True
    """False: nothing shows it, it is merely not ruled out"""


SOUND = ("healthy", "unknown")
RARER = 10
"""a class is rare where train has so many times as many examples of another"""


def causes(
    ledger: Mapping[str, Any] | None, health: Mapping[str, Any] | None = None, observed: Sequence[Named] = ()
) -> list[Named]:
    """The causes that are sure, gravest first; empty where nothing can be said.

    ledger: as ledger.json has it.  health: as health.json has it.  observed: what an evaluator saw in its statistics.

    An illness of training comes first: what a network that does not train scores, says little else.  Of the gaps those
    that are surely above 0 count, the one that was named the largest before the others.  Train that scores surely worse
    than what was not trained on has harder examples, or wrong labels; unless it is dev that scores better than test as
    well, for then it is dev that was fitted.
    """
    found = []
    if health and health["verdict"] not in SOUND:
        found.append(Named(health["verdict"], health["says"]))
    found += observed
    gaps = list(ledger["gaps"]) if ledger else []
    fitted = any(gap["name"] == "overfitting to dev" and _above_zero(gap) for gap in gaps)
    for gap in gaps:
        odd = fitted and gap["below"] == "dev"
        if gap["above"] == "train" and gap["high"] is not None and gap["high"] < 0 and not odd:
            says = (
                f"train scores worse than {gap['below']}, which was not trained on: its labels may be wrong more often "
                "(error-analysis --labels finds which)"
            )
            found.append(Named("wrong labels", says))
    largest = ledger["largest"] if ledger else None
    sure = [gap for gap in gaps if gap["name"] == largest or _above_zero(gap)]
    sure.sort(key=lambda gap: (gap["name"] != largest, -gap["value"]))
    for gap in sure:
        for cause in gap["name"].split(" + "):
            how = "the largest gap" if gap["name"] == largest else "a gap that is surely there"
            says = f"{gap['name']} is {how}: {gap['value']:.4g}, between {gap['above']} and {gap['below']}"
            found.append(Named(cause, says))
    return list({one.cause: one for one in reversed(found)}.values())[::-1]


def without_test(ledger: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A ledger as it was before test was looked at: what is changed by what test shows makes its score a lie."""
    if ledger is None:
        return None
    gaps = [gap for gap in ledger["gaps"] if gap["below"] != "test"]
    largest = ledger["largest"] if ledger["largest"] in {gap["name"] for gap in gaps} else None
    levels = [one for one in ledger.get("levels", ()) if one["name"] != "test"]
    return {**ledger, "gaps": gaps, "largest": largest, "levels": levels}


def possible(ledger: Mapping[str, Any] | None) -> list[Named]:
    """What may hold a network back though nothing shows it: bias, where nobody has said how well people do."""
    levels = {one["name"]: one for one in ledger["levels"]} if ledger else {}
    if ledger is None or "train" not in levels or "human" in levels or levels["train"]["value"] is None:
        return []
    value = levels["train"]["value"]
    says = f"no human level is given, so that train may well score better than {ledger['metric']} {value:.4g}"
    return [Named("avoidable bias", says, sure=False)]


def _above_zero(gap: Mapping[str, Any]) -> bool:
    low = gap["low"]
    return low is not None and not math.isnan(low) and low > 0


def imbalance(train: Outcomes, dev: Outcomes) -> list[Named]:
    """Class imbalance, where dev shows it: a class that is rare in train is found surely less often than the others.

    One cause at most, of the rare class that is found least.
    """
    classes = len(train.names)
    counts = np.bincount(train.truth[train.truth >= 0], minlength=classes)
    most = int(counts.argmax())
    found: list[tuple[float, Named]] = []
    for rare in np.flatnonzero(RARER * counts <= counts[most]).tolist():
        of_it, others = dev.truth == rare, (dev.truth >= 0) & (dev.truth != rare)
        right = dev.truth == dev.guess
        hits, n, other_hits, other_n = (int(one.sum()) for one in (right & of_it, of_it, right & others, others))
        if not n or not other_n or wilson(hits, n)[1] >= wilson(other_hits, other_n)[0]:
            continue
        says = (
            f"'{train.names[rare]}' is rare in train ({int(counts[rare]):,} examples; '{train.names[most]}' has "
            f"{int(counts[most]):,}), and {hits / n:.0%} of it are found on dev, of all else {other_hits / other_n:.0%}"
        )
        found.append((hits / n, Named("class imbalance", says)))
    return [min(found, key=lambda one: one[0])[1]] if found else []
