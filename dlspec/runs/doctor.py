"""Is the installation sound?  Versions, backend, a small network trained, saved and opened again."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dlspec.recipe.load import load
from dlspec.recipe.shipped import shipped_names
from dlspec.report.watch import Watch
from dlspec.runs.machine import processor, versions
from dlspec.wording import plural


def examine(watch: Watch | None = None) -> dict[str, Any]:
    """Run every check; one that fails says what and how to mend it, and the others go on."""
    watch = watch or Watch()
    checks: list[dict[str, Any]] = []

    def check(name: str, work: Callable[[], str], mend: str) -> None:
        began = time.perf_counter()
        try:
            found, fine = work(), True
        except Exception as error:
            found, fine = f"{type(error).__name__}: {error}; {mend}", False
        checks.append({"name": name, "ok": fine, "found": found, "seconds": time.perf_counter() - began})

    def backend() -> str:
        from dlspec.runs.backend import load_keras

        keras = load_keras()
        return f"keras {keras.__version__} on {keras.backend.backend()}"

    def training() -> str:
        from dlspec.runs.opened import open_run
        from dlspec.runs.train import train

        with tempfile.TemporaryDirectory() as folder:
            recipe = Path(folder) / "doctor.yaml"
            recipe.write_text("task: classification\ndata: iris\nmodel: linear\ntrain: {epochs: 2}\n", encoding="utf-8")
            trained = train(load(recipe), out=folder)
            answer = open_run(trained.run).predict([[5.1, 3.5, 1.4, 0.2]])
        return f"a small network trained, was saved, opened, and guessed {answer[0]['guess']}"

    def data() -> str:
        place = os.environ.get("DLSPEC_DATA")
        if not place:
            return "not set (paths are looked for beside the recipe alone)"
        if not Path(place).is_dir():
            raise FileNotFoundError(f"$DLSPEC_DATA is {place}, which is no folder")
        return place

    def writing() -> str:
        with tempfile.TemporaryDirectory(dir=Path.cwd()):
            return f"{Path.cwd()} can be written"

    check("python", lambda: f"{sys.version.split()[0]} in {sys.prefix}", "")
    check("processor", lambda: f"{processor()}, {plural(os.cpu_count() or 1, 'thread')}", "")
    check("recipes", lambda: f"{len(shipped_names())} come with dlspec", "install dlspec again")
    check("data folder", data, "point DLSPEC_DATA at a folder, or unset it")
    check("runs folder", writing, "change to a folder of your own, or say --out DIR")
    check("backend", backend, "install again with the constraints file: pip install -c constraints.txt dlspec")
    check("training", training, "install again with the constraints file: pip install -c constraints.txt dlspec")
    return {"healthy": all(one["ok"] for one in checks), "versions": versions(), "checks": checks}
