import logging

import torch
import typer
from shapes.net import Net

logger = logging.getLogger(__name__)
app = typer.Typer()


def evaluate(net: Net) -> float:
    return 0.0


@app.command()
def main(lr: float = 0.01, hidden: int = 32, seed: int = 0) -> None:
    torch.manual_seed(seed)
    net = Net(hidden)
    best_loss = float("inf")
    for epoch in range(3):
        val_loss = evaluate(net)
        logger.info("epoch %d val_loss=%.4f lr=%.5f", epoch, val_loss, lr)
        if val_loss < best_loss:
            best_loss = val_loss
            torch.save(net, "best.pt")


if __name__ == "__main__":
    app()
