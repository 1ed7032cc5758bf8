"""Walks down the landscape, and logs the height after every step."""

import math

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from torch.utils.tensorboard import SummaryWriter


def height(x: float) -> float:
    return 0.1 * x * x + 1 - math.cos(2 * x)


def slope(x: float) -> float:
    return 0.2 * x + 2 * math.sin(2 * x)


@hydra.main(config_path="../configs", config_name="train", version_base=None)
def main(cfg: DictConfig) -> None:
    writer = SummaryWriter(log_dir=HydraConfig.get().runtime.output_dir)
    x, velocity = cfg.start, 0.0
    for step in range(cfg.steps):
        velocity = cfg.optimizer.momentum * velocity - cfg.optimizer.lr * slope(x)
        x += velocity
        writer.add_scalar("val/height", height(x), step)
    writer.close()


if __name__ == "__main__":
    main()
