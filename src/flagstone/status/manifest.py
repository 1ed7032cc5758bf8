"""manifest.json: the read model, written down for scripts. Deleting it loses nothing."""

from __future__ import annotations

import os
import platform
import socket
import sys
import time
from functools import cache
from pathlib import Path

from flagstone import __version__, schemas
from flagstone.gates import Moment, RunConfig, StageFiles
from flagstone.records import digest_value, mark_of, read_record, utc, write_record
from flagstone.status.overview import RunOverview


def write_manifest(opened: RunConfig, moment: Moment, status: RunOverview) -> None:
    """Rewrites the manifest, atomically, if anything in it changed."""
    record = manifest(opened, moment, status)
    before = read_record(opened.run.manifest) or {}
    if {**before, "written_at": ""} != {**record, "written_at": ""}:
        check_form(opened, record)
        write_record(opened.run.manifest, record, durable=False)


def check_form(opened: RunConfig, record: dict[str, object]) -> None:
    """Checks a manifest against its schema, unless one of this form was checked before: loading schemas takes 75 ms."""
    schema, remembered = (
        opened.project.schemas / "manifest.schema.yaml",
        opened.run.digest_cache.with_name("forms.json"),
    )
    known = read_record(remembered) or {}
    form = digest_value([mark_of(schema), form_of(record)])
    if form not in known:
        schemas.check(opened.project.schemas, "manifest", record, "manifest.json")
        write_record(remembered, {**known, form: True}, durable=False)


def form_of(value: object, key: str = "") -> object:
    """What a schema looks at: the kinds of values, and the words of a state."""
    if isinstance(value, dict):
        return {name: form_of(item, name) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return sorted({digest_value(form_of(item)) for item in value})
    if key == "state":
        return value
    return [type(value).__name__, isinstance(value, int | float) and value < 0]


def manifest(opened: RunConfig, moment: Moment, known: RunOverview) -> dict[str, object]:
    """Everything known about a run, as one record."""
    return {
        "run": known.name,
        "goal": known.goal,
        "created_at": known.created_at,
        "written_at": utc(time.time()),
        "state": known.state,
        "cost_usd": known.cost_usd,
        "stages": [stage_record(moment.stages[row.nr], vars(row)) for row in known.stages],
        "experiments": folder_names(opened.run.root / "experiments"),
        "trials": folder_names(opened.run.root / "trials"),
        "environment": environment(known.agent),
    }


def stage_record(files: StageFiles, row: dict[str, object]) -> dict[str, object]:
    return {
        **row,
        "stale_reasons": str(row["reason"]).split("; ") if row["state"] == "stale" else [],
        "built_at": files.offer.get("built_at", ""),
        "artifacts": [entry.get("path") for entry in files.offer.get("artifacts", []) if isinstance(entry, dict)],
        "decisions": [
            {key: getattr(seal, key) for key in ("event", "by", "who", "at", "how", "digest", "comment")}
            for seal in files.decisions
        ],
    }


def environment(agent: str) -> dict[str, object]:
    """Where and with what the run was worked on."""
    return {
        "flagstone": __version__,
        "python": platform.python_version(),
        "snakemake": installed_version("snakemake"),
        "platform": f"{sys.platform} {platform.release()}",
        "host": socket.gethostname(),
        "commit": commit(),
        "agent": agent,
    }


@cache
def installed_version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def commit() -> str:
    """The commit of the checkout that the code runs from, read without starting git."""
    for folder in Path(__file__).resolve().parents:
        head = folder / ".git" / "HEAD"
        if head.is_file():
            word = head.read_text(errors="replace").strip()
            return read_ref(folder / ".git", word.removeprefix("ref: ")) if word.startswith("ref: ") else word
    return ""


def read_ref(git: Path, name: str) -> str:
    if (git / name).is_file():
        return (git / name).read_text(errors="replace").strip()
    packed = git / "packed-refs"
    lines = packed.read_text(errors="replace").splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), "")


def folder_names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()) if folder.is_dir() else []
