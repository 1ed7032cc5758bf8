"""Draws the noisy spirals of the study from a data seed: train.csv, test.csv."""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def spirals(rng: np.random.Generator, points: int, classes: int, noise: float) -> tuple[Floats, Floats]:
    """`points` rows of x1, x2 and their class: one spiral arm per class, blurred along the angle."""
    label = np.arange(points) % classes
    radius = np.sqrt(rng.uniform(0.02, 1.0, points))
    angle = 2.0 * np.pi * (label / classes + 0.75 * radius) + rng.normal(0.0, noise, points)
    features = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return features, label.astype(np.float64)


def write_rows(path: Path, features: Floats, label: Floats) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["x1", "x2", "label"])
        for (x1, x2), kind in zip(features, label, strict=True):
            rows.writerow([f"{x1:.6f}", f"{x2:.6f}", int(kind)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--design", type=Path, required=True, help="the study's design.json")
    parser.add_argument("--out", type=Path, required=True, help="folder for train.csv and test.csv")
    arguments = parser.parse_args()
    data = json.loads(arguments.design.read_text(encoding="utf-8"))["data"]
    arguments.out.mkdir(parents=True, exist_ok=True)
    # one stream per part, so that a longer training set leaves the test set as it is
    streams = np.random.SeedSequence(data["data_seed"]).spawn(2)
    for part, stream in zip(("train", "test"), streams, strict=True):
        drawn = spirals(np.random.default_rng(stream), data[f"{part}_rows"], data["classes"], data["noise"])
        write_rows(arguments.out / f"{part}.csv", *drawn)


if __name__ == "__main__":
    main()
