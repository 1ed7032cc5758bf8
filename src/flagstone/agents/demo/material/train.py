"""Trains the networks of one seed: every arm, with wrong labels and without."""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from network import Floats, Labels, batches, cross_entropy, gradient, initial_weights, layers_of, outputs_of
from tricks import ARMS

EVENTS = "events.out.tfevents.0.demo"
CLASSES = 10
METRICS = ("test_error_percent", "test_loss", "train_loss", "memorised_percent")
Design = dict[str, Any]
Curve = list[dict[str, float]]


@dataclass(frozen=True)
class Data:
    """The training set of one seed, and the test part."""

    features: Floats
    true_labels: Labels
    given_labels: Labels
    test_features: Floats
    test_labels: Labels

    def labels(self, condition: str) -> Labels:
        return self.given_labels if condition == "noisy" else self.true_labels


@dataclass(frozen=True)
class Trained:
    """The course of one training, and the network at its end."""

    curve: Curve
    confusion: list[list[int]]
    observed: dict[str, int]


def read_data(folder: Path, seed: int) -> Data:
    digits = np.loadtxt(folder / "digits.csv", delimiter=",", skiprows=1)
    features, labels = digits[:, :64] / 16.0, digits[:, 64].astype(np.int64)
    sets = np.loadtxt(folder / "training_sets.csv", delimiter=",", skiprows=1, dtype=np.int64)
    mine = sets[sets[:, 0] == seed]
    with (folder / "split.csv").open(encoding="utf-8") as stream:
        test = np.array([row["part"] == "test" for row in csv.DictReader(stream)])
    return Data(features[mine[:, 1]], mine[:, 2], mine[:, 3], features[test], labels[test])


def one_hot(labels: Labels) -> Floats:
    return np.eye(CLASSES)[labels]


def train(design: Design, condition: str, arm: str, seed: int, data: Data) -> Trained:
    """One training; it ends early if the loss is no longer finite."""
    training = design["training"]
    widths = [data.features.shape[1], *training["hidden"], CLASSES]
    entropy = np.random.SeedSequence([design["data"]["data_seed"], seed])
    start, order, chance = (np.random.default_rng(part) for part in entropy.spawn(3))
    weights = initial_weights(start, widths)
    speed, layers = np.zeros_like(weights), layers_of(weights, widths)
    epoch_steps = len(data.features) // training["batch_rows"]
    steps = training["epochs"] * epoch_steps
    constants = {"every_steps": epoch_steps, **design["constants"].get(arm, {})}
    trick = ARMS[arm](constants, weights, steps, chance)
    targets = one_hot(data.labels(condition))
    curve = [measure(0.0, weights, widths, condition, data)]
    for step, batch in zip(range(1, steps + 1), batches(order, len(targets), training["batch_rows"]), strict=False):
        slope = trick.slope(gradient(layers, *trick.batch(data.features[batch], targets[batch])))
        speed = training["momentum"] * speed - training["rate"] * slope
        weights += speed
        trick.after(step, weights)
        if step % (training["record_every_epochs"] * epoch_steps) == 0 or step == steps:
            curve.append(measure(step / epoch_steps, trick.weights_to_test(weights), widths, condition, data))
            if not is_finite(curve[-1]):
                break
    return Trained(curve, confusion(trick.weights_to_test(weights), widths, data), trick.effect_counts())


def is_finite(point: Mapping[str, float]) -> bool:
    return bool(np.isfinite(sum(point.values())))


def measure(epoch: float, weights: Floats, widths: list[int], condition: str, data: Data) -> dict[str, float]:
    """One point of the learning curve. An image is memorised if the network repeats the wrong label it was given."""
    layers = layers_of(weights, widths)
    train_scores = outputs_of(layers, data.features)[-1]
    test_scores = outputs_of(layers, data.test_features)[-1]
    is_wrong = data.given_labels != data.true_labels
    repeated = train_scores.argmax(axis=1)[is_wrong] == data.given_labels[is_wrong]
    return {
        "epoch": epoch,
        "train_loss": cross_entropy(train_scores, one_hot(data.labels(condition))),
        "test_loss": cross_entropy(test_scores, one_hot(data.test_labels)),
        "test_error_percent": 100.0 * float(np.mean(test_scores.argmax(axis=1) != data.test_labels)),
        "memorised_percent": 100.0 * float(np.mean(repeated)) if len(repeated) else 0.0,
    }


def confusion(weights: Floats, widths: list[int], data: Data) -> list[list[int]]:
    """How many test images of each class (row) the network takes for each class (column)."""
    found = outputs_of(layers_of(weights, widths), data.test_features)[-1].argmax(axis=1)
    counts = np.bincount(CLASSES * data.test_labels + found, minlength=CLASSES**2)
    return [[int(count) for count in row] for row in counts.reshape(CLASSES, CLASSES)]


def record(design: Design, condition: str, arm: str, seed: int, trained: Trained) -> dict[str, Any]:
    """What one run leaves: its last point, whether it stayed finite, and its confusions."""
    last = trained.curve[-1]
    is_ok = is_finite(last)
    return {
        "experiment": design["experiment"],
        "condition": condition,
        "role": design["conditions"][condition],
        "arm": arm,
        "seed": seed,
        "status": "ok" if is_ok else "invalid",
        "reason": "" if is_ok else f"the loss was no longer finite after {last['epoch']:.0f} epochs",
        "epochs": round(last["epoch"], 2),
        "metrics": {name: round(last[name], 6) for name in METRICS} if is_ok else {},
        "observed": trained.observed,
        "confusion": trained.confusion if is_ok else [],
        "design_sha256": hashlib.sha256(json.dumps(design, sort_keys=True).encode()).hexdigest(),
    }


def write_run(folder: Path, found: dict[str, Any], curve: Curve) -> None:
    """The record of a run; and the learning curve, unless the run belongs to the ablation."""
    folder.mkdir(parents=True, exist_ok=True)
    if found["role"] == "confirmation":
        write_series(folder / "series.csv", found["experiment"], curve)
        write_events(folder / EVENTS, curve)
        write_json(folder / f"{EVENTS}.json", {key: found[key] for key in ("experiment", "condition", "arm", "seed")})
    write_json(folder / "metrics.json", found)


def write_series(path: Path, experiment: str, curve: Curve) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["experiment", *curve[0]])
        rows.writerows([experiment, *(f"{value:.6g}" for value in point.values())] for point in curve)


def write_events(path: Path, curve: Curve) -> None:
    """The same curve for TensorBoard. Its clock is the epoch, so that a repeated run gives the same bytes."""
    from tensorboard.compat.proto.event_pb2 import Event  # type: ignore[import-untyped, unused-ignore]
    from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped, unused-ignore]
    from tensorboard.summary.writer.record_writer import RecordWriter  # type: ignore[import-untyped, unused-ignore]

    with path.open("wb") as stream:
        writer = RecordWriter(stream)
        writer.write(Event(wall_time=0.0, file_version="brain.Event:2").SerializeToString())
        for point in curve:
            values = [
                Summary.Value(tag=name.replace("_", "/", 1), simple_value=value)
                for name, value in point.items()
                if name != "epoch"
            ]
            event = Event(wall_time=point["epoch"], step=int(point["epoch"]), summary=Summary(value=values))
            writer.write(event.SerializeToString())
        writer.flush()


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True, help="training set, initial weights, order of the batches")
    parser.add_argument("--arm", choices=[*ARMS], help="only this arm (default: all)")
    parser.add_argument("--condition", choices=["noisy", "clean"], help="only this condition (default: both)")
    parser.add_argument("--data", type=Path, required=True, help="folder of digits.csv and what make_data.py drew")
    parser.add_argument("--design", type=Path, required=True, help="the study's design.json")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results, one folder in it for each run")
    parser.add_argument("--epochs", type=int, help="instead of the design's (for a smoke run)")
    arguments = parser.parse_args()
    design = json.loads(arguments.design.read_text(encoding="utf-8"))
    if arguments.epochs:
        design["training"]["epochs"] = arguments.epochs
    seed, data, said = arguments.seed, read_data(arguments.data, arguments.seed), []
    for condition in [arguments.condition] if arguments.condition else design["conditions"]:
        for arm in [arguments.arm] if arguments.arm else design["arms"]:
            with np.errstate(all="ignore"):  # a run that diverges is a result, and is reported as one
                trained = train(design, condition, arm, seed, data)
            found = record(design, condition, arm, seed, trained)
            write_run(arguments.out / condition / arm / f"seed-{seed}", found, trained.curve)
            error = found["metrics"].get("test_error_percent")
            said += [f"{arm} {'failed' if error is None else f'{error:.1f} %'}"] if condition == "noisy" else []
    sys.stdout.write(f"test error {', '.join(said)}\n")


if __name__ == "__main__":
    main()
