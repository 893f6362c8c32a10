"""Coarse to fine: a search, and after it others beside it, each over where the best trials of the one before lie.

Each is a study of its own, with a recipe of its own.  Which study follows another is noted in its study.json, so that
--resume goes on with it; on a server it follows from the name, so that machines join it as they joined the first.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlspec.recipe.load import Loaded, load
from dlspec.report.watch import SearchWatch
from dlspec.runs import folder as folders
from dlspec.tuning import search
from dlspec.tuning import storage as storages
from dlspec.tuning.outcome import ranked, tried
from dlspec.tuning.study import Study, Where, check_same
from dlspec.tuning.zoom import SHARE, Zoomed, zoomed
from dlspec.types import ArgumentError


def tune(
    loaded: Loaded | None,
    *,
    zoom: str | Path | None = None,
    best: float | None = None,
    trials: int | None = None,
    workers: int = 1,
    out: str | Path = folders.RUNS,
    storage: str | None = None,
    name: str | None = None,
    resume: str | Path | None = None,
    yes: bool = False,
    watch: SearchWatch | None = None,
) -> dict[str, Any]:
    """Search the space of a recipe, as `search.tune` does, and then the finer ones of its stages.

    zoom: the folder of a study, or the name of a recipe (its newest study); a new study beside it searches where its
    `best` trials lie: how many, or which share of them.

    Returns what `tune --json` prints, of the last stage; `zoom` says how its space came about, `earlier` what the
    stages before it came to.  Raises RecipeError, DataError, ArgumentError.
    """
    watch = watch or SearchWatch()
    finer: Zoomed | None = None
    earlier: list[dict[str, Any]] = []
    if zoom is None:
        result = search.tune(
            loaded, trials=trials, workers=workers, out=out, storage=storage, name=name, resume=resume, yes=yes,
            watch=watch,
        )  # fmt: skip
    else:
        source = search.kept(None, Path(out), storage, _folder(zoom, Path(out)))
        where, finer = finer_than(source, watch, trials=trials, best=best, name=name)
        earlier.append(_best_of(source))
        result = search.tune(None, resume=where.home, storage=storage, workers=workers, watch=watch)
    while True:
        source = search.kept(None, Path(out), storage, result["study"])
        following = _next(source, watch)
        if following is None:
            return {**result, "zoom": finer and finer.json(), "earlier": earlier}
        where, finer = following
        earlier.append(_best_of(source))
        result = search.tune(None, resume=where.home, storage=storage, workers=workers, watch=watch)


def finer_than(
    source: Where,
    watch: SearchWatch,
    *,
    trials: int | None = None,
    best: float | None = None,
    stages: Sequence[Mapping[str, Any]] = (),
    name: str | None = None,
) -> tuple[Where, Zoomed]:
    """A study beside another one, over where its best trials lie; on a server, that of its name, if there is one.

    Raises ArgumentError where too few trials tell where that is.
    """
    study = Study(source)
    try:
        zoom = zoomed(study, SHARE if best is None else best, trials, stages)
    finally:
        study.close()
    for line in zoom.lines():
        watch.note(line)
    loaded = load(zoom.file)
    assert loaded.recipe.tune
    out = Path(source.home).parent.parent
    if storages.is_file(source.url):
        return search.begun(loaded, out), zoom
    where = search.joined(loaded, out, source.url, name or zoom.name, loaded.recipe.tune.trials)
    study = Study(where)
    try:
        check_same(study, loaded.recipe)
    finally:
        study.close()
    return where, zoom


def _next(source: Where, watch: SearchWatch) -> tuple[Where, Zoomed | None] | None:
    """The study of the next stage: gone on with, or made; None after the last."""
    study = Study(source)
    study.close()
    if not study.tune.stages:
        return None
    file = Path(source.home) / "study.json"
    held = folders.read_json(file)
    if held.get("next"):
        return search.kept(None, Path(source.home), None, Path(source.home) / held["next"]), None
    stage, *others = study.tune.stages
    where, zoom = finer_than(
        source, watch, trials=stage.trials, best=stage.best, stages=[one.model_dump() for one in others]
    )
    if storages.is_file(source.url):
        folders.write_json(file, {**held, "next": os.path.relpath(where.home, source.home)})
    return where, zoom


def _best_of(where: Where) -> dict[str, Any]:
    """A study that a finer one follows: its folder, and its best trial."""
    study = Study(where)
    try:
        order = ranked(tried(study))
    finally:
        study.close()
    if not order:  # nothing came to its end
        return {"study": where.home, "trials": 0, "best": None}
    first = order[0]
    best = {"number": first.number, "value": first.value, "params": first.params, "feasible": first.standing.feasible}
    return {"study": where.home, "trials": len(order), "best": {**best, "recipe": str(study.home / "best.yaml")}}


def _folder(name: str | Path, out: Path) -> Path:
    """The folder of a study, or of the newest of a recipe of this name.  Raises ArgumentError."""
    if (Path(name) / "study.json").is_file():
        return Path(name)
    studies = sorted(out.glob(f"{name}-tune/*/study.json"))
    if not studies:
        known = sorted({one.parent.parent.name.removesuffix("-tune") for one in out.glob("*-tune/*/study.json")})
        there = f"there are studies of {', '.join(known)}" if known else "there is none"
        raise ArgumentError(f"{name} is no study: give the folder that `dlspec tune` made; in {out.absolute()} {there}")
    return studies[-1].parent
