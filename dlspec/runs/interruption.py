"""Ctrl-C, or the system's wish to end this process, waits for what is under way."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


class Interruption:
    """Whether somebody has asked to stop."""

    def __init__(self) -> None:
        self.asked = False

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Within, the first signal is taken note of; the second does not wait."""

        def heard(number: int, frame: Any) -> None:
            if self.asked:
                raise KeyboardInterrupt
            self.asked = True

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def until_stopped() -> Iterator[threading.Event]:
    """Within, Ctrl-C or SIGTERM set this event, and do nothing else.  In the main thread alone."""
    over = threading.Event()
    before = {number: signal.signal(number, lambda *_: over.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield over
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for(over: threading.Event) -> None:
    """Until the event is set."""
    while not over.wait(1.0):  # without a limit, Windows would not hear Ctrl-C
        pass
