"""What a run was made on: versions, seed, backend, processor, threads, data."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from typing import Any

PACKAGES = (
    "dlspec",
    "keras",
    "tensorflow",
    "jax",
    "numpy",
    "scipy",
    "pyarrow",
    "pydantic",
    "scikit-learn",
    "opencv-python-headless",
    "pillow",
    "tensorboard",
)


def versions() -> dict[str, str]:
    """Installed versions of what a run's numbers depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """The processor's name, as the system gives it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as text:
            for line in text:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def describe(*, seed: int, threads: int | None, fingerprint: str) -> dict[str, Any]:
    """machine.json: enough to know whether a second run should give the same bits."""
    return {
        "versions": versions(),
        "backend": os.environ.get("KERAS_BACKEND"),
        "system": platform.platform(),
        "processor": processor(),
        "processors": os.cpu_count(),
        "threads": threads or os.cpu_count(),
        "seed": seed,
        "data_fingerprint": fingerprint,
        "command": ["dlspec" if sys.argv[0] == "-c" else os.path.basename(sys.argv[0]), *sys.argv[1:]],
        "guarantee": "the same recipe, seed, versions, machine and thread count give the same weights to the bit "
        "on a CPU; on a GPU, kernels of other libraries may differ in the last digits",
    }
