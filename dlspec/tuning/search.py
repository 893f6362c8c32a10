"""`dlspec tune`: a study begun, joined or gone on with, and workers kept at it until every trial has ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dlspec.recipe.load import Loaded, dump
from dlspec.report.watch import SearchWatch
from dlspec.runs import folder as folders
from dlspec.runs.origin import settled
from dlspec.runs.own_code import copy_own_code
from dlspec.tuning import storage as storages
from dlspec.tuning.crew import Crew
from dlspec.tuning.facts import write_page
from dlspec.tuning.outcome import ranked, told, tried, write
from dlspec.tuning.space import Space
from dlspec.tuning.study import FOLDER, SEARCH, Study, Where, check_same, create
from dlspec.types import ArgumentError, Place, RecipeError

LOOK_SECONDS = 0.5
"""how often the storage is looked at for workers of other machines"""
BEGIN_SECONDS = 10.0
"""how long another machine may take to note what a new study is"""
AHEAD = 2
"""trials that wait, for each worker"""
MOST_POINTS = 10_000
"""of a grid, beyond which one must say so"""


def tune(
    loaded: Loaded | None,
    *,
    trials: int | None = None,
    workers: int = 1,
    out: str | Path = folders.RUNS,
    storage: str | None = None,
    name: str | None = None,
    resume: str | Path | None = None,
    yes: bool = False,
    watch: SearchWatch | None = None,
) -> dict[str, Any]:
    """Search the space of a recipe.

    trials: how many, instead of what the recipe says; more than a study has had extend it.  workers: processes on this
    machine.  storage: a database server that several machines share (with `out`, and the study's `name`).  resume: the
    folder of a study, or "last": the newest of this recipe.  yes: a grid may have more than 10,000 points.

    Returns what `tune --json` prints.  Raises RecipeError, DataError, ArgumentError.
    """
    watch = watch or SearchWatch()
    loaded = loaded and settled(loaded, out)
    where = _where(loaded, Path(out), storage, name, resume, trials, yes)
    with _alone(where):
        study = Study(where)
        if loaded is not None:
            check_same(study, loaded.recipe)
        study.extend(trials or 0)
        if storages.is_file(where.url):
            study.bury()  # whoever was at it is no more
        threads = study.loaded.recipe.train.threads
        if threads is None and workers > 1:
            threads = max(1, (os.cpu_count() or 1) // workers)
        ended = sum(one.ended for one in tried(study))
        watch.searching(where.home, study.metric.name, study.metric.best, study.trials, ended)
        crew = Crew(where, threads)
        try:
            with storages.telling(where.url):
                _keep_at_it(study, crew, workers, watch)
        except KeyboardInterrupt:
            watch.over()
            watch.warn(f"interrupted; `dlspec tune {where.home} --resume` goes on")
            raise
        finally:
            crew.end()
            watch.over()
            for one in crew.workers:
                study.bury(one.process.pid)
            found = tried(study)
            write(study, found)
            result = told(study, found)
            write_page(study, found, result)
            study.close()
    return result


def _keep_at_it(study: Study, crew: Crew, workers: int, watch: SearchWatch) -> None:
    while True:
        study.bury_silent()
        study.fill(AHEAD * workers)
        found = tried(study)
        best = next(iter(ranked(found)), None)
        watch.looked([one.live() for one in found], None if best is None else best.number)
        left = sum(not one.ended for one in found)
        if not left:
            break
        while len(crew.workers) < min(workers, left):
            crew.hire()
        while not _listened(study, crew, watch) and storages.is_file(study.where.url):
            pass
    for one in crew.workers:
        one.dismiss()
    while crew.workers:
        _listened(study, crew, watch)


def _listened(study: Study, crew: Crew, watch: SearchWatch) -> bool:
    """Hear what workers say for a while; whether a trial or a worker has ended."""
    changed = False
    for worker, message in crew.messages(LOOK_SECONDS):
        if message is None:
            crew.workers.remove(worker)
            study.bury(worker.process.pid, worker.died_of)
        elif message["what"] == "stuck":
            raise ArgumentError(f"{message['says']}\nthe search has stopped; --resume goes on")
        else:
            watch.heard(message)
        changed = changed or message is None or message["what"] == "ended"
    return changed


def _where(
    loaded: Loaded | None,
    out: Path,
    storage: str | None,
    name: str | None,
    resume: str | Path | None,
    trials: int | None,
    yes: bool,
) -> Where:
    """The study that is meant: found, joined, or made."""
    if resume is not None:
        return kept(loaded, out, storage, resume)
    assert loaded is not None
    recipe = loaded.recipe
    if recipe.tune is None:
        message = "says what is searched, and is not there; give it a space: {train.optimizer.learning_rate: …}"
        with loaded.placing():
            raise RecipeError(message, where=Place(key="tune"))
    size = Space(recipe.tune.space).grid_size()
    if recipe.tune.sampler == "grid" and size > MOST_POINTS and not yes:
        raise ArgumentError(
            f"the grid has {size:,} points, more than {MOST_POINTS:,}; give ranges fewer `points`, take "
            "`sampler: random`, or say --yes"
        )
    count = trials or recipe.tune.trials
    if storage is None:
        return begun(loaded, out, count)
    return joined(loaded, out, storage, name or f"{loaded.name}-tune", count)


def begun(loaded: Loaded, out: Path, count: int | None = None) -> Where:
    """A new study in a folder of its own.  count: trials, instead of what the recipe says."""
    assert loaded.recipe.tune
    home = _made(loaded, out)
    where = Where(str(home), f"{loaded.name}.yaml", f"{home.parent.name}/{home.name}", storages.of_folder(home))
    create(where, loaded.recipe, count or loaded.recipe.tune.trials, "")
    _keep(where)
    return where


def _made(loaded: Loaded, out: Path) -> Path:
    home = folders.create(out, f"{loaded.name}-tune")
    recipe = copy_own_code(loaded.recipe, home)
    folders.write_text(home / f"{loaded.name}.yaml", dump(recipe, f"# {loaded.name}: what is searched\n"))
    return home


def _keep(where: Where) -> None:
    address = None if storages.is_file(where.url) else storages.hidden(where.url)
    folders.write_json(Path(where.home) / "study.json", {"name": where.name, "recipe": where.file, "storage": address})


def joined(loaded: Loaded, out: Path, storage: str, name: str, count: int) -> Where:
    """The study of this name on a server, made where there is none."""
    if name not in storages.names(storage):
        home = _made(loaded, out)
        where = Where(str(home), f"{loaded.name}.yaml", name, storage)
        _keep(where)  # before the study is there for others to join
        if create(where, loaded.recipe, count, f"{home.parent.name}/{home.name}"):
            return where
        shutil.rmtree(home)  # another machine came first
    held = _made_by_another(storage, name)
    home = out.absolute() / held[FOLDER]
    file = home / "study.json"
    if not file.is_file():
        raise ArgumentError(
            f"the study {name} has its runs in {held[FOLDER]}, which is not in {out.absolute()}; say --out DIR, the "
            "folder that all its machines share, or give this one another --study NAME"
        )
    return Where(str(home), folders.read_json(file)["recipe"], name, storage)


def _made_by_another(storage: str, name: str) -> dict[str, Any]:
    """What is noted of a study that another machine has begun, perhaps at this moment."""
    until = time.monotonic() + BEGIN_SECONDS
    while SEARCH not in (held := storages.attributes(storage, name)):
        if time.monotonic() > until:
            raise ArgumentError(
                f"whoever began the study {name} did not come to the end of that; give this one another --study NAME"
            )
        time.sleep(LOOK_SECONDS)
    return held


def kept(loaded: Loaded | None, out: Path, storage: str | None, resume: str | Path) -> Where:
    """The study of a folder, or the newest of a recipe ("last").  Raises ArgumentError where there is none."""
    home = Path(resume)
    if str(resume) == "last":
        assert loaded is not None
        studies = sorted(out.glob(f"{loaded.name}-tune/*/study.json"))
        if not studies:
            raise ArgumentError(f"there is no study of {loaded.name} in {out.absolute()}; leave --resume out to begin")
        home = studies[-1].parent
    if not (home / "study.json").is_file():
        raise ArgumentError(f"{home} holds no study.json; give the folder that `dlspec tune` made")
    held = folders.read_json(home / "study.json")
    if held["storage"] is not None and storage is None:
        raise ArgumentError(f"this study is kept at {held['storage']}; give its address with --storage")
    return Where(str(home.absolute()), held["recipe"], held["name"], storage or storages.of_folder(home))


@contextlib.contextmanager
def _alone(where: Where) -> Iterator[None]:
    """Of a study in a file, one search at a time: a lock that ends with the process, however that ends."""
    if not storages.is_file(where.url):
        yield
        return
    lock = sqlite3.connect(Path(where.home) / "lock.db", timeout=1, isolation_level=None)
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise ArgumentError(
                f"a search is under way in {where.home}; wait for it, or share a study with --storage postgresql://…"
            ) from None
        yield
    finally:
        lock.close()
