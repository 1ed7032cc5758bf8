"""Splits the digits, draws the small training sets, and makes some of their labels wrong, all from the data seed."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

PIXELS = [f"p{row}{column}" for row in range(8) for column in range(8)]


def split(rng: np.random.Generator, images: int, test_images: int) -> npt.NDArray[np.bool_]:
    """Whether each image belongs to the test part."""
    is_test = np.zeros(images, dtype=bool)
    is_test[rng.permutation(images)[:test_images]] = True
    return is_test


def wrong_labels(rng: np.random.Generator, labels: npt.NDArray[np.int64], share: float) -> npt.NDArray[np.int64]:
    """The labels after that share of them, drawn at random, became another class, each as likely."""
    given = labels.copy()
    rows = rng.permutation(len(labels))[: round(share * len(labels))]
    given[rows] = (labels[rows] + rng.integers(1, 10, len(rows))) % 10
    return given


def write_rows(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--design", type=Path, required=True, help="the study's design.json")
    parser.add_argument("--data", type=Path, required=True, help="folder of digits.csv; the drawn files go there too")
    arguments = parser.parse_args()
    design = json.loads(arguments.design.read_text(encoding="utf-8"))
    data = design["data"]
    labels = np.loadtxt(arguments.data / "digits.csv", delimiter=",", skiprows=1, usecols=64, dtype=np.int64)
    is_test = split(np.random.default_rng(data["data_seed"]), len(labels), data["test_images"])
    parts = [(image, "test" if test else "pool") for image, test in enumerate(is_test)]
    write_rows(arguments.data / "split.csv", ["image", "part"], parts)
    rows: list[tuple[object, ...]] = []
    for seed in design["seeds"]:
        rng = np.random.default_rng([data["data_seed"], seed])
        images = rng.permutation(np.flatnonzero(~is_test))[: data["training_images"]]
        given = wrong_labels(rng, labels[images], data["wrong_share"])
        rows += zip([seed] * len(images), images, labels[images], given, strict=True)
    write_rows(arguments.data / "training_sets.csv", ["seed", "image", "true_label", "given_label"], rows)
    wrong = sum(row[2] != row[3] for row in rows)
    sys.stdout.write(f"{len(design['seeds'])} training sets, {wrong} of {len(rows)} labels wrong\n")


if __name__ == "__main__":
    main()
