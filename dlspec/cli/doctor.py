"""dlspec doctor"""

from __future__ import annotations

from dlspec.cli.shared import Debug, Json, answer


def doctor(json: Json = False, debug: Debug = False) -> None:
    """Check the installation.

    Versions, backend, and a small network trained, saved and opened again."""
    from dlspec.report.progress import ConsoleWatch
    from dlspec.report.terminal import print_doctor
    from dlspec.runs.doctor import examine

    result = examine(ConsoleWatch())
    answer(result, json, lambda: print_doctor(result))
    if not result["healthy"]:
        raise SystemExit(1)
