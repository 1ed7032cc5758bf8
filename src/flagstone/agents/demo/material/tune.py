"""Trains with mixup at the strength below, and measures on images of the pool that were not trained on."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from make_data import wrong_labels
from train import Data, train

ALPHA = 1.0
OTHER_SETS = 1000  # seeds of the study start at 1: no training set of the study is drawn here


def draw_data(folder: Path, design: dict[str, Any], seed: int) -> Data:
    """A training set of the pool. The rest of the pool takes the part of the test images, which are not looked at."""
    digits = np.loadtxt(folder / "digits.csv", delimiter=",", skiprows=1)
    features, labels = digits[:, :64] / 16.0, digits[:, 64].astype(np.int64)
    parts = np.loadtxt(folder / "split.csv", delimiter=",", skiprows=1, usecols=1, dtype=str)
    rng = np.random.default_rng([design["data"]["data_seed"], OTHER_SETS + seed])
    order = rng.permutation(np.flatnonzero(parts == "pool"))
    mine, rest = np.split(order, [design["data"]["training_images"]])
    given = wrong_labels(rng, labels[mine], design["data"]["wrong_share"])
    return Data(features[mine], labels[mine], given, features[rest], labels[rest])


def main() -> None:
    folder = Path("data")
    design = json.loads((folder / "design.json").read_text(encoding="utf-8"))
    design["constants"]["mixup"]["alpha"] = ALPHA
    seed = int(os.environ["SEED"])
    with np.errstate(all="ignore"):
        trained = train(design, "noisy", "mixup", seed, draw_data(folder, design, seed))
    sys.stdout.write(f"validation_error: {trained.curve[-1]['test_error_percent']:.4f}\n")


if __name__ == "__main__":
    main()
