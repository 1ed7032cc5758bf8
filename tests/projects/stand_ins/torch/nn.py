"""Layers and losses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch


class Module:
    def __call__(self, *inputs: Any) -> Any:
        return self.forward(*inputs)

    def forward(self, *inputs: Any) -> Any:
        raise NotImplementedError

    def parameters(self) -> Iterator[Any]:
        for value in vars(self).values():
            if isinstance(value, Module):
                yield from value.parameters()
            elif isinstance(value, torch.Tensor) and value.requires_grad:
                yield value

    def state_dict(self) -> dict[str, list[float]]:
        return {str(number): parameter.data for number, parameter in enumerate(self.parameters())}


class Linear(Module):
    def __init__(self, in_features: int, out_features: int) -> None:
        bound = in_features**-0.5
        self.in_features, self.out_features = in_features, out_features
        self.weight = torch.rand(in_features * out_features, requires_grad=True)
        self.weight.data = [bound * (2 * value - 1) for value in self.weight.data]
        self.bias = torch.zeros(out_features, requires_grad=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size, weight, bias = self.in_features, self.weight, self.bias
        rows = [weight.data[size * row : size * (row + 1)] for row in range(self.out_features)]
        values = [sum(map(float.__mul__, row, x.data)) + bias.data[number] for number, row in enumerate(rows)]
        made = torch.Tensor(values, (x, weight, bias))

        def pass_back() -> None:
            for row, gradient in enumerate(made.grad):
                bias.grad[row] += gradient
                for column in range(size):
                    weight.grad[size * row + column] += gradient * x.data[column]
                    x.grad[column] += gradient * weight.data[size * row + column]

        made.pass_back = pass_back
        return made


class MSELoss(Module):
    def forward(self, found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        off = [one - other for one, other in zip(found.data, wanted.data, strict=True)]
        made = torch.Tensor([sum(value * value for value in off) / len(off)], (found,))

        def pass_back() -> None:
            for number, value in enumerate(off):
                found.grad[number] += 2 * value / len(off) * made.grad[0]

        made.pass_back = pass_back
        return made
