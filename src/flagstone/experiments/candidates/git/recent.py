"""The values that were used last, so that they need not be worked out again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Name = TypeVar("Name")
Value = TypeVar("Value")


class Recent(Generic[Name, Value]):
    """The values that were used last, by their names; shared by threads. All together they weigh at most so much."""

    def __init__(self, most: int, weigh: Callable[[Value], int] = lambda _: 1) -> None:
        self.most, self.weigh, self.weight = most, weigh, 0
        self.rows: OrderedDict[Name, Value] = OrderedDict()
        self.lock = threading.Lock()

    def find(self, name: Name, make: Callable[[], Value]) -> Value:
        """The value of a name; makes it if it is not remembered."""
        with self.lock:
            if name in self.rows:
                self.rows.move_to_end(name)
                return self.rows[name]
        value = make()
        self.put(name, value)
        return value

    def put(self, name: Name, value: Value) -> None:
        with self.lock:
            if name in self.rows:
                self.weight -= self.weigh(self.rows[name])
            self.rows[name] = value
            self.rows.move_to_end(name)
            self.weight += self.weigh(value)
            while self.weight > self.most:
                self.weight -= self.weigh(self.rows.popitem(last=False)[1])
