"""Threads that prepare the next results while the main loop works, in the given order.

Each job is a function of nothing, so how many threads there are, none included, cannot change a
result. Reading mapped files, copying and hashing let go of Python's lock, so threads are enough,
and unlike processes they need no copy of a batch to hand it over and leave nothing behind.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from lssat.tables import DataError

T = TypeVar("T")
Job = Callable[[], T]


class Ahead:
    """Runs jobs ahead of their use: at most `readers + 1` results wait, or are in the making.

    Args:
        readers: threads; with 0 each job is run when its result is needed.
    """

    def __init__(self, readers: int):
        self.readers = readers
        self.pool = ThreadPoolExecutor(max(1, readers), thread_name_prefix="reader")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the threads: what is being read is read to its end, and nothing else is begun."""
        self.pool.shutdown(wait=True, cancel_futures=True)

    def __call__(self, jobs: Iterable[Job[T]], file: Path) -> Iterator[T]:
        """Yield the results of jobs, in their order.

        Args:
            file: what is read, for the error.

        Raises:
            DataError: a job raised it, or its reader failed; raised where its result is due.
        """
        if not self.readers:
            yield from (job() for job in jobs)
            return
        waiting: deque[Future[T]] = deque()
        try:
            for job in jobs:
                waiting.append(self.pool.submit(_named, job, file))
                if len(waiting) > self.readers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _named(job: Job[T], file: Path) -> T:
    """Run a job; an error that is no DataError gets the thread and the cause."""
    try:
        return job()
    except DataError:
        raise
    except Exception as error:
        problem = f"{threading.current_thread().name} failed: {type(error).__name__}: {error}"
        raise DataError(file, problem, _cause(error)) from error


def _cause(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "Memory ran out: lower train.batch_size, or `readers` in the profile"
    if isinstance(error, OSError):
        return "The disk or its mount failed: look at it, then run the same command again"
    return "Set `readers=0` in the profile to see where; if it stays, report it"
