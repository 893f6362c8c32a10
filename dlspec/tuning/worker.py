"""A worker: a process of its own that takes one trial after another, until there are none or it is used up.

It is told where the study is by a line of JSON on its stdin, and tells what it does by such lines on its stdout.  Where
whoever started it has gone, stdin ends, and so does it.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

USED_UP = 100
"""trials after which a worker makes room for a fresh one"""
GROWN = 0.08
"""or when its memory has grown by this share over what it took after its first trials"""
FIRST = 10
"""trials after which its memory is first looked at: by then all code is loaded"""
IDLE_SECONDS = 0.1


def main() -> None:
    """Work until there is nothing to do."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what own code or a library prints is no message
    order = json.loads(sys.stdin.readline())
    over = threading.Event()
    threading.Thread(target=_listen, args=(over,), daemon=True).start()

    def tell(message: Mapping[str, Any]) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    from dlspec.types import UserError

    try:
        _work(order, over, tell, lambda: _leave(channel, 0))
    except KeyboardInterrupt:
        _leave(channel, 130)
    except UserError as error:
        tell({"what": "stuck", "says": str(error)})
        _leave(channel, 2)
    _leave(channel, 0)


def _listen(over: threading.Event) -> None:
    """A line on stdin means that there is no more work; its end, that nobody waits for it."""
    if sys.stdin.readline():
        over.set()
        if sys.stdin.readline():
            return
    os._exit(1)


def _leave(channel: TextIO, code: int) -> None:
    """Without taking TensorFlow apart, which takes a second."""
    for stream in (channel, sys.stderr):
        stream.flush()
    os._exit(code)


def _work(order: Mapping[str, Any], over: threading.Event, tell: Any, leave: Callable[[], None]) -> None:
    from dlspec.runs.backend import forget_networks, load_keras
    from dlspec.runs.warm import Warm
    from dlspec.tuning.aside import Room
    from dlspec.tuning.samplers import INDEX
    from dlspec.tuning.storage import beating, telling
    from dlspec.tuning.study import Study, Where
    from dlspec.tuning.trial import carry_out, check_data

    threads = order["threads"]
    room = Room()
    with room.working():
        load_keras(threads=threads)
        study = Study(Where(**order["where"]))
        warm = Warm()
        check_data(study, warm)
    gc.collect()
    gc.freeze()  # what is there by now stays: looking for garbage in it takes longer than all else beside training
    done, first = 0, 0
    while not over.is_set():
        with telling(study.where.url):
            trial = study.claim(threads)
            if trial is None:
                time.sleep(IDLE_SECONDS)
                continue
            number = study.number_of(trial)
            lost = functools.partial(_lost, tell, leave, int(trial.user_attrs[INDEX]))
            with beating(study.storage, number, lost) as ours, room.working():
                carry_out(study, trial, threads, warm, tell, room, ours)
        done += 1
        forget_networks()  # collects garbage, too
        memory = resident()
        first = memory if done == FIRST else first
        tell({"what": "memory", "bytes": memory, "done": done})
        if done >= USED_UP or (first and memory > (1 + GROWN) * first):
            tell({"what": "used up", "done": done})
            return


def _lost(tell: Any, leave: Callable[[], None], index: int) -> None:
    """End at once: another worker is at the trial's run by now, and nothing more may be written there."""
    says = f"a worker was silent for so long that trial {index} was given to another; it makes room for a fresh one"
    tell({"what": "warning", "index": index, "says": says})
    leave()


def resident() -> int:
    """Bytes of memory that this process takes; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as text:
            return int(text.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
