"""Lists every file of the study with digest, size and role: artifact_manifest.json."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

MANIFEST = "artifacts/artifact_manifest.json"
MADE_BY = {
    "literature": "stage 01",
    "data": "stage 03",
    "code": "stage 04",
    "results": "stages 05 and 06",
    "figures": "stage 06",
    "writing": "stage 07",
    "artifacts": "stages 07 and 08",
    "reviews": "stage 08",
    "notes": "stages 02 to 04",
}


def entry(workspace: Path, path: Path) -> dict[str, object]:
    content, room = path.read_bytes(), path.relative_to(workspace).parts[0]
    return {
        "path": f"workspace/{path.relative_to(workspace).as_posix()}",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "role": room,
        "made_by": MADE_BY.get(room, "not by this study"),
        "released": room in MADE_BY,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    workspace: Path = parser.parse_args().workspace
    paths = [path for path in sorted(workspace.rglob("*")) if path.is_file() and not path.is_symlink()]
    files = [path for path in paths if path != workspace / MANIFEST and "__pycache__" not in path.parts]
    record = {"artifacts": [entry(workspace, path) for path in files]}
    (workspace / MANIFEST).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(files)} files\n")


if __name__ == "__main__":
    main()
