"""Work done by threads and taken in order, with a bound on what is on its way."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Made = TypeVar("Made")


def cores() -> int:
    """The cores that this process may use; all where the system does not tell."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    jobs: Iterable[Job],
    make: Callable[[Job], Made],
    *,
    threads: int | None,
    cost: Callable[[Job], int],
    most: int,
    name: str,
) -> Generator[tuple[Job, Made], None, None]:
    """Yield every job with what was made of it, in order, while threads make the next ones.

    The costs of what is on its way stay below `most`, but for one job that is larger alone. Use it within
    `contextlib.closing`: then no thread works any more when the block is left, however it is left.
    """
    with ThreadPoolExecutor(threads or cores(), name) as pool:
        waiting: deque[tuple[Job, Future[Made]]] = deque()
        in_flight = 0
        try:
            for job in jobs:
                while waiting and in_flight + cost(job) > most:
                    done, future = waiting.popleft()
                    yield done, future.result()
                    in_flight -= cost(done)
                waiting.append((job, pool.submit(make, job)))
                in_flight += cost(job)
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
