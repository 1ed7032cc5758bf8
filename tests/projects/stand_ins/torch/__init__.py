"""The part of PyTorch that the examples use, in plain Python: vectors that remember how they were made."""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Callable
from typing import Any

from torch import nn, optim

__all__ = ["Tensor", "load", "manual_seed", "nn", "optim", "rand", "save", "tensor", "zeros"]
_random = random.Random()


class Tensor:
    """A vector and its gradient."""

    def __init__(self, values: list[float], parents: tuple[Tensor, ...] = (), requires_grad: bool = False) -> None:
        self.data = values
        self.grad = [0.0] * len(values)
        self.requires_grad = requires_grad
        self.parents = parents
        self.pass_back: Callable[[], None] = lambda: None

    def item(self) -> float:
        return self.data[0]

    def __mul__(self, factor: float) -> Tensor:
        made = Tensor([factor * value for value in self.data], (self,))

        def pass_back() -> None:
            for number, gradient in enumerate(made.grad):
                self.grad[number] += factor * gradient

        made.pass_back = pass_back
        return made

    def tanh(self) -> Tensor:
        made = Tensor([math.tanh(value) for value in self.data], (self,))

        def pass_back() -> None:
            for number, value in enumerate(made.data):
                self.grad[number] += (1 - value * value) * made.grad[number]

        made.pass_back = pass_back
        return made

    def backward(self) -> None:
        order: list[Tensor] = []
        seen: set[int] = set()

        def visit(one: Tensor) -> None:
            if id(one) not in seen:
                seen.add(id(one))
                for parent in one.parents:
                    visit(parent)
                order.append(one)

        visit(self)
        self.grad = [1.0] * len(self.data)
        for one in reversed(order):
            one.pass_back()


def manual_seed(seed: int) -> None:
    _random.seed(seed)


def tensor(values: list[float]) -> Tensor:
    return Tensor([float(value) for value in values])


def zeros(size: int, requires_grad: bool = False) -> Tensor:
    return Tensor([0.0] * size, requires_grad=requires_grad)


def rand(size: int, requires_grad: bool = False) -> Tensor:
    return Tensor([_random.uniform(0, 1) for _ in range(size)], requires_grad=requires_grad)


def save(state: dict[str, Any], path: str | os.PathLike[str]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(state, file)


def load(path: str | os.PathLike[str]) -> Any:
    with open(path, encoding="utf-8") as file:
        return json.load(file)
