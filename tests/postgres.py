"""A PostgreSQL server of one's own on loopback, for as long as it is needed."""

from __future__ import annotations

import contextlib
import getpass
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MISSING = "no PostgreSQL server is installed (Debian: apt-get install postgresql)"


def programs() -> Path | None:
    """The folder of initdb and postgres, where they are installed; Debian keeps them out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    named = shutil.which("postgres")
    return Path(named).resolve().parent if named else found[-1].parent if found else None


@contextlib.contextmanager
def server(password: str) -> Iterator[str]:
    """The address of a new server with an empty database; it ends, and its files go, with the block."""
    bins = programs()
    assert bins, MISSING
    root = getpass.getuser() == "root"  # whom it does not run as
    kwargs: dict[str, Any] = {"user": "postgres", "group": "postgres"} if root else {}
    home = Path(tempfile.mkdtemp(prefix="dlspec_pg_"))
    if root:
        shutil.chown(home, "postgres", "postgres")
    (home / "password").write_text(password)
    (home / "password").chmod(0o644)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = [bins / "initdb", "-D", home / "data", "-U", "dlspec", "--auth=scram-sha-256", f"--pwfile={home}/password"]
    subprocess.run(made, check=True, cwd=home, stdout=subprocess.DEVNULL, **kwargs)
    started = [bins / "postgres", "-D", home / "data", "-p", str(port), "-h", "127.0.0.1", "-k", home]
    log = (home / "log").open("wb")
    running = subprocess.Popen(started, cwd=home, stdout=log, stderr=log, **kwargs)
    try:
        for _ in range(200):
            ready = [bins / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-q"]
            if subprocess.run(ready).returncode == 0:
                break
            time.sleep(0.1)
        yield f"postgresql://dlspec:{password}@127.0.0.1:{port}/postgres"
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(30)
        log.close()
        shutil.rmtree(home, ignore_errors=True)
