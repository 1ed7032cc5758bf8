"""What was worked out last, so that it need not be worked out again; shared by threads, and bounded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Name = TypeVar("Name", bound=Hashable)
Value = TypeVar("Value")
REMEMBERED = 16


class Recent(Generic[Name, Value]):
    """The last values by their names."""

    def __init__(self) -> None:
        self.rows: OrderedDict[Name, Value] = OrderedDict()
        self.lock = threading.Lock()

    def find(self, name: Name, make: Callable[[], Value]) -> Value:
        """The value of a name; made where it is not remembered."""
        with self.lock:
            if name in self.rows:
                self.rows.move_to_end(name)
                return self.rows[name]
        value = make()
        self.put(name, value)
        return value

    def put(self, name: Name, value: Value) -> None:
        with self.lock:
            self.rows[name] = value
            self.rows.move_to_end(name)
            while len(self.rows) > REMEMBERED:
                self.rows.popitem(last=False)
