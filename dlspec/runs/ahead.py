"""Work in threads that run a few items ahead of whoever asks for what comes of it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

READ_AHEAD = 2
"""batches that are encoded ahead of the network where nothing is kept, beside one a thread"""

T = TypeVar("T")


def ahead(
    work: Callable[[Any], T], items: Iterable[Any], threads: int | None = None, more: int = READ_AHEAD
) -> Iterator[T]:
    """`work` on each item, in order, in threads that run a few items ahead: one a thread, and `more`."""
    count = threads or os.cpu_count() or 1
    with ThreadPoolExecutor(count) as pool:
        waiting: deque[Future[T]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= more + count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
