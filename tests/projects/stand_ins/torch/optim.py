"""Optimizers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class SGD:
    def __init__(self, parameters: Iterable[Any], lr: float, momentum: float = 0.0) -> None:
        self.parameters, self.lr, self.momentum = list(parameters), lr, momentum
        self.velocities = [[0.0] * len(parameter.data) for parameter in self.parameters]

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = [0.0] * len(parameter.data)

    def step(self) -> None:
        for parameter, velocity in zip(self.parameters, self.velocities, strict=True):
            for number, gradient in enumerate(parameter.grad):
                velocity[number] = self.momentum * velocity[number] + gradient
                parameter.data[number] -= self.lr * velocity[number]
