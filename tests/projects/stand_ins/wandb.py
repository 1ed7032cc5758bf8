"""The part of wandb that the example uses. It writes the folder of an offline run."""

from __future__ import annotations

import atexit
import json
import os
import secrets
import sys
import time
from pathlib import Path
from typing import Any

_summary: dict[str, Any] = {}


def init(project: str, config: dict[str, Any]) -> None:
    if os.environ.get("WANDB_MODE") != "offline":
        sys.exit("wandb: ERROR api_key not configured (no-tty). Run wandb login")
    root = Path(os.environ.get("WANDB_DIR") or ".") / "wandb"
    name = f"offline-run-{time.strftime('%Y%m%d_%H%M%S')}-{secrets.token_hex(4)}"
    files = root / name / "files"
    files.mkdir(parents=True)
    latest = root / "latest-run"
    latest.unlink(missing_ok=True)
    latest.symlink_to(name)
    metadata = {"program": sys.argv[0], "args": sys.argv[1:], "project": project}
    (files / "wandb-metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    (files / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    atexit.register(finish, files)


def log(values: dict[str, Any]) -> None:
    _summary.update(values, _step=_summary.get("_step", -1) + 1)


def finish(files: Path) -> None:
    (files / "wandb-summary.json").write_text(json.dumps(_summary), encoding="utf-8")
