"""Who is to blame for wrong sentences, the search or the model; and how errors go with length and rare words."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlspec.numeric.rounding import legible
from dlspec.report.watch import Watch
from dlspec.runs.judged import Judged
from dlspec.runs.store import Store, spread
from dlspec.strategy.ceilings import Errors
from dlspec.strategy.search_blame import ALIKE, Blame, blame, groups
from dlspec.tasks.base import Task

MOST = 2_000
"""sentences that are scored at most"""
FEWEST = 10
"""of a group of fewer sentences nothing is said"""


def blamed(judged: Judged, split: str, found: Errors, watch: Watch) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """Of a run that says one thing after another: `compared` sentences with an error, `search` and `model` (count,
    share, low, high), `alike`, `verdict`, `says`, what to `do`; and `by`, scores by facts of the source.

    None where there is no network, it says nothing so, or nothing is wrong.  And by id, who is to blame for each.
    """
    opened = judged.opened
    if opened is None or type(opened.recipe.task).forcing is Task.forcing or not found.wrong.any():
        return None, {}
    rows = np.flatnonzero(found.wrong)
    rows = rows[spread(len(rows), MOST)]
    watch.note(f"making the network say {len(rows):,} truths, to compare their scores with those of its guesses")
    truths, guesses = _scores(judged, split, rows)
    counted = blame(truths, guesses)
    by = _by_facts(judged, split, found, rows, truths - guesses)
    ids = judged.parts[split].examples.take(rows.tolist()).ids
    whose = {
        name: "the search" if apart > 0 else "the model"
        for name, apart in zip(ids, (truths - guesses).tolist(), strict=True)
        if abs(apart) > ALIKE
    }
    model = {"low": 1 - counted.high, "high": 1 - counted.low, "count": counted.model, "share": 1 - counted.share}
    told = {
        "compared": counted.compared,
        "alike": counted.alike,
        "search": {"count": counted.search, "share": counted.share, "low": counted.low, "high": counted.high},
        "model": model,
        "verdict": counted.verdict,
        "says": legible(_says(counted)),
        "do": _to_do(counted, getattr(opened.recipe.task, "beam", 1)),
        "by": by,
    }
    return told, whose


def _scores(judged: Judged, split: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of the truths, and those of the guesses, as they were found by."""
    opened, part = judged.opened, judged.parts[split]
    assert opened is not None
    recipe, state = opened.recipe, opened.state
    force = recipe.task.forcing(recipe.model, opened.network, state)
    examples = part.examples.take(rows.tolist())
    right = judged.evaluator.truth(examples, judged.state)
    said = [part.predictions[row] for row in rows.tolist()]
    truths, guesses = np.zeros(len(rows)), np.array([getattr(one, "score", None) for one in said], np.float64)
    for places, arrays in Store(recipe, state, examples).pieces():
        truths[places] = [one.score for one in force(arrays, [right[place] for place in places.tolist()])]
        if np.isnan(guesses[places]).any():
            guesses[places] = [one.score for one in force(arrays, [str(said[place]) for place in places.tolist()])]
    return truths, guesses


def _by_facts(judged: Judged, split: str, found: Errors, rows: np.ndarray, apart: np.ndarray) -> list[dict[str, Any]]:
    """By each fact of the source, in groups: from, to, how many, their score, the share that is the search's with its
    interval (None: too few), and the most frequent kind of error with its share of the group."""
    part, opened = judged.parts[split], judged.opened
    assert opened is not None
    facts = opened.recipe.input.facts(part.examples, opened.state["input"])
    margin = np.full(len(part.examples), np.nan)
    margin[rows] = apart
    told = []
    for name, values in facts.items():
        some = groups(values) if values.dtype.kind == "f" else []
        for chosen in some if len(some) > 1 else ():
            few = {key: one[chosen] for key, one in part.statistics.items()}
            own = margin[chosen][~np.isnan(margin[chosen])]
            of = blame(own, np.zeros(len(own)))
            enough = of.search + of.model >= FEWEST
            kinds = [(int(np.isin(touched, chosen).sum()), kind) for kind, touched in found.touched()]
            most, kind = max(kinds, key=lambda one: one[0])
            told.append(
                {
                    "fact": name,
                    "from": float(values[chosen].min()),
                    "to": float(values[chosen].max()),
                    "examples": len(chosen),
                    "value": judged.evaluator.combine(few, only={judged.metric.name})[judged.metric.name],
                    "search": of.share if enough else None,
                    "low": of.low if enough else None,
                    "high": of.high if enough else None,
                    "kind": kind if most else None,
                    "kind_share": most / len(chosen),
                }
            )
    return told


def _says(of: Blame) -> str:
    shares = f"{of.share:.0%} ({of.low:.0%} to {of.high:.0%}) of {of.search + of.model:,}"
    if not of.search + of.model:
        return "the network gives truths and guesses the same scores: neither search nor model can be blamed"
    if of.verdict == "search":
        return f"the search is to blame for {shares} wrong sentences: the network scores the truth higher but misses it"
    if of.verdict == "model":
        return (
            f"the model is to blame, not the search: in only {shares} wrong sentences does the network score the "
            "truth higher than what it said"
        )
    return f"the search is to blame for {shares} wrong sentences: too near to half to say that it, or the model, is"


def _to_do(of: Blame, beam: int) -> list[str]:
    """What helps, the first thing first."""
    search = f"a wider beam, which takes no training: dlspec translate RUN --beam {2 * beam}, task.beam: {2 * beam}"
    model = (
        "more data like the sentences below, or a larger network (model.layers, model.width), trained longer; a wider "
        "beam would find what the model likes still better, and that is wrong"
    )
    length = "where guesses are too short or too long, task.length_penalty and task.coverage change what is best"
    if of.verdict == "search":
        return [search, length]
    return [model, length] if of.verdict == "model" else [search, model, length]
