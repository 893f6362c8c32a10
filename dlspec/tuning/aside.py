"""Workers of a machine that step aside while one of them times its network, which is to be alone meanwhile.

Whoever works holds a shared lock and lets go of it for a moment between steps; whoever measures waits for all to be out
and then has the lock for itself.  It is SQLite's lock on a file: the same on every system, and gone with the process,
however that ends.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

BREATH_SECONDS = 0.05
"""how often whoever works looks whether somebody wants to measure"""
PATIENCE = 0.2
"""seconds of a wait after which signals are looked at"""


def of_machine() -> Path:
    """The file that all of a person's workers on this machine lock, whatever study they are at."""
    who = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    home = Path(tempfile.gettempdir()) / f"dlspec-{who}"
    home.mkdir(mode=0o700, exist_ok=True)
    return home / "working.db"


class Room:
    """Where workers work; of a file that cannot be locked, everybody goes on without waiting."""

    def __init__(self, file: Path | None = None) -> None:
        self.lock: sqlite3.Connection | None = None
        with contextlib.suppress(OSError, sqlite3.Error):
            self.lock = sqlite3.connect(
                file or of_machine(), timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
        self.inside, self.since = False, 0.0

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Within, nobody measures but in between steps."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def breathe(self) -> None:
        """Between two steps: wait where somebody measures or wants to."""
        if self.inside and time.monotonic() - self.since > BREATH_SECONDS:
            self._leave()
            self._enter()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Within, nobody else works."""
        was = self.inside
        self._leave()
        self._locked("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            self._leave()
            if was:
                self._enter()

    def _enter(self) -> None:
        self._locked("BEGIN", "SELECT count(*) FROM sqlite_master")
        self.inside, self.since = True, time.monotonic()

    def _leave(self) -> None:
        self.inside = False
        if self.lock is not None and self.lock.in_transaction:
            self.lock.execute("ROLLBACK")

    def _locked(self, *statements: str) -> None:
        for statement in statements:
            while self.lock is not None:
                try:
                    self.lock.execute(statement).fetchall()
                    break
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                        self.lock = None
