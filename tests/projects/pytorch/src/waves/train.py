"""Trains the network, prints the loss on held-out samples, and saves the weights."""

import argparse
from pathlib import Path

import torch

from waves.data import samples
from waves.model import Network, optimizer

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"


def mean_loss(network: Network, pairs: list[tuple[float, float]]) -> float:
    loss = torch.nn.MSELoss()
    return sum(loss(network(torch.tensor([x])), torch.tensor([y])).item() for x, y in pairs) / len(pairs)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=15)
    asked = parser.parse_args()
    torch.manual_seed(1337)
    network, loss = Network(), torch.nn.MSELoss()
    steps = optimizer(network)
    training, held_out = samples(60, seed=0), samples(60, seed=1)
    for epoch in range(1, asked.epochs + 1):
        for x, y in training:
            steps.zero_grad()
            loss(network(torch.tensor([x])), torch.tensor([y])).backward()
            steps.step()
        print(
            f"epoch {epoch} train_loss={mean_loss(network, training):.4f} val_loss={mean_loss(network, held_out):.4f}"
        )
    CHECKPOINTS.mkdir(exist_ok=True)
    torch.save({"epochs": asked.epochs, "network": network.state_dict()}, CHECKPOINTS / "last.pt")


if __name__ == "__main__":
    main()
