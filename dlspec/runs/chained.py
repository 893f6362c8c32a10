"""The verbs on a chain: its scores and errors as those of a run, and which stage holds it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs import report
from dlspec.runs.analyze import analyzed
from dlspec.runs.chain import Component, judged_chain, told
from dlspec.runs.evaluate import judged_result, score
from dlspec.runs.judged import Judged


def evaluate_chain(
    path: str | Path,
    *,
    splits: Sequence[str] = (),
    out: Path | None = None,
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Score a chain (see recipe.chain) on its data; written to the folder `out`, if one is given.

    splits: which; none means dev.  Returns what `evaluate --json` prints, and `chain`: by split the stages' components
    and the verdict.  Raises RecipeError, ArgumentError, DataError.
    """
    judged, components = judged_chain(path, wanted=splits, home=out, root=root, watch=watch or Watch())
    looks = 0 if out is None else folders.looks_at_test(out, looking="test" in judged.parts)
    scores = {split: score(judged, split) for split in judged.parts}
    chain = {split: _said(judged, own) for split, own in components.items()}
    if out is not None:
        folders.write_json(out / "scores.json", {"scores": scores})
        folders.write_json(out / "chain.json", chain)
        report.write_report(out)
    return {**judged_result(judged, scores, looks, None), "metric": judged.metric.name, "chain": chain}


def analyze_chain(
    path: str | Path,
    *,
    split: str = "dev",
    worst: int = 20,
    tags: str | None = None,
    eyeball: int | None = None,
    out: Path | None = None,
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Analyze the errors of a chain on one split; written to `out`, if given.

    Returns what `error-analysis --json` prints, and `chain`: the stages' components and the verdict.
    Raises RecipeError, ArgumentError, DataError.
    """
    watch = watch or Watch()
    judged, components = judged_chain(path, wanted=[split], home=out, root=root, watch=watch)
    looks = 0 if out is None else folders.looks_at_test(out, looking=split == "test")
    chain = _said(judged, components[split])
    if out is not None:
        folders.write_json(out / "chain.json", {split: chain})
    result = analyzed(judged, split, worst=worst, looks=looks, watch=watch, tags=tags, eyeball=eyeball)
    return {**result, "chain": chain}


def _said(judged: Judged, components: Sequence[Component]) -> dict[str, Any]:
    plain = [
        {**asdict(one), "gain": one.gain._asdict(), "gain_together": one.gain_together._asdict()} for one in components
    ]
    verdict = told(components, judged.metric)
    found: dict[str, Any] = folders.finite({"metric": judged.metric.name, "components": plain, "verdict": verdict})
    return found
