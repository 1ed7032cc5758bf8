"""Held-out data."""

from __future__ import annotations

import random
from typing import Any


def train_test_split(*arrays: list[Any], test_size: float, random_state: int) -> list[list[Any]]:
    order = list(range(len(arrays[0])))
    random.Random(random_state).shuffle(order)
    held_out = int(len(order) * test_size)
    return [[array[place] for place in part] for array in arrays for part in (order[held_out:], order[:held_out])]
