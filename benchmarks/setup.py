"""A look at a project of 5 000 files beside 3 GB of checkpoints, against listing and reading its text."""

from __future__ import annotations

import os
import resource
import tempfile
from pathlib import Path

from flagstone.setup import look_at
from measured.rounds import promise, seconds, show, take_turns

FILES = 5_000
CHECKPOINTS = 30
SPARSE = 100_000_000
SECONDS = 3.0
MEMORY_MB = 300.0
BODY = '''"""Layer {number}."""

import torch
from torch import nn


class Layer{number}(nn.Module):
    def __init__(self, width: int = 64, dropout: float = 0.1):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(width, width), nn.Dropout(dropout))

    def forward(self, batch):
        loss = self.net(batch).mean()
        return loss
'''
HELPER = "\n\ndef helper_{number}(value):\n    return [value * {number} for _ in range(10)]\n"
SCRIPT = '''"""Experiment {number}."""

import argparse

import torch
{imports}

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    for epoch in range(10):
        loss = torch.nn.functional.mse_loss(torch.rand(3), torch.rand(3))
        loss.backward()
        print(f"epoch {{epoch}} val_loss: {{loss:.4f}}")
    torch.save({{}}, "checkpoints/last.pt")


if __name__ == "__main__":
    main()
'''


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="flagstone-bench-") as name:
        root = Path(name)
        make_project(root)
        before_mb = peak_mb()
        assert look_at(root).findings["command"].value == ["python", "train.py", "--lr", "0.2"]
        print(f"peak memory {peak_mb():.0f} MB, of which {before_mb:.0f} MB before the look")
        turns = {
            "reading all text": lambda: seconds(lambda: read_text(root)),
            "the look": lambda: seconds(lambda: look_at(root)),
        }
        found = take_turns(turns, 3)
        show(found, "reading all text")
        promise("CPU seconds of a look", sorted(each.cpu_s for each in found["the look"])[1], SECONDS, " s")
        promise("peak memory", peak_mb(), MEMORY_MB, " MB")


def make_project(root: Path) -> None:
    """Half of the files are code, of which 300 look like trainings; the rest are settings and notes."""
    (root / "README.md").write_text("```\npython train.py --lr 0.2\n```\n")
    imports = "".join(f"from pkg.part0.layer{number} import Layer{number}\n" for number in range(0, 2500, 25))
    (root / "train.py").write_text(SCRIPT.format(number=0, imports=imports))
    for number in range(FILES):
        kind, part = number % 2, root / ("pkg", "notes")[number % 2] / f"part{number % 25}"
        part.mkdir(parents=True, exist_ok=True)
        if number < 600 and kind == 0:
            (part / f"train_{number}.py").write_text(SCRIPT.format(number=number, imports=""))
        elif kind == 0:
            helpers = "".join(HELPER.format(number=each) for each in range(40))
            (part / f"layer{number}.py").write_text(BODY.format(number=number) + helpers)
        else:
            (part / f"run{number}.yaml").write_text(f"lr: 0.{number}\nname: run {number}\n" * 20)
    (root / "checkpoints").mkdir()
    for number in range(CHECKPOINTS):
        with open(root / f"checkpoints/step_{number}.pt", "wb") as stream:
            stream.truncate(SPARSE)


def read_text(root: Path) -> int:
    """The floor: every file of the project below 1 MB, read and decoded."""
    size = 0
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.getsize(path) <= 1_000_000:
                with open(path, encoding="utf-8") as stream:
                    size += len(stream.read())
    return size


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
