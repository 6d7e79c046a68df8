"""Do one thing to many items at the same time, without holding all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """Yield the results in the order in which they are ready; at most twice ``threads`` items are taken in advance.

    The first exception of ``work`` or of ``items`` ends it; what already runs is waited for.
    """
    source = iter(items)
    with ThreadPoolExecutor(threads, thread_name_prefix="parallel") as pool:
        running: set[Future[Result]] = set()
        try:
            while True:
                running |= {pool.submit(work, item) for item in islice(source, 2 * threads - len(running))}
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            for future in running:
                future.cancel()
