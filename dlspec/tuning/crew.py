"""Worker processes: started, heard, replaced; what they say comes as messages in one queue."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlspec
from dlspec.tuning.study import Where

END_SECONDS = 60.0
"""how long a worker that is interrupted may take to write its checkpoint"""


class Worker:
    """One process, and what it was last heard of."""

    def __init__(self, where: Where, threads: int | None, heard: queue.Queue[tuple[Worker, Any]]) -> None:
        # -P: no file of the folder that one happens to be in takes the place of a module.
        home = str(Path(dlspec.__file__).parent.parent)
        paths = [home, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", "from dlspec.tuning.worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(path for path in paths if path))},
        )
        self._send({"where": where._asdict(), "threads": threads})
        self.printer = threading.Thread(target=self._print, args=(heard,), daemon=True)
        self.printer.start()
        self.listener = threading.Thread(target=self._hear, args=(heard,), daemon=True)
        self.listener.start()

    def _send(self, order: Any) -> None:
        with contextlib.suppress(OSError, ValueError):  # it has ended
            assert self.process.stdin
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()

    def _print(self, heard: queue.Queue[tuple[Worker, Any]]) -> None:
        """What own code or a library prints, a line at a time: it must not cut a table in two."""
        assert self.process.stderr
        for line in self.process.stderr:
            heard.put((self, {"what": "printed", "says": line.rstrip()}))

    def _hear(self, heard: queue.Queue[tuple[Worker, Any]]) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):  # cut short by its death
                heard.put((self, json.loads(line)))
        self.process.wait()
        self.printer.join(END_SECONDS)  # a process that it left behind may hold the pipe
        assert self.process.stdin and self.process.stderr
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):  # what was not sent yet
                pipe.close()
        heard.put((self, None))

    def dismiss(self) -> None:
        """There is no more work."""
        self._send({"over": True})

    @property
    def died_of(self) -> str | None:
        """What its process died of, where it did not end by itself."""
        code = self.process.returncode
        if code in (0, 2, 130, -signal.SIGINT, -signal.SIGTERM, None):
            return None
        if code < 0:
            with contextlib.suppress(ValueError):
                return signal.Signals(-code).name
        return f"exit code {code}"


class Crew:
    """So many workers at a time."""

    def __init__(self, where: Where, threads: int | None) -> None:
        self.where, self.threads = where, threads
        self.heard: queue.Queue[tuple[Worker, Any]] = queue.Queue()
        self.workers: list[Worker] = []

    def hire(self) -> None:
        self.workers.append(Worker(self.where, self.threads, self.heard))

    def messages(self, seconds: float) -> Iterator[tuple[Worker, Any]]:
        """What was heard within so long; None of a worker is its end."""
        with contextlib.suppress(queue.Empty):
            yield self.heard.get(timeout=seconds)
            while True:
                yield self.heard.get_nowait()

    def end(self) -> None:
        """Have all stop where they are, with a checkpoint of what they are at."""
        for one in self.workers:
            if one.process.poll() is None and os.name == "posix":
                one.process.terminate()
        until = time.monotonic() + END_SECONDS
        for one in self.workers:
            try:
                one.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                one.process.kill()
            one.listener.join()
