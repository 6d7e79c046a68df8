"""Do one thing to many items at the same time, without holding all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """Yield the results in the order in which they are ready; at most twice ``threads`` items are taken in advance.

    The first exception of ``work`` or of ``items`` ends it; what already runs is waited for.
    """
    source = iter(items)
    done: SimpleQueue[Future[Result]] = SimpleQueue()
    running: set[Future[Result]] = set()
    with ThreadPoolExecutor(threads, thread_name_prefix="parallel") as pool:
        try:
            while True:
                for item in islice(source, 2 * threads - len(running)):
                    future = pool.submit(work, item)
                    running.add(future)
                    future.add_done_callback(done.put)
                if not running:
                    return
                finished = done.get()
                running.remove(finished)
                yield finished.result()
        finally:
            for future in running:
                future.cancel()
