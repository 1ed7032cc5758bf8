"""Trains one network of the study: one arm, one seed, a fixed number of steps."""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Curve = list[dict[str, float]]
EVENTS = "events.out.tfevents.0.demo"
Layer = tuple[Floats, Floats]


def learning_rate(step: int, arm: str, training: dict[str, Any]) -> float:
    """The rate of a step, counted from 0: the peak at once, or a straight climb to it."""
    peak = float(training["peak_rate"])
    if arm == "warmup":
        return peak * min(1.0, (step + 1) / int(training["warmup_steps"]))
    return peak


def initial_layers(rng: np.random.Generator, widths: list[int]) -> list[Layer]:
    """Normal weights scaled for rectifiers (He et al., 2015), zero offsets."""
    return [(rng.normal(0.0, np.sqrt(2.0 / n), (n, m)), np.zeros(m)) for n, m in pairwise(widths)]


def forward(layers: list[Layer], features: Floats) -> list[Floats]:
    """The input, every hidden layer's output, and the last layer's scores."""
    outputs = [features]
    for number, (weights, offsets) in enumerate(layers):
        score = outputs[-1] @ weights + offsets
        outputs.append(score if number == len(layers) - 1 else np.maximum(score, 0.0))
    return outputs


def probabilities(scores: Floats) -> Floats:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def loss_and_error(layers: list[Layer], features: Floats, labels: Labels) -> tuple[float, float]:
    """Mean cross-entropy in nats, and the share of rows that are classified wrongly."""
    scores = forward(layers, features)[-1]
    top = scores.max(axis=1, keepdims=True)
    log_normaliser = top[:, 0] + np.log(np.exp(scores - top).sum(axis=1))
    loss = float(np.mean(log_normaliser - scores[np.arange(len(labels)), labels]))
    return loss, float(np.mean(scores.argmax(axis=1) != labels))


def gradients(layers: list[Layer], features: Floats, labels: Labels) -> list[Layer]:
    """The slope of the mean cross-entropy in every weight and offset, by back-propagation."""
    outputs = forward(layers, features)
    delta = probabilities(outputs[-1])
    delta[np.arange(len(labels)), labels] -= 1.0
    delta /= len(labels)
    found: list[Layer] = []
    for number in range(len(layers) - 1, -1, -1):
        found.append((outputs[number].T @ delta, delta.sum(axis=0)))
        if number:
            delta = (delta @ layers[number][0].T) * (outputs[number] > 0.0)
    return found[::-1]


def read_part(path: Path) -> tuple[Floats, Labels]:
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    return table[:, :2], table[:, 2].astype(np.int64)


def train(design: dict[str, Any], arm: str, seed: int, data: Path) -> Curve:
    """The learning curve of one run; it ends early if the numbers leave the finite range."""
    training = design["training"]
    features, labels = read_part(data / "train.csv")
    unseen = read_part(data / "test.csv")
    starts, batches = (np.random.default_rng(part) for part in np.random.SeedSequence(seed).spawn(2))
    layers = initial_layers(starts, [2, *training["hidden"], design["data"]["classes"]])
    speeds = [(np.zeros_like(weights), np.zeros_like(offsets)) for weights, offsets in layers]
    curve: Curve = []
    for step in range(training["steps"] + 1):
        if step % training["record_every"] == 0 or step == training["steps"]:
            rate = learning_rate(step, arm, training)
            curve.append(measured(step, rate, layers, (features, labels), unseen))
            if not np.isfinite(curve[-1]["train_loss"] + curve[-1]["test_loss"]):
                break
        rows = batches.integers(0, len(labels), training["batch_rows"])
        slopes = gradients(layers, features[rows], labels[rows])
        rate = learning_rate(step, arm, training)
        for number, ((w, b), (vw, vb), (gw, gb)) in enumerate(zip(layers, speeds, slopes, strict=True)):
            speeds[number] = (training["momentum"] * vw - rate * gw, training["momentum"] * vb - rate * gb)
            layers[number] = (w + speeds[number][0], b + speeds[number][1])
    return curve


def measured(
    step: int, rate: float, layers: list[Layer], seen: tuple[Floats, Labels], unseen: tuple[Floats, Labels]
) -> dict[str, float]:
    train_loss, train_error = loss_and_error(layers, *seen)
    test_loss, test_error = loss_and_error(layers, *unseen)
    return {
        "step": step,
        "rate": rate,
        "train_loss": train_loss,
        "train_error": train_error,
        "test_loss": test_loss,
        "test_error": test_error,
    }


def write_series(path: Path, experiment: str, curve: Curve) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["experiment", *curve[0]])
        for point in curve:
            values = (f"{value:.6f}" for value in list(point.values())[1:])
            rows.writerow([experiment, int(point["step"]), *values])


def write_events(path: Path, curve: Curve) -> None:
    """The same curve for TensorBoard. Its clock is the step, so that a repeated run gives the same bytes."""
    from tensorboard.compat.proto.event_pb2 import Event  # type: ignore[import-untyped, unused-ignore]
    from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped, unused-ignore]
    from tensorboard.summary.writer.record_writer import RecordWriter  # type: ignore[import-untyped, unused-ignore]

    with path.open("wb") as stream:
        writer = RecordWriter(stream)
        writer.write(Event(wall_time=0.0, file_version="brain.Event:2").SerializeToString())
        for point in curve:
            values = [
                Summary.Value(tag=name.replace("_", "/"), simple_value=value)
                for name, value in point.items()
                if name != "step"
            ]
            event = Event(wall_time=point["step"], step=int(point["step"]), summary=Summary(value=values))
            writer.write(event.SerializeToString())
        writer.flush()


def record(design: dict[str, Any], arm: str, seed: int, data: Path, curve: Curve) -> dict[str, Any]:
    """What one run leaves: its last point, whether it stayed finite, and what it was trained on."""
    last = curve[-1]
    is_finite = bool(np.isfinite(last["test_loss"] + last["train_loss"]))
    names = ("test_loss", "test_error", "train_loss") if is_finite else ()
    parts = (data / "train.csv").read_bytes() + (data / "test.csv").read_bytes()
    return {
        "experiment": design["experiment"],
        "arm": arm,
        "seed": seed,
        "status": "ok" if is_finite else "invalid",
        "reason": "" if is_finite else f"the loss was no longer finite at step {int(last['step'])}",
        "steps": int(last["step"]),
        "metrics": {name: round(last[name], 6) for name in names},
        "series": "series.csv",
        "design_sha256": hashlib.sha256(json.dumps(design, sort_keys=True).encode()).hexdigest(),
        "data_sha256": hashlib.sha256(parts).hexdigest(),
    }


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arm", choices=["constant", "warmup"], required=True)
    parser.add_argument("--seed", type=int, required=True, help="initial weights and order of the batches")
    parser.add_argument("--data", type=Path, required=True, help="folder of train.csv and test.csv")
    parser.add_argument("--design", type=Path, required=True, help="the study's design.json")
    parser.add_argument("--out", type=Path, required=True, help="folder for metrics, curve and event file")
    parser.add_argument("--steps", type=int, help="instead of the design's (for a smoke run)")
    arguments = parser.parse_args()
    design = json.loads(arguments.design.read_text(encoding="utf-8"))
    if arguments.steps:
        design["training"]["steps"] = arguments.steps
    with np.errstate(all="ignore"):  # a run that diverges is a result, and is reported as one
        curve = train(design, arguments.arm, arguments.seed, arguments.data)
    arguments.out.mkdir(parents=True, exist_ok=True)
    result = record(design, arguments.arm, arguments.seed, arguments.data, curve)
    write_series(arguments.out / "series.csv", design["experiment"], curve)
    write_events(arguments.out / EVENTS, curve)
    write_json(arguments.out / "metrics.json", result)
    write_json(arguments.out / f"{EVENTS}.json", {key: result[key] for key in ("experiment", "arm", "seed")})
    loss = result["metrics"].get("test_loss")
    sys.stdout.write(f"test loss {loss:.3f}\n" if loss is not None else f"failed: {result['reason']}\n")


if __name__ == "__main__":
    main()
