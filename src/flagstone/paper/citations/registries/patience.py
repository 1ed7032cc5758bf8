"""How long we wait for registries: until none of them has answered for a while, however many are asked."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

WORKERS = 6
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class SharedPatience:
    """The time until nothing more is expected. Each answer, from whichever registry, starts it anew."""

    limit_s: float
    ends_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.renew()

    def renew(self, wait_s: float = 0) -> None:
        """Starts it anew: somebody answered, perhaps that we should wait."""
        self.ends_s = time.monotonic() + wait_s + self.limit_s

    def left_s(self) -> float:
        return max(0.0, self.ends_s - time.monotonic())


def each_in_parallel(
    work: Callable[[Item], Result], items: Sequence[Item], left_s: Callable[[], float]
) -> dict[int, Result]:
    """The result for each position, except for those that are still worked on when the time is over.

    A name server that hangs cannot be interrupted. So its thread is left behind, and ends with the process.
    """
    waiting: queue.SimpleQueue[tuple[int, Item]] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Result | BaseException]] = queue.SimpleQueue()
    for place in enumerate(items):
        waiting.put(place)

    def take() -> None:
        while not waiting.empty():
            try:
                position, item = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((position, work(item)))
            except BaseException as error:  # told to the thread that waits
                done.put((position, error))

    for _ in range(min(WORKERS, len(items))):
        threading.Thread(target=take, daemon=True).start()
    return results_in_time(done, len(items), left_s)


def results_in_time(
    done: queue.SimpleQueue[tuple[int, Result | BaseException]], count: int, left_s: Callable[[], float]
) -> dict[int, Result]:
    results: dict[int, Result] = {}
    while len(results) < count:
        try:
            position, result = done.get(timeout=left_s() or 0.001)
        except queue.Empty:
            if left_s() > 0:  # somebody answered while we waited
                continue
            return results
        if isinstance(result, BaseException):
            raise result
        results[position] = result
    return results
