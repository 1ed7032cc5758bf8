"""Writes the small project that the demo's campaign works on: one program, and the digits it is trained on."""

from __future__ import annotations

import sys
from pathlib import Path

from flagstone.agents.demo.study import material_bytes

FILES = {"train.py": "campaign/project/train.py", "digits.csv.gz": "digits.csv.gz", "digits.md": "digits.md"}


def write_project(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in FILES.items():
        (folder / name).write_bytes(material_bytes(source))


if __name__ == "__main__":
    write_project(Path(sys.argv[1]))
